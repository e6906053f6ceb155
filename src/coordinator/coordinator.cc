#include "coordinator/coordinator.h"

#include "base/time.h"
#include "coordinator/acceptance.h"
#include "coordinator/chronicle.h"
#include "coordinator/commits.h"
#include "coordinator/journal.h"
#include "coordinator/watchers.h"
#include "job/invocation.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

namespace ic::coordinator {

using namespace std::chrono_literals;

namespace limits {
/// Ours: before an adoption that failed (disk full, ledger busy) is tried again.
constexpr auto adopt_retry = 500ms;
/// Ours: how often the owners of relayed jobs are looked up again.
constexpr auto relayed_look = 250ms;
} // namespace limits

struct Coordinator::Impl {
    Options options;
    net::EventLoop& loop;
    ledger::LedgerWriter& writer;
    ledger::LedgerReader reader;
    transport::Outlet& outlet;
    IsKept is_kept;
    lease::Coordinator machine;
    Chronicle chronicle{options.note, options.counts, options.traces};

    std::unordered_map<Cid, JobFacts> open_jobs;
    Watchers watchers{outlet};
    std::set<Cid> relayed; ///< Watched here, owned by another process.
    std::set<job::Instance> other_nodes;
    net::TimerId relayed_timer;
    net::TimerId timer;
    Instant timer_at = Instant::never();
    bool pumping = false;
    Commits commits;
    // What is posted to the loop may come after this is gone: it looks at this word first.
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);

    Impl(Options o,
         net::EventLoop& l,
         ledger::LedgerWriter& w,
         ledger::LedgerReader r,
         transport::Outlet& out,
         IsKept kept,
         std::uint64_t incarnation)
        : options(std::move(o))
        , loop(l)
        , writer(w)
        , reader(std::move(r))
        , outlet(out)
        , is_kept(std::move(kept))
        , machine({.instance = options.self.instance,
                   .key = options.self.key,
                   .incarnation = incarnation},
                  options.machine,
                  options.idle)
        , commits(
              loop,
              writer,
              [this](lease::JournalToken token) {
                  machine.journaled(token, now_since_boot());
                  pump();
              },
              [this](std::vector<ledger::Record>& records) { return give_away(records); }) {}

    ~Impl() {
        *alive = false;
        loop.cancel(timer);
        loop.cancel(relayed_timer);
    }

    // --- clients ---

    void reject(const job::Instance& client, const Cid& job, const Error& error) {
        chronicle.rejected(error);
        outlet.send(client,
                    job::Rejected{.job = job, .reason = error.code, .message = error.message});
    }

    void submit(const job::Instance& client, const job::Submit& submit) {
        const Result<job::SignedInvocation> looked_at =
            look_at(submit.invocation,
                    options,
                    other_nodes.empty() ? Company::alone : Company::others,
                    now_unix());
        if (!looked_at) {
            reject(client, cid_of(Codec::dag_cbor, submit.invocation), looked_at.error());
            return;
        }
        if (const std::optional<Error>& failure = commits.failure()) {
            reject(client, looked_at->cid, *failure);
            return;
        }
        watchers.add(
            looked_at->cid, client, submit.follow ? Interest::everything : Interest::acceptance);
        if (!machine.view(looked_at->cid)) {
            // One look: most jobs are new, and each costs the loop's thread a read transaction.
            const Result<ledger::JobDetail> detail = reader.describe(looked_at->cid);
            if (!detail && detail.error().code != Errc::not_found) {
                watchers.forget(looked_at->cid, client);
                reject(client, looked_at->cid, detail.error()); // It may have ended long ago.
                return;
            }
            if (detail && detail->row.state != ledger::JobState::open) {
                answer_from(client, *detail, true);
                return;
            }
            if (detail && detail->row.owner != options.self.instance) {
                relay_submit(client, looked_at->cid, submit, detail->row.owner);
                return;
            }
        }
        const job::JobIds ids = job::ids_of(*looked_at);
        lease::JobEntry entry = entry_of(*looked_at, ids, options.locality);
        open_jobs.try_emplace(ids.job,
                              JobFacts{.ids = ids, .labels = looked_at->invocation.labels});
        std::optional<Bytes> answer;
        if (submit.use_memo) {
            answer = memo(looked_at->invocation, ids.computation);
        }
        if (answer) {
            machine.submit_answered(std::move(entry), std::move(*answer), now_since_boot());
        } else {
            machine.submit(std::move(entry), now_since_boot());
        }
    }

    /// The receipt of an earlier run of the same computation, if it may answer.
    std::optional<Bytes> memo(const job::Invocation& invocation, const Cid& computation) {
        if (invocation.spec.effects != job::Effects::pure || !invocation.nonce.empty()) {
            return std::nullopt;
        }
        Result<std::optional<ledger::ReceiptRow>> row = reader.memo(computation);
        if (!row || !*row) {
            return std::nullopt; // A memo that cannot be read is only slower.
        }
        const Result<job::SignedReceipt> receipt = job::read_receipt((*row)->receipt);
        if (!receipt || !is_kept(receipt->receipt)) {
            return std::nullopt;
        }
        return std::move(row).take()->receipt;
    }

    /// A job that only the ledger remembers: tells how it ended. False if there is no such job, or
    /// it is open (and some process will adopt it).
    bool answer_from_ledger(const job::Instance& client, const Cid& job) {
        const Result<ledger::JobDetail> detail = reader.describe(job);
        if (!detail || detail->row.state == ledger::JobState::open) {
            return false;
        }
        answer_from(client, *detail, false);
        return true;
    }

    void
    answer_from(const job::Instance& client, const ledger::JobDetail& detail, bool say_accepted) {
        const Cid& job = detail.row.ids.job;
        if (say_accepted) {
            outlet.send(client, job::Accepted{.job = job, .known_before = true});
        }
        outlet.send(client, outcome_of(detail));
        watchers.forget(job, client);
    }

    // --- jobs of other coordinators of this home ---

    /// The ledger has the job, so it is accepted, whatever becomes of its owner: that is known to
    /// be dead only later, and whoever adopts it has no client to tell.
    void relay_submit(const job::Instance& client,
                      const Cid& job,
                      const job::Submit& submit,
                      const job::Instance& owner) {
        outlet.send(client, job::Accepted{.job = job, .known_before = true});
        if (!submit.follow) {
            watchers.forget(job, client);
            return;
        }
        relayed.insert(job);
        outlet.send(owner, submit);
        look_after_relayed_later();
    }

    /// Who owes this open job its end, if it is another process of this home.
    std::optional<job::Instance> other_owner(const Cid& job) {
        const Result<ledger::JobDetail> detail = reader.describe(job);
        if (!detail || detail->row.state != ledger::JobState::open ||
            detail->row.owner == options.self.instance) {
            return std::nullopt;
        }
        return detail->row.owner;
    }

    /// What another coordinator told us as its client, to our clients.
    void relay(const job::Message& message) {
        const Cid* job = nullptr;
        bool is_end = false;
        if (const auto* accepted = std::get_if<job::Accepted>(&message)) {
            job = &accepted->job;
        } else if (const auto* progress = std::get_if<job::Progress>(&message)) {
            job = &progress->job;
        } else if (const auto* outcome = std::get_if<job::Outcome>(&message)) {
            job = &outcome->job;
            is_end = true;
        }
        if (job == nullptr || !relayed.contains(*job)) {
            return;
        }
        watchers.tell(*job, message, Interest::acceptance);
        if (is_end) {
            relayed.erase(*job);
            watchers.forget_job(*job);
        }
    }

    /// Whose jobs they are changes when their owners die: asks again, until each has ended.
    void look_after_relayed_later() {
        if (relayed_timer == net::TimerId{}) {
            relayed_timer = loop.after(limits::relayed_look, [this] {
                relayed_timer = {};
                look_after_relayed();
            });
        }
    }

    void look_after_relayed() {
        const std::set<Cid> all = relayed;
        for (const Cid& job : all) {
            if (!watchers.any_of(job) || machine.view(job)) {
                relayed.erase(job); // Nobody asks any more, or it has become ours.
                continue;
            }
            if (const auto owner = other_owner(job)) {
                outlet.send(*owner, job::Watch{.job = job});
                continue;
            }
            for (const job::Instance& client : watchers.of(job)) {
                answer_from_ledger(client, job);
            }
        }
        if (!relayed.empty()) {
            look_after_relayed_later();
        }
    }

    void cancel(const job::Instance& client, const job::CancelRequest& request) {
        if (machine.cancel(request.job, Errc::cancelled, now_since_boot())) {
            watchers.add(request.job, client, Interest::everything);
        } else if (const auto owner = other_owner(request.job)) {
            watchers.add(request.job, client, Interest::everything);
            relayed.insert(request.job);
            outlet.send(*owner, request);
            look_after_relayed_later();
        } else {
            watch_request(client, request.job);
        }
    }

    void watch_request(const job::Instance& client, const Cid& job) {
        if (const auto view = machine.view(job); view && view->state != lease::JobState::finished) {
            watchers.add(job, client, Interest::everything);
            outlet.send(client,
                        job::Progress{.job = job,
                                      .stage = view->stage,
                                      .attempt = view->attempts_failed + 1,
                                      .worker = view->worker,
                                      .detail = {}});
            return;
        }
        if (answer_from_ledger(client, job)) {
            return;
        }
        if (const auto owner = other_owner(job)) {
            watchers.add(job, client, Interest::everything);
            relayed.insert(job);
            outlet.send(*owner, job::Watch{.job = job});
            look_after_relayed_later();
        } else {
            reject(client,
                   job,
                   Error{Errc::not_found, "job " + job.to_string() + " is not open here"});
        }
    }

    // --- workers ---

    void receipt(const transport::Peer& from, job::ReceiptMessage message) {
        lease::ReceiptFacts facts;
        const Result<job::SignedReceipt> read = job::read_receipt(message.receipt);
        if (read) {
            const job::Receipt& receipt = read->receipt;
            // What this very process signed a moment ago is not checked again: 123 us each.
            const bool is_own = from.instance == options.self.instance;
            facts.valid = receipt.job == message.lease.job &&
                          receipt.epoch == message.lease.epoch &&
                          receipt.worker == message.worker.key &&
                          receipt.instance == message.worker.instance && ids_match(receipt) &&
                          (is_own || job::verify_signature(*read).ok());
            facts.error = receipt.ending.error;
            facts.message = receipt.ending.message;
        }
        machine.receipt(from.instance, std::move(message), facts, now_since_boot());
    }

    bool ids_match(const job::Receipt& receipt) const {
        const auto open = open_jobs.find(receipt.job);
        return open == open_jobs.end() || (open->second.ids.task == receipt.task &&
                                           open->second.ids.computation == receipt.computation);
    }

    /// The guest's words on their way to those who look on.
    void forward(const transport::Peer& from, const job::Output& output) {
        if (!watchers.any_of(output.lease.job)) {
            return;
        }
        const std::optional<lease::JobView> view = machine.view(output.lease.job);
        if (!view || !view->worker || view->worker->instance != from.instance) {
            return; // Not, or no more, who runs it.
        }
        watchers.tell(output.lease.job, output, Interest::everything);
    }

    // --- the machine's actions ---

    void pump() {
        if (pumping) {
            return;
        }
        pumping = true;
        for (;;) {
            std::vector<lease::CoordinatorAction> actions = machine.take_actions();
            if (actions.empty()) {
                break;
            }
            for (lease::CoordinatorAction& action : actions) {
                std::visit([this](auto& one) { carry_out(one); }, action);
            }
        }
        pumping = false;
        arm();
    }

    void arm() {
        const Instant next = machine.next_deadline();
        if (next == timer_at) {
            return;
        }
        loop.cancel(timer);
        timer_at = next;
        timer = loop.at(next, [this] {
            timer_at = Instant::never();
            machine.time(now_since_boot());
            pump();
        });
    }

    Moment moment() const {
        return {.since_boot = now_since_boot(),
                .wall = ledger::now_unix_millis(),
                .boot_id = options.boot_id};
    }

    void carry_out(lease::Send& send) { outlet.send(send.to, std::move(send.message)); }

    void carry_out(lease::Announcement& announcement) {
        outlet.announce(std::move(announcement.message));
    }

    void carry_out(lease::Journal& journal) {
        chronicle.tell(journal.records);
        commits.write(journal.token,
                      to_ledger(
                          journal.records,
                          options.self.instance,
                          [this](const Cid& job) -> const JobFacts* {
                              const auto open = open_jobs.find(job);
                              return open == open_jobs.end() ? nullptr : &open->second;
                          },
                          [this](const Cid& job) { return machine.view(job); },
                          moment()));
    }

    /// Jobs that another process of this home accepted at the same moment are its: their clients
    /// are told by way of it.
    bool give_away(std::vector<ledger::Record>& records) {
        std::set<Cid> lost;
        for (const ledger::Record& record : records) {
            // A grant may have been asked for before the acceptance was refused; and the job may
            // have ended by now where it belongs.
            const Cid& job = ledger::job_of(record);
            const Result<ledger::JobDetail> detail = reader.describe(job);
            if (detail && detail->row.owner != options.self.instance) {
                lost.insert(job);
            }
        }
        for (const Cid& job : lost) {
            machine.disown(job, now_since_boot());
            chronicle.given_away(job);
            open_jobs.erase(job);
            relayed.insert(job);
            watchers.tell_accepted({.job = job, .known_before = true});
        }
        std::erase_if(records, [&lost](const ledger::Record& record) {
            return lost.contains(ledger::job_of(record));
        });
        if (!lost.empty()) {
            look_after_relayed_later();
        }
        return !lost.empty();
    }

    void carry_out(const lease::Notify& notify) {
        if (const auto* accepted = std::get_if<job::Accepted>(&notify.what)) {
            watchers.tell_accepted(*accepted);
            return;
        }
        const bool is_end = std::holds_alternative<job::Outcome>(notify.what) ||
                            std::holds_alternative<job::Rejected>(notify.what);
        if (watchers.any_of(notify.job)) {
            const Interest least = is_end ? Interest::acceptance : Interest::everything;
            std::visit([&](const auto& what) { watchers.tell(notify.job, what, least); },
                       notify.what);
        }
        if (is_end) {
            watchers.forget_job(notify.job);
            open_jobs.erase(notify.job);
        }
    }

    void carry_out(const lease::UnknownReceipt& unknown) {
        const Result<ledger::JobDetail> detail = reader.describe(unknown.lease.job);
        if (!detail || detail->row.state == ledger::JobState::open) {
            return;
        }
        outlet.send(unknown.from,
                    job::ReceiptAnswer{.coordinator = options.self.instance,
                                       .lease = unknown.lease,
                                       .fate = fate_of(*detail, unknown.lease.epoch)});
    }

    // --- adoption ---

    void adopt(const std::vector<job::Instance>& dead,
               const std::function<bool(const job::Instance&)>& is_dead) {
        Result<ledger::Adoption> adoption = writer.adopt(dead, options.self.instance);
        if (!adoption) {
            loop.after(limits::adopt_retry, [this, dead, is_dead, is_alive = alive] {
                if (*is_alive) {
                    adopt(dead, is_dead);
                }
            });
            return;
        }
        if (adoption->jobs.empty()) {
            return;
        }
        // Of a process of another machine nothing here can prove that it is dead.
        const auto holder_is_dead = [&](const job::Instance& holder) {
            const Result<bool> is_of_this_home = reader.is_of_this_home(holder);
            return is_of_this_home && *is_of_this_home && is_dead(holder);
        };
        const Moment adopted_at = moment();
        std::vector<lease::RecoveredJob> jobs;
        for (const ledger::AdoptedJob& job : adoption->jobs) {
            Result<lease::RecoveredJob> recovered = recovered_of(job, holder_is_dead, adopted_at);
            if (!recovered) {
                writer.submit({unreadable(job, recovered.error(), adopted_at.wall)},
                              [](const Result<void>&) {});
                continue;
            }
            open_jobs.try_emplace(job.row.ids.job,
                                  JobFacts{.ids = job.row.ids, .labels = job.row.labels});
            chronicle.adopted(*recovered);
            jobs.push_back(std::move(recovered).take());
        }
        machine.recovered(std::move(jobs), adoption->incarnation, adopted_at.since_boot);
        pump();
    }
};

Coordinator::Coordinator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Coordinator::~Coordinator() = default;

Result<std::unique_ptr<Coordinator>> Coordinator::open(Options options,
                                                       net::EventLoop& loop,
                                                       ledger::LedgerWriter& writer,
                                                       transport::Outlet& outlet,
                                                       IsKept is_kept) {
    const std::uint64_t incarnation = TRY(writer.take_incarnation(options.self.instance));
    ledger::LedgerReader reader = TRY(ledger::LedgerReader::open(options.ledger_file));
    TRY(lease::check(options.machine));
    return std::unique_ptr<Coordinator>(new Coordinator(std::make_unique<Impl>(std::move(options),
                                                                               loop,
                                                                               writer,
                                                                               std::move(reader),
                                                                               outlet,
                                                                               std::move(is_kept),
                                                                               incarnation)));
}

void Coordinator::message(const transport::Peer& from, job::Message message) {
    Impl& impl = *impl_;
    if (auto* submit = std::get_if<job::Submit>(&message)) {
        impl.submit(from.instance, *submit);
    } else if (auto* watch = std::get_if<job::Watch>(&message)) {
        impl.watch_request(from.instance, watch->job);
    } else if (auto* cancel = std::get_if<job::CancelRequest>(&message)) {
        impl.cancel(from.instance, *cancel);
    } else if (auto* receipt = std::get_if<job::ReceiptMessage>(&message)) {
        impl.receipt(from, std::move(*receipt));
    } else if (auto* output = std::get_if<job::Output>(&message)) {
        impl.forward(from, *output);
    } else {
        impl.machine.message(from.instance, std::move(message), now_since_boot());
    }
    impl.pump();
}

void Coordinator::relay(const job::Message& message) { impl_->relay(message); }

void Coordinator::peer_seen(const transport::Peer& peer) {
    if (peer.kind == transport::PeerKind::node) {
        impl_->other_nodes.insert(peer.instance);
        const auto store = peer.same_user ? lease::StoreOf::this_home : lease::StoreOf::another;
        impl_->machine.peer_seen(peer.instance, now_since_boot(), store);
        impl_->pump();
    }
}

void Coordinator::peer_gone(const transport::Peer& peer, transport::Fate fate) {
    if (peer.kind == transport::PeerKind::client) {
        impl_->watchers.forget_client(peer.instance);
        return;
    }
    impl_->other_nodes.erase(peer.instance);
    if (fate == transport::Fate::dead) {
        impl_->machine.peer_dead(peer.instance, now_since_boot());
    } else {
        impl_->machine.peer_silent(peer.instance, now_since_boot());
    }
    impl_->pump();
}

void Coordinator::adopt(const std::vector<job::Instance>& dead,
                        const std::function<bool(const job::Instance&)>& is_dead) {
    impl_->adopt(dead, is_dead);
}

void Coordinator::trust(std::vector<PublicKey> submitters) {
    impl_->options.policy.submitters = std::move(submitters);
}

lease::CoordinatorCounts Coordinator::counts() const { return impl_->machine.counts(); }

} // namespace ic::coordinator
