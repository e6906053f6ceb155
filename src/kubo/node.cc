#include "kubo/node.h"

#include "base/text.h"
#include "kubo/answer.h"
#include "kubo/pubsub_line.h"
#include "kubo/reach.h"

#include <optional>
#include <utility>

namespace ic::kubo {
namespace {

using nlohmann::json;

/// Source: Kubo 0.43, repo/common: MapGetKV.
bool is_not_set(const Error& error) {
    return error.code == Errc::unavailable &&
           error.message.find("failed to get config value") != std::string::npos &&
           error.message.find("not found") != std::string::npos;
}

/// Null for one that is not set.
Result<json> config_value(Rpc& rpc, const char* key, Stop stop = {}) {
    const RpcCall call{.command = "config",
                       .query = {{"arg", key}},
                       .repeat = Repeat::harmless,
                       .stop = std::move(stop)};
    const Result<json> object = call_object(rpc, call);
    if (!object) {
        return is_not_set(object.error()) ? Result<json>(json()) : object.error();
    }
    const auto value = object->find("Value");
    return value == object->end() ? json() : *value;
}

bool is_true(const json& value) { return value.is_boolean() && value.get<bool>(); }

} // namespace

Result<NodeId> id(Rpc& rpc, Stop stop) {
    const RpcCall call{.command = "id", .repeat = Repeat::harmless, .stop = std::move(stop)};
    const json object = TRY(call_object(rpc, call));
    const std::string where = rpc.where(call.command);
    NodeId node;
    node.peer_id = TRY(string_field(object, "ID", where));
    if (!is_peer_id(node.peer_id)) {
        return no_kubo(where, "'ID' is no peer ID");
    }
    node.addresses = TRY(strings_field(object, "Addresses", where));
    if (object.contains("AgentVersion") && object["AgentVersion"].is_string()) {
        node.agent_version = printable(object["AgentVersion"].get<std::string>());
    }
    return node;
}

Result<std::string> version(Rpc& rpc) {
    const RpcCall call{.command = "version", .repeat = Repeat::harmless};
    const json object = TRY(call_object(rpc, call));
    return printable(TRY(string_field(object, "Version", rpc.where(call.command))));
}

Result<std::vector<std::string>> gateway_addresses(Rpc& rpc, Stop stop) {
    const json gateway = TRY(config_value(rpc, "Addresses.Gateway", std::move(stop)));
    if (gateway.is_string()) {
        return std::vector<std::string>{gateway.get<std::string>()};
    }
    const json object{{"Addresses.Gateway", gateway}};
    return strings_field(object, "Addresses.Gateway", rpc.where("config"));
}

Result<NodeConfig> node_config(Rpc& rpc) {
    NodeConfig config{.gateways = TRY(gateway_addresses(rpc))};
    config.has_pubsub = is_true(TRY(config_value(rpc, "Pubsub.Enabled")));
    config.has_streams = is_true(TRY(config_value(rpc, "Experimental.Libp2pStreamMounting")));
    return config;
}

Result<void> swarm_connect(Rpc& rpc,
                           std::span<const std::string> addresses,
                           std::chrono::milliseconds time_max,
                           Stop stop) {
    RpcCall call{.command = "swarm/connect", .stop = std::move(stop)};
    for (const std::string& address : addresses) {
        call.query.emplace_back("arg", address);
    }
    set_reach(call, Reach::network(time_max));
    TRY(call_object(rpc, call)); // Failures are errors since 0.5; the words of success say nothing.
    return {};
}

Result<std::vector<ConnectedPeer>> swarm_peers(Rpc& rpc) {
    const RpcCall call{.command = "swarm/peers", .repeat = Repeat::harmless};
    const json object = TRY(call_object(rpc, call));
    const std::string where = rpc.where(call.command);
    std::vector<ConnectedPeer> peers;
    const auto list = object.find("Peers");
    if (list == object.end() || list->is_null()) {
        return peers;
    }
    if (!list->is_array()) {
        return no_kubo(where, "'Peers' is no list");
    }
    for (const json& entry : *list) {
        if (!entry.is_object()) {
            return no_kubo(where, "a peer is no object");
        }
        peers.push_back({.peer_id = TRY(string_field(entry, "Peer", where)),
                         .address = TRY(string_field(entry, "Addr", where))});
    }
    return peers;
}

} // namespace ic::kubo
