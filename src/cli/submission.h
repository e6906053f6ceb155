#pragma once
/// Submission: brings a signed job to a coordinator and sees it through: a node on the bus, another
/// one if that dies, this very process if there is none.

#include "base/result.h"
#include "blockstore/blockstore.h"
#include "cli/context.h"
#include "cli/job_session.h"
#include "identity/key.h"
#include "job/invocation.h"
#include "job/policy.h"
#include "traces/exporter.h"
#include "wiring/network.h"
#include "worker/broker_host.h"

#include <filesystem>
#include <optional>
#include <string>

namespace ic::cli {

/// What a submission needs of this home. Lifetime: the references outlive the call.
struct SubmissionParts {
    std::filesystem::path home;
    const PrivateKey& key;
    job::Policy policy;
    BlockStore& store;
    BlockSource& source;
    worker::OpenReader open_reader; ///< For outputs, where they come from elsewhere. May be empty.
    std::string software;
    std::optional<wiring::NetworkOptions> network; ///< Nothing: this machine alone.
    traces::Exporter* traces = nullptr;            ///< Null: nothing is traced.
};

/// Returns when the job has ended (or, detached, is accepted). Ctrl-C asks for a cancel and waits
/// for it; a second one leaves at once.
Result<int> submit_and_wait(Context& context,
                            const SubmissionParts& parts,
                            const job::SignedInvocation& invocation,
                            bool use_memo,
                            const SessionOptions& options);

/// The same for a job that was submitted before: waits for its end.
Result<int> watch_and_wait(Context& context,
                           const SubmissionParts& parts,
                           const Cid& job,
                           const SessionOptions& options);

/// Asks for a cancel and waits until nothing of the job runs any more.
Result<int> cancel_and_wait(Context& context, const SubmissionParts& parts, const Cid& job);

} // namespace ic::cli
