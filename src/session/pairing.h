#pragma once
/// Pairing: two nodes that know nothing of each other but a short code, which people carry, prove
/// to each other over a session that it is the same one at both ends. Byte layout, and why six
/// letters are enough: docs/formats/pairing.md.

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "identity/key.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ic::session {

namespace limits {
/// Ours: a bit of the code is proven in each round.
inline constexpr std::size_t pair_rounds = 30;
inline constexpr std::size_t pair_name_bytes_max = 64; ///< As of an entry of trust.toml.
inline constexpr std::size_t pair_addresses_max = 16;
inline constexpr std::size_t pair_address_bytes_max = 256;
} // namespace limits

/// What makes a session this one and no other, the same at both ends: Session::binding.
using Binding = std::array<std::uint8_t, 32>;

/// 30 bits as six letters: "K7Q-2MX". For one attempt: each attempt that fails tells some of it.
struct PairCode {
    std::uint32_t bits = 0; ///< The lower 30.

    friend bool operator==(const PairCode&, const PairCode&) = default;

    /// Of random bytes.
    static PairCode of(const std::array<std::uint8_t, 4>& random);

    /// Lower case, and no or other hyphens, are as good; O is 0, I and L are 1.
    /// Errors: usage. Inverse: `to_string`.
    static Result<PairCode> parse(std::string_view text);
    std::string to_string() const;
};

/// What each end says of itself when the code is proven.
struct Introduction {
    std::string name;            ///< For people, UTF-8.
    std::vector<std::string> at; ///< Where its Kubo can be dialled: multiaddrs.

    friend bool operator==(const Introduction&, const Introduction&) = default;
};

/// Requires: within the limits; UTF-8; addresses of printable ASCII without blanks.
/// Inverse: `decode_introduction`.
Bytes encode(const Introduction& introduction);
/// Strict. Errors: malformed, too_large.
Result<Introduction> decode_introduction(ByteView bytes);

/// Who made the code, and who was told it.
enum class PairRole : std::uint8_t { inviter = 1, joiner = 2 };

struct PairingOptions {
    PairRole role = PairRole::inviter;
    PairCode code;
    Binding binding{};
    std::array<std::uint8_t, 32> seed{}; ///< Random, of this attempt and no other.
    Introduction self;
    std::chrono::milliseconds time_max{30'000}; ///< For all of it, at each end.
};

/// What one payload led to.
struct PairStep {
    std::optional<Bytes> reply;        ///< To be sent.
    std::optional<Introduction> other; ///< It is done: the code is the same at both ends.
};

/// One attempt, over one established session. After an error it is over: `take` answers that error
/// again, and the session is to be closed. Threads: one at a time.
class Pairing {
public:
    Pairing(PairingOptions options, Instant now);

    /// The joiner's first payload, once; nothing for an inviter.
    std::optional<Bytes> first();

    /// Errors: refused (another code, or somebody in between), malformed, too_large, expired.
    Result<PairStep> take(ByteView payload, Instant now);

    /// The inviter's: whether the other end has shown what it takes for a bit of the code. From
    /// then on it may know some of it, and the code is good for no other attempt.
    bool is_spent() const { return spent_; }

private:
    enum class Awaited : std::uint8_t { commitment, nonce, introduction, nothing };

    Result<PairStep> step(ByteView payload);
    Result<PairStep> take_commitment(ByteView body);
    Result<PairStep> take_nonce(ByteView body);
    Result<PairStep> take_introduction(ByteView body);
    std::array<std::uint8_t, 32> nonce() const;
    std::array<std::uint8_t, 32> commitment(PairRole role, ByteView nonce) const;
    Bytes commit() const;

    PairingOptions options_;
    Instant ends_;
    Awaited awaited_ = Awaited::commitment;
    std::size_t round_ = 0;
    std::array<std::uint8_t, 32> committed_{}; ///< By the other end, in this round.
    bool begun_ = false;
    bool spent_ = false;
    std::optional<Error> failure_;
};

struct InvitationOptions {
    std::size_t codes_max = 3;                ///< Ours: one after the other.
    std::chrono::milliseconds valid{600'000}; ///< All of them, from the first on.
};

/// Which attempts an inviter lets begin: one at a time, one a code, few in all.
/// Threads: one at a time.
class Invitation {
public:
    /// After an attempt: the code still holds, wants to be replaced (`renew`), or all are used up.
    enum class Next : std::uint8_t { same_code, new_code, over };

    Invitation(PairCode first, const InvitationOptions& options, Instant now);

    const PairCode& code() const { return code_; }

    bool is_expired(Instant now) const { return now >= ends_; }

    /// Errors: unavailable (another attempt is under way, or the code is spent), expired.
    Result<void> begin(Instant now);

    /// The attempt that began has failed.
    Next failed(const Pairing& attempt);

    /// Requires: `failed` said new_code.
    void renew(PairCode code);

private:
    InvitationOptions options_;
    Instant ends_;
    PairCode code_;
    std::size_t codes_ = 1;
    bool busy_ = false;
    bool spent_ = false;
};

} // namespace ic::session
