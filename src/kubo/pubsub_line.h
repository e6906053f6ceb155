#pragma once
/// Lines of `pubsub/sub`, and topics as Kubo's API writes them. Pure.
/// Source: Kubo 0.43, core/commands/pubsub.go: a JSON object a line; data, seqno and topics are
/// multibase, `from` is a peer ID as text.

#include "base/bytes.h"
#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace ic::kubo {

namespace limits {
/// go-libp2p-pubsub: a message with its envelope.
inline constexpr std::size_t pubsub_message_bytes_max = 1U << 20U;
/// Ours: leaves 1 KiB for the envelope (sender, number, topic, signature, an RSA key). Kubo answers
/// 200 to what is larger and delivers nothing.
inline constexpr std::size_t pubsub_data_bytes_max = pubsub_message_bytes_max - 1024;
/// Ours: what of the envelope is the topic's.
inline constexpr std::size_t pubsub_topic_bytes_max = 256;
/// Ours: the longest peer ID is that of an RSA key as a CID, far below.
inline constexpr std::size_t peer_id_text_bytes_max = 128;
/// Ours: gossipsub's are 8 bytes.
inline constexpr std::size_t pubsub_seqno_bytes_max = 64;
/// A whole message in base64, its topic and its fields.
inline constexpr std::size_t pubsub_line_bytes_max = pubsub_message_bytes_max / 3 * 4 + (8U << 10U);
} // namespace limits

struct PubsubMessage {
    std::string from; ///< A peer ID as text; who signed the message.
    Bytes data;
    Bytes seqno; ///< Empty if Kubo names none.

    friend bool operator==(const PubsubMessage&, const PubsubMessage&) = default;
};

/// A line without its end. Fields that are not known are ignored.
/// Errors: malformed, too_large, unsupported (a multibase that we do not read).
/// Inverse: `encode_pubsub_line`.
Result<PubsubMessage> decode_pubsub_line(std::string_view line);

/// As Kubo writes it, without topics. Requires: `from` is a peer ID.
std::string encode_pubsub_line(const PubsubMessage& message);

/// Whether it has the letters of base58 and of the bases of CIDs, and is not too long: safe as a
/// file's name.
bool is_peer_id(std::string_view text);

/// "u...": the form of a topic, of data and of numbers in the API.
std::string pubsub_text(ByteView bytes);

} // namespace ic::kubo
