#include "job/authority.h"
#include "job/testing/samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace ic::job {
namespace {

using testing::sample_instance;
using testing::sample_key;

const WorkerRef worker{sample_key(3).public_key(), sample_instance(0x33)};
const WorkerRef coordinator{sample_key(2).public_key(), sample_instance(0xc0)};
const WorkerRef asker{sample_key(4).public_key(), sample_instance(0x44)};

std::set<std::string_view> said_by(const WorkerRef& speaker) {
    std::set<std::string_view> kinds;
    for (const Message& message : testing::sample_messages()) {
        if (speaks_for_itself(speaker, message)) {
            kinds.insert(name(message));
        }
    }
    return kinds;
}

TEST(Authority, LetsAWorkerSpeakForItselfAlone) {
    const std::set<std::string_view> its{"advert",
                                         "bid",
                                         "withdraw",
                                         "decline",
                                         "renew",
                                         "hand-back",
                                         "stage-report",
                                         "receipt",
                                         "output"};
    EXPECT_EQ(said_by(worker), its);
    // Another process under the same key, and another key with the same instance.
    EXPECT_EQ(said_by({worker.key, sample_instance(0x34)}), std::set<std::string_view>{"output"});
    EXPECT_EQ(said_by({sample_key(9).public_key(), worker.instance}),
              std::set<std::string_view>{"output"});
}

TEST(Authority, LetsACoordinatorSpeakForItselfAlone) {
    const std::set<std::string_view> its{
        "announce", "grant", "renew-answer", "receipt-answer", "cancel", "output"};
    EXPECT_EQ(said_by(coordinator), its);
    std::set<std::string_view> without_key = its;
    without_key.erase("announce"); // It names the key under which the bids are to come.
    EXPECT_EQ(said_by({sample_key(9).public_key(), coordinator.instance}), without_key);
}

TEST(Authority, LetsAnyoneAskForOpenJobsInItsOwnName) {
    EXPECT_TRUE(said_by(asker).contains("open-jobs-query"));
    EXPECT_FALSE(said_by(worker).contains("open-jobs-query"));
}

TEST(Authority, LetsNoNodeBeAClient) {
    std::set<std::string_view> all;
    for (const WorkerRef& speaker : {worker, coordinator, asker}) {
        all.merge(said_by(speaker));
    }
    for (const std::string_view kind : {"submit",
                                        "accepted",
                                        "rejected",
                                        "watch",
                                        "progress",
                                        "outcome",
                                        "cancel-request",
                                        "known-workers-query",
                                        "known-workers"}) {
        EXPECT_FALSE(all.contains(kind)) << kind;
    }
    // Together with those above this is every kind there is.
    EXPECT_EQ(all.size() + 9, testing::sample_messages().size());
}

TEST(Authority, LetsTheAudienceOfAJobGrantIt) {
    const Invocation invocation = testing::sample_invocation();
    EXPECT_TRUE(may_coordinate(invocation, invocation.audience));
    EXPECT_FALSE(may_coordinate(invocation, sample_key(9).public_key()));
}

} // namespace
} // namespace ic::job
