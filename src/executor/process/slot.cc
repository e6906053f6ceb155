#include "executor/process/slot.h"

#include "executor/process/run_service.h"
#include "executor/process/stop.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace ic::executor::process {
namespace {

/// Ours: a process that is not up by then has failed to start.
constexpr std::chrono::seconds start_time_max{10};
/// Ours: a look at the process's memory costs a few microseconds, so not after every run.
constexpr std::uint64_t runs_between_memory_looks = 64;

Outcome failed_outcome(Error error) {
    Outcome outcome;
    outcome.ending.error = error.code;
    outcome.ending.message = std::move(error.message);
    return outcome;
}

/// With how long it took; no more processor time than that.
Outcome timed(Outcome outcome, Instant begin) {
    const auto took = now_since_boot() - begin;
    outcome.usage.run_us = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    outcome.usage.cpu_us = std::min(outcome.usage.cpu_us, outcome.usage.run_us);
    return outcome;
}

Instant after_limit(Instant start, std::uint64_t limit_ms, std::chrono::milliseconds grace) {
    constexpr std::uint64_t year_ms = 365ULL * 24 * 3600 * 1000; // Longer is for ever.
    return start + std::chrono::milliseconds(std::min(limit_ms, year_ms)) + grace;
}

} // namespace

Slot::Slot(std::uint32_t number, const PoolOptions& options, Warden& warden)
    : number_(number)
    , options_(options)
    , warden_(warden)
    , processors_(std::thread::hardware_concurrency()) {
    warden_.add(*this);
}

Slot::~Slot() { warden_.remove(*this); }

Result<void> Slot::start() {
    if (process_ != nullptr) {
        return {};
    }
    channel::Window window = TRY(channel::Window::create());
    auto [ours, theirs] = TRY(channel::Endpoint::socket_pair());
    Child child = TRY(warden_.start({.path = options_.program.path,
                                     .arguments = options_.program.executor_arguments,
                                     .environment = options_.program.environment,
                                     .liveness = options_.liveness,
                                     .group = options_.group},
                                    std::move(theirs)));
    channel::Endpoint endpoint(std::move(ours));
    if (options_.debugging.any()) {
        TRY(endpoint.send(channel::Debug{.debugging = options_.debugging}));
    }
    const bool record = options_.record >= 0;
    const std::array descriptors{window.descriptor(), options_.record};
    TRY(endpoint.send(channel::Hello{.slot = number_, .record = record, .walls = options_.walls},
                      std::span(descriptors).first(record ? 2 : 1)));
    const std::lock_guard lock(watch_mutex_);
    process_ = std::make_unique<Process>(
        Process{std::move(child), std::move(endpoint), std::move(window), false, {}, 0, {}, 0});
    return {};
}

Slot::Fit Slot::fit(const Task& task, const Artifact& artifact) const {
    if (process_ == nullptr) {
        return Fit::fresh;
    }
    if (options_.sharing == Sharing::owner && process_->owner != task.owner) {
        return process_->owner ? Fit::none : Fit::fresh;
    }
    const bool holds = std::ranges::count(process_->modules, artifact.number, &Loaded::number) > 0;
    return holds ? Fit::warm : Fit::fit;
}

void Slot::look(Instant now) {
    const std::lock_guard lock(watch_mutex_);
    if (watch_.permit == nullptr || watch_.killed_for || process_ == nullptr) {
        return;
    }
    const Instant lease_until = watch_.permit->lease_until();
    const std::optional<Errc> reason = watch_.permit->stop_reason();
    process_->window.allow(lease_until, reason);
    const std::optional<Errc> stop = must_stop(*watch_.permit, now);
    if (stop && !watch_.stop_seen) {
        watch_.stop_seen = now;
    }
    if (stop && now >= *watch_.stop_seen + options_.grace) {
        watch_.killed_for = stop;
    } else if (now >= watch_.deadline) {
        watch_.killed_for = watch_.deadline_reason;
    }
    if (watch_.killed_for) {
        process_->child.kill();
    }
}

void Slot::watch(const Permit& permit, Instant deadline, Errc deadline_reason) {
    const Instant lease_until = permit.lease_until();
    const std::optional<Errc> stop = permit.stop_reason();
    const std::lock_guard lock(watch_mutex_);
    process_->window.allow(lease_until, stop);
    watch_.permit = &permit; // A kill that was decided already stays decided.
    watch_.deadline = deadline;
    watch_.deadline_reason = deadline_reason;
}

/// A run keeps two threads busy in turns, one on each side. With a processor for each of all, the
/// one that waits does best to look; with fewer it would look on one that the other side, or
/// another run, could use.
void Slot::decide_patience() const {
    const bool scarce = 2U * static_cast<unsigned>(warden_.armed()) > processors_;
    process_->endpoint.set_patience(scarce ? channel::Patience::sleep : channel::Patience::look);
    process_->window.control().sleep_at_once.store(scarce ? 1 : 0, std::memory_order_relaxed);
}

std::optional<Errc> Slot::unwatch() {
    const std::lock_guard lock(watch_mutex_);
    return std::exchange(watch_, {}).killed_for;
}

SlotRun
Slot::run(const Task& task, const JobArtifacts& artifacts, const Permit& permit, Host& host) {
    const Armed armed(warden_);
    for (bool again = false;; again = true) {
        Attempt attempt;
        Result<SlotRun> ran = try_run(task, artifacts, permit, host, attempt);
        const std::optional<Errc> killed_for = unwatch();
        SlotRun result;
        if (ran && !killed_for) {
            result = std::move(ran).take();
        } else {
            const Error error =
                ran ? Error{Errc::unavailable, "killed as it ended"} : Error{ran.error()};
            Outcome failed = explain(error, killed_for);
            if (!attempt.asked && !killed_for && !again) {
                continue; // It had died while it was idle: nothing of the task began.
            }
            // What the guest had said and used until then is as good as that of one that ended.
            result.outcome = ran ? std::move(ran).take().outcome : std::move(attempt.so_far);
            result.outcome.ending = std::move(failed.ending);
        }
        if (process_ != nullptr && is_worn_out()) {
            metrics::count(options_.counts, metrics::Metric::executors_replaced, "worn-out");
            end_process();
        }
        if (process_ == nullptr) {
            // A failure shows when the next run tries again.
            static_cast<void>(start());
        }
        return result;
    }
}

Result<SlotRun> Slot::try_run(const Task& task,
                              const JobArtifacts& artifacts,
                              const Permit& permit,
                              Host& host,
                              Attempt& attempt) {
    TRY(start_for(task));
    TRY(await_up(permit));
    // From here on: an executor that reads nothing would hold up whoever sends to it.
    watch(permit,
          after_limit(now_since_boot(), task.spec.limits.wall_ms_max, options_.grace),
          Errc::limit_wall_time);
    TRY(provide_all(artifacts));
    return converse(task, artifacts, host, attempt);
}

/// There is a process then that has run nothing which must not meet this task.
Result<void> Slot::start_for(const Task& task) {
    if (options_.sharing == Sharing::owner && process_ != nullptr && process_->owner &&
        process_->owner != task.owner) {
        metrics::count(options_.counts, metrics::Metric::executors_replaced, "owner");
        end_process();
    }
    TRY(start());
    if (options_.sharing == Sharing::owner) {
        process_->owner = task.owner;
    }
    return {};
}

Result<void> Slot::await_up(const Permit& permit) {
    if (process_->up) {
        return {};
    }
    watch(permit, now_since_boot() + start_time_max, Errc::unavailable);
    const channel::Received received = TRY(process_->endpoint.receive());
    const auto* ready = std::get_if<channel::Ready>(&received.message);
    if (ready == nullptr || ready->slot != number_) {
        return Error{Errc::executor_crashed, "the executor process did not come up"};
    }
    process_->up = true;
    return {};
}

Result<void> Slot::provide_all(const JobArtifacts& artifacts) {
    for (const std::shared_ptr<const Artifact>& import : artifacts.imports) {
        TRY(provide(*import, artifacts));
    }
    return provide(*artifacts.module, artifacts);
}

/// Makes room for it, but all of one job stay, whatever the options say.
Result<void> Slot::provide(const Artifact& artifact, const JobArtifacts& job) {
    std::list<Loaded>& modules = process_->modules;
    const auto held = std::ranges::find(modules, artifact.number, &Loaded::number);
    if (held != modules.end()) {
        modules.splice(modules.begin(), modules, held);
        return {};
    }
    while (!modules.empty() && !job.have(modules.back().number) &&
           (modules.size() >= options_.modules_per_process_max ||
            process_->module_bytes + artifact.bytes > options_.module_bytes_per_process_max)) {
        TRY(process_->endpoint.send(channel::Drop{.module = modules.back().number}));
        process_->module_bytes -= modules.back().bytes;
        modules.pop_back();
    }
    const std::array descriptors{artifact.memory.get()};
    TRY(process_->endpoint.send(channel::Load{.module = artifact.number}, descriptors));
    modules.push_front({.number = artifact.number, .bytes = artifact.bytes});
    process_->module_bytes += artifact.bytes;
    return {};
}

Result<void> Slot::ask(std::uint64_t run, const Task& task, const JobArtifacts& artifacts) {
    if (!artifacts.imports.empty()) {
        channel::Imports imports{.imports = task.spec.imports};
        for (const std::shared_ptr<const Artifact>& import : artifacts.imports) {
            imports.modules.push_back(import->number);
        }
        TRY(process_->endpoint.send(imports));
    }
    return process_->endpoint.send(
        channel::Start{.run = run, .module = artifacts.module->number, .task = task});
}

Result<SlotRun>
Slot::converse(const Task& task, const JobArtifacts& artifacts, Host& host, Attempt& attempt) {
    const Instant begin = now_since_boot();
    decide_patience();
    RunService service(task, options_.debugging, host, process_->endpoint, process_->window);
    const std::uint64_t run = ++last_run_;
    TRY(ask(run, task, artifacts));
    attempt.asked = true;
    if (Result<void> served = service.serve(run); !served) {
        attempt.so_far = timed(service.take_outcome(), begin);
        return std::move(served).take_error();
    }
    ++process_->runs;

    SlotRun result{.outcome = timed(service.take_outcome(), begin)};
    if (service.not_loaded()) {
        std::erase_if(process_->modules, [&](const Loaded& loaded) { // It did not keep these.
            const bool gone = artifacts.have(loaded.number);
            process_->module_bytes -= gone ? loaded.bytes : 0;
            return gone;
        });
        result.artifact_unusable = service.not_loaded()->code == Errc::unsupported;
        result.outcome = timed(failed_outcome(*service.not_loaded()), begin);
    }
    return result;
}

Outcome Slot::explain(const Error& error, std::optional<Errc> killed_for) {
    if (process_ == nullptr) {
        return failed_outcome(Error{error}); // It could not be started.
    }
    const std::string end = end_process();
    metrics::count(
        options_.counts, metrics::Metric::executors_replaced, killed_for ? "killed" : "died");
    if (killed_for) {
        return failed_outcome({*killed_for, describe_stop(*killed_for)});
    }
    if (error.code == Errc::too_large) { // Our own Start message: nothing has happened yet.
        return failed_outcome(Error{error});
    }
    const bool no_memory = options_.group != nullptr && options_.group->has_killed();
    return failed_outcome({Errc::executor_crashed,
                           "the executor process is gone (" + end + "): " +
                               (no_memory ? "all executors and compilers together had used up the "
                                            "memory of their cgroup"
                                          : error.message)});
}

std::string Slot::end_process() {
    if (process_ == nullptr) {
        return "never started";
    }
    process_->child.kill();
    const std::string end = process_->child.wait().describe();
    const std::lock_guard lock(watch_mutex_);
    process_ = nullptr;
    return end;
}

bool Slot::is_worn_out() const {
    return process_->runs >= options_.runs_per_process_max ||
           (process_->runs % runs_between_memory_looks == 0 &&
            process_->child.resident_bytes() > options_.resident_bytes_max);
}

} // namespace ic::executor::process
