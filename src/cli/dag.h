#pragma once
/// What the commands `dag ...` and `cid ...` share.

#include "base/result.h"
#include "cli/context.h"
#include "multiformats/cid.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ic::cli {

void add_cid_inspect(Command& cid, Context& context);
void add_dag_export(Command& dag, Context& context);
void add_dag_get(Command& dag, Context& context);
void add_dag_import(Command& dag, Context& context);
void add_dag_put(Command& dag, Context& context);
void add_dag_resolve(Command& dag, Context& context);
void add_dag_stat(Command& dag, Context& context);

/// The codec that `flag` names. Errors: usage.
Result<Codec> codec_of_flag(std::string_view flag, const std::string& text);

/// "1.2 GB" as Kubo prints sizes: units of 1000, one digit after the point below ten.
std::string decimal_bytes(std::uint64_t bytes);

} // namespace ic::cli
