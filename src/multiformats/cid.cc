#include "multiformats/cid.h"

#include "multiformats/multibase.h"
#include "multiformats/multihash.h"
#include "multiformats/varint.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace ic {
namespace {

/// What a binary CID of version 0 starts with: sha2-256, 32 bytes. No version 1 starts so.
constexpr std::array<std::uint8_t, 2> v0_prefix{0x12, 0x20};
constexpr std::size_t v0_bytes = 34;
/// "Qm" and 44 more: what base58btc makes of every version 0.
constexpr std::size_t v0_text_bytes = 46;

bool starts_as_v0(ByteView bytes) {
    return bytes.size() >= 2 && bytes[0] == v0_prefix[0] && bytes[1] == v0_prefix[1];
}

} // namespace

Cid::Cid() : size_(4), multihash_at_(2) {
    inline_[0] = 0x01;
    inline_[1] = static_cast<std::uint8_t>(Codec::raw);
    // Identity, no bytes: 00 00.
}

Cid::Cid(ByteView binary, std::size_t multihash_at)
    : size_(static_cast<std::uint8_t>(binary.size()))
    , multihash_at_(static_cast<std::uint8_t>(multihash_at)) {
    static_assert(limits::cid_bytes_max <= 255);
    assert(binary.size() <= limits::cid_bytes_max && multihash_at < binary.size());
    if (binary.size() <= inline_bytes_max) {
        std::ranges::copy(binary, inline_.begin());
    } else {
        outside_ = std::make_shared<const Bytes>(binary.begin(), binary.end());
    }
}

Cid Cid::v0(ByteView sha2_256_digest) {
    assert(sha2_256_digest.size() == 32);
    std::array<std::uint8_t, v0_bytes> binary;
    std::ranges::copy(sha2_256_digest, std::ranges::copy(v0_prefix, binary.begin()).out);
    return {binary, 0};
}

Cid Cid::v1(Codec codec, HashCode hash, ByteView digest) {
    const auto number = static_cast<std::uint64_t>(codec);
    if (number < 0x80 && hash == HashCode::sha2_256) { // The common case, without an allocation.
        assert(digest.size() == 32);
        std::array<std::uint8_t, 36> binary{
            0x01, static_cast<std::uint8_t>(number), v0_prefix[0], v0_prefix[1]};
        std::ranges::copy(digest, binary.begin() + 4);
        return {binary, 2};
    }
    Bytes binary{0x01};
    append_varint(binary, number);
    const std::size_t multihash_at = binary.size();
    append_multihash(binary, hash, digest);
    return {binary, multihash_at};
}

Result<Cid> Cid::parse(std::string_view text) {
    if (text.size() == v0_text_bytes && text.starts_with("Qm")) {
        const Bytes binary = TRY(multibase::decode_bare(Base::base58btc, text));
        if (binary.size() != v0_bytes || !starts_as_v0(binary)) {
            return Error{Errc::malformed, "text is not a CID of version 0"};
        }
        return Cid{binary, 0};
    }
    if (text.size() > limits::cid_text_bytes_max) {
        return Error{Errc::too_large, "text is longer than any CID"};
    }
    const Bytes binary = TRY(multibase::decode(text));
    if (starts_as_v0(binary)) {
        return Error{Errc::malformed, "a CID of version 0 has no multibase prefix"};
    }
    return from_bytes(binary);
}

Result<Cid> Cid::from_bytes(ByteView bytes) {
    Cid cid = TRY(take(bytes));
    if (!bytes.empty()) {
        return Error{Errc::malformed, "bytes are left over after the CID"};
    }
    return cid;
}

Result<Cid> Cid::take(ByteView& input) {
    if (starts_as_v0(input)) {
        if (input.size() < v0_bytes) {
            return Error{Errc::malformed, "CID ends early"};
        }
        const Cid cid{input.first(v0_bytes), 0};
        input = input.subspan(v0_bytes);
        return cid;
    }
    ByteView rest = input;
    const std::uint64_t version = TRY(take_varint(rest));
    if (version != 1) {
        return Error{Errc::malformed, "not a CID of version 0 or 1"};
    }
    TRY(take_varint(rest)); // The codec; kept in the bytes, whatever it is.
    const std::size_t multihash_at = input.size() - rest.size();
    TRY(take_multihash(rest));
    const Cid cid{input.first(input.size() - rest.size()), multihash_at};
    input = rest;
    return cid;
}

int Cid::version() const { return multihash_at_ == 0 ? 0 : 1; }

Codec Cid::codec() const {
    if (version() == 0) {
        return Codec::dag_pb;
    }
    ByteView rest = bytes().subspan(1);
    const Result<std::uint64_t> number = take_varint(rest);
    assert(number);
    return Codec{*number};
}

HashCode Cid::hash() const { return HashCode{multihash().front()}; } // All of ours take one byte.

ByteView Cid::digest() const {
    ByteView rest = multihash();
    const Result<MultihashView> view = take_multihash(rest);
    assert(view);
    return view->digest;
}

ByteView Cid::bytes() const {
    return outside_ ? ByteView{*outside_} : ByteView{inline_}.first(size_);
}

ByteView Cid::multihash() const { return bytes().subspan(multihash_at_); }

std::string Cid::to_string() const {
    return version() == 0 ? multibase::encode_bare(Base::base58btc, bytes())
                          : multibase::encode(Base::base32, bytes());
}

Cid Cid::as_v1() const { return version() == 1 ? *this : v1(codec(), hash(), digest()); }

Result<void> Cid::verify(ByteView data) const {
    Result<void> verdict = verify_digest({hash(), digest()}, data);
    if (!verdict) {
        return std::move(verdict).take_error().during("verifying " + to_string());
    }
    return verdict;
}

bool operator==(const Cid& left, const Cid& right) {
    return std::ranges::equal(left.bytes(), right.bytes());
}

std::strong_ordering operator<=>(const Cid& left, const Cid& right) {
    const ByteView a = left.bytes();
    const ByteView b = right.bytes();
    return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
}

Cid cid_of(Codec codec, ByteView data) { return cid_of(codec, HashCode::sha2_256, data); }

Cid cid_of(Codec codec, HashCode hash, ByteView data) {
    switch (hash) {
    case HashCode::identity:
        return Cid::v1(codec, hash, data);
    case HashCode::sha2_256:
        return Cid::v1(codec, hash, sha2_256(data));
    case HashCode::sha2_512:
        return Cid::v1(codec, hash, sha2_512(data));
    case HashCode::blake3:
        return Cid::v1(codec, hash, blake3(data));
    }
    assert(false); // Every enumerator is above.
    return {};
}

} // namespace ic

std::size_t std::hash<ic::Cid>::operator()(const ic::Cid& cid) const noexcept {
    return std::hash<std::string_view>{}(ic::text_of(cid.bytes()));
}
