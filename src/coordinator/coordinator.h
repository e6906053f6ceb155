#pragma once
/// Coordinator: the runtime around lease::Coordinator. Looks at documents and policy, keeps the
/// ledger, answers clients, adopts the jobs of processes that died.

#include "base/result.h"
#include "job/policy.h"
#include "job/receipt.h"
#include "lease/coordinator.h"
#include "ledger/ledger.h"
#include "log/entry.h"
#include "metrics/registry.h"
#include "net/event_loop.h"
#include "traces/exporter.h"
#include "transport/outlet.h"
#include "transport/transport.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ic::coordinator {

struct Options {
    job::WorkerRef self; ///< This node's key and this process's instance.
    lease::CoordinatorOptions machine;
    job::Policy policy; ///< Whose jobs are taken.
    /// How much of what a job needs is in this home's store, at no cost but some look-ups. Empty
    /// where all workers are of this home.
    std::function<lease::Locality(const job::JobSpec&)> locality{};
    lease::IdleWorkers* idle = nullptr; ///< As lease::Coordinator has it.
    std::filesystem::path ledger_file;
    /// As ic::boot_id gives it. Empty: an adopted job's age is that of the wall clock.
    std::string boot_id{};
    log::Sink note{};                    ///< What becomes of jobs.
    metrics::Registry* counts = nullptr; ///< Of the same; null: nobody counts.
    traces::Exporter* traces = nullptr;  ///< Of the same; null: they are not traced.
};

/// Whether every output that a receipt names can still be had here. May look at a disk.
using IsKept = std::function<bool(const job::Receipt&)>;

/// Threads: all calls on the event loop's thread. The references outlive this.
class Coordinator {
public:
    /// Takes a new incarnation from the ledger. Errors: of the ledger.
    static Result<std::unique_ptr<Coordinator>> open(Options options,
                                                     net::EventLoop& loop,
                                                     ledger::LedgerWriter& writer,
                                                     transport::Outlet& outlet,
                                                     IsKept is_kept);

    ~Coordinator();

    /// Any message; those that are not for a coordinator are ignored.
    void message(const transport::Peer& from, job::Message message);

    /// What another coordinator of this home says to us as its client: for our own clients, who ask
    /// for jobs that are its.
    void relay(const job::Message& message);

    void peer_seen(const transport::Peer& peer);
    void peer_gone(const transport::Peer& peer, transport::Fate fate);

    /// Takes over the open jobs of processes that are proven dead; `is_dead` tells of those holders
    /// of their leases that are processes of this home. Several nodes may try: each job goes to
    /// one.
    void adopt(const std::vector<job::Instance>& dead,
               const std::function<bool(const job::Instance&)>& is_dead);

    /// Whose jobs are taken from now on; those that were accepted stay.
    void trust(std::vector<PublicKey> submitters);

    lease::CoordinatorCounts counts() const;

private:
    struct Impl;
    explicit Coordinator(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace ic::coordinator
