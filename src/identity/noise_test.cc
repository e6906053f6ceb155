#include "identity/noise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace ic::noise {
namespace {

Bytes from_hex(std::string_view text) {
    Bytes bytes;
    for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
        bytes.push_back(
            static_cast<std::uint8_t>(std::stoul(std::string(text.substr(at, 2)), nullptr, 16)));
    }
    return bytes;
}

struct Line {
    const char* payload;
    const char* message;
};

struct Vector {
    const char* prologue;
    const char* initiator_static;
    const char* initiator_ephemeral;
    const char* responder_static;
    const char* responder_ephemeral;
    const char* hash; ///< Empty where the source gives none.
    Line lines[6];    ///< Three of the handshake, then of the ciphers; null where there is none.
};

// All of Noise_XX_25519_ChaChaPoly_SHA256. The first is that of cacophony's vectors, as
// tests/vectors/cacophony.txt of mcginty/snow has it at aabed3159dee (older ones have the hash of
// an earlier revision); the other three are those of vectors.txt of flynn/noise, as
// NoiseTests.swift of swift-libp2p/swift-noise has them.
const Vector vectors[] = {
    {"4a6f686e2047616c74",
     "e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1",
     "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
     "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
     "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
     "c8e5f64e846193be2a834104c2a009868d6c9f3bd3c186299888b488b2f1f58e",
     {{"4c756477696720766f6e204d69736573",
       "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
       "4c756477696720766f6e204d69736573"},
      {"4d757272617920526f746862617264",
       "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843"
       "81cbad1f276e038c48378ffce2b65285e08d6b68aaa3629a5a8639392490e5b9"
       "bd5269c2f1e4f488ed8831161f19b7815528f8982ffe09be9b5c412f8a0db50f"
       "8814c7194e83f23dbd8d162c9326ad"},
      {"462e20412e20486179656b",
       "c7195ffacac1307ff99046f219750fc47693e23c3cb08b89c2af808b444850a8"
       "0ae475b9df0f169ae80a89be0865b57f58c9fea0d4ec82a286427402f113e4b6"
       "ae769a1d95941d49b25030"},
      {"4361726c204d656e676572", "96763ed773f8e47bb3712f0e29b3060ffc956ffc146cee53d5e1df"},
      {"4a65616e2d426170746973746520536179",
       "3e40f15f6f3a46ae446b253bf8b1d9ffb6ed9b174d272328ff91a7e2e5c79c07f5"},
      {"457567656e2042f6686d20766f6e2042617765726b",
       "eb3f3515110702e047a6c9da4478b6ead94873c11c0f2d710ddb3f09fce024b3a58502ae3f"}}},
    {"",
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
     "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
     "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60",
     "",
     {{"", "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254"},
      {"",
       "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48466"
       "3414af878d3e46a2f58911a816d6e8346d4ea17a6f2a0bb4ef4ed56c133cff45"
       "60a34e36ea82109f26cf2e5a5caf992b608d55c747f615e5a3425a7a19eefb8f"},
      {"",
       "87f864c11ba449f46a0a4f4e2eacbb7b0457784f4fca1937f572c93603e9c4d9"
       "7e5ea11b16f3968710b23a3be3202dc1b5e1ce3c963347491e74f5c0768a9b42"},
      {"79656c6c6f777375626d6172696e65",
       "a52ef02ba60e12696d1d6b9ef4245c88fca757b6134ad6e76b56e310a6adf6"},
      {"7375626d6172696e6579656c6c6f77",
       "2445aa438ebd649281c636cc7269ca82f1d9023d72520943aeabf909cdf521"}}},
    {"",
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
     "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
     "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60",
     "",
     {{"746573745f6d73675f30",
       "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254"
       "746573745f6d73675f30"},
      {"746573745f6d73675f31",
       "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48466"
       "3414af878d3e46a2f58911a816d6e8346d4ea17a6f2a0bb4ef4ed56c133cff45"
       "72e7a2ba5123ac30618b3d205f5c2d17f50cbca216483ac56bcc78e33bf52030"
       "3278db641e5e731b2e3a"},
      {"746573745f6d73675f32",
       "87f864c11ba449f46a0a4f4e2eacbb7b0457784f4fca1937f572c93603e9c4d9"
       "f27e318e43ba630594c4d08eeb3b36d97c7377a2f4f9144b2f0c8095ad921405"
       "05b2ab53eff244b14138"},
      {"79656c6c6f777375626d6172696e65",
       "a52ef02ba60e12696d1d6b9ef4245c88fca757b6134ad6e76b56e310a6adf6"},
      {"7375626d6172696e6579656c6c6f77",
       "2445aa438ebd649281c636cc7269ca82f1d9023d72520943aeabf909cdf521"}}},
    {"6e6f74736563726574",
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
     "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
     "4142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f60",
     "",
     {{"", "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254"},
      {"",
       "64b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48466"
       "3414af878d3e46a2f58911a816d6e8346d4ea17a6f2a0bb4ef4ed56c133cff45"
       "88f043d1e49a3289b1beeab8f96b0551a48cddf9f38b1a12e46c6908644198f3"},
      {"",
       "87f864c11ba449f46a0a4f4e2eacbb7b0457784f4fca1937f572c93603e9c4d9"
       "5a04fa1f1c41fb3f00d496f242c1e44ce5b749b3d54bf74cea2dad086d601fb6"},
      {"79656c6c6f777375626d6172696e65",
       "a52ef02ba60e12696d1d6b9ef4245c88fca757b6134ad6e76b56e310a6adf6"},
      {"7375626d6172696e6579656c6c6f77",
       "2445aa438ebd649281c636cc7269ca82f1d9023d72520943aeabf909cdf521"}}}};

Seeds seeds(std::string_view static_key, std::string_view ephemeral_key) {
    Seeds out;
    std::ranges::copy(from_hex(static_key), out.static_key.begin());
    std::ranges::copy(from_hex(ephemeral_key), out.ephemeral_key.begin());
    return out;
}

/// Two ends that share nothing but what the test passes on.
struct Ends {
    Handshake initiator;
    Handshake responder;

    Handshake& writer() { return initiator.writes_next() ? initiator : responder; }

    Handshake& reader() { return initiator.writes_next() ? responder : initiator; }
};

Ends ends_of(const Vector& vector) {
    const Bytes prologue = from_hex(vector.prologue);
    return {
        .initiator = Handshake(
            Role::initiator, seeds(vector.initiator_static, vector.initiator_ephemeral), prologue),
        .responder = Handshake(
            Role::responder, seeds(vector.responder_static, vector.responder_ephemeral), prologue)};
}

Bytes pass(Ends& ends, ByteView payload) {
    Handshake& reader = ends.reader();
    const Result<Bytes> message = ends.writer().write_message(payload);
    EXPECT_TRUE(message) << message.error().message;
    const Result<Bytes> read = reader.read_message(*message);
    EXPECT_TRUE(read) << read.error().message;
    EXPECT_TRUE(std::ranges::equal(*read, payload));
    return *message;
}

TEST(Noise, WritesAndReadsThePublishedMessages) {
    for (const Vector& vector : vectors) {
        Ends ends = ends_of(vector);
        for (std::size_t at = 0; at < 3; ++at) {
            EXPECT_EQ(to_hex(pass(ends, from_hex(vector.lines[at].payload))),
                      vector.lines[at].message);
        }
        ASSERT_TRUE(ends.initiator.complete() && ends.responder.complete());
        EXPECT_EQ(ends.initiator.hash(), ends.responder.hash());
        if (*vector.hash != 0) {
            EXPECT_EQ(to_hex(ends.initiator.hash()), vector.hash);
        }
        EXPECT_EQ(ends.initiator.remote_static_key(), ends.responder.static_key());
        EXPECT_EQ(ends.responder.remote_static_key(), ends.initiator.static_key());
        Ciphers one = std::move(ends.initiator).split();
        Ciphers two = std::move(ends.responder).split();
        // cacophony's go on by turns: after the third message the responder speaks. flynn's two
        // are the first of either cipher, the initiator's first.
        bool initiator_sends = *vector.hash == 0;
        for (std::size_t at = 3; at < 6 && vector.lines[at].payload != nullptr; ++at) {
            Ciphers& from = initiator_sends ? one : two;
            Ciphers& to = initiator_sends ? two : one;
            const Bytes payload = from_hex(vector.lines[at].payload);
            const Result<Bytes> sealed = from.send.encrypt({}, payload);
            ASSERT_TRUE(sealed);
            EXPECT_EQ(to_hex(*sealed), vector.lines[at].message);
            const Result<Bytes> opened = to.receive.decrypt({}, *sealed);
            ASSERT_TRUE(opened) << opened.error().message;
            EXPECT_EQ(*opened, payload);
            initiator_sends = !initiator_sends;
        }
    }
}

/// The handshake of `vectors[1]`, as far as before message `count`.
Ends before_message(std::size_t count) {
    Ends ends = ends_of(vectors[1]);
    for (std::size_t at = 0; at < count; ++at) {
        pass(ends, bytes_of("payload"));
    }
    return ends;
}

TEST(Noise, RefusesAHandshakeMessageWithAnyByteAltered) {
    // The first message is open: what was altered in it shows when the second is read.
    for (std::size_t count = 0; count < 3; ++count) {
        Ends model = before_message(count);
        const std::size_t size = model.writer().write_message(bytes_of("payload"))->size();
        for (std::size_t at = 0; at < size; ++at) {
            Ends ends = before_message(count);
            Handshake& reader = ends.reader();
            Bytes message = ends.writer().write_message(bytes_of("payload")).take();
            message[at] ^= 1;
            Result<Bytes> read = reader.read_message(message);
            if (count == 0) {
                ASSERT_TRUE(read);
                const Bytes second = ends.responder.write_message({}).take();
                read = ends.initiator.read_message(second);
            }
            ASSERT_FALSE(read) << count << " " << at;
            EXPECT_EQ(read.error().code, Errc::refused);
        }
    }
}

TEST(Noise, RefusesAHandshakeMessageThatIsCut) {
    for (std::size_t count = 0; count < 3; ++count) {
        Ends model = before_message(count);
        const std::size_t size = model.writer().write_message({})->size();
        for (std::size_t kept = 0; kept < size; ++kept) {
            Ends ends = before_message(count);
            Handshake& reader = ends.reader();
            Bytes message = ends.writer().write_message({}).take();
            message.resize(kept);
            const Result<Bytes> read = reader.read_message(message);
            ASSERT_FALSE(read) << count << " " << kept;
            EXPECT_TRUE(read.error().code == Errc::malformed || read.error().code == Errc::refused);
        }
    }
}

TEST(Noise, IsOverAfterAnError) {
    Ends ends = before_message(1);
    const Bytes good = ends.responder.write_message({}).take();
    Bytes bad = good;
    bad.back() ^= 1;
    EXPECT_FALSE(ends.initiator.read_message(bad));
    const Result<Bytes> again = ends.initiator.read_message(good);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, Errc::refused);
    EXPECT_EQ(again.error().message, "the handshake has failed");
    EXPECT_FALSE(ends.initiator.complete());
}

TEST(Noise, RefusesAnEndWithAnotherPrologue) {
    Ends ends = ends_of(vectors[1]);
    ends.initiator = Handshake(Role::initiator,
                               seeds(vectors[1].initiator_static, vectors[1].initiator_ephemeral),
                               bytes_of("other"));
    pass(ends, {});
    const Bytes second = ends.responder.write_message({}).take();
    EXPECT_EQ(ends.initiator.read_message(second).error().code, Errc::refused);
}

// RFC 7748, section 6.1, wants these found: the u-coordinates 0, 1, p - 1 and p (which is 0 again),
// p = 2^255 - 19 in little-endian order, belong to points whose order divides 8.
const char* const small_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

TEST(Noise, RefusesKeysThatGiveASecretOfZeros) {
    for (const char* const point : small_order) {
        Ends ends = ends_of(vectors[1]);
        ASSERT_TRUE(ends.responder.read_message(from_hex(point)));
        const Result<Bytes> answer = ends.responder.write_message({});
        ASSERT_FALSE(answer) << point;
        EXPECT_EQ(answer.error().code, Errc::refused);

        Ends other = before_message(1);
        Bytes message = other.responder.write_message({}).take();
        std::ranges::copy(from_hex(point), message.begin());
        EXPECT_EQ(other.initiator.read_message(message).error().message,
                  "the peer's key gives no secret");
    }
}

TEST(Noise, CarriesAHandshakePayloadUpToTheBoundAndNotOnePast) {
    const std::size_t overhead[] = {32, 32 + 48 + 16, 48 + 16};
    for (std::size_t count = 0; count < 3; ++count) {
        Ends most = before_message(count);
        pass(most, Bytes(limits::message_bytes_max - overhead[count], 7));
        Ends past = before_message(count);
        const Bytes payload(limits::message_bytes_max - overhead[count] + 1, 7);
        EXPECT_EQ(past.writer().write_message(payload).error().code, Errc::too_large);
        Ends read = before_message(count);
        EXPECT_EQ(read.reader().read_message(Bytes(limits::message_bytes_max + 1)).error().code,
                  Errc::too_large);
    }
}

struct CipherPair {
    Cipher one{Bytes(32, 5)};
    Cipher two{Bytes(32, 5)};
};

TEST(NoiseCipher, RefusesWhatIsAlteredRepeatedDisplacedOrOfOtherContext) {
    CipherPair pair;
    const Bytes first = pair.one.encrypt(bytes_of("context"), bytes_of("first")).take();
    const Bytes second = pair.one.encrypt(bytes_of("context"), bytes_of("second")).take();
    for (std::size_t at = 0; at < first.size(); ++at) {
        Bytes altered = first;
        altered[at] ^= 0x80;
        EXPECT_EQ(pair.two.decrypt(bytes_of("context"), altered).error().code, Errc::refused);
    }
    EXPECT_EQ(pair.two.decrypt(bytes_of("contexu"), first).error().code, Errc::refused);
    EXPECT_EQ(pair.two.decrypt(bytes_of("context"), second).error().code, Errc::refused);
    // None of these took the nonce.
    ASSERT_TRUE(pair.two.decrypt(bytes_of("context"), first));
    EXPECT_EQ(pair.two.decrypt(bytes_of("context"), first).error().code, Errc::refused);
    EXPECT_TRUE(pair.two.decrypt(bytes_of("context"), second));
    EXPECT_EQ(pair.two.decrypt({}, Bytes(tag_bytes - 1)).error().code, Errc::malformed);
}

TEST(NoiseCipher, SealsUpToTheBoundAndNotOnePast) {
    CipherPair pair;
    const Bytes most(limits::message_bytes_max - tag_bytes, 9);
    const Bytes sealed = pair.one.encrypt({}, most).take();
    EXPECT_EQ(sealed.size(), limits::message_bytes_max);
    EXPECT_EQ(pair.two.decrypt({}, sealed).take(), most);
    EXPECT_EQ(pair.one.encrypt({}, Bytes(most.size() + 1)).error().code, Errc::too_large);
    EXPECT_EQ(pair.two.decrypt({}, Bytes(limits::message_bytes_max + 1)).error().code,
              Errc::too_large);
}

TEST(NoiseCipher, NeverUsesTheLastNonce) {
    CipherPair pair;
    pair.one.set_nonce(limits::nonce_end - 1);
    pair.two.set_nonce(limits::nonce_end - 1);
    const Bytes last = pair.one.encrypt({}, bytes_of("last")).take();
    ASSERT_TRUE(pair.two.decrypt({}, last));
    EXPECT_EQ(pair.one.encrypt({}, bytes_of("past")).error().code, Errc::refused);
    EXPECT_EQ(pair.two.decrypt({}, last).error().code, Errc::refused);
    EXPECT_EQ(pair.one.encrypt({}, {}).error().message,
              "the link has used up its nonces: open another");
}

TEST(Wipe, LeavesZeros) {
    std::array<std::uint8_t, 3> secret{1, 2, 3};
    wipe(secret);
    EXPECT_EQ(secret, (std::array<std::uint8_t, 3>{}));
}

} // namespace
} // namespace ic::noise
