#pragma once
/// Compilers: modules into artifacts, each in a process of its own that may be killed.

#include "base/bytes.h"
#include "base/result.h"
#include "executor/channel/wall_set.h"
#include "executor/executor.h"
#include "executor/process/artifact_cache.h"
#include "executor/process/warden.h"
#include "job/spec.h"

#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace ic::executor::process {

/// Threads: `compile` from any; several that want one artifact share one compilation.
class Compilers {
public:
    using Imports = std::vector<job::NamedModule>;

    Compilers(Warden& warden, ArtifactCache& cache, ChildOptions program, channel::WallSet walls);
    ~Compilers();

    /// Blocks until the module, which may import from modules of the names in `imports`, is
    /// compiled and kept, within `limits.compile_ms_max`, or until `permit` says stop. A
    /// compilation that nobody waits for any more is killed. Errors: module_invalid,
    /// module_too_large, import_missing and others that the compiler names; compile_timeout,
    /// compile_memory; cancelled, lease_lost or another stop reason; internal (the compiler died),
    /// unavailable (it could not be started).
    Result<std::shared_ptr<const Artifact>> compile(const ArtifactKey& key,
                                                    ByteView module,
                                                    const job::Limits& limits,
                                                    const Permit& permit,
                                                    const Imports& imports = {});

private:
    struct Compilation;

    /// Whether a module's imports are refused depends on what its job names for them, its machine
    /// code does not: so this is no part of ArtifactKey.
    using RunningKey = std::pair<ArtifactKey, Imports>;

    std::shared_ptr<Compilation>
    join(const RunningKey& key, ByteView module, const job::Limits& limits);
    std::optional<Error> await(Compilation& compilation, Instant deadline, const Permit& permit);
    void drive(const std::shared_ptr<Compilation>& compilation);
    Result<std::shared_ptr<const Artifact>> compile_now(Compilation& compilation);
    void join_finished_threads();

    Warden& warden_;
    ArtifactCache& cache_;
    ChildOptions program_;
    channel::WallSet walls_;

    std::mutex mutex_;
    std::map<RunningKey, std::shared_ptr<Compilation>> running_;
    std::map<std::thread::id, std::thread> threads_;
    std::vector<std::thread::id> finished_;
};

} // namespace ic::executor::process
