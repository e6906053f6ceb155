#include "transport/testing/contract.h"

#include "base/time.h"

#include <algorithm>
#include <utility>

namespace ic::testing_transport {

using namespace std::chrono_literals;

std::vector<MakeWorld> contract_on(MakeWorld make) { return {make}; }

Events Seen::events() {
    return {.on_peer =
                [this](const Peer& peer) {
                    was_entered |= calling;
                    met.push_back(peer);
                },
            .on_gone =
                [this](const Peer& peer, Fate fate) {
                    was_entered |= calling;
                    gone.emplace_back(peer, fate);
                },
            .on_message =
                [this](const Peer& peer, job::Message message) {
                    was_entered |= calling;
                    messages.emplace_back(peer, message);
                    if (reply) {
                        reply(peer, message);
                    }
                }};
}

void Member::send(const job::Instance& to, const job::Message& message) {
    seen.calling = true;
    way().send(to, message);
    seen.calling = false;
}

void Member::announce(const job::Message& message) {
    seen.calling = true;
    way().announce(message);
    seen.calling = false;
}

std::vector<Peer> Member::peers() {
    seen.calling = true;
    std::vector<Peer> all = way().peers();
    seen.calling = false;
    return all;
}

void World::stall(Member& /*member*/) { FAIL() << "nobody can be stalled here"; }

bool World::until(const std::function<bool()>& holds) {
    const Instant end = now_since_boot() + 60s;
    while (!holds()) {
        if (now_since_boot() >= end) {
            return false;
        }
        turn();
    }
    return true;
}

void World::settle() {
    const Instant end = now_since_boot() + 50ms;
    while (now_since_boot() < end) {
        turn();
    }
}

job::Message numbered(std::uint64_t number) {
    job::Renew renew;
    renew.sequence = number;
    return renew;
}

job::Message largest() {
    const Bytes name(ic::limits::cid_digest_bytes_max, 0x61);
    const job::LeaseRef lease{.job = Cid::v1(Codec::raw, HashCode::identity, name),
                              .epoch = {.incarnation = UINT64_MAX, .n = UINT64_MAX}};
    job::RenewAnswer answer;
    answer.renewed.assign(job::limits::leases_per_message_max, lease);
    return answer;
}

bool TransportContract::say_until(const std::function<void()>& say,
                                  const std::function<bool()>& holds) {
    say();
    if (!promises_.may_lose) {
        return world_->until(holds);
    }
    Instant again = now_since_boot() + 2s;
    return world_->until([&] {
        if (now_since_boot() >= again) {
            say();
            again = now_since_boot() + 2s;
        }
        return holds();
    });
}

std::vector<job::Message> TransportContract::heard(const Member& member) const {
    std::vector<job::Message> all;
    for (const auto& [peer, message] : member.seen.messages) {
        all.push_back(message);
    }
    return as_heard(std::move(all));
}

std::vector<job::Message> TransportContract::as_heard(std::vector<job::Message> said) const {
    if (promises_.may_lose) {
        std::ranges::sort(said, {}, &job::encode);
        const auto twice = std::ranges::unique(said);
        said.erase(twice.begin(), twice.end());
    }
    return said;
}

void TransportContract::introduce(Member& one, Member& other) {
    const auto know = [this, &one, &other] {
        const auto knows = [](Member& member, const Member& who) {
            return std::ranges::find(member.seen.met, who.self().instance, &Peer::instance) !=
                   member.seen.met.end();
        };
        return !promises_.has_peers || (knows(one, other) && knows(other, one));
    };
    if (promises_.meets_unasked) {
        ASSERT_TRUE(world_->until(know));
        return;
    }
    ASSERT_TRUE(say_until([&] { one.send(other.self().instance, numbered(0)); },
                          [&] { return know() && !other.seen.messages.empty(); }));
    world_->settle(); // Until what was said twice has come.
    other.seen.messages.clear();
}

namespace {

bool is_among(const std::vector<Peer>& peers, const job::Instance& instance) {
    return std::ranges::find(peers, instance, &Peer::instance) != peers.end();
}

} // namespace

TEST_P(TransportContract, CarriesMessagesBothWaysInTheirOrder) {
    const auto one = node(1);
    const auto two = node(2);
    introduce(*one, *two);
    std::vector<job::Message> said;
    for (std::uint64_t n = 1; n <= 200; ++n) {
        said.push_back(numbered(n));
    }
    ASSERT_TRUE(say_until(
        [&] {
            for (const job::Message& message : said) {
                one->send(two->self().instance, message);
            }
        },
        [&] { return heard(*two).size() >= said.size(); }));
    EXPECT_EQ(heard(*two), as_heard(said));
    ASSERT_TRUE(say_until([&] { two->send(one->self().instance, numbered(7)); },
                          [&] { return !one->seen.messages.empty(); }));
    EXPECT_EQ(heard(*one), std::vector{numbered(7)});
}

TEST_P(TransportContract, TellsOfEachMessageWhoseItIs) {
    const auto one = node(1);
    const auto two = node(2);
    introduce(*one, *two);
    ASSERT_TRUE(say_until([&] { one->send(two->self().instance, numbered(1)); },
                          [&] { return !two->seen.messages.empty(); }));
    const Peer& from = two->seen.messages.front().first;
    EXPECT_EQ(from.instance, one->self().instance);
    EXPECT_EQ(from.key, one->self().key);
    EXPECT_EQ(from.kind, PeerKind::node);
}

TEST_P(TransportContract, AnnouncesToAllNodesAndNotToItself) {
    const auto one = node(1);
    const auto two = node(2);
    const auto three = node(3);
    introduce(*one, *two);
    introduce(*one, *three);
    ASSERT_TRUE(
        say_until([&] { one->announce(numbered(5)); },
                  [&] { return !two->seen.messages.empty() && !three->seen.messages.empty(); }));
    world_->settle();
    EXPECT_EQ(heard(*two), std::vector{numbered(5)});
    EXPECT_EQ(heard(*three), std::vector{numbered(5)});
    EXPECT_TRUE(one->seen.messages.empty());
}

TEST_P(TransportContract, SendsToOneAndToNobodyElse) {
    const auto one = node(1);
    const auto two = node(2);
    const auto three = node(3);
    introduce(*one, *two);
    introduce(*one, *three);
    job::Instance nobody;
    nobody.bytes.fill(0x99);
    one->send(nobody, numbered(1)); // Is lost, and no mistake.
    ASSERT_TRUE(say_until([&] { one->send(two->self().instance, numbered(2)); },
                          [&] { return !two->seen.messages.empty(); }));
    world_->settle();
    EXPECT_EQ(heard(*two), std::vector{numbered(2)});
    EXPECT_TRUE(three->seen.messages.empty());
}

TEST_P(TransportContract, CarriesTheLargestMessageAndWhatFollows) {
    const auto one = node(1);
    const auto two = node(2);
    introduce(*one, *two);
    const job::Message large = largest();
    ASSERT_GT(job::encode(large).size(), 65'535U) << "more than a record of a session holds";
    ASSERT_TRUE(say_until(
        [&] {
            one->send(two->self().instance, large);
            one->announce(numbered(1));
        },
        [&] { return heard(*two).size() >= 2; }));
    EXPECT_EQ(heard(*two), as_heard({large, numbered(1)}));
    two->seen.messages.clear();
    ASSERT_TRUE(
        say_until([&] { one->announce(large); }, [&] { return !two->seen.messages.empty(); }));
    EXPECT_EQ(heard(*two), std::vector{large});
}

TEST_P(TransportContract, CallsBackFromTheLoopAlone) {
    const auto one = node(1);
    const auto two = node(2);
    introduce(*one, *two);
    const auto say = [&] {
        for (std::uint64_t n = 1; n <= 20; ++n) {
            one->send(two->self().instance, numbered(n));
            one->send(one->self().instance, numbered(n));
            one->announce(numbered(n + 20));
            static_cast<void>(one->peers());
        }
    };
    ASSERT_TRUE(say_until(say, [&] { return heard(*two).size() >= 40; }));
    EXPECT_FALSE(one->seen.was_entered);
    EXPECT_FALSE(two->seen.was_entered);
}

TEST_P(TransportContract, MayBeCalledFromItsEvents) {
    const auto one = node(1);
    const auto two = node(2);
    introduce(*one, *two);
    // Each answers what it hears with one less, as coordinators and workers do.
    constexpr std::uint64_t rounds = 50;
    bool is_over = false;
    const auto answer = [&is_over](Member& member) {
        return [&member, &is_over](const Peer& from, const job::Message& message) {
            const std::uint64_t left = std::get<job::Renew>(message).sequence;
            is_over = is_over || left == 1;
            if (left > 1) {
                member.send(from.instance, numbered(left - 1));
                static_cast<void>(member.peers());
            }
        };
    };
    one->seen.reply = answer(*one);
    two->seen.reply = answer(*two);
    EXPECT_TRUE(say_until([&] { one->send(two->self().instance, numbered(rounds)); },
                          [&] { return is_over; }));
    EXPECT_FALSE(one->seen.was_entered || two->seen.was_entered);
    one->seen.reply = two->seen.reply = nullptr;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PeersContract);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ClientsContract);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CutsOffContract);

// A promise without its tests would be worth nothing.
TEST_P(TransportContract, IsHeldToAllThatIsPromised) {
    const testing::UnitTest& all = *testing::UnitTest::GetInstance();
    const std::string own = all.current_test_info()->test_suite_name();
    const std::string prefix = own.substr(0, own.find('/') + 1);
    const auto is_there = [&](const std::string& suite) {
        for (int number = 0; number < all.total_test_suite_count(); ++number) {
            if (all.GetTestSuite(number)->name() == prefix + suite) {
                return true;
            }
        }
        return false;
    };
    EXPECT_EQ(is_there("PeersContract"), promises_.has_peers);
    EXPECT_EQ(is_there("ClientsContract"), promises_.has_clients);
    EXPECT_EQ(is_there("CutsOffContract"), promises_.cuts_off);
}

TEST_P(PeersContract, KnowsWhoIsThere) {
    const auto one = node(1);
    EXPECT_TRUE(one->peers().empty());
    const auto two = node(2);
    introduce(*one, *two);
    ASSERT_EQ(one->seen.met.size(), 1U);
    EXPECT_EQ(one->seen.met.front().instance, two->self().instance);
    EXPECT_EQ(one->seen.met.front().key, two->self().key);
    EXPECT_EQ(one->seen.met.front().kind, PeerKind::node);
    ASSERT_EQ(one->peers().size(), 1U);
    EXPECT_EQ(one->peers().front().instance, two->self().instance);
    EXPECT_FALSE(is_among(one->peers(), one->self().instance));
    EXPECT_TRUE(one->seen.gone.empty());
}

TEST_P(PeersContract, TellsWhoIsGoneAndHow) {
    const auto one = node(1);
    auto two = node(2);
    introduce(*one, *two);
    const job::Instance gone = two->self().instance;
    two.reset();
    const Fate last = promises_.tells_death ? Fate::dead : Fate::silent;
    ASSERT_TRUE(world_->until(
        [&] { return !one->seen.gone.empty() && one->seen.gone.back().second == last; }));
    world_->settle();
    EXPECT_EQ(one->seen.gone.back().first.instance, gone);
    EXPECT_EQ(one->seen.gone.back().second, last);
    // Silent, and then proven dead, is the most that can be said of one.
    EXPECT_LE(one->seen.gone.size(), promises_.tells_death ? 2U : 1U);
    EXPECT_FALSE(is_among(one->peers(), gone));
    one->send(gone, numbered(1)); // Is lost, and no mistake.
    world_->settle();
    EXPECT_FALSE(one->seen.was_entered);
}

TEST_P(TransportContract, MeetsWhoComesAfterAnotherWent) {
    const auto one = node(1);
    {
        const auto two = node(2);
        introduce(*one, *two);
    }
    if (promises_.has_peers) {
        ASSERT_TRUE(world_->until([&] { return !one->seen.gone.empty(); }));
    }
    const auto three = node(3);
    introduce(*one, *three);
    ASSERT_TRUE(say_until([&] { one->send(three->self().instance, numbered(3)); },
                          [&] { return !three->seen.messages.empty(); }));
    EXPECT_EQ(heard(*three), std::vector{numbered(3)});
}

TEST_P(CutsOffContract, CutsOffWhoDoesNotRead) {
    const auto one = node(1);
    const auto two = node(2);
    const auto three = node(3);
    introduce(*one, *two);
    introduce(*one, *three);
    world_->stall(*two);
    const job::Message large = largest();
    constexpr int most = 1'024; // 64 MiB: more than any queue and all buffers together.
    int sent = 0;
    for (; sent < most && one->seen.gone.empty(); ++sent) {
        one->send(two->self().instance, large);
        world_->turn();
    }
    ASSERT_TRUE(world_->until([&] { return !one->seen.gone.empty(); })) << sent << " sent";
    EXPECT_EQ(one->seen.gone.front().first.instance, two->self().instance);
    EXPECT_EQ(one->seen.gone.front().second, Fate::silent) << "it is not known to be dead";
    EXPECT_FALSE(is_among(one->peers(), two->self().instance));
    one->send(three->self().instance, numbered(1));
    ASSERT_TRUE(world_->until([&] { return !three->seen.messages.empty(); })) << "others go on";
}

TEST_P(ClientsContract, KeepsClientsApartFromNodes) {
    const auto one = node(1);
    const auto client = world_->join(8, PeerKind::client);
    const auto other = world_->join(9, PeerKind::client);
    ASSERT_TRUE(world_->until([&] {
        return one->seen.met.size() == 2 && !client->seen.met.empty() && !other->seen.met.empty();
    }));
    EXPECT_EQ(one->seen.met.front().kind, PeerKind::client);
    EXPECT_EQ(client->peers().size(), 1U) << "clients do not meet";
    one->announce(numbered(1)); // Not for clients.
    client->send(one->self().instance, numbered(2));
    ASSERT_TRUE(world_->until([&] { return !one->seen.messages.empty(); }));
    EXPECT_EQ(one->seen.messages.front().first.kind, PeerKind::client);
    one->send(client->self().instance, numbered(3));
    ASSERT_TRUE(world_->until([&] { return !client->seen.messages.empty(); }));
    world_->settle();
    EXPECT_EQ(heard(*client), std::vector{numbered(3)});
    EXPECT_TRUE(other->seen.messages.empty());
}

TEST_P(ClientsContract, ReportsAClientThatGoesAsSilent) {
    const auto one = node(1);
    auto client = world_->join(8, PeerKind::client);
    ASSERT_TRUE(world_->until([&] { return !one->seen.met.empty() && !client->seen.met.empty(); }));
    client.reset();
    ASSERT_TRUE(world_->until([&] { return !one->seen.gone.empty(); }));
    EXPECT_EQ(one->seen.gone.front().second, Fate::silent) << "nothing proves more";
    EXPECT_TRUE(one->peers().empty());
}

} // namespace ic::testing_transport
