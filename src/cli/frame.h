#pragma once
/// The frame around every command: parses, runs, prints the one error line, gives the exit status.

#include "cli/context.h"

#include <functional>

namespace ic::cli {

/// Adds every command to the program; the parts list in main.cc.
using AddCommands = std::function<void(Command&, Context&)>;

/// Runs the program on the arguments of `main` and gives its exit status: a command's own, or
/// `exit_status` of its error, which has then been printed as `ipfs-compute: <code>: <message>`.
int run(int count, const char* const* arguments, const AddCommands& add_commands);

} // namespace ic::cli
