#pragma once
/// The commands, one source file each; docs/commands/ has a page a command.

#include "cli/context.h"

namespace ic::cli {

void add_add(Command& app, Context& context);
void add_block(Command& app, Context& context);
void add_cat(Command& app, Context& context);
void add_cid(Command& app, Context& context);
void add_completion(Command& app, Context& context);
void add_config(Command& app, Context& context);
void add_dag(Command& app, Context& context);
void add_doctor(Command& app, Context& context);
void add_get(Command& app, Context& context);
void add_id(Command& app, Context& context);
void add_init(Command& app, Context& context);
void add_job(Command& app, Context& context);
void add_ls(Command& app, Context& context);
void add_man(Command& app, Context& context);
void add_module(Command& app, Context& context);
void add_new(Command& app, Context& context);
void add_pair(Command& app, Context& context);
void add_pin(Command& app, Context& context);
void add_repo(Command& app, Context& context);
void add_run(Command& app, Context& context);
void add_simulate(Command& app, Context& context);
void add_submit(Command& app, Context& context);
void add_trust(Command& app, Context& context);
void add_version(Command& app, Context& context);
void add_worker(Command& app, Context& context);

} // namespace ic::cli
