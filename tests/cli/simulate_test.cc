/// `simulate`: tables, JSON and pictures of networks that are not there.

#include "cli/program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace {

using ic::testing_support::Finished;
using ic::testing_support::Program;

TEST(Simulate, PrintsARowForEachSizeAndLoss) {
    const Program program;
    const Finished done =
        program({"simulate", "--nodes", "10,1000", "--loss", "0,10", "--jobs", "20"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(std::count(done.out.begin(), done.out.end(), '\n'), 5);
    EXPECT_NE(done.out.find("runs/job"), std::string::npos);
    EXPECT_EQ(done.err, "");
}

TEST(Simulate, PrintsTheSameJsonForTheSameSeed) {
    const Program program;
    const std::vector<std::string> words{
        "simulate", "--nodes", "1000", "--jobs", "20", "--churn", "50", "--json"};
    const Finished first = program(words);
    EXPECT_EQ(first.status, 0) << first.err;
    EXPECT_NE(first.out.find("\"done\":20,"), std::string::npos) << first.out;
    EXPECT_EQ(program(words).out, first.out);
}

TEST(Simulate, PrintsMarkdownWithARowForEachChurnToo) {
    const Program program;
    const Finished done = program({"simulate",
                                   "--nodes",
                                   "10,1000",
                                   "--loss",
                                   "0,10",
                                   "--churn",
                                   "0,50",
                                   "--jobs",
                                   "5",
                                   "--markdown"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(std::count(done.out.begin(), done.out.end(), '\n'), 2 + 8);
    EXPECT_TRUE(done.out.starts_with("| nodes | loss | churn |")) << done.out;
    EXPECT_NE(done.out.find("\n| 1,000 | 10 % | 50 % | "), std::string::npos) << done.out;
}

TEST(Simulate, DrawsAPicture) {
    const Program program;
    const Finished done = program({"simulate", "--nodes", "10,100", "--jobs", "5", "--svg"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_TRUE(done.out.starts_with("<svg ")) << done.out;
    EXPECT_TRUE(done.out.ends_with("</svg>\n"));
}

TEST(Simulate, RefusesWhatItCannotSimulateBeforeItBegins) {
    const Program program;
    for (const std::string nodes : {"10,", "ten", "0", "1000,99000000"}) {
        const Finished done = program({"simulate", "--nodes", nodes});
        EXPECT_EQ(done.status, 120) << nodes;
        EXPECT_EQ(done.out, "") << nodes;
    }
    EXPECT_EQ(program({"simulate", "--churn", "50,"}).status, 120);
    EXPECT_EQ(program({"simulate", "--svg", "--json"}).status, 120);
    EXPECT_EQ(program({"simulate", "--svg", "--markdown"}).status, 120);
}

} // namespace
