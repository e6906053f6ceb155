#pragma once
/// Simulation: the machines that ship, on virtual time, in a world of crashing processes, machines
/// that lose power, clocks of different rates and a network that loses, doubles, delays and
/// reorders. All chance comes from one seed; the same seed gives the same trace.

#include <cstdint>
#include <string>
#include <vector>

namespace ic::sim {

/// What may go wrong in one seed.
struct Profile {
    std::string name;
    double loss = 0;
    double doubling = 0;
    std::int64_t delay_us_max = 2'000;
    double slow_share = 0; ///< Of messages, delayed by up to `slow_us_max`.
    std::int64_t slow_us_max = 0;
    double kills_per_s = 0;         ///< Of processes.
    double power_losses_per_s = 0;  ///< Of machines.
    double pauses_per_s = 0;        ///< Of a broker with its executors.
    double broker_pauses_per_s = 0; ///< Of a broker alone.
    double partitions_per_s = 0;
    std::int64_t clock_rate_max = 1'000; ///< Thousandths; the slowest machine has 1'000.
    std::int64_t stop_us_max = 20'000;   ///< How long an executor takes to stop a guest.
    double failure = 0.05;               ///< Of runs, for a reason that may pass.
    double cancels = 0.1;                ///< Of jobs.
    std::int64_t machines_min = 1;
    double long_runs = 0.5; ///< Share of jobs that run for 1 to 7 s; the others 0.3 s at most.
};

/// The profile of a seed: seeds go round over all of them.
const Profile& profile_of(std::uint64_t seed);

struct Report {
    std::vector<std::string> violations; ///< Empty: nothing was wrong.
    std::uint64_t trace_hash = 0;
    std::string trace; ///< Where it was asked for.
    std::size_t jobs = 0;
    std::size_t runs = 0;
    std::size_t grants = 0;
    std::size_t adoptions = 0;
    std::size_t events = 0;
};

enum class Tracing : std::uint8_t { off, on };

/// Runs one seed to its end. Stops at the first violation.
Report simulate(std::uint64_t seed, Tracing tracing = Tracing::off);

} // namespace ic::sim
