#include "executor/process/testing/pool_fixture.h"

namespace ic::executor::process {
namespace {

class SharingTest : public testing::PoolTest {
protected:
    /// The process that runs a task of this owner.
    std::string pid_for(std::string_view owner) {
        Task made = task("pid");
        made.owner = owner;
        return std::string(text_of(run(made).output));
    }
};

TEST_F(SharingTest, AProcessIsForAllOwnersUnlessItIsToldOtherwise) {
    const std::string process = pid_for("a");
    EXPECT_EQ(pid_for("b"), process);
    EXPECT_EQ(pid_for("a"), process);
}

TEST_F(SharingTest, AProcessOfOneOwnerRunsNothingOfAnother) {
    options_.sharing = Sharing::owner;
    const std::string of_a = pid_for("a");
    EXPECT_EQ(pid_for("a"), of_a);
    const std::string of_b = pid_for("b");
    EXPECT_NE(of_b, of_a);
    EXPECT_EQ(pid_for("b"), of_b);
    const std::string of_nobody = pid_for("");
    EXPECT_NE(of_nobody, of_b) << "no name is a name too";
    EXPECT_NE(pid_for("a"), of_nobody);
}

TEST_F(SharingTest, OwnersKeepTheirProcessesWhileThereAreSlotsForAll) {
    options_.sharing = Sharing::owner;
    options_.slots = 2;
    const std::string of_a = pid_for("a"), of_b = pid_for("b");
    for (int turn = 0; turn < 3; ++turn) {
        EXPECT_EQ(pid_for("a"), of_a);
        EXPECT_EQ(pid_for("b"), of_b);
    }
    const std::string of_c = pid_for("c");
    EXPECT_NE(of_c, of_a);
    EXPECT_EQ(pid_for("b"), of_b) << "the one used longest ago had to go";
    EXPECT_NE(pid_for("a"), of_a);
}

TEST_F(SharingTest, AProcessOfAnOwnerThatDiedHasASuccessorForAnybody) {
    options_.sharing = Sharing::owner;
    Task dies = task("die");
    dies.owner = "a";
    EXPECT_EQ(run(dies).ending.error, Errc::executor_crashed);
    const std::string of_b = pid_for("b");
    EXPECT_EQ(pid_for("b"), of_b);
}

} // namespace
} // namespace ic::executor::process
