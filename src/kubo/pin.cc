#include "kubo/pin.h"

#include "kubo/answer.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

namespace ic::kubo {
namespace {

/// Ours: for all pins there are; Kubo looks names up one after the other.
constexpr std::chrono::minutes list_time_max{10};

Result<Pin> pin_in(const nlohmann::json& object, std::string_view where) {
    Pin pin{.type = TRY(string_field(object, "Type", where)), .name = {}};
    if (object.contains("Name")) {
        pin.name = TRY(string_field(object, "Name", where));
    }
    return pin;
}

} // namespace

Result<void>
pin_add(Rpc& rpc, const Cid& cid, const std::string& name, const Reach& reach, Stop stop) {
    RpcCall call{.command = "pin/add",
                 .query = {{"arg", cid.to_string()}},
                 .repeat = Repeat::harmless,
                 .kubo_failed = Errc::cid_unavailable,
                 .stop = std::move(stop)};
    if (!name.empty()) {
        call.query.emplace_back("name", name);
    }
    set_reach(call, reach);
    const nlohmann::json object = TRY(call_object(rpc, call));
    const auto pins = TRY(strings_field(object, "Pins", rpc.where(call.command)));
    const bool is_named = std::ranges::any_of(pins, [&cid](const std::string& text) {
        const Result<Cid> pinned = Cid::parse(text);
        return pinned && *pinned == cid;
    });
    return is_named ? Result<void>() : no_kubo(rpc.where(call.command), "another pin");
}

Result<void> pin_remove(Rpc& rpc, const Cid& cid, Stop stop) {
    TRY(call_object(rpc,
                    {.command = "pin/rm",
                     .query = {{"arg", cid.to_string()}},
                     .kubo_failed = Errc::not_found,
                     .stop = std::move(stop)}));
    return {};
}

Result<std::optional<Pin>> pin_of(Rpc& rpc, const Cid& cid, Stop stop) {
    const RpcCall call{.command = "pin/ls",
                       .query = {{"arg", cid.to_string()}, {"names", "true"}},
                       .repeat = Repeat::harmless,
                       .kubo_failed = Errc::not_found,
                       .stop = std::move(stop)};
    const Result<nlohmann::json> object = call_object(rpc, call);
    if (!object) {
        const bool is_answer = object.error().code == Errc::not_found &&
                               object.error().message.find("is not pinned") != std::string::npos;
        return is_answer ? Result<std::optional<Pin>>(std::nullopt) : object.error();
    }
    const std::string where = rpc.where(call.command);
    const auto keys = object->find("Keys");
    if (keys == object->end() || !keys->is_object() || keys->size() != 1 ||
        !keys->begin()->is_object()) {
        return no_kubo(where, "not one pin");
    }
    return std::optional(TRY(pin_in(*keys->begin(), where)));
}

Result<void>
pin_each(Rpc& rpc, const std::function<Result<void>(const Cid&, const Pin&)>& take, Stop stop) {
    const std::unique_ptr<RpcAnswer> answer =
        TRY(rpc.begin({.command = "pin/ls",
                       .query = {{"type", "recursive"}, {"names", "true"}, {"stream", "true"}},
                       .repeat = Repeat::harmless,
                       .total_time_max = list_time_max,
                       .answer_bytes_max = std::numeric_limits<std::uint64_t>::max(),
                       .stop = std::move(stop)}));
    while (const std::optional<nlohmann::json> object = TRY(next_object(*answer))) {
        TRY(take(TRY(cid_field(*object, "Cid", answer->where())),
                 TRY(pin_in(*object, answer->where()))));
    }
    return {};
}

} // namespace ic::kubo
