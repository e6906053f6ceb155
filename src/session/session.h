#pragma once
/// Session: an authenticated, encrypted link between two nodes, over any carrier that keeps the
/// boundaries of messages. Byte layout, version 1: docs/formats/session.md (ours).

#include "base/bytes.h"
#include "base/result.h"
#include "identity/key.h"
#include "job/ids.h"
#include "job/message.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ic::session {

namespace limits {
/// Noise revision 34, section 3.
inline constexpr std::size_t carrier_message_bytes_max = 65'535;
/// One job message (docs/formats/messages.md).
inline constexpr std::size_t payload_bytes_max = job::limits::message_bytes_max;
/// What one record carries of a payload: the tag and the flag take the rest.
inline constexpr std::size_t piece_bytes_max = carrier_message_bytes_max - 16 - 1;
inline constexpr std::size_t records_per_payload_max =
    (payload_bytes_max + piece_bytes_max - 1) / piece_bytes_max;
} // namespace limits

/// This end.
struct Self {
    job::Instance instance;
    const PrivateKey* key = nullptr; ///< The node's. Lifetime: longer than the session's.
    std::string name;                ///< For people: "worker 4711". Cut to 128 bytes of UTF-8.
    std::string software;            ///< "ipfs-compute/0.1.0". Cut to 128 bytes of UTF-8.
};

/// The other end, as it proved itself.
struct Identity {
    job::Instance instance;
    PublicKey key;
    std::string name;     ///< For people, UTF-8.
    std::string software; ///< UTF-8.

    friend bool operator==(const Identity&, const Identity&) = default;
};

/// Random bytes for one session and never another: seeds of its static and of its ephemeral key.
/// Wiped when it goes.
struct Entropy {
    std::array<std::uint8_t, 64> bytes{};

    Entropy() = default;
    Entropy(const Entropy&) = default;
    Entropy& operator=(const Entropy&) = default;
    ~Entropy();
};

/// Whom a dialler will talk to; what is not given may be anything.
struct Expected {
    std::optional<PublicKey> key;
    std::optional<job::Instance> instance;
};

/// What one carrier message led to.
struct Step {
    std::optional<Bytes> reply;   ///< To send before anything that is sealed.
    bool established_now = false; ///< From here on `peer` and `seal` may be called.
    std::optional<Bytes> payload; ///< A whole payload came in.
};

/// One link. The dialler sends `first`, each end gives what comes to `take` and sends the replies.
/// The carrier must lose, double and reorder nothing; whatever does ends the session.
///
/// After an error the session is over: `take` and `seal` answer that error again, and the carrier
/// is to be closed. The end of the carrier is the end of the session: there is no goodbye.
/// Established at the dialler means that the answerer is who it says; whether the answerer took
/// the dialler in, the first payload shows.
///
/// Threads: one at a time.
class Session {
public:
    /// Requires: `self.key` set.
    static Session dial(const Self& self, const Entropy& entropy, const Expected& expected = {});
    static Session answer(const Self& self, const Entropy& entropy);

    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;
    ~Session();

    /// The dialler's first message, once; nothing for an answerer.
    std::optional<Bytes> first();

    /// Errors: malformed, too_large, unsupported (another version of the hello); refused for what
    /// is not authentic (altered, replayed, out of order), for a signature that is not the key's,
    /// for an end that is not the expected one, and for this very process.
    Result<Step> take(ByteView carrier_message);

    /// Carrier messages, to be sent in this order with nothing in between; at least one.
    /// Requires: `established`.
    /// Errors: too_large, which leaves the session as it is; that of `take` if it failed before.
    Result<std::vector<Bytes>> seal(ByteView payload);

    /// Whether the handshake has ended well; it stays so when the session is over.
    bool established() const;

    /// Requires: `established`.
    const Identity& peer() const;

    /// What both ends have in common and no other session has (Noise, section 11.2): whoever is in
    /// between has two of them. Nothing secret. Requires: `established`.
    const std::array<std::uint8_t, 32>& binding() const;

private:
    struct Impl;
    explicit Session(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace ic::session
