#include "kubo/routing.h"

#include "base/text.h"
#include "kubo/answer.h"
#include "kubo/pubsub_line.h"
#include "kubo/reach.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace ic::kubo {
namespace {

using nlohmann::json;

/// Kinds of events that matter here. Source: go-libp2p, core/routing/query.go.
enum class Event : std::uint64_t { final_peer = 2, query_error = 3, provider = 4 };

/// An answer of many events; a Kubo that finds nobody says a lot.
constexpr std::uint64_t events_bytes_max = 64U << 20U;

RpcCall search_call(std::string_view command, std::string what, std::chrono::milliseconds time) {
    RpcCall call{.command = command,
                 .query = {{"arg", std::move(what)}},
                 .repeat = Repeat::harmless,
                 .answer_bytes_max = events_bytes_max};
    set_reach(call, Reach::network(time));
    return call;
}

Result<bool> is_event(const json& object, Event event, std::string_view where) {
    return TRY(number_field(object, "Type", where)) == static_cast<std::uint64_t>(event);
}

/// The peers that an event names.
Result<std::vector<PeerAddresses>> peers_of(const json& event, std::string_view where) {
    std::vector<PeerAddresses> peers;
    const auto responses = event.find("Responses");
    if (responses == event.end() || responses->is_null()) {
        return peers;
    }
    if (!responses->is_array()) {
        return no_kubo(where, "'Responses' is no list");
    }
    for (const json& entry : *responses) {
        if (!entry.is_object()) {
            return no_kubo(where, "a peer is no object");
        }
        PeerAddresses peer{.peer_id = TRY(string_field(entry, "ID", where)),
                           .addresses = TRY(strings_field(entry, "Addrs", where))};
        if (!is_peer_id(peer.peer_id)) {
            return no_kubo(where, "'ID' is no peer ID");
        }
        peers.push_back(std::move(peer));
    }
    return peers;
}

/// Why Kubo itself gave up, in an event of no peer's.
std::optional<std::string> failure_of(const json& event) {
    const auto id = event.find("ID");
    const bool is_peers = id != event.end() && id->is_string() && !id->get<std::string>().empty();
    const auto extra = event.find("Extra");
    return is_peers || extra == event.end() || !extra->is_string()
               ? std::nullopt
               : std::optional(printable(extra->get<std::string>()));
}

} // namespace

Result<void>
routing_provide(Rpc& rpc, const Cid& cid, std::chrono::milliseconds time_max, Stop stop) {
    RpcCall call = search_call("routing/provide", cid.to_string(), time_max);
    call.stop = std::move(stop);
    const std::unique_ptr<RpcAnswer> answer = TRY(rpc.begin(call));
    while (const std::optional<json> event = TRY(next_object(*answer))) {
        if (TRY(is_event(*event, Event::query_error, answer->where()))) {
            if (const std::optional<std::string> failure = failure_of(*event)) {
                return Error{Errc::unavailable, answer->where() + ": " + *failure};
            }
        }
    }
    return {};
}

Result<std::vector<PeerAddresses>>
routing_find_providers(Rpc& rpc, const Cid& cid, const ProviderSearch& search, Stop stop) {
    RpcCall call = search_call("routing/findprovs", cid.to_string(), search.time_max);
    call.query.emplace_back("num-providers", std::to_string(search.providers_max));
    call.stop = std::move(stop);
    const std::unique_ptr<RpcAnswer> answer = TRY(rpc.begin(call));
    std::vector<PeerAddresses> found;
    while (found.size() < search.providers_max) {
        Result<std::optional<json>> event = next_object(*answer);
        if (!event && answer->is_kubos_own_failure()) {
            return found; // Its time is over.
        }
        const std::optional<json> object = TRY(std::move(event));
        if (!object) {
            return found;
        }
        if (!TRY(is_event(*object, Event::provider, answer->where()))) {
            continue;
        }
        for (PeerAddresses& peer : TRY(peers_of(*object, answer->where()))) {
            const bool is_known = std::ranges::any_of(found, [&peer](const PeerAddresses& other) {
                return other.peer_id == peer.peer_id;
            });
            if (!is_known) {
                found.push_back(std::move(peer));
            }
        }
    }
    return found;
}

Result<PeerAddresses> routing_find_peer(Rpc& rpc,
                                        const std::string& peer_id,
                                        std::chrono::milliseconds time_max,
                                        Stop stop) {
    RpcCall call = search_call("routing/findpeer", peer_id, time_max);
    call.kubo_failed = Errc::not_found;
    call.stop = std::move(stop);
    const std::unique_ptr<RpcAnswer> answer = TRY(rpc.begin(call));
    while (const std::optional<json> event = TRY(next_object(*answer))) {
        if (!TRY(is_event(*event, Event::final_peer, answer->where()))) {
            continue;
        }
        for (PeerAddresses& peer : TRY(peers_of(*event, answer->where()))) {
            if (peer.peer_id == peer_id) {
                return std::move(peer);
            }
        }
    }
    return Error{Errc::not_found, answer->where() + ": no address of " + printable(peer_id)};
}

} // namespace ic::kubo
