#include "job/invocation.h"

#include "ipld/dag_cbor.h"
#include "job/envelope.h"
#include "job/fields.h"
#include "job/provider.h"
#include "job/spec_codec.h"

#include <algorithm>
#include <cassert>
#include <ranges>

namespace ic::job {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

constexpr std::string_view tag = "ucan/inv@1.0.0";

struct TimeoutRow {
    std::string_view key;
    std::uint64_t StageTimeouts::* member;
};

constexpr std::array<TimeoutRow, 5> timeout_rows{{
    {"queue_ms", &StageTimeouts::queue_ms_max},
    {"claim_ms", &StageTimeouts::claim_ms_max},
    {"fetch_ms", &StageTimeouts::fetch_ms_max},
    {"total_ms", &StageTimeouts::total_ms_max},
    {"publish_ms", &StageTimeouts::publish_ms_max},
}};

Map meta_of(const Invocation& invocation) {
    Map timeouts;
    for (const TimeoutRow& row : timeout_rows) {
        timeouts.emplace_back(row.key, invocation.timeouts.*row.member);
    }
    timeouts.emplace_back("attempts", std::uint64_t{invocation.timeouts.attempts_max});
    Map meta;
    if (!invocation.labels.empty()) {
        meta.emplace_back("labels", Map(invocation.labels.begin(), invocation.labels.end()));
    }
    meta.emplace_back("priority", std::uint64_t{invocation.priority});
    meta.emplace_back("timeouts", std::move(timeouts));
    if (!invocation.providers.empty()) {
        meta.emplace_back("providers",
                          List(invocation.providers.begin(), invocation.providers.end()));
    }
    if (invocation.traceparent) {
        meta.emplace_back("traceparent", std::string_view(*invocation.traceparent));
    }
    return meta;
}

/// The payload with `meta` as given: read back, unknown fields of it are still there.
Map payload_of(const Invocation& invocation, std::optional<Node> meta) {
    const std::string issuer = invocation.issuer.to_did();
    Map payload;
    payload.reserve(11);
    payload.emplace_back("aud", invocation.audience.to_did());
    payload.emplace_back("cmd", command_run_wasm);
    payload.emplace_back("exp",
                         invocation.expires_at ? Node{invocation.expires_at->value} : Node{});
    if (invocation.issued_at) {
        payload.emplace_back("iat", invocation.issued_at->value);
    }
    payload.emplace_back("iss", issuer);
    payload.emplace_back("prf", List{});
    payload.emplace_back("sub", issuer);
    payload.emplace_back("args", args_of(invocation.spec));
    if (meta) {
        payload.emplace_back("meta", *std::move(meta));
    }
    if (invocation.cause) {
        payload.emplace_back("cause", *invocation.cause);
    }
    payload.emplace_back("nonce", invocation.nonce);
    return payload;
}

Result<PublicKey> read_did(Fields& fields, std::string_view key) {
    const std::string did = TRY(fields.text(key, limits::text_bytes_max));
    Result<PublicKey> parsed = PublicKey::parse_did(did);
    if (!parsed) {
        return std::move(parsed).take_error().during(key);
    }
    return parsed;
}

Result<StageTimeouts> read_timeouts(const Node& node) {
    Fields fields = TRY(Fields::of(node, "meta.timeouts."));
    StageTimeouts timeouts;
    for (const TimeoutRow& row : timeout_rows) {
        timeouts.*row.member =
            TRY(fields.number_or(row.key, limits::duration_ms_max, timeouts.*row.member));
    }
    timeouts.attempts_max = static_cast<std::uint32_t>(
        TRY(fields.number_or("attempts", limits::attempts_max, timeouts.attempts_max)));
    return timeouts;
}

/// Unknown fields are ignored: authority does not depend on `meta`.
Result<void> read_meta(const Node& node, Invocation& invocation) {
    Fields meta = TRY(Fields::of(node, "meta."));
    if (const Node* timeouts = meta.any("timeouts")) {
        invocation.timeouts = TRY(read_timeouts(*timeouts));
    }
    invocation.priority =
        static_cast<std::uint32_t>(TRY(meta.number_or("priority", limits::priority_max, 0)));
    if (const Map* labels = TRY(meta.maybe<Map>("labels"))) {
        for (const auto& [name, value] : *labels) {
            const auto* text = value.as<std::string>();
            if (text == nullptr) {
                return meta.wrong_type("labels");
            }
            invocation.labels.emplace_back(name, *text);
        }
        std::ranges::sort(invocation.labels);
    }
    if (const auto* traceparent = TRY(meta.maybe<std::string>("traceparent"))) {
        invocation.traceparent = *traceparent;
    }
    if (const auto* providers = TRY(meta.maybe<List>("providers"))) {
        invocation.providers = TRY(provider_texts(*providers));
    }
    return {};
}

Result<std::optional<UnixSeconds>> read_time(Fields& payload, std::string_view key) {
    const Node* node = payload.any(key);
    if (node == nullptr || node->is_null()) {
        return std::optional<UnixSeconds>{};
    }
    return std::optional{
        UnixSeconds{static_cast<std::int64_t>(TRY(payload.number(key, limits::integer_max)))}};
}

/// What this version insists on beyond UCAN.
Result<void> read_fixed(Fields& payload) {
    if (*TRY(payload.need<std::string>("cmd")) != command_run_wasm) {
        return Error{Errc::unsupported, "cmd is not '" + std::string(command_run_wasm) + "'"};
    }
    if (!TRY(payload.need<List>("prf"))->empty()) {
        return Error{Errc::unsupported, "prf: delegation chains are not read by this version"};
    }
    if (*TRY(payload.need<std::string>("sub")) != *TRY(payload.need<std::string>("iss"))) {
        return Error{Errc::unsupported, "sub is not the issuer"};
    }
    if (payload.any("exp") == nullptr) {
        return payload.missing("exp");
    }
    return {};
}

Result<Invocation> read_payload(const Node& node) {
    Fields payload = TRY(Fields::of(node, ""));
    TRY(read_fixed(payload));
    Invocation invocation;
    invocation.issuer = TRY(read_did(payload, "iss"));
    invocation.audience = TRY(read_did(payload, "aud"));
    const Node* args = payload.any("args");
    if (args == nullptr) {
        return payload.missing("args");
    }
    invocation.spec = TRY(read_args(*args));
    invocation.nonce = *TRY(payload.need<Bytes>("nonce"));
    invocation.expires_at = TRY(read_time(payload, "exp"));
    invocation.issued_at = TRY(read_time(payload, "iat"));
    if (const Cid* cause = TRY(payload.maybe<Cid>("cause"))) {
        invocation.cause = *cause;
    }
    if (const Node* meta = payload.any("meta")) {
        TRY(read_meta(*meta, invocation));
    }
    TRY(payload.refuse_unknown());
    return invocation;
}

Result<void> check_time(std::string_view what, const std::optional<UnixSeconds>& time) {
    if (time &&
        (time->value < 0 || static_cast<std::uint64_t>(time->value) > limits::integer_max)) {
        return Error{Errc::too_large, std::string(what) + " is not between 0 and 2^53 - 1 seconds"};
    }
    return {};
}

Result<void> check_meta(const Invocation& invocation) {
    for (const TimeoutRow& row : timeout_rows) {
        if (invocation.timeouts.*row.member > limits::duration_ms_max) {
            return Error{Errc::too_large,
                         "timeouts." + std::string(row.key) + " is above " +
                             std::to_string(limits::duration_ms_max)};
        }
    }
    if (invocation.timeouts.attempts_max > limits::attempts_max) {
        return Error{Errc::too_large,
                     "timeouts.attempts is above " + std::to_string(limits::attempts_max)};
    }
    if (invocation.priority > limits::priority_max) {
        return Error{Errc::too_large, "priority is above " + std::to_string(limits::priority_max)};
    }
    TRY(check_names("labels", invocation.labels, limits::labels_max));
    for (const auto& label : invocation.labels) {
        TRY(check_text("labels", label.second, limits::text_bytes_max));
    }
    if (invocation.traceparent) {
        TRY(check_text("traceparent", *invocation.traceparent, limits::traceparent_bytes_max));
    }
    return check_providers(invocation.providers);
}

} // namespace

Result<void> check(const Invocation& invocation) {
    TRY(check(invocation.spec));
    if (invocation.nonce.size() > limits::nonce_bytes_max) {
        return Error{Errc::too_large,
                     "nonce has more than " + std::to_string(limits::nonce_bytes_max) + " bytes"};
    }
    TRY(check_time("exp", invocation.expires_at));
    TRY(check_time("iat", invocation.issued_at));
    return check_meta(invocation);
}

Bytes signed_part(const Invocation& invocation) {
    return envelope::signed_part(tag, payload_of(invocation, Node{meta_of(invocation)}));
}

Result<SignedInvocation> sign(const Invocation& invocation, const PrivateKey& key) {
    assert(key.public_key() == invocation.issuer);
    TRY(check(invocation));
    Bytes document = envelope::seal(signed_part(invocation), key);
    if (document.size() > limits::invocation_bytes_max) {
        return Error{Errc::too_large,
                     "the job's document has " + std::to_string(document.size()) +
                         " bytes, of 65536 allowed: pass what is large by CID (--event, --input)"};
    }
    const Cid cid = cid_of(Codec::dag_cbor, document);
    return SignedInvocation{std::move(document), cid, invocation};
}

Result<SignedInvocation> read_invocation(ByteView document) {
    if (document.size() > limits::invocation_bytes_max) {
        return Error{Errc::too_large, "an invocation has at most 65536 bytes"};
    }
    const envelope::Opened opened = TRY(envelope::open(document, tag));
    Invocation invocation = TRY(read_payload(opened.payload()));
    TRY(check(invocation));
    // One job has one document: whatever has a second form here is refused, whichever it is.
    const Node* meta = opened.payload().find("meta");
    const Bytes again = envelope::signed_part(
        tag, payload_of(invocation, meta == nullptr ? std::nullopt : std::optional<Node>{*meta}));
    if (!std::ranges::equal(again, document.subspan(envelope::signed_part_at))) {
        return Error{Errc::malformed, "the invocation is not in its one canonical form"};
    }
    return SignedInvocation{
        copy_of(document), cid_of(Codec::dag_cbor, document), std::move(invocation)};
}

Result<void> verify_signature(const SignedInvocation& invocation) {
    return envelope::verify(invocation.document, invocation.invocation.issuer);
}

Result<void>
check_acceptance(const Invocation& invocation, const PublicKey& coordinator, UnixSeconds now) {
    if (invocation.audience != coordinator) {
        return Error{Errc::refused,
                     "the job is for the coordinator " + invocation.audience.to_did() +
                         ", this is " + coordinator.to_did() + ": submit it there or sign it anew"};
    }
    if (invocation.expires_at && now >= *invocation.expires_at) {
        return Error{Errc::expired,
                     "the job expired " + std::to_string(now.value - invocation.expires_at->value) +
                         " s ago: submit it again"};
    }
    return {};
}

JobIds ids_of(const SignedInvocation& invocation) {
    const Invocation& job = invocation.invocation;
    Map task;
    task.reserve(4);
    task.emplace_back("cmd", command_run_wasm);
    task.emplace_back("sub", job.issuer.to_did());
    task.emplace_back("args", args_of(job.spec));
    task.emplace_back("nonce", job.nonce);
    return {.job = invocation.cid,
            .task = cid_of(Codec::dag_cbor, dag_cbor::encode(Node{std::move(task)})),
            .computation = computation_of(job.spec)};
}

} // namespace ic::job
