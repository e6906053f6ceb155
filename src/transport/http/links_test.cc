#include "base/time.h"
#include "session/testing/nodes.h"
#include "transport/http/links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>

namespace ic::transport {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;

/// A node and what has happened to it.
struct Node {
    net::EventLoop& loop;
    PrivateKey key;
    job::Instance instance;
    std::vector<PublicKey> trusted;
    std::unique_ptr<Links> links;
    std::vector<Peer> met;
    std::vector<Peer> gone;
    std::vector<std::pair<Peer, job::Message>> messages;
    std::vector<std::string> notes;
    std::vector<std::pair<job::Message, Delivery>> back;

    Node(net::EventLoop& on, std::uint8_t n, const std::function<void(LinksOptions&)>& change = {})
        : loop(on)
        , key(session::testing::key_of(n))
        , instance(session::testing::instance_of(n)) {
        LinksOptions options;
        options.self = {.instance = instance,
                        .key = &key,
                        .name = "node " + std::to_string(n),
                        .software = "test"};
        options.listen = "127.0.0.1:0";
        options.is_trusted = [this](const PublicKey& other) {
            return std::ranges::find(trusted, other) != trusted.end();
        };
        options.entropy = [n, count = std::uint8_t{0}]() mutable {
            return session::testing::entropy_of(static_cast<std::uint8_t>(n * 16 + count++));
        };
        options.redial_first = 50ms;
        options.undelivered =
            [this](const job::Instance&, job::Message message, Delivery delivery) {
                back.emplace_back(std::move(message), delivery);
            };
        options.note = {log::Level::debug,
                        [this](const log::Entry& entry) { notes.emplace_back(entry.message); }};
        if (change) {
            change(options);
        }
        links = Links::open(loop, std::move(options)).take();
        Events events;
        events.on_peer = [this](const Peer& peer) { met.push_back(peer); };
        events.on_gone = [this](const Peer& peer, Fate fate) {
            EXPECT_EQ(fate, Fate::silent);
            gone.push_back(peer);
        };
        events.on_message = [this](const Peer& peer, job::Message message) {
            messages.emplace_back(peer, std::move(message));
        };
        links->start(std::move(events));
    }

    std::string url() const { return "http://127.0.0.1:" + std::to_string(links->port()); }

    Contact contact() const {
        return {.instance = instance, .key = key.public_key(), .at = {url()}};
    }
};

class LinksTest : public ::testing::Test {
protected:
    std::unique_ptr<net::EventLoop> loop = net::EventLoop::open().take();

    /// Runs the loop until it holds, or for ten seconds.
    bool wait_for(const std::function<bool()>& holds) {
        const Instant end = now_since_boot() + 10s;
        while (!holds() && now_since_boot() < end) {
            loop->run_for(5ms);
        }
        return holds();
    }

    static void trust(Node& left, Node& right) {
        left.trusted.push_back(right.key.public_key());
        right.trusted.push_back(left.key.public_key());
    }
};

job::Message query(std::uint8_t n) {
    return job::OpenJobsQuery{.asker = session::testing::instance_of(n)};
}

TEST_F(LinksTest, CarryWhatIsSentToAKnownContact) {
    Node a(*loop, 1);
    Node b(*loop, 2);
    trust(a, b);
    a.links->learn(b.contact());
    a.links->send(b.instance, query(1));
    a.links->send(b.instance, query(2));
    ASSERT_TRUE(wait_for([&] { return b.messages.size() == 2; }));
    EXPECT_EQ(b.messages[0].second, query(1));
    EXPECT_EQ(b.messages[1].second, query(2));
    EXPECT_EQ(b.messages[0].first.instance, a.instance);
    EXPECT_EQ(b.messages[0].first.key, a.key.public_key());
    EXPECT_FALSE(b.messages[0].first.same_user);
    ASSERT_EQ(a.met.size(), 1U);
    ASSERT_EQ(b.met.size(), 1U);
    // The other way needs no contact: there is the link.
    b.links->send(a.instance, query(3));
    ASSERT_TRUE(wait_for([&] { return a.messages.size() == 1; }));
    EXPECT_EQ(a.messages[0].second, query(3));
}

TEST_F(LinksTest, CarryTheLargestMessage) {
    Node a(*loop, 1);
    Node b(*loop, 2);
    trust(a, b);
    a.links->learn(b.contact());
    const job::Message large = job::Submit{.invocation = Bytes(65'536, 7)};
    a.links->send(b.instance, large);
    ASSERT_TRUE(wait_for([&] { return b.messages.size() == 1; }));
    EXPECT_EQ(b.messages[0].second, large);
}

TEST_F(LinksTest, AreOnePerPairWhenBothDialAtOnce) {
    for (std::uint8_t round = 0; round < 10; ++round) {
        Node a(*loop, 1);
        Node b(*loop, 2);
        trust(a, b);
        a.links->learn(b.contact());
        b.links->learn(a.contact());
        a.links->send(b.instance, query(1));
        b.links->send(a.instance, query(2));
        ASSERT_TRUE(wait_for([&] { return a.links->has(b.instance) && b.links->has(a.instance); }));
        loop->run_for(50ms);
        // Whichever went, what is sent now arrives once.
        a.messages.clear();
        b.messages.clear();
        a.links->send(b.instance, query(3));
        b.links->send(a.instance, query(4));
        ASSERT_TRUE(wait_for([&] { return !a.messages.empty() && !b.messages.empty(); }));
        loop->run_for(20ms);
        EXPECT_EQ(a.messages.size(), 1U);
        EXPECT_EQ(b.messages.size(), 1U);
        EXPECT_EQ(a.met.size() - a.gone.size(), 1U);
        EXPECT_EQ(b.met.size() - b.gone.size(), 1U);
    }
}

TEST_F(LinksTest, LetNobodyInWhoseKeyIsNotTrusted) {
    Node a(*loop, 1);
    Node b(*loop, 2);
    a.trusted.push_back(b.key.public_key());
    a.links->learn(b.contact());
    a.links->send(b.instance, query(1));
    ASSERT_TRUE(wait_for([&] { return !b.notes.empty() && a.gone.size() == a.met.size(); }));
    EXPECT_THAT(b.notes, Contains(HasSubstr(a.key.public_key().to_did())));
    EXPECT_TRUE(b.met.empty());
    EXPECT_TRUE(b.messages.empty());
}

TEST_F(LinksTest, CloseToThoseWhoAreTrustedNoLonger) {
    Node a(*loop, 1);
    Node b(*loop, 2);
    Node c(*loop, 3);
    trust(a, b);
    trust(a, c);
    for (Node* other : {&b, &c}) {
        other->links->learn(a.contact());
        other->links->send(a.instance, query(1));
    }
    ASSERT_TRUE(wait_for([&] { return a.met.size() == 2; }));
    std::erase(a.trusted, b.key.public_key());
    a.links->drop_untrusted();
    ASSERT_TRUE(wait_for([&] { return a.gone.size() == 1 && b.gone.size() == 1; }));
    EXPECT_EQ(a.gone[0].instance, b.instance);
    EXPECT_TRUE(a.links->has(c.instance));
    // Nor is it let in again.
    ASSERT_TRUE(wait_for([&] { return !b.links->is_out_of_reach(a.instance); }));
    b.links->send(a.instance, query(2));
    ASSERT_TRUE(wait_for([&] { return !a.notes.empty(); }));
    EXPECT_THAT(a.notes, Contains(HasSubstr("not trusted here")));
    EXPECT_FALSE(a.links->has(b.instance));
}

TEST_F(LinksTest, SpeakToNobodyElseAtAnAddress) {
    Node a(*loop, 1);
    Node b(*loop, 2);
    Node c(*loop, 3);
    trust(a, b);
    trust(a, c);
    Contact wrong = b.contact();
    wrong.at = c.contact().at;
    a.links->learn(wrong);
    a.links->send(b.instance, query(1));
    ASSERT_TRUE(wait_for([&] { return !a.notes.empty(); }));
    EXPECT_TRUE(c.messages.empty());
    EXPECT_TRUE(a.met.empty());
}

TEST_F(LinksTest, TryTheNextAddress) {
    Node a(*loop, 1);
    Node b(*loop, 2);
    trust(a, b);
    Contact contact = b.contact();
    contact.at.insert(contact.at.begin(), {"http://127.0.0.1:1", "/p2p/unknown", "http://[::1"});
    a.links->learn(contact);
    a.links->send(b.instance, query(1));
    ASSERT_TRUE(wait_for([&] { return b.messages.size() == 1; }));
}

TEST_F(LinksTest, AskWhereAnAddressThatIsNoUrlIs) {
    std::string asked;
    std::string answer;
    Node b(*loop, 2);
    answer = b.url();
    Node a(*loop, 1, [&](LinksOptions& options) {
        options.resolve = [&](const std::string& address,
                              const std::function<void(Result<std::string>)>& done) {
            asked = address;
            loop->after(10ms, [done, &answer] { done(answer); });
        };
    });
    trust(a, b);
    Contact contact = b.contact();
    contact.at = {"/p2p/12D3"};
    a.links->learn(contact);
    a.links->send(b.instance, query(1));
    ASSERT_TRUE(wait_for([&] { return b.messages.size() == 1; }));
    EXPECT_EQ(asked, "/p2p/12D3");
}

TEST_F(LinksTest, PauseAfterAFailureUntilThereIsNews) {
    Node a(*loop, 1, [](LinksOptions& options) { options.redial_first = 1h; });
    Contact nowhere{.instance = session::testing::instance_of(2),
                    .key = session::testing::key_of(2).public_key(),
                    .at = {"http://127.0.0.1:1"}};
    a.links->learn(nowhere);
    a.links->send(nowhere.instance, query(1));
    ASSERT_TRUE(wait_for([&] { return !a.notes.empty(); }));
    EXPECT_TRUE(a.links->is_out_of_reach(nowhere.instance));
    a.links->learn(nowhere); // Nothing new.
    a.links->send(nowhere.instance, query(1));
    loop->run_for(50ms);
    EXPECT_EQ(a.notes.size(), 1U);
    Node b(*loop, 2);
    trust(a, b);
    a.links->learn(b.contact());
    EXPECT_FALSE(a.links->is_out_of_reach(b.instance));
    a.links->send(b.instance, query(2));
    ASSERT_TRUE(wait_for([&] { return b.messages.size() == 1; }));
    EXPECT_EQ(b.messages[0].second, query(2));
    EXPECT_TRUE(a.links->is_out_of_reach(session::testing::instance_of(9)));
}

TEST_F(LinksTest, AreSilentWhenTheOtherGoes) {
    Node a(*loop, 1);
    auto b = std::make_unique<Node>(*loop, 2);
    trust(a, *b);
    const job::Instance instance = b->instance;
    a.links->learn(b->contact());
    a.links->send(instance, query(1));
    ASSERT_TRUE(wait_for([&] { return b->messages.size() == 1; }));
    b.reset();
    ASSERT_TRUE(wait_for([&] { return a.gone.size() == 1; }));
    EXPECT_EQ(a.gone[0].instance, instance);
    EXPECT_FALSE(a.links->has(instance));
}

TEST_F(LinksTest, CloseWhenNothingIsSaidForLong) {
    const auto short_idle = [](LinksOptions& options) { options.idle_max = 80ms; };
    Node a(*loop, 1, short_idle);
    Node b(*loop, 2);
    trust(a, b);
    a.links->learn(b.contact());
    a.links->send(b.instance, query(1));
    ASSERT_TRUE(wait_for([&] { return a.gone.size() == 1 && b.gone.size() == 1; }));
    a.links->send(b.instance, query(2));
    ASSERT_TRUE(wait_for([&] { return b.messages.size() == 2; }));
}

TEST_F(LinksTest, TakeNoMoreThanTheirBound) {
    Node a(*loop, 1, [](LinksOptions& options) { options.links_max = 1; });
    Node b(*loop, 2);
    Node c(*loop, 3, [](LinksOptions& options) { options.redial_first = 1h; });
    trust(a, b);
    trust(a, c);
    b.links->learn(a.contact());
    b.links->send(a.instance, query(2));
    ASSERT_TRUE(wait_for([&] { return a.messages.size() == 1; }));
    c.links->learn(a.contact());
    c.links->send(a.instance, query(3));
    ASSERT_TRUE(wait_for([&] { return !a.notes.empty(); }));
    EXPECT_EQ(a.met.size(), 1U);
    EXPECT_EQ(a.messages.size(), 1U);
    // Whom they do not take goes another way, as if there were nobody.
    ASSERT_TRUE(wait_for([&] { return !c.back.empty(); }));
    EXPECT_EQ(c.back[0], (std::pair{query(3), Delivery::unknown}));
    EXPECT_TRUE(c.links->is_out_of_reach(a.instance));
}

TEST_F(LinksTest, AreTriedLessAndLessOftenWhereTheyAreRefused) {
    Node a(*loop, 1, [](LinksOptions& options) { options.redial_longest = 1h; });
    Node b(*loop, 2);
    a.trusted.push_back(b.key.public_key());
    a.links->learn(b.contact());
    const auto refused = [&](std::size_t times) {
        a.links->send(b.instance, query(1));
        return wait_for([&] { return a.back.size() == times && a.gone.size() == times; });
    };
    ASSERT_TRUE(refused(1));
    ASSERT_TRUE(wait_for([&] { return !a.links->is_out_of_reach(b.instance); }));
    const Instant since = now_since_boot();
    ASSERT_TRUE(refused(2));
    ASSERT_TRUE(wait_for([&] { return !a.links->is_out_of_reach(b.instance); }));
    EXPECT_GE(now_since_boot() - since, 100ms) << "twice as long";
    trust(a, b);
    a.links->send(b.instance, query(2));
    ASSERT_TRUE(wait_for([&] { return b.messages.size() == 1; }));
}

TEST_F(LinksTest, AreNotRefusedOnceSomethingCame) {
    Node a(*loop, 1, [](LinksOptions& options) { options.redial_first = 1h; });
    auto b = std::make_unique<Node>(*loop, 2);
    trust(a, *b);
    const job::Instance instance = b->instance;
    a.links->learn(b->contact());
    a.links->send(instance, query(1));
    ASSERT_TRUE(wait_for([&] { return b->messages.size() == 1; }));
    b->links->send(a.instance, query(2));
    ASSERT_TRUE(wait_for([&] { return a.messages.size() == 1; }));
    b.reset();
    ASSERT_TRUE(wait_for([&] { return a.gone.size() == 1; }));
    loop->run_for(5ms);
    EXPECT_FALSE(a.links->is_out_of_reach(instance));
    EXPECT_TRUE(a.back.empty());
}

TEST_F(LinksTest, QueueNoMoreThanTheirBound) {
    Node a(*loop, 1);
    Node b(*loop, 2);
    trust(a, b);
    a.links->learn(b.contact());
    const job::Message large = job::Submit{.invocation = Bytes(60'000, 7)};
    const std::size_t fit = limits::contact_queue_bytes_max / job::encode(large).size();
    for (std::size_t n = 0; n < fit + 3; ++n) {
        a.links->send(b.instance, large);
    }
    ASSERT_TRUE(wait_for([&] { return b.messages.size() == fit; }));
    loop->run_for(30ms);
    EXPECT_EQ(b.messages.size(), fit);
}

TEST_F(LinksTest, ForgetTheContactHeardOfLongestAgo) {
    Node a(*loop, 1, [](LinksOptions& options) { options.contacts_max = 2; });
    for (std::uint8_t n = 2; n < 5; ++n) {
        a.links->learn({.instance = session::testing::instance_of(n), .key = {}, .at = {}});
    }
    EXPECT_FALSE(a.links->knows(session::testing::instance_of(2)));
    EXPECT_TRUE(a.links->knows(session::testing::instance_of(3)));
    EXPECT_TRUE(a.links->knows(session::testing::instance_of(4)));
}

TEST_F(LinksTest, AnnounceToAllPeers) {
    Node a(*loop, 1);
    Node b(*loop, 2);
    Node c(*loop, 3);
    for (Node* other : {&b, &c}) {
        trust(a, *other);
        a.links->learn(other->contact());
        a.links->send(other->instance, query(1));
    }
    ASSERT_TRUE(wait_for([&] { return a.links->peers().size() == 2; }));
    a.links->announce(query(9));
    ASSERT_TRUE(wait_for([&] { return b.messages.size() == 2 && c.messages.size() == 2; }));
}

TEST_F(LinksTest, GiveBackInOrderWhatWaitedForAContactThatCannotBeReached) {
    std::vector<std::pair<job::Instance, job::Message>> back;
    Node a(*loop, 1, [&back](LinksOptions& options) {
        options.undelivered = [&back](const job::Instance& to, job::Message message, Delivery) {
            back.emplace_back(to, std::move(message));
        };
    });
    const job::Instance nobody = session::testing::instance_of(2);
    const PublicKey key = session::testing::key_of(2).public_key();
    a.links->learn({.instance = nobody, .key = key, .at = {"http://127.0.0.1:1"}});
    EXPECT_FALSE(a.links->is_out_of_reach(nobody)) << "that is found out";
    a.links->send(nobody, query(1));
    a.links->send(nobody, query(2));
    ASSERT_TRUE(wait_for([&] { return back.size() == 2; }));
    EXPECT_EQ(back[0], (std::pair{nobody, query(1)}));
    EXPECT_EQ(back[1], (std::pair{nobody, query(2)}));
    EXPECT_TRUE(a.links->is_out_of_reach(nobody));
}

TEST_F(LinksTest, KnowAContactWithoutAnAddressToBeOutOfReach) {
    Node a(*loop, 1);
    const job::Instance mute = session::testing::instance_of(2);
    const PublicKey key = session::testing::key_of(2).public_key();
    a.links->learn({.instance = mute, .key = key, .at = {}});
    EXPECT_TRUE(a.links->is_out_of_reach(mute));
}

} // namespace
} // namespace ic::transport
