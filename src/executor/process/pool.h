#pragma once
/// The executor that runs tasks in processes of its own: opened by wiring, used as an Executor.

#include "base/result.h"
#include "executor/channel/wall_set.h"
#include "executor/executor.h"
#include "executor/process/cgroup.h"
#include "metrics/registry.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ic::executor::process {

/// What to start. The started program finds its channel as channel_descriptor and the broker's
/// process id as its last argument (channel/walls.h).
struct Program {
    std::string path = "/proc/self/exe";
    std::vector<std::string> executor_arguments{"ipfs-compute", "internal-executor"};
    std::vector<std::string> compiler_arguments{"ipfs-compute", "internal-compiler"};
    std::vector<std::string> environment{}; ///< All that they see of it.
};

/// Whose tasks one executor process runs, one after the other.
enum class Sharing : std::uint8_t {
    all,   ///< Everybody's.
    owner, ///< One owner's: another's task finds a new process.
};

struct PoolOptions {
    std::uint32_t slots = 1; ///< Executor processes, and threads that may call `run` at once.
    Program program;
    std::string artifacts_folder;
    std::array<std::uint8_t, 32> artifact_key{}; ///< PrivateKey::derive("artifact-mac/1").
    std::string fingerprint;                     ///< wasm::engine_fingerprint(Metering::none).
    std::string fingerprint_fuel;                ///< wasm::engine_fingerprint(Metering::fuel).
    std::uint64_t artifacts_disk_bytes_max = std::uint64_t{1} << 30U;
    std::uint64_t artifacts_memory_bytes_max = std::uint64_t{64} << 20U;
    Debugging debugging; ///< Of every run.
    int liveness = -1;   ///< Held open by every process; the end of all of them is seen there.
    int record = -1;     ///< Opened for appending; executors write a line at each start and end.
    /// Ours: how long after a limit, a stop or a lease's end an executor may take to end by itself.
    std::chrono::milliseconds grace{80};
    Sharing sharing = Sharing::all;
    std::uint64_t runs_per_process_max = 10'000;
    std::uint64_t resident_bytes_max = std::uint64_t{256} << 20U; ///< After a run; more: a new one.
    std::size_t modules_per_process_max = 128; ///< Each takes a descriptor of the process.
    std::uint64_t module_bytes_per_process_max = std::uint64_t{64} << 20U; ///< Of their artifacts.
    /// A process that lacks one of these runs and compiles nothing; but `resources` is the group's.
    channel::WallSet walls{};
    metrics::Registry* counts = nullptr; ///< Null: nobody counts. Outlives the pool.
    const Cgroup* group = nullptr; ///< Which takes every process in, if any. Outlives the pool.
};

/// Starts the executors; compilers are started when needed. Errors: as the artifacts folder;
/// unavailable (no process can be started).
/// Lifetime: the descriptors in `options` outlive it; `run` has returned everywhere before it goes.
Result<std::unique_ptr<Executor>> open_pool(const PoolOptions& options);

} // namespace ic::executor::process
