#pragma once
/// The commands below `pin` and `repo`, one source file each.

#include "cli/context.h"

namespace ic::cli {

void add_pin_add(Command& pin, Context& context);
void add_pin_ls(Command& pin, Context& context);
void add_pin_rm(Command& pin, Context& context);
void add_pin_update(Command& pin, Context& context);

void add_repo_compact(Command& repo, Context& context);
void add_repo_gc(Command& repo, Context& context);
void add_repo_stat(Command& repo, Context& context);
void add_repo_verify(Command& repo, Context& context);

} // namespace ic::cli
