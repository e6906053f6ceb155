#pragma once
/// World: a simulation under way: the machines of those who take part in a job, on virtual time.
/// The inside of `simulate`, shared by its source files alone.

#include "lease/coordinator.h"
#include "lease/worker.h"
#include "simulation/chance.h"
#include "simulation/event_queue.h"
#include "simulation/network.h"
#include "simulation/options.h"
#include "simulation/simulation.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ic::simulation {

class Nonces : public lease::NonceSource {
public:
    explicit Nonces(const Chance& chance) : chance_(chance) {}

    job::Nonce next() override;

private:
    const Chance& chance_;
    std::uint64_t count_ = 0;
};

struct Broadcast {
    std::uint64_t number = 0;
    Us sent = 0;
};

struct Job {
    Cid id;
    std::uint64_t bits = 0;
    std::uint32_t coordinator = 0;
    Us run_us = 0;
    Us submitted = 0;
    Us started = -1;
    Us ended = -1;
    std::uint32_t running = 0;
    std::deque<Broadcast> announced;
};

struct Asleep {
    Us wake = 0; ///< 0: no alarm is set.
    std::uint64_t number = 0;
};

/// A worker that takes part: it was called for a job, and has not been idle for long since.
struct Node {
    std::uint32_t index = 0;
    std::uint64_t life = 0;
    job::WorkerRef self;
    std::unique_ptr<lease::Worker> worker;
    std::map<job::LeaseRef, std::uint64_t> runs; ///< With a number that no other run has.
    std::set<job::Instance> met;                 ///< Coordinators that have its advert.
    Us used = 0;                                 ///< When it last spoke with somebody.
    Asleep alarm;
};

struct Office {
    job::Instance self;
    std::unique_ptr<lease::IdleWorkers> heard; ///< Null: nobody is probed.
    std::unique_ptr<lease::Coordinator> coordinator;
    Asleep alarm;
};

class World {
public:
    World(const Options& options, const OnProgress& on_progress);
    Outcome run();

private:
    class Heard; // heard.cc: whom a coordinator may probe.

    // world.cc: jobs, and who takes part.
    void after(Us delay, std::function<void()> what);
    void plan_jobs();
    void submit(std::size_t job);
    void open_office(std::uint32_t number);
    Node* find(const job::Instance& instance);
    Node& take_part(std::uint32_t index, const Life& life);
    void replay(Node& node);
    void go(const job::Instance& instance);
    void part_with(Node& node);
    void sweep();
    Outcome outcome() const;

    // runtime.cc: what a process's runtime does around its machine.
    void pump(std::uint32_t office);
    void pump(Node& node);
    void carry_out(std::uint32_t office, lease::CoordinatorAction& action);
    void carry_out(Node& node, lease::WorkerAction& action);
    void announce(const job::Announce& announce);
    void arrive(std::uint32_t index, const job::Announce& announce);
    void probe(const job::Instance& to, const job::Announce& announce);
    void send(Node& from, const lease::Send& wanted);
    void transmit(const job::Instance& from, const job::Instance& to, const job::Message& message);
    void deliver(const job::Instance& from, const job::Instance& to, const job::Message& message);
    void start(Node& node, const lease::StartRun& run);
    void end_run(const job::Instance& instance,
                 const job::LeaseRef& lease,
                 std::uint64_t number,
                 lease::RunEnd end);

    Options options_;
    const OnProgress& on_progress_;
    Chance chance_;
    Network network_;
    Nonces nonces_;
    Us now_ = 0;
    Us over_ = 0; ///< When the last job had its end.
    std::uint64_t runs_ = 0;
    std::uint64_t messages_ = 0;
    EventQueue queue_;
    std::vector<Office> offices_;
    std::map<job::Instance, std::uint32_t> office_of_;
    std::map<job::Instance, std::unique_ptr<Node>> nodes_;
    std::vector<Job> jobs_;
    std::map<Cid, std::size_t> job_of_;
    std::set<std::size_t> open_;
    Outcome sums_;
};

/// The name of a node's process.
job::Instance instance_of(std::uint64_t index, std::uint64_t life);
/// Inverse: `instance_of`.
std::pair<std::uint64_t, std::uint64_t> node_of(const job::Instance& instance);

/// An Instant for machines: not near the beginning of time, so that they may subtract.
Instant instant(Us at);
/// The time of an Instant, rounded up so that an alarm is never early.
Us us_of(Instant at);

} // namespace ic::simulation
