#include "job/unsigned_job.h"

#include "ipld/dag_json.h"
#include "job/fields.h"
#include "job/spec_codec.h"

#include <string_view>
#include <utility>

namespace ic::job {
namespace {

using ipld::Map;
using ipld::Node;

constexpr std::string_view version = "1.0";
constexpr std::string_view type_wasm = "wasm";
/// Ours: of the texts that are compared with the two above.
constexpr std::size_t word_bytes_max = 64;
/// Before the name of a message, so that its hash is that of nothing else.
constexpr std::string_view nonce_prefix = "ipfs-compute/unsigned/1";

/// Of a job of another type: there in what a Go program prints, and nothing to us.
Result<void> pass_over(Fields& fields, std::string_view key) {
    TRY(fields.maybe<Map>(key));
    return {};
}

Result<UnsignedJob> read_wasm(const Node& node) {
    Fields wasm = TRY(Fields::of(node, "Wasm."));
    const std::string text = TRY(wasm.text("WasmFileCid", ic::limits::cid_text_bytes_max));
    Result<Cid> module = Cid::parse(text);
    if (!module) {
        return std::move(module).take_error().during("Wasm.WasmFileCid");
    }
    UnsignedJob read{.module = std::move(module).take(),
                     .function = TRY(wasm.text("Function", limits::handler_bytes_max))};
    TRY(check_text("Wasm.Function", read.function, limits::handler_bytes_max));
    TRY(wasm.refuse_unknown());
    return read;
}

} // namespace

Result<UnsignedJob> read_unsigned_job(ByteView json) {
    if (json.size() > limits::unsigned_job_bytes_max) {
        return Error{Errc::too_large,
                     "an unsigned job has at most " +
                         std::to_string(limits::unsigned_job_bytes_max) + " bytes"};
    }
    const Node whole = TRY(plain_json::decode(json));
    Fields fields = TRY(Fields::of(whole, ""));
    if (TRY(fields.text("Version", word_bytes_max)) != version) {
        return Error{Errc::unsupported, "Version is not '" + std::string(version) + "'"};
    }
    if (TRY(fields.text("Type", word_bytes_max)) != type_wasm) {
        return Error{Errc::unsupported,
                     "Type is not '" + std::string(type_wasm) + "'; no other runs here"};
    }
    TRY(pass_over(fields, "Docker"));
    TRY(pass_over(fields, "AwsLambda"));
    const Node* const wasm = fields.any("Wasm");
    if (wasm == nullptr) {
        return fields.missing("Wasm");
    }
    TRY(fields.refuse_unknown());
    return read_wasm(*wasm);
}

Bytes print_unsigned_job(const UnsignedJob& unsigned_job) {
    Map wasm;
    wasm.emplace_back("Function", std::string_view(unsigned_job.function));
    wasm.emplace_back("WasmFileCid", unsigned_job.module.to_string());
    Map whole;
    whole.emplace_back("Type", type_wasm);
    whole.emplace_back("Version", version);
    whole.emplace_back("Wasm", std::move(wasm));
    return dag_json::encode(Node{std::move(whole)}).take(); // No map of it is a link's.
}

Result<Invocation>
invocation_of(const UnsignedJob& unsigned_job, const UnsignedOrigin& origin, const PublicKey& key) {
    if (origin.seqno.empty()) {
        return Error{Errc::refused, "the message has no number that tells it from others"};
    }
    Invocation invocation;
    invocation.issuer = key;
    invocation.audience = key;
    invocation.spec.module = unsigned_job.module;
    if (!unsigned_job.function.empty()) {
        invocation.spec.handler = unsigned_job.function;
    }
    Bytes message = copy_of(bytes_of(nonce_prefix));
    message.push_back(0);
    const ByteView peer = bytes_of(origin.peer);
    message.insert(message.end(), peer.begin(), peer.end());
    message.push_back(0);
    message.insert(message.end(), origin.seqno.begin(), origin.seqno.end());
    invocation.nonce = copy_of(cid_of(Codec::raw, message).digest());
    invocation.labels = {{"origin", "unsigned"}, {"peer", origin.peer}};
    return invocation;
}

} // namespace ic::job
