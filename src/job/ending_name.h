#pragma once
/// How a run ended, in a word.

#include "job/receipt.h"

#include <string_view>

namespace ic::job {

/// "success", "guest-exit" (its own status was not 0), or the name of the error.
std::string_view name_of(const Ending& ending);

} // namespace ic::job
