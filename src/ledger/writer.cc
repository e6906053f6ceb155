#include "ledger/apply.h"
#include "ledger/ledger.h"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

namespace ic::ledger {
namespace {

constexpr int checkpoint_pages = 2000;     // Of the write-ahead log: 8 MB.
constexpr std::uint64_t prune_every = 256; // Commits.
constexpr std::size_t submissions_per_commit_max = 4096;

} // namespace

struct LedgerWriter::Impl {
    // What is written all or none, within the transaction of its group.
    struct Submission {
        std::function<Result<void>(Database&)> write;
        Done done;
        std::size_t records = 0;
    };

    explicit Impl(Database opened, const Retention& kept)
        : database(std::move(opened))
        , retention(kept) {
        // Checkpoints cost a sync of their own: made when nobody waits, not inside a commit.
        sqlite3_wal_hook(
            database.handle(),
            [](void* self, sqlite3*, const char*, int pages) {
                static_cast<Impl*>(self)->log_pages = pages;
                return SQLITE_OK;
            },
            this);
        thread = std::thread([this] { run(); });
    }

    ~Impl() {
        {
            const std::lock_guard lock(mutex);
            ending = true;
        }
        wake.notify_one();
        thread.join();
    }

    Database database; // The thread's, once that runs.
    Retention retention;
    int log_pages = 0;
    std::atomic<std::uint64_t> commits{0};
    std::atomic<std::uint64_t> records{0};

    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Submission> queue;   // Guarded by `mutex`.
    std::size_t queued_records = 0; // Guarded by `mutex`.
    bool ending = false;            // Guarded by `mutex`.
    std::thread thread;             // Last: it uses all of the above.

    void enqueue(Submission submission) {
        {
            const std::lock_guard lock(mutex);
            // One that is alone is taken whatever its size: it would be refused for ever.
            if (queued_records == 0 ||
                queued_records + submission.records <= limits::queued_records_max) {
                queued_records += submission.records;
                queue.push_back(std::move(submission));
                wake.notify_one();
                return;
            }
        }
        submission.done(Error{Errc::unavailable, "too much waits to be written to the ledger"});
    }

    void run() {
        for (;;) {
            std::deque<Submission> group;
            {
                std::unique_lock lock(mutex);
                wake.wait(lock, [this] { return ending || !queue.empty(); });
                if (queue.empty()) {
                    return;
                }
                while (!queue.empty() && group.size() < submissions_per_commit_max) {
                    queued_records -= queue.front().records;
                    group.push_back(std::move(queue.front()));
                    queue.pop_front();
                }
            }
            write(group);
            keep_house();
        }
    }

    void write(std::deque<Submission>& group) {
        std::vector<Result<void>> outcomes;
        Result<void> whole = [&]() -> Result<void> {
            try {
                return write_group(group, outcomes);
            } catch (const std::exception& failure) { // The thread's entry: out of memory at most.
                return Error{Errc::internal, std::string("ledger: ") + failure.what()};
            }
        }();
        if (!whole) {
            if (database.in_transaction()) {
                // Nothing more can be done if this fails too; the next BEGIN will say so.
                (void)database.run("ROLLBACK").ok();
            }
        } else {
            ++commits;
        }
        for (std::size_t index = 0; index < group.size(); ++index) {
            Submission& submission = group[index];
            if (whole && outcomes[index]) {
                records += submission.records;
            }
            if (submission.done) {
                submission.done(whole ? outcomes[index] : whole);
            }
        }
    }

    Result<void> write_group(std::deque<Submission>& group, std::vector<Result<void>>& outcomes) {
        TRY(database.run("BEGIN IMMEDIATE"));
        for (Submission& submission : group) {
            TRY(database.run("SAVEPOINT submission"));
            Result<void> written = submission.write(database);
            if (!written) {
                if (!database.in_transaction()) {
                    return written; // SQLite has rolled all of it back: the file fails, not a
                                    // record.
                }
                TRY(database.run("ROLLBACK TO submission"));
                if (written.error().code == Errc::storage_full ||
                    written.error().code == Errc::unavailable) {
                    return written;
                }
            }
            TRY(database.run("RELEASE submission"));
            outcomes.push_back(std::move(written));
        }
        return database.run("COMMIT");
    }

    bool is_idle() {
        const std::lock_guard lock(mutex);
        return queue.empty();
    }

    // What nobody waits for. A failure here leaves things as they were, to be tried again.
    void keep_house() {
        if (commits % prune_every == 0 && commits > 0) {
            while (prune_some() && is_idle()) {
            }
        }
        if (log_pages >= checkpoint_pages && (is_idle() || log_pages >= 8 * checkpoint_pages)) {
            sqlite3_wal_checkpoint_v2(
                database.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
            log_pages = 0;
        }
    }

    // Whether there may be more.
    bool prune_some() {
        if (!database.run("BEGIN IMMEDIATE")) {
            return false;
        }
        const Result<std::size_t> pruned = prune(database, retention, now_unix_millis());
        const bool done = pruned && database.run("COMMIT").ok();
        if (!done && database.in_transaction()) {
            (void)database.run("ROLLBACK").ok();
        }
        return done && *pruned > 0;
    }

    // Queues `work` and waits until it is synced.
    template <class T>
    Result<T> wait_for(std::function<Result<T>(Database&)> work) {
        std::optional<T> value;
        std::promise<Result<void>> promise;
        std::future<Result<void>> future = promise.get_future();
        enqueue(Submission{
            .write = [&value, &work](Database& open) -> Result<void> {
                value = TRY(work(open));
                return {};
            },
            .done = [&promise](Result<void> done) { promise.set_value(std::move(done)); }});
        TRY(future.get());
        return std::move(*value);
    }
};

LedgerWriter::LedgerWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LedgerWriter::~LedgerWriter() = default;

Result<std::unique_ptr<LedgerWriter>> LedgerWriter::open(const std::filesystem::path& file,
                                                         const Retention& retention) {
    Database database = TRY(Database::open(file, Access::write));
    TRY(migrate(database));
    auto impl = std::make_unique<Impl>(std::move(database), retention);
    std::unique_ptr<LedgerWriter> writer{new LedgerWriter(std::move(impl))};
    // One slice at the start, so that homes whose processes are short-lived shrink too.
    TRY(writer->impl_->wait_for<std::size_t>(
        [retention](Database& open) { return prune(open, retention, now_unix_millis()); }));
    return writer;
}

void LedgerWriter::submit(std::vector<Record> records, Done done) {
    const std::size_t count = records.size();
    impl_->enqueue({.write = [records = std::move(records)](Database& open) -> Result<void> {
                        for (const Record& record : records) {
                            TRY(apply(open, record));
                        }
                        return {};
                    },
                    .done = std::move(done),
                    .records = count});
}

Result<std::uint64_t> LedgerWriter::take_incarnation(const job::Instance& instance) {
    return impl_->wait_for<std::uint64_t>(
        [&instance](Database& open) { return insert_incarnation(open, instance); });
}

Result<Adoption> LedgerWriter::adopt(const std::vector<job::Instance>& dead,
                                     const job::Instance& me) {
    return impl_->wait_for<Adoption>(
        [&dead, &me](Database& open) { return adopt_jobs(open, dead, me); });
}

WriterStats LedgerWriter::stats() const {
    return {.commits = impl_->commits, .records = impl_->records};
}

} // namespace ic::ledger
