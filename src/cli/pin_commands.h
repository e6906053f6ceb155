#pragma once
/// The commands below `pin` and `repo`, one source file each.

#include "cli/context.h"

#include <string>
#include <vector>

namespace ic::cli {

void add_pin_add(CLI::App& pin, Context& context);
void add_pin_ls(CLI::App& pin, Context& context);
void add_pin_rm(CLI::App& pin, Context& context);
void add_pin_update(CLI::App& pin, Context& context);

void add_repo_compact(CLI::App& repo, Context& context);
void add_repo_gc(CLI::App& repo, Context& context);
void add_repo_stat(CLI::App& repo, Context& context);
void add_repo_verify(CLI::App& repo, Context& context);

/// Offers `-r` and `--recursive`, on by default; `--recursive=false` and `-r=false` switch it off.
void add_recursive_option(CLI::App& command, std::string& value, const std::string& help);
/// Errors: usage for what is neither true nor false.
Result<bool> is_recursive(const std::string& value);

} // namespace ic::cli
