#include "net/testing/http_test_server.h"
#include "wiring/providers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace ic::wiring {
namespace {

using net::testing::answer_of;
using net::testing::HttpTestServer;
using net::testing::SeenRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string peer = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
const std::string other = "12D3KooWDcV7TfY3Y1bWcGVvmz6YaHrGxuJXtnFDRQjGjS4CBs7C";

std::string at(const std::string& place, const std::string& who = peer) {
    return place + "/p2p/" + who;
}

TEST(Providers, SaysCompleteAddressesThatAreNotLoopback) {
    kubo::NodeId node;
    node.peer_id = peer;
    node.addresses = {"/ip4/127.0.0.1/tcp/4001",
                      "/ip6/::1/tcp/4001",
                      "/ip4/10.0.0.7/tcp/4001",
                      at("/ip4/8.8.8.8/udp/4001/quic-v1"),
                      "/ip4/8.8.8.8/tcp/4001/tls/sni/x.libp2p.direct/ws",
                      "/dns4/example.org/tcp/4001"};
    EXPECT_THAT(provider_addresses(node),
                ElementsAre(at("/ip4/10.0.0.7/tcp/4001"), at("/ip4/8.8.8.8/udp/4001/quic-v1")));
    node.addresses.assign(100, "/ip4/8.8.8.8/tcp/4001");
    EXPECT_EQ(provider_addresses(node).size(), 8U);
}

TEST(Providers, DialsNoPlaceThatIsThisMachinesOwnBusiness) {
    const std::vector<net::OwnNetwork> home{{net::Address::parse("192.168.7.20").take(), 96 + 24}};
    const std::vector<std::string> named{at("/ip4/127.0.0.1/tcp/5001"),
                                         at("/ip6/::1/tcp/5001"),
                                         at("/ip4/169.254.169.254/tcp/80"),
                                         at("/ip4/0.0.0.0/tcp/22"),
                                         at("/ip4/10.1.2.3/tcp/22"),
                                         at("/ip6/::ffff:127.0.0.1/tcp/22"),
                                         at("/ip6/fe80::1/tcp/22"),
                                         "/dns4/localhost/tcp/22/p2p/" + peer,
                                         "no address"};
    EXPECT_THAT(dialable(named, home), IsEmpty());
    const std::vector<std::string> fine{at("/ip4/192.168.7.1/tcp/4001"),
                                        at("/ip4/8.8.8.8/tcp/4001")};
    EXPECT_THAT(dialable(fine, home), ElementsAre(fine[0], fine[1]));
    EXPECT_THAT(dialable(fine, {}), ElementsAre(fine[1]));
}

TEST(Providers, DialsOnePeerAlone) {
    const std::vector<std::string> named{at("/ip4/8.8.8.8/tcp/4001"),
                                         at("/ip4/9.9.9.9/tcp/4001", other)};
    EXPECT_THAT(dialable(named, {}), ElementsAre(named[0]));
}

TEST(Providers, AsksAKuboSoonAgainThatDidNotAnswer) {
    std::atomic<bool> is_there{false};
    HttpTestServer server([&](const SeenRequest&) {
        return is_there
                   ? answer_of(200,
                               "",
                               R"({"ID":")" + peer + R"(","Addresses":["/ip4/8.8.8.8/tcp/4001"]})")
                   : answer_of(503, "", "starting");
    });
    kubo::RpcOptions options;
    options.address = server.url("");
    options.retry.attempts_max = 1;
    const std::shared_ptr<kubo::Rpc> rpc = std::move(kubo::Rpc::open(options)).take();
    Providers providers([rpc]() -> Result<std::shared_ptr<kubo::Rpc>> { return rpc; });
    EXPECT_THAT(providers.own(), IsEmpty());
    is_there = true;
    EXPECT_THAT(providers.own(), IsEmpty()) << "it is not asked for each job";
    const Instant end = now_since_boot() + limits::own_providers_remembered / 2;
    while (providers.own().empty() && now_since_boot() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_THAT(providers.own(), ElementsAre(at("/ip4/8.8.8.8/tcp/4001")));
}

TEST(Providers, AsksItsKuboOnceForAWhile) {
    HttpTestServer server([](const SeenRequest& request) {
        return answer_of(200,
                         "",
                         request.line().find("/id?") != std::string::npos ||
                                 request.line().find("/id ") != std::string::npos
                             ? R"({"ID":")" + peer + R"(","Addresses":["/ip4/8.8.8.8/tcp/4001"]})"
                             : R"({"Strings":["connect success"]})");
    });
    kubo::RpcOptions options;
    options.address = server.url("");
    const std::shared_ptr<kubo::Rpc> rpc = std::move(kubo::Rpc::open(options)).take();
    Providers providers([rpc]() -> Result<std::shared_ptr<kubo::Rpc>> { return rpc; });
    EXPECT_THAT(providers.own(), ElementsAre(at("/ip4/8.8.8.8/tcp/4001")));
    EXPECT_THAT(providers.own(), ElementsAre(at("/ip4/8.8.8.8/tcp/4001")));
    EXPECT_EQ(server.requests().size(), 1U);

    const std::vector<std::string> named{at("/ip4/9.9.9.9/tcp/1", other),
                                         at("/ip4/9.9.9.9/udp/1/quic-v1", other)};
    providers.dial(named, {});
    providers.dial(named, {});
    providers.dial(std::vector<std::string>{at("/ip4/127.0.0.1/tcp/1")}, {});
    ASSERT_EQ(server.requests().size(), 2U) << "one call, and not again so soon";
    const std::string line = server.requests()[1].line();
    EXPECT_THAT(line, HasSubstr("swarm/connect?arg=%2Fip4%2F9.9.9.9%2Ftcp%2F1%2Fp2p%2F" + other));
    EXPECT_THAT(line, HasSubstr("&arg=%2Fip4%2F9.9.9.9%2Fudp%2F1%2Fquic-v1%2Fp2p%2F" + other));
    EXPECT_THAT(line, HasSubstr("&timeout=3000ms"));
    EXPECT_EQ(providers.dials(), 1U);
}

} // namespace
} // namespace ic::wiring
