#include "session/pairing.h"
#include "session/session.h"
#include "session/testing/nodes.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace ic::session {
namespace {

using namespace std::chrono_literals;
using testing::answerer_entropy;
using testing::dialler_entropy;
using testing::entropy_of;
using testing::Nodes;

const Instant start{100s};
const PairCode code{0x2bc0ffee & 0x3fffffff};

PairingOptions options_of(PairRole role, PairCode own_code = code, std::uint8_t binding = 9) {
    PairingOptions options;
    options.role = role;
    options.code = own_code;
    options.binding.fill(binding);
    options.seed.fill(static_cast<std::uint8_t>(role));
    options.self.name = role == PairRole::inviter ? "inviter" : "joiner";
    options.self.at = {"/ip4/192.0.2.7/tcp/4001/p2p/12D3KooWother"};
    return options;
}

struct End {
    std::optional<Introduction> other;
    std::optional<Error> error;
};

/// An attempt from its beginning to its end; `on_way` may change the n-th payload, from 0 on.
struct Attempt {
    Pairing inviter;
    Pairing joiner;
    End at_inviter;
    End at_joiner;
    std::vector<Bytes> payloads;

    explicit Attempt(PairingOptions of_inviter = options_of(PairRole::inviter),
                     PairingOptions of_joiner = options_of(PairRole::joiner))
        : inviter(std::move(of_inviter), start)
        , joiner(std::move(of_joiner), start) {}

    void run(const std::function<void(std::size_t, Bytes&)>& on_way = {}) {
        std::optional<Bytes> payload = joiner.first();
        while (payload) {
            if (on_way) {
                on_way(payloads.size(), *payload);
            }
            const bool to_inviter = payloads.size() % 2 == 0;
            payloads.push_back(*payload);
            End& end = to_inviter ? at_inviter : at_joiner;
            Result<PairStep> step = (to_inviter ? inviter : joiner).take(*payload, start);
            if (!step) {
                end.error = step.error();
                return;
            }
            end.other = step->other;
            payload = step->reply;
        }
    }
};

TEST(PairCode, PrintsWhatItReads) {
    EXPECT_EQ(code.to_string(), "NW1-ZZE");
    for (const char* const text : {"NW1-ZZE", "nw1zze", "nwl-zze", " N W I Z Z E ", "NW-1ZZ-E"}) {
        EXPECT_EQ(*PairCode::parse(text), code) << text;
    }
    EXPECT_EQ(*PairCode::parse("IL1-ooo"), (PairCode{0x1 << 25U | 0x1 << 20U | 0x1 << 15U}));
    EXPECT_EQ(PairCode::parse(PairCode{0}.to_string())->bits, 0U);
    EXPECT_EQ(PairCode::parse(PairCode{0x3fffffff}.to_string())->bits, 0x3fffffffU);
    EXPECT_EQ(PairCode::of({0xff, 0xff, 0xff, 0xff}).bits, 0x3fffffffU);
}

TEST(PairCode, IsSixLettersAndNothingElse) {
    for (const char* const text : {"", "NW1-ZZ", "NW1-ZZEE", "NW1-ZZU", "NW1_ZZE", "NW1-ZZ\xc3"}) {
        const Result<PairCode> read = PairCode::parse(text);
        ASSERT_FALSE(read) << text;
        EXPECT_EQ(read.error().code, Errc::usage);
    }
}

TEST(Introduction, ReadsBackAndIsRefusedCutAnywhere) {
    const Introduction introduction{.name = "caf\u00e9", .at = {"/ip4/1", "/ip6/2"}};
    const Bytes bytes = encode(introduction);
    EXPECT_EQ(*decode_introduction(bytes), introduction);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_EQ(decode_introduction(ByteView{bytes}.first(size)).error().code, Errc::malformed);
    }
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_EQ(decode_introduction(longer).error().code, Errc::malformed);
}

TEST(Introduction, HasItsMostOfEachAndNotOneMore) {
    Introduction most{
        .name = std::string(limits::pair_name_bytes_max, 'n'),
        .at = std::vector<std::string>(limits::pair_addresses_max,
                                       std::string(limits::pair_address_bytes_max, 'a'))};
    const Bytes bytes = encode(most);
    EXPECT_EQ(*decode_introduction(bytes), most);
    Bytes long_name = bytes;
    ++long_name[0];
    EXPECT_EQ(decode_introduction(long_name).error().code, Errc::too_large);
    Bytes many = bytes;
    ++many[1 + limits::pair_name_bytes_max];
    EXPECT_EQ(decode_introduction(many).error().code, Errc::too_large);
    Bytes long_address = bytes;
    ++long_address[1 + limits::pair_name_bytes_max + 1]; // Low bits of a varint of two bytes.
    EXPECT_EQ(decode_introduction(long_address).error().code, Errc::too_large);
    EXPECT_EQ(decode_introduction(Bytes{1, 0xff, 0}).error().code, Errc::malformed);
    EXPECT_EQ(decode_introduction(Bytes{0, 1, 1, ' '}).error().code, Errc::malformed);
}

TEST(Pairing, TellsEachEndOfTheOtherIfTheCodeIsTheSame) {
    Attempt attempt;
    attempt.run();
    ASSERT_TRUE(attempt.at_inviter.other && attempt.at_joiner.other);
    EXPECT_EQ(*attempt.at_inviter.other, options_of(PairRole::joiner).self);
    EXPECT_EQ(*attempt.at_joiner.other, options_of(PairRole::inviter).self);
    EXPECT_EQ(attempt.payloads.size(), 4 * limits::pair_rounds + 2);
    EXPECT_FALSE(attempt.inviter.first()) << "the joiner begins";
    EXPECT_FALSE(attempt.joiner.first()) << "once";
}

TEST(Pairing, EndsAtTheFirstBitThatDiffersAndTellsNoLater) {
    for (std::size_t bit = 0; bit < limits::pair_rounds; ++bit) {
        const PairCode other{code.bits ^ 1U << (limits::pair_rounds - 1 - bit)};
        Attempt attempt(options_of(PairRole::inviter), options_of(PairRole::joiner, other));
        attempt.run();
        ASSERT_TRUE(attempt.at_inviter.error) << bit;
        EXPECT_EQ(attempt.at_inviter.error->code, Errc::refused);
        EXPECT_FALSE(attempt.at_inviter.other || attempt.at_joiner.other);
        // Commitment, commitment, nonce in that round: the inviter's nonce is never shown.
        EXPECT_EQ(attempt.payloads.size(), 4 * bit + 3);
        EXPECT_TRUE(attempt.inviter.is_spent());
    }
}

TEST(Pairing, IsOfOneSessionAlone) {
    Attempt attempt(options_of(PairRole::inviter, code, 1), options_of(PairRole::joiner, code, 2));
    attempt.run();
    ASSERT_TRUE(attempt.at_inviter.error);
    EXPECT_EQ(attempt.at_inviter.error->code, Errc::refused);
}

TEST(Pairing, NoticesWhateverIsChangedOnItsWay) {
    const std::size_t payloads = 4 * limits::pair_rounds;
    for (std::size_t changed = 0; changed < payloads; changed += 7) {
        for (const std::size_t place : {std::size_t{0}, std::size_t{1}, std::size_t{32}}) {
            Attempt attempt;
            attempt.run([&](std::size_t n, Bytes& payload) {
                if (n == changed) {
                    payload[place] ^= 1U;
                }
            });
            EXPECT_TRUE(attempt.at_inviter.error || attempt.at_joiner.error)
                << changed << " " << place;
            EXPECT_FALSE(attempt.at_inviter.other && attempt.at_joiner.other);
        }
    }
}

TEST(Pairing, TakesNoPayloadOfAnotherLength) {
    for (const std::size_t changed :
         {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{3}}) {
        for (const int more : {-1, 1}) {
            Attempt attempt;
            attempt.run([&](std::size_t n, Bytes& payload) {
                if (n == changed) {
                    payload.resize(static_cast<std::size_t>(33 + more));
                }
            });
            const End& end = changed % 2 == 0 ? attempt.at_inviter : attempt.at_joiner;
            ASSERT_TRUE(end.error);
            EXPECT_EQ(end.error->code, Errc::malformed);
        }
    }
}

TEST(Pairing, DoesNotTakeItsOwnWordsForTheOthers) {
    // An echo: what the joiner says comes back to it.
    Pairing joiner(options_of(PairRole::joiner), start);
    std::optional<Bytes> payload = joiner.first();
    Result<PairStep> step = joiner.take(*payload, start);
    ASSERT_TRUE(step) << "a commitment tells nothing yet";
    step = joiner.take(*step->reply, start);
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().code, Errc::refused);
}

TEST(Pairing, IsOverAfterAnError) {
    Pairing inviter(options_of(PairRole::inviter), start);
    EXPECT_EQ(inviter.take({}, start).error().code, Errc::malformed);
    Pairing joiner(options_of(PairRole::joiner), start);
    EXPECT_EQ(inviter.take(*joiner.first(), start).error().code, Errc::malformed);
    EXPECT_FALSE(inviter.is_spent());
}

TEST(Pairing, EndsAtItsTime) {
    Pairing inviter(options_of(PairRole::inviter), start);
    Pairing joiner(options_of(PairRole::joiner), start);
    const Bytes first = *joiner.first();
    EXPECT_TRUE(Pairing(options_of(PairRole::inviter), start).take(first, start + 29'999ms));
    EXPECT_EQ(inviter.take(first, start + 30s).error().code, Errc::expired);
}

TEST(Pairing, MessagesOfAnAttemptAreOfNoUseInAnother) {
    Attempt heard;
    heard.run();
    // The same code in another session: what was heard is said again.
    Pairing inviter(options_of(PairRole::inviter, code, 10), start);
    ASSERT_TRUE(inviter.take(heard.payloads[0], start));
    const Result<PairStep> step = inviter.take(heard.payloads[2], start);
    ASSERT_FALSE(step);
    EXPECT_EQ(step.error().code, Errc::refused);
}

/// Two sessions by way of somebody who makes both handshakes.
struct Relay {
    Nodes nodes;
    PrivateKey key = testing::key_of(0x33);
    Self self{.instance = testing::instance_of(0xee), .key = &key, .name = {}, .software = {}};
    Session joiner = Session::dial(nodes.dialler, entropy_of(dialler_entropy));
    Session to_joiner = Session::answer(self, entropy_of(1));
    Session to_inviter = Session::dial(self, entropy_of(65));
    Session inviter = Session::answer(nodes.answerer, entropy_of(answerer_entropy));

    static void shake(Session& dialler, Session& answerer) {
        const Bytes reply = *answerer.take(*dialler.first())->reply;
        ASSERT_TRUE(answerer.take(*dialler.take(reply)->reply)->established_now);
    }

    Relay() {
        shake(joiner, to_joiner);
        shake(to_inviter, inviter);
    }
};

TEST(Pairing, NoticesARelayThatMakesItsOwnHandshakes) {
    const Relay relay;
    EXPECT_EQ(relay.joiner.binding(), relay.to_joiner.binding());
    EXPECT_NE(relay.joiner.binding(), relay.inviter.binding());
    PairingOptions of_inviter = options_of(PairRole::inviter);
    of_inviter.binding = relay.inviter.binding();
    PairingOptions of_joiner = options_of(PairRole::joiner);
    of_joiner.binding = relay.joiner.binding();
    // It passes on what both say, over its two sessions.
    Attempt attempt(of_inviter, of_joiner);
    attempt.run();
    ASSERT_TRUE(attempt.at_inviter.error);
    EXPECT_EQ(attempt.at_inviter.error->code, Errc::refused);
    EXPECT_FALSE(attempt.at_joiner.other);
}

TEST(Pairing, ARelayThatGuessesIsFoundOutAtItsFirstWrongBit) {
    // It speaks for itself to both, and learns each bit of the inviter's one round late: when it
    // has already said which it believes in. Here it believes in zeros.
    const PairCode believed{0};
    Attempt towards_inviter(options_of(PairRole::inviter, code, 1),
                            options_of(PairRole::joiner, believed, 1));
    Attempt towards_joiner(options_of(PairRole::inviter, believed, 2),
                           options_of(PairRole::joiner, code, 2));
    towards_inviter.run();
    towards_joiner.run();
    EXPECT_TRUE(towards_inviter.at_inviter.error);
    EXPECT_FALSE(towards_inviter.at_inviter.other);
    EXPECT_FALSE(towards_joiner.at_joiner.other);
    // The first bit of the code is a one.
    EXPECT_EQ(towards_inviter.payloads.size(), 3U);
    EXPECT_EQ(towards_joiner.payloads.size(), 3U);
}

class InvitationTest : public ::testing::Test {
protected:
    /// An attempt that has been shown a wrong bit, or broke off before it was.
    static Pairing failed(bool spent) {
        Attempt attempt(options_of(PairRole::inviter),
                        options_of(PairRole::joiner, PairCode{~code.bits & 0x3fffffffU}));
        if (spent) {
            attempt.run();
        }
        return std::move(attempt.inviter);
    }

    Invitation invitation{code, {.codes_max = 3, .valid = 600s}, start};
};

TEST_F(InvitationTest, LetsOneAtATimeIn) {
    ASSERT_TRUE(invitation.begin(start));
    EXPECT_EQ(invitation.begin(start).error().code, Errc::unavailable);
    EXPECT_EQ(invitation.failed(failed(false)), Invitation::Next::same_code);
    EXPECT_TRUE(invitation.begin(start));
}

TEST_F(InvitationTest, HasFewCodesEachForOneTry) {
    for (std::uint32_t number = 1; number <= 2; ++number) {
        ASSERT_TRUE(invitation.begin(start));
        ASSERT_EQ(invitation.failed(failed(true)), Invitation::Next::new_code);
        EXPECT_EQ(invitation.begin(start).error().code, Errc::unavailable)
            << "a code that is spent";
        invitation.renew(PairCode{number});
        EXPECT_EQ(invitation.code(), PairCode{number});
    }
    ASSERT_TRUE(invitation.begin(start));
    EXPECT_EQ(invitation.failed(failed(true)), Invitation::Next::over);
    EXPECT_FALSE(invitation.begin(start));
}

TEST_F(InvitationTest, EndsAtItsTime) {
    EXPECT_FALSE(invitation.is_expired(start + 599s));
    EXPECT_TRUE(invitation.begin(start + 599s));
    EXPECT_TRUE(invitation.is_expired(start + 600s));
    EXPECT_EQ(invitation.begin(start + 600s).error().code, Errc::expired);
}

} // namespace
} // namespace ic::session
