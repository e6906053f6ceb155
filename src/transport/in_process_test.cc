#include "transport/in_process.h"

#include <gtest/gtest.h>

#include <deque>

namespace ic::transport {
namespace {

// Work that waits to be done.
struct Posted {
    std::deque<std::function<void()>> work;

    std::function<void(std::function<void()>)> post() {
        return [this](std::function<void()> one) { work.push_back(std::move(one)); };
    }

    void run() {
        while (!work.empty()) {
            const std::function<void()> one = std::move(work.front());
            work.pop_front();
            one();
        }
    }
};

Peer peer(std::uint8_t n, PeerKind kind = PeerKind::node) {
    Peer made;
    made.instance.bytes.fill(n);
    made.kind = kind;
    return made;
}

struct Seen {
    std::vector<job::Instance> met;
    std::vector<std::pair<job::Instance, Fate>> gone;
    std::vector<std::pair<job::Instance, job::Message>> messages;

    Events events() {
        return {.on_peer = [this](const Peer& who) { met.push_back(who.instance); },
                .on_gone = [this](const Peer& who,
                                  Fate fate) { gone.emplace_back(who.instance, fate); },
                .on_message =
                    [this](const Peer& who, job::Message message) {
                        messages.emplace_back(who.instance, std::move(message));
                    }};
    }
};

TEST(InProcessNetwork, NodesMeetAllAndClientsMeetNodes) {
    Posted posted;
    InProcessNetwork network{posted.post()};
    Seen one, two, first_client, second_client;
    const auto a = network.join(peer(1), one.events());
    const auto b = network.join(peer(2), two.events());
    const auto c = network.join(peer(8, PeerKind::client), first_client.events());
    const auto d = network.join(peer(9, PeerKind::client), second_client.events());
    EXPECT_TRUE(one.met.empty()) << "events come later, never from inside a call";
    posted.run();
    EXPECT_EQ(one.met.size(), 3U);
    EXPECT_EQ(two.met.size(), 3U);
    EXPECT_EQ(first_client.met.size(), 2U);
    EXPECT_EQ(d->peers().size(), 2U);
}

TEST(InProcessNetwork, DeliversToOneToAllNodesAndToOneself) {
    Posted posted;
    InProcessNetwork network{posted.post()};
    Seen one, two, client;
    const auto a = network.join(peer(1), one.events());
    const auto b = network.join(peer(2), two.events());
    const auto c = network.join(peer(9, PeerKind::client), client.events());
    const job::Message query = job::OpenJobsQuery{peer(1).instance};
    a->announce(query);
    a->send(peer(9).instance, query);
    a->send(peer(1).instance, query);
    a->send(peer(7).instance, query); // Nobody.
    posted.run();
    ASSERT_EQ(two.messages.size(), 1U);
    EXPECT_EQ(two.messages[0], std::pair(peer(1).instance, query));
    EXPECT_EQ(client.messages.size(), 1U);
    EXPECT_EQ(one.messages.size(), 1U);
}

TEST(InProcessNetwork, TellsWhoIsGoneAndDropsWhatWasUnderWay) {
    Posted posted;
    InProcessNetwork network{posted.post()};
    Seen one, two, client;
    const auto a = network.join(peer(1), one.events());
    auto b = network.join(peer(2), two.events());
    auto c = network.join(peer(9, PeerKind::client), client.events());
    posted.run();
    a->send(peer(2).instance, job::OpenJobsQuery{peer(1).instance});
    b.reset();
    c.reset();
    posted.run();
    EXPECT_TRUE(two.messages.empty());
    EXPECT_EQ(one.gone,
              (std::vector{std::pair(peer(2).instance, Fate::dead),
                           std::pair(peer(9).instance, Fate::silent)}));
    EXPECT_TRUE(a->peers().empty());
}

} // namespace
} // namespace ic::transport
