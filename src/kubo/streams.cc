#include "kubo/streams.h"

#include "kubo/answer.h"

#include <charconv>

namespace ic::kubo {

Result<void> streams_listen(Rpc& rpc, const std::string& protocol, const std::string& target) {
    TRY(rpc.call({.command = "p2p/listen", .query = {{"arg", protocol}, {"arg", target}}}));
    return {};
}

Result<void> streams_forward(Rpc& rpc, const StreamTunnel& tunnel) {
    TRY(rpc.call(
        {.command = "p2p/forward",
         .query = {{"arg", tunnel.protocol}, {"arg", tunnel.listen}, {"arg", tunnel.target}}}));
    return {};
}

Result<std::uint64_t> streams_close(Rpc& rpc, const StreamTunnel& parts) {
    RpcCall call{.command = "p2p/close", .repeat = Repeat::harmless};
    if (!parts.protocol.empty()) {
        call.query.emplace_back("protocol", parts.protocol);
    }
    if (!parts.listen.empty()) {
        call.query.emplace_back("listen-address", parts.listen);
    }
    if (!parts.target.empty()) {
        call.query.emplace_back("target-address", parts.target);
    }
    const Bytes answer = TRY(rpc.call(call));
    const std::string_view text = text_of(answer);
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{}) {
        return no_kubo(rpc.where(call.command), "no number");
    }
    return count;
}

Result<std::vector<StreamTunnel>> streams_list(Rpc& rpc) {
    const RpcCall call{.command = "p2p/ls", .repeat = Repeat::harmless};
    const nlohmann::json object = TRY(call_object(rpc, call));
    const std::string where = rpc.where(call.command);
    std::vector<StreamTunnel> tunnels;
    const auto list = object.find("Listeners");
    if (list == object.end() || list->is_null()) {
        return tunnels;
    }
    if (!list->is_array()) {
        return no_kubo(where, "'Listeners' is no list");
    }
    for (const nlohmann::json& entry : *list) {
        if (!entry.is_object()) {
            return no_kubo(where, "a tunnel is no object");
        }
        tunnels.push_back({.protocol = TRY(string_field(entry, "Protocol", where)),
                           .listen = TRY(string_field(entry, "ListenAddress", where)),
                           .target = TRY(string_field(entry, "TargetAddress", where))});
    }
    return tunnels;
}

} // namespace ic::kubo
