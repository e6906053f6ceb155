#include "sim/dialect.h"

#include "ipld/dag_cbor.h"
#include "lease/fault.h"

#include <algorithm>
#include <string>
#include <utility>

namespace ic::sim {

using ipld::List;
using ipld::Map;
using ipld::Node;
using lease::Fault;
using lease::planted;

namespace {

/// The last number of an error in the first release: attempts_exhausted.
constexpr std::uint64_t first_errors_last = 45;
/// Numbers that no version has yet.
constexpr std::uint64_t next_kind = 90;
constexpr std::uint64_t next_error = 200;
/// What the next version's fields begin with.
constexpr std::string_view next_prefix = "next-";

/// A message taken apart.
struct Parts {
    std::uint64_t kind = 0;
    Map fields;
};

/// Nothing if it has not the form of a message.
std::optional<Parts> parts_of(ByteView bytes) {
    const Result<Node> node = dag_cbor::decode(bytes);
    const List* list = node ? node->as<List>() : nullptr;
    const auto* kind =
        list != nullptr && list->size() == 3 ? (*list)[1].as<std::uint64_t>() : nullptr;
    const Map* fields = kind != nullptr ? (*list)[2].as<Map>() : nullptr;
    if (fields == nullptr) {
        return std::nullopt;
    }
    return Parts{*kind, *fields};
}

Bytes bytes_of_parts(Parts parts) {
    List list;
    list.emplace_back(std::uint64_t{1});
    list.emplace_back(parts.kind);
    list.emplace_back(std::move(parts.fields));
    return dag_cbor::encode(Node{std::move(list)});
}

bool is_first(std::uint64_t kind, std::string_view field) {
    const auto& kinds = first_kinds();
    return kind > 0 && kind <= kinds.size() &&
           std::ranges::count(kinds[kind - 1].fields, field) > 0;
}

void leave_out_newer(Parts& parts) {
    std::erase_if(parts.fields,
                  [&parts](const auto& entry) { return !is_first(parts.kind, entry.first); });
}

/// [job, incarnation, n] without the incarnation, in whatever it stands.
Node without_incarnation(const Node& node) {
    const List* list = node.as<List>();
    if (list == nullptr) {
        return node;
    }
    List made = *list;
    if (made.size() == 3 && made[0].as<Cid>() != nullptr) {
        made[1] = Node{std::uint64_t{0}};
    } else {
        for (Node& each : made) {
            each = without_incarnation(each);
        }
    }
    return Node{std::move(made)};
}

void add_newer(Parts& parts, Random& random) {
    const std::string prefix(next_prefix);
    parts.fields.emplace_back(prefix + "n", Node{random.next() >> 1U});
    if (random.chance(0.5)) {
        Map inner;
        inner.emplace_back("worker", Node{"not the one you know"});
        inner.emplace_back("list", Node{List{Node{true}, Node{}, Node{Bytes{1, 2, 3}}}});
        parts.fields.emplace_back(prefix + "map", Node{std::move(inner)});
    }
    for (auto& [name, value] : parts.fields) {
        // Reasons for which it gives a job back, or does not want it, that nobody knew before.
        const bool is_reason = (parts.kind == 5 || parts.kind == 9) && name == "reason";
        if (is_reason && random.chance(0.2)) {
            value = Node{next_error};
        }
    }
}

/// Whether a number of an error is one that only later versions have.
bool has_error_beyond(const Parts& parts, std::uint64_t last) {
    return std::ranges::any_of(parts.fields, [last](const auto& entry) {
        const auto* number = entry.second.template as<std::uint64_t>();
        return (entry.first == "reason" || entry.first == "error") && number != nullptr &&
               *number > last;
    });
}

} // namespace

const std::vector<FirstKind>& first_kinds() {
    static const std::vector<FirstKind> kinds{
        {"advert", {"worker", "slots", "free", "software"}},
        {"announce", {"coord", "key", "job", "doc"}},
        {"bid", {"worker", "job", "nonce", "local", "needed"}},
        {"withdraw", {"worker", "nonce"}},
        {"decline", {"worker", "job", "reason", "text"}},
        {"grant", {"coord", "lease", "worker", "nonce", "ms", "doc"}},
        {"renew", {"worker", "seq", "leases"}},
        {"renew-answer", {"coord", "seq", "ms", "renewed", "lost"}},
        {"hand-back", {"worker", "lease", "reason", "text"}},
        {"stage-report", {"worker", "lease", "stage"}},
        {"receipt", {"worker", "lease", "doc"}},
        {"receipt-answer", {"coord", "lease", "fate"}},
        {"cancel", {"coord", "lease", "reason"}},
        {"open-jobs-query", {"from"}},
        {"submit", {"doc", "memo", "follow"}},
        {"accepted", {"job", "known"}},
        {"rejected", {"job", "reason", "text"}},
        {"watch", {"job"}},
        {"progress", {"job", "stage", "attempt", "worker", "text"}},
        {"output", {"lease", "stream", "offset", "data"}},
        {"outcome", {"job", "doc", "error", "text", "memo", "attempts"}},
        {"cancel-request", {"job"}},
    };
    return kinds;
}

Bytes spoken(const job::Message& message, Dialect dialect, Random& random) {
    Bytes bytes = job::encode(message);
    std::optional<Parts> parts =
        dialect == Dialect::current ? std::nullopt : parts_of(ByteView{bytes});
    if (!parts) {
        return bytes;
    }
    if (dialect == Dialect::next) {
        add_newer(*parts, random);
    } else {
        leave_out_newer(*parts);
        if (planted(Fault::epoch_dropped_by_older)) {
            for (auto& [name, value] : parts->fields) {
                value = without_incarnation(value);
            }
        }
    }
    return bytes_of_parts(std::move(*parts));
}

Bytes unheard_of(Random& random) {
    Parts parts{.kind = next_kind + random.next() % 10, .fields = {}};
    add_newer(parts, random);
    return bytes_of_parts(std::move(parts));
}

Result<job::Message> heard(ByteView bytes, Dialect dialect) {
    std::optional<Parts> parts = parts_of(bytes);
    if (!parts) {
        return job::decode(bytes);
    }
    if (dialect == Dialect::next) {
        for (auto& [name, value] : parts->fields) {
            if (name == "reason" && value == Node{next_error}) {
                value = Node{static_cast<std::uint64_t>(Errc::unavailable)};
            }
        }
        return job::decode(ByteView{bytes_of_parts(std::move(*parts))});
    }
    const bool is_newer = std::ranges::any_of(
        parts->fields, [](const auto& entry) { return entry.first.starts_with(next_prefix); });
    if (is_newer && planted(Fault::unknown_field_refused)) {
        return Error{Errc::unsupported, "a field is not known"};
    }
    if (dialect == Dialect::current) {
        return job::decode(bytes);
    }
    if (parts->kind > first_kinds().size() || has_error_beyond(*parts, first_errors_last)) {
        return Error{Errc::unsupported, "not known to the first release"};
    }
    leave_out_newer(*parts);
    return job::decode(ByteView{bytes_of_parts(std::move(*parts))});
}

} // namespace ic::sim
