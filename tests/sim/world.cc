#include "sim/world.h"

#include "lease/fault.h"

#include <algorithm>

namespace ic::sim {

using namespace std::chrono_literals;
using lease::Fault;
using lease::planted;

namespace {

constexpr Us second = 1'000'000;
/// Faults end then; what is left must end within `settle_us_max`.
constexpr Us chaos_us = 20 * second;
constexpr Us settle_us_max = 240 * second;

} // namespace

World::World(std::uint64_t seed, Tracing tracing)
    : seed_(seed)
    , profile_(profile_of(seed))
    , random_(seed)
    , tracing_(tracing) {}

// --- time ----------------------------------------------------------------------------------------

void World::after(Us delay, std::function<void()> what) {
    queue_.push(now_ + delay, std::move(what));
}

void World::to_broker(Process& process, std::function<void()> what) {
    if (!process.alive) {
        return;
    }
    if (process.paused) {
        process.backlog.push_back(std::move(what));
    } else {
        what();
    }
}

Instant World::clock(const Process& process) const {
    const Us ticked = (now_ - process.clock_lost) * machines_[process.machine].rate / 1'000;
    return Instant{std::chrono::microseconds{ticked}};
}

/// When its clock will show `at`: the first moment.
Us World::real(const Process& process, Instant at) const {
    const Us ticks = std::chrono::ceil<std::chrono::microseconds>(at.since_boot).count();
    const std::int64_t rate = machines_[process.machine].rate;
    return (ticks * 1'000 + rate - 1) / rate + process.clock_lost;
}

void World::trace(std::string_view what, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    // FNV-1a over the numbers and the word.
    const auto mix = [this](std::uint64_t value) {
        report_.trace_hash = (report_.trace_hash ^ value) * 0x100000001b3U;
    };
    mix(static_cast<std::uint64_t>(now_));
    for (const char each : what) {
        mix(static_cast<std::uint8_t>(each));
    }
    mix(a);
    mix(b);
    mix(c);
    if (tracing_ == Tracing::on) {
        report_.trace += std::to_string(now_) + " " + std::string(what) + " " + std::to_string(a) +
                         " " + std::to_string(b) + " " + std::to_string(c) + "\n";
    }
}

// --- processes -----------------------------------------------------------------------------------

Process* World::some_alive(std::size_t machine) {
    std::vector<Process*> found;
    for (const auto& process : processes_) {
        if (process->alive && process->machine == machine) {
            found.push_back(process.get());
        }
    }
    if (found.empty()) {
        return nullptr;
    }
    const auto last = static_cast<std::int64_t>(found.size()) - 1;
    return found[static_cast<std::size_t>(random_.between(0, last))];
}

void World::start_process(std::size_t machine) {
    processes_.push_back(std::make_unique<Process>());
    Process& process = *processes_.back();
    process.index = processes_.size() - 1;
    process.machine = machine;
    process.self.instance.bytes[0] = static_cast<std::uint8_t>(process.index);
    process.self.instance.bytes[1] = static_cast<std::uint8_t>(process.index >> 8U);
    process.self.instance.bytes[2] = 1;
    by_instance_[process.self.instance] = &process;
    process.nonces = std::make_unique<SimNonces>(random_);
    process.coordinator = std::make_unique<lease::Coordinator>(
        lease::Coordinator::Self{.instance = process.self.instance,
                                 .key = {},
                                 .incarnation = machines_[machine].ledger.take_incarnation()},
        lease::CoordinatorOptions{});
    lease::WorkerOptions options;
    // Some only coordinate.
    options.slots = static_cast<std::uint32_t>(random_.between(process.index % 3 == 0 ? 0 : 1, 2));
    process.worker = std::make_unique<lease::Worker>(process.self, options, *process.nonces);
    trace("process", process.index, machine, options.slots);
    process.worker->start(clock(process));
    for (const auto& other : processes_) {
        if (!other->alive || other.get() == &process) {
            continue;
        }
        Process& peer = *other;
        const auto meet = [this](Process& one, const job::Instance& it) {
            to_broker(one, [this, &one, it] {
                one.coordinator->peer_seen(it, clock(one));
                one.worker->peer_seen(it, clock(one));
                pump(one);
            });
        };
        after(random_.between(100, 5'000),
              [meet, &peer, it = process.self.instance] { meet(peer, it); });
        meet(process, peer.self.instance);
    }
    adopt(process, true);
    pump(process);
}

/// Takes over what processes of this machine owe that are proven dead.
void World::adopt(Process& process, bool at_start) {
    if (planted(Fault::accepted_forgotten)) {
        return;
    }
    SimLedger& ledger = machines_[process.machine].ledger;
    std::set<Cid> ids;
    std::vector<lease::RecoveredJob> jobs;
    for (auto& [id, job] : ledger.read()) {
        const Process* owner = find(job.owner);
        if (!job.accepted || job.finished > 0 || owner == nullptr || owner->alive) {
            continue;
        }
        lease::RecoveredJob recovered = std::move(job.recovered);
        recovered.accepted_at = clock(process);
        if (recovered.granted) {
            const Process* holder = find(recovered.granted->worker.instance);
            const bool is_proven = holder != nullptr && holder->machine == process.machine &&
                                   !holder->alive && holder->guests.empty();
            recovered.holder = is_proven ? lease::HolderFate::dead : lease::HolderFate::unknown;
        }
        ids.insert(id);
        jobs.push_back(std::move(recovered));
    }
    if (ids.empty()) {
        return;
    }
    report_.adoptions += ids.size();
    trace("adopt", process.index, ids.size(), at_start ? 1 : 0);
    ledger.adopt(ids, process.self.instance);
    process.coordinator->recovered(std::move(jobs), ledger.take_incarnation(), clock(process));
}

/// No more of it, guests and all.
void World::end_process(Process& process) {
    process.alive = false;
    process.backlog.clear();
    for (auto& [lease, guest] : process.guests) {
        if (guest.on) {
            truth_.guest_off(lease.job);
        }
        --truth_.job(lease.job).alive;
    }
    process.guests.clear();
}

void World::kill(Process& process) {
    trace("kill", process.index, process.machine);
    // The broker first, its executors a moment later; the proof comes after both.
    process.paused = true;
    process.backlog.clear();
    const Us executors_gone = random_.between(0, 5'000);
    after(executors_gone, [this, &process] {
        if (!process.alive) {
            return;
        }
        end_process(process);
        for (const auto& other : processes_) {
            Process& peer = *other;
            if (!peer.alive) {
                continue;
            }
            const bool near = peer.machine == process.machine;
            if (!near && random_.chance(0.2)) {
                continue; // Nobody notices.
            }
            after(random_.between(100, near ? 3'000 : 50'000),
                  [this, &peer, it = process.self.instance, near] {
                      to_broker(peer, [this, &peer, it, near] {
                          if (near) {
                              peer.coordinator->peer_dead(it, clock(peer));
                              peer.worker->peer_dead(it, clock(peer));
                              adopt(peer, false);
                          } else {
                              peer.coordinator->peer_silent(it, clock(peer));
                              peer.worker->peer_silent(it, clock(peer));
                          }
                          pump(peer);
                      });
                  });
        }
        after(random_.between(200'000, 3 * second), [this, machine = process.machine] {
            if (!healed_) {
                start_process(machine);
            }
        });
    });
}

void World::lose_power(std::size_t machine) {
    trace("power", machine, 0);
    for (const auto& process : processes_) {
        if (process->alive && process->machine == machine) {
            end_process(*process);
            for (const auto& other : processes_) {
                if (other->alive && other->machine != machine && random_.chance(0.8)) {
                    after(random_.between(1'000, 100'000),
                          [this, &peer = *other, it = process->self.instance] {
                              to_broker(peer, [this, &peer, it] {
                                  peer.coordinator->peer_silent(it, clock(peer));
                                  peer.worker->peer_silent(it, clock(peer));
                                  pump(peer);
                              });
                          });
                }
            }
        }
    }
    machines_[machine].ledger.lose_power();
    truth_.check_ledger(machines_[machine].ledger, machines_[machine].jobs);
    for (std::size_t i = 0; i < machines_[machine].processes_wanted; ++i) {
        after(random_.between(300'000, 2 * second), [this, machine] {
            if (!healed_) {
                start_process(machine);
            }
        });
    }
}

void World::pause(Process& process, bool with_guests, Us length) {
    if (!process.alive || process.paused) {
        return;
    }
    trace("pause", process.index, with_guests ? 1 : 0, static_cast<std::uint64_t>(length));
    process.paused = true;
    process.paused_at = now_;
    process.guests_paused = with_guests;
    if (with_guests) {
        for (auto& [lease, guest] : process.guests) {
            if (guest.on) {
                guest.on = false;
                guest.left -= now_ - guest.since;
                truth_.guest_off(lease.job);
            }
        }
    }
    after(length, [this, &process] {
        if (process.alive && process.paused && process.paused_at >= 0) {
            go_on(process);
        }
    });
}

void World::go_on(Process& process) {
    trace("go on", process.index, 0);
    if (planted(Fault::suspend_ignored)) {
        process.clock_lost += now_ - process.paused_at;
    }
    process.paused = false;
    if (process.guests_paused) {
        process.guests_paused = false;
        std::vector<job::LeaseRef> leases;
        for (const auto& [lease, guest] : process.guests) {
            leases.push_back(lease);
        }
        for (const job::LeaseRef& lease : leases) {
            if (process.guests.at(lease).stopping) {
                end_guest(process, lease, false); // It was on its way out when all stood still.
            } else {
                guest_goes(process, lease);
            }
        }
    }
    if (random_.chance(0.5)) { // The clock or the sockets: either may be looked at first.
        process.coordinator->time(clock(process));
        process.worker->time(clock(process));
    }
    std::deque<std::function<void()>> backlog = std::exchange(process.backlog, {});
    for (std::function<void()>& each : backlog) {
        to_broker(process, std::move(each));
    }
    process.wake = 0;
    pump(process);
}

void World::partition(Us length) {
    std::vector<Process*> alive;
    for (const auto& process : processes_) {
        if (process->alive) {
            alive.push_back(process.get());
        }
    }
    const bool both_ways = random_.chance(0.7);
    const bool noticed = random_.chance(0.5);
    std::set<std::size_t> side;
    for (const Process* process : alive) {
        if (random_.chance(0.5)) {
            side.insert(process->index);
        }
    }
    trace("partition", side.size(), both_ways ? 1 : 0, noticed ? 1 : 0);
    for (Process* one : alive) {
        for (Process* other : alive) {
            if (side.contains(one->index) == side.contains(other->index)) {
                continue;
            }
            if (both_ways || side.contains(one->index)) {
                cut_.insert({one->index, other->index});
            }
            const auto tell = [this, one, it = other->self.instance](bool seen) {
                to_broker(*one, [this, one, it, seen] {
                    if (seen) {
                        one->coordinator->peer_seen(it, clock(*one));
                        one->worker->peer_seen(it, clock(*one));
                    } else {
                        one->coordinator->peer_silent(it, clock(*one));
                        one->worker->peer_silent(it, clock(*one));
                    }
                    pump(*one);
                });
            };
            if (noticed) {
                after(random_.between(1'000, 500'000), [tell] { tell(false); });
                after(length + random_.between(500'001, 600'000), [tell] { tell(true); });
            }
        }
    }
    after(length, [this] { cut_.clear(); });
}

// --- faults --------------------------------------------------------------------------------------

/// Ten times a second, perhaps something happens.
void World::chaos() {
    if (healed_) {
        return;
    }
    const auto happens = [this](double per_second) { return random_.chance(per_second / 10); };
    const auto victim = [this]() -> Process* {
        const auto last = static_cast<std::int64_t>(machines_.size()) - 1;
        Process* process = some_alive(static_cast<std::size_t>(random_.between(0, last)));
        return process != nullptr && !process->paused ? process : nullptr;
    };
    if (happens(profile_.kills_per_s)) {
        if (Process* process = victim()) {
            process->paused_at = -1; // Nothing lets it go on.
            kill(*process);
        }
    }
    if (happens(profile_.power_losses_per_s)) {
        const auto last = static_cast<std::int64_t>(machines_.size()) - 1;
        const auto machine = static_cast<std::size_t>(random_.between(0, last));
        if (some_alive(machine) != nullptr) {
            lose_power(machine);
        }
    }
    if (happens(profile_.pauses_per_s)) {
        if (Process* process = victim()) {
            pause(*process, true, random_.between(100'000, 9 * second));
        }
    }
    if (happens(profile_.broker_pauses_per_s)) {
        if (Process* process = victim()) {
            pause(*process, false, random_.between(100'000, 9 * second));
        }
    }
    if (cut_.empty() && happens(profile_.partitions_per_s)) {
        partition(random_.between(100'000, 8 * second));
    }
    after(second / 10, [this] { chaos(); });
}

/// From here on everything works.
void World::heal() {
    trace("heal", 0, 0);
    healed_ = true;
    cut_.clear();
    for (std::size_t i = 0; i < processes_.size(); ++i) {
        Process& process = *processes_[i];
        if (process.alive && process.paused && process.paused_at >= 0) {
            go_on(process);
        }
    }
    for (std::size_t machine = 0; machine < machines_.size(); ++machine) {
        for (std::size_t i = 0; i < 2; ++i) {
            start_process(machine);
        }
    }
    // Whoever lost sight of another finds it again.
    for (std::size_t i = 0; i < processes_.size(); ++i) {
        for (std::size_t j = 0; j < processes_.size(); ++j) {
            Process& one = *processes_[i];
            if (i != j && one.alive) {
                const job::Instance it = processes_[j]->self.instance;
                if (processes_[j]->alive) {
                    one.coordinator->peer_seen(it, clock(one));
                    one.worker->peer_seen(it, clock(one));
                } else {
                    one.coordinator->peer_silent(it, clock(one));
                    one.worker->peer_silent(it, clock(one));
                }
                pump(one);
            }
        }
    }
}

// --- the play ------------------------------------------------------------------------------------

bool World::is_settled() {
    for (const Client& client : clients_) {
        const Truth::Job& job = truth_.job(client.job);
        if ((job.told_accepted && !machines_[client.machine].ledger.has_finished(client.job)) ||
            job.alive > 0) {
            return false;
        }
    }
    for (const auto& process : processes_) {
        if (process->alive && process->worker->counts().receipts_unanswered > 0) {
            return false;
        }
    }
    return true;
}

void World::check_end() {
    for (const Client& client : clients_) {
        if (truth_.job(client.job).told_accepted &&
            !machines_[client.machine].ledger.has_finished(client.job)) {
            truth_.violation("an accepted job did not end: job " +
                             std::to_string(client_of_.at(client.job)));
        }
    }
    for (const auto& process : processes_) {
        if (process->alive && process->worker->counts().receipts_unanswered > 0) {
            truth_.violation("a receipt was never answered");
        }
    }
    for (Machine& machine : machines_) {
        truth_.check_ledger(machine.ledger, machine.jobs);
    }
}

Report World::run() {
    report_.trace_hash = 0xcbf29ce484222325U;
    machines_.resize(static_cast<std::size_t>(random_.between(profile_.machines_min, 3)));
    for (std::size_t i = 0; i < machines_.size(); ++i) {
        machines_[i].rate = random_.chance(0.5) ? random_.between(1'000, profile_.clock_rate_max)
                                                : (i % 2 == 0 ? profile_.clock_rate_max : 1'000);
        machines_[i].processes_wanted = static_cast<std::size_t>(random_.between(1, 3));
        for (std::size_t n = 0; n < machines_[i].processes_wanted; ++n) {
            start_process(i);
        }
    }
    clients_.resize(static_cast<std::size_t>(random_.between(6, 24)));
    for (std::size_t i = 0; i < clients_.size(); ++i) {
        Client& client = clients_[i];
        client.job = cid_of(Codec::raw, bytes_of("job " + std::to_string(i)));
        client_of_[client.job] = i;
        client.machine = static_cast<std::size_t>(
            random_.between(0, static_cast<std::int64_t>(machines_.size()) - 1));
        client.entry.ids = {.job = client.job, .task = client.job, .computation = client.job};
        client.entry.submitter.bytes[0] = static_cast<std::uint8_t>(random_.between(0, 2));
        client.entry.priority = static_cast<std::uint32_t>(random_.between(0, 9));
        client.entry.effects = random_.chance(0.6) ? job::Effects::impure : job::Effects::pure;
        client.entry.timeouts = {
            .queue_ms_max = 1'000'000, .total_ms_max = 1'000'000, .attempts_max = 50};
        client.run_us = random_.chance(profile_.long_runs) ? random_.between(second, 7 * second)
                                                           : random_.between(1'000, 300'000);
        machines_[client.machine].jobs.insert(client.job);
        truth_.job(client.job).impure = client.entry.effects == job::Effects::impure;
        const Us at = random_.between(10'000, chaos_us * 3 / 4);
        after(at, [this, &client] { submit(client); });
        if (random_.chance(profile_.cancels)) {
            const Us delay =
                random_.chance(0.5) ? random_.between(0, 50'000) : random_.between(0, 5 * second);
            after(at + delay, [this, &client] { cancel(client); });
        }
    }
    report_.jobs = clients_.size();
    after(second / 10, [this] { chaos(); });
    after(chaos_us, [this] { heal(); });
    Us look = chaos_us;
    while (!queue_.empty() && truth_.violations().empty() && now_ < chaos_us + settle_us_max) {
        if (healed_ && now_ >= look) {
            look = now_ + second;
            if (is_settled()) {
                break;
            }
        }
        const simulation::EventQueue::Event event = queue_.pop();
        now_ = event.at_us;
        ++report_.events;
        event.what();
    }
    if (truth_.violations().empty()) {
        check_end();
    }
    report_.violations = truth_.violations();
    report_.runs = truth_.runs;
    report_.grants = truth_.grants;
    return std::move(report_);
}

const Profile& profile_of(std::uint64_t seed) {
    static const std::vector<Profile> profiles{
        {.name = "doubled", .doubling = 0.2, .delay_us_max = 20'000},
        {.name = "lossy", .loss = 0.2, .doubling = 0.1, .delay_us_max = 100'000},
        {.name = "killed", .loss = 0.02, .kills_per_s = 0.6},
        {.name = "power", .loss = 0.02, .power_losses_per_s = 0.4},
        {.name = "paused", .pauses_per_s = 0.6, .clock_rate_max = 1'200},
        {.name = "half-paused", .broker_pauses_per_s = 0.6},
        {.name = "parted", .loss = 0.02, .kills_per_s = 0.1, .partitions_per_s = 0.4},
        {.name = "rates",
         .loss = 0.1,
         .partitions_per_s = 0.4,
         .clock_rate_max = 1'500,
         .stop_us_max = 300'000},
        {.name = "slow",
         .doubling = 0.3,
         .slow_share = 0.15,
         .slow_us_max = 8'000'000,
         .cancels = 0.3},
        {.name = "drifting",
         .loss = 0.02,
         .delay_us_max = 20'000,
         .slow_share = 0.4,
         .slow_us_max = 1'800'000,
         .partitions_per_s = 1.5,
         .clock_rate_max = 1'500,
         .stop_us_max = 300'000,
         .machines_min = 2,
         .long_runs = 1.0},
        {.name = "distant",
         .loss = 0.4,
         .delay_us_max = 800'000,
         .clock_rate_max = 1'500,
         .stop_us_max = 300'000,
         .machines_min = 2,
         .long_runs = 1.0},
        {.name = "cancelled",
         .loss = 0.1,
         .delay_us_max = 400'000,
         .kills_per_s = 0.1,
         .cancels = 0.9},
        {.name = "everything",
         .loss = 0.1,
         .doubling = 0.1,
         .delay_us_max = 50'000,
         .slow_share = 0.05,
         .slow_us_max = 6'000'000,
         .kills_per_s = 0.2,
         .power_losses_per_s = 0.1,
         .pauses_per_s = 0.2,
         .broker_pauses_per_s = 0.1,
         .partitions_per_s = 0.2,
         .clock_rate_max = 1'500,
         .stop_us_max = 300'000,
         .failure = 0.1,
         .cancels = 0.2},
    };
    return profiles[seed % profiles.size()];
}

Report simulate(std::uint64_t seed, Tracing tracing) { return World(seed, tracing).run(); }

} // namespace ic::sim
