#include "cli/dag.h"

#include "cli/commands.h"
#include "multiformats/multicodec.h"

#include <optional>

namespace ic::cli {

Result<Codec> codec_of_flag(std::string_view flag, const std::string& text) {
    const std::optional<Codec> codec = codec_named(text);
    if (!codec) {
        return Error{Errc::usage, std::string(flag) + ": unknown multicodec: \"" + text + "\""};
    }
    return *codec;
}

Result<HashCode> hash_of_flag(std::string_view flag, const std::string& text) {
    const std::optional<HashCode> hash = hash_named(text);
    if (!hash) {
        return Error{Errc::usage,
                     std::string(flag) + ": '" + text +
                         "' is no hash function that is computed here; sha2-256, sha2-512, blake3 "
                         "and identity are"};
    }
    return *hash;
}

Result<Cid> cid_of_block(Codec codec, HashCode hash, ByteView data) {
    if (hash == HashCode::identity && data.size() > ic::limits::cid_digest_bytes_max) {
        return Error{Errc::too_large,
                     "an identity CID holds " + std::to_string(ic::limits::cid_digest_bytes_max) +
                         " bytes at most, and the block has " + std::to_string(data.size())};
    }
    return cid_of(codec, hash, data);
}

void add_dag(Command& app, Context& context) {
    Command* command = app.add_subcommand("dag", "Store, read, copy and measure whole DAGs");
    add_dag_put(*command, context);
    add_dag_get(*command, context);
    add_dag_resolve(*command, context);
    add_dag_import(*command, context);
    add_dag_export(*command, context);
    add_dag_stat(*command, context);
}

} // namespace ic::cli
