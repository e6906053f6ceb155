#include "net/own_addresses.h"

#include "base/unique_fd.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

namespace ic::net {
namespace {

struct Found {
    std::vector<std::string> four;
    std::vector<std::string> six;
    bool has_loopback = false;
};

void take(const ifaddrs& entry, Found& found) {
    if (entry.ifa_addr == nullptr || (entry.ifa_flags & IFF_UP) == 0) {
        return;
    }
    const bool is_loopback = (entry.ifa_flags & IFF_LOOPBACK) != 0;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (entry.ifa_addr->sa_family == AF_INET) {
        found.has_loopback = found.has_loopback || is_loopback;
        sockaddr_in address{};
        std::memcpy(&address, entry.ifa_addr, sizeof address);
        ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
        if (!is_loopback && !std::string_view(text.data()).starts_with("169.254.")) {
            found.four.emplace_back(text.data());
        }
    } else if (entry.ifa_addr->sa_family == AF_INET6) {
        sockaddr_in6 address{};
        std::memcpy(&address, entry.ifa_addr, sizeof address);
        ::inet_ntop(AF_INET6, &address.sin6_addr, text.data(), text.size());
        if (!is_loopback && IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr) == 0) {
            found.six.push_back("[" + std::string(text.data()) + "]");
        }
    }
}

} // namespace

std::vector<std::string> own_addresses(std::size_t most) {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) {
        return {};
    }
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, &::freeifaddrs);
    Found found;
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        take(*entry, found);
    }
    std::vector<std::string> all = std::move(found.four);
    all.insert(all.end(), found.six.begin(), found.six.end());
    if (all.empty() && found.has_loopback) {
        all.emplace_back("127.0.0.1");
    }
    all.resize(std::min(all.size(), most));
    return all;
}

Result<std::uint16_t> free_port() {
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    if (!socket || ::bind(socket.get(), any, size) != 0 ||
        ::getsockname(socket.get(), any, &size) != 0) {
        return Error{Errc::unavailable, std::string("no free port: ") + std::strerror(errno)};
    }
    return ntohs(address.sin_port);
}

bool is_listened_at(std::uint16_t port) {
    const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return socket &&
           ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
               0;
}

} // namespace ic::net
