#include "config/settings.h"
#include "job/invocation.h"
#include "job/testing/samples.h"
#include "wiring/network_settings.h"
#include "wiring/unsigned_jobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ic::wiring {
namespace {

using job::testing::sample_cid;
using job::testing::sample_key;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class UnsignedJobsTest : public ::testing::Test {
protected:
    PrivateKey key = sample_key(1);
    std::vector<job::Message> submitted;
    std::vector<std::string> notes;
    UnsignedJobs jobs{{.key = &key,
                       .submit = [this](job::Message one) { submitted.push_back(std::move(one)); },
                       .note = {log::Level::info, [this](const log::Entry& one) {
                                    notes.emplace_back(one.message);
                                }}}};

    /// A job, and its CID.
    Cid take(std::uint8_t number) {
        jobs.take({.job = {.module = sample_cid(number), .function = "f"},
                   .origin = {.peer = "12D3KooWPeer", .seqno = {number}}});
        return cid_of(Codec::dag_cbor, std::get<job::Submit>(submitted.back()).invocation);
    }
};

TEST_F(UnsignedJobsTest, AreSubmittedAsThisNodesOwn) {
    take(1);
    const auto& submit = std::get<job::Submit>(submitted.at(0));
    const Result<job::SignedInvocation> invocation = job::read_invocation(submit.invocation);
    ASSERT_TRUE(invocation);
    EXPECT_EQ(invocation->invocation.issuer, key.public_key());
    EXPECT_TRUE(job::verify_signature(*invocation));
    EXPECT_TRUE(submit.follow);
}

job::Message accepted(const Cid& job, bool known_before = false) {
    return job::Accepted{.job = job, .known_before = known_before};
}

job::Message ended(const Cid& job, Errc error, const std::string& message) {
    job::Outcome outcome;
    outcome.job = job;
    outcome.error = error;
    outcome.message = message;
    return outcome;
}

TEST_F(UnsignedJobsTest, AreToldOfWhenTheyBeginAndEnd) {
    const Cid one = take(1);
    jobs.told(accepted(one));
    job::Outcome well;
    well.job = one;
    well.receipt = job::sign(job::testing::sample_receipt(), sample_key(3))->document;
    jobs.told(job::Message{well});
    jobs.told(job::Message{well}); // Nobody waits any more.
    EXPECT_THAT(notes,
                ElementsAre(AllOf(HasSubstr(one.to_string()), HasSubstr("12D3KooWPeer")),
                            AllOf(HasSubstr(one.to_string()), HasSubstr("ended"))));
    const Cid two = take(2);
    jobs.told(
        job::Message{job::Rejected{.job = two, .reason = Errc::unavailable, .message = "no room"}});
    EXPECT_THAT(notes.back(), HasSubstr("unavailable: no room"));
}

TEST_F(UnsignedJobsTest, AreToldOfToTheirEndIfAnotherProcessBringsThemTo) {
    const Cid one = take(1);
    jobs.told(accepted(one));
    jobs.told(accepted(one, true)); // The other's submission, after the one that was taken.
    jobs.told(ended(one, Errc::queue_timeout, "no worker"));
    EXPECT_THAT(notes, ElementsAre(HasSubstr("accepted"), HasSubstr("queue-timeout")));
}

TEST_F(UnsignedJobsTest, OfAnotherProcessAreItsToTell) {
    const Cid one = take(1);
    jobs.told(accepted(one, true));
    jobs.told(ended(one, Errc::queue_timeout, "no worker"));
    const Cid two = take(2); // Both took it at once, and the ledger gave it to the other.
    jobs.told(ended(two, Errc::queue_timeout, "no worker"));
    EXPECT_THAT(notes, IsEmpty());
}

TEST_F(UnsignedJobsTest, AreTheOnlyOnesThatAreToldOf) {
    jobs.told(accepted(sample_cid(9)));
    jobs.told(ended(sample_cid(9), Errc::internal, "x"));
    EXPECT_THAT(notes, IsEmpty());
}

TEST_F(UnsignedJobsTest, WithoutANumberAreNotTaken) {
    jobs.take({.job = {.module = sample_cid(1), .function = "f"},
               .origin = {.peer = "12D3KooWPeer", .seqno = {}}});
    EXPECT_TRUE(submitted.empty());
    EXPECT_THAT(notes, ElementsAre(HasSubstr("no number")));
}

Result<std::vector<std::string>> peers_of(const std::string& value) {
    config::Settings settings;
    settings.ipfs = "kubo";
    settings.kubo = "http://127.0.0.1:1";
    settings.policy_unsigned_peers = value;
    Result<std::optional<NetworkOptions>> options = network_options(settings, {});
    if (!options) {
        return std::move(options).take_error();
    }
    return std::move(options).take()->unsigned_peers;
}

TEST(UnsignedPeers, AreWholePeerIds) {
    const std::string ed25519 = sample_key(1).public_key().to_peer_id();
    const std::string rsa = "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n";
    EXPECT_THAT(*peers_of(""), IsEmpty());
    EXPECT_THAT(*peers_of(ed25519 + "  " + rsa), ElementsAre(ed25519, rsa));
    for (const std::string& wrong :
         {ed25519.substr(0, ed25519.size() - 1), rsa + "x", std::string("12D3KooW")}) {
        const Result<std::vector<std::string>> peers = peers_of(wrong);
        ASSERT_FALSE(peers) << wrong;
        EXPECT_EQ(peers.error().code, Errc::usage);
        EXPECT_THAT(peers.error().message, HasSubstr(wrong));
    }
}

} // namespace
} // namespace ic::wiring
