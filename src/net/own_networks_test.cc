#include "net/own_networks.h"

#include <gtest/gtest.h>

namespace ic::net {
namespace {

Address address(const char* text) { return Address::parse(text).take(); }

const std::vector<OwnNetwork> home{{address("192.168.7.20"), 96 + 24},
                                   {address("fd12:3456::20"), 64}};

TEST(OwnNetworks, OrdinaryAddressesMayBeNamed) {
    for (const char* text : {"1.1.1.1", "8.8.8.8", "2606:4700::1111"}) {
        EXPECT_TRUE(may_be_named(address(text), {})) << text;
    }
}

TEST(OwnNetworks, PrivateOnesOnlyOfTheMachinesOwnNetworks) {
    for (const char* text : {"192.168.7.1", "192.168.7.255", "fd12:3456::1"}) {
        EXPECT_TRUE(may_be_named(address(text), home)) << text;
        EXPECT_FALSE(may_be_named(address(text), {})) << text;
    }
    for (const char* text : {"192.168.8.1", "10.0.0.1", "172.16.0.1", "fd12:3457::1"}) {
        EXPECT_FALSE(may_be_named(address(text), home)) << text;
    }
}

TEST(OwnNetworks, NothingElseThatIsSpecialMayBe) {
    // As if the machine were on all networks there are.
    const std::vector<OwnNetwork> all{{address("10.0.0.1"), 96}, {address("fd00::1"), 0}};
    for (const char* text : {"127.0.0.1",
                             "127.8.8.8",
                             "0.0.0.0",
                             "169.254.169.254",
                             "224.0.0.1",
                             "255.255.255.255",
                             "192.0.2.1",
                             "::1",
                             "::",
                             "fe80::1",
                             "ff02::1",
                             "64:ff9b::7f00:1"}) {
        EXPECT_FALSE(may_be_named(address(text), all)) << text;
    }
    EXPECT_TRUE(may_be_named(address("10.9.9.9"), all));
}

TEST(OwnNetworks, TheKernelsAreNeitherLoopbackNorLinkLocal) {
    for (const OwnNetwork& network : own_networks()) {
        EXPECT_TRUE(network.contains(network.address));
        EXPECT_NE(network.address, address("127.0.0.1"));
        EXPECT_LE(network.prefix_bits, 128);
    }
}

} // namespace
} // namespace ic::net
