#pragma once
/// The networks that this machine is on, and what of them may be dialled because others say so.

#include "net/address.h"

#include <vector>

namespace ic::net {

/// An address of this machine's, and how much of it its neighbours share.
struct OwnNetwork {
    Address address;
    int prefix_bits = 128; ///< Of the 128; an IPv4 address has its own 32 at the end.

    bool contains(const Address& other) const;
};

/// Of its interfaces that are up, but for loopback and link-local ones. Empty if the kernel does
/// not say.
std::vector<OwnNetwork> own_networks();

/// Whether an address that somebody else named may be dialled for what is no secret: any ordinary
/// one, and private ones of the machine's own networks. Never loopback, link-local, multicast or
/// other special addresses. Pure.
bool may_be_named(const Address& address, const std::vector<OwnNetwork>& networks);

} // namespace ic::net
