#include "session/pairing.h"

#include "job/text.h"
#include "multiformats/varint.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace ic::session {
namespace {

constexpr std::string_view protocol_name = "ipfs-compute/pair/1";
constexpr std::string_view nonce_info = "ipfs-compute/pair/1 nonce ";

/// The first byte of each payload.
constexpr std::uint8_t kind_commitment = 1;
constexpr std::uint8_t kind_nonce = 2;
constexpr std::uint8_t kind_introduction = 3;

/// Crockford's base 32: no I, L, O and U.
constexpr std::string_view letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t letters_a_code = 6;
constexpr unsigned bits_a_letter = 5;
static_assert(letters_a_code * bits_a_letter == limits::pair_rounds);

std::optional<std::uint32_t> value_of(char letter) {
    char upper = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
    upper = upper == 'O' ? '0' : upper;
    upper = upper == 'I' || upper == 'L' ? '1' : upper;
    const std::size_t at = letters.find(upper);
    return at == std::string_view::npos ? std::nullopt
                                        : std::optional{static_cast<std::uint32_t>(at)};
}

bool is_utf8(std::string_view text) { return job::fit_text(text, text.size()) == text; }

bool is_address(std::string_view text) {
    return !text.empty() && text.size() <= limits::pair_address_bytes_max &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

void append_text(Bytes& out, std::string_view text) {
    append_varint(out, text.size());
    const ByteView bytes = bytes_of(text);
    out.insert(out.end(), bytes.begin(), bytes.end());
}

Result<std::string> take_text(ByteView& input, std::size_t bytes_max) {
    const std::uint64_t size = TRY(take_varint(input));
    if (size > bytes_max) {
        return Error{Errc::too_large, "a text of an introduction is too long"};
    }
    if (size > input.size()) {
        return Error{Errc::malformed, "an introduction ends early"};
    }
    std::string text(text_of(input.first(size)));
    input = input.subspan(size);
    return text;
}

Bytes with_kind(std::uint8_t kind, ByteView body) {
    Bytes payload{kind};
    payload.insert(payload.end(), body.begin(), body.end());
    return payload;
}

PairRole other_end(PairRole role) {
    return role == PairRole::inviter ? PairRole::joiner : PairRole::inviter;
}

Error another_code() {
    return {
        Errc::refused,
        "the code is not the same at both ends, or somebody is in between; do not type it again, "
        "but take the new one that the other machine shows, or start `ipfs-compute pair` there "
        "anew if it shows none"};
}

} // namespace

PairCode PairCode::of(const std::array<std::uint8_t, 4>& random) {
    std::uint32_t bits = 0;
    for (const std::uint8_t byte : random) {
        bits = bits << 8U | byte;
    }
    return {bits >> (32U - limits::pair_rounds)};
}

Result<PairCode> PairCode::parse(std::string_view text) {
    PairCode code;
    std::size_t count = 0;
    for (const char letter : text) {
        if (letter == '-' || letter == ' ') {
            continue;
        }
        const std::optional<std::uint32_t> value = value_of(letter);
        if (!value || ++count > letters_a_code) {
            count = 0;
            break;
        }
        code.bits = code.bits << bits_a_letter | *value;
    }
    if (count != letters_a_code) {
        return Error{Errc::usage, "a code has six letters or digits, such as K7Q-2MX"};
    }
    return code;
}

std::string PairCode::to_string() const {
    std::string text;
    for (std::size_t at = 0; at < letters_a_code; ++at) {
        if (at == letters_a_code / 2) {
            text += '-';
        }
        const std::size_t shift = (letters_a_code - 1 - at) * bits_a_letter;
        text += letters[bits >> shift & (letters.size() - 1)];
    }
    return text;
}

Bytes encode(const Introduction& introduction) {
    assert(introduction.name.size() <= limits::pair_name_bytes_max && is_utf8(introduction.name));
    assert(introduction.at.size() <= limits::pair_addresses_max);
    Bytes out;
    append_text(out, introduction.name);
    append_varint(out, introduction.at.size());
    for (const std::string& address : introduction.at) {
        assert(is_address(address));
        append_text(out, address);
    }
    return out;
}

Result<Introduction> decode_introduction(ByteView bytes) {
    Introduction introduction;
    introduction.name = TRY(take_text(bytes, limits::pair_name_bytes_max));
    if (!is_utf8(introduction.name)) {
        return Error{Errc::malformed, "the name of an introduction is no UTF-8"};
    }
    const std::uint64_t count = TRY(take_varint(bytes));
    if (count > limits::pair_addresses_max) {
        return Error{Errc::too_large, "an introduction has too many addresses"};
    }
    for (std::uint64_t index = 0; index < count; ++index) {
        introduction.at.push_back(TRY(take_text(bytes, limits::pair_address_bytes_max)));
        if (!is_address(introduction.at.back())) {
            return Error{Errc::malformed, "an introduction has an entry that is no address"};
        }
    }
    if (!bytes.empty()) {
        return Error{Errc::malformed, "something follows an introduction"};
    }
    return introduction;
}

// --- an attempt ----------------------------------------------------------------------------------

Pairing::Pairing(PairingOptions options, Instant now)
    : options_(std::move(options))
    , ends_(now + options_.time_max) {}

/// This end's in this round. One tells nothing of another.
std::array<std::uint8_t, 32> Pairing::nonce() const {
    Bytes info = copy_of(bytes_of(nonce_info));
    info.push_back(static_cast<std::uint8_t>(round_));
    return hkdf_sha256(options_.seed, {}, info);
}

/// To a bit of the code, in this round of this session, by that end. The nonce hides the bit.
std::array<std::uint8_t, 32> Pairing::commitment(PairRole role, ByteView nonce) const {
    const std::uint32_t shift = static_cast<std::uint32_t>(limits::pair_rounds - 1 - round_);
    const std::array<std::uint8_t, 3> place{
        static_cast<std::uint8_t>(role),
        static_cast<std::uint8_t>(round_),
        static_cast<std::uint8_t>(options_.code.bits >> shift & 1U)};
    Mac mac(nonce);
    mac.update(bytes_of(protocol_name));
    mac.update(place);
    mac.update(options_.binding);
    return mac.finish();
}

Bytes Pairing::commit() const {
    return with_kind(kind_commitment, commitment(options_.role, nonce()));
}

std::optional<Bytes> Pairing::first() {
    if (begun_ || failure_ || options_.role != PairRole::joiner) {
        return std::nullopt;
    }
    begun_ = true;
    return commit();
}

Result<PairStep> Pairing::take(ByteView payload, Instant now) {
    if (!failure_ && now >= ends_) {
        failure_ = Error{Errc::expired, "the other machine took too long over the code"};
    }
    if (failure_) {
        return *failure_;
    }
    Result<PairStep> taken = step(payload);
    if (!taken) {
        failure_ = taken.error();
    }
    return taken;
}

Result<PairStep> Pairing::step(ByteView payload) {
    if (payload.empty()) {
        return Error{Errc::malformed, "a payload of a pairing is empty"};
    }
    const std::uint8_t kind = payload.front();
    const ByteView body = payload.subspan(1);
    if (awaited_ == Awaited::commitment && kind == kind_commitment) {
        return take_commitment(body);
    }
    if (awaited_ == Awaited::nonce && kind == kind_nonce) {
        return take_nonce(body);
    }
    if (awaited_ == Awaited::introduction && kind == kind_introduction) {
        return take_introduction(body);
    }
    return Error{Errc::malformed, "a payload of a pairing that is not its turn"};
}

Result<PairStep> Pairing::take_commitment(ByteView body) {
    if (body.size() != committed_.size()) {
        return Error{Errc::malformed, "a commitment has 32 bytes"};
    }
    std::ranges::copy(body, committed_.begin());
    awaited_ = Awaited::nonce;
    // The joiner shows its nonce first, and the inviter checks it before showing its own.
    return PairStep{.reply = options_.role == PairRole::inviter ? commit()
                                                                : with_kind(kind_nonce, nonce()),
                    .other = std::nullopt};
}

Result<PairStep> Pairing::take_nonce(ByteView body) {
    spent_ = true;
    if (body.size() != committed_.size()) {
        return Error{Errc::malformed, "a nonce has 32 bytes"};
    }
    if (!equal_in_constant_time(commitment(other_end(options_.role), body), committed_)) {
        return another_code();
    }
    PairStep step;
    if (options_.role == PairRole::inviter) {
        step.reply = with_kind(kind_nonce, nonce());
    }
    ++round_;
    const bool is_proven = round_ == limits::pair_rounds;
    awaited_ = is_proven ? Awaited::introduction : Awaited::commitment;
    if (options_.role == PairRole::joiner) {
        step.reply = is_proven ? with_kind(kind_introduction, encode(options_.self)) : commit();
    }
    return step;
}

Result<PairStep> Pairing::take_introduction(ByteView body) {
    PairStep step{.reply = std::nullopt, .other = TRY(decode_introduction(body))};
    awaited_ = Awaited::nothing;
    if (options_.role == PairRole::inviter) {
        step.reply = with_kind(kind_introduction, encode(options_.self));
    }
    return step;
}

// --- an invitation -------------------------------------------------------------------------------

Invitation::Invitation(PairCode first, const InvitationOptions& options, Instant now)
    : options_(options)
    , ends_(now + options.valid)
    , code_(first) {}

Result<void> Invitation::begin(Instant now) {
    if (is_expired(now)) {
        return Error{Errc::expired, "the code is not valid any more; make a new one"};
    }
    if (busy_ || spent_) {
        return Error{Errc::unavailable, "another machine is trying this code; try again"};
    }
    busy_ = true;
    return {};
}

Invitation::Next Invitation::failed(const Pairing& attempt) {
    assert(busy_);
    busy_ = false;
    spent_ = attempt.is_spent();
    if (!spent_) {
        return Next::same_code;
    }
    return codes_ < options_.codes_max ? Next::new_code : Next::over;
}

void Invitation::renew(PairCode code) {
    assert(spent_ && codes_ < options_.codes_max);
    ++codes_;
    spent_ = false;
    code_ = code;
}

} // namespace ic::session
