#include "wiring/collection.h"

#include "base/quantity.h"
#include "job/invocation.h"
#include "job/receipt.h"
#include "ledger/ledger.h"

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace ic::wiring {
namespace {

using KeepRoot = std::function<Result<void>(const Root&)>;

/// A document that cannot be read names nothing: it was written by a newer version, or is damaged,
/// and then no root of it can be known. Better to stop than to remove what it names.
Result<void> keep_job(const job::Invocation& invocation, const KeepRoot& keep) {
    const job::JobSpec& spec = invocation.spec;
    TRY(keep({.cid = spec.module, .reach = Root::Reach::found}));
    for (const auto& [name, cid] : spec.imports) {
        TRY(keep({.cid = cid, .reach = Root::Reach::found}));
    }
    if (spec.event) {
        TRY(keep({.cid = *spec.event, .reach = Root::Reach::found}));
    }
    for (const auto& [name, cid] : spec.inputs) {
        TRY(keep({.cid = cid, .reach = Root::Reach::found}));
    }
    return {};
}

Result<void> keep_results(const job::Receipt& receipt, const KeepRoot& keep) {
    for (const std::optional<Cid>& cid : {receipt.output, receipt.errors, receipt.log}) {
        if (cid) {
            TRY(keep({.cid = *cid, .reach = Root::Reach::found}));
        }
    }
    return {};
}

Result<void> visit_ledger(const std::string& file, ledger::UnixMillis since, const KeepRoot& keep) {
    Result<ledger::LedgerReader> opened = ledger::LedgerReader::open(file);
    if (!opened && opened.error().code == Errc::not_found) {
        return {}; // No job was ever submitted here.
    }
    ledger::LedgerReader reader = TRY(std::move(opened));
    return reader.visit_content(since, [&](const ledger::JobContent& content) -> Result<void> {
        if (content.invocation) {
            Result<job::SignedInvocation> invocation = job::read_invocation(*content.invocation);
            if (!invocation) {
                return std::move(invocation).take_error().during("a job in the ledger");
            }
            TRY(keep_job(invocation->invocation, keep));
        }
        if (content.receipt) {
            Result<job::SignedReceipt> receipt = job::read_receipt(*content.receipt);
            if (!receipt) {
                return std::move(receipt).take_error().during("a receipt in the ledger");
            }
            TRY(keep_results(receipt->receipt, keep));
        }
        return {};
    });
}

} // namespace

Result<VisitRoots>
roots_of_jobs(const config::Home& home, const config::Settings& settings, UnixSeconds now) {
    const std::chrono::milliseconds kept = TRY(parse_duration(settings.store_keep_results));
    const std::int64_t now_ms = now.value * 1000;
    const ledger::UnixMillis since{kept.count() > now_ms ? 0 : now_ms - kept.count()};
    const std::string file = home.ledger_file();
    return VisitRoots([file, since](const KeepRoot& keep) -> Result<void> {
        Result<void> visited = visit_ledger(file, since, keep);
        if (!visited) {
            return std::move(visited).take_error().during("asking the ledger what jobs still need");
        }
        return visited;
    });
}

} // namespace ic::wiring
