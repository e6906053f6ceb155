/// Our client of Kubo's API as a program, for tests beside a real one.
///
/// kubo_client ADDRESS TOKEN COMMAND [ARGUMENT...]: one call, its answer on standard output, a
/// line a value. TOKEN may be empty. An error goes to standard error as "CODE: MESSAGE"; status 1.

#include "base/bytes.h"
#include "identity/key.h"
#include "kubo/block.h"
#include "kubo/dag.h"
#include "kubo/key.h"
#include "kubo/node.h"
#include "kubo/pin.h"
#include "kubo/publisher.h"
#include "kubo/pubsub.h"
#include "kubo/routing.h"
#include "kubo/streams.h"
#include "kubo/subscription.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace ic;
using namespace ic::kubo;
using namespace std::chrono_literals;

using Arguments = std::vector<std::string>;
using Command = std::function<Result<void>(Rpc&, const Arguments&)>;

void say(std::string_view line) { std::cout << line << std::endl; }

Bytes content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// ---- Node

Result<void> show_id(Rpc& rpc, const Arguments&) {
    const NodeId node = TRY(id(rpc));
    say(node.peer_id);
    say(node.agent_version);
    for (const std::string& address : node.addresses) {
        say(address);
    }
    return {};
}

Result<void> show_config(Rpc& rpc, const Arguments&) {
    const NodeConfig config = TRY(node_config(rpc));
    say(config.has_pubsub ? "pubsub" : "no pubsub");
    say(config.has_streams ? "streams" : "no streams");
    for (const std::string& gateway : config.gateways) {
        say(gateway);
    }
    return {};
}

Result<void> show_peers(Rpc& rpc, const Arguments&) {
    for (const ConnectedPeer& peer : TRY(swarm_peers(rpc))) {
        say(peer.peer_id + " " + peer.address);
    }
    return {};
}

Result<void> sign(Rpc& rpc, const Arguments& words) {
    const Bytes signature = TRY(sign_as_peer(rpc, bytes_of(words.at(0))));
    const PublicKey key = TRY(PublicKey::parse_peer_id(TRY(id(rpc)).peer_id));
    const std::string message = std::string(signed_prefix) + words.at(0);
    Signature fixed{};
    if (signature.size() != fixed.size()) {
        return Error{Errc::malformed, "a signature of another size"};
    }
    std::copy(signature.begin(), signature.end(), fixed.begin());
    TRY(key.verify(bytes_of(message), fixed));
    say("verified");
    return {};
}

// ---- Blocks, DAGs, pins

Result<void> put(Rpc& rpc, const Arguments& words) {
    const Bytes data = content_of(words.at(0));
    const Codec codec = words.at(1) == "raw" ? Codec::raw : Codec::dag_pb;
    const Cid cid = cid_of(codec, data);
    TRY(block_put(rpc, cid, data));
    say(cid.to_string());
    return {};
}

Result<void> get(Rpc& rpc, const Arguments& words) {
    const Cid cid = TRY(Cid::parse(words.at(0)));
    const Bytes data = TRY(block_get(rpc, cid, Reach::network(2'000ms)));
    TRY(cid.verify(data));
    say(std::to_string(data.size()));
    return {};
}

Result<void> size(Rpc& rpc, const Arguments& words) {
    const std::optional<std::uint64_t> bytes = TRY(block_size(rpc, TRY(Cid::parse(words.at(0)))));
    say(bytes ? std::to_string(*bytes) : "not here");
    return {};
}

Result<void> import_car(Rpc& rpc, const Arguments& words) {
    DagImport from;
    std::ifstream file(words.at(0), std::ios::binary);
    from.car = [&file](std::span<std::uint8_t> into) -> Result<std::size_t> {
        file.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
        return static_cast<std::size_t>(file.gcount());
    };
    for (std::size_t at = 1; at < words.size(); ++at) {
        from.roots.push_back(TRY(Cid::parse(words[at])));
    }
    const ImportedDag imported = TRY(dag_import(rpc, from));
    say(std::to_string(imported.blocks) + " blocks");
    return {};
}

/// To a file.
Result<void> export_to(Rpc& rpc, const Arguments& words) {
    const auto answer = TRY(dag_export(rpc, TRY(Cid::parse(words.at(0))), Reach::network(30s)));
    std::ofstream file(words.at(1), std::ios::binary);
    for (;;) {
        std::array<std::uint8_t, 64U << 10U> piece{};
        const std::size_t count = TRY(answer->read(piece));
        if (count == 0) {
            return {};
        }
        file << text_of(ByteView(piece).first(count));
    }
}

Result<void> pin(Rpc& rpc, const Arguments& words) {
    return pin_add(rpc, TRY(Cid::parse(words.at(0))), words.at(1), Reach::network(10s));
}

Result<void> unpin(Rpc& rpc, const Arguments& words) {
    return pin_remove(rpc, TRY(Cid::parse(words.at(0))));
}

Result<void> show_pin(Rpc& rpc, const Arguments& words) {
    const std::optional<Pin> found = TRY(pin_of(rpc, TRY(Cid::parse(words.at(0)))));
    say(found ? found->type + " " + found->name : "not pinned");
    return {};
}

Result<void> show_pins(Rpc& rpc, const Arguments&) {
    return pin_each(rpc, [](const Cid& cid, const Pin& found) -> Result<void> {
        say(cid.to_string() + " " + found.type + " " + found.name);
        return {};
    });
}

// ---- Routing and tunnels

void show(const PeerAddresses& peer) {
    std::string line = peer.peer_id;
    for (const std::string& address : peer.addresses) {
        line += " " + address;
    }
    say(line);
}

Result<void> provide(Rpc& rpc, const Arguments& words) {
    return routing_provide(rpc, TRY(Cid::parse(words.at(0))), 20s);
}

Result<void> find_providers(Rpc& rpc, const Arguments& words) {
    const ProviderSearch search{.providers_max = 1, .time_max = 5s};
    for (const PeerAddresses& peer :
         TRY(routing_find_providers(rpc, TRY(Cid::parse(words.at(0))), search))) {
        show(peer);
    }
    return {};
}

Result<void> find_peer(Rpc& rpc, const Arguments& words) {
    show(TRY(routing_find_peer(rpc, words.at(0), 5s)));
    return {};
}

Result<void> show_tunnels(Rpc& rpc, const Arguments&) {
    for (const StreamTunnel& tunnel : TRY(streams_list(rpc))) {
        say(tunnel.protocol + " " + tunnel.listen + " " + tunnel.target);
    }
    return {};
}

Result<void> close_tunnels(Rpc& rpc, const Arguments& words) {
    say(std::to_string(TRY(streams_close(rpc, {.protocol = words.at(0)}))));
    return {};
}

// ---- Pubsub

/// TOPIC: what happens, until standard input ends.
Result<void> subscribe(Rpc& rpc, const Arguments& words) {
    const Subscription subscription(
        rpc,
        {.topic = words.at(0),
         .on_message =
             [](const PubsubMessage& message) {
                 say("message " + message.from + " " + std::string(text_of(message.data)));
             },
         .on_state =
             [](const SubscriptionState& state) {
                 say(state.is_up() ? "up" : "down " + std::string(name(state.down->code)));
             }});
    std::cin.ignore(std::numeric_limits<std::streamsize>::max());
    return {};
}

/// TOPIC FOLDER PREFIX COUNT GAP_MS: publishes "PREFIX-0" and so on, with a kilobyte behind it.
Result<void> publish(Rpc& rpc, const Arguments& words) {
    PublisherOptions options{.lock_folder = words.at(1)};
    options.gap = std::chrono::milliseconds(std::stoi(words.at(4)));
    options.age_max = 60s;
    Publisher publisher(rpc, options);
    for (int message = 0; message < std::stoi(words.at(3)); ++message) {
        const std::string text = words.at(2) + "-" + std::to_string(message);
        TRY(publisher.publish(words.at(0), copy_of(bytes_of(text + std::string(200, '.')))));
    }
    if (!publisher.drain(60s)) {
        return Error{Errc::unavailable, "not sent in a minute"};
    }
    const Publisher::Counters counters = publisher.counters();
    say("published " + std::to_string(counters.published));
    say("retried " + std::to_string(counters.retried));
    say("lost " + std::to_string(counters.dropped + counters.failed));
    say("unserialised " + std::to_string(counters.unserialised));
    return {};
}

/// TOPIC BYTES: one message of this size.
Result<void> publish_large(Rpc& rpc, const Arguments& words) {
    return pubsub_publish(rpc, words.at(0), Bytes(std::stoul(words.at(1)), 'x'));
}

Result<void> show_topics(Rpc& rpc, const Arguments&) {
    for (const Bytes& topic : TRY(pubsub_topics(rpc))) {
        say(text_of(topic));
    }
    return {};
}

Result<void> show_listeners(Rpc& rpc, const Arguments& words) {
    for (const std::string& peer : TRY(pubsub_peers(rpc, words.at(0)))) {
        say(peer);
    }
    return {};
}

const std::map<std::string, Command> commands{
    {"id", show_id},
    {"version",
     [](Rpc& rpc, const Arguments&) -> Result<void> {
         say(TRY(version(rpc)));
         return {};
     }},
    {"config", show_config},
    {"peers", show_peers},
    {"connect", [](Rpc& rpc, const Arguments& words) { return swarm_connect(rpc, words, 10s); }},
    {"sign", sign},
    {"put", put},
    {"get", get},
    {"size", size},
    {"import", import_car},
    {"export", export_to},
    {"pin", pin},
    {"unpin", unpin},
    {"pin-of", show_pin},
    {"pins", show_pins},
    {"provide", provide},
    {"find-providers", find_providers},
    {"find-peer", find_peer},
    {"listen",
     [](Rpc& rpc, const Arguments& words) {
         return streams_listen(rpc, words.at(0), words.at(1));
     }},
    {"forward",
     [](Rpc& rpc, const Arguments& words) {
         return streams_forward(
             rpc, {.protocol = words.at(0), .listen = words.at(1), .target = words.at(2)});
     }},
    {"tunnels", show_tunnels},
    {"close", close_tunnels},
    {"subscribe", subscribe},
    {"publish", publish},
    {"publish-large", publish_large},
    {"topics", show_topics},
    {"listeners", show_listeners},
};

Result<void> run(const Arguments& words) {
    RpcOptions options;
    options.address = words.at(0);
    options.token = words.at(1);
    const std::unique_ptr<Rpc> rpc = TRY(Rpc::open(options));
    return commands.at(words.at(2))(*rpc, Arguments(words.begin() + 3, words.end()));
}

} // namespace

int main(int count, char** words) {
    const Result<void> done = run(Arguments(words + 1, words + count));
    if (!done) {
        std::cerr << name(done.error().code) << ": " << done.error().message << "\n";
        return 1;
    }
    return 0;
}
