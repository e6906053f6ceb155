#include "kubo/block.h"

#include "kubo/answer.h"

#include <utility>

namespace ic::kubo {
namespace {

/// Names of Kubo's options. Source: multiformats/multicodec, table.csv.
const char* option_of(Codec codec) {
    switch (codec) {
    case Codec::cbor:
        return "cbor";
    case Codec::raw:
        return "raw";
    case Codec::dag_pb:
        return "dag-pb";
    case Codec::dag_cbor:
        return "dag-cbor";
    case Codec::libp2p_key:
        return "libp2p-key";
    case Codec::dag_json:
        return "dag-json";
    case Codec::json:
        return "json";
    }
    return nullptr;
}

const char* option_of(HashCode hash) {
    switch (hash) {
    case HashCode::identity:
        return "identity";
    case HashCode::sha2_256:
        return "sha2-256";
    case HashCode::sha2_512:
        return "sha2-512";
    case HashCode::blake3:
        return "blake3";
    }
    return nullptr;
}

} // namespace

Result<Bytes> block_get(Rpc& rpc, const Cid& cid, const Reach& reach, Stop stop) {
    RpcCall call{.command = "block/get",
                 .query = {{"arg", cid.to_string()}},
                 .repeat = Repeat::harmless,
                 .answer_bytes_max = limits::block_bytes_max,
                 .kubo_failed = Errc::cid_unavailable,
                 .stop = std::move(stop)};
    set_reach(call, reach);
    return rpc.call(call);
}

Result<void> block_put(Rpc& rpc, const Cid& cid, ByteView data, Stop stop) {
    if (data.size() > limits::block_bytes_max) {
        return Error{Errc::too_large,
                     "block " + cid.to_string() + " has more than " +
                         std::to_string(limits::block_bytes_max) + " bytes"};
    }
    const char* const codec = option_of(cid.codec());
    const char* const hash = option_of(cid.hash());
    if (codec == nullptr || hash == nullptr) {
        return Error{Errc::unsupported, "Kubo has no name for the codec of " + cid.to_string()};
    }
    const RpcCall call{.command = "block/put",
                       .query = {{"cid-codec", codec}, {"mhtype", hash}, {"pin", "false"}},
                       .repeat = Repeat::harmless,
                       .part = "data",
                       .data = data,
                       .stop = std::move(stop)};
    const nlohmann::json object = TRY(call_object(rpc, call));
    const Cid key = TRY(cid_field(object, "Key", rpc.where(call.command)));
    if (key.as_v1() != cid.as_v1()) {
        return Error{Errc::hash_mismatch,
                     rpc.where(call.command) + ": the block of " + cid.to_string() + " became " +
                         key.to_string()};
    }
    return {};
}

Result<std::optional<std::uint64_t>> block_size(Rpc& rpc, const Cid& cid, Stop stop) {
    RpcCall call{.command = "block/stat",
                 .query = {{"arg", cid.to_string()}},
                 .repeat = Repeat::harmless,
                 .kubo_failed = Errc::cid_unavailable,
                 .stop = std::move(stop)};
    set_reach(call, Reach::local());
    const Result<nlohmann::json> object = call_object(rpc, call);
    if (object) {
        return std::optional(TRY(number_field(*object, "Size", rpc.where(call.command))));
    }
    // "block was not found locally (offline): ipld: could not find ..."
    if (object.error().code == Errc::cid_unavailable &&
        object.error().message.find("not find") != std::string::npos) {
        return std::optional<std::uint64_t>();
    }
    return object.error();
}

} // namespace ic::kubo
