#pragma once
/// Worker: the runtime around lease::Worker. Starts and stops runs on its slots, signs receipts,
/// tells the coordinator what a run is at.

#include "base/result.h"
#include "identity/key.h"
#include "job/policy.h"
#include "lease/worker.h"
#include "log/entry.h"
#include "metrics/registry.h"
#include "net/event_loop.h"
#include "traces/exporter.h"
#include "transport/outlet.h"
#include "transport/transport.h"
#include "worker/broker_host.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ic::worker {

struct Options {
    job::WorkerRef self;
    lease::WorkerOptions machine;        ///< `slots`, `software`, `labels`.
    job::Policy policy;                  ///< Whose jobs run here, and how large they may be.
    log::Sink note{};                    ///< What becomes of runs. Told on the loop's thread.
    metrics::Registry* counts = nullptr; ///< Of the same; null: nobody counts.
    traces::Exporter* traces = nullptr;  ///< Of the same; null: they are not traced.
    /// How much of what a job needs is here, at no cost but some look-ups. Empty: not told.
    std::function<lease::Locality(const job::JobSpec&)> locality{};
};

/// One line of a guest's log, for the people at this worker. Called on the loop's thread.
using LogLine = std::function<void(const Cid& job, std::string_view line)>;

/// Threads: all calls on the event loop's thread. The references outlive this; the destructor stops
/// what runs and waits for it.
class Worker {
public:
    static Result<std::unique_ptr<Worker>> open(Options options,
                                                net::EventLoop& loop,
                                                const PrivateKey& key,
                                                RunParts parts,
                                                lease::NonceSource& nonces,
                                                transport::Outlet& outlet,
                                                LogLine on_log);

    ~Worker();

    /// Places the first bids.
    void start();

    /// Any message; those that are not for a worker are ignored.
    void message(const transport::Peer& from, job::Message message);

    void peer_seen(const transport::Peer& peer);
    void peer_gone(const transport::Peer& peer, transport::Fate fate);

    /// Takes nothing new; `on_idle` is called once what runs has ended and is acknowledged.
    void drain(std::function<void()> on_idle);

    /// Whose jobs run here from now on; what runs goes on.
    void trust(std::vector<PublicKey> submitters);

    /// Takes nothing new until `go_on`; what runs goes on.
    void rest();
    void go_on();

    /// As lease::Worker has it.
    void set_network_size(std::uint64_t workers);

    lease::WorkerCounts counts() const;

private:
    struct Impl;
    explicit Worker(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace ic::worker
