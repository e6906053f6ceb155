#pragma once
/// Addresses that a job's requests must not reach, whatever names led to them. Pure.

#include "base/result.h"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ic::net {

/// An IPv6 address, or an IPv4 address mapped into it (::ffff:0:0/96, RFC 4291 section 2.5.5.2).
struct Address {
    std::array<std::uint8_t, 16> bytes{};

    friend auto operator<=>(const Address&, const Address&) = default;

    static Address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d);

    /// Dotted decimal or RFC 4291 text and nothing else (no octal, no zone).
    /// Errors: malformed. Inverse: `to_string`.
    static Result<Address> parse(std::string_view text);

    bool is_v4() const;

    std::string to_string() const;
};

/// Whether this is no ordinary address of the internet: private, loopback, link-local, shared,
/// multicast, reserved, documentation, or a form that carries an IPv4 address which is one of them.
/// Sources: IANA's special-purpose registries for IPv4 and IPv6; RFC 3056, 4380, 6052, 8215.
bool is_special(const Address& address);

/// A special address that the worker's operator opened by name: `ADDR` or `ADDR:PORT`, an IPv6
/// address with a port in brackets.
struct OpenedAddress {
    Address address;
    std::optional<std::uint16_t> port; ///< None: every port.

    friend bool operator==(const OpenedAddress&, const OpenedAddress&) = default;

    /// Errors: malformed.
    static Result<OpenedAddress> parse(std::string_view text);

    bool opens(const Address& to, std::uint16_t to_port) const {
        return address == to && (!port || *port == to_port);
    }
};

} // namespace ic::net
