/// Other ends that speak Noise by hand, as somebody would who knows the protocol and means ill.

#include "identity/noise.h"
#include "session/hello.h"
#include "session/session.h"
#include "session/testing/nodes.h"

#include <gtest/gtest.h>

#include <functional>
#include <initializer_list>
#include <optional>
#include <utility>

namespace ic::session {
namespace {

using testing::answerer_entropy;
using testing::dialler_entropy;
using testing::entropy_of;
using testing::expect_over;
using testing::Nodes;

noise::Seeds seeds_of(std::uint8_t byte) {
    noise::Seeds seeds;
    seeds.static_key.fill(byte);
    seeds.ephemeral_key.fill(static_cast<std::uint8_t>(byte + 1));
    return seeds;
}

Hello hello_of(const Self& self, noise::Role role, const noise::Key& static_key) {
    Hello hello;
    hello.instance = self.instance;
    hello.key = self.key->public_key();
    hello.signature = self.key->sign(proof(role, static_key));
    hello.name = self.name;
    hello.software = self.software;
    return hello;
}

/// A dialler by hand, for an answerer of ours.
struct HandDialler {
    Nodes nodes;
    Session answerer = Session::answer(nodes.answerer, entropy_of(answerer_entropy));
    noise::Handshake noise;

    explicit HandDialler(std::string_view prologue = protocol)
        : noise(noise::Role::initiator, seeds_of(7), bytes_of(prologue)) {}

    Hello hello() const {
        return hello_of(nodes.dialler, noise::Role::initiator, noise.static_key());
    }

    /// The answer to a third message with this payload.
    Result<Step> shake(ByteView payload) {
        const Bytes first = noise.write_message({}).take();
        const Bytes second = *TRY(answerer.take(first)).reply;
        TRY(noise.read_message(second));
        return answerer.take(noise.write_message(payload).take());
    }
};

TEST(SessionAttack, TakesADiallerByHand) {
    HandDialler dialler;
    const Result<Step> step = dialler.shake(encode(dialler.hello()));
    ASSERT_TRUE(step) << step.error().message;
    EXPECT_TRUE(step->established_now);
}

TEST(SessionAttack, RefusesAHelloWhoseSignatureIsNotTheKeys) {
    const std::function<void(HandDialler&, Hello&)> lies[] = {
        // Another's key; another's signature; of another role; of another session's key.
        [](HandDialler& dialler, Hello& hello) {
            hello.key = dialler.nodes.answerer_key.public_key();
        },
        [](HandDialler&, Hello& hello) { hello.signature[0] ^= 1; },
        [](HandDialler& dialler, Hello& hello) {
            hello =
                hello_of(dialler.nodes.dialler, noise::Role::responder, dialler.noise.static_key());
        },
        [](HandDialler& dialler, Hello& hello) {
            hello = hello_of(dialler.nodes.dialler, noise::Role::initiator, noise::Key{1});
        },
        [](HandDialler& dialler, Hello& hello) {
            hello.signature = dialler.nodes.dialler_key.sign(dialler.noise.static_key());
        },
    };
    for (const auto& lie : lies) {
        HandDialler dialler;
        Hello hello = dialler.hello();
        lie(dialler, hello);
        const Result<Step> step = dialler.shake(encode(hello));
        ASSERT_FALSE(step);
        EXPECT_EQ(step.error().code, Errc::refused);
        EXPECT_FALSE(dialler.answerer.established());
        expect_over(dialler.answerer, step.error(), {});
    }
}

TEST(SessionAttack, RefusesAHelloThatIsNotOne) {
    HandDialler none;
    EXPECT_EQ(none.shake({}).error().code, Errc::malformed);
    HandDialler later;
    Bytes hello = encode(later.hello());
    hello[0] = 2;
    EXPECT_EQ(later.shake(hello).error().code, Errc::unsupported);
}

TEST(SessionAttack, RefusesAPayloadInTheFirstMessage) {
    HandDialler dialler;
    const Bytes first = dialler.noise.write_message(bytes_of("x")).take();
    EXPECT_EQ(dialler.answerer.take(first).error().code, Errc::malformed);
}

TEST(SessionAttack, RefusesAnotherVersionOfTheProtocol) {
    // Its own second message does not open to the other's dialler.
    HandDialler other("ipfs-compute/session/2");
    const Result<Step> step = other.shake(encode(other.hello()));
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().code, Errc::refused);

    const Nodes nodes;
    Session dialler = Session::dial(nodes.dialler, entropy_of(dialler_entropy));
    noise::Handshake answerer(
        noise::Role::responder, seeds_of(9), bytes_of("ipfs-compute/session/2"));
    ASSERT_TRUE(answerer.read_message(*dialler.first()));
    const Hello hello = hello_of(nodes.answerer, noise::Role::responder, answerer.static_key());
    const Result<Step> answer = dialler.take(answerer.write_message(encode(hello)).take());
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Errc::refused);
}

TEST(SessionAttack, RefusesWhoeverIsInBetweenWithKeysOfTheirOwn) {
    const Nodes nodes;
    Session dialler = Session::dial(nodes.dialler, entropy_of(dialler_entropy));
    Session answerer = Session::answer(nodes.answerer, entropy_of(answerer_entropy));
    noise::Handshake to_dialler(noise::Role::responder, seeds_of(7), bytes_of(protocol));
    noise::Handshake to_answerer(noise::Role::initiator, seeds_of(9), bytes_of(protocol));
    // The one in between reads the answerer's hello, signature and all, and passes it on.
    ASSERT_TRUE(to_dialler.read_message(*dialler.first()));
    const Bytes second = *answerer.take(to_answerer.write_message({}).take())->reply;
    const Bytes hello = to_answerer.read_message(second).take();
    ASSERT_TRUE(decode_hello(hello));
    const Result<Step> step = dialler.take(to_dialler.write_message(hello).take());
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().code, Errc::refused);
    EXPECT_FALSE(dialler.established());

    // Nor can it use with the answerer what a dialler once told it as an answerer.
    HandDialler liar;
    noise::Handshake trap(noise::Role::responder, seeds_of(5), bytes_of(protocol));
    const Nodes victim;
    Session lured = Session::dial(victim.dialler, entropy_of(1));
    ASSERT_TRUE(trap.read_message(*lured.first()));
    const Hello own = hello_of(victim.answerer, noise::Role::responder, trap.static_key());
    const Bytes third = *lured.take(trap.write_message(encode(own)).take())->reply;
    const Bytes told = trap.read_message(third).take();
    EXPECT_EQ(liar.shake(told).error().code, Errc::refused);
}

/// An answerer whose records the test writes itself.
struct HandRecords {
    HandDialler dialler;
    std::optional<noise::Ciphers> ciphers;

    HandRecords() {
        EXPECT_TRUE(dialler.shake(encode(dialler.hello())));
        ciphers = std::move(dialler.noise).split();
    }

    Result<Step> send(std::size_t piece, std::initializer_list<std::uint8_t> flags) {
        Bytes plain(piece, 'p');
        plain.insert(plain.end(), flags.begin(), flags.end());
        return dialler.answerer.take(ciphers->send.encrypt({}, plain).take());
    }
};

TEST(SessionAttack, RefusesRecordsThatAreNotTheOnlyFormOfTheirPayload) {
    constexpr std::size_t full = limits::piece_bytes_max;
    HandRecords good;
    ASSERT_TRUE(good.send(full, {1}));
    EXPECT_EQ(good.send(1, {0})->payload, Bytes(full + 1, 'p'));

    HandRecords no_flag;
    EXPECT_EQ(no_flag.send(0, {}).error().code, Errc::malformed);
    HandRecords unknown_flag;
    EXPECT_EQ(unknown_flag.send(1, {2}).error().code, Errc::malformed);
    HandRecords early;
    EXPECT_EQ(early.send(full - 1, {1}).error().code, Errc::malformed);
    HandRecords empty_end;
    ASSERT_TRUE(empty_end.send(full, {1}));
    EXPECT_EQ(empty_end.send(0, {0}).error().code, Errc::malformed);
}

TEST(SessionAttack, RefusesAPayloadOnePastTheLimit) {
    constexpr std::size_t full = limits::piece_bytes_max;
    constexpr std::size_t rest = limits::payload_bytes_max - 2 * full;
    for (const std::size_t past : {0U, 1U}) {
        HandRecords hand;
        ASSERT_TRUE(hand.send(full, {1}));
        ASSERT_TRUE(hand.send(full, {1}));
        const Result<Step> step = hand.send(rest + past, {0});
        if (past == 0) {
            ASSERT_TRUE(step);
            EXPECT_EQ(step->payload->size(), limits::payload_bytes_max);
        } else {
            ASSERT_FALSE(step);
            EXPECT_EQ(step.error().code, Errc::too_large);
        }
    }
    HandRecords endless;
    ASSERT_TRUE(endless.send(full, {1}));
    ASSERT_TRUE(endless.send(full, {1}));
    EXPECT_EQ(endless.send(full, {1}).error().code, Errc::too_large);
}

} // namespace
} // namespace ic::session
