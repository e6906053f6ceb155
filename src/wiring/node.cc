#include "wiring/node.h"

#include "base/boot.h"
#include "blockstore/blockstore.h"
#include "job/authority.h"
#include "wiring/locality.h"

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ic::wiring {

using namespace std::chrono_literals;

namespace {

/// Ours: three that do not come are half a minute, and a network of 64 has 6 of them a second.
constexpr auto advert_every = 10s;
/// Ours: how long a job of a process that nobody saw die may wait to be adopted. A look at the
/// ledger and a lock for each process that owes a job its end: some 50 us.
constexpr auto adopt_every = 2s;

/// Whether a message is for a worker: what coordinators send to nodes. All else is for a
/// coordinator, but for what clients are told.
bool is_for_worker(const job::Message& message) {
    return std::holds_alternative<job::Announce>(message) ||
           std::holds_alternative<job::Grant>(message) ||
           std::holds_alternative<job::RenewAnswer>(message) ||
           std::holds_alternative<job::ReceiptAnswer>(message) ||
           std::holds_alternative<job::Cancel>(message);
}

bool is_for_client(const job::Message& message) {
    return std::holds_alternative<job::Accepted>(message) ||
           std::holds_alternative<job::Rejected>(message) ||
           std::holds_alternative<job::Progress>(message) ||
           std::holds_alternative<job::Outcome>(message) ||
           std::holds_alternative<job::KnownWorkers>(message);
}

/// Whether the outputs of a receipt are still here: their root blocks, at no more than a look-up.
coordinator::IsKept kept_in(BlockStore& store) {
    return [&store](const job::Receipt& receipt) {
        for (const std::optional<Cid>& cid : {receipt.output, receipt.errors, receipt.log}) {
            if (!cid || cid->hash() == HashCode::identity) {
                continue;
            }
            const Result<bool> has = store.has(*cid);
            if (!has || !*has) {
                return false;
            }
        }
        return true;
    };
}

/// Empty, and said so, where it cannot be read: that is no reason not to serve.
std::string boot_id_or_none(const log::Sink& note) {
    Result<std::string> id = boot_id();
    if (id) {
        return std::move(id).take();
    }
    note(log::Level::warning,
         "the age of jobs that are adopted comes from the wall clock alone: " + id.error().message,
         {{"error", std::string(name(id.error().code))}});
    return {};
}

lease::WorkerOptions worker_machine(const NodeOptions& options) {
    lease::WorkerOptions machine;
    machine.slots = options.slots;
    machine.software = options.software;
    machine.labels = options.labels;
    machine.features = {std::string(job::abi_name)};
    machine.advert_every = advert_every;
    return machine;
}

} // namespace

Node::Node(NodeOptions options, net::EventLoop& loop) : options_(std::move(options)), loop_(loop) {}

Node::~Node() {
    *alive_ = false;
    loop_.cancel(count_timer_);
    loop_.cancel(adopt_timer_);
}

Result<std::unique_ptr<Node>> Node::open(NodeOptions options,
                                         net::EventLoop& loop,
                                         const PrivateKey& key,
                                         BlockStore& store,
                                         const MakeWorkshop& make_workshop) {
    std::unique_ptr<Node> node(new Node(std::move(options), loop));
    const NodeOptions& o = node->options_;
    transport::LocalOptions bus;
    bus.folder = o.home / "bus";
    bus.self = {.instance = o.self.instance,
                .kind = transport::PeerKind::node,
                .key = o.self.key,
                .name = o.name,
                .software = o.software,
                .extension = {}};
    bus.note = o.note;
    node->transport_ = TRY(transport::LocalTransport::open(loop, std::move(bus)));
    if (o.network) {
        node->network_ = TRY(
            Network::open(loop,
                          *o.network,
                          {.worker = o.self, .key = &key, .name = o.name, .software = o.software},
                          o.note));
    }
    std::function<lease::Locality(const job::JobSpec&)> locality;
    if (o.network) { // Workers of one home share one store: none has more than another.
        locality = [&store](const job::JobSpec& spec) { return locality_of(spec, store); };
    }
    const std::filesystem::path ledger_file = o.home / "ledger.db";
    node->writer_ = TRY(ledger::LedgerWriter::open(ledger_file));
    job::Policy coordinates = o.policy;
    if (o.slots == 0 || o.network) {
        coordinates.hosts = {"*"}; // The workers decide, each for itself.
    }
    node->coordinator_ =
        TRY(coordinator::Coordinator::open({.self = o.self,
                                            .machine = {},
                                            .policy = std::move(coordinates),
                                            .locality = locality,
                                            .idle = o.network ? &node->known_workers_ : nullptr,
                                            .ledger_file = ledger_file,
                                            .boot_id = boot_id_or_none(o.note),
                                            .note = o.note,
                                            .counts = o.counts,
                                            .traces = o.traces},
                                           loop,
                                           *node->writer_,
                                           node->from_coordinator_,
                                           kept_in(store)));
    if (o.counts != nullptr) {
        o.counts->number(metrics::Metric::slots).set(o.slots);
    }
    if (o.network && o.slots > 0) {
        node->take_unsigned_jobs(key);
    }
    if (o.slots > 0) {
        node->workshop_ = TRY(make_workshop(node->transport_->liveness_fd()));
        node->worker_ = TRY(worker::Worker::open({.self = o.self,
                                                  .machine = worker_machine(o),
                                                  .policy = o.policy,
                                                  .note = o.note,
                                                  .counts = o.counts,
                                                  .traces = o.traces,
                                                  .locality = locality},
                                                 loop,
                                                 key,
                                                 node->workshop_->parts(),
                                                 node->nonces_,
                                                 node->from_worker_,
                                                 o.on_log));
    }
    return node;
}

void Node::take_unsigned_jobs(const PrivateKey& key) {
    unsigned_jobs_ = std::make_unique<UnsignedJobs>(UnsignedJobsOptions{
        .key = &key,
        .submit = [this](job::Message message) { from_client(std::move(message)); },
        .note = options_.note});
    network_->on_unsigned(
        [this](const transport::HeardUnsigned& heard) { unsigned_jobs_->take(heard); });
}

Result<void> Node::start() {
    transport::Events events;
    events.on_peer = [this](const transport::Peer& peer) {
        coordinator_->peer_seen(peer);
        if (worker_) {
            worker_->peer_seen(peer);
        }
    };
    events.on_gone = [this](const transport::Peer& peer, transport::Fate fate) {
        gone(peer, fate);
    };
    events.on_message = [this](const transport::Peer& from, job::Message message) {
        take(from, std::move(message));
    };
    TRY(transport_->start(std::move(events)));
    if (network_) {
        network_->on_stranger([this](job::Advert advert) {
            known_workers_.hear(std::move(advert), lease::Trust::stranger, now_since_boot());
        });
        network_->start(network_events(), [this](KuboState state) {
            if (worker_ && state == KuboState::gone) {
                worker_->rest();
            } else if (worker_) {
                worker_->go_on();
            }
        });
    }
    adopt_again_and_again();
    if (worker_) {
        worker_->start();
        count_workers();
    }
    trust_watch_ = std::make_unique<TrustWatch>(
        loop_,
        config::Home{.path = options_.home},
        options_.policy.submitters,
        options_.self.key,
        [this](const TrustList& list) { trust(list); },
        options_.note);
    return {};
}

void Node::trust(const TrustList& list) {
    coordinator_->trust(list.keys);
    if (worker_) {
        worker_->trust(list.keys);
    }
    if (network_) {
        network_->trust(list.keys);
        network_->keep_connected(list.kubos);
    }
}

/// What comes from other machines. A process of this home is heard on its bus alone; anybody else
/// speaks for itself, and is no client here.
transport::Events Node::network_events() {
    transport::Events events;
    events.on_peer = [this](const transport::Peer& peer) {
        if (!transport_->has(peer.instance)) {
            coordinator_->peer_seen(peer);
            if (worker_) {
                worker_->peer_seen(peer);
            }
        }
    };
    events.on_gone = [this](const transport::Peer& peer, transport::Fate fate) {
        if (!transport_->has(peer.instance)) {
            gone(peer, fate);
        }
    };
    events.on_message = [this](const transport::Peer& from, job::Message message) {
        if (!transport_->has(from.instance) &&
            job::speaks_for_itself({from.key, from.instance}, message)) {
            take(from, std::move(message));
        }
    };
    return events;
}

transport::Peer Node::me() const {
    return {.instance = options_.self.instance,
            .kind = transport::PeerKind::node,
            .key = options_.self.key,
            .same_user = true,
            .name = options_.name};
}

void Node::count_sent(const job::Message& message) {
    if (std::holds_alternative<job::Bid>(message)) {
        metrics::count(options_.counts, metrics::Metric::bids_sent);
    } else if (std::holds_alternative<job::Announce>(message)) {
        metrics::count(options_.counts, metrics::Metric::announcements_sent);
    }
}

void Node::count_received(const job::Message& message) {
    if (std::holds_alternative<job::Bid>(message)) {
        metrics::count(options_.counts, metrics::Metric::bids_received);
    } else if (std::holds_alternative<job::Announce>(message) && worker_) {
        metrics::count(options_.counts, metrics::Metric::announcements_received);
    }
}

void Node::take(const transport::Peer& from, job::Message message) {
    count_received(message);
    if (is_for_client(message)) {
        coordinator_->relay(message);
        return;
    }
    if (is_for_worker(message)) {
        if (worker_) {
            worker_->message(from, std::move(message));
        }
        return;
    }
    coordinate(from, std::move(message));
}

void Node::coordinate(const transport::Peer& from, job::Message message) {
    if (std::holds_alternative<job::KnownWorkersQuery>(message)) {
        answer_about_workers(from.instance);
        return;
    }
    if (const auto* advert = std::get_if<job::Advert>(&message);
        advert != nullptr && advert->worker.instance == from.instance) {
        known_workers_.hear(*advert, lease::Trust::trusted, now_since_boot());
    }
    coordinator_->message(from, std::move(message));
}

void Node::answer_about_workers(const job::Instance& client) {
    const auto reached = [this](const job::Instance& worker) -> lease::Reached {
        if (worker == options_.self.instance || transport_->has(worker) || !network_) {
            return {.route = job::Route::local, .addresses = {}};
        }
        return {.route = network_->has(worker) ? job::Route::link : job::Route::topic,
                .addresses = network_->addresses_of(worker)};
    };
    for (job::KnownWorkers& answer : known_workers_.answers(reached, now_since_boot())) {
        transport_->send(client, answer);
    }
}

/// So that on a large network few bid for each job, and say that they are there less often.
void Node::count_workers() {
    known_workers_.time(now_since_boot());
    worker_->set_network_size(known_workers_.network_size());
    count_timer_ =
        loop_.after(lease::WorkerTableOptions{}.count_every, [this] { count_workers(); });
}

void Node::gone(const transport::Peer& peer, transport::Fate fate) {
    if (peer.same_user || fate == transport::Fate::dead) {
        known_workers_.forget(peer.instance); // A link may be idle alone: silence will show.
    }
    coordinator_->peer_gone(peer, fate);
    if (worker_) {
        worker_->peer_gone(peer, fate);
    }
    if (peer.kind == transport::PeerKind::node && fate == transport::Fate::dead) {
        coordinator_->adopt({peer.instance}, [this](const job::Instance& holder) {
            return transport_->is_dead(holder);
        });
    }
}

/// Also those of processes that died before this one met them: nothing tells of their deaths.
void Node::adopt_again_and_again() {
    if (Result<void> adopted = adopt_from_the_dead(); !adopted) {
        options_.note(log::Level::warning,
                      "cannot look for jobs of the dead: " + adopted.error().message,
                      {{"error", std::string(name(adopted.error().code))}});
    }
    adopt_timer_ = loop_.after(adopt_every, [this] { adopt_again_and_again(); });
}

Result<void> Node::adopt_from_the_dead() {
    if (!owners_) {
        owners_.emplace(TRY(ledger::LedgerReader::open(options_.home / "ledger.db")));
    }
    std::vector<job::Instance> dead;
    for (const job::Instance& owner : TRY(owners_->owners())) {
        if (owner != options_.self.instance && transport_->is_dead(owner)) {
            dead.push_back(owner);
        }
    }
    if (!dead.empty()) {
        coordinator_->adopt(dead, [this](const job::Instance& holder) {
            return holder != options_.self.instance && transport_->is_dead(holder);
        });
    }
    return {};
}

void Node::Way::send(const job::Instance& to, job::Message message) {
    node_.count_sent(message);
    if (to == node_.options_.self.instance) {
        node_.within(half_, std::move(message));
    } else if (node_.network_ && !node_.transport_->has(to)) {
        node_.network_->send(to, message);
    } else {
        node_.transport_->send(to, message);
    }
}

void Node::Way::announce(job::Message message) {
    node_.count_sent(message);
    node_.transport_->announce(message);
    if (node_.network_) {
        node_.network_->announce(message);
    }
    node_.within(half_, std::move(message));
}

void Node::within(Half from, job::Message message) {
    deliver_later([this, from, message = std::move(message)]() mutable {
        count_received(message);
        if (from == Half::coordinator && is_for_worker(message)) {
            if (worker_) {
                worker_->message(me(), std::move(message));
            }
        } else if (from == Half::coordinator) {
            if (unsigned_jobs_) {
                unsigned_jobs_->told(message);
            }
            if (on_client) {
                on_client(message);
            }
        } else {
            coordinate(me(), std::move(message));
        }
    });
}

/// Deliveries within the process wait for the call that made them to end: a machine is never
/// entered from within itself. One posting carries all that comes of it.
void Node::deliver_later(std::function<void()> delivery) {
    deliveries_.push_back(std::move(delivery));
    if (delivering_) {
        return;
    }
    delivering_ = true;
    loop_.post([this, is_alive = alive_] {
        if (*is_alive) {
            deliver();
        }
    });
}

void Node::deliver() {
    while (!deliveries_.empty()) {
        std::function<void()> delivery = std::move(deliveries_.front());
        deliveries_.pop_front();
        delivery();
    }
    delivering_ = false;
}

void Node::from_client(job::Message message) {
    deliver_later([this, message = std::move(message)]() mutable {
        coordinator_->message(me(), std::move(message));
    });
}

void Node::drain(std::function<void()> on_idle) {
    if (worker_) {
        worker_->drain(std::move(on_idle));
    } else {
        loop_.post(std::move(on_idle));
    }
}

lease::WorkerCounts Node::worker_counts() const {
    return worker_ ? worker_->counts() : lease::WorkerCounts{};
}

lease::CoordinatorCounts Node::coordinator_counts() const { return coordinator_->counts(); }

} // namespace ic::wiring
