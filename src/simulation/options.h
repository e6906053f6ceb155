#pragma once
/// What is simulated: a network, its faults and its jobs; and what came of it.

#include "base/result.h"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace ic::simulation {

struct Options {
    std::uint32_t nodes = 1'000;     ///< Workers.
    std::uint32_t coordinators = 10; ///< Nodes without slots, to which the jobs are submitted.
    std::uint32_t slots = 1;         ///< Of each worker.
    std::uint32_t jobs = 100;
    double jobs_per_s = 5;                ///< Of all coordinators together.
    std::chrono::milliseconds run{1'000}; ///< Mean length of a run; half to one and a half of it.
    std::chrono::milliseconds delay{20};  ///< Mean, one message over one link; likewise.
    double loss = 0;                      ///< Share of messages lost on their way.
    double doubling = 0;                  ///< Share of messages that come twice.
    double churn = 0;       ///< Share of workers that go in a minute; they come back as new ones.
    double busy = 0;        ///< Share of workers that are taken by other work all the time.
    std::uint32_t mesh = 6; ///< Peers to which a node passes a broadcast on.
    std::uint32_t bidders = 16; ///< Wanted at a job's first announcement; 0: all bid.
    std::uint32_t probes = 2;   ///< Idle workers asked before a job is announced; 0: none.
    std::uint64_t seed = 1;
};

namespace limits {
inline constexpr std::uint32_t nodes_max = 10'000'000;
/// Without a threshold each node is a machine.
inline constexpr std::uint32_t all_bid_nodes_max = 20'000;
inline constexpr std::uint32_t coordinators_max = 1'000;
inline constexpr std::uint32_t jobs_max = 1'000'000;
inline constexpr std::uint32_t probes_max = 1'000;
} // namespace limits

/// Errors: usage, naming what is out of bounds.
Result<void> check(const Options& options);

/// Durations between two moments of every job, in milliseconds.
struct Spread {
    double median_ms = 0;
    double p95_ms = 0;
    double max_ms = 0;

    friend bool operator==(const Spread&, const Spread&) = default;
};

struct Outcome {
    std::uint64_t jobs = 0;
    std::uint64_t done = 0;        ///< Ended in a receipt.
    std::uint64_t failed = 0;      ///< Ended in an error.
    std::uint64_t runs = 0;        ///< Started, of all jobs.
    std::uint32_t at_once_max = 0; ///< Runs of one job at one time.
    Spread started;                ///< From submitting a job until its first run.
    Spread ended;                  ///< From submitting a job until its end was known.
    std::uint64_t direct = 0;      ///< Direct messages sent, adverts apart.
    std::uint64_t adverts = 0;
    std::uint64_t broadcasts = 0;
    std::uint64_t copies = 0;     ///< Of broadcasts, over all links.
    std::size_t machines_max = 0; ///< Worker machines alive at one time.
    std::uint64_t events = 0;

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

} // namespace ic::simulation
