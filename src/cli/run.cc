#include "base/time.h"
#include "cli/commands.h"
#include "cli/determinism.h"
#include "cli/job_file.h"
#include "cli/job_flags.h"
#include "cli/job_session.h"
#include "cli/job_text.h"
#include "cli/local.h"
#include "cli/run_debugging.h"
#include "wiring/workshop.h"
#include "worker/run_job.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>

namespace ic::cli {
namespace {

struct RunFlags {
    JobFlags job;
    DebuggingFlags debugging;
    std::vector<std::string> private_addresses;
    std::uint64_t runs = 1;
    bool quiet = false;
    bool require_isolation = false;
};

// Set by the handler: a signal handler may touch a lock-free atomic.
std::atomic<bool> interrupted = false;

extern "C" void stop_run(int) { interrupted = true; }

/// Until Ctrl-C, or the end of the total time. There is no lease: nobody else may run it.
class TerminalPermit final : public executor::Permit {
public:
    explicit TerminalPermit(std::chrono::milliseconds total_max)
        : until_(now_since_boot() + total_max) {}

    Instant lease_until() const override { return Instant::never(); }

    std::optional<Errc> stop_reason() const override {
        if (interrupted.load(std::memory_order_relaxed)) {
            return Errc::cancelled;
        }
        return now_since_boot() >= until_ ? std::optional(Errc::total_timeout) : std::nullopt;
    }

private:
    Instant until_;
};

/// Shows a run on this terminal: logs and the guest's output, live.
class TerminalObserver final : public worker::RunObserver {
public:
    TerminalObserver(JobSession& session, RunDebugging& debugging, job::LeaseRef lease)
        : session_(session)
        , debugging_(debugging)
        , lease_(std::move(lease)) {}

    void stage(job::Stage stage) override {
        session_.take(job::Progress{.job = lease_.job,
                                    .stage = static_cast<std::uint8_t>(stage),
                                    .attempt = 1,
                                    .worker = std::nullopt,
                                    .detail = {}});
    }

    void log(std::string_view) override {} // Comes as output too, with its place.

    void trace(std::string_view line) override { debugging_.trace(line); }

    void dump(executor::Dump kind, ByteView piece) override { debugging_.dump(kind, piece); }

    void output(job::Stream stream, std::uint64_t offset, ByteView data) override {
        session_.take(job::Output{
            .lease = lease_, .stream = stream, .offset = offset, .data = copy_of(data)});
    }

private:
    JobSession& session_;
    RunDebugging& debugging_;
    job::LeaseRef lease_;
};

/// Sees nothing: of the runs that are only compared.
class NoObserver final : public worker::RunObserver {
public:
    void stage(job::Stage) override {}
    void log(std::string_view) override {}
    void output(job::Stream, std::uint64_t, ByteView) override {}
    void trace(std::string_view) override {}
    void dump(executor::Dump, ByteView) override {}
};

Result<void> check_runs(const RunFlags& flags) {
    if (flags.runs < 1 || flags.runs > limits::compared_runs_max) {
        return Error{Errc::usage,
                     "--verify-determinism is a number of runs, from 1 to " +
                         std::to_string(limits::compared_runs_max)};
    }
    if (flags.runs > 1 && (flags.job.is_impure || !flags.job.allow_hosts.empty())) {
        return Error{Errc::usage,
                     "--verify-determinism is for pure jobs; leave --impure and --allow-host out, "
                     "or the check"};
    }
    return {};
}

wiring::WorkshopOptions workshop_options(const RunFlags& flags,
                                         const Local& local,
                                         const executor::Debugging& debugging,
                                         executor::channel::WallSet walls) {
    wiring::WorkshopOptions options;
    options.debugging = debugging;
    options.walls = walls;
    options.modules_folder = local.home.modules();
    options.private_addresses = flags.private_addresses;
    options.open_reader = local.open_reader();
    if (flags.runs > 1) {
        options.runs_per_process_max = 1; // Nothing that one run leaves behind reaches the next.
    }
    return options;
}

Result<executor::channel::WallSet> walls_of(const RunFlags& flags,
                                            const config::Settings& settings) {
    return wiring::required_walls(flags.require_isolation ? wiring::RequireIsolation::all
                                                          : wiring::RequireIsolation::as_configured,
                                  settings.isolation_require);
}

Result<int> run_here(Context& context, const RunFlags& given) {
    RunFlags flags = given;
    flags.job = TRY(with_job_file(given.job, context.guest_words));
    TRY(check_runs(flags));
    const std::unique_ptr<Local> local = TRY(open_local(context));
    const executor::channel::WallSet walls = TRY(walls_of(flags, local->settings));
    // So that no collection takes the module or the event while they run.
    const std::unique_ptr<WriteSession> writing = TRY(local->store().begin_session());
    job::JobSpec spec =
        TRY(spec_of(flags.job, context.guest_words, local->store(), local->profile));
    const job::Invocation invocation =
        TRY(invocation_of(flags.job, std::move(spec), local->key.public_key(), now_unix()));
    const job::SignedInvocation signed_invocation = TRY(job::sign(invocation, local->key));
    job::Policy policy = wiring::default_policy({local->key.public_key()});
    policy.hosts = invocation.spec.allow_hosts; // Who runs it here is who asks for them.
    TRY(job::admits(policy, invocation));

    RunDebugging debugging(context, flags.debugging);
    TRY(debugging.open());
    const wiring::WorkshopOptions options =
        workshop_options(flags, *local, debugging.wanted(), walls);
    const std::unique_ptr<wiring::Workshop> workshop =
        TRY(wiring::Workshop::open(options, local->key, policy, local->store(), local->source()));

    const job::JobIds ids = job::ids_of(signed_invocation);
    const job::LeaseRef lease{.job = ids.job, .epoch = {}};
    JobSession session(
        context, local->source(), {.follow = true, .detach = false, .quiet = flags.quiet});
    TerminalObserver observer(session, debugging, lease);
    std::signal(SIGINT, stop_run);
    std::signal(SIGTERM, stop_run);
    const auto run_with = [&](worker::RunObserver& seen_by) {
        const TerminalPermit permit(std::chrono::milliseconds(invocation.timeouts.total_ms_max));
        return worker::run_job(workshop->parts(), invocation, ids, lease, permit, seen_by);
    };
    const worker::FinishedRun run = run_with(observer);
    if (flags.runs > 1 && is_of_the_guest(run.ending)) {
        NoObserver nobody;
        TRY(compare_runs(
            run,
            flags.runs,
            [&] { return run_with(nobody); },
            [&](std::uint64_t compared) {
                session.note_live("comparing runs", compared, flags.runs);
            }));
        session.note(std::to_string(flags.runs) + " runs, all alike");
    }
    const job::Receipt receipt =
        worker::receipt_of(run,
                           ids,
                           lease,
                           {.key = local->key.public_key(), .instance = wiring::random_instance()},
                           wiring::software(),
                           now_unix());
    const job::SignedReceipt signed_receipt = TRY(job::sign(receipt, local->key));
    const Result<void> written = debugging.finish();
    Result<int> ended = *session.take(job::Outcome{.job = ids.job,
                                                   .receipt = signed_receipt.document,
                                                   .error = std::nullopt,
                                                   .message = {},
                                                   .from_memo = false,
                                                   .attempts = 1});
    if (!ended) {
        debugging.note_unwritten();
    } else if (!written) {
        return Error{written.error()};
    }
    return ended;
}

} // namespace

void add_run(Command& app, Context& context) {
    Command* command =
        app.add_subcommand("run", "Run a job here and now, without a worker or a network");
    auto flags = std::make_shared<RunFlags>();
    add_job_flags(*command, context, flags->job);
    command
        ->add_option("--allow-private-address",
                     flags->private_addresses,
                     "A private address that the guest's requests may reach, ADDR or ADDR:PORT")
        ->type_name("ADDR")
        ->expected(1)
        ->allow_extra_args(false)
        ->take_all();
    command
        ->add_option("--verify-determinism",
                     flags->runs,
                     "Run it N times, each in a process of its own, and compare the results")
        ->type_name("N");
    command->add_flag("--require-isolation",
                      flags->require_isolation,
                      "Start only if every wall around guests can be raised; `doctor` shows them");
    add_debugging_flags(*command, flags->debugging);
    context.add_gateways(*command);
    command->add_flag("-q,--quiet", flags->quiet, "No lines about stages and CIDs");
    context.add_json(*command);
    command->footer(
        "Takes the flags of `submit` and prints as it does; always runs anew.\n\n"
        "Examples:\n"
        "  ipfs-compute run --wasm-file x.wasm\n"
        "  echo '{\"n\": 1}' | ipfs-compute run --wasm-file x.wasm --handler handler "
        "--event -\n"
        "  ipfs-compute run --wasm-cid bafk... --memory 64MiB -- one two\n"
        "  ipfs-compute run --wasm-file x.wasm --verify-determinism 100\n"
        "  ipfs-compute run --wasm-file x.wasm --trace --coredump x.core\n"
        "  ipfs-compute run --wasm-file x.wasm --handler sum --profile x.json -- 1 2.5");
    context.on_run(*command, [&context, flags] { return run_here(context, *flags); });
}

} // namespace ic::cli
