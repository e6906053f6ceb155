#include "net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace ic::net {
namespace {

struct Block {
    std::array<std::uint8_t, 16> start;
    unsigned bits;
};

bool contains(const Block& block, const std::array<std::uint8_t, 16>& bytes, std::size_t offset) {
    for (unsigned bit = 0; bit < block.bits; bit += 8) {
        const unsigned wanted = std::min(8U, block.bits - bit);
        const auto mask = static_cast<std::uint8_t>(0xffU << (8U - wanted));
        const std::size_t at = bit / 8;
        if (((bytes[offset + at] ^ block.start[at]) & mask) != 0) {
            return false;
        }
    }
    return true;
}

// IANA IPv4 special-purpose registry, with multicast and the reserved rest.
constexpr std::array<Block, 16> v4_blocks{{
    {{0}, 8},                   // "This network", RFC 791
    {{10}, 8},                  // Private, RFC 1918
    {{100, 64}, 10},            // Shared by carriers, RFC 6598
    {{127}, 8},                 // Loopback, RFC 1122
    {{169, 254}, 16},           // Link-local, RFC 3927: also the clouds' metadata
    {{172, 16}, 12},            // Private, RFC 1918
    {{192, 0, 0}, 24},          // Protocol assignments, RFC 6890
    {{192, 0, 2}, 24},          // Documentation, RFC 5737
    {{192, 88, 99}, 24},        // 6to4 relays, RFC 7526
    {{192, 168}, 16},           // Private, RFC 1918
    {{198, 18}, 15},            // Benchmarks, RFC 2544
    {{198, 51, 100}, 24},       // Documentation, RFC 5737
    {{203, 0, 113}, 24},        // Documentation, RFC 5737
    {{224}, 4},                 // Multicast, RFC 5771
    {{240}, 4},                 // Reserved, RFC 1112
    {{255, 255, 255, 255}, 32}, // Broadcast, RFC 919
}};

// What is special whatever it carries.
constexpr std::array<Block, 13> v6_blocks{{
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48},              // Local NAT64, RFC 8215
    {{0x01, 0x00}, 64},                                      // Discard only, RFC 6666
    {{0x20, 0x01, 0x00, 0x00}, 32},                          // Teredo, RFC 4380
    {{0x20, 0x01, 0x00, 0x00}, 23},                          // Protocol assignments, RFC 2928
    {{0x20, 0x01, 0x0d, 0xb8}, 32},                          // Documentation, RFC 3849
    {{0x3f, 0xff}, 20},                                      // Documentation, RFC 9637
    {{0x5f, 0x00}, 16},                                      // Segment routing, RFC 9602
    {{0xfc}, 7},                                             // Unique local, RFC 4193
    {{0xfe, 0x80}, 10},                                      // Link-local, RFC 4291
    {{0xfe, 0xc0}, 10},                                      // Site-local, RFC 3879
    {{0xff}, 8},                                             // Multicast, RFC 4291
    {{0}, 128},                                              // Unspecified, RFC 4291
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128}, // Loopback, RFC 4291
}};

struct Carrier {
    Block block;
    std::size_t offset; // Where the IPv4 address stands.
};

constexpr std::array<Carrier, 5> carriers{{
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12}, // Mapped, RFC 4291
    {{{0}, 96}, 12},                                        // Compatible, RFC 4291
    {{{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96}, 12},       // Translated, RFC 2765
    {{{0x00, 0x64, 0xff, 0x9b}, 96}, 12},                   // NAT64, RFC 6052
    {{{0x20, 0x02}, 16}, 2},                                // 6to4, RFC 3056
}};

bool is_special_v4(const std::array<std::uint8_t, 16>& bytes, std::size_t offset) {
    return std::ranges::any_of(v4_blocks,
                               [&](const Block& block) { return contains(block, bytes, offset); });
}

Result<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (failure != std::errc() || end != text.data() + text.size() || port == 0 ||
        text.front() == '0') {
        return Error{Errc::malformed, "not a port: '" + std::string(text) + "'"};
    }
    return port;
}

} // namespace

Address Address::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}};
}

bool Address::is_v4() const { return contains(carriers[0].block, bytes, 0); }

Result<Address> Address::parse(std::string_view text) {
    const std::string whole{text}; // inet_pton wants an end; a zero inside is caught by the length.
    in_addr four{};
    if (std::strlen(whole.c_str()) == text.size()) {
        if (::inet_pton(AF_INET, whole.c_str(), &four) == 1) {
            std::array<std::uint8_t, 4> bytes{};
            std::memcpy(bytes.data(), &four, bytes.size());
            return v4(bytes[0], bytes[1], bytes[2], bytes[3]);
        }
        Address address;
        if (::inet_pton(AF_INET6, whole.c_str(), address.bytes.data()) == 1) {
            return address;
        }
    }
    return Error{Errc::malformed, "not an IP address: '" + whole + "'"};
}

std::string Address::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_v4()) {
        ::inet_ntop(AF_INET, bytes.data() + 12, text.data(), text.size());
    } else {
        ::inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
    }
    return text.data();
}

bool is_special(const Address& address) {
    for (const Carrier& carrier : carriers) {
        if (contains(carrier.block, address.bytes, 0) &&
            is_special_v4(address.bytes, carrier.offset)) {
            return true;
        }
    }
    return std::ranges::any_of(
        v6_blocks, [&](const Block& block) { return contains(block, address.bytes, 0); });
}

Result<OpenedAddress> OpenedAddress::parse(std::string_view text) {
    if (text.starts_with('[')) {
        const std::size_t close = text.find(']');
        if (close == std::string_view::npos) {
            return Error{Errc::malformed, "'[' without ']' in '" + std::string(text) + "'"};
        }
        OpenedAddress opened{.address = TRY(Address::parse(text.substr(1, close - 1))), .port = {}};
        const std::string_view rest = text.substr(close + 1);
        if (!rest.empty()) {
            if (rest.size() < 2 || rest.front() != ':') {
                return Error{Errc::malformed, "not ADDR:PORT: '" + std::string(text) + "'"};
            }
            opened.port = TRY(parse_port(rest.substr(1)));
        }
        return opened;
    }
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
        if (colon + 1 == text.size()) {
            return Error{Errc::malformed, "a port is missing in '" + std::string(text) + "'"};
        }
        return OpenedAddress{.address = TRY(Address::parse(text.substr(0, colon))),
                             .port = TRY(parse_port(text.substr(colon + 1)))};
    }
    return OpenedAddress{.address = TRY(Address::parse(text)), .port = {}};
}

} // namespace ic::net
