#pragma once
/// The commands below `pin` and `repo`, one source file each.

#include "cli/context.h"

namespace ic::cli {

void add_pin_add(CLI::App& pin, Context& context);
void add_pin_ls(CLI::App& pin, Context& context);
void add_pin_rm(CLI::App& pin, Context& context);
void add_pin_update(CLI::App& pin, Context& context);

void add_repo_compact(CLI::App& repo, Context& context);
void add_repo_gc(CLI::App& repo, Context& context);
void add_repo_stat(CLI::App& repo, Context& context);
void add_repo_verify(CLI::App& repo, Context& context);

} // namespace ic::cli
