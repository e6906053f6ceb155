#include "simulation/world.h"

#include "simulation/heard.h"

#include <algorithm>
#include <cassert>

namespace ic::simulation {

using namespace std::chrono_literals;

namespace {

/// A worker that spoke with nobody for this long is forgotten: longer than it remembers a cancel.
constexpr Us idle_us = 10'000'000;
/// How long until a coordinator takes a worker that is gone for gone. (No proof: it may be alive.)
constexpr Us noticed_us = 5'000'000;
/// What is on its way when the last job ends counts too.
constexpr Us afterwards_us = 10'000'000;

Spread spread_of(std::vector<Us> values) {
    if (values.empty()) {
        return {};
    }
    std::ranges::sort(values);
    const auto at = [&values](std::size_t percent) {
        const std::size_t place = (values.size() * percent + 99) / 100;
        return static_cast<double>(values[std::max<std::size_t>(place, 1) - 1]) / 1'000;
    };
    return {.median_ms = at(50), .p95_ms = at(95), .max_ms = at(100)};
}

} // namespace

job::Instance instance_of(std::uint64_t index, std::uint64_t life) {
    job::Instance made;
    for (std::size_t i = 0; i < 8; ++i) {
        made.bytes[i] = static_cast<std::uint8_t>(index >> (8 * i));
        made.bytes[8 + i] = static_cast<std::uint8_t>(life >> (8 * i));
    }
    return made;
}

std::pair<std::uint64_t, std::uint64_t> node_of(const job::Instance& instance) {
    std::pair<std::uint64_t, std::uint64_t> node;
    for (std::size_t i = 0; i < 8; ++i) {
        node.first |= std::uint64_t{instance.bytes[i]} << (8 * i);
        node.second |= std::uint64_t{instance.bytes[8 + i]} << (8 * i);
    }
    return node;
}

Instant instant(Us at) { return Instant{1h + std::chrono::microseconds{at}}; }

job::Nonce Nonces::next() {
    ++count_;
    job::Nonce made;
    const std::uint64_t bits = chance_.bits(Draw::nonce, {count_});
    for (std::size_t i = 0; i < 8; ++i) {
        made.bytes[i] = static_cast<std::uint8_t>(bits >> (8 * i));
        made.bytes[8 + i] = static_cast<std::uint8_t>(count_ >> (8 * i));
    }
    return made;
}

World::World(const Options& options, const OnProgress& on_progress)
    : options_(options)
    , on_progress_(on_progress)
    , chance_(options.seed)
    , network_(options_, chance_)
    , nonces_(chance_) {
    for (std::uint32_t i = 0; i < options_.coordinators; ++i) {
        open_office(i);
    }
    plan_jobs();
}

void World::open_office(std::uint32_t number) {
    // Beyond the numbers of the nodes.
    const job::Instance self = instance_of(std::uint64_t{limits::nodes_max} + number, 0);
    lease::CoordinatorOptions options;
    options.probes = options_.probes;
    auto heard = options_.probes > 0 ? std::make_unique<Heard>(*this) : nullptr;
    auto coordinator = std::make_unique<lease::Coordinator>(
        lease::Coordinator::Self{.instance = self, .key = {}, .incarnation = 1},
        options,
        heard.get());
    offices_.push_back({.self = self,
                        .heard = std::move(heard),
                        .coordinator = std::move(coordinator),
                        .alarm = {}});
    office_of_.emplace(self, number);
}

void World::after(Us delay, std::function<void()> what) {
    queue_.push(now_ + delay, std::move(what));
}

// --- jobs ----------------------------------------------------------------------------------------

void World::plan_jobs() {
    const auto pause = static_cast<Us>(1'000'000 / options_.jobs_per_s);
    const Us run = std::chrono::microseconds{options_.run}.count();
    jobs_.reserve(options_.jobs);
    Us at = 0;
    for (std::uint32_t i = 0; i < options_.jobs; ++i) {
        const std::string name =
            "job " + std::to_string(i) + " of " + std::to_string(options_.seed);
        Job job{.id = cid_of(Codec::raw, bytes_of(name)),
                .coordinator = i % options_.coordinators,
                .run_us = chance_.around(run, Draw::length, {i}),
                .submitted = at,
                .announced = {}};
        job.bits = lease::rendezvous_bits(job.id);
        job_of_.emplace(job.id, i);
        jobs_.push_back(std::move(job));
        at += chance_.around(pause, Draw::job, {i});
        open_.insert(i);
        after(jobs_.back().submitted, [this, i] { submit(i); });
    }
    after(1'000'000, [this] { sweep(); });
}

void World::submit(std::size_t job) {
    const Job& submitted = jobs_[job];
    lease::JobEntry entry;
    entry.ids = {.job = submitted.id, .task = submitted.id, .computation = submitted.id};
    entry.effects = job::Effects::impure;
    entry.invocation = LentBytes::of(Bytes(200, 7));
    offices_[submitted.coordinator].coordinator->submit(std::move(entry), instant(now_));
    pump(submitted.coordinator);
}

// --- who takes part ------------------------------------------------------------------------------

Node* World::find(const job::Instance& instance) {
    const auto at = nodes_.find(instance);
    return at == nodes_.end() ? nullptr : at->second.get();
}

Node& World::take_part(std::uint32_t index, const Life& life) {
    const job::Instance self = instance_of(index, life.number);
    if (Node* known = find(self)) {
        return *known;
    }
    auto made = std::make_unique<Node>();
    Node& node = *made;
    node.index = index;
    node.life = life.number;
    node.self = {.key = network_.key_of(index), .instance = self};
    node.used = now_;
    lease::WorkerOptions options;
    options.slots = options_.slots;
    options.rendezvous.workers = options_.bidders == 0 ? 0 : options_.nodes;
    options.rendezvous.bidders = std::max(options_.bidders, 1U);
    node.worker = std::make_unique<lease::Worker>(node.self, options, nonces_);
    node.worker->start(instant(now_));
    nodes_.emplace(self, std::move(made));
    sums_.machines_max = std::max(sums_.machines_max, nodes_.size());
    replay(node);
    if (options_.churn > 0) {
        after(life.until - now_, [this, self] { go(self); });
    }
    return node;
}

/// What the node heard before anybody had to look at it. None of it called the node, or it would
/// have taken part then; but each announcement raised its threshold.
void World::replay(Node& node) {
    for (const std::size_t number : open_) {
        const Job& job = jobs_[number];
        for (const Broadcast& each : job.announced) {
            const std::optional<Us> at = network_.arrival(node.index, each.number, each.sent);
            if (at && *at < now_ && network_.life_of(node.index, *at).number == node.life) {
                const job::Instance& from = offices_[job.coordinator].self;
                node.worker->message(from,
                                     job::Announce{.coordinator = from,
                                                   .coordinator_key = {},
                                                   .job = job.id,
                                                   .invocation = {}},
                                     instant(now_));
            }
        }
    }
}

/// The process ends, as by a power cut: nobody is told.
void World::go(const job::Instance& instance) {
    Node* node = find(instance);
    if (node == nullptr) {
        return;
    }
    const bool is_end = !network_.life_of(node->index, now_).is_here;
    if (!is_end) {
        return; // The alarm of a machine that was forgotten and made again.
    }
    for (const auto& [lease, number] : node->runs) {
        --jobs_[job_of_.at(lease.job)].running;
    }
    after(noticed_us, [this, instance, met = std::move(node->met)] {
        for (const job::Instance& each : met) {
            const std::uint32_t office = office_of_.at(each);
            offices_[office].coordinator->peer_silent(instance, instant(now_));
            pump(office);
        }
    });
    nodes_.erase(instance);
}

/// A connection that is idle is closed, on both sides.
void World::part_with(Node& node) {
    for (const job::Instance& each : node.met) {
        const std::uint32_t office = office_of_.at(each);
        offices_[office].coordinator->peer_silent(node.self.instance, instant(now_));
        pump(office);
    }
}

void World::sweep() {
    for (auto at = nodes_.begin(); at != nodes_.end();) {
        Node& node = *at->second;
        const lease::WorkerCounts counts = node.worker->counts();
        const bool is_idle = counts.leases == 0 && counts.receipts_unanswered == 0 &&
                             counts.bids <= counts.slots_free && now_ - node.used > idle_us;
        if (is_idle) {
            part_with(node);
            at = nodes_.erase(at);
        } else {
            ++at;
        }
    }
    after(1'000'000, [this] { sweep(); });
}

// --- the whole -----------------------------------------------------------------------------------

Outcome World::run() {
    while (!open_.empty() || now_ < over_ + afterwards_us) {
        // `queue_` is never empty: the sweep is always in it.
        const EventQueue::Event event = queue_.pop();
        now_ = event.at_us;
        event.what();
    }
    return outcome();
}

Outcome World::outcome() const {
    Outcome made = sums_;
    made.jobs = jobs_.size();
    made.events = queue_.pushed();
    std::vector<Us> started;
    std::vector<Us> ended;
    for (const Job& job : jobs_) {
        if (job.started >= 0) {
            started.push_back(job.started - job.submitted);
        }
        ended.push_back(job.ended - job.submitted);
    }
    made.started = spread_of(std::move(started));
    made.ended = spread_of(std::move(ended));
    return made;
}

Outcome simulate(const Options& options, const OnProgress& on_progress) {
    assert(check(options).ok());
    return World(options, on_progress).run();
}

} // namespace ic::simulation
