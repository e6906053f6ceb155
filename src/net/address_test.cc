#include "net/address.h"

#include <gtest/gtest.h>

namespace ic::net {
namespace {

bool special(const char* text) {
    const Result<Address> address = Address::parse(text);
    EXPECT_TRUE(address) << text;
    return is_special(*address);
}

TEST(Address, FirstAndLastOfEverySpecialBlockAreSpecial) {
    // IANA special-purpose registries (IPv4 and IPv6), RFC 5771, RFC 1112, and what carries IPv4.
    for (const char* text : {"0.0.0.0",
                             "0.255.255.255",
                             "10.0.0.0",
                             "10.255.255.255",
                             "100.64.0.0",
                             "100.127.255.255",
                             "127.0.0.1",
                             "127.255.255.255",
                             "169.254.0.0",
                             "169.254.169.254",
                             "172.16.0.0",
                             "172.31.255.255",
                             "192.0.0.0",
                             "192.0.0.255",
                             "192.0.2.1",
                             "192.88.99.1",
                             "192.168.0.0",
                             "192.168.255.255",
                             "198.18.0.0",
                             "198.19.255.255",
                             "198.51.100.7",
                             "203.0.113.7",
                             "224.0.0.1",
                             "239.255.255.255",
                             "240.0.0.0",
                             "255.255.255.255",
                             "::",
                             "::1",
                             "::ffff:127.0.0.1",
                             "::ffff:10.0.0.1",
                             "::ffff:0:10.0.0.1",
                             "::10.0.0.1",
                             "::7f00:1",
                             "64:ff9b::10.0.0.1",
                             "64:ff9b:1::8.8.8.8",
                             "100::1",
                             "2001::1",
                             "2001:1ff::1",
                             "2001:0:808:808::",
                             "2002:7f00:1::",
                             "2002:a9fe:a9fe::1",
                             "2001:db8::1",
                             "3fff::1",
                             "3fff:fff::1",
                             "5f00::1",
                             "fc00::1",
                             "fdff::1",
                             "fe80::1",
                             "febf::1",
                             "fec0::1",
                             "feff::1",
                             "ff02::1"}) {
        EXPECT_TRUE(special(text)) << text;
    }
}

TEST(Address, NeighboursOfTheBlocksAreOrdinary) {
    for (const char* text : {"1.0.0.0",
                             "9.255.255.255",
                             "11.0.0.0",
                             "100.63.255.255",
                             "100.128.0.0",
                             "126.255.255.255",
                             "128.0.0.0",
                             "169.253.255.255",
                             "169.255.0.0",
                             "172.15.255.255",
                             "172.32.0.0",
                             "191.255.255.255",
                             "192.0.1.0",
                             "192.0.3.0",
                             "192.88.98.255",
                             "192.88.100.0",
                             "192.167.255.255",
                             "192.169.0.0",
                             "198.17.255.255",
                             "198.20.0.0",
                             "198.51.99.255",
                             "198.51.101.0",
                             "203.0.112.255",
                             "203.0.114.0",
                             "223.255.255.255",
                             "8.8.8.8",
                             "::ffff:8.8.8.8",
                             "64:ff9b::8.8.8.8",
                             "2002:808:808::1",
                             "2001:200::1",
                             "2606:4700:4700::1111",
                             "2a00::1",
                             "fbff::1",
                             "5eff::1",
                             "3ffe::1",
                             "2001:db7::1"}) {
        EXPECT_FALSE(special(text)) << text;
    }
}

TEST(Address, ParsesNothingButPlainText) {
    for (const char* text : {"",
                             "127.1",
                             "0177.0.0.1",
                             "0x7f.0.0.1",
                             "2130706433",
                             "127.0.0.1 ",
                             "[::1]",
                             "fe80::1%lo",
                             "::1/128",
                             "1.2.3.4.5",
                             "localhost"}) {
        EXPECT_FALSE(Address::parse(text)) << text;
    }
    using namespace std::string_view_literals;
    EXPECT_FALSE(Address::parse("1.2.3.4\0"sv));
    for (const char* text : {"1.2.3.4", "::1", "2001:db8::1"}) {
        EXPECT_EQ(Address::parse(text)->to_string(), text);
    }
}

TEST(OpenedAddress, OpensOneAddressAndItsPort) {
    const Address loopback = Address::v4(127, 0, 0, 1);
    const OpenedAddress all = *OpenedAddress::parse("127.0.0.1");
    EXPECT_TRUE(all.opens(loopback, 1) && all.opens(loopback, 65535));
    EXPECT_FALSE(all.opens(Address::v4(127, 0, 0, 2), 1));
    const OpenedAddress one = *OpenedAddress::parse("127.0.0.1:8080");
    EXPECT_TRUE(one.opens(loopback, 8080));
    EXPECT_FALSE(one.opens(loopback, 8081));
    EXPECT_EQ(OpenedAddress::parse("[::1]:443")->port, 443);
    EXPECT_FALSE(OpenedAddress::parse("::1")->port);
    EXPECT_FALSE(OpenedAddress::parse("[::1]")->port);
    for (const char* text : {"",
                             "127.0.0.1:",
                             "127.0.0.1:0",
                             "127.0.0.1:65536",
                             "127.0.0.1:08",
                             "[::1",
                             "[::1]x",
                             "[::1]:",
                             "localhost",
                             "127.0.0.1:80x"}) {
        EXPECT_FALSE(OpenedAddress::parse(text)) << text;
    }
}

} // namespace
} // namespace ic::net
