#include "executor/process/pool.h"

#include "executor/process/artifact_cache.h"
#include "executor/process/compilers.h"
#include "executor/process/module_source.h"
#include "executor/process/slot.h"
#include "executor/process/stop.h"
#include "executor/process/warden.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace ic::executor::process {
namespace {

std::uint64_t microseconds_since(Instant begin) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(now_since_boot() - begin).count());
}

/// Threads: `run` from any.
class Pool : public Executor {
public:
    Pool(const PoolOptions& options, std::unique_ptr<ArtifactCache> cache)
        : options_(options)
        , cache_(std::move(cache))
        , compilers_(warden_,
                     *cache_,
                     {.path = options_.program.path,
                      .arguments = options_.program.compiler_arguments,
                      .environment = options_.program.environment,
                      .liveness = options_.liveness,
                      .group = options_.group},
                     options_.walls) {
        for (std::uint32_t number = 0; number < options_.slots; ++number) {
            slots_.push_back(std::make_unique<Slot>(number, options_, warden_));
            free_.push_back(slots_.back().get());
        }
    }

    Result<void> start() {
        for (const std::unique_ptr<Slot>& slot : slots_) {
            TRY(slot->start());
        }
        return {};
    }

    Outcome run(const Task& task, const Permit& permit, Host& host) override {
        job::Usage usage;
        Outcome outcome = run_within(task, permit, host, usage);
        outcome.usage.fetch_us = usage.fetch_us;
        outcome.usage.compile_us = usage.compile_us;
        std::string& message = outcome.ending.message;
        message.resize(std::min(message.size(), job::limits::ending_message_bytes_max));
        return outcome;
    }

private:
    Outcome run_within(const Task& task, const Permit& permit, Host& host, job::Usage& usage) {
        for (bool again = false;; again = true) {
            const Result<JobArtifacts> artifacts = artifacts_of(task.spec, permit, host, usage);
            if (!artifacts) {
                return failed(Error{artifacts.error()});
            }
            if (const std::optional<Errc> stop = must_stop(permit, now_since_boot())) {
                return failed({*stop, describe_stop(*stop)});
            }
            host.stage(job::Stage::running);
            Slot& slot = take_slot(task, *artifacts->module);
            SlotRun ran = slot.run(task, *artifacts, permit, host);
            give_back(slot);
            if (!ran.artifact_unusable || again) {
                return std::move(ran.outcome);
            }
            // Authentic, but one at least is not for this engine: once more.
            cache_->drop(key_of(task.spec, task.spec.module));
            for (const auto& [name, module] : task.spec.imports) {
                cache_->drop(key_of(task.spec, module));
            }
        }
    }

    static Outcome failed(Error error) {
        Outcome outcome;
        outcome.ending.error = error.code;
        outcome.ending.message = std::move(error.message);
        return outcome;
    }

    ArtifactKey key_of(const job::JobSpec& spec, const Cid& module) const {
        return {.module = module,
                .fingerprint =
                    spec.limits.fuel_max == 0 ? options_.fingerprint : options_.fingerprint_fuel};
    }

    Result<JobArtifacts>
    artifacts_of(const job::JobSpec& spec, const Permit& permit, Host& host, job::Usage& usage) {
        JobArtifacts artifacts;
        artifacts.module = TRY(artifact_of(spec, spec.module, permit, host, usage));
        for (const auto& [name, module] : spec.imports) {
            Result<std::shared_ptr<const Artifact>> import =
                artifact_of(spec, module, permit, host, usage);
            if (!import) {
                return std::move(import).take_error().during("import " + name);
            }
            artifacts.imports.push_back(std::move(import).take());
        }
        return artifacts;
    }

    /// Of the job's own module, or of one of its imports: each within the limits.
    Result<std::shared_ptr<const Artifact>> artifact_of(const job::JobSpec& spec,
                                                        const Cid& cid,
                                                        const Permit& permit,
                                                        Host& host,
                                                        job::Usage& usage) {
        const ArtifactKey key = key_of(spec, cid);
        if (std::shared_ptr<const Artifact> artifact = cache_->find(key)) {
            if (artifact->module_bytes > spec.limits.module_bytes_max) {
                return Error{Errc::module_too_large,
                             "the module has " + std::to_string(artifact->module_bytes) +
                                 " bytes; the limit is " +
                                 std::to_string(spec.limits.module_bytes_max)};
            }
            metrics::count(options_.counts, metrics::Metric::artifact_cache_hits);
            return artifact;
        }
        metrics::count(options_.counts, metrics::Metric::artifact_cache_misses);
        host.stage(job::Stage::fetching);
        const Instant fetch_begin = now_since_boot();
        const Result<Bytes> module = read_module(host, cid, spec.limits.module_bytes_max, permit);
        usage.fetch_us += microseconds_since(fetch_begin);
        if (!module) {
            return Error{module.error()};
        }
        host.stage(job::Stage::compiling);
        const Instant compile_begin = now_since_boot();
        Result<std::shared_ptr<const Artifact>> made =
            compilers_.compile(key, *module, spec.limits, permit, spec.imports);
        usage.compile_us += microseconds_since(compile_begin);
        return made;
    }

    /// The free slot that fits best. Of several the one used last: the less used processes then
    /// stay small; but if its process has to go, the one used longest ago.
    Slot& take_slot(const Task& task, const Artifact& artifact) {
        std::unique_lock lock(mutex_);
        freed_.wait(lock, [this] { return !free_.empty(); });
        auto best = free_.begin();
        Slot::Fit best_fit = (*best)->fit(task, artifact);
        for (auto slot = std::next(best); slot != free_.end(); ++slot) {
            const Slot::Fit fit = (*slot)->fit(task, artifact);
            if (fit > best_fit || (fit == best_fit && fit != Slot::Fit::none)) {
                best = slot;
                best_fit = fit;
            }
        }
        Slot& taken = **best;
        free_.erase(best);
        return taken;
    }

    void give_back(Slot& slot) {
        {
            const std::lock_guard lock(mutex_);
            free_.push_back(&slot);
        }
        freed_.notify_one();
    }

    const PoolOptions options_;
    std::unique_ptr<ArtifactCache> cache_;
    Warden warden_; // Its thread is the parent of every process below.
    Compilers compilers_;
    std::vector<std::unique_ptr<Slot>> slots_;

    std::mutex mutex_;
    std::condition_variable freed_;
    std::vector<Slot*> free_;
};

} // namespace

Result<std::unique_ptr<Executor>> open_pool(const PoolOptions& options) {
    std::unique_ptr<ArtifactCache> cache =
        TRY(ArtifactCache::open({.folder = options.artifacts_folder,
                                 .key = options.artifact_key,
                                 .disk_bytes_max = options.artifacts_disk_bytes_max,
                                 .memory_bytes_max = options.artifacts_memory_bytes_max}));
    auto pool = std::make_unique<Pool>(options, std::move(cache));
    TRY(pool->start());
    return std::unique_ptr<Executor>(std::move(pool));
}

} // namespace ic::executor::process
