#pragma once
/// What the commands `block ...`, `dag ...` and `cid ...` share.

#include "base/bytes.h"
#include "base/result.h"
#include "cli/context.h"
#include "multiformats/cid.h"

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

/// The hash function that `flag` names. Errors: usage (not known, or not computed here).
Result<HashCode> hash_of_flag(std::string_view flag, const std::string& text);

/// The CID, version 1, of a block. Errors: too-large (an identity CID cannot hold it).
Result<Cid> cid_of_block(Codec codec, HashCode hash, ByteView data);

} // namespace ic::cli
