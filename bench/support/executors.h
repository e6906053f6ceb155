#pragma once
/// Executors: real executor and compiler processes behind all walls, as a worker has them. For
/// benchmarks: what fails ends the program with a line that says what.

#include "executor/executor.h"
#include "executor/process/pool.h"
#include "executor/process/testing/fakes.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ic::bench {

/// The exit status of a process that this program started as an executor or compiler; nothing in
/// the benchmark itself. `main` calls it first.
std::optional<int> run_as_child(int count, char** arguments);

/// What a worker's pool has, in `folder`.
executor::process::PoolOptions pool_options(const std::string& folder, std::uint32_t slots);

std::unique_ptr<executor::Executor> open_executors(const executor::process::PoolOptions& options);

/// Runs the task, which must succeed.
executor::Outcome run_task(executor::Executor& executor,
                           const executor::Task& task,
                           executor::process::testing::FakeHost& host);

/// This process and all that descend from it may run on the first `cores` cores alone.
void use_cores(unsigned cores);

/// The memory of this process, then that of each child (proportional set size), in MiB.
std::vector<double> memory_mib();

} // namespace ic::bench
