#include "job/message.h"

#include "ipld/dag_cbor.h"
#include "job/fields.h"
#include "job/message_fields.h"
#include "job/text.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <type_traits>
#include <utility>

namespace ic::job {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

constexpr std::uint64_t major_version = 1;

using namespace wire;

// ---- Writing

Node node_of(bool value) { return value; }
Node node_of(std::uint64_t value) { return value; }
Node node_of(std::uint32_t value) { return std::uint64_t{value}; }
Node node_of(std::uint8_t stage) { return std::uint64_t{stage}; }
Node node_of(Errc value) { return static_cast<std::uint64_t>(value); }
Node node_of(ReceiptFate value) { return static_cast<std::uint64_t>(value); }
Node node_of(Stream value) { return static_cast<std::uint64_t>(value); }
Node node_of(Route value) { return static_cast<std::uint64_t>(value); }
Node node_of(const Cid& value) { return value; }
Node node_of(const PublicKey& value) { return copy_of(value.bytes); }
Node node_of(const Instance& value) { return copy_of(value.bytes); }
Node node_of(const Nonce& value) { return copy_of(value.bytes); }

Node node_of(const WorkerRef& value) { return List{node_of(value.key), node_of(value.instance)}; }

Node node_of(const LeaseRef& value) {
    return List{value.job, value.epoch.incarnation, value.epoch.n};
}

Node node_of(const std::string& value) { return fit_text(value, limits::text_bytes_max); }

Node node_of(std::chrono::milliseconds value) {
    assert(value.count() >= 0);
    return static_cast<std::uint64_t>(value.count());
}

Node node_of(const std::vector<LeaseRef>& leases) {
    List list;
    list.reserve(leases.size());
    for (const LeaseRef& lease : leases) {
        list.push_back(node_of(lease));
    }
    return list;
}

struct Writer {
    Map& map;

    template <class T>
    void operator()(std::string_view key, const T& value) {
        map.emplace_back(key, node_of(value));
    }

    template <class T>
    void operator()(std::string_view key, const std::optional<T>& value) {
        if (value) {
            (*this)(key, *value);
        }
    }

    /// Left out where there are none, as before there were any.
    void operator()(std::string_view key, const std::vector<Constraint>& constraints) {
        if (!constraints.empty()) {
            List list;
            for (const Constraint& constraint : constraints) {
                list.emplace_back(to_string(constraint));
            }
            map.emplace_back(key, std::move(list));
        }
    }

    /// Likewise.
    void operator()(std::string_view key, const Texts<const std::vector<std::string>>& texts) {
        assert(texts.list.size() <= texts.count_max);
        if (!texts.list.empty()) {
            map.emplace_back(key, List(texts.list.begin(), texts.list.end()));
        }
    }

    void operator()(std::string_view key, const std::vector<KnownWorker>& workers) {
        List list;
        list.reserve(workers.size());
        for (const KnownWorker& worker : workers) {
            Map entries;
            Writer writer{entries};
            fields(writer, worker, As<KnownWorker>{});
            list.emplace_back(std::move(entries));
        }
        map.emplace_back(key, std::move(list));
    }

    /// Likewise.
    void operator()(std::string_view key, const WorkerLabels& labels) {
        if (!labels.empty()) {
            map.emplace_back(key, Map(labels.begin(), labels.end()));
        }
    }

    void operator()(std::string_view key, const Limited<const Bytes>& value) {
        assert(value.bytes.size() <= value.most);
        map.emplace_back(key, value.bytes);
    }

    void operator()(std::string_view key, const Limited<const std::optional<Bytes>>& value) {
        if (value.bytes) {
            (*this)(key, Limited<const Bytes>{*value.bytes, value.most});
        }
    }
};

// ---- Reading

/// Whether `node` held a value of the type, which is then in `value`.
bool read(const Node& node, std::uint64_t& value) {
    const auto* number = node.as<std::uint64_t>();
    value = number == nullptr ? 0 : *number;
    return number != nullptr;
}

bool read(const Node& node, std::uint32_t& value) {
    std::uint64_t wide = 0;
    const bool fits = read(node, wide) && wide <= UINT32_MAX;
    value = static_cast<std::uint32_t>(wide);
    return fits;
}

template <class T>
    requires std::is_same_v<T, bool> || std::is_same_v<T, Cid>
bool read(const Node& node, T& value) {
    const auto* found = node.as<T>();
    if (found != nullptr) {
        value = *found;
    }
    return found != nullptr;
}

/// PublicKey, Instance, Nonce.
template <class T>
    requires requires(T value) { value.bytes.fill(0); }
bool read(const Node& node, T& value) {
    const auto* bytes = node.as<Bytes>();
    if (bytes == nullptr || bytes->size() != value.bytes.size()) {
        return false;
    }
    std::ranges::copy(*bytes, value.bytes.begin());
    return true;
}

bool read(const Node& node, WorkerRef& value) {
    const auto* list = node.as<List>();
    return list != nullptr && list->size() == 2 && read((*list)[0], value.key) &&
           read((*list)[1], value.instance);
}

bool read(const Node& node, LeaseRef& value) {
    const auto* list = node.as<List>();
    return list != nullptr && list->size() == 3 && read((*list)[0], value.job) &&
           read((*list)[1], value.epoch.incarnation) && read((*list)[2], value.epoch.n);
}

bool read(const Node& node, std::chrono::milliseconds& value) {
    std::uint64_t count = 0;
    const bool fits = read(node, count) && count <= limits::duration_ms_max;
    value = std::chrono::milliseconds{fits ? static_cast<std::int64_t>(count) : 0};
    return fits;
}

/// The largest number of a registry that this version knows.
template <class T>
constexpr std::uint64_t last_of = 0;
template <>
constexpr std::uint64_t last_of<Errc> = static_cast<std::uint64_t>(Errc::limit_curls);
template <>
constexpr std::uint64_t last_of<ReceiptFate> = static_cast<std::uint64_t>(ReceiptFate::refused);
template <>
constexpr std::uint64_t last_of<Stream> = static_cast<std::uint64_t>(Stream::log);
template <>
constexpr std::uint64_t last_of<Route> = static_cast<std::uint64_t>(Route::topic);
template <>
constexpr std::uint64_t last_of<std::uint8_t> = static_cast<std::uint64_t>(Stage::finished);

/// Errc, ReceiptFate, Stream, Route, and a stage's number.
template <class T>
concept Registered = (last_of<T>) != 0;

/// Reads fields until the first that is wrong; then does nothing more.
struct Reader {
    Fields& map;
    Result<void> state;

    template <class T>
    void operator()(std::string_view key, T& value) {
        if (const Node* node = next(key, true)) {
            take(key, *node, value);
        }
    }

    template <class T>
    void operator()(std::string_view key, std::optional<T>& value) {
        if (const Node* node = next(key, false)) {
            take(key, *node, value.emplace());
        }
    }

    /// What is absent is empty.
    template <class T>
        requires std::is_same_v<T, std::vector<Constraint>> || std::is_same_v<T, WorkerLabels>
    void operator()(std::string_view key, T& value) {
        if (const Node* node = next(key, false)) {
            take(key, *node, value);
        }
    }

    void operator()(std::string_view key, const Texts<std::vector<std::string>>& value) {
        if (const Node* node = next(key, false)) {
            take(key, *node, value);
        }
    }

    void operator()(std::string_view key, const Limited<Bytes>& value) {
        if (const Node* node = next(key, true)) {
            take(key, *node, value);
        }
    }

    void operator()(std::string_view key, const Limited<std::optional<Bytes>>& value) {
        if (const Node* node = next(key, false)) {
            take(key, *node, Limited<Bytes>{value.bytes.emplace(), value.most});
        }
    }

private:
    const Node* next(std::string_view key, bool required) {
        if (!state.ok()) {
            return nullptr;
        }
        const Node* node = map.any(key);
        if (node == nullptr && required) {
            state = map.missing(key);
        }
        return node;
    }

    template <class T>
    void take(std::string_view key, const Node& node, T& value) {
        if (!read(node, value)) {
            state = map.wrong_type(key);
        }
    }

    template <Registered T>
    void take(std::string_view key, const Node& node, T& value) {
        std::uint64_t number = 0;
        if (!read(node, number)) {
            state = map.wrong_type(key);
        } else if (number == 0 || number > last_of<T>) {
            state = Error{Errc::unsupported,
                          std::string(key) + " " + std::to_string(number) +
                              " is not known to this version"};
        } else {
            value = static_cast<T>(number);
        }
    }

    void take(std::string_view key, const Node& node, std::string& value) {
        const auto* text = node.as<std::string>();
        if (text == nullptr) {
            state = map.wrong_type(key);
        } else if (text->size() > limits::text_bytes_max) {
            state = map.too_large(key, limits::text_bytes_max);
        } else {
            value = *text;
        }
    }

    void take(std::string_view key, const Node& node, Limited<Bytes> value) {
        const auto* bytes = node.as<Bytes>();
        if (bytes == nullptr) {
            state = map.wrong_type(key);
        } else if (bytes->size() > value.most) {
            state = map.too_large(key, value.most);
        } else {
            value.bytes = *bytes;
        }
    }

    void take(std::string_view key, const Node& node, std::vector<Constraint>& constraints) {
        const auto* list = node.as<List>();
        if (list == nullptr) {
            state = map.wrong_type(key);
            return;
        }
        if (list->size() > limits::constraints_max) {
            state = map.too_large(key, limits::constraints_max);
            return;
        }
        for (const Node& each : *list) {
            const auto* text = each.as<std::string>();
            Result<Constraint> read =
                text == nullptr ? Result<Constraint>(map.wrong_type(key)) : parse_constraint(*text);
            if (!read || to_string(*read) != *text) { // There is one way to write it.
                state = read ? map.wrong_type(key) : std::move(read).take_error().during(key);
                return;
            }
            constraints.push_back(std::move(read).take());
        }
    }

    void
    take(std::string_view key, const Node& node, const Texts<std::vector<std::string>>& texts) {
        const auto* list = node.as<List>();
        if (list == nullptr) {
            state = map.wrong_type(key);
            return;
        }
        if (list->size() > texts.count_max) {
            state = map.too_large(key, texts.count_max);
            return;
        }
        for (const Node& each : *list) {
            const auto* text = each.as<std::string>();
            if (text == nullptr || text->size() > texts.bytes_max) {
                state = text == nullptr ? map.wrong_type(key) : map.too_large(key, texts.bytes_max);
                return;
            }
            texts.list.push_back(*text);
        }
    }

    void take(std::string_view key, const Node& node, std::vector<KnownWorker>& workers) {
        const auto* list = node.as<List>();
        if (list == nullptr || list->size() > limits::known_workers_per_message_max) {
            state = list == nullptr ? map.wrong_type(key)
                                    : map.too_large(key, limits::known_workers_per_message_max);
            return;
        }
        for (const Node& each : *list) {
            Result<Fields> entry = Fields::of(each, "workers.");
            if (!entry) {
                state = std::move(entry).take_error();
                return;
            }
            Fields worker = std::move(entry).take();
            Reader reader{worker, {}};
            fields(reader, workers.emplace_back(), As<KnownWorker>{});
            if (!reader.state.ok()) {
                state = std::move(reader.state).take_error();
                return;
            }
        }
    }

    void take(std::string_view key, const Node& node, WorkerLabels& labels) {
        const auto* pairs = node.as<Map>();
        if (pairs == nullptr) {
            state = map.wrong_type(key);
            return;
        }
        if (pairs->size() > limits::worker_labels_max) {
            state = map.too_large(key, limits::worker_labels_max);
            return;
        }
        for (const auto& [name, value] : *pairs) {
            const auto* text = value.as<std::string>();
            if (text == nullptr) {
                state = map.wrong_type(key);
                return;
            }
            labels.emplace_back(name, *text);
        }
        std::ranges::sort(labels); // By length first in the message.
        if (Result<void> fine = check_worker_labels(labels); !fine) {
            state = std::move(fine).take_error().during(key);
        }
    }

    void take(std::string_view key, const Node& node, std::vector<LeaseRef>& leases) {
        const auto* list = node.as<List>();
        if (list == nullptr) {
            state = map.wrong_type(key);
        } else if (list->size() > limits::leases_per_message_max) {
            state = map.too_large(key, limits::leases_per_message_max);
        } else {
            leases.resize(list->size());
            for (std::size_t index = 0; index < list->size() && state.ok(); ++index) {
                take(key, (*list)[index], leases[index]);
            }
        }
    }
};

template <class T>
Result<Message> read_as(Fields& map) {
    T message{};
    Reader reader{map, {}};
    fields(reader, message, As<T>{});
    if (!reader.state.ok()) {
        return std::move(reader.state).take_error();
    }
    if constexpr (std::is_same_v<T, RenewAnswer>) {
        if (message.renewed.size() + message.lost.size() > limits::leases_per_message_max) {
            return map.too_large("renewed and lost", limits::leases_per_message_max);
        }
    }
    return Message{std::move(message)};
}

template <std::size_t... index>
Result<Message> read_kind(std::uint64_t kind, Fields& map, std::index_sequence<index...>) {
    using Read = Result<Message> (*)(Fields&);
    static constexpr std::array<Read, sizeof...(index)> readers{
        &read_as<std::variant_alternative_t<index, Message>>...};
    if (kind == 0 || kind > readers.size()) {
        return Error{Errc::unsupported,
                     "message kind " + std::to_string(kind) + " is not known to this version"};
    }
    Result<Message> message = readers[kind - 1](map);
    if (!message) {
        return std::move(message).take_error().during(kind_names[kind - 1]);
    }
    return message;
}

/// What else the limits ask of a sender.
void check_lists(const Message& message) {
    if (const auto* renew = std::get_if<Renew>(&message)) {
        assert(renew->leases.size() <= limits::leases_per_message_max);
    }
    if (const auto* known = std::get_if<KnownWorkers>(&message)) {
        assert(known->workers.size() <= limits::known_workers_per_message_max);
    }
    if (const auto* answer = std::get_if<RenewAnswer>(&message)) {
        assert(answer->renewed.size() + answer->lost.size() <= limits::leases_per_message_max);
    }
}

} // namespace

std::string_view name(Stage stage) {
    static constexpr std::array<std::string_view, 8> names{"accepted",
                                                           "queued",
                                                           "granted",
                                                           "fetching",
                                                           "compiling",
                                                           "running",
                                                           "publishing",
                                                           "finished"};
    return names[static_cast<std::size_t>(stage) - 1];
}

std::string_view name(Route route) {
    switch (route) {
    case Route::local:
        return "local";
    case Route::link:
        return "link";
    case Route::topic:
        return "topic";
    }
    return "unknown";
}

std::string_view name(const Message& message) { return kind_names[message.index()]; }

Bytes encode(const Message& message) {
    check_lists(message);
    Map map;
    map.reserve(6);
    std::visit(
        [&map](const auto& value) {
            Writer writer{map};
            fields(writer, value, As<std::remove_cvref_t<decltype(value)>>{});
        },
        message);
    List list;
    list.reserve(3);
    list.emplace_back(major_version);
    list.emplace_back(std::uint64_t{message.index() + 1});
    list.emplace_back(std::move(map));
    Bytes bytes = dag_cbor::encode(Node{std::move(list)});
    assert(bytes.size() <= limits::message_bytes_max);
    return bytes;
}

Result<Message> decode(ByteView bytes) {
    if (bytes.size() > limits::message_bytes_max) {
        return Error{Errc::too_large, "a message has at most 131072 bytes"};
    }
    const Node node = TRY(dag_cbor::decode(bytes));
    const auto* list = node.as<List>();
    const auto* major =
        list == nullptr || list->empty() ? nullptr : list->front().as<std::uint64_t>();
    if (major == nullptr) {
        return Error{Errc::malformed, "a message is [version, kind, fields]"};
    }
    if (*major != major_version) {
        return Error{Errc::unsupported,
                     "message version " + std::to_string(*major) + "; this program speaks " +
                         std::to_string(major_version)};
    }
    const auto* kind = list->size() == 3 ? (*list)[1].as<std::uint64_t>() : nullptr;
    if (kind == nullptr) {
        return Error{Errc::malformed, "a message is [version, kind, fields]"};
    }
    Fields map = TRY(Fields::of((*list)[2], ""));
    return read_kind(*kind, map, std::make_index_sequence<std::variant_size_v<Message>>{});
}

} // namespace ic::job
