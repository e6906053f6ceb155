#include "multiformats/multihash.h"

#include "multiformats/varint.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cassert>

extern "C" {
/// native/src/hash.rs: BLAKE3 of `bytes` bytes; `digest` has room for 32. OpenSSL 3 has none.
void ic_blake3(const std::uint8_t* data, std::size_t bytes, std::uint8_t* digest);
}

namespace ic {
namespace {

struct FreeMd {
    void operator()(EVP_MD* md) const { EVP_MD_free(md); }
};

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

/// OpenSSL can fail here only without memory or without its default provider.
void must(int success) { assert(success == 1); }

/// Fetched once a process: a fetch takes locks and costs more than hashing a small block.
const EVP_MD* sha2_256_algorithm() {
    static const std::unique_ptr<EVP_MD, FreeMd> md{EVP_MD_fetch(nullptr, "SHA2-256", nullptr)};
    assert(md);
    return md.get();
}

const EVP_MD* sha2_512_algorithm() {
    static const std::unique_ptr<EVP_MD, FreeMd> md{EVP_MD_fetch(nullptr, "SHA2-512", nullptr)};
    assert(md);
    return md.get();
}

Context new_context() {
    Context context{EVP_MD_CTX_new()};
    assert(context);
    return context;
}

template <std::size_t size>
std::array<std::uint8_t, size> digest_of(EVP_MD_CTX* context, const EVP_MD* md, ByteView data) {
    std::array<std::uint8_t, size> digest;
    must(EVP_DigestInit_ex2(context, md, nullptr));
    must(EVP_DigestUpdate(context, data.data(), data.size()));
    must(EVP_DigestFinal_ex(context, digest.data(), nullptr));
    return digest;
}

bool is_length_of(HashCode hash, std::size_t size) {
    switch (hash) {
    case HashCode::identity:
        return size <= limits::cid_digest_bytes_max;
    case HashCode::sha2_256:
    case HashCode::blake3:
        return size == 32;
    case HashCode::sha2_512:
        return size == 64;
    }
    return false;
}

bool is_known(std::uint64_t number) {
    return number == static_cast<std::uint64_t>(HashCode::identity) ||
           number == static_cast<std::uint64_t>(HashCode::sha2_256) ||
           number == static_cast<std::uint64_t>(HashCode::sha2_512) ||
           number == static_cast<std::uint64_t>(HashCode::blake3);
}

Result<void> equal(ByteView expected, ByteView actual) {
    if (!std::ranges::equal(expected, actual)) {
        return Error{Errc::hash_mismatch, "the bytes are not what the hash names"};
    }
    return {};
}

} // namespace

Sha256Digest sha2_256(ByteView data) {
    thread_local const Context context = new_context();
    return digest_of<32>(context.get(), sha2_256_algorithm(), data);
}

Sha512Digest sha2_512(ByteView data) {
    thread_local const Context context = new_context();
    return digest_of<64>(context.get(), sha2_512_algorithm(), data);
}

Blake3Digest blake3(ByteView data) {
    Blake3Digest digest;
    ic_blake3(data.data(), data.size(), digest.data());
    return digest;
}

struct Sha256::State {
    Context context = new_context();
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    must(EVP_DigestInit_ex2(state_->context.get(), sha2_256_algorithm(), nullptr));
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView data) {
    must(EVP_DigestUpdate(state_->context.get(), data.data(), data.size()));
}

Sha256Digest Sha256::finish() {
    Sha256Digest digest;
    must(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr));
    must(EVP_DigestInit_ex2(state_->context.get(), sha2_256_algorithm(), nullptr));
    return digest;
}

Result<MultihashView> take_multihash(ByteView& input) {
    ByteView rest = input;
    const std::uint64_t number = TRY(take_varint(rest));
    if (!is_known(number)) {
        return Error{Errc::unsupported, "unknown hash function " + std::to_string(number)};
    }
    const HashCode hash{number};
    const std::uint64_t size = TRY(take_varint(rest));
    if (size > limits::cid_digest_bytes_max) {
        return Error{Errc::too_large, "a digest of more than 128 bytes"};
    }
    if (!is_length_of(hash, static_cast<std::size_t>(size))) {
        return Error{Errc::malformed, "a digest of a length that its hash function does not give"};
    }
    if (size > rest.size()) {
        return Error{Errc::malformed, "multihash ends early"};
    }
    const ByteView digest = rest.first(static_cast<std::size_t>(size));
    input = rest.subspan(digest.size());
    return MultihashView{hash, digest};
}

void append_multihash(Bytes& out, HashCode hash, ByteView digest) {
    assert(is_length_of(hash, digest.size()));
    append_varint(out, static_cast<std::uint64_t>(hash));
    append_varint(out, digest.size());
    out.insert(out.end(), digest.begin(), digest.end());
}

Result<void> verify_digest(MultihashView expected, ByteView data) {
    switch (expected.hash) {
    case HashCode::identity:
        return equal(expected.digest, data);
    case HashCode::sha2_256:
        return equal(expected.digest, sha2_256(data));
    case HashCode::sha2_512:
        return equal(expected.digest, sha2_512(data));
    case HashCode::blake3:
        return equal(expected.digest, blake3(data));
    }
    return Error{Errc::internal, "a digest of a hash function that is not known"};
}

} // namespace ic
