#pragma once
/// WorkerTable: the workers that a node has heard of, by their adverts. For people, and for a guess
/// at how large the network is. What adverts say is hearsay: nothing that keeps a job safe rests on
/// it. It does no I/O and reads no clock.

#include "base/time.h"
#include "job/message.h"
#include "lease/idle_workers.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ic::lease {

enum class Trust : std::uint8_t {
    trusted,  ///< The node's own key, or one that it trusts.
    stranger, ///< Its signature is good, and that is all.
};

/// All ours.
struct WorkerTableOptions {
    std::size_t workers_max = 4'096;       ///< Beyond it the one heard longest ago is forgotten.
    std::size_t workers_per_key_max = 256; ///< Likewise, of one key.
    std::size_t strangers_max = 64;        ///< Likewise, so that they keep nobody else out.
    /// A worker is forgotten when it has missed so many adverts in a row, and one that promised
    /// none when it was silent for so long.
    std::uint32_t adverts_missed_max = 3;
    std::chrono::milliseconds silence_max{300'000};
    /// What a promise of the next advert is taken for, at least and at most.
    std::chrono::milliseconds again_least{1'000};
    std::chrono::milliseconds again_most{3'600'000};
    /// How often `time` has to be called; the size moves a quarter of the way each time.
    std::chrono::milliseconds count_every{5'000};
    /// A network of fewer workers is small: its size is said to be 0, so that all of them bid.
    std::uint64_t network_workers_min = 64;
    /// What was heard longer ago says nothing about who is idle now.
    std::chrono::milliseconds idle_heard_max{30'000};
};

/// One of them.
struct HeardWorker {
    job::Advert advert;
    Trust trust = Trust::stranger;
    Instant heard_at;
    Instant until;         ///< Then it is forgotten, if it is not heard again.
    bool is_taken = false; ///< Given as idle since it was heard.
};

/// How a worker is heard now, and where it can be reached.
struct Reached {
    job::Route route = job::Route::local;
    std::vector<std::string> addresses;
};

/// Threads: one.
class WorkerTable final : public IdleWorkers {
public:
    explicit WorkerTable(const WorkerTableOptions& options = {}) : options_(options) {}

    /// Keeps what it says. Requires: it is known that the key in it has said it.
    void hear(job::Advert advert, Trust trust, Instant now);

    /// It is gone.
    void forget(const job::Instance& instance) { workers_.erase(instance); }

    /// Forgets who was silent too long, and counts. To be called every `count_every`.
    void time(Instant now);

    /// Workers on the network that take jobs, smoothed; 0 if they are few.
    std::uint64_t network_size() const;

    std::size_t size() const { return workers_.size(); }

    std::vector<job::Instance>
    take(const Cid& job, const Suits& suits, std::size_t count, Instant now) override;

    /// All that are not forgotten, by key and instance, in as many messages as it takes: one at
    /// least. `reached` is asked of each.
    std::vector<job::KnownWorkers>
    answers(const std::function<Reached(const job::Instance&)>& reached, Instant now);

private:
    using Entry = std::map<job::Instance, HeardWorker>::iterator;

    void forget_silent(Instant now);
    template <class Counts>
    void make_room(std::size_t most, Counts counts);

    const WorkerTableOptions options_;
    std::map<job::Instance, HeardWorker> workers_;
    std::uint64_t smoothed_ = 0; ///< In 256ths of a worker.
};

} // namespace ic::lease
