#include "base/time.h"
#include "cli/commands.h"
#include "cli/dry_run.h"
#include "cli/job_file.h"
#include "cli/job_flags.h"
#include "cli/local.h"
#include "cli/submission.h"
#include "kubo/pin.h"
#include "wiring/publication.h"
#include "wiring/tracing.h"
#include "wiring/workshop.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace ic::cli {
namespace {

struct SubmitFlags {
    JobFlags job;
    SessionOptions session;
    bool dry_run = false;
    bool job_file_schema = false;
};

/// The span of this command: what the job's own hang on.
class SubmitSpan {
public:
    /// `exporter` may be null: then a context that was given is handed on as it is.
    explicit SubmitSpan(traces::Exporter* exporter)
        : exporter_(exporter)
        , given_(wiring::given_context(config::process_environment)) {
        if (exporter_ != nullptr) {
            own_ = {.trace = given_ ? given_->trace : exporter_->new_trace_id(),
                    .span = exporter_->new_span_id(),
                    .is_sampled = !given_ || given_->is_sampled};
        }
    }

    /// For the job; nothing if nobody traces.
    std::optional<std::string> traceparent() const {
        const std::optional<traces::TraceContext>& context = own_ ? own_ : given_;
        return context ? std::optional(traces::to_traceparent(*context)) : std::nullopt;
    }

    void end(const Cid& job, const Result<int>& end) {
        if (!own_ || !own_->is_sampled) {
            return;
        }
        traces::Span span{.trace = own_->trace,
                          .id = own_->span,
                          .parent = given_ ? std::optional(given_->span) : std::nullopt,
                          .name = "submit",
                          .kind = traces::SpanKind::client,
                          .start = traces::unix_of(start_),
                          .end = traces::unix_of(now_since_boot()),
                          .attributes = {{"ipfs_compute.job", job.to_string()}},
                          .error = end ? std::nullopt
                                       : std::optional(std::string(name(end.error().code)))};
        if (end) {
            span.attributes.push_back(
                {"process.exit_code", static_cast<std::uint64_t>(std::max(0, *end))});
        }
        exporter_->add(std::move(span));
    }

private:
    traces::Exporter* exporter_;
    std::optional<traces::TraceContext> given_;
    std::optional<traces::TraceContext> own_;
    const Instant start_ = now_since_boot();
};

Result<void> hand_on_one(const Local& local, const Cid& cid) {
    if (cid.hash() == HashCode::identity || !TRY(local.store().has(cid))) {
        return {};
    }
    // What Kubo keeps already it need not be sent again, however large it is.
    const std::optional<kubo::Pin> pin = TRY(kubo::pin_of(*local.kubo, cid));
    if (pin && pin->type == "recursive") {
        return {};
    }
    Result<void> published = wiring::publish(local.store(), *local.kubo, std::array{cid});
    // What is here in part came from elsewhere, and can be had there.
    return published || published.error().code != Errc::not_found ? published : Result<void>();
}

/// What the job needs and is here, so that a worker elsewhere can have it.
Result<void> hand_on(const Local& local, const job::JobSpec& spec) {
    if (!local.kubo) {
        return {};
    }
    std::vector<Cid> needed{spec.module};
    if (spec.event) {
        needed.push_back(*spec.event);
    }
    for (const auto* const named : {&spec.inputs, &spec.imports}) {
        for (const auto& [name, cid] : *named) {
            needed.push_back(cid);
        }
    }
    // One by one: what is here only in part keeps nothing else back.
    for (const Cid& cid : needed) {
        if (Result<void> handed = hand_on_one(local, cid); !handed) {
            return std::move(handed).take_error().during("giving Kubo what the job needs");
        }
    }
    return {};
}

/// All that `submit` does but for signing for good and telling anybody.
Result<int> look_at_it(Context& context, const Local& local, const JobFlags& flags) {
    ScratchStore store(local.store());
    job::JobSpec spec = TRY(spec_of(flags, context.guest_words, store, local.profile));
    const job::Invocation invocation =
        TRY(invocation_of(flags, std::move(spec), local.key.public_key(), now_unix()));
    job::Policy policy = parts_of(local).policy;
    policy.hosts = {"*"}; // The workers decide, each for itself.
    TRY(job::admits(policy, invocation));
    const job::SignedInvocation document = TRY(job::sign(invocation, local.key));
    TRY(print_dry_run(context, store, document));
    return 0;
}

Result<int> submit(Context& context, const SubmitFlags& flags) {
    if (flags.job_file_schema) {
        TRY(context.streams.print(job_file_schema()));
        return 0;
    }
    if (flags.session.id_only && flags.session.follow) {
        return Error{Errc::usage, "--id-only prints no output: leave --follow out, or it"};
    }
    const JobFlags wanted = TRY(with_job_file(flags.job, context.guest_words));
    const std::unique_ptr<Local> local = TRY(open_local(context));
    if (flags.dry_run) {
        return look_at_it(context, *local, wanted);
    }
    // Until the job is in the ledger, and what it needs is kept for it.
    const std::unique_ptr<WriteSession> writing = TRY(local->store().begin_session());
    job::JobSpec spec = TRY(spec_of(wanted, context.guest_words, local->store(), local->profile));
    TRY(hand_on(*local, spec));
    job::Invocation invocation =
        TRY(invocation_of(wanted, std::move(spec), local->key.public_key(), now_unix()));
    if (local->kubo) {
        invocation.providers = local->stores->own_providers();
    }
    const std::unique_ptr<traces::Exporter> exporter =
        TRY(wiring::open_traces(local->settings, config::process_environment, "submit", nullptr));
    SubmitSpan span(exporter.get());
    invocation.traceparent = span.traceparent();
    const job::SignedInvocation signed_invocation = TRY(job::sign(invocation, local->key));
    SessionOptions session = flags.session;
    session.quiet = session.quiet || session.id_only;
    SubmissionParts parts = parts_of(*local);
    parts.traces = exporter.get();
    Result<int> end = submit_and_wait(context, parts, signed_invocation, !wanted.no_cache, session);
    span.end(signed_invocation.cid, end);
    return end;
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
    command->add_flag("--id-only",
                      flags->session.id_only,
                      "Print the job's CID as soon as it is accepted, no more");
    command->add_flag("--dry-run",
                      flags->dry_run,
                      "Check the job and print what would be submitted; submit nothing");
    command->add_flag(
        "--job-file-schema", flags->job_file_schema, "Print the JSON Schema of job files, no more");
    context.add_json(*command);
    context.add_gateways(*command);
    context.add_ipfs(*command);
    context.add_traces(*command);
    command->footer("Standard output is the guest's and nothing else. The exit status is the "
                    "guest's own\n(0 to 119), or 120 to 127 with a line that names the cause.\n\n"
                    "Examples:\n"
                    "  ipfs-compute submit --handler handler --wasm-cid bafk...\n"
                    "  ipfs-compute submit --wasm-file x.wasm --event event.json --json\n"
                    "  ipfs-compute submit --wasm-cid bafk... --nonce random --detach\n"
                    "  ipfs-compute submit --job-file job.toml --dry-run\n"
                    "  ipfs-compute submit --wasm-cid bafk... --timeout 5m -- one two");
    context.on_run(*command, [&context, flags] { return submit(context, *flags); });
}

} // namespace ic::cli
