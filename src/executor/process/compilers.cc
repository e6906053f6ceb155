#include "executor/process/compilers.h"

#include "base/file.h"
#include "executor/channel/endpoint.h"
#include "executor/process/stop.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <optional>
#include <string_view>
#include <utility>

namespace ic::executor::process {
namespace {

using Made = Result<std::shared_ptr<const Artifact>>;

/// How often a wait looks at what may end it. Ours, as limits::warden_period.
constexpr std::chrono::milliseconds look_period = limits::warden_period;

Result<UniqueFd> module_memory(ByteView module) {
    UniqueFd memory(::memfd_create("ic-module", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ByteView rest = module;
    while (memory && !rest.empty()) {
        const ssize_t count = ::write(memory.get(), rest.data(), rest.size());
        if (count < 0 && errno != EINTR) {
            break;
        }
        rest = rest.subspan(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    if (!memory || !rest.empty() ||
        ::fcntl(memory.get(),
                F_ADD_SEALS,
                F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        return system_error("keeping", "a module", errno);
    }
    return memory;
}

/// Whether words of a compiler are about memory it did not get: Rust's allocator, C++'s, the
/// kernel's error, the sanitizers' allocator.
bool speaks_of_memory(std::string_view words) {
    constexpr std::array<std::string_view, 5> phrases{"memory allocation",
                                                      "bad_alloc",
                                                      "Cannot allocate memory",
                                                      "Failed to mmap",
                                                      "out of memory"};
    return std::ranges::any_of(phrases, [words](std::string_view phrase) {
        return words.find(phrase) != std::string_view::npos;
    });
}

Error out_of_memory() {
    return Error{Errc::compile_memory, "compiling the module needs more memory than its limit"};
}

/// What a compiler's end means that gave no answer.
Error describe_death(const ChildEnd& end) {
    if (end.signal == SIGXCPU) {
        return Error{Errc::compile_timeout, describe_stop(Errc::compile_timeout)};
    }
    if (speaks_of_memory(end.last_words)) {
        return out_of_memory();
    }
    return Error{Errc::internal, "the compiler process is gone (" + end.describe() + ")"};
}

} // namespace

/// One compilation and those who wait for it. Guarded by its mutex but for what never changes.
struct Compilers::Compilation {
    RunningKey key;
    job::Limits limits;
    std::uint64_t module_bytes = 0;
    UniqueFd module;
    Instant deadline;

    std::atomic<bool> abandoned{false};
    std::mutex mutex;
    std::condition_variable done;
    int waiting = 0;
    std::optional<Made> result;
};

Compilers::Compilers(Warden& warden,
                     ArtifactCache& cache,
                     ChildOptions program,
                     channel::WallSet walls)
    : warden_(warden)
    , cache_(cache)
    , program_(std::move(program))
    , walls_(walls) {}

Compilers::~Compilers() {
    std::map<std::thread::id, std::thread> threads;
    {
        const std::lock_guard lock(mutex_);
        for (auto& [key, compilation] : running_) {
            compilation->abandoned = true;
        }
        threads = std::exchange(threads_, {});
    }
    for (auto& [id, thread] : threads) {
        thread.join();
    }
}

Made Compilers::compile(const ArtifactKey& key,
                        ByteView module,
                        const job::Limits& limits,
                        const Permit& permit,
                        const Imports& imports) {
    const Instant deadline = now_since_boot() + std::chrono::milliseconds(limits.compile_ms_max);
    for (;;) {
        const std::shared_ptr<Compilation> compilation = join({key, imports}, module, limits);
        if (std::optional<Error> left = await(*compilation, deadline, permit)) {
            return std::move(*left);
        }
        const Made& made = *compilation->result; // It does not change any more.
        const bool at_a_limit = !made && (made.error().code == Errc::compile_timeout ||
                                          made.error().code == Errc::compile_memory);
        const bool ours_is_larger =
            compilation->limits.compile_ms_max < limits.compile_ms_max ||
            compilation->limits.compile_memory_bytes_max < limits.compile_memory_bytes_max;
        if (!at_a_limit || !ours_is_larger) {
            return made;
        }
        // It was somebody else's, with tighter limits than ours: try with our own.
    }
}

std::shared_ptr<Compilers::Compilation>
Compilers::join(const RunningKey& key, ByteView module, const job::Limits& limits) {
    join_finished_threads();
    const std::lock_guard lock(mutex_);
    if (const auto found = running_.find(key); found != running_.end()) {
        const std::lock_guard inner(found->second->mutex);
        if (!found->second->abandoned && !found->second->result) {
            ++found->second->waiting;
            return found->second;
        }
    }
    auto compilation = std::make_shared<Compilation>();
    compilation->waiting = 1;
    // Another run's may have ended since this one looked, while it fetched the module.
    if (std::shared_ptr<const Artifact> made = cache_.find(key.first)) {
        compilation->result.emplace(std::move(made));
        return compilation;
    }
    compilation->key = key;
    compilation->limits = limits;
    compilation->module_bytes = module.size();
    compilation->deadline = now_since_boot() + std::chrono::milliseconds(limits.compile_ms_max);
    Result<UniqueFd> memory = module_memory(module);
    if (!memory) {
        compilation->result.emplace(std::move(memory).take_error());
        return compilation;
    }
    compilation->module = std::move(memory).take();
    running_.insert_or_assign(key, compilation);
    std::thread thread([this, compilation] { drive(compilation); });
    const std::thread::id id = thread.get_id();
    threads_.emplace(id, std::move(thread));
    return compilation;
}

/// Why it was left before it ended, if it was.
std::optional<Error>
Compilers::await(Compilation& compilation, Instant deadline, const Permit& permit) {
    std::unique_lock lock(compilation.mutex);
    std::optional<Errc> stop;
    const auto finished = [&compilation] { return compilation.result.has_value(); };
    while (!stop && !compilation.done.wait_for(lock, look_period, finished)) {
        const Instant now = now_since_boot();
        stop = must_stop(permit, now);
        if (!stop && now >= deadline) {
            stop = Errc::compile_timeout;
        }
    }
    --compilation.waiting;
    if (!stop) {
        return std::nullopt;
    }
    if (compilation.waiting == 0) {
        compilation.abandoned = true;
        compilation.done.wait(lock, finished); // Soon: nothing of it is alive then.
    }
    return Error{*stop, describe_stop(*stop)};
}

void Compilers::drive(const std::shared_ptr<Compilation>& compilation) {
    Made made = compile_now(*compilation);
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(compilation->key);
    if (found != running_.end() && found->second == compilation) {
        running_.erase(found);
    }
    finished_.push_back(std::this_thread::get_id());
    {
        const std::lock_guard inner(compilation->mutex);
        compilation->result.emplace(std::move(made));
    }
    compilation->done.notify_all();
}

Made Compilers::compile_now(Compilation& compilation) {
    auto [ours, theirs] = TRY(channel::Endpoint::socket_pair());
    Child compiler = TRY(warden_.start(program_, std::move(theirs)));
    channel::Endpoint endpoint(std::move(ours));

    UniqueFd artifact(::memfd_create("ic-artifact", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!artifact) {
        return system_error("keeping", "an artifact", errno);
    }
    const std::array descriptors{compilation.module.get(), artifact.get()};
    const Imports& imports = compilation.key.second;
    const bool asked =
        (imports.empty() || endpoint.send(channel::Imports{.imports = imports}).ok()) &&
        endpoint.send(channel::Compile{.limits = compilation.limits, .walls = walls_}, descriptors)
            .ok();

    bool timed_out = false;
    pollfd ready{.fd = endpoint.socket(), .events = POLLIN, .revents = 0};
    while (asked && ::poll(&ready, 1, static_cast<int>(look_period.count())) <= 0) {
        timed_out = now_since_boot() >= compilation.deadline;
        if (timed_out || compilation.abandoned) {
            compiler.kill();
            break;
        }
    }
    const bool stopped = timed_out || compilation.abandoned;
    Result<channel::Received> answer =
        asked && !stopped ? endpoint.receive() : Error{Errc::unavailable, "no answer"};
    compiler.kill(); // Whatever it said, it is not needed any more.
    const ChildEnd end = compiler.wait();
    if (stopped) {
        return Error{Errc::compile_timeout, describe_stop(Errc::compile_timeout)};
    }
    if (!answer) {
        return describe_death(end);
    }
    if (const auto* failed = std::get_if<channel::CompileFailed>(&answer->message)) {
        const bool memory = failed->code == Errc::internal && speaks_of_memory(failed->message);
        return memory ? out_of_memory() : Error{failed->code, failed->message};
    }
    struct stat status{};
    const auto* compiled = std::get_if<channel::Compiled>(&answer->message);
    if (compiled == nullptr || ::fstat(artifact.get(), &status) != 0 ||
        static_cast<std::uint64_t>(status.st_size) != compiled->artifact_bytes) {
        return Error{Errc::internal, "the compiler process gave a wrong answer"};
    }
    return cache_.put(compilation.key.first, std::move(artifact), compilation.module_bytes);
}

void Compilers::join_finished_threads() {
    std::vector<std::thread> threads;
    {
        const std::lock_guard lock(mutex_);
        for (const std::thread::id id : std::exchange(finished_, {})) {
            const auto found = threads_.find(id);
            if (found != threads_.end()) {
                threads.push_back(std::move(found->second));
                threads_.erase(found);
            }
        }
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

} // namespace ic::executor::process
