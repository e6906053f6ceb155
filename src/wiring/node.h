#pragma once
/// Node: the parts of one process that coordinates and (with slots) runs, put together.

#include "base/result.h"
#include "coordinator/coordinator.h"
#include "identity/key.h"
#include "job/message.h"
#include "job/policy.h"
#include "lease/worker_table.h"
#include "log/entry.h"
#include "metrics/registry.h"
#include "net/event_loop.h"
#include "traces/exporter.h"
#include "transport/local/local_transport.h"
#include "transport/outlet.h"
#include "wiring/network.h"
#include "wiring/trust.h"
#include "wiring/unsigned_jobs.h"
#include "wiring/workshop.h"
#include "worker/worker.h"

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ic::wiring {

struct NodeOptions {
    std::filesystem::path home;
    job::WorkerRef self;
    std::string name;     ///< For people: "worker 4711".
    std::string software; ///< "ipfs-compute/0.1.0 wasmtime/48.0.8".
    job::Policy policy;
    std::uint32_t slots = 0;    ///< None: it coordinates only.
    job::WorkerLabels labels{}; ///< Of the worker.
    worker::LogLine on_log;
    std::optional<NetworkOptions> network; ///< Nothing: this machine alone.
    log::Sink note;
    metrics::Registry* counts = nullptr; ///< Null: nobody counts. Outlives the node.
    traces::Exporter* traces = nullptr;  ///< Null: nothing is traced. Outlives the node.
};

/// Makes what runs are made of; called with the descriptor that executors inherit as proof of life.
/// Not called for a node without slots.
using MakeWorkshop = std::function<Result<std::unique_ptr<Workshop>>(int liveness_fd)>;

/// Threads: all calls on the loop's thread. The references outlive this.
class Node {
public:
    /// Errors: of the ledger, the bus and the workshop.
    static Result<std::unique_ptr<Node>> open(NodeOptions options,
                                              net::EventLoop& loop,
                                              const PrivateKey& key,
                                              BlockStore& store,
                                              const MakeWorkshop& make_workshop);

    ~Node();

    /// Meets the others, adopts what dead processes left, places bids.
    Result<void> start();

    /// As if a client of this very process had sent it; what it is told goes to `on_client`.
    void from_client(job::Message message);
    std::function<void(const job::Message&)> on_client;

    /// Takes nothing new; `on_idle` is called when what runs here has ended.
    void drain(std::function<void()> on_idle);

    /// Whose jobs are taken and run, who is heard, and whose Kubos are dialled, from now on.
    /// Follows trust.toml by itself once started.
    void trust(const TrustList& list);

    lease::WorkerCounts worker_counts() const;
    lease::CoordinatorCounts coordinator_counts() const;
    std::size_t peers() const { return transport_->peers().size(); }

    /// Null on this machine alone.
    const Network* network() const { return network_.get(); }

private:
    enum class Half : std::uint8_t { coordinator, worker };

    /// One half's way out: to the other half, to this process's client, or onto the transport.
    class Way final : public transport::Outlet {
    public:
        Way(Node& node, Half half) : node_(node), half_(half) {}

        void send(const job::Instance& to, job::Message message) override;
        void announce(job::Message message) override;

    private:
        Node& node_;
        Half half_;
    };

    Node(NodeOptions options, net::EventLoop& loop);

    void count_sent(const job::Message& message);
    void count_received(const job::Message& message);
    void take_unsigned_jobs(const PrivateKey& key);
    void within(Half from, job::Message message);
    void deliver_later(std::function<void()> delivery);
    void deliver();
    void take(const transport::Peer& from, job::Message message);
    void coordinate(const transport::Peer& from, job::Message message);
    void answer_about_workers(const job::Instance& client);
    void count_workers();
    void gone(const transport::Peer& peer, transport::Fate fate);
    void adopt_again_and_again();
    Result<void> adopt_from_the_dead();
    transport::Events network_events();
    transport::Peer me() const;

    NodeOptions options_;
    net::EventLoop& loop_;
    Way from_coordinator_{*this, Half::coordinator};
    Way from_worker_{*this, Half::worker};
    lease::WorkerTable known_workers_;
    net::TimerId count_timer_;
    net::TimerId adopt_timer_;
    std::deque<std::function<void()>> deliveries_;
    bool delivering_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true); ///< For work posted to the loop.

    std::unique_ptr<transport::LocalTransport> transport_;
    std::unique_ptr<UnsignedJobs> unsigned_jobs_; ///< Null where none are listened for.
    std::unique_ptr<Network> network_;            ///< Null on this machine alone.
    std::unique_ptr<TrustWatch> trust_watch_;
    std::unique_ptr<ledger::LedgerWriter> writer_;
    std::optional<ledger::LedgerReader> owners_; ///< To look who owes jobs their ends.
    std::unique_ptr<coordinator::Coordinator> coordinator_;
    KernelNonces nonces_;
    std::unique_ptr<Workshop> workshop_;     ///< Null without slots.
    std::unique_ptr<worker::Worker> worker_; ///< Null without slots. First to go: its runs end.
};

} // namespace ic::wiring
