#include "worker/worker.h"

#include "base/time.h"
#include "job/authority.h"
#include "worker/active_run.h"
#include "worker/chronicle.h"
#include "worker/health.h"
#include "worker/run_job.h"
#include "worker/slots.h"
#include "worker/store_count.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ic::worker {

using namespace std::chrono_literals;

namespace {

/// Ours: while runs last less than this on average, more jobs are taken than there are slots, so
/// that the next one is here when a slot gets free: a grant takes a synced commit, which is longer
/// than such a run.
constexpr auto short_run = 5ms;
constexpr std::uint32_t ahead_factor = 4; ///< Slots and waiting jobs together, in slots.
/// Ours: runs whose results are handed on at once. They wait for the same Kubo, which takes
/// together what waits.
constexpr std::size_t handing_on_max = 32;
/// Ours: what has waited this long behind runs that turned out longer goes back.
constexpr auto wait_max = 100ms;
/// Ours: how long after a run its results are kept from collections because of it: until then the
/// coordinator has journaled the receipt, whose retention they are under from there on.
constexpr auto session_after_run = 60s;

} // namespace

struct Worker::Impl {
    Options options;
    std::shared_ptr<const job::Policy> policy; ///< That of `options`, moved here: it changes.
    net::EventLoop& loop;
    const PrivateKey& key;
    RunParts parts;
    transport::Outlet& outlet;
    LogLine on_log;
    lease::Worker machine;
    Chronicle chronicle{options.note, options.counts, options.traces};

    std::map<job::LeaseRef, std::shared_ptr<ActiveRun>> active;
    net::TimerId timer;
    Instant timer_at = Instant::never();
    net::TimerId report_timer;
    bool reporting = false;
    bool is_ahead = false;
    bool resting = false;
    Health health;
    net::TimerId unwell_timer;
    int handed_on = 0; ///< Runs that have ended and whose results are on their way to Kubo.
    std::chrono::nanoseconds run_average = short_run; ///< Moving, over about eight runs.
    bool pumping = false;
    StoreCount store_count{parts.store};
    std::function<void()> on_idle;
    std::deque<std::pair<Instant, std::shared_ptr<WriteSession>>> lingering; ///< Oldest first.
    net::TimerId lingering_timer;
    // Posted work may come after this is gone: it looks at this word, on the loop's thread.
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
    std::unique_ptr<Slots> handing_on; // Its threads use all of the above,
    std::unique_ptr<Slots> slots;      // and these threads that as well.

    Impl(Options o,
         net::EventLoop& l,
         const PrivateKey& k,
         RunParts p,
         lease::NonceSource& nonces,
         transport::Outlet& out,
         LogLine log)
        : options(std::move(o))
        , policy(std::make_shared<const job::Policy>(std::move(options.policy)))
        , loop(l)
        , key(k)
        , parts(std::move(p))
        , outlet(out)
        , on_log(std::move(log))
        , machine(options.self, options.machine, nonces)
        , handing_on(parts.publish
                         ? std::make_unique<Slots>(static_cast<std::size_t>(handed_on_max()))
                         : nullptr)
        , slots(std::make_unique<Slots>(options.machine.slots)) {}

    ~Impl() {
        *alive = false;
        loop.cancel(timer);
        loop.cancel(report_timer);
        loop.cancel(lingering_timer);
        loop.cancel(unwell_timer);
        for (const auto& [lease, run] : active) {
            run->permit.stop(Errc::cancelled);
        }
        slots.reset();      // Waits for the runs,
        handing_on.reset(); // and for what they leave to be handed on.
    }

    void post(std::function<void()> work) {
        loop.post([is_alive = alive, work = std::move(work)] {
            if (*is_alive) {
                work();
            }
        });
    }

    // --- the machine's actions ---

    void pump() {
        if (pumping) {
            return;
        }
        pumping = true;
        for (;;) {
            std::vector<lease::WorkerAction> actions = machine.take_actions();
            if (actions.empty()) {
                break;
            }
            for (lease::WorkerAction& action : actions) {
                std::visit([this](auto& one) { carry_out(one); }, action);
            }
        }
        pumping = false;
        arm();
        if (on_idle && machine.idle()) {
            std::exchange(on_idle, nullptr)();
        }
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

    void carry_out(lease::Send& send) { outlet.send(send.to, std::move(send.message)); }

    void carry_out(lease::Announcement& announcement) {
        outlet.announce(std::move(announcement.message));
    }

    void carry_out(lease::StartRun& start) {
        auto run =
            std::make_shared<ActiveRun>(start.lease, start.coordinator, policy, start.lease_until);
        active.insert_or_assign(start.lease, run);
        chronicle.began(start.lease, start.coordinator);
        report_later();
        slots->start([this, run, document = std::move(start.invocation)] {
            Claim none = Claim::none;
            if (!run->claim.compare_exchange_strong(none, Claim::slot)) {
                return; // Handed back meanwhile.
            }
            run->report.began = now_since_boot();
            Result<StoredRun> stored = run_on_slot(*run, document);
            const std::chrono::nanoseconds took = now_since_boot() - run->report.began;
            if (!stored || stored->run.to_hand_on.empty()) {
                finish(run, took, std::move(stored));
                return;
            }
            // The slot is free for the next guest while Kubo takes what this one made, together
            // with what others made.
            auto waiting = std::make_shared<StoredRun>(std::move(stored).take());
            note_handed_on(1);
            handing_on->start([this, run, took, waiting] {
                hand_on_results(parts, waiting->timeouts, run->permit, waiting->run);
                note_handed_on(-1);
                finish(run, took, std::move(*waiting));
            });
        });
    }

    /// On any thread. Runs whose results are handed on need no slot: others are taken in their
    /// place.
    void note_handed_on(int more) {
        post([this, more] {
            handed_on += more;
            set_slots();
            pump();
        });
    }

    /// On any thread.
    void finish(const std::shared_ptr<ActiveRun>& run,
                std::chrono::nanoseconds took,
                Result<StoredRun> stored) {
        if (!stored) {
            run->report.ending.error = stored.error().code;
            run->report.ending.message = stored.error().message;
        }
        lease::RunEnd end =
            stored ? end_of(*run, std::move(stored).take()) : no_receipt(stored.error());
        run->report.ended = now_since_boot();
        post([this, run, took, counted = store_count.if_due(), end = std::move(end)]() mutable {
            if (counted) {
                machine.set_store_bytes(*counted);
            }
            look_ahead(took);
            chronicle.ended(run->report);
            ended(run->lease, std::move(end));
            pump();
        });
    }

    void ended(const job::LeaseRef& lease, lease::RunEnd end) {
        if (const auto run = active.find(lease); run != active.end()) {
            if (run->second->session) {
                lingering.emplace_back(now_since_boot() + session_after_run,
                                       std::move(run->second->session));
                end_sessions();
            }
            look_at_health(*run->second);
            active.erase(run);
        }
        machine.run_finished(lease, std::move(end), now_since_boot());
    }

    void end_sessions() {
        while (!lingering.empty() && lingering.front().first <= now_since_boot()) {
            lingering.pop_front();
        }
        loop.cancel(lingering_timer);
        if (!lingering.empty()) {
            lingering_timer = loop.at(lingering.front().first, [this] { end_sessions(); });
        }
    }

    /// Takes jobs ahead of free slots while runs are short, and stops when they are not.
    void look_ahead(std::chrono::nanoseconds took) {
        run_average = (run_average * 7 + took) / 8;
        const bool ahead = run_average < short_run;
        if (ahead != is_ahead) {
            is_ahead = ahead;
            set_slots();
        }
    }

    /// So many at once; what is beyond that waits, and takes the place of a run.
    int handed_on_max() const {
        return static_cast<int>(
            std::min<std::size_t>(handing_on_max, options.machine.slots * ahead_factor));
    }

    void set_slots() {
        const std::uint32_t usual = options.machine.slots * (is_ahead ? ahead_factor : 1U);
        const auto without_slot = static_cast<std::uint32_t>(std::min(handed_on, handed_on_max()));
        machine.set_slots(resting ? 0 : health.slots(usual + without_slot), now_since_boot());
    }

    /// Whether this machine can keep results, by the run that has just ended.
    void look_at_health(const ActiveRun& run) {
        const bool pauses = health.fails_with(run.not_kept   ? Kept::failed
                                              : run.is_proof ? Kept::results
                                                             : Kept::nothing);
        set_slots();
        if (!pauses) {
            return;
        }
        options.note(
            log::Level::warning,
            "nothing is taken for " + std::to_string(health.pause().count()) +
                " ms: " + run.not_kept->message,
            {{"job", run.lease.job.to_string()}, {"error", std::string(name(run.not_kept->code))}});
        unwell_timer = loop.after(health.pause(), [this] {
            health.pause_is_over();
            set_slots();
            pump();
        });
    }

    /// What was taken ahead and waits behind a long run is given back, unstarted.
    void hand_back_waiting() {
        const Instant now = now_since_boot();
        std::vector<std::shared_ptr<ActiveRun>> late;
        for (const auto& [lease, run] : active) {
            if (run->claim == Claim::none && now - run->granted > wait_max) {
                late.push_back(run);
            }
        }
        for (const std::shared_ptr<ActiveRun>& run : late) {
            Claim none = Claim::none;
            if (run->claim.compare_exchange_strong(none, Claim::loop)) {
                look_ahead(wait_max);
                ended(run->lease, no_receipt({Errc::unavailable, "its slot is taken for longer"}));
            }
        }
    }

    void carry_out(const lease::StopRun& stop) {
        if (const auto run = active.find(stop.lease); run != active.end()) {
            run->second->permit.stop(stop.reason);
        }
    }

    void carry_out(const lease::LeaseUntil& until) {
        if (const auto run = active.find(until.lease); run != active.end()) {
            run->second->permit.extend(until.until);
        }
    }

    // --- on a slot's thread ---

    static lease::RunEnd no_receipt(const Error& error) {
        return {.receipt = std::nullopt, .reason = error.code, .message = error.message};
    }

    Result<StoredRun> run_on_slot(ActiveRun& run, ByteView document) {
        const job::SignedInvocation invocation = TRY(look_at(run, document));
        StoredRun stored{.ids = job::ids_of(invocation),
                         .timeouts = invocation.invocation.timeouts,
                         .invocation = {},
                         .run = {}};
        if (parts.keep_documents) {
            stored.invocation = LentBytes::of(copy_of(document));
        }
        run.report.traceparent = invocation.invocation.traceparent;
        const auto shared = run.shared_from_this();
        LiveObserver observer(run,
                              {.log = [&] { post([this, shared] { show_log(*shared); }); },
                               .output = [&] { post([this, shared] { send_live(*shared); }); }});
        stored.run = run_and_store(
            parts, invocation.invocation, stored.ids, run.lease, run.permit, observer);
        return stored;
    }

    lease::RunEnd end_of(ActiveRun& run, StoredRun stored) {
        FinishedRun& finished = stored.run;
        run.session = std::move(finished.session);
        run.is_proof = finished.is_kept && finished.has_results();
        if (!finished.is_kept) {
            run.not_kept =
                Error{finished.ending.error.value_or(Errc::unavailable), finished.ending.message};
        }
        run.report.ending = finished.ending;
        run.report.usage = finished.usage;
        if (finished.ending.error == Errc::lease_lost) {
            // Nobody may take it, and the coordinator knows best what became of the job.
            return no_receipt({Errc::lease_lost, finished.ending.message});
        }
        const bool has_results =
            finished.output || finished.errors || finished.log || finished.usage.bytes_added > 0;
        std::vector<std::string> providers;
        if (has_results && parts.own_providers) {
            providers = parts.own_providers();
        }
        const Result<job::SignedReceipt> receipt = job::sign(receipt_of(finished,
                                                                        stored.ids,
                                                                        run.lease,
                                                                        options.self,
                                                                        options.machine.software,
                                                                        now_unix(),
                                                                        std::move(providers)),
                                                             key);
        if (!receipt) {
            return no_receipt(receipt.error());
        }
        if (parts.keep_documents) {
            parts.keep_documents({{stored.ids.job, std::move(stored.invocation)},
                                  {receipt->cid, LentBytes::of(copy_of(receipt->document))}});
        }
        return {.receipt = receipt->document, .reason = Errc::unavailable, .message = {}};
    }

    Result<job::SignedInvocation> look_at(const ActiveRun& run, ByteView document) const {
        job::SignedInvocation invocation = TRY(job::read_invocation(document));
        if (invocation.cid != run.lease.job) {
            return Error{Errc::refused, "the grant's invocation is of another job"};
        }
        TRY(job::admits(*run.policy, invocation.invocation));
        TRY(job::fits(invocation.invocation.spec.constraints, options.machine.labels));
        // Our own coordinator has checked the signature of what it grants.
        if (run.coordinator != options.self.instance) {
            TRY(job::verify_signature(invocation));
        }
        return invocation;
    }

    // --- reports ---

    void report_later() {
        if (reporting) {
            return;
        }
        reporting = true;
        report_timer = loop.after(limits::report_after, [this] { report(); });
    }

    void send_output(ActiveRun& run) {
        for (job::Output& one : run.output.take().pieces) {
            outlet.send(run.coordinator, std::move(one));
        }
    }

    /// Of a run that has ended the receipt says all.
    void send_live(ActiveRun& run) {
        if (active.contains(run.lease)) {
            send_output(run);
        }
    }

    void show_log(ActiveRun& run) {
        const auto taken = run.log_lines.take();
        for (const std::string& line : taken.pieces) {
            on_log(run.lease.job, line);
        }
        if (taken.dropped > 0) {
            on_log(run.lease.job,
                   "[" + std::to_string(taken.dropped) + " lines are in the job's log alone]");
        }
    }

    void report() {
        reporting = false;
        hand_back_waiting();
        for (const auto& [lease, run] : active) {
            send_output(*run);
            const std::uint8_t stage = run->stage.load(std::memory_order_relaxed);
            if (stage != 0 && stage != run->reported_stage) {
                run->reported_stage = stage;
                machine.stage(lease, static_cast<job::Stage>(stage), now_since_boot());
            }
        }
        pump();
        if (!active.empty()) {
            report_later();
        }
    }

    /// A grant from another node is of its own jobs alone: what the submitter signed names the key
    /// that may grant. False: it goes back.
    bool may_grant(const transport::Peer& from, const job::Grant& grant) {
        if (from.same_user) {
            return true; // Of this home: the key is ours.
        }
        const Result<job::SignedInvocation> invocation = job::read_invocation(grant.invocation);
        if (invocation && job::may_coordinate(invocation->invocation, from.key)) {
            return true;
        }
        outlet.send(
            from.instance,
            job::HandBack{.worker = options.self,
                          .lease = grant.lease,
                          .reason = Errc::refused,
                          .message = "the job does not name your key as its coordinator's"});
        return false;
    }

    /// A job that may not run here is declined when it is announced, not when it is granted.
    void announced(const job::Instance& from, job::Announce announce) {
        const Result<lease::Locality> locality = look_at(announce);
        if (locality) {
            machine.announced(
                from, announce.job, *locality, lease::call_of(announce), now_since_boot());
        } else {
            const Error& error = locality.error();
            chronicle.declined(announce.job, error);
            machine.decline(from, announce.job, error.code, error.message, now_since_boot());
        }
    }

    /// Whether it may run here, as far as the announcement tells, and how much it needs is here.
    Result<lease::Locality> look_at(const job::Announce& announce) const {
        if (!announce.invocation) {
            TRY(job::fits(announce.constraints, options.machine.labels));
            return lease::Locality{};
        }
        const job::SignedInvocation invocation = TRY(job::read_invocation(*announce.invocation));
        TRY(job::admits(*policy, invocation.invocation));
        TRY(job::fits(invocation.invocation.spec.constraints, options.machine.labels));
        const bool is_asked = options.locality && machine.counts().slots_free > 0;
        return is_asked ? options.locality(invocation.invocation.spec) : lease::Locality{};
    }
};

Worker::Worker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Worker::~Worker() = default;

Result<std::unique_ptr<Worker>> Worker::open(Options options,
                                             net::EventLoop& loop,
                                             const PrivateKey& key,
                                             RunParts parts,
                                             lease::NonceSource& nonces,
                                             transport::Outlet& outlet,
                                             LogLine on_log) {
    TRY(lease::check(options.machine));
    return std::unique_ptr<Worker>(new Worker(std::make_unique<Impl>(
        std::move(options), loop, key, std::move(parts), nonces, outlet, std::move(on_log))));
}

void Worker::start() {
    if (const auto stored = impl_->store_count.if_due()) {
        impl_->machine.set_store_bytes(*stored);
    }
    impl_->machine.start(now_since_boot());
    impl_->pump();
}

void Worker::message(const transport::Peer& from, job::Message message) {
    if (auto* announce = std::get_if<job::Announce>(&message)) {
        impl_->announced(from.instance, std::move(*announce));
        impl_->pump();
        return;
    }
    if (const auto* grant = std::get_if<job::Grant>(&message);
        grant != nullptr && !impl_->may_grant(from, *grant)) {
        return;
    }
    impl_->machine.message(from.instance, std::move(message), now_since_boot());
    impl_->pump();
}

void Worker::peer_seen(const transport::Peer& peer) {
    if (peer.kind == transport::PeerKind::node) {
        impl_->machine.peer_seen(peer.instance, now_since_boot());
        impl_->pump();
    }
}

void Worker::peer_gone(const transport::Peer& peer, transport::Fate fate) {
    if (peer.kind != transport::PeerKind::node) {
        return;
    }
    if (fate == transport::Fate::dead) {
        impl_->machine.peer_dead(peer.instance, now_since_boot());
    } else {
        impl_->machine.peer_silent(peer.instance, now_since_boot());
    }
    impl_->pump();
}

void Worker::drain(std::function<void()> on_idle) {
    impl_->on_idle = std::move(on_idle);
    impl_->machine.drain(now_since_boot());
    impl_->pump();
}

void Worker::trust(std::vector<PublicKey> submitters) {
    job::Policy changed = *impl_->policy;
    changed.submitters = std::move(submitters);
    impl_->policy = std::make_shared<const job::Policy>(std::move(changed));
}

void Worker::rest() {
    impl_->resting = true;
    impl_->set_slots();
    impl_->pump();
}

void Worker::go_on() {
    impl_->resting = false;
    impl_->set_slots();
    impl_->pump();
}

void Worker::set_network_size(std::uint64_t workers) { impl_->machine.set_network_size(workers); }

lease::WorkerCounts Worker::counts() const { return impl_->machine.counts(); }

} // namespace ic::worker
