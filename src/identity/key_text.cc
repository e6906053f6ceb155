#include "identity/key_text.h"

#include "multiformats/multibase.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

namespace ic {
namespace {

/// Protobuf: field 1 (type), varint; field 2 (data), 64 bytes.
constexpr std::array<std::uint8_t, 4> header{0x08, 0x01, 0x12, 0x40};
constexpr std::size_t key_bytes = header.size() + 64;
static_assert(limits::key_text_bytes_max == (key_bytes + 2) / 3 * 4 + 1);

/// Bytes that are wiped when they go.
struct Secret {
    Bytes bytes;

    explicit Secret(Bytes taken) : bytes(std::move(taken)) {}

    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;

    ~Secret() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

} // namespace

std::string encode_key(const PrivateKey& key) {
    Secret protobuf{Bytes(key_bytes)};
    auto seed = key.seed();
    auto end = std::ranges::copy(header, protobuf.bytes.begin()).out;
    end = std::ranges::copy(seed, end).out;
    std::ranges::copy(key.public_key().bytes, end);
    OPENSSL_cleanse(seed.data(), seed.size());
    return multibase::encode_bare(Base::base64_pad, protobuf.bytes);
}

Result<PrivateKey> decode_key(std::string_view text) {
    if (text.size() > limits::key_text_bytes_max) {
        return Error{Errc::too_large, "a key file holds one line of 92 characters"};
    }
    if (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    Result<Bytes> decoded = multibase::decode_bare(Base::base64_pad, text);
    if (!decoded) {
        return Error{Errc::malformed, "the key is not base64"};
    }
    const Secret protobuf{std::move(decoded).take()};
    const ByteView bytes{protobuf.bytes};
    if (bytes.size() >= 2 && bytes[0] == header[0] && bytes[1] != header[1]) {
        return Error{Errc::unsupported, "the key is not an Ed25519 key: make one with `init`"};
    }
    if (bytes.size() != key_bytes || !std::ranges::equal(bytes.first(header.size()), header)) {
        return Error{Errc::malformed, "the key is not a libp2p private key"};
    }
    PrivateKey key = TRY(PrivateKey::from_seed(bytes.subspan(header.size(), 32)));
    if (!std::ranges::equal(bytes.last(32), key.public_key().bytes)) {
        return Error{Errc::malformed, "the key's public half does not belong to its seed"};
    }
    return key;
}

} // namespace ic
