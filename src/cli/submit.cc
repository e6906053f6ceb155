#include "cli/commands.h"
#include "cli/job_flags.h"
#include "cli/local.h"
#include "cli/submission.h"
#include "wiring/publication.h"
#include "wiring/workshop.h"

#include <memory>
#include <vector>

namespace ic::cli {
namespace {

struct SubmitFlags {
    JobFlags job;
    SessionOptions session;
};

/// What the job needs and is here, so that a worker elsewhere can have it.
Result<void> hand_on(const Local& local, const job::JobSpec& spec) {
    if (!local.kubo) {
        return {};
    }
    std::vector<Cid> needed{spec.module};
    if (spec.event) {
        needed.push_back(*spec.event);
    }
    for (const auto& [name, cid] : spec.inputs) {
        needed.push_back(cid);
    }
    std::vector<Cid> here;
    for (const Cid& cid : needed) {
        if (cid.hash() != HashCode::identity && TRY(local.store().has(cid))) {
            here.push_back(cid);
        }
    }
    Result<void> published = wiring::publish(local.store(), *local.kubo, here);
    // What is here in part came from elsewhere, and can be had there.
    if (!published && published.error().code != Errc::not_found) {
        return std::move(published).take_error().during("giving Kubo what the job needs");
    }
    return {};
}

Result<int> submit(Context& context, const SubmitFlags& flags) {
    const std::unique_ptr<Local> local = TRY(open_local(context));
    // Until the job is in the ledger, and what it needs is kept for it.
    const std::unique_ptr<WriteSession> writing = TRY(local->store().begin_session());
    job::JobSpec spec =
        TRY(spec_of(flags.job, context.guest_words, local->store(), local->profile));
    TRY(hand_on(*local, spec));
    const job::Invocation invocation =
        TRY(invocation_of(flags.job, std::move(spec), local->key.public_key(), now_unix()));
    const job::SignedInvocation signed_invocation = TRY(job::sign(invocation, local->key));
    return submit_and_wait(
        context, parts_of(*local), signed_invocation, !flags.job.no_cache, flags.session);
}

} // namespace

void add_submit(Command& app, Context& context) {
    Command* command =
        app.add_subcommand("submit", "Submit a job, wait for it, print what it wrote");
    auto flags = std::make_shared<SubmitFlags>();
    add_job_flags(*command, context, flags->job);
    command->add_flag("--detach", flags->session.detach, "Print the job's CID and leave it");
    command->add_flag("--follow", flags->session.follow, "Print what it writes while it runs");
    command->add_flag("-q,--quiet", flags->session.quiet, "No lines about stages and CIDs");
    context.add_json(*command);
    context.add_gateways(*command);
    context.add_ipfs(*command);
    command->footer("Standard output is the guest's and nothing else. The exit status is the "
                    "guest's own\n(0 to 119), or 120 to 127 with a line that names the cause.\n\n"
                    "Examples:\n"
                    "  ipfs-compute submit --handler handler --wasm-cid bafk...\n"
                    "  ipfs-compute submit --wasm-file x.wasm --event event.json --json\n"
                    "  ipfs-compute submit --wasm-cid bafk... --nonce random --detach\n"
                    "  ipfs-compute submit --wasm-cid bafk... --timeout 5m -- one two");
    context.on_run(*command, [&context, flags] { return submit(context, *flags); });
}

} // namespace ic::cli
