#pragma once
/// World: the inside of a simulation, shared by its source files alone.

#include "lease/coordinator.h"
#include "lease/worker.h"
#include "lease/worker_table.h"
#include "sim/clock.h"
#include "sim/dialect.h"
#include "sim/ledger.h"
#include "sim/random.h"
#include "sim/simulation.h"
#include "sim/truth.h"
#include "simulation/event_queue.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ic::sim {

/// Upsets end then; what is left must end within some minutes.
inline constexpr Us chaos_us = 20'000'000;

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
    SimClock clock{0, 1'000, 0};
    Dialect dialect = Dialect::current; ///< Of processes that start.
    std::size_t processes_wanted = 1;
    std::set<Cid> jobs; ///< Whose audience it is.
    bool gone = false;  ///< For good.
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
    Dialect dialect = Dialect::current;
    bool alive = true;
    bool dying = false;         ///< Its broker is gone, its executors are not yet.
    bool leaving = false;       ///< Goes when nothing runs here.
    bool paused = false;        ///< The broker.
    bool guests_paused = false; ///< Its executors too.
    Us paused_ticks = 0;        ///< What its clock showed then.
    Us ticks_lost = 0;          ///< By pauses, where that bug is planted.
    Us ticks_shown = 0;         ///< So that a clock never goes back, where one may.
    bool writing = false;
    Us wake = 0;
    std::uint64_t wake_number = 0;
    std::unique_ptr<SimNonces> nonces;
    lease::WorkerTable heard;
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

/// An upset to come. What it does exactly is drawn from a number of its own, so that leaving one
/// out changes nothing about the others.
struct Planned {
    Us at = 0;
    Upset upset = Upset::kill;
    std::uint64_t draw = 0;
};

/// Messages do not pass from one group to another, where that is closed.
struct Cut {
    std::vector<unsigned> group_of_machine;           ///< Those that came later: 0.
    std::map<std::size_t, unsigned> group_of_process; ///< Where it is not its machine's.
    std::set<std::pair<unsigned, unsigned>> closed;   ///< From, to.
};

/// Whether a process may come back.
enum class After : std::uint8_t { restart, nothing };

class World {
public:
    World(std::uint64_t seed, const Play& play);
    Report run();

private:
    void after(Us delay, std::function<void()> what);
    /// To a broker: now, or when it goes on again; never if it has ended.
    void to_broker(Process& process, std::function<void()> what);
    Us ticks(Process& process);
    Instant clock(Process& process);
    Us real(const Process& process, Instant at) const;
    std::int64_t clock_rate(Random& random, std::size_t machine) const;
    SimClock some_clock(Random& random, std::size_t machine) const;
    void trace(std::string_view what, std::uint64_t a, std::uint64_t b, std::uint64_t c = 0);

    // world.cc: the stage and the play.
    void start_process(std::size_t machine);
    void end_process(Process& process);
    void adopt(Process& process, bool at_start);
    void set_stage();
    void set_clients();
    void heal();
    bool is_settled();
    void check_end();
    Process* some_alive(std::size_t machine, Random& random);

    // chaos.cc: upsets, and how processes come and go.
    void plan_upsets();
    void befall(std::size_t number);
    void befall_clocks(const Planned& planned, Random& random);
    void befall_network(const Planned& planned, Random& random);
    void befall_members(const Planned& planned, Random& random);
    void befall_processes(const Planned& planned, Random& random);
    Process* victim(Random& random);
    std::optional<std::size_t> some_machine(Random& random);
    void kill(Process& process, After then);
    void vanish(Process& process, After then);
    void tell_of_end(Process& process);
    void leave(Process& process);
    void add_machine(Random& random);
    void lose_power(std::size_t machine);
    void pause(Process& process, bool with_guests, Us length);
    void go_on(Process& process);
    void reset_alarms(std::size_t machine);

    // network.cc: what passes, and what does not.
    void send(Process& from, const job::Instance& to, const job::Message& message);
    void announce(Process& from, const job::Message& message);
    void transmit(Process& from, Process& to, const job::Message& message);
    void pass_on(Process& from, Process& to, Bytes bytes);
    void deliver(Process& to, const Process& from, ByteView bytes);
    void act_on(Process& to, const job::Instance& from, const job::Message& message);
    bool is_cut(const Process& from, const Process& to) const;
    void meet(Process& one, Process& other, bool seen);
    void part(Cut cut, Us length, bool noticed);
    Cut two_sides(Random& random) const;
    Cut groups(Random& random) const;

    // runtime.cc: what a broker's runtime does around the machines.
    void pump(Process& process);
    void carry_out(Process& process, lease::CoordinatorAction& action);
    void carry_out(Process& process, lease::WorkerAction& action);
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
    Play play_;
    std::vector<Planned> planned_;
    Truth truth_;
    Report report_;
    Us now_ = 0;
    bool healed_ = false;
    std::uint64_t guests_ = 0;
    simulation::EventQueue queue_;
    std::deque<Machine> machines_; ///< So that they stay where they are.
    std::vector<std::unique_ptr<Process>> processes_;
    std::map<job::Instance, Process*> by_instance_;
    std::vector<Client> clients_;
    std::map<Cid, std::size_t> client_of_;
    std::map<std::uint64_t, Cut> cuts_; ///< By a number of their own.
    std::uint64_t cut_number_ = 0;
};

} // namespace ic::sim
