#pragma once
/// World: the inside of a simulation, shared by its source files alone.

#include "lease/coordinator.h"
#include "lease/worker.h"
#include "sim/ledger.h"
#include "sim/random.h"
#include "sim/simulation.h"
#include "sim/truth.h"
#include "simulation/event_queue.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace ic::sim {

using Us = std::int64_t; ///< Real time, microseconds since the simulation began.

/// Counts, so that no two are the same, and draws, so that order says nothing.
class SimNonces : public lease::NonceSource {
public:
    explicit SimNonces(Random& random) : random_(random) {}
    job::Nonce next() override;

private:
    Random& random_;
};

struct Machine {
    SimLedger ledger;
    std::int64_t rate = 1'000; ///< Of its clock, thousandths.
    std::size_t processes_wanted = 1;
    std::set<Cid> jobs; ///< Whose audience it is.
};

struct Guest {
    std::uint64_t number = 0;
    Instant lease_until;
    Us left = 0; ///< To run, as of `since`.
    Us since = 0;
    bool on = false; ///< On a processor.
    bool stopping = false;
};

/// One broker with its executors.
struct Process {
    std::size_t index = 0;
    std::size_t machine = 0;
    job::WorkerRef self;
    bool alive = true;
    bool paused = false;        ///< The broker.
    bool guests_paused = false; ///< Its executors too.
    Us paused_at = 0;
    Us clock_lost = 0; ///< By pauses, where that bug is planted.
    bool writing = false;
    Us wake = 0;
    std::uint64_t wake_number = 0;
    std::unique_ptr<SimNonces> nonces;
    std::unique_ptr<lease::Coordinator> coordinator;
    std::unique_ptr<lease::Worker> worker;
    std::deque<lease::Journal> journal; ///< Not written yet.
    std::map<job::LeaseRef, Guest> guests;
    std::deque<std::function<void()>> backlog; ///< What came while it was paused.
};

struct Client {
    Cid job;
    std::size_t machine = 0;
    lease::JobEntry entry;
    Us run_us = 0;
    Us cancel_at = 0; ///< 0: never.
};

class World {
public:
    World(std::uint64_t seed, Tracing tracing);
    Report run();

private:
    void after(Us delay, std::function<void()> what);
    /// To a broker: now, or when it goes on again; never if it has ended.
    void to_broker(Process& process, std::function<void()> what);
    Instant clock(const Process& process) const;
    Us real(const Process& process, Instant at) const;
    void trace(std::string_view what, std::uint64_t a, std::uint64_t b, std::uint64_t c = 0);

    // world.cc: the stage.
    void start_process(std::size_t machine);
    void end_process(Process& process);
    void adopt(Process& process, bool with_own_dead);
    void kill(Process& process);
    void lose_power(std::size_t machine);
    void pause(Process& process, bool with_guests, Us length);
    void go_on(Process& process);
    void partition(Us length);
    void chaos();
    void heal();
    bool is_settled();
    void check_end();
    Process* some_alive(std::size_t machine);

    // runtime.cc: what a broker's runtime does around the machines.
    void pump(Process& process);
    void carry_out(Process& process, lease::CoordinatorAction& action);
    void carry_out(Process& process, lease::WorkerAction& action);
    void send(Process& from, const job::Instance& to, const job::Message& message);
    void announce(Process& from, const job::Message& message);
    void transmit(Process& from, Process& to, const job::Message& message);
    void deliver(Process& to, const job::Instance& from, const job::Message& message);
    void commit(Process& process);
    void submit(Client& client);
    void cancel(Client& client);
    void start_run(Process& process, const lease::StartRun& run);
    void stop_guest(Process& process, const job::LeaseRef& lease, std::uint64_t number);
    void guest_goes(Process& process, const job::LeaseRef& lease);
    void watch_lease(Process& process, const job::LeaseRef& lease);
    void end_guest(Process& process, const job::LeaseRef& lease, bool completed);
    Process* find(const job::Instance& instance);

    std::uint64_t seed_;
    Profile profile_;
    Random random_;
    Tracing tracing_;
    Truth truth_;
    Report report_;
    Us now_ = 0;
    bool healed_ = false;
    std::uint64_t guests_ = 0;
    simulation::EventQueue queue_;
    std::vector<Machine> machines_;
    std::vector<std::unique_ptr<Process>> processes_;
    std::map<job::Instance, Process*> by_instance_;
    std::vector<Client> clients_;
    std::map<Cid, std::size_t> client_of_;
    std::set<std::pair<std::size_t, std::size_t>>
        cut_; ///< From process to process: nothing passes.
};

} // namespace ic::sim
