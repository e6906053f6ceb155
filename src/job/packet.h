#pragma once
/// A packet: what one process publishes to all others at once, where nothing but the bytes says who
/// speaks. Signed by the node's key, so that it can be believed whoever passed it on. Byte layout:
/// docs/formats/packet.md.

#include "base/bytes.h"
#include "base/result.h"
#include "job/ids.h"
#include "job/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ic::job {

namespace limits {
/// Ours: a quarter of what Kubo's pubsub delivers (1 MiB), twice the longest message.
inline constexpr std::size_t packet_bytes_max = 256U << 10U;
inline constexpr std::size_t packet_messages_max = 64;
/// Of each of the two lists of addresses.
inline constexpr std::size_t packet_addresses_max = 16;
inline constexpr std::size_t packet_address_bytes_max = 256;
} // namespace limits

/// Messages of one process, and where it can be reached.
struct Packet {
    PublicKey key; ///< The node's, which signs.
    Instance from;
    std::uint64_t sequence = 0;  ///< Of this instance: each packet has a higher one.
    std::optional<Instance> to;  ///< For this process alone; nothing: for all.
    std::vector<std::string> at; ///< Where sessions are taken: URLs, and `/p2p/...`.
    /// Multiaddrs, ending in `/p2p/<peer id>`, of the IPFS node that has this node's blocks.
    std::vector<std::string> providers;
    /// Encoded, each as `job::encode` gives it, not looked into here: a reader leaves out those
    /// that it cannot decode. None: the packet only says that its sender is there.
    std::vector<Bytes> messages;

    friend bool operator==(const Packet&, const Packet&) = default;
};

/// The signed bytes. Requires: `key` is that of `packet`; every list and entry within its limit.
/// Errors: too_large (limits::packet_bytes_max). Inverse: `read_packet`.
Result<Bytes> sign_packet(const Packet& packet, const PrivateKey& key);

/// What `sign_packet` signs.
Bytes signed_part(const Packet& packet);

/// Reads a packet without looking at its signature, which costs fifty times as much: a reader that
/// does not trust the key, or has seen the sequence, need not.
/// Errors: malformed (also bytes other than the one canonical form, unless there are fields that
/// this version does not know), too_large, unsupported (another version).
Result<Packet> read_packet(ByteView bytes);

/// Whether the bytes bear the signature of the key that they name. Requires: `read_packet` accepts
/// them and gave `packet`. Errors: refused.
Result<void> verify_packet(ByteView bytes, const Packet& packet);

/// Which packets of one instance were seen: its last sequences, 64 back. What is older counts as
/// seen. A value.
class SeenSequences {
public:
    /// Whether this one is new; from now on it is seen.
    bool is_new(std::uint64_t sequence);

private:
    std::uint64_t last_ = 0;
    std::uint64_t bits_ = 0; ///< Bit n: `last_ - n` was seen.
};

} // namespace ic::job
