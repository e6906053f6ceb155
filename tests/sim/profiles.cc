/// What may go wrong, seed by seed.

#include "sim/simulation.h"

#include <utility>

namespace ic::sim {
namespace {

/// Clocks as different as they may be, with the time to stop a guest that goes with them.
Profile with_rates(Profile profile) {
    profile.clock_rate_max = 1'500;
    profile.stop_us_max = 300'000;
    return profile;
}

Profile with(Profile profile, std::vector<std::pair<Upset, double>> upsets_per_s) {
    for (const auto& [upset, rate] : upsets_per_s) {
        profile[upset] = rate;
    }
    return profile;
}

/// One kind of trouble each, more or less.
std::vector<Profile> plain_profiles() {
    return {
        {.name = "doubled", .doubling = 0.2, .delay_us_max = 20'000},
        {.name = "lossy", .loss = 0.2, .doubling = 0.1, .delay_us_max = 100'000},
        with({.name = "killed", .loss = 0.02}, {{Upset::kill, 0.6}}),
        with({.name = "power", .loss = 0.02}, {{Upset::power_loss, 0.4}}),
        with({.name = "paused", .clock_rate_max = 1'200}, {{Upset::pause, 0.6}}),
        with({.name = "half-paused"}, {{Upset::broker_pause, 0.6}}),
        with({.name = "parted", .loss = 0.02}, {{Upset::kill, 0.1}, {Upset::partition, 0.4}}),
        with(with_rates({.name = "rates", .loss = 0.1}), {{Upset::partition, 0.4}}),
        {.name = "slow",
         .doubling = 0.3,
         .slow_share = 0.15,
         .slow_us_max = 8'000'000,
         .cancels = 0.3},
        with(with_rates({.name = "drifting",
                         .loss = 0.02,
                         .delay_us_max = 20'000,
                         .slow_share = 0.4,
                         .slow_us_max = 1'800'000,
                         .machines_min = 2,
                         .long_runs = 1.0}),
             {{Upset::partition, 1.5}}),
        with_rates({.name = "distant",
                    .loss = 0.4,
                    .delay_us_max = 800'000,
                    .machines_min = 2,
                    .long_runs = 1.0}),
        with({.name = "cancelled", .loss = 0.1, .delay_us_max = 400'000, .cancels = 0.9},
             {{Upset::kill, 0.1}}),
    };
}

/// Answers that come late, and no others: what tells a lease that counts from the question from one
/// that counts from the answer. Questions are fast, as over routes that differ in each direction.
/// Few jobs, so that a slot is free for the next run.
Profile late() {
    return with(with_rates({.name = "late",
                            .delay_us_max = 20'000,
                            .slow_share = 0.8,
                            .slow_us_max = 1'900'000,
                            .slow_one_way = true,
                            .clocks_between = 0,
                            .machines_min = 2,
                            .jobs_min = 2,
                            .jobs_max = 8,
                            .long_runs = 1.0,
                            .long_run_us_min = 5'000'000,
                            .long_run_us_max = 12'000'000}),
                {{Upset::split, 0.5}});
}

/// Likewise, where most of what is said is lost.
Profile deaf() {
    return with_rates({.name = "deaf",
                       .loss = 0.6,
                       .delay_us_max = 20'000,
                       .slow_share = 0.8,
                       .slow_us_max = 950'000,
                       .slow_one_way = true,
                       .clocks_between = 0,
                       .machines_min = 2,
                       .jobs_min = 2,
                       .jobs_max = 8,
                       .long_runs = 1.0,
                       .long_run_us_min = 5'000'000,
                       .long_run_us_max = 12'000'000});
}

Profile everything() {
    return with(with_rates({.name = "everything",
                            .loss = 0.1,
                            .doubling = 0.1,
                            .delay_us_max = 50'000,
                            .slow_share = 0.05,
                            .slow_us_max = 6'000'000,
                            .failure = 0.1,
                            .cancels = 0.2,
                            .machines_max = 5,
                            .versions = true}),
                {{Upset::kill, 0.2},
                 {Upset::power_loss, 0.1},
                 {Upset::pause, 0.2},
                 {Upset::broker_pause, 0.1},
                 {Upset::suspend, 0.05},
                 {Upset::partition, 0.2},
                 {Upset::split, 0.1},
                 {Upset::process_joins, 0.1},
                 {Upset::machine_joins, 0.05},
                 {Upset::process_leaves, 0.1},
                 {Upset::machine_leaves, 0.05},
                 {Upset::clock_rate, 0.2},
                 {Upset::wall_jump, 0.1},
                 {Upset::upgrade, 0.1}});
}

/// Of whole networks: groups of machines, who comes and goes, clocks, versions; and all at once.
std::vector<Profile> network_profiles() {
    return {
        with(with_rates({.name = "split",
                         .loss = 0.02,
                         .delay_us_max = 50'000,
                         .machines_min = 3,
                         .machines_max = 6}),
             {{Upset::split, 0.5}}),
        late(),
        deaf(),
        with({.name = "churned", .loss = 0.05, .delay_us_max = 50'000, .machines_max = 5},
             {{Upset::process_joins, 0.3},
              {Upset::machine_joins, 0.2},
              {Upset::process_leaves, 0.4},
              {Upset::machine_leaves, 0.3},
              {Upset::kill, 0.1}}),
        with(with_rates({.name = "lying clocks",
                         .loss = 0.1,
                         .delay_us_max = 300'000,
                         .slow_share = 0.1,
                         .slow_us_max = 3'000'000,
                         .machines_min = 2,
                         .machines_max = 5,
                         .long_runs = 0.8}),
             {{Upset::clock_rate, 1.0},
              {Upset::wall_jump, 0.7},
              {Upset::suspend, 0.2},
              {Upset::partition, 0.2},
              {Upset::kill, 0.1}}),
        with({.name = "rolling",
              .loss = 0.02,
              .delay_us_max = 50'000,
              .machines_min = 2,
              .machines_max = 5,
              .versions = true},
             {{Upset::upgrade, 0.4}, {Upset::machine_joins, 0.05}}),
        with({.name = "suspended", .loss = 0.02, .machines_min = 2}, {{Upset::suspend, 0.4}}),
        everything(),
    };
}

} // namespace

const std::vector<Profile>& all_profiles() {
    static const std::vector<Profile> profiles = [] {
        std::vector<Profile> made = plain_profiles();
        for (Profile& each : network_profiles()) {
            made.push_back(std::move(each));
        }
        return made;
    }();
    return profiles;
}

const Profile& profile_of(std::uint64_t seed) {
    return all_profiles()[seed % all_profiles().size()];
}

} // namespace ic::sim
