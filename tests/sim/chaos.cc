/// What befalls the simulated world, and how processes come and go.

#include "lease/fault.h"
#include "sim/world.h"

#include <algorithm>
#include <utility>

namespace ic::sim {

using lease::Fault;
using lease::planted;

namespace {

constexpr Us second = 1'000'000;
constexpr std::int64_t hour_us = 3'600 * second;
constexpr std::size_t machines_most = 8;
constexpr std::size_t processes_most = 5; ///< Of one machine, as far as they join.
/// So that the plan does not follow the play's own chance.
constexpr std::uint64_t plan_salt = 0x706c616e;

} // namespace

std::string_view name(Upset upset) {
    static constexpr std::array<std::string_view, upset_kinds> names{"kill",
                                                                     "power loss",
                                                                     "pause",
                                                                     "broker pause",
                                                                     "suspend",
                                                                     "partition",
                                                                     "split",
                                                                     "process joins",
                                                                     "machine joins",
                                                                     "process leaves",
                                                                     "machine leaves",
                                                                     "clock rate",
                                                                     "wall jump",
                                                                     "upgrade"};
    return names[static_cast<std::size_t>(upset)];
}

// --- the plan ------------------------------------------------------------------------------------

/// Ten times a second, perhaps something happens.
void World::plan_upsets() {
    Random random(seed_ ^ plan_salt);
    for (Us at = second / 10; at < chaos_us; at += second / 10) {
        for (std::size_t kind = 0; kind < upset_kinds; ++kind) {
            const auto upset = static_cast<Upset>(kind);
            if (random.chance(profile_[upset] / 10)) {
                planned_.push_back({.at = at, .upset = upset, .draw = random.next()});
            }
        }
    }
    for (std::size_t number = 0; number < planned_.size(); ++number) {
        if (!play_.without.contains(number)) {
            after(planned_[number].at, [this, number] { befall(number); });
        }
    }
}

void World::befall(std::size_t number) {
    const Planned& planned = planned_[number];
    Random random(planned.draw);
    trace(name(planned.upset), number, 0);
    report_.upsets.insert(number);
    ++report_.upsets_of[static_cast<std::size_t>(planned.upset)];
    switch (planned.upset) {
    case Upset::kill:
    case Upset::power_loss:
    case Upset::pause:
    case Upset::broker_pause:
    case Upset::suspend:
        befall_processes(planned, random);
        break;
    case Upset::partition:
    case Upset::split:
        befall_network(planned, random);
        break;
    case Upset::process_joins:
    case Upset::machine_joins:
    case Upset::process_leaves:
    case Upset::machine_leaves:
    case Upset::upgrade:
        befall_members(planned, random);
        break;
    case Upset::clock_rate:
    case Upset::wall_jump:
        befall_clocks(planned, random);
        break;
    }
}

std::optional<std::size_t> World::some_machine(Random& random) {
    const auto last = static_cast<std::int64_t>(machines_.size()) - 1;
    const auto machine = static_cast<std::size_t>(random.between(0, last));
    return machines_[machine].gone ? std::nullopt : std::optional(machine);
}

Process* World::victim(Random& random) {
    const std::optional<std::size_t> machine = some_machine(random);
    Process* process = machine ? some_alive(*machine, random) : nullptr;
    return process != nullptr && !process->paused && !process->dying ? process : nullptr;
}

void World::befall_processes(const Planned& planned, Random& random) {
    if (planned.upset == Upset::power_loss || planned.upset == Upset::suspend) {
        const std::optional<std::size_t> machine = some_machine(random);
        if (!machine || some_alive(*machine, random) == nullptr) {
            return;
        }
        if (planned.upset == Upset::power_loss) {
            lose_power(*machine);
            return;
        }
        const Us length = random.between(100'000, 9 * second);
        for (const auto& process : processes_) {
            if (process->machine == *machine) {
                pause(*process, true, length);
            }
        }
        return;
    }
    Process* process = victim(random);
    if (process == nullptr) {
        return;
    }
    if (planned.upset == Upset::kill) {
        kill(*process, After::restart);
    } else {
        pause(*process, planned.upset == Upset::pause, random.between(100'000, 9 * second));
    }
}

void World::befall_network(const Planned& planned, Random& random) {
    const bool noticed = random.chance(0.5);
    if (planned.upset == Upset::partition) {
        if (!cuts_.empty()) {
            return; // Else nothing would pass at all; splits may lie over one another.
        }
        Cut cut = two_sides(random);
        part(std::move(cut), random.between(100'000, 8 * second), noticed);
        return;
    }
    const Cut cut = groups(random);
    if (random.chance(0.7)) {
        part(cut, random.between(100'000, 8 * second), noticed);
        return;
    }
    Us at = 0; // On and off.
    for (std::int64_t times = random.between(3, 12); times > 0; --times) {
        const Us length = random.between(20'000, 600'000);
        after(at, [this, cut, length] {
            if (!healed_) {
                part(cut, length, false);
            }
        });
        at += length + random.between(20'000, 600'000);
    }
}

void World::befall_clocks(const Planned& planned, Random& random) {
    const std::optional<std::size_t> machine = some_machine(random);
    if (!machine) {
        return;
    }
    SimClock& clock = machines_[*machine].clock;
    if (planned.upset == Upset::wall_jump) {
        // By a moment, as when it is set from the network, or by up to a day.
        const Us most = random.chance(0.5) ? 10 * second : 24 * hour_us;
        clock.move_wall(random.between(-most, most));
    } else {
        const auto other = static_cast<std::size_t>(random.between(0, 1));
        clock.set_rate(clock_rate(random, other), now_);
    }
    reset_alarms(*machine);
}

void World::befall_members(const Planned& planned, Random& random) {
    if (planned.upset == Upset::machine_joins) {
        add_machine(random);
        return;
    }
    const std::optional<std::size_t> machine = some_machine(random);
    if (!machine) {
        return;
    }
    std::vector<Process*> here;
    for (const auto& process : processes_) {
        if (process->alive && process->machine == *machine) {
            here.push_back(process.get());
        }
    }
    const bool says_so = random.chance(0.5);
    const auto go = [this, says_so](Process& process, After then) {
        if (says_so && then == After::nothing) {
            leave(process);
        } else if (!process.paused && !process.dying) {
            kill(process, then);
        }
    };
    Machine& it = machines_[*machine];
    if (planned.upset == Upset::process_joins && here.size() < processes_most) {
        start_process(*machine);
    } else if (planned.upset == Upset::process_leaves && !here.empty()) {
        const auto last = static_cast<std::int64_t>(here.size()) - 1;
        go(*here[static_cast<std::size_t>(random.between(0, last))], After::nothing);
    } else if (planned.upset == Upset::machine_leaves && it.jobs.empty()) {
        it.gone = true;
        for (Process* process : here) {
            go(*process, After::nothing);
        }
    } else if (planned.upset == Upset::upgrade) {
        it.dialect = it.dialect == Dialect::first ? Dialect::current : Dialect::next;
        if (random.chance(0.2)) {
            it.dialect = Dialect::first; // Back, as after a release that did not please.
        }
        for (Process* process : here) {
            go(*process, After::restart);
        }
    }
}

// --- processes come and go -----------------------------------------------------------------------

void World::add_machine(Random& random) {
    if (machines_.size() >= machines_most) {
        return;
    }
    Machine& made = machines_.emplace_back();
    made.clock = some_clock(random, machines_.size() - 1);
    if (profile_.versions) {
        made.dialect = static_cast<Dialect>(random.between(0, 2));
    }
    made.processes_wanted = static_cast<std::size_t>(random.between(1, 2));
    for (std::size_t n = 0; n < made.processes_wanted; ++n) {
        start_process(machines_.size() - 1);
    }
}

/// Its broker stops at once, its executors a moment later; the proof comes after both.
void World::kill(Process& process, After then) {
    trace("kill", process.index, process.machine);
    process.paused = true;
    process.dying = true;
    process.backlog.clear();
    if (planted(Fault::proof_of_broker_alone)) {
        tell_of_end(process);
    }
    const Us executors_gone = planted(Fault::proof_of_broker_alone)
                                  ? random_.between(second, 5 * second)
                                  : random_.between(0, 5'000);
    after(executors_gone, [this, &process, then] { vanish(process, then); });
}

/// No more of it, guests and all.
void World::vanish(Process& process, After then) {
    if (!process.alive) {
        return;
    }
    end_process(process);
    tell_of_end(process);
    if (then == After::restart) {
        after(random_.between(200'000, 3 * second), [this, machine = process.machine] {
            if (!healed_ && !machines_[machine].gone) {
                start_process(machine);
            }
        });
    }
}

/// On its machine the kernel says that it is dead; elsewhere its connections end, and not always.
void World::tell_of_end(Process& process) {
    for (const auto& other : processes_) {
        Process& peer = *other;
        if (!peer.alive || &peer == &process) {
            continue;
        }
        const bool near = peer.machine == process.machine;
        if (!near && !healed_ && random_.chance(0.2)) {
            continue; // Nobody notices.
        }
        const Us takes = random_.between(100, near ? 3'000 : 50'000);
        after(takes, [this, &peer, &process, near] {
            if (!near) {
                meet(peer, process, false);
                return;
            }
            to_broker(peer, [this, &peer, it = process.self.instance] {
                peer.coordinator->peer_dead(it, clock(peer));
                peer.worker->peer_dead(it, clock(peer));
                adopt(peer, false);
                pump(peer);
            });
        });
    }
}

/// Takes no more, ends what it has, and goes.
void World::leave(Process& process) {
    to_broker(process, [this, &process] {
        trace("drain", process.index, 0);
        process.leaving = true;
        process.worker->drain(clock(process));
        pump(process);
    });
}

void World::lose_power(std::size_t machine) {
    trace("power", machine, 0);
    for (const auto& process : processes_) {
        if (!process->alive || process->machine != machine) {
            continue;
        }
        end_process(*process);
        for (const auto& other : processes_) {
            if (other->alive && other->machine != machine && random_.chance(0.8)) {
                Process& peer = *other;
                Process& gone = *process;
                after(random_.between(1'000, 100'000),
                      [this, &peer, &gone] { meet(peer, gone, false); });
            }
        }
    }
    machines_[machine].ledger.lose_power();
    truth_.check_ledger(machines_[machine].ledger, machines_[machine].jobs);
    for (std::size_t i = 0; i < machines_[machine].processes_wanted; ++i) {
        after(random_.between(300'000, 2 * second), [this, machine] {
            if (!healed_ && !machines_[machine].gone) {
                start_process(machine);
            }
        });
    }
}

// --- standing still ------------------------------------------------------------------------------

void World::pause(Process& process, bool with_guests, Us length) {
    if (!process.alive || process.paused) {
        return;
    }
    trace("stop", process.index, with_guests ? 1 : 0, static_cast<std::uint64_t>(length));
    process.paused_ticks = ticks(process);
    process.paused = true;
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
        if (process.alive && process.paused && !process.dying) {
            go_on(process);
        }
    });
}

void World::go_on(Process& process) {
    trace("go on", process.index, 0);
    if (planted(Fault::suspend_ignored)) {
        process.ticks_lost += ticks(process) - process.paused_ticks;
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

/// What was to happen when a clock shows some time happens at another moment now.
void World::reset_alarms(std::size_t machine) {
    for (const auto& each : processes_) {
        Process& process = *each;
        if (!process.alive || process.machine != machine) {
            continue;
        }
        for (const auto& [lease, guest] : process.guests) {
            watch_lease(process, lease);
        }
        if (!process.paused) {
            process.wake = 0;
            pump(process);
        }
    }
}

} // namespace ic::sim
