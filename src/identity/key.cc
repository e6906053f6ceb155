#include "identity/key.h"

#include "multiformats/multibase.h"
#include "multiformats/varint.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <optional>

namespace ic {
namespace {

constexpr std::size_t seed_bytes = 32;
constexpr std::string_view derive_salt = "ipfs-compute/derive/1";

template <class T, void (*release)(T*)>
struct Release {
    void operator()(T* pointer) const { release(pointer); }
};

using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY, EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX, EVP_MD_CTX_free>>;
using MacAlgorithm = std::unique_ptr<EVP_MAC, Release<EVP_MAC, EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Release<EVP_MAC_CTX, EVP_MAC_CTX_free>>;

/// OpenSSL refuses these calls only when memory is out or the library lacks the algorithm: neither
/// is a state to go on in.
void require(int answer) { assert(answer == 1); }

/// OpenSSL takes a null pointer for "no key given"; an empty span may well hold one.
const std::uint8_t* pointer_of(ByteView bytes) {
    static constexpr std::uint8_t nothing = 0;
    return bytes.empty() ? &nothing : bytes.data();
}

constexpr std::string_view did_prefix = "did:key:";
/// Multicodec ed25519-pub as a varint.
constexpr std::array<std::uint8_t, 2> did_header{0xed, 0x01};
/// Identity multihash of 36 bytes; protobuf: field 1 (type Ed25519), field 2 (32 bytes).
constexpr std::array<std::uint8_t, 6> peer_header{0x00, 0x24, 0x08, 0x01, 0x12, 0x20};

Bytes with_header(ByteView header, const PublicKey& key) {
    Bytes bytes = copy_of(header);
    bytes.insert(bytes.end(), key.bytes.begin(), key.bytes.end());
    return bytes;
}

/// The key after `header`, if the bytes are exactly these two.
std::optional<PublicKey> after_header(ByteView bytes, ByteView header) {
    PublicKey key;
    if (bytes.size() != header.size() + key.bytes.size() ||
        !std::ranges::equal(bytes.first(header.size()), header)) {
        return std::nullopt;
    }
    std::ranges::copy(bytes.subspan(header.size()), key.bytes.begin());
    return key;
}

} // namespace

std::string PublicKey::to_did() const {
    return std::string(did_prefix) +
           multibase::encode(Base::base58btc, with_header(did_header, *this));
}

std::string PublicKey::to_peer_id() const {
    return multibase::encode_bare(Base::base58btc, with_header(peer_header, *this));
}

Result<PublicKey> PublicKey::parse_did(std::string_view did) {
    if (!did.starts_with(did_prefix) || !did.substr(did_prefix.size()).starts_with('z')) {
        return Error{Errc::malformed, "a key is written did:key:z6Mk..."};
    }
    const Bytes bytes = TRY(multibase::decode(did.substr(did_prefix.size())));
    if (const std::optional<PublicKey> key = after_header(bytes, did_header)) {
        return *key;
    }
    ByteView rest{bytes};
    const std::uint64_t kind = TRY(take_varint(rest));
    if (kind != 0xed) {
        return Error{Errc::unsupported, "did:key of another kind than Ed25519 (z6Mk...)"};
    }
    return Error{Errc::malformed, "did:key holds 32 bytes after its header"};
}

Result<PublicKey> PublicKey::parse_peer_id(std::string_view peer_id) {
    const Bytes bytes = TRY(multibase::decode_bare(Base::base58btc, peer_id));
    if (const std::optional<PublicKey> key = after_header(bytes, peer_header)) {
        return *key;
    }
    if (bytes.size() == 34 && bytes[0] == 0x12) {
        return Error{Errc::unsupported, "a peer ID of an RSA key does not hold the key"};
    }
    return Error{Errc::malformed, "a peer ID of an Ed25519 key is written 12D3KooW..."};
}

Result<void> PublicKey::verify(ByteView message, const Signature& signature) const {
    const Key key{
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size())};
    const DigestContext context{EVP_MD_CTX_new()};
    if (!key || !context ||
        EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
        EVP_DigestVerify(context.get(),
                         signature.data(),
                         signature.size(),
                         pointer_of(message),
                         message.size()) != 1) {
        return Error{Errc::refused, "the signature is not that of " + to_did()};
    }
    return {};
}

struct PrivateKey::Impl {
    Key key;
};

PrivateKey::PrivateKey(std::unique_ptr<Impl> impl, PublicKey public_key)
    : impl_(std::move(impl))
    , public_key_(public_key) {}

PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default; // EVP_PKEY_free wipes the key.

Result<PrivateKey> PrivateKey::from_seed(ByteView seed) {
    if (seed.size() != seed_bytes) {
        return Error{Errc::malformed,
                     "the seed of an Ed25519 key has 32 bytes, not " + std::to_string(seed.size())};
    }
    Key key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size())};
    require(key ? 1 : 0);
    PublicKey public_key;
    std::size_t size = public_key.bytes.size();
    require(EVP_PKEY_get_raw_public_key(key.get(), public_key.bytes.data(), &size));
    return PrivateKey{std::make_unique<Impl>(Impl{std::move(key)}), public_key};
}

Signature PrivateKey::sign(ByteView message) const {
    // One context a call: the key itself is only read, which OpenSSL allows from many threads.
    const DigestContext context{EVP_MD_CTX_new()};
    require(context ? 1 : 0);
    require(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, impl_->key.get()));
    Signature signature;
    std::size_t size = signature.size();
    require(EVP_DigestSign(
        context.get(), signature.data(), &size, pointer_of(message), message.size()));
    assert(size == signature.size());
    return signature;
}

std::array<std::uint8_t, 32> PrivateKey::seed() const {
    std::array<std::uint8_t, seed_bytes> seed{};
    std::size_t size = seed.size();
    require(EVP_PKEY_get_raw_private_key(impl_->key.get(), seed.data(), &size));
    return seed;
}

std::array<std::uint8_t, 32> PrivateKey::derive(std::string_view purpose) const {
    auto secret = seed();
    const auto derived = hkdf_sha256(secret, bytes_of(derive_salt), bytes_of(purpose));
    OPENSSL_cleanse(secret.data(), secret.size());
    return derived;
}

struct Mac::Impl {
    MacContext context;
};

Mac::Mac(ByteView key) : impl_(std::make_unique<Impl>()) {
    const MacAlgorithm hmac{EVP_MAC_fetch(nullptr, "HMAC", nullptr)};
    require(hmac ? 1 : 0);
    impl_->context.reset(EVP_MAC_CTX_new(hmac.get()));
    require(impl_->context ? 1 : 0);
    char digest[] = "SHA256"; // The parameter wants a char*, but does not write.
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    require(EVP_MAC_init(impl_->context.get(), pointer_of(key), key.size(), parameters));
}

Mac::Mac(Mac&&) noexcept = default;
Mac& Mac::operator=(Mac&&) noexcept = default;
Mac::~Mac() = default;

void Mac::update(ByteView data) {
    require(EVP_MAC_update(impl_->context.get(), pointer_of(data), data.size()));
}

std::array<std::uint8_t, 32> Mac::finish() {
    std::array<std::uint8_t, 32> code{};
    std::size_t size = 0;
    require(EVP_MAC_final(impl_->context.get(), code.data(), &size, code.size()));
    assert(size == code.size());
    return code;
}

std::array<std::uint8_t, 32> hkdf_sha256(ByteView secret, ByteView salt, ByteView info) {
    Mac extract(salt);
    extract.update(secret);
    auto key = extract.finish();
    Mac expand(key);
    expand.update(info);
    static constexpr std::uint8_t first_block = 1;
    expand.update({&first_block, 1});
    OPENSSL_cleanse(key.data(), key.size());
    return expand.finish();
}

bool equal_in_constant_time(ByteView left, ByteView right) {
    return left.size() == right.size() &&
           CRYPTO_memcmp(pointer_of(left), pointer_of(right), left.size()) == 0;
}

} // namespace ic

std::size_t std::hash<ic::PublicKey>::operator()(const ic::PublicKey& key) const noexcept {
    std::size_t value = 0;
    static_assert(sizeof value <= sizeof key.bytes);
    std::memcpy(&value, key.bytes.data(), sizeof value);
    return value;
}
