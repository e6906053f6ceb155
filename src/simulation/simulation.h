#pragma once
/// simulate: the machines of src/lease, as they ship, over a modelled network of any size. Only
/// nodes that are called to bid become machines; of all others it is computed what they would hear.
/// Same options, same outcome, on every machine.

#include "simulation/options.h"

#include <functional>

namespace ic::simulation {

struct Progress {
    std::uint64_t jobs_ended = 0;
    std::uint64_t jobs = 0;
};

using OnProgress = std::function<void(const Progress&)>;

/// Runs until every job has ended and nothing of it is on its way any more. `on_progress` may be
/// empty; it is called each time that a job ends. Requires: `check(options)` is ok.
Outcome simulate(const Options& options, const OnProgress& on_progress = {});

} // namespace ic::simulation
