#pragma once
/// The ledger: what was accepted, granted and finished. Survives a crash of any process at any
/// moment. One SQLite file a home (`ledger.db`), shared by its processes; docs/formats/ledger.md.

#include "base/result.h"
#include "ledger/records.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace ic::ledger {

/// How much history is kept. docs/limits.md.
struct Retention {
    std::uint64_t ended_jobs_max = limits::ended_jobs_max;
    std::int64_t ended_age_ms_max = limits::ended_age_ms_max;
};

/// Figures of one writer since it was opened.
struct WriterStats {
    std::uint64_t commits = 0; ///< Transactions synced to the disk.
    std::uint64_t records = 0; ///< Written by them.
};

/// The one connection of this process that writes, on a thread of its own. All that is submitted
/// while a commit is under way goes into the next one: one sync of the disk for all of it.
/// Threads: any.
class LedgerWriter {
public:
    /// Called once on the writer's thread, when the records are synced to the disk, or when none of
    /// them is written. Must be quick and must not call the writer's blocking functions.
    using Done = std::function<void(Result<void>)>;

    /// Makes or migrates the file. Errors: unsupported (written by a newer version), storage_full,
    /// unavailable, internal (corrupt).
    static Result<std::unique_ptr<LedgerWriter>> open(const std::filesystem::path& file,
                                                      const Retention& retention = {});

    /// Writes what was submitted, then ends.
    ~LedgerWriter();

    /// Queues records that are to be written all or none. Submissions are written in their order.
    /// Errors, through `done`: storage_full, unavailable (other processes hold the file too long,
    /// or too much is queued), internal (corrupt). After an error nothing of the batch is written.
    void submit(std::vector<Record> records, Done done);

    /// A number never given before in this home, durable at return: each coordinator process takes
    /// one before its first grant. Blocks. Errors as `submit`.
    Result<std::uint64_t> take_incarnation(const job::Instance& instance);

    /// Makes `me` the owner of all open jobs of these processes, under a new incarnation, in one
    /// transaction: of several who adopt at once each job goes to one. Blocks. Errors as `submit`.
    /// Requires: the processes are proven dead.
    Result<Adoption> adopt(const std::vector<job::Instance>& dead, const job::Instance& me);

    WriterStats stats() const;

private:
    struct Impl;
    explicit LedgerWriter(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// A connection that reads. Sees what was committed before each call.
/// Threads: one.
class LedgerReader {
public:
    /// Errors: not_found (no ledger yet), unsupported (newer or older version), unavailable,
    /// internal (corrupt).
    static Result<LedgerReader> open(const std::filesystem::path& file);

    LedgerReader(LedgerReader&&) noexcept;
    LedgerReader& operator=(LedgerReader&&) noexcept;
    ~LedgerReader();

    /// Newest first. The last row's sequence is the next page's `before`.
    /// Errors: too_large (limit), unavailable, internal.
    Result<std::vector<JobRow>> list(const JobFilter& filter);

    /// Errors: not_found.
    Result<JobDetail> describe(const Cid& job);

    /// The jobs whose CID's text begins so, newest first, at most `limits::list_page_max`: for
    /// people who type part of a CID.
    Result<std::vector<Cid>> find(std::string_view job_prefix);

    /// The newest accepted receipt that may answer for this computation.
    Result<std::optional<ReceiptRow>> memo(const Cid& computation);

    /// Shows the invocations of all open jobs and of those that ended at `since` or later, and the
    /// receipts that answered the latter (older ones too, for jobs answered from the memo). The
    /// visitor's error ends it.
    Result<void> visit_content(UnixMillis since,
                               const std::function<Result<void>(const JobContent&)>& visitor);

    /// The processes that owe an open job its end: candidates for adoption.
    Result<std::vector<job::Instance>> owners();

    /// Whether it is (or was) a coordinating process of this home: it has taken an incarnation.
    Result<bool> is_of_this_home(const job::Instance& instance);

private:
    struct Impl;
    explicit LedgerReader(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace ic::ledger
