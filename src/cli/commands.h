#pragma once
/// The commands, one source file each; docs/commands/ has a page a command.

#include "cli/context.h"

namespace ic::cli {

void add_add(CLI::App& app, Context& context);
void add_block(CLI::App& app, Context& context);
void add_cat(CLI::App& app, Context& context);
void add_cid(CLI::App& app, Context& context);
void add_completion(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);
void add_dag(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_get(CLI::App& app, Context& context);
void add_id(CLI::App& app, Context& context);
void add_init(CLI::App& app, Context& context);
void add_job(CLI::App& app, Context& context);
void add_ls(CLI::App& app, Context& context);
void add_new(CLI::App& app, Context& context);
void add_pin(CLI::App& app, Context& context);
void add_repo(CLI::App& app, Context& context);
void add_run(CLI::App& app, Context& context);
void add_submit(CLI::App& app, Context& context);
void add_trust(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);
void add_worker(CLI::App& app, Context& context);

} // namespace ic::cli
