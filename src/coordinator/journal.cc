#include "coordinator/journal.h"

#include "job/receipt.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace ic::coordinator {
namespace {

using std::chrono::milliseconds;

std::optional<ledger::BootMillis> since_boot(const Moment& moment) {
    if (moment.boot_id.empty()) {
        return std::nullopt;
    }
    return ledger::BootMillis{
        .boot_id = moment.boot_id,
        .value = std::chrono::floor<milliseconds>(moment.since_boot.since_boot).count()};
}

/// How long before `now` this job was accepted.
milliseconds age_of(const ledger::AdoptedJob& job, const Moment& now) {
    const std::optional<ledger::BootMillis> reading = since_boot(now);
    const std::optional<ledger::BootMillis>& then = job.accepted_since_boot;
    const bool is_same_boot = then && reading && then->boot_id == reading->boot_id;
    const std::int64_t from = is_same_boot ? then->value : job.row.accepted_at.value;
    const std::int64_t to = is_same_boot ? reading->value : now.wall.value;
    // Neither clock is trusted with what a sum could overflow by: a file may hold any number.
    constexpr milliseconds most = limits::adopted_age_max;
    if (to <= from) {
        return milliseconds(0);
    }
    const std::uint64_t age = static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
    return age > static_cast<std::uint64_t>(most.count())
               ? most
               : milliseconds(static_cast<std::int64_t>(age));
}

struct Mapping {
    const job::Instance& owner;
    const FindFacts& facts_of;
    const std::function<std::optional<lease::JobView>(const Cid&)>& view_of;
    const Moment& moment;
    ledger::UnixMillis at;
    std::vector<ledger::Record>& out;

    void operator()(const lease::AcceptedRecord& record) const {
        const JobFacts* facts = facts_of(record.entry.ids.job);
        out.emplace_back(ledger::JobAccepted{
            .ids = record.entry.ids,
            .submitter = record.entry.submitter,
            .owner = owner,
            .invocation = copy_of(record.entry.invocation.view()),
            .labels = facts == nullptr ? ledger::Labels{} : facts->labels,
            .priority = record.entry.priority,
            .at = at,
            .at_since_boot = since_boot(moment),
        });
    }

    void operator()(const lease::GrantedRecord& record) const {
        out.emplace_back(ledger::JobGranted{
            .job = record.lease.job,
            .epoch = record.lease.epoch,
            .worker = record.worker,
            .duration_ms = static_cast<std::uint64_t>(record.duration.count()),
            .at = at,
        });
    }

    void operator()(const lease::ReleasedRecord& record) const {
        out.emplace_back(ledger::GrantReleased{
            .job = record.lease.job,
            .epoch = record.lease.epoch,
            .attempts_failed = record.attempts,
            .error = record.error,
            .message = record.message,
            .at = at,
        });
    }

    void operator()(const lease::CancelAskedRecord& record) const {
        out.emplace_back(ledger::CancelAsked{.job = record.job, .reason = record.reason, .at = at});
    }

    void operator()(const lease::FinishedRecord& record) const {
        if (const auto view = view_of(record.job)) {
            for (const lease::WorkerNote& note : view->notes) {
                out.emplace_back(ledger::WorkerConsidered{
                    .job = record.job,
                    .worker = note.worker,
                    .reason = std::string(name(note.verdict)),
                    .message = note.message,
                    .at = at,
                });
            }
        }
        if (!record.receipt) {
            out.emplace_back(ledger::JobFailed{
                .job = record.job,
                .error = record.error.value_or(Errc::internal),
                .message = record.message,
                .at = at,
            });
            return;
        }
        // The runtime read this very document before the machine took it.
        const Result<job::SignedReceipt> read = job::read_receipt(*record.receipt);
        assert(read.ok());
        const job::Receipt& receipt = read->receipt;
        out.emplace_back(ledger::JobFinished{
            .job = record.job,
            .computation = receipt.computation,
            .receipt_cid = read->cid,
            .receipt = *record.receipt,
            .epoch = receipt.epoch,
            .worker = {.key = receipt.worker, .instance = receipt.instance},
            .error = receipt.ending.error,
            .message = receipt.ending.message,
            .memoizable = job::is_memoizable(receipt.ending),
            .from_memo = record.from_memo,
            .at = at,
        });
    }
};

} // namespace

std::vector<ledger::Record>
to_ledger(const std::vector<lease::Record>& records,
          const job::Instance& owner,
          const FindFacts& facts_of,
          const std::function<std::optional<lease::JobView>(const Cid&)>& view_of,
          const Moment& at) {
    std::vector<ledger::Record> out;
    out.reserve(records.size());
    const Mapping mapping{.owner = owner,
                          .facts_of = facts_of,
                          .view_of = view_of,
                          .moment = at,
                          .at = at.wall,
                          .out = out};
    for (const lease::Record& record : records) {
        std::visit(mapping, record);
    }
    return out;
}

job::Outcome outcome_of(const ledger::JobDetail& detail) {
    job::Outcome outcome{.job = detail.row.ids.job,
                         .receipt = std::nullopt,
                         .error = detail.row.error,
                         .message = detail.row.message,
                         .from_memo = detail.row.from_memo,
                         .attempts = detail.row.attempts};
    for (const ledger::ReceiptRow& row : detail.receipts) {
        if (row.fate == job::ReceiptFate::accepted) {
            outcome.receipt = row.receipt;
        }
    }
    return outcome;
}

job::ReceiptFate fate_of(const ledger::JobDetail& detail, const job::Epoch& epoch) {
    const bool was_accepted =
        std::ranges::any_of(detail.receipts, [&](const ledger::ReceiptRow& row) {
            return row.fate == job::ReceiptFate::accepted && row.epoch == epoch;
        });
    return was_accepted ? job::ReceiptFate::accepted : job::ReceiptFate::stale;
}

lease::JobEntry entry_of(const job::SignedInvocation& signed_invocation,
                         const job::JobIds& ids,
                         const Locate& locate) {
    const job::Invocation& invocation = signed_invocation.invocation;
    const job::Limits& limits = invocation.spec.limits;
    return {
        .ids = ids,
        .submitter = invocation.issuer,
        .priority = invocation.priority,
        .effects = invocation.spec.effects,
        .timeouts = invocation.timeouts,
        .run_max = std::chrono::milliseconds{limits.compile_ms_max + limits.wall_ms_max},
        .invocation = LentBytes::of(signed_invocation.document),
        .constraints = invocation.spec.constraints,
        .here = locate ? locate(invocation.spec) : lease::Locality{},
    };
}

Result<lease::RecoveredJob> recovered_of(const ledger::AdoptedJob& job,
                                         const std::function<bool(const job::Instance&)>& is_dead,
                                         const Moment& now) {
    const job::SignedInvocation invocation = TRY(job::read_invocation(job.invocation));
    lease::RecoveredJob recovered;
    recovered.entry = entry_of(invocation, job.row.ids, {});
    recovered.accepted_at = now.since_boot - age_of(job, now);
    recovered.attempts = job.attempts_failed;
    recovered.first_error = job.first_error;
    recovered.last_error = job.last_error;
    if (job.cancel_asked) {
        recovered.cancel_asked =
            lease::CancelAskedRecord{.job = job.row.ids.job, .reason = *job.cancel_asked};
    }
    if (job.last_grant && !job.last_grant->released) {
        recovered.granted = lease::GrantedRecord{
            .lease = {.job = job.row.ids.job, .epoch = job.last_grant->epoch},
            .worker = job.last_grant->worker,
            .duration = std::chrono::milliseconds{job.last_grant->duration_ms},
            .attempt = job.row.attempts,
        };
        recovered.holder = is_dead(job.last_grant->worker.instance) ? lease::HolderFate::dead
                                                                    : lease::HolderFate::unknown;
    }
    return recovered;
}

ledger::JobFailed
unreadable(const ledger::AdoptedJob& job, const Error& error, ledger::UnixMillis at) {
    return {.job = job.row.ids.job,
            .error = error.code,
            .message = "adopted job cannot be read: " + error.message,
            .at = at};
}

} // namespace ic::coordinator
