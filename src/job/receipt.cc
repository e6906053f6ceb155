#include "job/receipt.h"

#include "job/envelope.h"
#include "job/fields.h"
#include "job/provider.h"
#include "job/spec.h"
#include "job/text.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace ic::job {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

constexpr std::string_view tag = "ipfs-compute/receipt@1";

struct UsageRow {
    std::string_view key;
    std::uint64_t Usage::* member;
};

constexpr std::array<UsageRow, 10> usage_rows{{
    {"fuel", &Usage::fuel},
    {"cpu_us", &Usage::cpu_us},
    {"run_us", &Usage::run_us},
    {"fetch_us", &Usage::fetch_us},
    {"bytes_read", &Usage::bytes_read},
    {"compile_us", &Usage::compile_us},
    {"host_calls", &Usage::host_calls},
    {"publish_us", &Usage::publish_us},
    {"bytes_added", &Usage::bytes_added},
    {"memory_bytes_peak", &Usage::memory_bytes_peak},
}};

struct CidRow {
    std::string_view key;
    std::optional<Cid> Receipt::* member;
};

constexpr std::array<CidRow, 3> cid_rows{{
    {"log", &Receipt::log},
    {"errors", &Receipt::errors},
    {"output", &Receipt::output},
}};

Map ending_of(const Ending& ending) {
    Map map;
    map.emplace_back("exit", std::int64_t{ending.exit_status});
    if (ending.error) {
        map.emplace_back("error", static_cast<std::uint64_t>(*ending.error));
    }
    if (ending.value) {
        map.emplace_back("value", *ending.value);
    }
    map.emplace_back("message", fit_text(ending.message, limits::ending_message_bytes_max));
    return map;
}

Map payload_of(const Receipt& receipt) {
    Map usage;
    usage.reserve(usage_rows.size());
    for (const UsageRow& row : usage_rows) {
        usage.emplace_back(row.key, receipt.usage.*row.member);
    }
    Map payload;
    payload.reserve(16);
    payload.emplace_back("iss", receipt.worker.to_did());
    payload.emplace_back("job", receipt.job);
    payload.emplace_back("task", receipt.task);
    payload.emplace_back("epoch", List{receipt.epoch.incarnation, receipt.epoch.n});
    payload.emplace_back("usage", std::move(usage));
    payload.emplace_back("ending", ending_of(receipt.ending));
    for (const CidRow& row : cid_rows) {
        if (receipt.*row.member) {
            payload.emplace_back(row.key, *(receipt.*row.member));
        }
    }
    payload.emplace_back("finished", receipt.finished_at.value);
    payload.emplace_back("instance", copy_of(receipt.instance.bytes));
    payload.emplace_back("software", fit_text(receipt.software, limits::software_bytes_max));
    if (!receipt.providers.empty()) {
        payload.emplace_back("providers", List(receipt.providers.begin(), receipt.providers.end()));
    }
    if (receipt.kept_until) {
        payload.emplace_back("kept_until", receipt.kept_until->value);
    }
    payload.emplace_back("computation", receipt.computation);
    return payload;
}

/// Either kind of integer, if it is at least `least` and at most `most`.
std::optional<std::int64_t> integer_of(const Node& node, std::int64_t least, std::int64_t most) {
    std::int64_t value = 0;
    if (const auto* positive = node.as<std::uint64_t>()) {
        if (*positive > static_cast<std::uint64_t>(most)) {
            return std::nullopt;
        }
        value = static_cast<std::int64_t>(*positive);
    } else if (const auto* negative = node.as<std::int64_t>()) {
        value = *negative;
    } else {
        return std::nullopt;
    }
    return value < least ? std::nullopt : std::optional{value};
}

/// A value and whether the map held fields that this version does not know.
template <class T>
struct Read {
    T value;
    bool all_known = true;
};

Result<Read<Ending>> read_ending(const Node& node) {
    Fields fields = TRY(Fields::of(node, "ending."));
    Ending ending;
    const Node* exit = fields.any("exit");
    const auto status = exit == nullptr ? std::nullopt : integer_of(*exit, INT32_MIN, INT32_MAX);
    if (!status) {
        return Error{Errc::malformed, "ending.exit is no 32-bit integer"};
    }
    ending.exit_status = static_cast<std::int32_t>(*status);
    if (const auto* number = TRY(fields.maybe<std::uint64_t>("error"))) {
        ending.error = errc_of(*number);
        if (!ending.error) {
            return Error{Errc::unsupported,
                         "ending.error " + std::to_string(*number) +
                             " is not known to this version"};
        }
    }
    if (const Node* value = fields.any("value")) {
        ending.value = integer_of(*value, INT64_MIN, INT64_MAX);
        if (!ending.value) {
            return Error{Errc::malformed, "ending.value is no 64-bit integer"};
        }
    }
    ending.message = TRY(fields.text("message", limits::ending_message_bytes_max));
    return Read<Ending>{std::move(ending), fields.all_known()};
}

Result<Read<Usage>> read_usage(const Node& node) {
    Fields fields = TRY(Fields::of(node, "usage."));
    Usage usage;
    for (const UsageRow& row : usage_rows) {
        usage.*row.member = TRY(fields.number(row.key, UINT64_MAX));
    }
    return Read<Usage>{usage, fields.all_known()};
}

Result<const Node*> need_any(Fields& payload, std::string_view key) {
    const Node* node = payload.any(key);
    if (node == nullptr) {
        return payload.missing(key);
    }
    return node;
}

Result<UnixSeconds> read_time(Fields& payload, std::string_view key) {
    return UnixSeconds{static_cast<std::int64_t>(TRY(payload.number(key, limits::integer_max)))};
}

Result<void> read_names(Fields& payload, Receipt& receipt) {
    Result<PublicKey> worker =
        PublicKey::parse_did(TRY(payload.text("iss", limits::text_bytes_max)));
    if (!worker) {
        return std::move(worker).take_error().during("iss");
    }
    receipt.worker = *worker;
    const Bytes& instance = *TRY(payload.need<Bytes>("instance"));
    if (instance.size() != receipt.instance.bytes.size()) {
        return Error{Errc::malformed, "instance has not 16 bytes"};
    }
    std::ranges::copy(instance, receipt.instance.bytes.begin());
    receipt.job = *TRY(payload.need<Cid>("job"));
    receipt.task = *TRY(payload.need<Cid>("task"));
    receipt.computation = *TRY(payload.need<Cid>("computation"));
    const List& epoch = *TRY(payload.need<List>("epoch"));
    const auto* incarnation = epoch.size() == 2 ? epoch[0].as<std::uint64_t>() : nullptr;
    const auto* n = epoch.size() == 2 ? epoch[1].as<std::uint64_t>() : nullptr;
    if (incarnation == nullptr || n == nullptr) {
        return Error{Errc::malformed, "epoch is not [incarnation, n]"};
    }
    receipt.epoch = {*incarnation, *n};
    return {};
}

Result<Read<Receipt>> read_payload(const Node& node) {
    Fields payload = TRY(Fields::of(node, ""));
    Receipt receipt;
    TRY(read_names(payload, receipt));
    Read<Ending> ending = TRY(read_ending(*TRY(need_any(payload, "ending"))));
    receipt.ending = std::move(ending.value);
    const Read<Usage> usage = TRY(read_usage(*TRY(need_any(payload, "usage"))));
    receipt.usage = usage.value;
    for (const CidRow& row : cid_rows) {
        if (const Cid* cid = TRY(payload.maybe<Cid>(row.key))) {
            receipt.*row.member = *cid;
        }
    }
    receipt.software = TRY(payload.text("software", limits::software_bytes_max));
    receipt.finished_at = TRY(read_time(payload, "finished"));
    if (payload.any("kept_until") != nullptr) {
        receipt.kept_until = TRY(read_time(payload, "kept_until"));
    }
    if (const auto* providers = TRY(payload.maybe<List>("providers"))) {
        receipt.providers = TRY(provider_texts(*providers));
    }
    return Read<Receipt>{std::move(receipt),
                         payload.all_known() && ending.all_known && usage.all_known};
}

} // namespace

Bytes signed_part(const Receipt& receipt) {
    return envelope::signed_part(tag, payload_of(receipt));
}

Result<SignedReceipt> sign(const Receipt& receipt, const PrivateKey& key) {
    assert(key.public_key() == receipt.worker);
    assert(receipt.finished_at.value >= 0);
    assert(!receipt.kept_until || receipt.kept_until->value >= 0);
    TRY(check_providers(receipt.providers));
    Bytes document = envelope::seal(signed_part(receipt), key);
    if (document.size() > limits::receipt_bytes_max) {
        return Error{Errc::too_large, "the receipt has more than 16384 bytes"};
    }
    const Cid cid = cid_of(Codec::dag_cbor, document);
    SignedReceipt made{std::move(document), cid, receipt};
    made.receipt.ending.message =
        fit_text(receipt.ending.message, limits::ending_message_bytes_max);
    made.receipt.software = fit_text(receipt.software, limits::software_bytes_max);
    return made;
}

Result<SignedReceipt> read_receipt(ByteView document) {
    if (document.size() > limits::receipt_bytes_max) {
        return Error{Errc::too_large, "a receipt has at most 16384 bytes"};
    }
    const envelope::Opened opened = TRY(envelope::open(document, tag));
    Read<Receipt> read = TRY(read_payload(opened.payload()));
    if (read.all_known &&
        !std::ranges::equal(signed_part(read.value), document.subspan(envelope::signed_part_at))) {
        return Error{Errc::malformed, "the receipt is not in its one canonical form"};
    }
    return SignedReceipt{
        copy_of(document), cid_of(Codec::dag_cbor, document), std::move(read.value)};
}

Result<void> verify_signature(const SignedReceipt& receipt) {
    return envelope::verify(receipt.document, receipt.receipt.worker);
}

bool is_memoizable(const Ending& ending) {
    if (!ending.error) {
        return true; // The exit status is the guest's own, and the same each time.
    }
    switch (*ending.error) {
    case Errc::trap_unreachable:
    case Errc::trap_memory:
    case Errc::trap_table:
    case Errc::trap_call:
    case Errc::trap_arithmetic:
        return true;
    default:
        return false; // The stack, time, memory and the network are this node's.
    }
}

} // namespace ic::job
