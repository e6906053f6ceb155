/// What a comparison of runs says: of the guest alone.

#include "cli/determinism.h"

#include <gtest/gtest.h>

#include <vector>

namespace ic::cli {
namespace {

worker::FinishedRun run_that_ended(job::Ending ending) {
    worker::FinishedRun run;
    run.ending = std::move(ending);
    return run;
}

job::Ending failed_with(Errc code) {
    job::Ending ending;
    ending.error = code;
    ending.message = "why";
    return ending;
}

/// Compares the first with those that follow.
Result<void> compare(const std::vector<job::Ending>& endings) {
    std::size_t next = 0;
    const auto run = [&] { return run_that_ended(endings.at(next++)); };
    const worker::FinishedRun first = run();
    return compare_runs(first, endings.size(), run, [](std::uint64_t) {});
}

TEST(ComparedRuns, DifferByWhatTheGuestDid) {
    job::Ending seven;
    seven.value = 7;
    job::Ending eight = seven;
    eight.value = 8;
    EXPECT_TRUE(compare({seven, seven, seven}));
    EXPECT_EQ(compare({seven, seven, eight}).error().code, Errc::nondeterministic);
    const job::Ending trap = failed_with(Errc::trap_unreachable);
    EXPECT_TRUE(compare({trap, trap}));
    EXPECT_EQ(compare({trap, seven}).error().code, Errc::nondeterministic);
}

TEST(ComparedRuns, SayNothingOfTheGuestWhereSomethingElseEndedThem) {
    for (const Errc code : {Errc::total_timeout,
                            Errc::cancelled,
                            Errc::executor_crashed,
                            Errc::cid_unavailable,
                            Errc::unavailable}) {
        EXPECT_FALSE(is_of_the_guest(failed_with(code))) << name(code);
        const Result<void> compared = compare({{}, {}, failed_with(code)});
        EXPECT_EQ(compared.error().code, code);
        EXPECT_EQ(compared.error().message, "stopped after 2 runs, all alike: why");
    }
    for (const Errc code : {Errc::trap_memory, Errc::limit_fuel, Errc::limit_wall_time}) {
        EXPECT_TRUE(is_of_the_guest(failed_with(code))) << name(code);
    }
}

} // namespace
} // namespace ic::cli
