#include "net/own_networks.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <optional>

namespace ic::net {
namespace {

constexpr int v4_bits_before = 96; // ::ffff:0:0/96

/// Private ranges of which a machine can have neighbours. Source: RFC 1918, RFC 6598, RFC 4193.
bool is_private(const Address& address) {
    const auto& bytes = address.bytes;
    if (!address.is_v4()) {
        return (bytes[0] & 0xfeU) == 0xfc;
    }
    const std::uint8_t a = bytes[12];
    const std::uint8_t b = bytes[13];
    return a == 10 || (a == 172 && (b & 0xf0U) == 16) || (a == 192 && b == 168) ||
           (a == 100 && (b & 0xc0U) == 64);
}

template <class Socket>
Socket read_as(const sockaddr* from) {
    Socket to{};
    std::memcpy(&to, from, sizeof to);
    return to;
}

std::optional<OwnNetwork> network_of(const ifaddrs& entry) {
    if (entry.ifa_addr == nullptr || entry.ifa_netmask == nullptr ||
        (entry.ifa_flags & IFF_UP) == 0 || (entry.ifa_flags & IFF_LOOPBACK) != 0) {
        return std::nullopt;
    }
    OwnNetwork network;
    if (entry.ifa_addr->sa_family == AF_INET) {
        const auto address = read_as<sockaddr_in>(entry.ifa_addr);
        const auto mask = read_as<sockaddr_in>(entry.ifa_netmask);
        std::array<std::uint8_t, 4> bytes{};
        std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
        network.address = Address::v4(bytes[0], bytes[1], bytes[2], bytes[3]);
        network.prefix_bits = v4_bits_before + std::popcount(mask.sin_addr.s_addr);
        return network;
    }
    if (entry.ifa_addr->sa_family == AF_INET6) {
        const auto address = read_as<sockaddr_in6>(entry.ifa_addr);
        const auto mask = read_as<sockaddr_in6>(entry.ifa_netmask);
        std::memcpy(network.address.bytes.data(), &address.sin6_addr, 16);
        network.prefix_bits = 0;
        for (const std::uint8_t byte : mask.sin6_addr.s6_addr) {
            network.prefix_bits += std::popcount(byte);
        }
        return network;
    }
    return std::nullopt;
}

} // namespace

bool OwnNetwork::contains(const Address& other) const {
    for (int bit = 0; bit < prefix_bits; ++bit) {
        const auto byte = static_cast<std::size_t>(bit / 8);
        const unsigned mask = 0x80U >> static_cast<unsigned>(bit % 8);
        if ((address.bytes[byte] & mask) != (other.bytes[byte] & mask)) {
            return false;
        }
    }
    return true;
}

std::vector<OwnNetwork> own_networks() {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) {
        return {};
    }
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, &::freeifaddrs);
    std::vector<OwnNetwork> networks;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (const std::optional<OwnNetwork> network = network_of(*entry)) {
            networks.push_back(*network);
        }
    }
    return networks;
}

bool may_be_named(const Address& address, const std::vector<OwnNetwork>& networks) {
    if (!is_special(address)) {
        return true;
    }
    return is_private(address) &&
           std::ranges::any_of(networks, [&address](const OwnNetwork& network) {
               return network.address.is_v4() == address.is_v4() && network.contains(address);
           });
}

} // namespace ic::net
