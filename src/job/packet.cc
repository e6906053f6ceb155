#include "job/packet.h"

#include "job/envelope.h"
#include "job/fields.h"
#include "job/text.h"

#include <algorithm>
#include <cassert>

namespace ic::job {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

constexpr std::string_view tag = "ipfs-compute/packet@1";

/// A multiaddr or URL in print: what is said of an address must not be able to hide in it.
bool is_address(std::string_view text) {
    return !text.empty() && text.size() <= limits::packet_address_bytes_max &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

List list_of(const std::vector<std::string>& addresses) {
    assert(addresses.size() <= limits::packet_addresses_max);
    List list;
    list.reserve(addresses.size());
    for (const std::string& address : addresses) {
        assert(is_address(address));
        list.emplace_back(address);
    }
    return list;
}

Result<std::vector<std::string>> read_addresses(Fields& payload, std::string_view key) {
    const List& list = *TRY(payload.need<List>(key));
    if (list.size() > limits::packet_addresses_max) {
        return payload.too_large(key, limits::packet_addresses_max);
    }
    std::vector<std::string> addresses;
    addresses.reserve(list.size());
    for (const Node& node : list) {
        const auto* text = node.as<std::string>();
        if (text == nullptr || !is_address(*text)) {
            return Error{Errc::malformed, std::string(key) + " has an entry that is no address"};
        }
        addresses.push_back(*text);
    }
    return addresses;
}

template <std::size_t size>
Result<void>
read_exactly(const Bytes& bytes, std::array<std::uint8_t, size>& into, std::string_view key) {
    if (bytes.size() != size) {
        return Error{Errc::malformed,
                     std::string(key) + " has not " + std::to_string(size) + " bytes"};
    }
    std::ranges::copy(bytes, into.begin());
    return {};
}

Result<std::vector<Bytes>> read_messages(Fields& payload) {
    const List& list = *TRY(payload.need<List>("msgs"));
    if (list.size() > limits::packet_messages_max) {
        return payload.too_large("msgs", limits::packet_messages_max);
    }
    std::vector<Bytes> messages;
    messages.reserve(list.size());
    for (const Node& node : list) {
        const auto* bytes = node.as<Bytes>();
        if (bytes == nullptr || bytes->empty()) {
            return Error{Errc::malformed, "msgs has an entry that is no message"};
        }
        if (bytes->size() > limits::message_bytes_max) {
            return payload.too_large("msgs", limits::message_bytes_max);
        }
        messages.push_back(*bytes);
    }
    return messages;
}

} // namespace

Bytes signed_part(const Packet& packet) {
    assert(packet.messages.size() <= limits::packet_messages_max);
    List messages;
    messages.reserve(packet.messages.size());
    for (const Bytes& message : packet.messages) {
        assert(!message.empty() && message.size() <= limits::message_bytes_max);
        messages.emplace_back(message);
    }
    Map payload;
    payload.reserve(7);
    payload.emplace_back("at", list_of(packet.at));
    if (packet.to) {
        payload.emplace_back("to", copy_of(packet.to->bytes));
    }
    payload.emplace_back("key", copy_of(packet.key.bytes));
    payload.emplace_back("seq", packet.sequence);
    payload.emplace_back("from", copy_of(packet.from.bytes));
    payload.emplace_back("ipfs", list_of(packet.providers));
    payload.emplace_back("msgs", std::move(messages));
    return envelope::signed_part(tag, std::move(payload));
}

Result<Bytes> sign_packet(const Packet& packet, const PrivateKey& key) {
    assert(key.public_key() == packet.key);
    Bytes bytes = envelope::seal(signed_part(packet), key);
    if (bytes.size() > limits::packet_bytes_max) {
        return Error{Errc::too_large,
                     "the packet has more than " + std::to_string(limits::packet_bytes_max) +
                         " bytes"};
    }
    return bytes;
}

Result<Packet> read_packet(ByteView bytes) {
    if (bytes.size() > limits::packet_bytes_max) {
        return Error{Errc::too_large,
                     "a packet has at most " + std::to_string(limits::packet_bytes_max) + " bytes"};
    }
    const envelope::Opened opened = TRY(envelope::open(bytes, tag));
    Fields payload = TRY(Fields::of(opened.payload(), ""));
    Packet packet;
    TRY(read_exactly(*TRY(payload.need<Bytes>("key")), packet.key.bytes, "key"));
    TRY(read_exactly(*TRY(payload.need<Bytes>("from")), packet.from.bytes, "from"));
    packet.sequence = TRY(payload.number("seq", UINT64_MAX));
    if (const auto* to = TRY(payload.maybe<Bytes>("to"))) {
        TRY(read_exactly(*to, packet.to.emplace().bytes, "to"));
    }
    packet.at = TRY(read_addresses(payload, "at"));
    packet.providers = TRY(read_addresses(payload, "ipfs"));
    packet.messages = TRY(read_messages(payload));
    if (payload.all_known() &&
        !std::ranges::equal(signed_part(packet), bytes.subspan(envelope::signed_part_at))) {
        return Error{Errc::malformed, "the packet is not in its one canonical form"};
    }
    return packet;
}

Result<void> verify_packet(ByteView bytes, const Packet& packet) {
    return envelope::verify(bytes, packet.key);
}

bool SeenSequences::is_new(std::uint64_t sequence) {
    constexpr std::uint64_t width = 64;
    if (bits_ == 0 || sequence > last_) {
        const std::uint64_t ahead = bits_ == 0 ? width : sequence - last_;
        bits_ = (ahead >= width ? 0 : bits_ << ahead) | 1U;
        last_ = sequence;
        return true;
    }
    const std::uint64_t behind = last_ - sequence;
    if (behind >= width || ((bits_ >> behind) & 1U) != 0) {
        return false;
    }
    bits_ |= std::uint64_t{1} << behind;
    return true;
}

} // namespace ic::job
