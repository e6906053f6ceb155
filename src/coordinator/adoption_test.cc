/// A coordinator that adopts from a real ledger, where the wall clock was set meanwhile.

#include "coordinator/coordinator.h"
#include "job/testing/samples.h"
#include "ledger/testing/home.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ic::coordinator {
namespace {

using namespace std::chrono_literals;
using job::testing::sample_instance;
using job::testing::sample_key;

/// Nobody is out there; what was to reach somebody is written down.
class Silence final : public transport::Outlet {
public:
    void send(const job::Instance& to, job::Message message) override {
        sent.emplace_back(to, std::move(message));
    }
    void announce(job::Message /*message*/) override {}

    std::vector<std::pair<job::Instance, job::Message>> sent;
};

class AdoptionTest : public ::testing::Test {
protected:
    /// By a process that is dead, in the boot "this", a moment ago; the wall clock then showed two
    /// hours less than it would have.
    void accept_a_job() {
        job::Invocation invocation;
        invocation.issuer = key_.public_key();
        invocation.audience = key_.public_key();
        invocation.spec.module = job::testing::sample_cid(1);
        invocation.nonce = {1};
        invocation.timeouts.total_ms_max = 3'600'000;
        const Result<job::SignedInvocation> signed_invocation = job::sign(invocation, key_);
        ASSERT_TRUE(signed_invocation);
        ledger::JobAccepted job = ledger::testing::accepted(1, sample_instance(1));
        job.ids.job = signed_invocation->cid;
        job.invocation = signed_invocation->document;
        job.at = {ledger::now_unix_millis().value - 2 * 3'600'000};
        job.at_since_boot = ledger::BootMillis{
            .boot_id = "this",
            .value =
                std::chrono::floor<std::chrono::milliseconds>(now_since_boot().since_boot).count()};
        ASSERT_TRUE(ledger::testing::write(*writer_, {job}));
        job_ = job.ids.job;
        invocation_ = signed_invocation->document;
    }

    job::Policy policy() const {
        job::Policy made;
        made.submitters = {key_.public_key()};
        return made;
    }

    std::unique_ptr<Coordinator> open(std::string boot_id) {
        return Coordinator::open(
                   {.self = {.key = key_.public_key(), .instance = sample_instance(2)},
                    .machine = {},
                    .policy = policy(),
                    .ledger_file = home_.file(),
                    .boot_id = std::move(boot_id)},
                   *loop_,
                   *writer_,
                   outlet_,
                   [](const job::Receipt&) { return true; })
            .take();
    }

    static void adopt_by(Coordinator& coordinator) {
        coordinator.adopt({sample_instance(1)}, [](const job::Instance&) { return true; });
    }

    std::unique_ptr<Coordinator> adopter(std::string boot_id) {
        std::unique_ptr<Coordinator> opened = open(std::move(boot_id));
        adopt_by(*opened);
        return opened;
    }

    /// A client brings the job to a coordinator that does not know yet that its owner is dead.
    void submit_to(Coordinator& coordinator, bool follow) {
        coordinator.message(
            {.instance = sample_instance(9),
             .kind = transport::PeerKind::client,
             .key = key_.public_key(),
             .same_user = true,
             .name = "client"},
            job::Submit{.invocation = invocation_, .use_memo = false, .follow = follow});
    }

    template <class Message>
    std::size_t told() const {
        std::size_t count = 0;
        for (const auto& [to, message] : outlet_.sent) {
            count += to == sample_instance(9) && std::holds_alternative<Message>(message) ? 1 : 0;
        }
        return count;
    }

    ledger::JobRow row() const { return home_.open_reader().describe(job_)->row; }

    const ledger::testing::Home home_;
    const PrivateKey key_ = sample_key(1);
    const std::unique_ptr<ledger::LedgerWriter> writer_ = home_.open_writer();
    const std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
    Silence outlet_;
    Cid job_;
    Bytes invocation_;
};

TEST_F(AdoptionTest, AJobOfThisBootIsNotEndedWhereTheWallClockWasSetForward) {
    accept_a_job();
    const auto coordinator = adopter("this");
    loop_->run_for(300ms);
    EXPECT_EQ(row().state, ledger::JobState::open) << row().message;
    EXPECT_EQ(row().owner, sample_instance(2));
}

TEST_F(AdoptionTest, AJobOfAnotherBootEndsAtItsTotalTimeoutByTheWallClock) {
    accept_a_job();
    const auto coordinator = adopter("next");
    const Instant until = now_since_boot() + 30s;
    while (row().state == ledger::JobState::open && now_since_boot() < until) {
        loop_->run_for(5ms);
    }
    EXPECT_EQ(row().state, ledger::JobState::failed);
    EXPECT_EQ(row().error, Errc::total_timeout);
}

TEST_F(AdoptionTest, AClientHearsThatItsJobIsAcceptedThoughTheOwnerIsGone) {
    accept_a_job();
    const auto coordinator = open("this");
    submit_to(*coordinator, false);
    EXPECT_EQ(told<job::Accepted>(), 1U) << "the ledger has it";
    adopt_by(*coordinator);
    loop_->run_for(300ms);
    EXPECT_EQ(outlet_.sent.size(), 1U) << "it wanted to hear no more; nobody else was asked";
}

// It may be one that has ended, and must not run again.
TEST_F(AdoptionTest, AJobIsRefusedWhileTheLedgerCannotSayWhetherItKnowsIt) {
    accept_a_job();
    const auto coordinator = open("this");
    home_.run_sql("ALTER TABLE jobs RENAME TO elsewhere");
    submit_to(*coordinator, false);
    EXPECT_EQ(told<job::Rejected>(), 1U);
    EXPECT_EQ(told<job::Accepted>(), 0U);
}

TEST_F(AdoptionTest, AClientThatFollowsHearsOfTheEndByWhoeverAdopts) {
    accept_a_job();
    const auto coordinator = open("this");
    submit_to(*coordinator, true);
    EXPECT_EQ(told<job::Accepted>(), 1U);
    adopt_by(*coordinator);
    coordinator->message({.instance = sample_instance(9),
                          .kind = transport::PeerKind::client,
                          .key = key_.public_key(),
                          .same_user = true,
                          .name = "client"},
                         job::CancelRequest{.job = job_});
    const Instant until = now_since_boot() + 30s;
    while (told<job::Outcome>() == 0 && now_since_boot() < until) {
        loop_->run_for(5ms);
    }
    EXPECT_EQ(told<job::Outcome>(), 1U);
}

} // namespace
} // namespace ic::coordinator
