#include "sim/world.h"

#include "lease/fault.h"

#include <algorithm>

namespace ic::sim {

using namespace std::chrono_literals;
using lease::Fault;
using lease::planted;

namespace {

constexpr Us second = 1'000'000;
constexpr std::int64_t hour_us = 3'600 * second;
constexpr Us settle_us_max = 240 * second;

} // namespace

World::World(std::uint64_t seed, const Play& play)
    : seed_(seed)
    , profile_(profile_of(seed))
    , random_(seed)
    , play_(play) {}

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

/// What the clock shows that its machines are given. It never goes back.
Us World::ticks(Process& process) {
    const SimClock& clock = machines_[process.machine].clock;
    Us shown = clock.at(now_) - process.ticks_lost;
    if (planted(Fault::lease_on_wall_clock)) {
        shown = process.ticks_shown = std::max(process.ticks_shown, clock.wall_at(now_));
    }
    return shown;
}

Instant World::clock(Process& process) {
    return Instant{std::chrono::microseconds{ticks(process)}};
}

/// When its clock will show `at`: the first moment.
Us World::real(const Process& process, Instant at) const {
    const Us wanted = std::chrono::ceil<std::chrono::microseconds>(at.since_boot).count();
    const SimClock& clock = machines_[process.machine].clock;
    return clock.when(planted(Fault::lease_on_wall_clock) ? wanted - clock.wall_offset()
                                                          : wanted + process.ticks_lost);
}

/// Between the slowest and the fastest that may be, or one of these.
std::int64_t World::clock_rate(Random& random, std::size_t machine) const {
    if (planted(Fault::clock_beyond_ratio) && random.chance(0.3)) {
        return 3'000;
    }
    if (random.chance(profile_.clocks_between)) {
        return random.between(1'000, profile_.clock_rate_max);
    }
    return machine % 2 == 0 ? profile_.clock_rate_max : 1'000;
}

/// Booted at some time, with a wall clock that is wrong by years. (In braces, so that every
/// compiler draws in the same order.)
SimClock World::some_clock(Random& random, std::size_t machine) const {
    return SimClock{random.between(1, 100) * hour_us,
                    clock_rate(random, machine),
                    random.between(0, 100'000) * hour_us};
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
    if (play_.tracing == Tracing::on) {
        report_.trace += std::to_string(now_) + " " + std::string(what) + " " + std::to_string(a) +
                         " " + std::to_string(b) + " " + std::to_string(c) + "\n";
    }
}

// --- processes -----------------------------------------------------------------------------------

Process* World::some_alive(std::size_t machine, Random& random) {
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
    return found[static_cast<std::size_t>(random.between(0, last))];
}

void World::start_process(std::size_t machine) {
    processes_.push_back(std::make_unique<Process>());
    Process& process = *processes_.back();
    process.index = processes_.size() - 1;
    process.machine = machine;
    process.dialect = machines_[machine].dialect;
    process.self.instance.bytes[0] = static_cast<std::uint8_t>(process.index);
    process.self.instance.bytes[1] = static_cast<std::uint8_t>(process.index >> 8U);
    process.self.instance.bytes[2] = 1;
    by_instance_[process.self.instance] = &process;
    process.nonces = std::make_unique<SimNonces>(random_);
    process.coordinator = std::make_unique<lease::Coordinator>(
        lease::Coordinator::Self{.instance = process.self.instance,
                                 .key = {},
                                 .incarnation = machines_[machine].ledger.take_incarnation()},
        lease::CoordinatorOptions{},
        &process.heard);
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
        after(random_.between(100, 5'000), [this, &peer, &process] { meet(peer, process, true); });
        meet(process, peer, true);
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
        const bool is_there = owner != nullptr && owner->alive &&
                              !(planted(Fault::adopt_of_the_living) && owner->paused);
        if (!job.accepted || job.finished > 0 || owner == nullptr || is_there) {
            continue;
        }
        lease::RecoveredJob recovered = std::move(job.recovered);
        const Us wall = machines_[process.machine].clock.wall_at(now_);
        recovered.accepted_at = clock(process) - std::chrono::microseconds{
                                                     std::max<Us>(0, wall - job.accepted_wall_us)};
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

/// From here on everything works.
void World::heal() {
    trace("heal", 0, 0);
    healed_ = true;
    cuts_.clear();
    for (std::size_t i = 0; i < processes_.size(); ++i) {
        Process& process = *processes_[i];
        if (process.alive && process.paused && !process.dying) {
            go_on(process);
        }
    }
    for (std::size_t machine = 0; machine < machines_.size(); ++machine) {
        for (std::size_t i = 0; i < 2 && !machines_[machine].gone; ++i) {
            start_process(machine);
        }
    }
    // Whoever lost sight of another finds it again.
    for (std::size_t i = 0; i < processes_.size(); ++i) {
        for (std::size_t j = 0; j < processes_.size(); ++j) {
            if (i != j && processes_[i]->alive) {
                meet(*processes_[i], *processes_[j], processes_[j]->alive);
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

void World::set_stage() {
    const auto machines = random_.between(profile_.machines_min, profile_.machines_max);
    for (std::int64_t i = 0; i < machines; ++i) {
        Machine& made = machines_.emplace_back();
        made.clock = some_clock(random_, machines_.size() - 1);
        if (profile_.versions) {
            made.dialect = static_cast<Dialect>(random_.between(0, 2));
        }
        made.processes_wanted = static_cast<std::size_t>(random_.between(1, 3));
        for (std::size_t n = 0; n < made.processes_wanted; ++n) {
            start_process(machines_.size() - 1);
        }
    }
}

void World::set_clients() {
    clients_.resize(
        static_cast<std::size_t>(random_.between(profile_.jobs_min, profile_.jobs_max)));
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
        client.run_us = random_.chance(profile_.long_runs)
                            ? random_.between(profile_.long_run_us_min, profile_.long_run_us_max)
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
}

Report World::run() {
    report_.trace_hash = 0xcbf29ce484222325U;
    set_stage();
    set_clients();
    plan_upsets();
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

Report simulate(std::uint64_t seed, const Play& play) { return World(seed, play).run(); }

std::set<std::size_t> superfluous(std::uint64_t seed) {
    Play play;
    const std::set<std::size_t> all = simulate(seed).upsets;
    for (bool more = true; more;) {
        more = false;
        // From the last on: what comes later depends on what was before.
        for (auto at = all.rbegin(); at != all.rend(); ++at) {
            if (!play.without.insert(*at).second) {
                continue;
            }
            if (simulate(seed, play).violations.empty()) {
                play.without.erase(*at);
            } else {
                more = true; // Others may be needed no more.
            }
        }
    }
    return play.without;
}

} // namespace ic::sim
