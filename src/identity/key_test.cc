#include "identity/key.h"
#include "identity/key_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

namespace ic {
namespace {

Bytes from_hex(std::string_view text) {
    Bytes bytes;
    for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
        bytes.push_back(
            static_cast<std::uint8_t>(std::stoul(std::string(text.substr(at, 2)), nullptr, 16)));
    }
    return bytes;
}

PrivateKey key_of(std::string_view seed_hex) {
    return PrivateKey::from_seed(from_hex(seed_hex)).take();
}

struct SignatureExample {
    const char* seed;
    const char* public_key;
    const char* message;
    const char* signature;
};

// RFC 8032, section 7.1, TEST 1 to 3.
const SignatureExample signature_examples[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
     "c6594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(PrivateKey, SignsTheExamplesOfRfc8032) {
    for (const SignatureExample& example : signature_examples) {
        const PrivateKey key = key_of(example.seed);
        EXPECT_EQ(to_hex(key.public_key().bytes), example.public_key);
        const Bytes message = from_hex(example.message);
        const Signature signature = key.sign(message);
        EXPECT_EQ(to_hex(signature), example.signature);
        EXPECT_TRUE(key.public_key().verify(message, signature));
    }
}

TEST(PublicKey, VerifyRefusesAnyFlippedBitAndAnotherKey) {
    const PrivateKey key = key_of(signature_examples[2].seed);
    const Bytes message = from_hex("af82");
    const Signature signature = key.sign(message);
    for (std::size_t at = 0; at < signature.size(); ++at) {
        Signature forged = signature;
        forged[at] ^= 1;
        EXPECT_EQ(key.public_key().verify(message, forged).error().code, Errc::refused) << at;
    }
    EXPECT_FALSE(key.public_key().verify(from_hex("af83"), signature));
    EXPECT_FALSE(key_of(signature_examples[0].seed).public_key().verify(message, signature));
}

TEST(PrivateKey, FromSeedRefusesAnyOtherLength) {
    EXPECT_EQ(PrivateKey::from_seed(Bytes(31)).error().code, Errc::malformed);
    EXPECT_EQ(PrivateKey::from_seed(Bytes(33)).error().code, Errc::malformed);
}

TEST(PrivateKey, SignsFromSeveralThreadsAtOnce) {
    const PrivateKey key = key_of(signature_examples[0].seed);
    const Signature expected = key.sign(bytes_of("message"));
    std::vector<std::jthread> threads;
    std::array<bool, 4> same{};
    for (bool& answer : same) {
        threads.emplace_back([&key, &expected, &answer] {
            answer = true;
            for (int round = 0; round < 20; ++round) {
                answer = answer && key.sign(bytes_of("message")) == expected;
            }
        });
    }
    threads.clear();
    EXPECT_TRUE(std::ranges::all_of(same, [](bool answer) { return answer; }));
}

struct DidExample {
    const char* seed;
    const char* did;
};

// w3c-ccg/did-method-key 801b0a9, test-vectors/ed25519-x25519.json.
const DidExample did_examples[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000",
     "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"},
    {"0000000000000000000000000000000000000000000000000000000000000001",
     "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG"},
    {"0000000000000000000000000000000000000000000000000000000000000002",
     "did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf"},
};

TEST(PublicKey, ToDidAndBackGivesThePublishedExamples) {
    for (const DidExample& example : did_examples) {
        const PublicKey key = key_of(example.seed).public_key();
        EXPECT_EQ(key.to_did(), example.did);
        const Result<PublicKey> parsed = PublicKey::parse_did(example.did);
        ASSERT_TRUE(parsed) << parsed.error().message;
        EXPECT_EQ(*parsed, key);
    }
}

TEST(PublicKey, ParseDidRefusesEveryProperPrefixAndOtherKinds) {
    const std::string did = did_examples[0].did;
    for (std::size_t size = 0; size < did.size(); ++size) {
        EXPECT_FALSE(PublicKey::parse_did(std::string_view(did).substr(0, size))) << size;
    }
    EXPECT_FALSE(PublicKey::parse_did(did + "1"));
    EXPECT_FALSE(PublicKey::parse_did("did:web:example.org"));
    EXPECT_FALSE(PublicKey::parse_did(did + "#" + did.substr(8)));
    // The X25519 key of the first example's keyAgreement.
    EXPECT_EQ(PublicKey::parse_did("did:key:z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW")
                  .error()
                  .code,
              Errc::unsupported);
}

// libp2p/specs, peer-ids.md r2, "Test vectors"; its peer ID as rust-libp2p prints it.
constexpr const char* libp2p_seed =
    "7e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d";
constexpr const char* libp2p_private_key =
    "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d"
    "1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e";
/// That, in base64 as coreutils writes it.
constexpr const char* libp2p_text = "CAESQH4IMGF8Sn3oOSXfsmlFVrEpNsR3oOH+suFI7J2mD+59"
                                    "HtHo+uLEoUS4vo/UtHvz07NLhxw8rPYBDw5C1HT84n4=";
constexpr const char* libp2p_peer_id = "12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq";

TEST(PublicKey, ToPeerIdAndBackGivesThePublishedExample) {
    const PublicKey key = key_of(libp2p_seed).public_key();
    EXPECT_EQ(to_hex(key.bytes), std::string_view(libp2p_private_key).substr(72));
    EXPECT_EQ(key.to_peer_id(), libp2p_peer_id);
    const Result<PublicKey> parsed = PublicKey::parse_peer_id(libp2p_peer_id);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(*parsed, key);
}

TEST(PublicKey, ParsePeerIdRefusesEveryProperPrefixAndRsa) {
    const std::string_view id = libp2p_peer_id;
    for (std::size_t size = 0; size < id.size(); ++size) {
        EXPECT_FALSE(PublicKey::parse_peer_id(id.substr(0, size))) << size;
    }
    // The RSA example in the prose of libp2p/specs, peer-ids.md.
    EXPECT_EQ(
        PublicKey::parse_peer_id("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N").error().code,
        Errc::unsupported);
}

TEST(KeyText, EncodesAndDecodesTheLibp2pVector) {
    EXPECT_EQ(encode_key(key_of(libp2p_seed)), libp2p_text);
    for (const std::string& text : {std::string(libp2p_text), std::string(libp2p_text) + "\n"}) {
        const Result<PrivateKey> key = decode_key(text);
        ASSERT_TRUE(key) << key.error().message;
        EXPECT_EQ(key->public_key().to_peer_id(), libp2p_peer_id);
    }
}

TEST(KeyText, DecodeRefusesPrefixesOtherTypesAndHalvesThatDisagree) {
    const std::string text = libp2p_text;
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_FALSE(decode_key(std::string_view(text).substr(0, size))) << size;
    }
    EXPECT_EQ(decode_key(text + "\n\n").error().code, Errc::too_large);
    EXPECT_EQ(decode_key(" " + text.substr(1)).error().code, Errc::malformed);
    std::string rsa = text;
    rsa[2] = 'A'; // 08 00: type RSA.
    EXPECT_EQ(decode_key(rsa).error().code, Errc::unsupported);
    std::string other_half = text;
    other_half[60] = other_half[60] == 'A' ? 'B' : 'A';
    EXPECT_EQ(decode_key(other_half).error().code, Errc::malformed);
}

TEST(Hkdf, GivesTheFirstBlockOfTheExampleOfRfc5869) {
    // Appendix A.1; this is the first 32 of its 42 bytes.
    EXPECT_EQ(to_hex(hkdf_sha256(Bytes(22, 0x0b),
                                 from_hex("000102030405060708090a0b0c"),
                                 from_hex("f0f1f2f3f4f5f6f7f8f9"))),
              "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
    // Appendix A.3: no salt, no info.
    EXPECT_EQ(to_hex(hkdf_sha256(Bytes(22, 0x0b), {}, {})),
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST(PrivateKey, DeriveGivesUnrelatedSecretsForEachPurposeAndKey) {
    const PrivateKey one = key_of(did_examples[0].seed);
    const PrivateKey two = key_of(did_examples[1].seed);
    EXPECT_EQ(one.derive("artifacts"), one.derive("artifacts"));
    EXPECT_NE(one.derive("artifacts"), one.derive("sessions"));
    EXPECT_NE(one.derive("artifacts"), two.derive("artifacts"));
}

TEST(Mac, GivesTheExamplesOfRfc4231InAnyPieces) {
    // Section 4.3 (test case 2).
    Mac whole(bytes_of("Jefe"));
    whole.update(bytes_of("what do ya want for nothing?"));
    const std::string expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    EXPECT_EQ(to_hex(whole.finish()), expected);
    Mac pieces(bytes_of("Jefe"));
    pieces.update(bytes_of("what do ya want "));
    pieces.update({});
    pieces.update(bytes_of("for nothing?"));
    EXPECT_EQ(to_hex(pieces.finish()), expected);
}

TEST(EqualInConstantTime, SaysWhetherLengthAndBytesAreTheSame) {
    EXPECT_TRUE(equal_in_constant_time({}, {}));
    EXPECT_TRUE(equal_in_constant_time(bytes_of("abc"), bytes_of("abc")));
    EXPECT_FALSE(equal_in_constant_time(bytes_of("abc"), bytes_of("abd")));
    EXPECT_FALSE(equal_in_constant_time(bytes_of("abc"), bytes_of("ab")));
}

} // namespace
} // namespace ic
