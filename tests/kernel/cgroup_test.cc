/// Real processes in real control groups, where the kernel gives this process some to divide.
/// cgroups_test.sh starts a kernel that does; docs/testing.md has the way with systemd's.

#include "executor/process/cgroup.h"
#include "executor/process/pool.h"
#include "executor/process/testing/fakes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

namespace ic::executor::process {
namespace {

class KernelCgroup : public ::testing::Test {
protected:
    void SetUp() override {
        const GroupLook look = look_at_group(*files_, ::getpid());
        if (look.error != 0) {
            GTEST_SKIP() << "no control group to divide (" << std::strerror(look.error)
                         << "); docs/testing.md says how to give it one";
        }
        own_ = look.folder;
        artifacts_ = std::filesystem::temp_directory_path() /
                     ("ic-cgroup-test-" + std::to_string(::getpid()));
        Result<std::unique_ptr<Cgroup>> group =
            Cgroup::open(*files_,
                         {.broker = ::getpid(),
                          .slots = 1,
                          .cores = 1,
                          .machine_memory_bytes = std::uint64_t{64} << 20U});
        ASSERT_TRUE(group) << group.error().message;
        group_ = std::move(group).take();
    }

    void TearDown() override { std::filesystem::remove_all(artifacts_); }

    std::unique_ptr<Executor> open_one() {
        PoolOptions options;
        options.program = {.path = IC_FAKE_EXECUTOR,
                           .executor_arguments = {"fake", "executor"},
                           .compiler_arguments = {"fake", "compiler"}};
        options.artifacts_folder = artifacts_;
        options.fingerprint = "plain";
        options.fingerprint_fuel = "fuel";
        options.group = group_.get();
        Result<std::unique_ptr<Executor>> pool = open_pool(options);
        EXPECT_TRUE(pool) << pool.error().message;
        return pool ? std::move(pool).take() : nullptr;
    }

    Outcome run(Executor& pool, std::string_view handler) {
        Task task;
        task.spec.module = host_.put("module");
        task.spec.handler = handler;
        task.spec.limits.output_bytes_max = 1000;
        return pool.run(task, permit_, host_);
    }

    std::string folder_of(const std::string& process) {
        return folder_of_group(files_->read("/proc/" + process + "/cgroup").value_or(""),
                               files_->read("/proc/self/mountinfo").value_or(""));
    }

    const std::unique_ptr<CgroupFiles> files_ = kernel_cgroup_files();
    std::string own_;
    std::filesystem::path artifacts_;
    testing::FakeHost host_;
    testing::FakePermit permit_;
    std::unique_ptr<Cgroup> group_;
};

TEST_F(KernelCgroup, HasExecutorsInItAndTheBrokerNot) {
    const std::unique_ptr<Executor> pool = open_one();
    ASSERT_NE(pool, nullptr);
    EXPECT_EQ(folder_of(std::string(text_of(run(*pool, "pid").output))), group_->folder());
    EXPECT_EQ(folder_of("self"), own_ + "/ipfs-compute-broker-" + std::to_string(::getpid()));
    EXPECT_EQ(files_->read(group_->folder() + "/memory.max"), "50331648\n") << "75 % of 64 MiB";
    EXPECT_EQ(files_->read(group_->folder() + "/pids.max"), "33\n");
    EXPECT_EQ(files_->read(group_->folder() + "/memory.oom.group"), "0\n");
}

TEST_F(KernelCgroup, EndsWhoTakesMoreMemoryAndTheNextRunIsRight) {
    const std::unique_ptr<Executor> pool = open_one();
    ASSERT_NE(pool, nullptr);
    const Outcome eats = run(*pool, "eat");
    EXPECT_EQ(eats.ending.error, Errc::executor_crashed) << text_of(eats.output);
    EXPECT_NE(eats.ending.message.find("memory of their cgroup"), std::string::npos)
        << eats.ending.message;
    EXPECT_EQ(text_of(run(*pool, "hello").output), "hello");
}

TEST_F(KernelCgroup, IsGoneWithTheBrokersPartInIt) {
    open_one().reset();
    group_.reset();
    EXPECT_EQ(folder_of("self"), own_);
    EXPECT_TRUE(files_->groups_in(own_).empty());
    EXPECT_EQ(look_at_group(*files_, ::getpid()).error, 0) << "the next may have it";
}

TEST_F(KernelCgroup, ThatIsLeftByTheDeadIsRemoved) {
    group_.reset();
    ASSERT_EQ(files_->make(own_ + "/ipfs-compute-broker-1"), 0);
    ASSERT_EQ(files_->make(own_ + "/ipfs-compute-executors-1"), 0);
    const auto group = Cgroup::open(
        *files_, {.broker = ::getpid(), .machine_memory_bytes = std::uint64_t{1} << 30U});
    ASSERT_TRUE(group) << group.error().message;
    EXPECT_EQ(files_->groups_in(own_).size(), 2U) << "its own";
}

} // namespace
} // namespace ic::executor::process
