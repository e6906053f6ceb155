#pragma once
/// The commands, one source file each; docs/commands/ has a page a command.

#include "cli/context.h"

namespace ic::cli {

void add_new(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);

} // namespace ic::cli
