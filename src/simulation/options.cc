#include "simulation/options.h"

#include <string>

namespace ic::simulation {

using namespace std::chrono_literals;

namespace {

Result<void> check_share(const char* name, double value, double max) {
    if (value >= 0 && value <= max) {
        return {};
    }
    return Error{Errc::usage,
                 std::string("simulate: ") + name + " is a share from 0 to " +
                     (max == 1 ? "1" : "0.9")};
}

Result<void> check_count(const char* name, std::uint32_t value, std::uint32_t max) {
    if (value >= 1 && value <= max) {
        return {};
    }
    return Error{Errc::usage,
                 std::string("simulate: ") + name + " must be 1 to " + std::to_string(max)};
}

} // namespace

Result<void> check(const Options& options) {
    TRY(check_count("nodes", options.nodes, limits::nodes_max));
    TRY(check_count("coordinators", options.coordinators, limits::coordinators_max));
    TRY(check_count("jobs", options.jobs, limits::jobs_max));
    TRY(check_count("slots", options.slots, 256));
    if (options.mesh < 3 || options.mesh > 1'000) {
        return Error{Errc::usage, "simulate: a mesh has 3 to 1000 peers"};
    }
    if (options.bidders == 0 && options.nodes > limits::all_bid_nodes_max) {
        return Error{Errc::usage,
                     "simulate: all workers can bid (--bidders 0) among at most " +
                         std::to_string(limits::all_bid_nodes_max) + " nodes"};
    }
    if (options.probes > limits::probes_max) {
        return Error{Errc::usage,
                     "simulate: at most " + std::to_string(limits::probes_max) +
                         " workers are probed"};
    }
    TRY(check_share("loss", options.loss, 0.9));
    TRY(check_share("doubling", options.doubling, 1));
    TRY(check_share("busy", options.busy, 1));
    if (!(options.churn >= 0 && options.churn <= 10)) {
        return Error{Errc::usage, "simulate: churn must be 0 to 10"};
    }
    if (!(options.jobs_per_s >= 0.001 && options.jobs_per_s <= 100'000)) {
        return Error{Errc::usage, "simulate: jobs a second must be 0.001 to 100000"};
    }
    if (options.run < 2ms || options.run > 60s || options.delay < 1ms || options.delay > 1s) {
        return Error{Errc::usage, "simulate: a run takes 2 ms to 60 s, a message 1 ms to 1 s"};
    }
    return {};
}

} // namespace ic::simulation
