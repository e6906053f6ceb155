/// A coordinator and a worker in one process, each behind a transport with faults: jobs finish, and
/// each ends once, however much is lost, doubled, late or cut off.

#include "blockstore/memory_store.h"
#include "coordinator/coordinator.h"
#include "job/testing/samples.h"
#include "ledger/ledger.h"
#include "transport/in_process.h"
#include "transport/testing/faulty_transport.h"
#include "wiring/workshop.h"
#include "worker/worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <map>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;
using job::testing::sample_cid;
using job::testing::sample_instance;
using job::testing::sample_key;
using testing_transport::Faults;
using testing_transport::FaultyTransport;

constexpr std::uint8_t client_number = 7;

/// Ends at once, well, and has written something.
class Scribe final : public executor::Executor {
public:
    executor::Outcome run(const executor::Task& /*task*/,
                          const executor::Permit& /*permit*/,
                          executor::Host& /*host*/) override {
        ++runs;
        executor::Outcome outcome;
        outcome.output = {'h', 'i'};
        return outcome;
    }

    std::atomic<int> runs{0};
};

/// One half's place on the network. What is for the client stays here.
class Place final : public transport::Outlet {
public:
    Place(net::EventLoop& loop,
          transport::InProcessNetwork& network,
          std::uint8_t number,
          const Faults& faults,
          std::uint64_t seed)
        : loop_(loop)
        , key(sample_key(number))
        , self{.key = key.public_key(), .instance = sample_instance(number)}
        , faulty({.faults = faults,
                  .seed = seed,
                  .after =
                      [&loop](std::chrono::milliseconds delay, std::function<void()> work) {
                          loop.after(delay, std::move(work));
                      }},
                 {.on_peer =
                      [this](const transport::Peer& peer) {
                          if (events.on_peer) {
                              events.on_peer(peer);
                          }
                      },
                  .on_gone =
                      [this](const transport::Peer& peer, transport::Fate fate) {
                          if (events.on_gone) {
                              events.on_gone(peer, fate);
                          }
                      },
                  .on_message =
                      [this](const transport::Peer& peer, job::Message message) {
                          if (events.on_message) {
                              events.on_message(peer, std::move(message));
                          }
                      }})
        , inner_(network.join({.instance = self.instance,
                               .kind = transport::PeerKind::node,
                               .key = self.key,
                               .same_user = false,
                               .name = {}},
                              faulty.events())) {
        faulty.over(*inner_);
    }

    void send(const job::Instance& to, job::Message message) override {
        if (to == sample_instance(client_number)) {
            loop_.post([this, message = std::move(message)] { on_client(message); });
        } else {
            faulty.send(to, message);
        }
    }

    void announce(job::Message message) override { faulty.announce(message); }

private:
    net::EventLoop& loop_;

public:
    const PrivateKey key;
    const job::WorkerRef self;
    transport::Events events;
    std::function<void(const job::Message&)> on_client;
    FaultyTransport faulty;

private:
    std::unique_ptr<transport::Transport> inner_; // First to go: it calls the others.
};

class LossyNodes : public ::testing::Test {
protected:
    LossyNodes() {
        std::string name = (std::filesystem::temp_directory_path() / "lossy-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }

    ~LossyNodes() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    /// Has so many jobs submitted, and waits for their ends.
    void run(const Faults& faults, std::uint64_t seed, std::uint8_t jobs) {
        transport::InProcessNetwork network(
            [this](std::function<void()> work) { loop_->post(std::move(work)); });
        Place here(*loop_, network, 1, faults, seed);
        Place there(*loop_, network, 2, faults, seed + 1);
        const std::unique_ptr<ledger::LedgerWriter> writer =
            ledger::LedgerWriter::open(folder_ / "ledger.db").take();
        const auto coordinator = open_coordinator(here, *writer);
        const auto worker = open_worker(there, here.self.key);
        here.on_client = [this](const job::Message& message) { told(message); };
        worker->start();
        for (std::uint8_t n = 0; n < jobs; ++n) {
            coordinator->message(
                {.instance = sample_instance(client_number),
                 .kind = transport::PeerKind::client,
                 .key = here.self.key,
                 .same_user = true,
                 .name = {}},
                job::Submit{.invocation = invocation(here.key, n), .use_memo = false});
        }
        const Instant until = now_since_boot() + 240s; // Whether they end at all is what counts.
        while (outcomes_.size() < jobs && now_since_boot() < until) {
            loop_->run_for(5ms);
        }
        ASSERT_EQ(outcomes_.size(), jobs);
        loop_->run_for(300ms); // A second end of any would come now.
        for (const auto& [job, all] : outcomes_) {
            ASSERT_EQ(all.size(), 1U) << job.to_string();
            ASSERT_TRUE(all.front().receipt) << all.front().message;
            const Result<job::SignedReceipt> receipt = job::read_receipt(*all.front().receipt);
            ASSERT_TRUE(receipt);
            EXPECT_TRUE(receipt->receipt.ending.ok()) << receipt->receipt.ending.message;
            EXPECT_EQ(receipt->receipt.worker, there.self.key);
        }
        EXPECT_GE(scribe_.runs, jobs);
        for (const FaultyTransport::Counters& one :
             {here.faulty.counters(), there.faulty.counters()}) {
            sent_.dropped += one.dropped;
            sent_.doubled += one.doubled;
            sent_.late += one.late;
            sent_.disconnected += one.disconnected;
        }
    }

    FaultyTransport::Counters sent_; ///< By both.

private:
    static lease::Timing timing() {
        return {.duration = 1'500ms, .renew_every = 500ms, .stop_max = 200ms};
    }

    static Bytes invocation(const PrivateKey& key, std::uint8_t number) {
        job::Invocation invocation;
        invocation.issuer = key.public_key();
        invocation.audience = key.public_key();
        invocation.spec.module = sample_cid(number);
        invocation.nonce = {number};
        invocation.timeouts.attempts_max = job::limits::attempts_max;
        return job::sign(invocation, key)->document;
    }

    static job::Policy policy(const PublicKey& submitter) {
        job::Policy policy;
        policy.submitters = {submitter};
        return policy;
    }

    std::unique_ptr<coordinator::Coordinator> open_coordinator(Place& place,
                                                               ledger::LedgerWriter& writer) {
        lease::CoordinatorOptions machine;
        machine.timing = timing();
        machine.bid_age_max = 1'000ms;
        auto opened = coordinator::Coordinator::open({.self = place.self,
                                                      .machine = machine,
                                                      .policy = policy(place.self.key),
                                                      .ledger_file = folder_ / "ledger.db"},
                                                     *loop_,
                                                     writer,
                                                     place,
                                                     [](const job::Receipt&) { return true; })
                          .take();
        place.events = {
            .on_peer = [raw = opened.get()](const transport::Peer& peer) { raw->peer_seen(peer); },
            .on_gone = [raw = opened.get()](const transport::Peer& peer,
                                            transport::Fate fate) { raw->peer_gone(peer, fate); },
            .on_message =
                [raw = opened.get()](const transport::Peer& peer, job::Message message) {
                    raw->message(peer, std::move(message));
                }};
        return opened;
    }

    std::unique_ptr<worker::Worker> open_worker(Place& place, const PublicKey& submitter) {
        lease::WorkerOptions machine;
        machine.timing = timing();
        machine.bid_refresh = 500ms;
        machine.slots = 2;
        machine.software = "test";
        auto opened = worker::Worker::open(
                          {.self = place.self, .machine = machine, .policy = policy(submitter)},
                          *loop_,
                          place.key,
                          {.executor = scribe_, .source = store_, .store = store_, .curl = {}},
                          nonces_,
                          place,
                          [](const Cid& /*job*/, std::string_view /*line*/) {})
                          .take();
        place.events = {
            .on_peer = [raw = opened.get()](const transport::Peer& peer) { raw->peer_seen(peer); },
            .on_gone = [raw = opened.get()](const transport::Peer& peer,
                                            transport::Fate fate) { raw->peer_gone(peer, fate); },
            .on_message =
                [raw = opened.get()](const transport::Peer& peer, job::Message message) {
                    raw->message(peer, std::move(message));
                }};
        return opened;
    }

    void told(const job::Message& message) {
        if (const auto* outcome = std::get_if<job::Outcome>(&message)) {
            outcomes_[outcome->job].push_back(*outcome);
        } else if (const auto* rejected = std::get_if<job::Rejected>(&message)) {
            ADD_FAILURE() << rejected->message;
        }
    }

    std::filesystem::path folder_;
    std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
    MemoryStore store_;
    Scribe scribe_;
    KernelNonces nonces_;
    std::map<Cid, std::vector<job::Outcome>> outcomes_;
};

TEST_F(LossyNodes, FinishEachJobOnceWhereNothingFails) { run({}, 1, 20); }

TEST_F(LossyNodes, FinishEachJobOnceUnderLossDoublingAndReordering) {
    run({.dropped = 0.3, .doubled = 0.3, .late = 0.5, .corrupt = 0.01, .late_max = 150ms}, 2, 40);
    EXPECT_GT(sent_.dropped, 0U);
    EXPECT_GT(sent_.doubled, 0U);
    EXPECT_GT(sent_.late, 0U);
}

TEST_F(LossyNodes, FinishEachJobOnceThroughConnectionsThatBreak) {
    run({.dropped = 0.05, .disconnecting = 0.03, .away = 300ms}, 3, 40);
    EXPECT_GT(sent_.disconnected, 0U);
}

} // namespace
} // namespace ic::wiring
