#include "multiformats/multicodec.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace ic {
namespace {

struct NamedCodec {
    std::uint64_t code;
    std::string_view name;
};

constexpr auto codecs = std::to_array<NamedCodec>({
    {0x50, "protobuf"},
    {0x51, "cbor"},
    {0x55, "raw"},
    {0x60, "rlp"},
    {0x63, "bencode"},
    {0x70, "dag-pb"},
    {0x71, "dag-cbor"},
    {0x72, "libp2p-key"},
    {0x78, "git-raw"},
    {0x7b, "torrent-info"},
    {0x7c, "torrent-file"},
    {0x80, "blake3-hashseq"},
    {0x81, "leofcoin-block"},
    {0x82, "leofcoin-tx"},
    {0x83, "leofcoin-pr"},
    {0x85, "dag-jose"},
    {0x86, "dag-cose"},
    {0x90, "eth-block"},
    {0x91, "eth-block-list"},
    {0x92, "eth-tx-trie"},
    {0x93, "eth-tx"},
    {0x94, "eth-tx-receipt-trie"},
    {0x95, "eth-tx-receipt"},
    {0x96, "eth-state-trie"},
    {0x97, "eth-account-snapshot"},
    {0x98, "eth-storage-trie"},
    {0x99, "eth-receipt-log-trie"},
    {0x9a, "eth-receipt-log"},
    {0xb0, "bitcoin-block"},
    {0xb1, "bitcoin-tx"},
    {0xb2, "bitcoin-witness-commitment"},
    {0xc0, "zcash-block"},
    {0xc1, "zcash-tx"},
    {0xd0, "stellar-block"},
    {0xd1, "stellar-tx"},
    {0xe0, "decred-block"},
    {0xe1, "decred-tx"},
    {0xf0, "dash-block"},
    {0xf1, "dash-tx"},
    {0xfa, "swarm-manifest"},
    {0xfb, "swarm-feed"},
    {0xfc, "beeson"},
    {0x129, "dag-json"},
    {0x1f0, "swhid-1-snp"},
    {0x200, "json"},
    {0x201, "messagepack"},
    {0x202, "car"},
    {0x210, "x509-certificate"},
    {0x300, "ipns-record"},
    {0x400, "car-index-sorted"},
    {0x401, "car-multihash-index-sorted"},
    {0x1208, "provenance-log"},
    {0x1209, "provenance-log-entry"},
    {0x120a, "provenance-log-script"},
    {0xb403, "rdfc-1"},
    {0xb501, "ssz"},
    {0xb601, "json-jcs"},
});

struct NamedHash {
    HashCode code;
    std::string_view name;
};

constexpr auto hashes = std::to_array<NamedHash>({
    {HashCode::identity, "identity"},
    {HashCode::sha2_256, "sha2-256"},
    {HashCode::sha2_512, "sha2-512"},
    {HashCode::blake3, "blake3"},
});

struct NamedBase {
    Base base;
    std::string_view name;
};

constexpr auto bases = std::to_array<NamedBase>({
    {Base::base16, "base16"},
    {Base::base16_upper, "base16upper"},
    {Base::base32, "base32"},
    {Base::base32_upper, "base32upper"},
    {Base::base36, "base36"},
    {Base::base36_upper, "base36upper"},
    {Base::base58btc, "base58btc"},
    {Base::base64, "base64"},
    {Base::base64_pad, "base64pad"},
    {Base::base64url, "base64url"},
    {Base::base64url_pad, "base64urlpad"},
});

/// "113" or "0x71".
std::optional<std::uint64_t> number(std::string_view text) {
    const bool is_hex = text.starts_with("0x");
    text.remove_prefix(is_hex ? 2 : 0);
    std::uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, is_hex ? 16 : 10);
    const bool is_whole = error == std::errc{} && end == text.data() + text.size();
    return is_whole ? std::optional(value) : std::nullopt;
}

} // namespace

std::string name_of(Codec codec) {
    const auto code = static_cast<std::uint64_t>(codec);
    for (const NamedCodec& known : codecs) {
        if (known.code == code) {
            return std::string(known.name);
        }
    }
    return "Code(" + std::to_string(code) + ")";
}

std::optional<Codec> codec_named(std::string_view text) {
    const std::optional<std::uint64_t> code = number(text);
    for (const NamedCodec& known : codecs) {
        if (known.name == text || known.code == code) {
            return Codec{known.code};
        }
    }
    return std::nullopt;
}

std::string_view name_of(HashCode hash) {
    for (const NamedHash& known : hashes) {
        if (known.code == hash) {
            return known.name;
        }
    }
    return "unknown";
}

std::optional<HashCode> hash_named(std::string_view text) {
    const std::optional<std::uint64_t> code = number(text);
    for (const NamedHash& known : hashes) {
        if (known.name == text || static_cast<std::uint64_t>(known.code) == code) {
            return known.code;
        }
    }
    return std::nullopt;
}

std::string_view name_of(Base base) {
    for (const NamedBase& known : bases) {
        if (known.base == base) {
            return known.name;
        }
    }
    return "unknown";
}

std::optional<Base> base_named(std::string_view name) {
    for (const NamedBase& known : bases) {
        if (known.name == name) {
            return known.base;
        }
    }
    return std::nullopt;
}

} // namespace ic
