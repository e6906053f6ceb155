#include "transport/testing/contract.h"
#include "transport/testing/faulty_transport.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

namespace ic::testing_transport {
namespace {

using namespace std::chrono_literals;

/// Takes what comes, and knows one node.
class Sink final : public Transport {
public:
    Peer peer = [] {
        Peer one;
        one.instance.bytes.fill(2);
        return one;
    }();
    std::vector<std::uint64_t> sent;

    void send(const job::Instance& to, const job::Message& message) override {
        EXPECT_EQ(to, peer.instance);
        sent.push_back(std::get<job::Renew>(message).sequence);
    }

    void announce(const job::Message& message) override { send(peer.instance, message); }

    std::vector<Peer> peers() const override { return {peer}; }
};

/// A transport with faults, and what waits to be done.
struct Faulty {
    Sink sink;
    Seen seen;
    std::deque<std::pair<std::chrono::milliseconds, std::function<void()>>> waiting;
    FaultyTransport transport;

    explicit Faulty(const Faults& faults, std::uint64_t seed = 1)
        : transport({.faults = faults,
                     .seed = seed,
                     .after =
                         [this](std::chrono::milliseconds delay, std::function<void()> work) {
                             waiting.emplace_back(delay, std::move(work));
                         }},
                    seen.events()) {
        transport.over(sink);
    }

    void send(std::uint64_t count) {
        for (std::uint64_t n = 0; n < count; ++n) {
            transport.send(sink.peer.instance, numbered(n));
        }
    }

    /// In the order of their delays.
    void run() {
        while (!waiting.empty()) {
            const auto next = std::ranges::min_element(
                waiting, {}, [](const auto& entry) { return entry.first; });
            const std::function<void()> work = std::move(next->second);
            waiting.erase(next);
            work();
        }
    }
};

TEST(FaultyTransport, DropsAndDoublesTheirShares) {
    Faulty faulty({.dropped = 0.3, .doubled = 0.2});
    faulty.send(10'000);
    const FaultyTransport::Counters& counters = faulty.transport.counters();
    EXPECT_EQ(counters.sent, 10'000U);
    EXPECT_NEAR(static_cast<double>(counters.dropped), 3'000, 300);
    EXPECT_NEAR(static_cast<double>(counters.doubled), 0.7 * 2'000, 200);
    EXPECT_EQ(faulty.sink.sent.size(), 10'000 - counters.dropped + counters.doubled);
}

TEST(FaultyTransport, HasLateOnesOvertaken) {
    Faulty faulty({.late = 0.5});
    faulty.send(1'000);
    EXPECT_EQ(faulty.sink.sent.size() + faulty.waiting.size(), 1'000U);
    faulty.run();
    EXPECT_EQ(faulty.sink.sent.size(), 1'000U);
    EXPECT_FALSE(std::ranges::is_sorted(faulty.sink.sent));
}

TEST(FaultyTransport, PassesNothingOnThatIsCorrupt) {
    Faulty faulty({.corrupt = 1});
    faulty.send(500);
    EXPECT_TRUE(faulty.sink.sent.empty());
    EXPECT_EQ(faulty.transport.counters().corrupt, 500U);
}

TEST(FaultyTransport, DisconnectsAndComesBack) {
    Faulty faulty({.disconnecting = 1});
    faulty.send(3);
    EXPECT_TRUE(faulty.sink.sent.empty());
    EXPECT_TRUE(faulty.transport.peers().empty());
    EXPECT_TRUE(faulty.seen.gone.empty()) << "not from within the call";
    faulty.transport.events().on_message(faulty.sink.peer, numbered(9));
    EXPECT_TRUE(faulty.seen.messages.empty()) << "neither way";
    faulty.run();
    ASSERT_EQ(faulty.seen.gone.size(), 1U);
    EXPECT_EQ(faulty.seen.gone.front().second, Fate::silent);
    EXPECT_EQ(faulty.seen.met.size(), 1U);
    EXPECT_EQ(faulty.transport.peers().size(), 1U);
    faulty.transport.faults({});
    faulty.send(1);
    EXPECT_EQ(faulty.sink.sent.size(), 1U);
}

TEST(FaultyTransport, DoesTheSameForTheSameSeed) {
    const auto sent = [](std::uint64_t seed) {
        Faulty faulty({.dropped = 0.3, .doubled = 0.3, .late = 0.3}, seed);
        faulty.send(300);
        faulty.run();
        return faulty.sink.sent;
    };
    EXPECT_EQ(sent(7), sent(7));
    EXPECT_NE(sent(7), sent(8));
}

} // namespace
} // namespace ic::testing_transport
