#pragma once
/// Slot: one executor process after another, and the run in it.

#include "base/result.h"
#include "executor/channel/endpoint.h"
#include "executor/channel/window.h"
#include "executor/executor.h"
#include "executor/process/artifact_cache.h"
#include "executor/process/pool.h"
#include "executor/process/warden.h"

#include <algorithm>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace ic::executor::process {

/// The machine code of one job.
struct JobArtifacts {
    std::shared_ptr<const Artifact> module;
    std::vector<std::shared_ptr<const Artifact>> imports{}; ///< In the order of `JobSpec::imports`.

    bool have(std::uint64_t number) const {
        return module->number == number ||
               std::ranges::any_of(imports, [number](const std::shared_ptr<const Artifact>& one) {
                   return one->number == number;
               });
    }
};

/// How a run in a slot came out.
struct SlotRun {
    Outcome outcome;
    bool artifact_unusable = false; ///< One is another engine's: compile anew; nothing ran.
};

/// Threads: `run` and `start` by whoever has the slot; `look` by the warden.
class Slot : public Watched {
public:
    Slot(std::uint32_t number, const PoolOptions& options, Warden& warden);
    ~Slot() override;

    /// Starts a process unless there is one; does not wait until it is up. Errors: unavailable.
    Result<void> start();

    /// Runs the task and returns when nothing of it is alive. A process that died or was killed has
    /// a successor already when this returns.
    SlotRun run(const Task& task, const JobArtifacts& artifacts, const Permit& permit, Host& host);

    /// What its process is to such a task, the worst first.
    enum class Fit : std::uint8_t {
        none,  ///< Another owner's: one must take its place.
        fresh, ///< It has run nothing yet that keeps it from this.
        fit,
        warm, ///< And it has the artifact loaded.
    };
    Fit fit(const Task& task, const Artifact& artifact) const;

    /// Kills what is beyond its time: the wall limit, a stop or the lease's end, each with grace.
    void look(Instant now) override;

private:
    /// An artifact that the process has.
    struct Loaded {
        std::uint64_t number = 0;
        std::uint64_t bytes = 0;
    };

    struct Process {
        Child child;
        channel::Endpoint endpoint;
        channel::Window window;
        bool up = false;                  // Whether its Ready came.
        std::optional<std::string> owner; // Of what it has run, if it is not for all.
        std::uint64_t runs = 0;
        std::list<Loaded> modules;      // The most recently used first.
        std::uint64_t module_bytes = 0; // Of all of them.
    };

    /// What the warden sees of the run. Guarded by watch_mutex_.
    struct Watch {
        const Permit* permit = nullptr;
        Instant deadline;
        Errc deadline_reason = Errc::limit_wall_time;
        std::optional<Instant> stop_seen;
        std::optional<Errc> killed_for;
    };

    /// How far a run came that then failed.
    struct Attempt {
        bool asked = false; ///< The process may have begun the task.
        Outcome so_far;     ///< Without its ending.
    };

    Result<void> start_for(const Task& task);
    Result<void> await_up(const Permit& permit);
    Result<void> provide_all(const JobArtifacts& artifacts);
    Result<void> provide(const Artifact& artifact, const JobArtifacts& job);
    Result<SlotRun> try_run(const Task& task,
                            const JobArtifacts& artifacts,
                            const Permit& permit,
                            Host& host,
                            Attempt& attempt);
    Result<SlotRun>
    converse(const Task& task, const JobArtifacts& artifacts, Host& host, Attempt& attempt);
    Result<void> ask(std::uint64_t run, const Task& task, const JobArtifacts& artifacts);
    void watch(const Permit& permit, Instant deadline, Errc deadline_reason);
    std::optional<Errc> unwatch();
    void decide_patience() const;
    Outcome explain(const Error& error, std::optional<Errc> killed_for);
    std::string end_process();
    bool is_worn_out() const;

    const std::uint32_t number_;
    const PoolOptions& options_;
    Warden& warden_;
    const unsigned processors_; // That this process may run on.
    std::unique_ptr<Process> process_;
    std::uint64_t last_run_ = 0;

    std::mutex watch_mutex_;
    Watch watch_;
};

} // namespace ic::executor::process
