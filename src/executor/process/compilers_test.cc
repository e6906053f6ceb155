#include "executor/process/testing/pool_fixture.h"

#include <atomic>
#include <future>
#include <thread>

namespace ic::executor::process {
namespace {

using testing::FakeHost;
using testing::FakePermit;
using namespace std::chrono_literals;

using CompilersTest = testing::PoolTest;

TEST_F(CompilersTest, FailuresOfTheCompilerAreNamed) {
    EXPECT_EQ(run(task("hello", "invalid")).ending.error, Errc::module_invalid);
    EXPECT_EQ(run(task("hello", "die")).ending.error, Errc::internal);
    EXPECT_EQ(run(task("hello", "liar")).ending.error, Errc::internal);
    EXPECT_EQ(run(task("hello", "greedy")).ending.error, Errc::compile_memory);
    Task hangs = task("hello", "hang");
    hangs.spec.limits.compile_ms_max = 50;
    EXPECT_EQ(run(hangs).ending.error, Errc::compile_timeout);
    permit_.lease_until_ns = (now_since_boot() + 50ms).since_boot.count();
    EXPECT_EQ(run(task("hello", "hang")).ending.error, Errc::lease_lost);
}

TEST_F(CompilersTest, TheLimitOfEachHoldsWhereTwoShareACompilation) {
    options_.slots = 2;
    open();
    FakeHost other_host;
    FakePermit other_permit;
    std::promise<void> began;
    other_host.on_stage = [&began](job::Stage stage) {
        if (stage == job::Stage::compiling) {
            began.set_value();
        }
    };
    Task patient = task("hello", "hang"), hurried = patient;
    other_host.put("hang");
    patient.spec.limits.compile_ms_max = 60'000;
    hurried.spec.limits.compile_ms_max = 100;
    hurried.spec.limits.compile_memory_bytes_max = 2 * patient.spec.limits.compile_memory_bytes_max;
    std::atomic<bool> patient_ended{false};
    std::jthread thread([&] {
        EXPECT_EQ(pool_->run(patient, other_permit, other_host).ending.error, Errc::cancelled);
        patient_ended = true;
    });
    began.get_future().wait();
    EXPECT_EQ(run(hurried).ending.error, Errc::compile_timeout);
    EXPECT_FALSE(patient_ended);
    other_permit.stop = static_cast<int>(Errc::cancelled);
}

TEST_F(CompilersTest, AModuleThatWasCompiledMeanwhileIsNotCompiledAgain) {
    options_.slots = 2;
    open();
    FakeHost slow_host;
    const Task same = task("artifact", "module");
    slow_host.put("module");
    std::promise<void> asked, may_go_on;
    slow_host.before_get = [&, future = may_go_on.get_future().share()] {
        asked.set_value();
        future.wait();
    };
    std::string late;
    std::jthread thread([&] {
        FakePermit permit;
        late = text_of(pool_->run(same, permit, slow_host).output);
    });
    asked.get_future().wait();
    const std::string early = output("artifact", "module");
    may_go_on.set_value();
    thread.join();
    EXPECT_EQ(late, early) << "by the same compiler";
    EXPECT_NE(early.find_first_of("0123456789"), std::string::npos) << "which says who it is";
}

TEST_F(CompilersTest, OneModuleIsCompiledOnceForAllWhoWait) {
    options_.slots = 3;
    open();
    const Task wanted = task("artifact", "slow");
    std::array<std::string, 3> artifacts;
    {
        std::vector<std::jthread> threads;
        for (std::string& artifact : artifacts) {
            threads.emplace_back([this, &artifact, &wanted] {
                FakeHost host;
                host.put("slow");
                FakePermit permit;
                artifact = text_of(pool_->run(wanted, permit, host).output);
            });
        }
    }
    EXPECT_TRUE(artifacts[0].starts_with("slow by ")) << artifacts[0];
    EXPECT_EQ(artifacts[0], artifacts[1]);
    EXPECT_EQ(artifacts[0], artifacts[2]);
}

} // namespace
} // namespace ic::executor::process
