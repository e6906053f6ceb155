/// What the runtime of a process does around its machine, in the simulated world.

#include "simulation/world.h"

#include <algorithm>
#include <type_traits>

namespace ic::simulation {

namespace {

/// From asking for a record until it is durable.
constexpr Us commit_us = 5'000;
/// From being told to stop until nothing of the run is alive.
constexpr Us stop_us = 10'000;

} // namespace

Us us_of(Instant at) {
    const auto since = at - instant(0);
    return std::chrono::ceil<std::chrono::microseconds>(since).count();
}

// --- actions -------------------------------------------------------------------------------------

void World::pump(std::uint32_t office) {
    Office& here = offices_[office];
    for (auto actions = here.coordinator->take_actions(); !actions.empty();
         actions = here.coordinator->take_actions()) {
        for (lease::CoordinatorAction& action : actions) {
            carry_out(office, action);
        }
    }
    const Instant next = here.coordinator->next_deadline();
    if (next == Instant::never()) {
        return;
    }
    const Us wake = std::max(now_, us_of(next));
    if (here.alarm.wake != 0 && here.alarm.wake <= wake) {
        return;
    }
    here.alarm.wake = std::max<Us>(wake, 1);
    after(wake - now_, [this, office, number = ++here.alarm.number] {
        Office& woken = offices_[office];
        if (woken.alarm.number == number) {
            woken.alarm.wake = 0;
            woken.coordinator->time(instant(now_));
            pump(office);
        }
    });
}

void World::pump(Node& node) {
    for (auto actions = node.worker->take_actions(); !actions.empty();
         actions = node.worker->take_actions()) {
        for (lease::WorkerAction& action : actions) {
            carry_out(node, action);
        }
    }
    const Instant next = node.worker->next_deadline();
    if (next == Instant::never()) {
        return;
    }
    const Us wake = std::max(now_, us_of(next));
    if (node.alarm.wake != 0 && node.alarm.wake <= wake) {
        return;
    }
    node.alarm.wake = std::max<Us>(wake, 1);
    after(wake - now_, [this, self = node.self.instance, number = ++node.alarm.number] {
        Node* woken = find(self);
        if (woken != nullptr && woken->alarm.number == number) {
            woken->alarm.wake = 0;
            woken->worker->time(instant(now_));
            pump(*woken);
        }
    });
}

void World::carry_out(std::uint32_t office, lease::CoordinatorAction& action) {
    const job::Instance& self = offices_[office].self;
    if (const auto* wanted = std::get_if<lease::Send>(&action)) {
        transmit(self, wanted->to, wanted->message);
    } else if (const auto* said = std::get_if<lease::Announcement>(&action)) {
        announce(std::get<job::Announce>(said->message));
    } else if (const auto* journal = std::get_if<lease::Journal>(&action)) {
        after(commit_us, [this, office, token = journal->token] {
            offices_[office].coordinator->journaled(token, instant(now_));
            pump(office);
        });
    } else if (const auto* notify = std::get_if<lease::Notify>(&action)) {
        const auto* end = std::get_if<job::Outcome>(&notify->what);
        const std::size_t number = job_of_.at(notify->job);
        if (end != nullptr && open_.erase(number) > 0) {
            jobs_[number].ended = now_;
            jobs_[number].announced.clear();
            over_ = now_;
            ++(end->receipt ? sums_.done : sums_.failed);
            if (on_progress_) {
                on_progress_({.jobs_ended = jobs_.size() - open_.size(), .jobs = jobs_.size()});
            }
        }
    } else if (const auto* unknown = std::get_if<lease::UnknownReceipt>(&action)) {
        // The ledger knows it: every job here was submitted.
        transmit(self,
                 unknown->from,
                 job::ReceiptAnswer{self, unknown->lease, job::ReceiptFate::duplicate});
    }
}

void World::carry_out(Node& node, lease::WorkerAction& action) {
    if (const auto* wanted = std::get_if<lease::Send>(&action)) {
        if (wanted->to != node.self.instance) { // Its own coordinator has no jobs.
            send(node, *wanted);
        }
    } else if (const auto* run = std::get_if<lease::StartRun>(&action)) {
        start(node, *run);
    } else if (const auto* stop = std::get_if<lease::StopRun>(&action)) {
        const auto at = node.runs.find(stop->lease);
        if (at != node.runs.end()) {
            after(stop_us,
                  [this, self = node.self.instance, lease = stop->lease, number = at->second] {
                      end_run(self,
                              lease,
                              number,
                              {.receipt = {}, .reason = Errc::lease_lost, .message = {}});
                  });
        }
    }
    // Workers broadcast only once a coordinator is gone, and here none goes. The run's own watch
    // over its lease, LeaseUntil, is for processes that stand still, and here none does.
}

// --- the network ---------------------------------------------------------------------------------

/// Only those who may be called, and those who are machines already, are told.
void World::announce(const job::Announce& announce) {
    Job& job = jobs_[job_of_.at(announce.job)];
    const Broadcast broadcast{.number = ++sums_.broadcasts, .sent = now_};
    sums_.copies += network_.copies();
    const lease::RendezvousOptions rendezvous{.workers = options_.bidders == 0 ? 0 : options_.nodes,
                                              .bidders = std::max(options_.bidders, 1U)};
    const auto before = static_cast<std::uint32_t>(job.announced.size());
    const std::vector<std::uint32_t> called =
        network_.called(job.bits, lease::rendezvous_threshold(rendezvous, before));
    std::set<std::uint32_t> told(called.begin(), called.end());
    for (const auto& [instance, node] : nodes_) {
        told.insert(node->index);
    }
    job.announced.push_back(broadcast);
    for (const std::uint32_t index : told) {
        const std::optional<Us> at = network_.arrival(index, broadcast.number, now_);
        if (!at || network_.is_busy(index)) {
            continue;
        }
        const int times = network_.is_doubled(index, broadcast.number) ? 2 : 1;
        for (int i = 0; i < times; ++i) {
            after(*at - now_, [this, index, said = announce] { arrive(index, said); });
        }
    }
}

void World::arrive(std::uint32_t index, const job::Announce& announce) {
    Node& node = take_part(index, network_.life_of(index, now_));
    node.worker->message(announce.coordinator, announce, instant(now_));
    pump(node);
}

/// To a worker that is no machine (yet), or is not there any more.
void World::probe(const job::Instance& to, const job::Announce& announce) {
    const auto [index, number] = node_of(to);
    const auto node = static_cast<std::uint32_t>(index);
    const Life life = network_.life_of(node, now_);
    if (life.is_here && life.number == number) {
        arrive(node, announce);
    }
}

/// Two that meet tell each other what they are first.
void World::send(Node& from, const lease::Send& wanted) {
    from.used = now_;
    if (from.met.insert(wanted.to).second) {
        from.worker->peer_seen(wanted.to, instant(now_));
    }
    transmit(from.self.instance, wanted.to, wanted.message);
}

void World::transmit(const job::Instance& from,
                     const job::Instance& to,
                     const job::Message& message) {
    ++(std::holds_alternative<job::Advert>(message) ? sums_.adverts : sums_.direct);
    const std::uint64_t number = ++messages_;
    if (chance_.share(Draw::lost, {number}) < options_.loss) {
        return;
    }
    const std::uint64_t copies = chance_.share(Draw::doubled, {number}) < options_.doubling ? 2 : 1;
    const Us mean = std::chrono::microseconds{options_.delay}.count();
    for (std::uint64_t copy = 0; copy < copies; ++copy) {
        after(chance_.around(mean, Draw::delay, {number, copy}),
              [this, from, to, said = message] { deliver(from, to, said); });
    }
}

void World::deliver(const job::Instance& from,
                    const job::Instance& to,
                    const job::Message& message) {
    if (Node* node = find(to)) {
        node->worker->message(from, message, instant(now_));
        pump(*node);
        return;
    }
    const auto at = office_of_.find(to);
    if (at == office_of_.end()) {
        if (const auto* announce = std::get_if<job::Announce>(&message)) {
            probe(to, *announce);
        }
        return; // Else a worker that has gone.
    }
    lease::Coordinator& coordinator = *offices_[at->second].coordinator;
    if (const auto* receipt = std::get_if<job::ReceiptMessage>(&message)) {
        const lease::ReceiptFacts facts{.valid = true, .error = {}, .message = {}};
        coordinator.receipt(from, *receipt, facts, instant(now_));
    } else {
        coordinator.message(from, message, instant(now_));
    }
    pump(at->second);
}

// --- runs ----------------------------------------------------------------------------------------

void World::start(Node& node, const lease::StartRun& run) {
    Job& job = jobs_[job_of_.at(run.lease.job)];
    ++sums_.runs;
    ++job.running;
    sums_.at_once_max = std::max(sums_.at_once_max, job.running);
    if (job.started < 0) {
        job.started = now_;
    }
    const std::uint64_t number = ++runs_;
    node.runs.emplace(run.lease, number);
    node.worker->stage(run.lease, job::Stage::running, instant(now_));
    after(job.run_us, [this, self = node.self.instance, lease = run.lease, number] {
        end_run(
            self, lease, number, {.receipt = Bytes{0}, .reason = Errc::unavailable, .message = {}});
    });
}

void World::end_run(const job::Instance& instance,
                    const job::LeaseRef& lease,
                    std::uint64_t number,
                    lease::RunEnd end) {
    Node* node = find(instance);
    if (node == nullptr) {
        return;
    }
    const auto at = node->runs.find(lease);
    if (at == node->runs.end() || at->second != number) {
        return;
    }
    node->runs.erase(at);
    --jobs_[job_of_.at(lease.job)].running;
    node->worker->run_finished(lease, std::move(end), instant(now_));
    pump(*node);
}

} // namespace ic::simulation
