#pragma once
/// Whether runs of one pure job are alike: what `run --verify-determinism` asks.

#include "base/result.h"
#include "worker/run_job.h"

#include <cstdint>
#include <functional>
#include <string>

namespace ic::cli {

namespace limits {
inline constexpr std::uint64_t compared_runs_max = 100'000; ///< Ours: days of a second each.
}

/// What differs between two runs, in words: ending, exit status, value, or the CID of an output;
/// empty if nothing of that does. Times, and what else a receipt says of one run, do not count.
std::string difference(const worker::FinishedRun& one, const worker::FinishedRun& other);

/// Whether a run ended by what its guest did: else it says nothing of the guest.
bool is_of_the_guest(const job::Ending& ending);

/// Runs again until there were `runs` with `first`. Errors: nondeterministic for the first run that
/// differs; as the run that did not end by what its guest did. Requires: `first` did.
Result<void> compare_runs(const worker::FinishedRun& first,
                          std::uint64_t runs,
                          const std::function<worker::FinishedRun()>& run_again,
                          const std::function<void(std::uint64_t compared)>& on_progress);

} // namespace ic::cli
