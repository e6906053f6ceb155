#pragma once
/// `worker list`, a command of its own beneath `worker`.

#include "cli/context.h"

namespace ic::cli {

void add_worker_list(Command& worker, Context& context);

} // namespace ic::cli
