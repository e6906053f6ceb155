#pragma once
/// JobSession: one job as its submitter sees it, from acceptance to its end: stages on a live line,
/// logs, output, the receipt. Output of the guest goes to standard output, all else to standard
/// error.

#include "base/result.h"
#include "cli/context.h"
#include "ipld/block.h"
#include "job/message.h"
#include "job/receipt.h"
#include "worker/broker_host.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ic::cli {

struct SessionOptions {
    bool follow = false;  ///< Show the guest's output while it runs.
    bool detach = false;  ///< Done as soon as the job is accepted.
    bool quiet = false;   ///< No lines about stages and CIDs.
    bool id_only = false; ///< The job's CID, as soon as it is accepted, and nothing after it.
    bool silent = false;  ///< Nothing of the guest's either: only the end counts.
};

/// Threads: one.
class JobSession {
public:
    /// `source` gives the outputs that the receipt names, or, if it is not empty, what
    /// `open_reader` makes of the receipt's providers.
    JobSession(Context& context,
               BlockSource& source,
               SessionOptions options,
               worker::OpenReader open_reader = {});
    ~JobSession();
    JobSession(const JobSession&) = delete;
    JobSession& operator=(const JobSession&) = delete;

    /// Takes a message of the coordinator's. The exit status once nothing more will come; an error
    /// is the job's own end.
    std::optional<Result<int>> take(const job::Message& message);

    /// Draws the live line anew; call it about ten times a second.
    void tick();

    /// Whether the coordinator has said that it keeps the job.
    bool is_accepted() const { return accepted_; }

    /// A line on standard error, above the live line.
    void note(const std::string& line);

    /// "WHAT: DONE of ALL" as the live line, about ten times a second; at a terminal alone.
    void note_live(std::string_view what, std::uint64_t done, std::uint64_t all);

private:
    std::optional<Result<int>> on_rejected(const job::Rejected& rejected);
    std::optional<Result<int>> on_accepted(const job::Accepted& accepted);
    Result<void> print_id(const job::Accepted& accepted);
    void on_output(const job::Output& output);
    Result<int> on_outcome(const job::Outcome& outcome);
    Result<void> show_rest(BlockSource& from, const job::Receipt& receipt);
    Result<int> end_without_receipt(const job::Outcome& outcome);
    /// `receipt` and `from` are null where there is none.
    Result<void> print_json(const job::Outcome& outcome,
                            const job::Ending& ending,
                            const job::SignedReceipt* receipt,
                            BlockSource* from);
    void show_log(std::string_view text);
    void clear_live_line();

    Context& context_;
    BlockSource& source_;
    SessionOptions options_;
    const worker::OpenReader open_reader_;
    bool accepted_ = false;
    bool live_line_shown_ = false;
    std::string stage_;
    Instant stage_since_;
    Instant live_since_;             ///< When note_live drew last.
    std::uint64_t output_shown_ = 0; ///< Bytes.
    std::uint64_t errors_shown_ = 0;
    std::uint64_t log_shown_ = 0;
};

/// What a run's ending is as an exit status, or the error it is.
Result<int> exit_of(Context& context, const job::Ending& ending);

/// Writes the UnixFS file `cid` from `offset` on, in pieces, to `write`.
Result<void> copy_file(BlockSource& source,
                       const Cid& cid,
                       std::uint64_t offset,
                       const std::function<Result<void>(std::string_view)>& write);

} // namespace ic::cli
