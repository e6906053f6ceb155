#include "wiring/unsigned_jobs.h"

#include "job/invocation.h"
#include "job/receipt.h"

#include <utility>
#include <variant>

namespace ic::wiring {

UnsignedJobs::UnsignedJobs(UnsignedJobsOptions options) : options_(std::move(options)) {}

void UnsignedJobs::take(const transport::HeardUnsigned& heard) {
    const auto sign = [&]() -> Result<job::SignedInvocation> {
        return job::sign(
            TRY(job::invocation_of(heard.job, heard.origin, options_.key->public_key())),
            *options_.key);
    };
    const Result<job::SignedInvocation> made = sign();
    if (!made) {
        options_.note(log::Level::warning,
                      "an unsigned job of Kubo peer " + heard.origin.peer +
                          " is not taken: " + made.error().message,
                      {{"peer", heard.origin.peer}});
        return;
    }
    if (followed_.size() < limits::unsigned_jobs_followed_max) {
        followed_.try_emplace(made->cid, Followed{.peer = heard.origin.peer});
    }
    options_.submit(job::Submit{.invocation = made->document, .use_memo = false, .follow = true});
}

void UnsignedJobs::told(const job::Message& message) {
    if (const auto* accepted = std::get_if<job::Accepted>(&message)) {
        told(*accepted);
    } else if (const auto* rejected = std::get_if<job::Rejected>(&message)) {
        told(*rejected);
    } else if (const auto* outcome = std::get_if<job::Outcome>(&message)) {
        told(*outcome);
    }
}

void UnsignedJobs::told(const job::Accepted& accepted) {
    const auto at = followed_.find(accepted.job);
    if (at == followed_.end()) {
        return;
    }
    if (accepted.known_before) {
        // Of the same job heard twice the second answer says so too: what this node has accepted
        // it still tells the end of.
        if (!at->second.accepted) {
            followed_.erase(at);
        }
        return;
    }
    at->second.accepted = true;
    const std::string job = accepted.job.to_string();
    options_.note(log::Level::info,
                  "job " + job + " is accepted for Kubo peer " + at->second.peer + ", unsigned",
                  {{"job", job}, {"peer", at->second.peer}});
}

void UnsignedJobs::told(const job::Rejected& rejected) {
    if (const auto at = followed_.find(rejected.job); at != followed_.end()) {
        options_.note(log::Level::warning,
                      "an unsigned job of Kubo peer " + at->second.peer + " is not taken: " +
                          std::string(name(rejected.reason)) + ": " + rejected.message,
                      {{"peer", at->second.peer}, {"error", std::string(name(rejected.reason))}});
        followed_.erase(at);
    }
}

void UnsignedJobs::told(const job::Outcome& outcome) {
    const auto at = followed_.find(outcome.job);
    if (at == followed_.end()) {
        return;
    }
    std::string how = outcome.error ? std::string(name(*outcome.error)) + ": " + outcome.message
                                    : std::string("without a result");
    const Result<job::SignedReceipt> read =
        outcome.receipt ? job::read_receipt(*outcome.receipt)
                        : Result<job::SignedReceipt>(Error{Errc::not_found, "no receipt"});
    if (read) {
        const job::Receipt& receipt = read->receipt;
        if (receipt.ending.error) {
            how = std::string(name(*receipt.ending.error)) + ": " + receipt.ending.message;
        } else {
            how = "exit status " + std::to_string(receipt.ending.exit_status) + ", output " +
                  (receipt.output ? receipt.output->to_string() : std::string("empty"));
        }
    }
    if (at->second.accepted) {
        const std::string job = outcome.job.to_string();
        options_.note(log::Level::info,
                      "job " + job + " of Kubo peer " + at->second.peer + " ended: " + how,
                      {{"job", job}, {"peer", at->second.peer}});
    }
    followed_.erase(at);
}

} // namespace ic::wiring
