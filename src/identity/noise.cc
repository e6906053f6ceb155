#include "identity/noise.h"

#include "identity/key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cassert>
#include <string>
#include <string_view>
#include <utility>

namespace ic {

void wipe(std::span<std::uint8_t> secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

} // namespace ic

namespace ic::noise {
namespace {

constexpr std::size_t key_bytes = 32;
/// Section 8. It has exactly as many bytes as a hash: section 5.2 takes it as it is.
constexpr std::string_view protocol_name = "Noise_XX_25519_ChaChaPoly_SHA256";
static_assert(protocol_name.size() == sizeof(Hash));

/// OpenSSL refuses these calls only when memory is out or the library lacks the algorithm: neither
/// is a state to go on in.
void require(int answer) { assert(answer == 1); }

/// OpenSSL takes a null pointer for "nothing given"; an empty span may well hold one.
const std::uint8_t* pointer_of(ByteView bytes) {
    static constexpr std::uint8_t nothing = 0;
    return bytes.empty() ? &nothing : bytes.data();
}

template <class T, void (*release)(T*)>
struct Release {
    void operator()(T* pointer) const { release(pointer); }
};

using PKey = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY, EVP_PKEY_free>>;
using PKeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Release<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX, EVP_MD_CTX_free>>;

/// 32 bytes that are wiped when they go; a copy is a secret of its own.
struct Secret {
    std::array<std::uint8_t, key_bytes> bytes{};

    ~Secret() { wipe(bytes); }
};

struct TwoSecrets {
    Secret one;
    Secret two;
};

/// HASH of section 4.3, over two pieces.
Hash hash_of(ByteView one, ByteView two) {
    Hash hash;
    const DigestContext context{EVP_MD_CTX_new()};
    require(context ? 1 : 0);
    require(EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr));
    require(EVP_DigestUpdate(context.get(), pointer_of(one), one.size()));
    require(EVP_DigestUpdate(context.get(), pointer_of(two), two.size()));
    require(EVP_DigestFinal_ex(context.get(), hash.data(), nullptr));
    return hash;
}

/// HKDF of section 4.3 with two outputs.
TwoSecrets derive_two(const Secret& chaining, ByteView input) {
    static constexpr std::uint8_t first = 1;
    static constexpr std::uint8_t second = 2;
    Mac extract(chaining.bytes);
    extract.update(input);
    const Secret extracted{extract.finish()};
    Mac expand_one(extracted.bytes);
    expand_one.update({&first, 1});
    const Secret one{expand_one.finish()};
    Mac expand_two(extracted.bytes);
    expand_two.update(one.bytes);
    expand_two.update({&second, 1});
    const Secret two{expand_two.finish()};
    return {.one = one, .two = two};
}

/// A key pair of X25519.
struct KeyPair {
    PKey private_key;
    Key public_key{};

    explicit KeyPair(ByteView seed)
        : private_key(
              EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, seed.data(), seed.size())) {
        require(private_key ? 1 : 0);
        std::size_t size = public_key.size();
        require(EVP_PKEY_get_raw_public_key(private_key.get(), public_key.data(), &size));
        assert(size == public_key.size());
    }
};

/// DH of section 4.1. Errors: refused if the secret is all zeros, as of a point of small order.
Result<void> exchange(const KeyPair& ours, const Key& theirs, Secret& secret) {
    const PKey other{
        EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, theirs.data(), theirs.size())};
    const PKeyContext context{EVP_PKEY_CTX_new(ours.private_key.get(), nullptr)};
    require(other && context ? 1 : 0);
    require(EVP_PKEY_derive_init(context.get()));
    require(EVP_PKEY_derive_set_peer(context.get(), other.get()));
    std::size_t size = secret.bytes.size();
    // OpenSSL itself refuses to give zeros; that it goes on doing so is not ours to rely on.
    static constexpr std::array<std::uint8_t, key_bytes> zeros{};
    if (EVP_PKEY_derive(context.get(), secret.bytes.data(), &size) != 1 ||
        size != secret.bytes.size() || equal_in_constant_time(secret.bytes, zeros)) {
        return Error{Errc::refused, "the peer's key gives no secret"};
    }
    return {};
}

/// The nonce of section 12.3: 32 zero bits, then the counter in little-endian order.
std::array<std::uint8_t, 12> nonce_bytes(std::uint64_t counter) {
    std::array<std::uint8_t, 12> nonce{};
    for (std::size_t at = 0; at < 8; ++at) {
        nonce[4 + at] = static_cast<std::uint8_t>(counter >> (8 * at));
    }
    return nonce;
}

Error used_up() { return {Errc::refused, "the link has used up its nonces: open another"}; }

Error message_too_large() {
    return {Errc::too_large,
            "a message of Noise has at most " + std::to_string(limits::message_bytes_max) +
                " bytes"};
}

} // namespace

Seeds::~Seeds() {
    wipe(static_key);
    wipe(ephemeral_key);
}

struct Cipher::Impl {
    CipherContext context; ///< Holds the key and wipes it (EVP_CIPHER_CTX_free).
};

Cipher::Cipher(ByteView key) : impl_(std::make_unique<Impl>()) {
    assert(key.size() == key_bytes);
    impl_->context.reset(EVP_CIPHER_CTX_new());
    require(impl_->context ? 1 : 0);
    require(EVP_CipherInit_ex(
        impl_->context.get(), EVP_chacha20_poly1305(), nullptr, key.data(), nullptr, 1));
}

Cipher::Cipher(Cipher&&) noexcept = default;
Cipher& Cipher::operator=(Cipher&&) noexcept = default;
Cipher::~Cipher() = default;

Result<Bytes> Cipher::encrypt(ByteView associated, ByteView plain) {
    if (plain.size() > limits::message_bytes_max - tag_bytes) {
        return message_too_large();
    }
    if (nonce_ == limits::nonce_end) {
        return used_up();
    }
    EVP_CIPHER_CTX* context = impl_->context.get();
    const auto nonce = nonce_bytes(nonce_);
    Bytes sealed(plain.size() + tag_bytes);
    int size = 0;
    require(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), 1));
    require(EVP_CipherUpdate(
        context, nullptr, &size, pointer_of(associated), static_cast<int>(associated.size())));
    require(EVP_CipherUpdate(
        context, sealed.data(), &size, pointer_of(plain), static_cast<int>(plain.size())));
    require(EVP_CipherFinal_ex(context, sealed.data() + plain.size(), &size));
    require(EVP_CIPHER_CTX_ctrl(
        context, EVP_CTRL_AEAD_GET_TAG, tag_bytes, sealed.data() + plain.size()));
    ++nonce_;
    return sealed;
}

Result<Bytes> Cipher::decrypt(ByteView associated, ByteView sealed) {
    if (sealed.size() > limits::message_bytes_max) {
        return message_too_large();
    }
    if (sealed.size() < tag_bytes) {
        return Error{Errc::malformed, "a message of Noise ends before its tag"};
    }
    if (nonce_ == limits::nonce_end) {
        return used_up();
    }
    EVP_CIPHER_CTX* context = impl_->context.get();
    const auto nonce = nonce_bytes(nonce_);
    const ByteView hidden = sealed.first(sealed.size() - tag_bytes);
    std::array<std::uint8_t, tag_bytes> tag{};
    std::ranges::copy(sealed.last(tag_bytes), tag.begin());
    Bytes plain(hidden.size());
    std::array<std::uint8_t, tag_bytes> rest{}; // A place for the nothing that Final writes.
    int size = 0;
    require(EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, nonce.data(), 0));
    require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()));
    require(EVP_CipherUpdate(
        context, nullptr, &size, pointer_of(associated), static_cast<int>(associated.size())));
    require(EVP_CipherUpdate(context,
                             plain.empty() ? rest.data() : plain.data(),
                             &size,
                             pointer_of(hidden),
                             static_cast<int>(hidden.size())));
    if (EVP_CipherFinal_ex(context, rest.data(), &size) != 1) {
        return Error{Errc::refused, "a message is not the peer's: altered, repeated or displaced"};
    }
    ++nonce_;
    return plain;
}

struct Handshake::Impl {
    Impl(Role own_role, const Seeds& seeds, ByteView prologue)
        : role(own_role)
        , static_pair(seeds.static_key)
        , ephemeral_pair(seeds.ephemeral_key) {
        // Section 5.2: InitializeSymmetric.
        std::ranges::copy(bytes_of(protocol_name), hash.begin());
        chaining.bytes = hash;
        mix_hash(prologue);
    }

    /// Section 5.2.
    void mix_hash(ByteView data) { hash = hash_of(hash, data); }

    /// Section 5.2: MixKey of a DH of these two.
    Result<void> mix_key(const KeyPair& ours, const Key& theirs) {
        Secret shared;
        TRY(exchange(ours, theirs, shared));
        const TwoSecrets derived = derive_two(chaining, shared.bytes);
        chaining = derived.one;
        cipher.emplace(derived.two.bytes);
        return {};
    }

    /// Section 5.2: EncryptAndHash.
    Result<void> append_sealed(Bytes& out, ByteView plain) {
        const Bytes sealed = cipher ? TRY(cipher->encrypt(hash, plain)) : copy_of(plain);
        mix_hash(sealed);
        out.insert(out.end(), sealed.begin(), sealed.end());
        return {};
    }

    /// Section 5.2: DecryptAndHash.
    Result<Bytes> open(ByteView sealed) {
        Bytes plain = cipher ? TRY(cipher->decrypt(hash, sealed)) : copy_of(sealed);
        mix_hash(sealed);
        return plain;
    }

    void write_ephemeral(Bytes& out) {
        out = copy_of(ephemeral_pair.public_key);
        mix_hash(out);
    }

    Result<void> take_ephemeral(ByteView& input) {
        const ByteView key = TRY(take(input, key_bytes));
        std::ranges::copy(key, remote_ephemeral.begin());
        mix_hash(key);
        return {};
    }

    Result<void> take_static(ByteView& input) {
        const Bytes key = TRY(open(TRY(take(input, key_bytes + tag_bytes))));
        std::ranges::copy(key, remote_static.emplace().begin());
        return {};
    }

    static Result<ByteView> take(ByteView& input, std::size_t count) {
        if (input.size() < count) {
            return Error{Errc::malformed, "a message of the handshake ends early"};
        }
        const ByteView front = input.first(count);
        input = input.subspan(count);
        return front;
    }

    Result<Bytes> write(ByteView payload);
    Result<Bytes> read(ByteView message);

    Role role;
    KeyPair static_pair;
    KeyPair ephemeral_pair;
    Key remote_ephemeral{};
    std::optional<Key> remote_static;
    std::optional<Cipher> cipher; ///< None: the empty key of section 5.1.
    Secret chaining;
    Hash hash{};
    unsigned messages = 0; ///< Written and read so far.
    bool over = false;
};

Result<Bytes> Handshake::Impl::write(ByteView payload) {
    Bytes out;
    if (messages == 0) { // -> e
        write_ephemeral(out);
    } else if (messages == 1) { // <- e, ee, s, es
        write_ephemeral(out);
        TRY(mix_key(ephemeral_pair, remote_ephemeral));
        TRY(append_sealed(out, static_pair.public_key));
        TRY(mix_key(static_pair, remote_ephemeral));
    } else { // -> s, se
        TRY(append_sealed(out, static_pair.public_key));
        TRY(mix_key(static_pair, remote_ephemeral));
    }
    TRY(append_sealed(out, payload));
    if (out.size() > limits::message_bytes_max) {
        return message_too_large();
    }
    return out;
}

Result<Bytes> Handshake::Impl::read(ByteView message) {
    if (message.size() > limits::message_bytes_max) {
        return message_too_large();
    }
    if (messages == 0) { // -> e
        TRY(take_ephemeral(message));
    } else if (messages == 1) { // <- e, ee, s, es
        TRY(take_ephemeral(message));
        TRY(mix_key(ephemeral_pair, remote_ephemeral));
        TRY(take_static(message));
        TRY(mix_key(ephemeral_pair, *remote_static));
    } else { // -> s, se
        TRY(take_static(message));
        TRY(mix_key(ephemeral_pair, *remote_static));
    }
    return open(message);
}

Handshake::Handshake(Role role, const Seeds& seeds, ByteView prologue)
    : impl_(std::make_unique<Impl>(role, seeds, prologue)) {}

Handshake::Handshake(Handshake&&) noexcept = default;
Handshake& Handshake::operator=(Handshake&&) noexcept = default;
Handshake::~Handshake() = default;

Result<Bytes> Handshake::write_message(ByteView payload) {
    assert(!complete() && writes_next());
    if (impl_->over) {
        return Error{Errc::refused, "the handshake has failed"};
    }
    Result<Bytes> message = impl_->write(payload);
    impl_->over = !message.ok();
    impl_->messages += message.ok() ? 1 : 0;
    return message;
}

Result<Bytes> Handshake::read_message(ByteView message) {
    assert(!complete() && !writes_next());
    if (impl_->over) {
        return Error{Errc::refused, "the handshake has failed"};
    }
    Result<Bytes> payload = impl_->read(message);
    impl_->over = !payload.ok();
    impl_->messages += payload.ok() ? 1 : 0;
    return payload;
}

bool Handshake::complete() const { return impl_->messages == 3; }

bool Handshake::writes_next() const {
    return (impl_->role == Role::initiator) == (impl_->messages % 2 == 0);
}

const Key& Handshake::static_key() const { return impl_->static_pair.public_key; }

const std::optional<Key>& Handshake::remote_static_key() const { return impl_->remote_static; }

const Hash& Handshake::hash() const {
    assert(complete());
    return impl_->hash;
}

Ciphers Handshake::split() && {
    assert(complete());
    const TwoSecrets derived = derive_two(impl_->chaining, {});
    const bool initiator = impl_->role == Role::initiator;
    // Section 5.3: the initiator sends with the first.
    return {.send = Cipher((initiator ? derived.one : derived.two).bytes),
            .receive = Cipher((initiator ? derived.two : derived.one).bytes)};
}

} // namespace ic::noise
