#include "cli/submission.h"

#include "base/time.h"
#include "coordinator/journal.h"
#include "ledger/ledger.h"
#include "net/event_loop.h"
#include "transport/local/local_client.h"
#include "wiring/node.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <string>
#include <utility>

namespace ic::cli {

using namespace std::chrono_literals;

namespace {

constexpr auto answer_time_max = 3s;
/// How often the live line is drawn.
constexpr auto tick_every = 100ms;
/// How long a client looks for another node after its own has died, before it is that node itself;
/// and how long for one at first, while some node is there but ends.
constexpr auto reconnect_time_max = 2s;

// Set by the handler: the one thing that a signal handler may do.
volatile std::sig_atomic_t interrupts = 0;

extern "C" void on_interrupt(int) { interrupts = interrupts + 1; }

/// Ctrl-C as a request to cancel, for as long as it lives.
class InterruptWatch {
public:
    InterruptWatch() {
        interrupts = 0;
        struct sigaction action{};
        action.sa_handler = on_interrupt;
        ::sigaction(SIGINT, &action, &old_interrupt_);
        ::sigaction(SIGTERM, &action, &old_terminate_);
    }

    InterruptWatch(const InterruptWatch&) = delete;
    InterruptWatch& operator=(const InterruptWatch&) = delete;

    ~InterruptWatch() {
        ::sigaction(SIGINT, &old_interrupt_, nullptr);
        ::sigaction(SIGTERM, &old_terminate_, nullptr);
    }

private:
    struct sigaction old_interrupt_{};
    struct sigaction old_terminate_{};
};

/// How often `job wait` looks.
constexpr unsigned wait_poll_us = 50'000;

/// What is asked of a coordinator, again at each new one.
struct Request {
    job::Message message;
    Cid job;
};

class Submitter {
public:
    Submitter(Context& context,
              const SubmissionParts& parts,
              Request request,
              const SessionOptions& options)
        : parts_(parts)
        , request_(std::move(request))
        , options_(options)
        , session_(context, parts.source, options, parts.open_reader) {}

    Result<int> see_through() {
        const InterruptWatch watch;
        bool was_connected = false;
        Instant lost_at = now_since_boot();
        for (;;) {
            Result<transport::LocalClient> client = connect();
            if (client) {
                was_connected = true;
                transport::LocalClient connection = std::move(client).take();
                std::optional<Result<int>> end = talk(connection);
                if (end) {
                    return std::move(*end);
                }
                lost_at = now_since_boot();
                session_.note("the node is gone; looking for another one");
                continue;
            }
            const bool nobody = client.error().code == Errc::not_found;
            // One that ends has closed its socket and holds its lock a little longer: neither a
            // node nor proven dead. A node may be stopped, too, and then this is an error.
            const bool may_change = was_connected || client.error().code == Errc::unavailable;
            if (may_change && now_since_boot() < lost_at + reconnect_time_max) {
                ::usleep(20'000);
                continue;
            }
            if (!nobody) {
                return std::move(client).take_error();
            }
            return alone();
        }
    }

private:
    Result<transport::LocalClient> connect() const {
        transport::Hello self;
        self.instance = wiring::random_instance();
        self.kind = transport::PeerKind::client;
        self.key = parts_.key.public_key();
        self.name = "client " + std::to_string(::getpid());
        self.software = parts_.software;
        return transport::LocalClient::connect(parts_.home / "bus", self, answer_time_max);
    }

    /// Nothing if the node went.
    std::optional<Result<int>> talk(transport::LocalClient& client) {
        if (!client.send(request_.message, answer_time_max)) {
            return std::nullopt;
        }
        int interrupts_seen = 0;
        for (;;) {
            if (interrupts > interrupts_seen) {
                interrupts_seen = interrupts;
                if (interrupts_seen > 1) {
                    return Result<int>(Error{Errc::cancelled, "left; the cancel was asked for"});
                }
                session_.note("cancelling; Ctrl-C again leaves at once");
                if (!client.send(job::CancelRequest{.job = request_.job}, answer_time_max)) {
                    return std::nullopt;
                }
            }
            Result<std::optional<job::Message>> received = client.receive(tick_every);
            if (!received) {
                return std::nullopt;
            }
            std::optional<job::Message> message = std::move(received).take();
            if (!message) {
                session_.tick();
                continue;
            }
            if (std::optional<Result<int>> end = session_.take(*message)) {
                return end;
            }
        }
    }

    /// Coordinates the job in this process, until somebody is there to run it.
    Result<int> alone() {
        const std::unique_ptr<net::EventLoop> loop = TRY(net::EventLoop::open());
        wiring::NodeOptions options;
        options.home = parts_.home;
        options.self = {.key = parts_.key.public_key(), .instance = wiring::random_instance()};
        options.name = "submit " + std::to_string(::getpid());
        options.software = parts_.software;
        options.policy = parts_.policy;
        options.network = parts_.network;
        options.traces = parts_.traces;
        options.note = {log::Level::info, [this](const log::Entry& entry) {
                            session_.note(std::string(entry.message));
                        }};
        const std::unique_ptr<wiring::Node> node =
            TRY(wiring::Node::open(std::move(options), *loop, parts_.key, parts_.store, {}));
        std::optional<Result<int>> end;
        node->on_client = [&](const job::Message& message) {
            if (!end) {
                end = session_.take(message);
            }
            if (end) {
                loop->stop();
            }
        };
        TRY(node->start());
        node->from_client(request_.message);
        if (!options_.detach && !parts_.network) {
            session_.note("no worker is running here; start one with `ipfs-compute worker`");
        }
        int interrupts_seen = 0;
        while (!end) {
            loop->run_for(tick_every);
            session_.tick();
            if (interrupts > interrupts_seen) {
                interrupts_seen = interrupts;
                if (interrupts_seen > 1) {
                    return Error{Errc::cancelled, "left; the cancel was asked for"};
                }
                node->from_client(job::CancelRequest{.job = request_.job});
            }
        }
        return std::move(*end);
    }

    const SubmissionParts& parts_;
    Request request_;
    SessionOptions options_;
    JobSession session_;
};

} // namespace

Result<int> submit_and_wait(Context& context,
                            const SubmissionParts& parts,
                            const job::SignedInvocation& invocation,
                            bool use_memo,
                            const SessionOptions& options) {
    Submitter submitter(context,
                        parts,
                        {.message = job::Submit{.invocation = invocation.document,
                                                .use_memo = use_memo,
                                                .follow = !options.detach},
                         .job = invocation.cid},
                        options);
    return submitter.see_through();
}

Result<int> watch_and_wait(Context& context,
                           const SubmissionParts& parts,
                           const Cid& job,
                           const SessionOptions& options) {
    ledger::LedgerReader reader = TRY(ledger::LedgerReader::open(parts.home / "ledger.db"));
    JobSession session(context, parts.source, options, parts.open_reader);
    const InterruptWatch interrupt;
    session.note("job " + job.to_string());
    for (;;) {
        // The ledger says it all, whoever coordinates the job and however often that changes.
        const ledger::JobDetail detail = TRY(reader.describe(job));
        if (detail.row.state != ledger::JobState::open) {
            return *session.take(coordinator::outcome_of(detail));
        }
        if (interrupts > 0) {
            return Error{Errc::cancelled, "left; the job goes on"};
        }
        std::optional<job::WorkerRef> worker;
        if (!detail.grants.empty() && !detail.grants.back().released) {
            worker = detail.grants.back().worker;
        }
        session.take(job::Progress{
            .job = job,
            .stage = static_cast<std::uint8_t>(worker ? job::Stage::granted : job::Stage::queued),
            .attempt = std::max(detail.row.attempts, 1U),
            .worker = worker,
            .detail = {}});
        ::usleep(wait_poll_us);
    }
}

Result<int> cancel_and_wait(Context& context, const SubmissionParts& parts, const Cid& job) {
    SessionOptions options;
    options.quiet = true;
    options.silent = true;
    Submitter submitter(
        context, parts, {.message = job::CancelRequest{.job = job}, .job = job}, options);
    return submitter.see_through();
}

} // namespace ic::cli
