#include "job/provider.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ic::job {
namespace {

const std::string peer = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
const std::string relay = "QmcZf59bWwK5XFi76CZX8cbJ4BhTzzA3gU1ZjYZcYW3dwt";

TEST(Provider, ReadsTheAddressesThatAreDialled) {
    const Provider tcp = Provider::parse("/ip4/192.0.2.7/tcp/4001/p2p/" + peer).take();
    EXPECT_EQ(tcp.ip, "192.0.2.7");
    EXPECT_EQ(tcp.port, 4001);
    EXPECT_EQ(tcp.peer, peer);
    EXPECT_FALSE(tcp.is_ip6 || tcp.relay);
    const Provider quic = Provider::parse("/ip6/2001:db8::7/udp/4001/quic-v1/p2p/" + peer).take();
    EXPECT_TRUE(quic.is_ip6);
    EXPECT_EQ(quic.transport, Provider::Transport::quic);
    const Provider relayed =
        Provider::parse("/ip4/192.0.2.7/tcp/1/p2p/" + relay + "/p2p-circuit/p2p/" + peer).take();
    EXPECT_EQ(relayed.relay, relay);
    EXPECT_EQ(relayed.peer, peer);
}

TEST(Provider, IsWrittenAsItWasRead) {
    for (const std::string& text :
         {"/ip4/0.0.0.0/tcp/65535/p2p/" + peer,
          "/ip6/::1/udp/1/quic-v1/p2p/" + relay,
          "/ip4/1.2.3.4/udp/4001/quic-v1/p2p/" + relay + "/p2p-circuit/p2p/" + peer}) {
        EXPECT_EQ(Provider::parse(text)->to_string(), text);
    }
}

TEST(Provider, RefusesWhatIsNoSuchAddress) {
    for (const std::string& text : {std::string(),
                                    std::string("/ip4"),
                                    "ip4/1.2.3.4/tcp/1/p2p/" + peer,
                                    "/ip4/1.2.3/tcp/1/p2p/" + peer,
                                    "/ip4/1.2.3.4.5/tcp/1/p2p/" + peer,
                                    "/ip4/1.2.3.256/tcp/1/p2p/" + peer,
                                    "/ip4/1.2.3.04/tcp/1/p2p/" + peer,
                                    "/ip4/0x7f.0.0.1/tcp/1/p2p/" + peer,
                                    "/ip4/::1/tcp/1/p2p/" + peer,
                                    "/ip6/1.2.3.4/tcp/1/p2p/" + peer,
                                    "/ip6/fe80::1%eth0/tcp/1/p2p/" + peer,
                                    "/ip4/1.2.3.4/tcp/0/p2p/" + peer,
                                    "/ip4/1.2.3.4/tcp/01/p2p/" + peer,
                                    "/ip4/1.2.3.4/tcp/65536/p2p/" + peer,
                                    std::string("/ip4/1.2.3.4/tcp/1"),
                                    std::string("/ip4/1.2.3.4/tcp/1/p2p/"),
                                    "/ip4/1.2.3.4/tcp/1/p2p/" + peer + "/",
                                    "/ip4/1.2.3.4/tcp/1/p2p/" + peer + " ",
                                    "/ip4/1.2.3.4/tcp/1/p2p/" + peer.substr(0, 45),
                                    "/ip4/1.2.3.4/tcp/1/p2p/0" + peer.substr(1),
                                    "/ip4/1.2.3.4/tcp/1/p2p/" + peer + "/p2p-circuit",
                                    "/ip4/1.2.3.4/tcp/1/p2p/" + peer + "/p2p/" + relay}) {
        EXPECT_EQ(Provider::parse(text).error().code, Errc::malformed) << text;
    }
}

TEST(Provider, RefusesNamesAndOtherTransports) {
    for (const std::string& text : {"/dns4/localhost/tcp/1/p2p/" + peer,
                                    "/dnsaddr/bootstrap.example/p2p/" + peer,
                                    "/unix/run/x/p2p/" + peer,
                                    "/ip4/1.2.3.4/udp/1/p2p/" + peer,
                                    "/ip4/1.2.3.4/udp/1/quic/p2p/" + peer,
                                    "/ip4/1.2.3.4/sctp/1/p2p/" + peer}) {
        EXPECT_EQ(Provider::parse(text).error().code, Errc::unsupported) << text;
    }
}

TEST(Provider, RefusesOneByteAndOneAddressPastTheLimit) {
    const std::string longest = "/ip4/1.2.3.4/tcp/1/p2p/" + peer;
    EXPECT_TRUE(Provider::parse(longest).ok());
    EXPECT_EQ(Provider::parse(std::string(limits::provider_bytes_max, '/')).error().code,
              Errc::unsupported);
    EXPECT_EQ(Provider::parse(std::string(limits::provider_bytes_max + 1, '/')).error().code,
              Errc::too_large);
    std::vector<std::string> many(limits::providers_max, longest);
    EXPECT_TRUE(check_providers(many).ok());
    many.push_back(longest);
    EXPECT_EQ(check_providers(many).error().code, Errc::too_large);
    EXPECT_EQ(check_providers(std::vector<std::string>{"x"}).error().code, Errc::malformed);
}

} // namespace
} // namespace ic::job
