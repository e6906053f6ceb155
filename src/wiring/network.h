#pragma once
/// Network: this node among those of other machines. What is for all goes over a topic of Kubo's
/// pubsub, what is for one over a link to it; Kubo's streams, and at the last the topic, stand in
/// where no link can be made.

#include "base/result.h"
#include "identity/key.h"
#include "job/ids.h"
#include "kubo/rpc.h"
#include "log/entry.h"
#include "metrics/registry.h"
#include "net/event_loop.h"
#include "transport/kubo/topic.h"
#include "transport/kubo/unsigned_topic.h"
#include "transport/transport.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ic::wiring {

struct NetworkOptions {
    std::string kubo_api; ///< As kubo::RpcOptions has it.
    std::string kubo_token;
    std::shared_ptr<kubo::SharedBreaker> kubo_breaker{}; ///< Of all who ask that Kubo. May be null.
    std::string listen = "[::]:0"; ///< Empty: links are taken by way of Kubo's streams alone.
    /// URLs under which others reach it; empty: the addresses of this machine.
    std::vector<std::string> advertise;
    std::vector<PublicKey> trusted; ///< Who is heard and let in; one's own key is among them.
    std::vector<std::string> unsigned_peers; ///< Kubo peers whose unsigned jobs are taken.
    std::string lock_folder;                 ///< Where the publishers of this machine take turns.
    std::chrono::milliseconds show_every{30'000}; ///< Says that it is there, if nothing else does.
    metrics::Registry* counts = nullptr;          ///< Of requests to Kubo; null: nobody counts.
};

enum class KuboState : std::uint8_t { there, gone };

/// Workers of keys that are not trusted say that they are there. Nothing else of theirs is heard.
using OnStranger = std::function<void(job::Advert)>;

/// Who this process is.
struct NetworkSelf {
    job::WorkerRef worker;
    const PrivateKey* key = nullptr; ///< Lifetime: longer than the network's.
    std::string name;
    std::string software;
};

/// A peer is there while there is a link to it. Threads: the loop's. Lifetime: within the loop's.
class Network final : public transport::Transport {
public:
    /// Connects to nobody yet. Errors: of the address to listen at; malformed for that of Kubo.
    static Result<std::unique_ptr<Network>>
    open(net::EventLoop& loop, NetworkOptions options, NetworkSelf self, log::Sink note);

    ~Network() override;

    /// To be called once. Whether Kubo answers turns out later, and is noted. `on_kubo` is told
    /// each time: without it nothing can be fetched, and no result handed on.
    void start(transport::Events events, std::function<void(KuboState)> on_kubo);

    /// Where unsigned jobs go. To be called before `start`; without it, or where no peer is named,
    /// nobody listens for them.
    void on_unsigned(std::function<void(transport::HeardUnsigned)> on_job);

    void send(const job::Instance& to, const job::Message& message) override;
    void announce(const job::Message& message) override;
    std::vector<transport::Peer> peers() const override;

    /// Who is heard and let in from now on. Links to others are closed.
    void trust(std::vector<PublicKey> keys);

    /// Whose Kubos ours is kept connected to from now on: multiaddrs of each. To be called after
    /// `start`.
    void keep_connected(std::vector<std::vector<std::string>> kubos);

    /// To be set before `start`.
    void on_stranger(OnStranger on_stranger);

    /// Whether there is a link to it now.
    bool has(const job::Instance& instance) const;

    /// Where it takes sessions, as far as it said so.
    std::vector<std::string> addresses_of(const job::Instance& instance) const;

    transport::Topic::Counters topic_counters() const;

private:
    struct Impl;
    explicit Network(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace ic::wiring
