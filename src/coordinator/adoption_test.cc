/// A coordinator that adopts from a real ledger, where the wall clock was set meanwhile.

#include "coordinator/coordinator.h"
#include "job/testing/samples.h"
#include "ledger/testing/home.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace ic::coordinator {
namespace {

using namespace std::chrono_literals;
using job::testing::sample_instance;
using job::testing::sample_key;

/// Nobody is out there.
class Silence final : public transport::Outlet {
public:
    void send(const job::Instance& /*to*/, job::Message /*message*/) override {}
    void announce(job::Message /*message*/) override {}
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
    }

    std::unique_ptr<Coordinator> adopter(std::string boot_id) {
        std::unique_ptr<Coordinator> opened =
            Coordinator::open({.self = {.key = key_.public_key(), .instance = sample_instance(2)},
                               .machine = {},
                               .policy = {},
                               .ledger_file = home_.file(),
                               .boot_id = std::move(boot_id)},
                              *loop_,
                              *writer_,
                              outlet_,
                              [](const job::Receipt&) { return true; })
                .take();
        opened->adopt({sample_instance(1)}, [](const job::Instance&) { return true; });
        return opened;
    }

    ledger::JobRow row() const { return home_.open_reader().describe(job_)->row; }

    const ledger::testing::Home home_;
    const PrivateKey key_ = sample_key(1);
    const std::unique_ptr<ledger::LedgerWriter> writer_ = home_.open_writer();
    const std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
    Silence outlet_;
    Cid job_;
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

} // namespace
} // namespace ic::coordinator
