#pragma once
/// Chart: outcomes over the size of the network, as one SVG picture.

#include "simulation/options.h"

#include <string>
#include <vector>

namespace ic::simulation {

struct Point {
    Options options;
    Outcome outcome;
};

/// Four panels: executions a job, latency, direct messages a job, copies of broadcasts a job and
/// node; a line for each loss. Points of one loss are in the order of their nodes.
std::string chart(const std::vector<Point>& points);

/// `total` divided among the jobs.
double per_job(std::uint64_t total, const Outcome& outcome);

} // namespace ic::simulation
