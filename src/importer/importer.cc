#include "importer/importer.h"

#include "base/time.h"
#include "importer/buffer_pool.h"
#include "importer/cutter.h"
#include "importer/ordered_work.h"
#include "importer/stored_dag.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace ic::importer {
namespace {

/// Lines wait until what they name is durable. So many do before the store is asked for that, and
/// so long.
constexpr std::size_t lines_waiting_max = 8192;
constexpr std::chrono::seconds line_waits_max{1};
/// Small files that are done wait for a large one before them; a job that is done needs some 300
/// bytes.
constexpr std::size_t jobs_waiting_max = 256;

/// One run of `import_files`.
class Import {
public:
    Import(const WalkRequest& request,
           std::vector<Root> roots,
           const unixfs::ImportOptions& options,
           const Destination& destination,
           const ImportEvents& events)
        : destination_(destination)
        , events_(events)
        , sink_(destination.store == nullptr ? static_cast<BlockSink&>(nothing_)
                                             : *destination.store)
        , fingerprint_(fingerprint_of(options))
        , walk_(request, std::move(roots))
        , pool_(buffer_bytes_of(options.profile.chunker))
        , cutter_(walk_, options, pool_, known())
        , worker_(walk_,
                  options,
                  sink_,
                  destination.in_place,
                  pool_,
                  [this](std::uint64_t bytes) { unreported_bytes_ += bytes; })
        , assembler_(options,
                     sink_,
                     {.added = [this](Added added) { return keep_line(std::move(added)); },
                      .root = [this](const unixfs::Entry& root) { return end_root(root); },
                      .read = [this](const Seen& seen,
                                     const unixfs::Entry& entry) { remember(seen, entry); }}) {}

    Result<void> run(std::size_t threads) {
        if (destination_.store != nullptr) {
            session_ = TRY(destination_.store->begin_session());
        }
        Result<void> done = do_in_order<Job>(
            {.threads = threads, .jobs_max = threads + jobs_waiting_max},
            [this] { return cutter_.next(); },
            [this](Job& job) { return worker_.work(job); },
            [this](Job& job) {
                report_progress();
                return assembler_.take(job);
            });
        if (!done) { // What is complete stays complete; the first error is the one that matters.
            const Result<void> reported = report_lines();
            static_cast<void>(reported);
        }
        return done;
    }

private:
    /// Not what stays in place: of two equal files the store may know the one that is gone.
    bool caches() const {
        return destination_.cache != nullptr && destination_.store != nullptr &&
               destination_.in_place == nullptr;
    }

    Cutter::Known known() {
        if (!caches()) {
            return nullptr;
        }
        return [this](const struct stat& status) -> Result<std::optional<unixfs::Entry>> {
            const FileState state = FileState::of(status, fingerprint_);
            std::optional<unixfs::Entry> entry = destination_.cache->find(state);
            if (entry && !TRY(protect_dag(*destination_.store, *session_, entry->cid))) {
                destination_.cache->forget(state);
                entry.reset();
            }
            if (entry) {
                unreported_bytes_ += state.size;
            }
            return entry;
        };
    }

    /// Young is what was so when it was looked at: it may have been written since, unseen.
    void remember(const Seen& seen, const unixfs::Entry& entry) {
        if (caches()) {
            destination_.cache->remember(
                FileState::of(seen.status, fingerprint_), entry, seen.at_ns);
        }
    }

    void report_progress() {
        if (const std::uint64_t bytes = unreported_bytes_.exchange(0); bytes != 0) {
            events_.progress(bytes);
        }
    }

    Result<void> keep_line(Added added) {
        if (waiting_.empty()) {
            waits_since_ = now_since_boot();
        }
        waiting_.push_back(std::move(added));
        const bool is_time = waiting_.size() >= lines_waiting_max ||
                             now_since_boot() - waits_since_ >= line_waits_max;
        return is_time ? report_lines() : Result<void>{};
    }

    Result<void> end_root(const unixfs::Entry& root) {
        if (destination_.pins != nullptr) { // Makes everything before it durable too.
            TRY(confirm());
            TRY(destination_.pins->add({.cid = root.cid,
                                        .kind = PinKind::recursive,
                                        .name = destination_.pin_name,
                                        .expires_at = std::nullopt}));
            return print_waiting();
        }
        return report_lines();
    }

    Result<void> report_lines() {
        if (destination_.store != nullptr) {
            TRY(confirm());
            TRY(destination_.store->sync());
        }
        return print_waiting();
    }

    /// What the cache knew may have been collected since it was found to be here.
    Result<void> confirm() { return session_ ? session_->confirm() : Result<void>{}; }

    Result<void> print_waiting() {
        for (const Added& added : std::exchange(waiting_, {})) {
            TRY(events_.added(added));
        }
        return {};
    }

    const Destination& destination_;
    const ImportEvents& events_;
    NullSink nothing_;
    BlockSink& sink_;
    const Fingerprint fingerprint_;
    Walk walk_;
    BufferPool pool_;
    Cutter cutter_;
    Worker worker_;
    Assembler assembler_;
    std::unique_ptr<WriteSession> session_;
    std::atomic<std::uint64_t> unreported_bytes_ = 0;
    std::vector<Added> waiting_;
    Instant waits_since_;
};

} // namespace

std::size_t default_threads() {
    cpu_set_t allowed;
    const int cores = ::sched_getaffinity(0, sizeof(allowed), &allowed) == 0
                          ? CPU_COUNT(&allowed)
                          : static_cast<int>(std::thread::hardware_concurrency());
    return std::min(static_cast<std::size_t>(std::max(cores, 1)) + 1, limits::threads_max);
}

Result<void> import_files(const WalkRequest& request,
                          const unixfs::ImportOptions& options,
                          const Destination& destination,
                          std::size_t threads,
                          const ImportEvents& events) {
    Import import(request, TRY(roots_of(request)), options, destination, events);
    return import.run(std::clamp<std::size_t>(threads, 1, limits::threads_max));
}

std::optional<std::uint64_t> count_bytes(const WalkRequest& request, std::stop_token stop) {
    Result<std::vector<Root>> roots = roots_of(request);
    if (!roots) {
        return std::nullopt;
    }
    Walk walk(request, std::move(roots).take());
    std::uint64_t bytes = 0;
    while (!stop.stop_requested()) {
        const Result<std::optional<Step>> step = walk.next();
        if (!step) {
            return std::nullopt;
        }
        if (!*step) {
            return bytes;
        }
        if ((*step)->kind == Step::Kind::stream) {
            return std::nullopt;
        }
        if ((*step)->kind == Step::Kind::file) {
            bytes += static_cast<std::uint64_t>((*step)->status.st_size);
        }
    }
    return std::nullopt;
}

} // namespace ic::importer
