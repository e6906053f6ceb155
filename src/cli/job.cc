#include "base/quantity.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/job_text.h"
#include "cli/local.h"
#include "cli/submission.h"
#include "ledger/ledger.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace ic::cli {
namespace {

/// The one job whose CID's text begins so.
Result<Cid> find_job(ledger::LedgerReader& reader, const std::string& text) {
    const std::vector<Cid> found = TRY(reader.find(text));
    if (found.size() == 1) {
        return found.front();
    }
    if (found.empty()) {
        return Error{Errc::not_found,
                     "no job '" + text + "' in the ledger; `ipfs-compute job list` shows them"};
    }
    return Error{Errc::usage,
                 "'" + text + "' is the beginning of " + std::to_string(found.size()) +
                     " jobs; write more of it"};
}

struct Found {
    std::unique_ptr<Local> local;
    ledger::LedgerReader reader;
    Cid job;
};

Result<ledger::LedgerReader> open_ledger(const Local& local) {
    Result<ledger::LedgerReader> opened = ledger::LedgerReader::open(local.home.ledger_file());
    if (!opened && opened.error().code == Errc::not_found) {
        return Error{Errc::not_found, "no job was ever submitted in " + local.home.path};
    }
    return opened;
}

Result<Found> open_and_find(Context& context, const std::string& text) {
    std::unique_ptr<Local> local = TRY(open_local(context));
    ledger::LedgerReader reader = TRY(open_ledger(*local));
    Cid job = TRY(find_job(reader, text));
    return Found{std::move(local), std::move(reader), std::move(job)};
}

// --- list ---

struct ListFlags {
    std::string state;
    std::vector<std::string> labels;
    std::size_t limit = 20;
    std::uint64_t before = 0;
};

Result<ledger::JobFilter> filter_of(const ListFlags& flags) {
    ledger::JobFilter filter;
    if (!flags.state.empty()) {
        filter.state = ledger::job_state_of(flags.state);
        if (!filter.state) {
            return Error{Errc::usage,
                         "--state '" + flags.state +
                             "' is none of open, finished, failed and cancelled"};
        }
    }
    for (const std::string& label : flags.labels) {
        const std::size_t equals = label.find('=');
        if (equals == std::string::npos) {
            return Error{Errc::usage, "--label '" + label + "' has to be NAME=VALUE"};
        }
        filter.labels.emplace_back(label.substr(0, equals), label.substr(equals + 1));
    }
    filter.limit = flags.limit;
    if (flags.before != 0) {
        filter.before = flags.before;
    }
    return filter;
}

std::string row_line(const ledger::JobRow& row) {
    std::string state(name(row.state));
    state.resize(std::max<std::size_t>(state.size() + 1, 10), ' ');
    std::string line = row.ids.job.to_string() + "  " + state + utc_text(row.accepted_at);
    if (row.error) {
        line += "  " + std::string(name(*row.error));
    }
    for (const auto& [key, value] : row.labels) {
        line += "  " + printable(key) + "=" + printable(value);
    }
    return line + "\n";
}

Result<int> list(Context& context, const ListFlags& flags) {
    const std::unique_ptr<Local> local = TRY(open_local(context));
    const ledger::JobFilter filter = TRY(filter_of(flags));
    Result<ledger::LedgerReader> opened = ledger::LedgerReader::open(local->home.ledger_file());
    if (!opened && opened.error().code == Errc::not_found) {
        return 0; // No job was ever submitted here: an empty list.
    }
    ledger::LedgerReader reader = TRY(std::move(opened));
    for (const ledger::JobRow& row : TRY(reader.list(filter))) {
        TRY(context.streams.print(context.json ? to_json(row).dump() + "\n" : row_line(row)));
    }
    return 0;
}

void add_list(Command& job, Context& context) {
    Command* command = job.add_subcommand("list", "List jobs, the newest first");
    auto flags = std::make_shared<ListFlags>();
    command->add_option("--state", flags->state, "open, finished, failed or cancelled")
        ->type_name("STATE");
    command->add_option("--label", flags->labels, "Jobs with this label")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->allow_extra_args(false)
        ->take_all();
    command->add_option("--limit", flags->limit, "At most so many")
        ->between(1, static_cast<std::int64_t>(ledger::limits::list_page_max))
        ->capture_default_str();
    command->add_option("--cursor", flags->before, "Go on after this cursor (with --json: cursor)")
        ->type_name("N");
    context.add_json(*command);
    command->footer("Examples:\n  ipfs-compute job list\n"
                    "  ipfs-compute job list --state open --label batch=7 --json");
    context.on_run(*command, [&context, flags] { return list(context, *flags); });
}

// --- the commands on one job ---

using OnJob = std::function<Result<int>(Context&, Found&)>;

Command* add_on_job(Command& job,
                    Context& context,
                    const std::string& name,
                    const std::string& help,
                    OnJob action) {
    Command* command = job.add_subcommand(name, help);
    auto text = std::make_shared<std::string>();
    command->add_option("JOB", *text, "The job's CID, or the beginning of it")->required();
    command->footer("Examples:\n  ipfs-compute job " + name + " bafyrei...");
    context.on_run(*command, [&context, text, action = std::move(action)]() -> Result<int> {
        Found found = TRY(open_and_find(context, *text));
        return action(context, found);
    });
    return command;
}

Result<int> describe_job(Context& context, Found& found) {
    const ledger::JobDetail detail = TRY(found.reader.describe(found.job));
    TRY(context.streams.print(context.json ? to_json(detail).dump(2) + "\n" : describe(detail)));
    return 0;
}

Result<job::SignedReceipt> receipt_of_job(ledger::LedgerReader& reader, const Cid& job) {
    const ledger::JobDetail detail = TRY(reader.describe(job));
    for (const ledger::ReceiptRow& row : detail.receipts) {
        if (row.fate == job::ReceiptFate::accepted) {
            return job::read_receipt(row.receipt);
        }
    }
    if (detail.row.state == ledger::JobState::open) {
        return Error{Errc::unavailable, "the job has not ended; `ipfs-compute job wait` waits"};
    }
    return Error{Errc::not_found,
                 "the job ended without a receipt: " + printable(detail.row.message)};
}

Result<int> print_streams(Context& context, Found& found, bool logs, bool output) {
    const job::Receipt receipt = TRY(receipt_of_job(found.reader, found.job)).receipt;
    const auto print = [&](std::string_view text) { return context.streams.print(text); };
    const worker::OpenReader open_reader = found.local->open_reader();
    const std::unique_ptr<BlockSource> reader =
        open_reader ? open_reader(receipt.providers, {}) : nullptr;
    BlockSource& from = reader ? *reader : found.local->source();
    if (logs && receipt.log) {
        TRY(copy_file(from, *receipt.log, 0, print));
    }
    if (logs && receipt.errors) {
        TRY(copy_file(from, *receipt.errors, 0, print));
    }
    if (output && receipt.output) {
        TRY(copy_file(from, *receipt.output, 0, print));
    }
    return 0;
}

/// The receipt that a CID itself names: a block of this machine, or of whoever has it.
Result<job::SignedReceipt> receipt_of_cid(BlockSource& source, const Cid& cid) {
    const auto read = [&]() -> Result<job::SignedReceipt> {
        job::SignedReceipt receipt = TRY(job::read_receipt(TRY(fetch(source, cid)).view()));
        if (receipt.cid != cid) {
            return Error{Errc::malformed, "the receipt there has CID " + receipt.cid.to_string()};
        }
        return receipt;
    };
    Result<job::SignedReceipt> receipt = read();
    return receipt ? std::move(receipt)
                   : std::move(receipt).take_error().during("reading " + cid.to_string() +
                                                            " as a receipt");
}

/// Of a job of this home, or the one of this CID.
Result<job::SignedReceipt> find_receipt(const Local& local, const std::string& text) {
    const auto find = [&]() -> Result<std::pair<ledger::LedgerReader, Cid>> {
        ledger::LedgerReader reader = TRY(open_ledger(local));
        Cid job = TRY(find_job(reader, text));
        return std::pair(std::move(reader), std::move(job));
    };
    Result<std::pair<ledger::LedgerReader, Cid>> found = find();
    if (found) {
        auto [reader, job] = std::move(found).take();
        return receipt_of_job(reader, job);
    }
    const Result<Cid> cid = Cid::parse(text);
    return cid && found.error().code == Errc::not_found ? receipt_of_cid(local.source(), *cid)
                                                        : std::move(found).take_error();
}

Result<int> show_receipt(Context& context, const std::string& text) {
    const std::unique_ptr<Local> local = TRY(open_local(context));
    const job::SignedReceipt receipt = TRY(find_receipt(*local, text));
    TRY(job::verify_signature(receipt));
    const bool is_trusted =
        std::ranges::find(local->trusted, receipt.receipt.worker) != local->trusted.end();
    if (!context.json) {
        TRY(context.streams.print(describe(receipt, is_trusted)));
        return 0;
    }
    nlohmann::json json = to_json(receipt);
    json["trusted"] = is_trusted;
    TRY(context.streams.print(json.dump(2) + "\n"));
    return 0;
}

void add_receipt(Command& job, Context& context) {
    Command* command = job.add_subcommand("receipt", "Show a receipt, its signature checked");
    auto text = std::make_shared<std::string>();
    command
        ->add_option(
            "CID", *text, "A receipt's CID, a job's of this home, or the beginning of that")
        ->required();
    context.add_json(*command);
    command->footer("Examples:\n  ipfs-compute job receipt bafyrei...");
    context.on_run(*command, [&context, text] { return show_receipt(context, *text); });
}

Result<int> wait_for_job(Context& context, Found& found) {
    SessionOptions options;
    return watch_and_wait(context, parts_of(*found.local), found.job, options);
}

Result<int> cancel_job(Context& context, Found& found) {
    const Result<int> end = cancel_and_wait(context, parts_of(*found.local), found.job);
    const ledger::JobDetail detail = TRY(found.reader.describe(found.job));
    if (detail.row.state == ledger::JobState::cancelled || detail.row.error == Errc::cancelled) {
        TRY(context.streams.print("cancelled " + found.job.to_string() + "\n"));
        return 0;
    }
    if (detail.row.state != ledger::JobState::open) {
        context.streams.note("the job had ended before: " + std::string(name(detail.row.state)) +
                             "\n");
        return 0;
    }
    return end ? Result<int>(Error{Errc::unavailable, "the cancel is not through yet"}) : end;
}

} // namespace

void add_job(Command& app, Context& context) {
    Command* job =
        app.add_subcommand("job", "Look at jobs: list, describe, receipt, logs, get, wait, cancel");
    add_list(*job, context);
    context.add_json(*add_on_job(
        *job, context, "describe", "All about a job: stages, workers, receipt", describe_job));
    add_receipt(*job, context);
    add_on_job(*job,
               context,
               "logs",
               "Print what the job logged and wrote to standard error",
               [](Context& c, Found& found) { return print_streams(c, found, true, false); });
    add_on_job(*job,
               context,
               "get",
               "Print what the job wrote to standard output",
               [](Context& c, Found& found) { return print_streams(c, found, false, true); });
    context.add_json(*add_on_job(
        *job, context, "wait", "Wait for a job's end and print as `submit` does", wait_for_job));
    add_on_job(*job, context, "cancel", "Cancel a job and wait until it runs no more", cancel_job);
}

} // namespace ic::cli
