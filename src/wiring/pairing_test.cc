#include "base/time.h"
#include "net/web_socket.h"
#include "session/session.h"
#include "session/testing/nodes.h"
#include "wiring/pairing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <thread>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;
using session::PairCode;
using ::testing::HasSubstr;

/// One end, on a thread and a loop of its own.
class End {
public:
    explicit End(std::uint8_t seed, const std::string& name) : key(session::testing::key_of(seed)) {
        self.key = &key;
        self.software = "test";
        self.introduction = {.name = name, .at = {"/ip4/192.0.2.7/tcp/4001/p2p/" + name}};
        self.keep = [this](const Paired& paired) -> Result<void> {
            kept.push_back(paired);
            return {};
        };
    }

    PrivateKey key;
    PairSelf self;
    std::vector<Paired> kept;

    Result<Paired> join(const PairCode& code, std::uint16_t port) {
        const std::unique_ptr<net::EventLoop> loop = net::EventLoop::open().take();
        return join_by_code(*loop, self, code, {"http://127.0.0.1:" + std::to_string(port)});
    }
};

/// An invitation on another thread, and the codes that it shows.
class Inviting {
public:
    explicit Inviting(std::optional<PairCode> code = std::nullopt,
                      session::InvitationOptions invitation = {},
                      std::optional<Error> keep_error = std::nullopt) {
        if (keep_error) {
            end.self.keep = [error = *keep_error](const Paired& /*paired*/) -> Result<void> {
                return error;
            };
        }
        options_.listen = "127.0.0.1:0";
        options_.code = code;
        options_.invitation = invitation;
        options_.on_code = [this](const PairCode& shown, std::uint16_t port) -> Result<void> {
            const std::lock_guard lock(mutex_);
            codes_.push_back(shown);
            port_ = port;
            return {};
        };
        options_.note = log::Sink(log::Level::info, [this](const log::Entry& entry) {
            const std::lock_guard lock(mutex_);
            notes_.emplace_back(entry.message);
        });
        result_ = std::async(std::launch::async, [this] {
            const std::unique_ptr<net::EventLoop> loop = net::EventLoop::open().take();
            return invite_to_pair(*loop, end.self, options_);
        });
    }

    End end{0x22, "inviter"};

    /// The n-th code, from 1 on; within a minute.
    PairCode code(std::size_t number) {
        const Instant until = now_since_boot() + 60s;
        while (now_since_boot() < until) {
            {
                const std::lock_guard lock(mutex_);
                if (codes_.size() >= number) {
                    return codes_[number - 1];
                }
            }
            std::this_thread::sleep_for(5ms);
        }
        ADD_FAILURE() << "no code " << number;
        return {};
    }

    std::uint16_t port() {
        code(1);
        const std::lock_guard lock(mutex_);
        return port_;
    }

    Result<Paired> result() { return result_.get(); }

    std::vector<std::string> notes() {
        const std::lock_guard lock(mutex_);
        return notes_;
    }

private:
    InviteOptions options_;
    std::mutex mutex_;
    std::vector<PairCode> codes_;
    std::vector<std::string> notes_;
    std::uint16_t port_ = 0;
    std::future<Result<Paired>> result_; // Last: it uses all of the above.
};

PairCode wrong(const PairCode& code) { return {code.bits ^ 1U}; } // At its last bit.

TEST(PairingOverHttp, TellsEachOfTheOther) {
    Inviting inviting;
    End joiner(0x11, "joiner");
    const Result<Paired> joined = joiner.join(inviting.code(1), inviting.port());
    ASSERT_TRUE(joined) << joined.error().message;
    const Result<Paired> invited = inviting.result();
    ASSERT_TRUE(invited) << invited.error().message;
    EXPECT_EQ(joined->key, inviting.end.key.public_key());
    EXPECT_EQ(joined->other, inviting.end.self.introduction);
    EXPECT_EQ(invited->key, joiner.key.public_key());
    EXPECT_EQ(invited->other, joiner.self.introduction);
    EXPECT_EQ(joiner.kept.size(), 1U);
    EXPECT_EQ(inviting.end.kept.size(), 1U);
}

TEST(PairingOverHttp, HasANewCodeAfterAWrongOneAndEndsAfterThree) {
    Inviting inviting;
    End joiner(0x11, "joiner");
    for (std::size_t number = 1; number <= 3; ++number) {
        const Result<Paired> joined = joiner.join(wrong(inviting.code(number)), inviting.port());
        ASSERT_FALSE(joined);
        EXPECT_EQ(joined.error().code, Errc::refused);
        EXPECT_THAT(joined.error().message, HasSubstr("the code is not the same"));
    }
    EXPECT_NE(inviting.code(1), inviting.code(2));
    const Result<Paired> invited = inviting.result();
    ASSERT_FALSE(invited);
    EXPECT_EQ(invited.error().code, Errc::refused);
    EXPECT_EQ(inviting.notes().size(), 3U);
    EXPECT_TRUE(joiner.kept.empty() && inviting.end.kept.empty());
}

TEST(PairingOverHttp, TakesTheNewCodeAndNotTheSpentOne) {
    Inviting inviting;
    End joiner(0x11, "joiner");
    const PairCode first = inviting.code(1);
    ASSERT_FALSE(joiner.join(wrong(first), inviting.port()));
    const PairCode second = inviting.code(2);
    ASSERT_NE(first, second);
    const Result<Paired> joined = joiner.join(second, inviting.port());
    ASSERT_TRUE(joined) << joined.error().message;
    EXPECT_TRUE(inviting.result());
}

TEST(PairingOverHttp, TriesAGivenCodeOnce) {
    const PairCode code{12'345};
    Inviting inviting(code, {.codes_max = 1});
    End joiner(0x11, "joiner");
    EXPECT_EQ(inviting.code(1), code);
    ASSERT_FALSE(joiner.join(wrong(code), inviting.port()));
    EXPECT_FALSE(inviting.result());
}

TEST(PairingOverHttp, EndsWhenNobodyComes) {
    Inviting inviting(std::nullopt, {.valid = 50ms});
    const Result<Paired> invited = inviting.result();
    ASSERT_FALSE(invited);
    EXPECT_EQ(invited.error().code, Errc::expired);
}

TEST(PairingOverHttp, IsNotOfOneKeyWithItself) {
    Inviting inviting;
    End same(0x22, "same");
    const Result<Paired> joined = same.join(inviting.code(1), inviting.port());
    ASSERT_FALSE(joined);
    EXPECT_EQ(joined.error().code, Errc::refused);
    End other(0x11, "other");
    EXPECT_TRUE(other.join(inviting.code(1), inviting.port()));
    EXPECT_TRUE(inviting.result());
}

TEST(PairingOverHttp, SaysThatNobodyIsThere) {
    End joiner(0x11, "joiner");
    const Result<Paired> joined = joiner.join(PairCode{1}, 1);
    ASSERT_FALSE(joined);
    EXPECT_EQ(joined.error().code, Errc::unavailable);
    EXPECT_THAT(joined.error().message, HasSubstr("http://127.0.0.1:1"));
}

TEST(PairingOverHttp, TellsNobodyThatItIsDoneBeforeItIsKept) {
    Inviting inviting(std::nullopt, {.codes_max = 1}, Error{Errc::storage_full, "no room"});
    End joiner(0x11, "joiner");
    const Result<Paired> joined = joiner.join(inviting.code(1), inviting.port());
    EXPECT_FALSE(joined);
    EXPECT_TRUE(joiner.kept.empty());
    const Result<Paired> invited = inviting.result();
    ASSERT_FALSE(invited);
    EXPECT_EQ(invited.error().code, Errc::storage_full);
}

/// Somebody on a loop of its own who speaks the carrier, and of pairing what a test has it say.
class Stranger {
public:
    explicit Stranger(std::uint16_t port) {
        net::WebSocketOptions options;
        options.subprotocol = "ipfs-compute-pair.1";
        net::WebSocketCallbacks callbacks;
        callbacks.on_open = [this] {
            is_open = true;
            if (is_speaking) {
                socket_->send(*session_.first());
            }
        };
        callbacks.on_message = [this](ByteView message) { take(message); };
        callbacks.on_closed = [this](const std::string& /*why*/) { is_closed = true; };
        socket_ = net::WebSocket::dial(*loop_,
                                       "http://127.0.0.1:" + std::to_string(port) +
                                           "/ipfs-compute/pair/1",
                                       options,
                                       std::move(callbacks))
                      .take();
    }

    /// Within a minute.
    bool run_until(const bool& flag) {
        const Instant until = now_since_boot() + 60s;
        while (!flag && now_since_boot() < until) {
            loop_->run_for(5ms);
        }
        return flag;
    }

    bool is_speaking = true; ///< Else it is only there.
    bool is_open = false;
    bool is_closed = false;
    bool was_answered = false; ///< By a payload.
    Bytes says{0};             ///< The payload that it sends once there is a session.

private:
    void take(ByteView message) {
        Result<session::Step> step = session_.take(message);
        ASSERT_TRUE(step) << step.error().message;
        if (step->reply) {
            socket_->send(*step->reply);
        }
        if (step->established_now) {
            for (Bytes& record : session_.seal(says).take()) {
                socket_->send(std::move(record));
            }
        }
        was_answered = was_answered || step->payload;
    }

    PrivateKey key_ = session::testing::key_of(0x33);
    std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
    session::Session session_ = session::Session::dial(
        {.instance = session::testing::instance_of(3), .key = &key_, .name = {}, .software = {}},
        session::testing::entropy_of(1));
    std::unique_ptr<net::WebSocket> socket_; // First to go: it calls the others.
};

/// The end of a machine that goes is noticed when it is; until then others are told to try again.
Result<Paired> join_within_a_minute(End& joiner, const PairCode& code, std::uint16_t port) {
    const Instant until = now_since_boot() + 60s;
    for (;;) {
        Result<Paired> joined = joiner.join(code, port);
        if (joined || now_since_boot() >= until) {
            return joined;
        }
        std::this_thread::sleep_for(20ms);
    }
}

TEST(PairingOverHttp, LetsOneAtATimeTryTheCodeWhichACommitmentAloneDoesNotSpend) {
    Inviting inviting;
    End joiner(0x11, "joiner");
    const PairCode code = inviting.code(1);
    {
        Stranger stranger(inviting.port());
        stranger.says = Bytes(33, 1); // A commitment to nothing.
        ASSERT_TRUE(stranger.run_until(stranger.was_answered));
        const Result<Paired> joined = joiner.join(code, inviting.port());
        ASSERT_FALSE(joined);
        EXPECT_THAT(joined.error().message, HasSubstr("another machine is trying this code"));
    }
    EXPECT_TRUE(join_within_a_minute(joiner, code, inviting.port()));
    EXPECT_TRUE(inviting.result());
}

TEST(PairingOverHttp, ShowsTheDoorToWhoSpeaksOutOfTurn) {
    Inviting inviting;
    End joiner(0x11, "joiner");
    for (const Bytes& says : {Bytes{}, Bytes{9}, Bytes(33, 2), Bytes(33, 3), Bytes(65, 1)}) {
        Stranger stranger(inviting.port());
        stranger.says = says;
        EXPECT_TRUE(stranger.run_until(stranger.is_closed));
        EXPECT_FALSE(stranger.was_answered);
    }
    EXPECT_EQ(inviting.notes().size(), 5U);
    EXPECT_TRUE(joiner.join(inviting.code(1), inviting.port())) << "none has spent the code";
    EXPECT_TRUE(inviting.result());
}

TEST(PairingOverHttp, HasRoomForAFewOfOneAddressAndNotOneMore) {
    Inviting inviting;
    End joiner(0x11, "joiner");
    {
        std::vector<std::unique_ptr<Stranger>> strangers;
        for (std::size_t n = 0; n < limits::pair_guests_per_address_max; ++n) {
            strangers.push_back(std::make_unique<Stranger>(inviting.port()));
            strangers.back()->is_speaking = false;
            ASSERT_TRUE(strangers.back()->run_until(strangers.back()->is_open));
        }
        Stranger more(inviting.port());
        ASSERT_TRUE(more.run_until(more.is_closed));
        EXPECT_FALSE(more.is_open);
    }
    EXPECT_TRUE(join_within_a_minute(joiner, inviting.code(1), inviting.port()));
    EXPECT_TRUE(inviting.result());
}

TEST(PairUrl, IsWhatPeopleMean) {
    EXPECT_EQ(pair_url("192.0.2.7"), "http://192.0.2.7:8587");
    EXPECT_EQ(pair_url("attic"), "http://attic:8587");
    EXPECT_EQ(pair_url("attic:99"), "http://attic:99");
    EXPECT_EQ(pair_url("2001:db8::7"), "http://[2001:db8::7]:8587");
    EXPECT_EQ(pair_url("[2001:db8::7]"), "http://[2001:db8::7]:8587");
    EXPECT_EQ(pair_url("[2001:db8::7]:99"), "http://[2001:db8::7]:99");
    EXPECT_EQ(pair_url("https://attic/x/"), "https://attic/x");
}

} // namespace
} // namespace ic::wiring
