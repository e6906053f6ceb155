#include "cli/job_session.h"

#include "base/quantity.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/job_text.h"
#include "unixfs/file_reader.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace ic::cli {
namespace {

/// A guest's own statuses; 120 to 127 are ours.
constexpr std::int32_t guest_exit_max = 119;
/// Standard output that is put into a JSON document; beyond it only its CID is.
constexpr std::uint64_t json_output_bytes_max = std::uint64_t{1} << 20U;

std::string shown_stage(const job::Progress& progress) {
    std::string text(name(static_cast<job::Stage>(progress.stage)));
    if (progress.worker) {
        text += " on " + progress.worker->instance.to_string().substr(0, 8);
    }
    if (progress.attempt > 1) {
        text += ", attempt " + std::to_string(progress.attempt);
    }
    if (!progress.detail.empty()) {
        text += ": " + printable(progress.detail);
    }
    return text;
}

} // namespace

Result<int> exit_of(Context& context, const job::Ending& ending) {
    if (ending.error) {
        return Error{*ending.error, ending.message};
    }
    if (ending.exit_status > guest_exit_max || ending.exit_status < 0) {
        context.streams.note("ipfs-compute: guest-exit: the guest exited with status " +
                             std::to_string(ending.exit_status) +
                             ", shown as 119 (120 to 127 are ours)\n");
        return guest_exit_max;
    }
    return static_cast<int>(ending.exit_status);
}

Result<void> copy_file(BlockSource& source,
                       const Cid& cid,
                       std::uint64_t offset,
                       const std::function<Result<void>(std::string_view)>& write) {
    const unixfs::FileReader opened = TRY(unixfs::FileReader::open(source, cid));
    unixfs::FileReader reader = opened;
    for (;;) {
        const LentBytes piece = TRY(reader.lend_at(offset));
        if (piece.size() == 0) {
            return {};
        }
        TRY(write(text_of(piece.view())));
        offset += piece.size();
    }
}

JobSession::JobSession(Context& context,
                       BlockSource& source,
                       SessionOptions options,
                       worker::OpenReader open_reader)
    : context_(context)
    , source_(source)
    , options_(options)
    , open_reader_(std::move(open_reader))
    , stage_since_(now_since_boot()) {}

JobSession::~JobSession() { clear_live_line(); }

void JobSession::clear_live_line() {
    if (live_line_shown_) {
        context_.streams.note("\r\x1b[K");
        live_line_shown_ = false;
    }
}

void JobSession::tick() {
    if (options_.quiet || !context_.streams.err_is_terminal() || stage_.empty()) {
        return;
    }
    const auto since =
        std::chrono::duration_cast<std::chrono::microseconds>(now_since_boot() - stage_since_);
    context_.streams.note("\r\x1b[K" + stage_ + "  " + human_duration(since));
    live_line_shown_ = true;
}

void JobSession::note_live(std::string_view what, std::uint64_t done, std::uint64_t all) {
    if (options_.quiet || !context_.streams.err_is_terminal() ||
        now_since_boot() - live_since_ < std::chrono::milliseconds(100)) {
        return;
    }
    live_since_ = now_since_boot();
    context_.streams.note("\r\x1b[K" + std::string(what) + ": " + std::to_string(done) + " of " +
                          std::to_string(all));
    live_line_shown_ = true;
}

void JobSession::note(const std::string& line) {
    if (!options_.quiet) {
        clear_live_line();
        context_.streams.note(line + "\n");
    }
}

std::optional<Result<int>> JobSession::take(const job::Message& message) {
    if (const auto* accepted = std::get_if<job::Accepted>(&message)) {
        return on_accepted(*accepted);
    }
    if (const auto* rejected = std::get_if<job::Rejected>(&message)) {
        return on_rejected(*rejected);
    }
    if (const auto* progress = std::get_if<job::Progress>(&message)) {
        stage_ = shown_stage(*progress);
        stage_since_ = now_since_boot();
        tick();
    } else if (const auto* output = std::get_if<job::Output>(&message)) {
        on_output(*output);
    } else if (const auto* outcome = std::get_if<job::Outcome>(&message)) {
        clear_live_line();
        return on_outcome(*outcome);
    }
    return std::nullopt;
}

std::optional<Result<int>> JobSession::on_accepted(const job::Accepted& accepted) {
    if (!accepted_) {
        note("job " + accepted.job.to_string());
    }
    const bool is_first = !std::exchange(accepted_, true);
    if (is_first && (options_.detach || options_.id_only)) {
        if (Result<void> printed = print_id(accepted); !printed) {
            return Result<int>(std::move(printed).take_error());
        }
    }
    return options_.detach ? std::optional(Result<int>(0)) : std::nullopt;
}

/// At once: whoever reads it may be waiting for it.
Result<void> JobSession::print_id(const job::Accepted& accepted) {
    const std::string job = accepted.job.to_string();
    const nlohmann::json document{{"job", job}, {"known_before", accepted.known_before}};
    TRY(context_.streams.print((context_.json ? document.dump() : job) + "\n"));
    return context_.streams.flush();
}

std::optional<Result<int>> JobSession::on_rejected(const job::Rejected& rejected) {
    clear_live_line();
    return end_without_receipt({.job = rejected.job,
                                .receipt = std::nullopt,
                                .error = rejected.reason,
                                .message = rejected.message,
                                .from_memo = false,
                                .attempts = 0});
}

void JobSession::show_log(std::string_view text) {
    clear_live_line();
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        context_.streams.note("log: " + printable(text.substr(0, end)) + "\n");
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
}

/// Pieces may be lost: only what follows what was shown is shown; the receipt gives the rest.
void JobSession::on_output(const job::Output& output) {
    if (options_.silent || options_.id_only) {
        return;
    }
    const std::string_view text = text_of(output.data);
    const auto is_next = [&](std::uint64_t& shown) {
        if (output.offset != shown) {
            return false;
        }
        shown += text.size();
        return true;
    };
    if (output.stream == job::Stream::log) {
        if (is_next(log_shown_)) {
            show_log(text);
        }
        return;
    }
    if (!options_.follow || context_.json) {
        return;
    }
    if (output.stream == job::Stream::errors && is_next(errors_shown_)) {
        clear_live_line();
        context_.streams.note(text);
    } else if (output.stream == job::Stream::output && is_next(output_shown_)) {
        clear_live_line();
        if (context_.streams.print(text)) {
            // The job goes on; what is lost shows at the end, when all of it is flushed.
            static_cast<void>(context_.streams.flush().ok());
        }
    }
}

Result<void> JobSession::show_rest(BlockSource& from, const job::Receipt& receipt) {
    if (receipt.log) {
        std::string rest;
        TRY(copy_file(from, *receipt.log, log_shown_, [&](std::string_view text) {
            rest += text;
            return Result<void>{};
        }));
        show_log(rest);
    }
    if (receipt.errors) {
        TRY(copy_file(from, *receipt.errors, errors_shown_, [&](std::string_view text) {
            context_.streams.note(text);
            return Result<void>{};
        }));
    }
    if (receipt.output && !context_.json) {
        TRY(copy_file(from, *receipt.output, output_shown_, [&](std::string_view text) {
            return context_.streams.print(text);
        }));
    }
    return {};
}

Result<void> JobSession::print_json(const job::Outcome& outcome,
                                    const job::Ending& ending,
                                    const job::SignedReceipt* signed_receipt,
                                    BlockSource* from) {
    nlohmann::json document = to_json(ending);
    document["job"] = outcome.job.to_string();
    document["from_memo"] = outcome.from_memo;
    document["attempts"] = outcome.attempts;
    document["stdout"] = nullptr;
    document["receipt"] = signed_receipt == nullptr ? nlohmann::json() : to_json(*signed_receipt);
    if (signed_receipt != nullptr && signed_receipt->receipt.output) {
        std::string text;
        bool fits = true;
        TRY(copy_file(*from, *signed_receipt->receipt.output, 0, [&](std::string_view piece) {
            fits = fits && text.size() + piece.size() <= json_output_bytes_max;
            if (fits) {
                text += piece;
            }
            return Result<void>{};
        }));
        if (fits) {
            document["stdout"] = text;
        }
    }
    context_.json_tells_error = ending.error.has_value();
    // Bytes that are not UTF-8 become U+FFFD here; the exact ones are under the output's CID.
    return context_.streams.print(
        document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

/// The same members as with a receipt, so that programs need to know one shape.
Result<int> JobSession::end_without_receipt(const job::Outcome& outcome) {
    const Error error{outcome.error.value_or(Errc::internal), outcome.message};
    if (context_.json && !options_.id_only) {
        job::Ending ending;
        ending.error = error.code;
        ending.message = error.message;
        TRY(print_json(outcome, ending, nullptr, nullptr));
    }
    return error;
}

Result<int> JobSession::on_outcome(const job::Outcome& outcome) {
    if (!outcome.receipt) {
        return end_without_receipt(outcome);
    }
    if (options_.silent) {
        return 0;
    }
    const job::SignedReceipt signed_receipt = TRY(job::read_receipt(*outcome.receipt));
    TRY(job::verify_signature(signed_receipt));
    const job::Receipt& receipt = signed_receipt.receipt;
    if (options_.id_only) {
        return exit_of(context_, receipt.ending);
    }
    const std::unique_ptr<BlockSource> reader =
        open_reader_ ? open_reader_(receipt.providers, {}) : nullptr;
    BlockSource& from = reader ? *reader : source_;
    if (Result<void> shown = show_rest(from, receipt); !shown) {
        return std::move(shown).take_error().during("reading the job's output");
    }
    if (context_.json) {
        TRY(print_json(outcome, receipt.ending, &signed_receipt, &from));
    } else if (receipt.ending.value && !receipt.output) {
        TRY(context_.streams.print(std::to_string(*receipt.ending.value) + "\n"));
    }
    TRY(context_.streams.flush()); // Before the lines about it.
    if (receipt.output) {
        note("output " + receipt.output->to_string());
    }
    if (receipt.log) {
        note("log " + receipt.log->to_string());
    }
    note("receipt " + signed_receipt.cid.to_string() +
         (outcome.from_memo ? " (answered from an earlier run)" : "") + ", signed by " +
         receipt.worker.to_did());
    return exit_of(context_, receipt.ending);
}

} // namespace ic::cli
