/// What the runtime of a broker does around the two machines, in the simulated world.

#include "lease/fault.h"
#include "sim/receipt.h"
#include "sim/world.h"

#include <algorithm>
#include <type_traits>

namespace ic::sim {

using namespace std::chrono_literals;
using lease::Fault;
using lease::planted;

job::Nonce SimNonces::next() {
    job::Nonce made;
    for (std::size_t i = 0; i < made.bytes.size(); i += 8) {
        const std::uint64_t bits = random_.next();
        for (std::size_t j = 0; j < 8; ++j) {
            made.bytes[i + j] = static_cast<std::uint8_t>(bits >> (8 * j));
        }
    }
    return made;
}

Process* World::find(const job::Instance& instance) {
    const auto at = by_instance_.find(instance);
    return at == by_instance_.end() ? nullptr : at->second;
}

// --- actions -------------------------------------------------------------------------------------

/// Carries out what both machines want, until they want no more, and sets the alarm.
void World::pump(Process& process) {
    for (bool more = true; more && process.alive;) {
        std::vector<lease::CoordinatorAction> first = process.coordinator->take_actions();
        std::vector<lease::WorkerAction> second = process.worker->take_actions();
        more = !first.empty() || !second.empty();
        for (lease::CoordinatorAction& action : first) {
            carry_out(process, action);
        }
        for (lease::WorkerAction& action : second) {
            carry_out(process, action);
        }
    }
    if (process.alive && process.leaving && process.worker->idle()) {
        process.leaving = false;
        after(0, [this, &process] { vanish(process, After::nothing); });
    }
    const Instant next =
        std::min(process.coordinator->next_deadline(), process.worker->next_deadline());
    if (!process.alive || next == Instant::never()) {
        return;
    }
    const Us wake = std::max(now_, real(process, next));
    if (process.wake > now_ && process.wake <= wake) {
        return;
    }
    process.wake = wake;
    const std::uint64_t number = ++process.wake_number;
    after(wake - now_, [this, &process, number] {
        if (process.alive && !process.paused && process.wake_number == number) {
            process.wake = 0;
            process.coordinator->time(clock(process));
            process.worker->time(clock(process));
            pump(process);
        }
    });
}

void World::carry_out(Process& process, lease::CoordinatorAction& action) {
    SimLedger& ledger = machines_[process.machine].ledger;
    if (auto* wanted = std::get_if<lease::Send>(&action)) {
        if (const auto* grant = std::get_if<job::Grant>(&wanted->message)) {
            truth_.grant_sent(*grant, ledger);
        } else if (const auto* it = std::get_if<job::ReceiptAnswer>(&wanted->message)) {
            if (it->fate == job::ReceiptFate::accepted) {
                truth_.receipt_acknowledged(it->lease, ledger);
            }
        }
        send(process, wanted->to, wanted->message);
    } else if (auto* said = std::get_if<lease::Announcement>(&action)) {
        announce(process, said->message);
    } else if (auto* journal = std::get_if<lease::Journal>(&action)) {
        for (const lease::Record& record : journal->records) {
            if (const auto* end = std::get_if<lease::FinishedRecord>(&record)) {
                truth_.end_written(*end);
            }
        }
        process.journal.push_back(std::move(*journal));
        commit(process);
    } else if (auto* notify = std::get_if<lease::Notify>(&action)) {
        if (std::holds_alternative<job::Accepted>(notify->what)) {
            trace("accepted", process.index, client_of_.at(notify->job));
            truth_.accepted_said(notify->job, ledger);
        } else if (const auto* end = std::get_if<job::Outcome>(&notify->what)) {
            trace("outcome",
                  process.index,
                  client_of_.at(notify->job),
                  end->error ? static_cast<std::uint64_t>(*end->error) : 0);
            truth_.end_said(*end, ledger);
        }
    } else if (auto* unknown = std::get_if<lease::UnknownReceipt>(&action)) {
        if (ledger.has_finished(unknown->lease.job)) {
            send(process,
                 unknown->from,
                 job::ReceiptAnswer{
                     process.self.instance, unknown->lease, job::ReceiptFate::duplicate});
        }
    }
}

void World::carry_out(Process& process, lease::WorkerAction& action) {
    if (auto* wanted = std::get_if<lease::Send>(&action)) {
        if (const auto* bid = std::get_if<job::Bid>(&wanted->message)) {
            truth_.bid_sent(bid->nonce);
        }
        send(process, wanted->to, wanted->message);
    } else if (auto* said = std::get_if<lease::Announcement>(&action)) {
        announce(process, said->message);
    } else if (auto* run = std::get_if<lease::StartRun>(&action)) {
        start_run(process, *run);
    } else if (auto* stop = std::get_if<lease::StopRun>(&action)) {
        const auto at = process.guests.find(stop->lease);
        if (at != process.guests.end()) {
            stop_guest(process, stop->lease, at->second.number);
        }
    } else if (auto* until = std::get_if<lease::LeaseUntil>(&action)) {
        const auto at = process.guests.find(until->lease);
        if (at != process.guests.end()) {
            at->second.lease_until = until->until;
            watch_lease(process, until->lease);
        }
    }
}

// --- the ledger ----------------------------------------------------------------------------------

/// One commit at a time; all that came meanwhile goes into the next.
void World::commit(Process& process) {
    if (process.writing || process.journal.empty()) {
        return;
    }
    process.writing = true;
    after(random_.between(50, 2'000), [this, &process] {
        if (!process.alive) {
            return;
        }
        SimLedger& ledger = machines_[process.machine].ledger;
        lease::JournalToken token = 0;
        for (const lease::Journal& each : process.journal) {
            ledger.write(process.self.instance,
                         machines_[process.machine].clock.wall_at(now_),
                         each.records);
            token = each.token;
        }
        process.journal.clear();
        const auto confirm = [this, &process, token] {
            to_broker(process, [this, &process, token] {
                trace("journaled", process.index, token);
                process.coordinator->journaled(token, clock(process));
                pump(process);
            });
        };
        const auto synced = [this, &process, &ledger, confirm] {
            if (process.alive) {
                ledger.sync();
                process.writing = false;
                if (!planted(Fault::lost_fsync)) {
                    confirm();
                }
                commit(process);
            }
        };
        if (planted(Fault::lost_fsync)) {
            confirm();
        }
        after(random_.between(100, 20'000), synced);
    });
}

// --- clients -------------------------------------------------------------------------------------

void World::submit(Client& client) {
    if (truth_.job(client.job).told_accepted) {
        return;
    }
    Process* process = some_alive(client.machine, random_);
    if (process != nullptr) {
        to_broker(*process, [this, process, &client] {
            // The ledger knows jobs that a coordinator does not.
            const auto known = machines_[client.machine].ledger.read();
            if (!known.contains(client.job) || process->coordinator->view(client.job)) {
                trace("submit", process->index, client_of_.at(client.job));
                ++truth_.job(client.job).submits_unanswered;
                process->coordinator->submit(client.entry, clock(*process));
                pump(*process);
            }
        });
    }
    if (!healed_) {
        // A client that hears nothing comes again once its coordinator is gone, not before.
        const bool gone = process == nullptr || !process->alive;
        after(gone ? 500'000 : 1'000'000, [this, process, &client] {
            if (process == nullptr || !process->alive) {
                submit(client);
            }
        });
    }
}

void World::cancel(Client& client) {
    const auto known = machines_[client.machine].ledger.read();
    const auto at = known.find(client.job);
    Process* owner = at == known.end() ? nullptr : find(at->second.owner);
    if (owner != nullptr && owner->alive) {
        to_broker(*owner, [this, owner, &client] {
            trace("cancel", owner->index, client_of_.at(client.job));
            owner->coordinator->cancel(client.job, Errc::cancelled, clock(*owner));
            pump(*owner);
        });
    }
}

// --- executors -----------------------------------------------------------------------------------

void World::start_run(Process& process, const lease::StartRun& run) {
    truth_.run_started(run.lease);
    trace("start", process.index, client_of_.at(run.lease.job), run.lease.epoch.n);
    const Client& client = clients_[client_of_.at(run.lease.job)];
    Guest guest{.number = ++guests_,
                .lease_until = run.lease_until,
                .left = client.run_us,
                .since = now_,
                .on = false,
                .stopping = false};
    const std::uint64_t number = guest.number;
    ++truth_.job(run.lease.job).alive;
    process.guests[run.lease] = guest;
    process.worker->stage(run.lease, job::Stage::running, clock(process));
    watch_lease(process, run.lease);
    after(random_.between(10, 3'000), [this, &process, lease = run.lease, number] {
        const auto at = process.guests.find(lease);
        if (at != process.guests.end() && at->second.number == number && !at->second.stopping &&
            !process.guests_paused) {
            guest_goes(process, lease);
        }
    });
}

/// Begins or goes on, if the lease still holds by the clock.
void World::guest_goes(Process& process, const job::LeaseRef& lease) {
    Guest& guest = process.guests.at(lease);
    if (guest.on) {
        return;
    }
    if (clock(process) >= guest.lease_until && !planted(Fault::lease_end_ignored)) {
        stop_guest(process, lease, guest.number);
        return;
    }
    guest.on = true;
    guest.since = now_;
    truth_.guest_on(lease.job);
    trace("guest on", process.index, client_of_.at(lease.job), lease.epoch.n);
    after(guest.left, [this, &process, lease, number = guest.number, since = now_] {
        const auto at = process.guests.find(lease);
        if (at != process.guests.end() && at->second.number == number && at->second.on &&
            at->second.since == since) {
            end_guest(process, lease, true);
        }
    });
}

/// The executor looks at the clock itself, whatever its broker does.
void World::watch_lease(Process& process, const job::LeaseRef& lease) {
    const Guest& guest = process.guests.at(lease);
    after(std::max<Us>(0, real(process, guest.lease_until) - now_),
          [this, &process, lease, number = guest.number] {
              const auto at = process.guests.find(lease);
              if (at != process.guests.end() && at->second.number == number &&
                  !process.guests_paused && clock(process) >= at->second.lease_until &&
                  !planted(Fault::lease_end_ignored)) {
                  stop_guest(process, lease, number);
              }
          });
}

void World::stop_guest(Process& process, const job::LeaseRef& lease, std::uint64_t number) {
    Guest& guest = process.guests.at(lease);
    if (guest.stopping) {
        return;
    }
    guest.stopping = true;
    const Us takes = guest.on ? random_.between(10, profile_.stop_us_max) : 10;
    after(takes, [this, &process, lease, number] {
        const auto at = process.guests.find(lease);
        if (at != process.guests.end() && at->second.number == number && !process.guests_paused) {
            end_guest(process, lease, false);
        }
    });
}

/// Nothing of the run is alive any more; the broker is told.
void World::end_guest(Process& process, const job::LeaseRef& lease, bool completed) {
    const Guest guest = process.guests.at(lease);
    process.guests.erase(lease);
    if (guest.on) {
        truth_.guest_off(lease.job);
    }
    --truth_.job(lease.job).alive;
    lease::RunEnd end{.receipt = {}, .reason = Errc::lease_lost, .message = {}};
    if (completed) {
        const bool passing = !healed_ && random_.chance(profile_.failure);
        const std::uint64_t number = client_of_.at(lease.job);
        Bytes receipt = receipt_of(number, lease.epoch, passing);
        truth_.run_completed(lease, receipt);
        if (planted(Fault::wrong_receipt)) {
            receipt = receipt_of(number + 1, lease.epoch, passing);
        }
        end.receipt = std::move(receipt);
    }
    trace("guest end", process.index, client_of_.at(lease.job), completed ? 1 : 0);
    to_broker(process, [this, &process, lease, end] {
        process.worker->run_finished(lease, end, clock(process));
        pump(process);
    });
}

} // namespace ic::sim
