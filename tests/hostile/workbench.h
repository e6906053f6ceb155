#pragma once
/// Workbench: the real broker's side with real executor and compiler processes, in a folder of its
/// own, for guests that mean harm.

#include "executor/process/pool.h"
#include "executor/process/testing/fakes.h"
#include "net/guest_curl.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace ic::hostile {

using executor::Outcome;
using executor::Task;

/// A host in memory whose requests go through what a worker's go through: the lists of hosts, the
/// rules for addresses, a real socket. Threads: as Host.
class Host final : public executor::process::testing::FakeHost {
public:
    Host();

    Result<std::unique_ptr<executor::CurlBody>> curl(std::string_view request,
                                                     const Task& task) override;

private:
    net::WorkerNetwork network_;
};

/// A run, and how long it took as the broker sees it.
struct Timed {
    Outcome outcome;
    std::chrono::milliseconds took{};
};

/// What a process holds.
struct Holdings {
    std::size_t descriptors = 0;
    std::uint64_t resident_bytes = 0; ///< Of its own.
};

/// Requires: `main` called `role_of_child` first. Threads: one.
class Workbench {
public:
    explicit Workbench(std::uint32_t slots = 1);
    Workbench(const Workbench&) = delete;
    Workbench& operator=(const Workbench&) = delete;
    ~Workbench();

    /// A task of this module's function `run`, pure, with small limits: 300 ms, 16 MiB, 10,000
    /// table elements, 64 KiB of output and of log, 1 MiB to add, 16 handles, 4 responses.
    Task task_of(const Bytes& module);

    Timed run(const Task& task);

    /// That a job which does all that a good job does is right, now.
    void expect_a_good_job_is_right();

    Host& host() { return host_; }

    /// Processes that run guests now, as this process's children.
    std::set<int> executors() const;

    Holdings own_holdings() const;
    /// Descriptors are 0 where /proc does not show them.
    static Holdings holdings_of(int process);

private:
    std::filesystem::path folder_;
    Host host_;
    executor::process::testing::FakePermit permit_;
    std::unique_ptr<executor::Executor> pool_;
    Bytes good_;
};

/// "ok", or the name of its error.
std::string_view ending_name(const Outcome& outcome);

/// How often, where a test that is labelled long says `many` and every other `few`.
std::size_t times(std::size_t few, std::size_t many);

} // namespace ic::hostile
