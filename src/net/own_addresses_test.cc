#include "net/address.h"
#include "net/own_addresses.h"

#include <gtest/gtest.h>

#include <set>

namespace ic::net {
namespace {

TEST(OwnAddresses, AreSomeAndNoMoreThanAskedFor) {
    const std::vector<std::string> all = own_addresses(64);
    ASSERT_FALSE(all.empty());
    for (const std::string& address : all) {
        EXPECT_EQ(address.find('%'), std::string::npos) << address; // No zone: link-local.
        EXPECT_FALSE(address.starts_with("169.254.")) << address;
        EXPECT_FALSE(address.starts_with("[fe80:")) << address;
    }
    EXPECT_EQ(own_addresses(1).size(), 1U);
    EXPECT_TRUE(own_addresses(0).empty());
}

TEST(FreePort, IsOneAndAnotherEachTime) {
    std::set<std::uint16_t> ports;
    for (int time = 0; time < 3; ++time) {
        const Result<std::uint16_t> port = free_port();
        ASSERT_TRUE(port);
        EXPECT_NE(*port, 0);
        ports.insert(*port);
    }
    EXPECT_GT(ports.size(), 1U);
}

} // namespace
} // namespace ic::net
