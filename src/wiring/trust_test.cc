#include "base/file.h"
#include "config/trust.h"
#include "job/testing/samples.h"
#include "net/event_loop.h"
#include "wiring/trust.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;

PublicKey key(std::uint8_t number) { return job::testing::sample_key(number).public_key(); }

class Trust : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "ic-trust-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        home_.path = pattern;
        loop_ = net::EventLoop::open().take();
    }

    void TearDown() override { std::filesystem::remove_all(home_.path); }

    void store(const std::vector<PublicKey>& keys) {
        std::vector<config::Trusted> trusted;
        for (const PublicKey& one : keys) {
            trusted.push_back({.did = one.to_did(), .name = {}});
        }
        ASSERT_TRUE(config::store_trust(home_.trust_file(), trusted).ok());
    }

    std::unique_ptr<TrustWatch> watch(std::vector<PublicKey> known) {
        return std::make_unique<TrustWatch>(
            *loop_,
            home_,
            std::move(known),
            key(1),
            [this](const TrustList& list) {
                changes_.push_back(list.keys);
                kubos_ = list.kubos;
            },
            log::Sink(log::Level::info,
                      [this](const log::Entry& entry) { notes_.emplace_back(entry.message); }));
    }

    /// Until something was noticed, half a minute at most.
    void run_until_told(std::size_t changes, std::size_t notes) {
        const Instant end = now_since_boot() + 30s;
        while ((changes_.size() < changes || notes_.size() < notes) && now_since_boot() < end) {
            loop_->run_for(50ms);
        }
    }

    config::Home home_;
    std::unique_ptr<net::EventLoop> loop_;
    std::vector<std::vector<PublicKey>> changes_;
    std::vector<std::vector<std::string>> kubos_; ///< As of the last change.
    std::vector<std::string> notes_;
};

using Keys = std::vector<PublicKey>;

TEST_F(Trust, IsOnesOwnKeyAndThoseOfTheFile) {
    EXPECT_EQ(*load_trusted_keys(home_, key(1)), Keys{key(1)});
    store({key(2), key(3)});
    EXPECT_EQ(*load_trusted_keys(home_, key(1)), (Keys{key(1), key(2), key(3)}));
}

TEST_F(Trust, IsTakenUpAsTheFileChanges) {
    const auto watching = watch({key(1)});
    loop_->run_for(2 * trust_look_period);
    EXPECT_TRUE(changes_.empty() && notes_.empty()) << "nothing has changed";
    store({key(2)});
    run_until_told(1, 1);
    store({});
    run_until_told(2, 2);
    EXPECT_EQ(changes_, (std::vector<Keys>{{key(1), key(2)}, {key(1)}}));
    EXPECT_EQ(notes_.at(0),
              "jobs of this key and of 1 other are taken now (trust.toml has changed)");
}

// Between what the node began with and the first look there is time to write.
TEST_F(Trust, IsTakenUpThatWasWrittenBeforeTheFirstLook) {
    store({key(2)});
    const auto watching = watch({key(1)});
    EXPECT_EQ(changes_, (std::vector<Keys>{{key(1), key(2)}}));
}

TEST_F(Trust, HasWhereTheKubosOfMachinesAreAndTakesUpOthers) {
    store({key(2)});
    const auto watching = watch({key(1), key(2)});
    ASSERT_TRUE(changes_.empty());
    const auto write = [&](const std::vector<std::string>& at) {
        ASSERT_TRUE(config::store_trust(home_.trust_file(),
                                        {{.did = key(2).to_did(), .name = {}, .at = at}}));
    };
    write({"/ip4/192.0.2.7/tcp/4001/p2p/A"});
    run_until_told(1, 0);
    EXPECT_EQ(kubos_, (std::vector<std::vector<std::string>>{{"/ip4/192.0.2.7/tcp/4001/p2p/A"}}));
    write({});
    run_until_told(2, 0);
    EXPECT_TRUE(kubos_.empty());
    EXPECT_TRUE(notes_.empty()) << "the same keys are trusted";
}

TEST_F(Trust, StaysAsItWasWhereTheFileIsDamaged) {
    store({key(2)});
    const auto watching = watch({key(1), key(2)});
    ASSERT_TRUE(write_file(home_.trust_file(), bytes_of("[["), 0600, IfExists::replace).ok());
    run_until_told(0, 1);
    ASSERT_EQ(notes_.size(), 1U);
    EXPECT_NE(notes_[0].find(home_.trust_file()), std::string::npos) << notes_[0];
    EXPECT_TRUE(changes_.empty());
    loop_->run_for(2 * trust_look_period);
    EXPECT_EQ(notes_.size(), 1U) << "said once";
    store({key(3)});
    run_until_told(1, 2);
    EXPECT_EQ(changes_, (std::vector<Keys>{{key(1), key(3)}}));
}

} // namespace
} // namespace ic::wiring
