#pragma once
/// Which boot of which machine this is.

#include "base/result.h"

#include <string>

namespace ic {

/// Names the boot that `Instant`s count from: no two boots of any machines have the same. Not for
/// pure code. Errors: of reading /proc; malformed.
Result<std::string> boot_id();

} // namespace ic
