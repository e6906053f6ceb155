#pragma once
/// Simulation: the machines that ship, on virtual time, in a world of crashing processes, machines
/// that lose power, join and leave, clocks that lie, nodes of several versions, and a network that
/// loses, doubles, delays, reorders and parts. All chance comes from one seed; the same seed gives
/// the same trace.

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ic::sim {

/// What may befall the world. Each is planned before the play begins, so that any of them can be
/// left out.
enum class Upset : std::uint8_t {
    kill,         ///< Of a process, its executors a moment later; it comes back as another.
    power_loss,   ///< Of a machine.
    pause,        ///< Of a broker with its executors.
    broker_pause, ///< Of a broker alone.
    suspend,      ///< Of a machine.
    partition,    ///< Of processes into two sides, both ways or one.
    split,        ///< Of machines: groups, one alone, a line of three, on and off.
    process_joins,
    machine_joins,
    process_leaves, ///< For good, having said so or not.
    machine_leaves, ///< For good, likewise; never one that owes jobs.
    clock_rate,     ///< A machine's clock goes at another rate from now on.
    wall_jump,      ///< A machine's wall clock is set.
    upgrade,        ///< A machine's processes go and come back with the next version.
};

inline constexpr std::size_t upset_kinds = 14;
std::string_view name(Upset upset);

/// What may go wrong in one seed.
struct Profile {
    std::string name;
    double loss = 0;
    double doubling = 0;
    std::int64_t delay_us_max = 2'000;
    double slow_share = 0; ///< Of messages, delayed by up to `slow_us_max`.
    std::int64_t slow_us_max = 0;
    bool slow_one_way = false; ///< Only what machines of even numbers say, whose clocks are fast.
    std::array<double, upset_kinds> upsets_per_s{}; ///< By kind.
    std::int64_t clock_rate_max = 1'000;            ///< Thousandths; the slowest machine has 1'000.
    double clocks_between = 0.5;       ///< Share whose rate is neither the slowest nor the fastest.
    std::int64_t stop_us_max = 20'000; ///< How long an executor takes to stop a guest.
    double failure = 0.05;             ///< Of runs, for a reason that may pass.
    double cancels = 0.1;              ///< Of jobs.
    std::int64_t machines_min = 1;
    std::int64_t machines_max = 3;
    std::int64_t jobs_min = 6;
    std::int64_t jobs_max = 24;
    double long_runs = 0.5; ///< Share of jobs that run long; the others 0.3 s at most.
    std::int64_t long_run_us_min = 1'000'000;
    std::int64_t long_run_us_max = 7'000'000;
    bool versions = false; ///< Machines begin with different ones.

    double& operator[](Upset upset) { return upsets_per_s[static_cast<std::size_t>(upset)]; }
    double operator[](Upset upset) const { return upsets_per_s[static_cast<std::size_t>(upset)]; }
};

const std::vector<Profile>& all_profiles();

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
    std::size_t cut_messages = 0;     ///< Stopped by a partition.
    std::size_t foreign_messages = 0; ///< From a node of another version.
    std::size_t refused_messages = 0; ///< Of them: not known to the reader, and dropped.
    std::set<std::size_t> upsets;     ///< Numbers of those that came to pass.
    std::array<std::size_t, upset_kinds> upsets_of{}; ///< How many, by kind.
};

enum class Tracing : std::uint8_t { off, on };

struct Play {
    Tracing tracing = Tracing::off;
    std::set<std::size_t> without{}; ///< Numbers of upsets that are left out.
};

/// Plays one seed to its end. Stops at the first violation.
Report simulate(std::uint64_t seed, const Play& play = {});

/// The upsets that a failing seed fails without, whatever law it breaks then. Of the others none
/// can be left out. Requires: the seed fails.
std::set<std::size_t> superfluous(std::uint64_t seed);

} // namespace ic::sim
