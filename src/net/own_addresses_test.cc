#include "base/unique_fd.h"
#include "net/address.h"
#include "net/own_addresses.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

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

TEST(IsListenedAt, TellsWhetherSomebodyDoes) {
    const Result<std::uint16_t> port = free_port();
    ASSERT_TRUE(port);
    EXPECT_FALSE(is_listened_at(*port));
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(*port);
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(socket.get(), 1), 0);
    EXPECT_TRUE(is_listened_at(*port));
}

} // namespace
} // namespace ic::net
