#include "base/unique_fd.h"
#include "executor/process/testing/pool_fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <fstream>
#include <thread>

namespace ic::executor::process {
namespace {

using testing::PoolTest;
using namespace std::chrono_literals;

TEST_F(PoolTest, ARunGivesItsOutputAndSaysItsStages) {
    EXPECT_EQ(output("hello"), "hello");
    EXPECT_EQ(host_.stages,
              (std::vector{job::Stage::fetching, job::Stage::compiling, job::Stage::running}));
    host_.stages.clear();
    EXPECT_EQ(output("hello"), "hello");
    EXPECT_EQ(host_.stages, std::vector{job::Stage::running});
}

TEST_F(PoolTest, NoRunIsSaidToHaveUsedMoreThanItMay) {
    Task boasting = task("boast");
    boasting.spec.limits.fuel_max = 1000;
    const job::Limits& limits = boasting.spec.limits;
    const job::Usage usage = run(boasting).usage;
    EXPECT_EQ(usage.fuel, 1000U);
    EXPECT_EQ(usage.memory_bytes_peak, limits.memory_bytes_max);
    EXPECT_EQ(usage.host_calls, limits.host_calls_max);
    EXPECT_EQ(usage.bytes_added, 0U);
    EXPECT_LE(usage.cpu_us, usage.run_us);
    EXPECT_EQ(run("boast").usage.fuel, 0U) << "nobody counts it";
}

// It reads nothing any more, and what is sent to it fills the socket.
TEST_F(PoolTest, AnExecutorThatIsDeafHoldsNobodyUp) {
    Task large = task("deaf");
    large.spec.limits.wall_ms_max = 200;
    for (int variable = 0; variable < 15; ++variable) {
        large.spec.environment.emplace_back("N" + std::to_string(variable), std::string(4000, 'x'));
    }
    bool killed = false;
    for (int turn = 0; turn < 20 && !killed; ++turn) {
        killed = run(large).ending.error == Errc::limit_wall_time;
        // Another module: it has to be sent before the run.
        Task next = task("hello", "other " + std::to_string(turn));
        next.spec.limits.wall_ms_max = 200;
        killed = run(next).ending.error == Errc::limit_wall_time || killed;
    }
    EXPECT_TRUE(killed) << "it was never full";
    EXPECT_EQ(output("hello"), "hello");
}

TEST_F(PoolTest, StreamsAreWholeAndFollowed) {
    const Outcome outcome = run("talk");
    EXPECT_EQ(text_of(outcome.output), "early late");
    EXPECT_EQ(text_of(outcome.errors), "oh");
    EXPECT_EQ(text_of(outcome.log), "first\nsecond\n");
    EXPECT_EQ(host_.logged, (std::vector<std::string>{"first", "second"}));
    const std::vector<std::pair<job::Stream, std::string>> followed{{job::Stream::output, "early "},
                                                                    {job::Stream::errors, "oh"},
                                                                    {job::Stream::output, "late"}};
    EXPECT_EQ(host_.followed, followed);
}

TEST_F(PoolTest, BlocksReachTheGuestThroughTheWindow) {
    Task wants = task("get");
    wants.spec.event = host_.put(std::string(ic::limits::block_bytes_max, 'b'));
    wants.spec.limits.output_bytes_max = 4 << 20;
    const Outcome outcome = run(wants);
    EXPECT_EQ(outcome.ending.error, Errc::executor_crashed)
        << "the rest of a Finished is bounded, so this fake cannot say so much";
    wants.spec.event = host_.put(std::string(30'000, 'b'));
    EXPECT_EQ(text_of(run(wants).output), std::string(30'000, 'b'));
    wants.spec.event = cid_of(Codec::raw, bytes_of("nowhere"));
    EXPECT_EQ(text_of(run(wants).output), "cid-unavailable");
}

TEST_F(PoolTest, AddedFilesHaveTheCidOfAllPieces) {
    const Outcome outcome = run("add");
    EXPECT_EQ(text_of(outcome.output), cid_of(Codec::raw, bytes_of("one two")).to_string());
    EXPECT_EQ(outcome.usage.bytes_added, 7U);
}

TEST_F(PoolTest, ResponsesAreReadInPieces) {
    Task asks = task("curl");
    asks.spec.effects = job::Effects::impure;
    EXPECT_EQ(text_of(run(asks).output), "head of http://host/|abcd|ef");
}

TEST_F(PoolTest, AProcessHasTheWallsItShould) {
    EXPECT_EQ(output("inspect"),
              "descriptors=5 environment=0 no_new_privs=1 dumpable=0 core=0 group=" +
                  std::to_string(::getpgrp()));
}

TEST_F(PoolTest, AnExecutorThatDiesIsNamedAndReplaced) {
    expect_failure(task("die"), Errc::executor_crashed);
    expect_failure(task("abort"), Errc::executor_crashed);
    expect_failure(task("close"), Errc::executor_crashed);
    EXPECT_NE(run("die").ending.message.find("it hurts"), std::string::npos);
}

TEST_F(PoolTest, AnExecutorThatBreaksTheProtocolIsKilled) {
    for (const char* handler :
         {"garbage", "wrong-run", "second-ready", "half-line", "empty-output", "beyond-window"}) {
        expect_failure(task(handler), Errc::executor_crashed);
    }
}

TEST_F(PoolTest, AnExecutorCannotExceedTheLimitsOfItsJob) {
    for (const char* handler : {"flood-output", "flood-log", "add-too-much", "open-too-many"}) {
        expect_failure(task(handler), Errc::executor_crashed);
    }
    expect_failure(task("curl"), Errc::executor_crashed); // The job is pure.
    Task asks = task("curls-too-many");
    asks.spec.effects = job::Effects::impure;
    asks.spec.limits.handles_max = 1000;
    asks.spec.limits.curls_max = 3;
    expect_failure(asks, Errc::executor_crashed);
}

TEST_F(PoolTest, WhatADebuggedRunShowsComesToTheHost) {
    options_.debugging = {.trace = true, .coredump = true, .profile = true};
    output("trace");
    output("core");
    output("profile");
    EXPECT_EQ(host_.traced, (std::vector<std::string>{"1", "2"}));
    EXPECT_EQ(host_.dumps[Dump::coredump], "c");
    EXPECT_EQ(host_.dumps[Dump::profile], "p");
}

TEST_F(PoolTest, AnExecutorShowsNothingThatNobodyAskedFor) {
    for (const char* handler : {"trace", "core", "profile"}) {
        expect_failure(task(handler), Errc::executor_crashed);
    }
    EXPECT_TRUE(host_.traced.empty());
    EXPECT_TRUE(host_.dumps.empty());
}

TEST_F(PoolTest, AnExecutorShowsNoMoreThanItMay) {
    options_.debugging = {.trace = true, .coredump = true, .profile = true};
    expect_failure(task("half-trace"), Errc::executor_crashed);
    expect_failure(task("flood-trace"), Errc::executor_crashed);
    EXPECT_EQ(host_.traced.size(), executor::limits::trace_bytes_max / 60'000);
    Task small = task("flood-core");
    small.spec.limits.memory_bytes_max = 1000;
    expect_failure(small, Errc::executor_crashed);
    EXPECT_LE(host_.dumps[Dump::coredump].size(), dump_bytes_max(small.spec.limits));
}

TEST_F(PoolTest, AnExecutorThatHangsIsKilledAtTheWallLimit) {
    Task hangs = task("hang");
    hangs.spec.limits.wall_ms_max = 50;
    expect_failure(hangs, Errc::limit_wall_time);
}

TEST_F(PoolTest, AnExecutorThatHangsIsKilledWhenTheLeaseEnds) {
    output("hello");
    permit_.lease_until_ns = (now_since_boot() + 50ms).since_boot.count();
    EXPECT_EQ(run("hang").ending.error, Errc::lease_lost);
    EXPECT_EQ(run("hello").ending.error, Errc::lease_lost) << "nothing starts without a lease";
    permit_.lease_until_ns = Instant::never().since_boot.count();
    EXPECT_EQ(output("hello"), "hello");
}

// What the guest had said and added is not lost with its process.
TEST_F(PoolTest, AnExecutorThatIsKilledOrDiesLeavesWhatItsGuestHadSaid) {
    Task hangs = task("talk-and-hang");
    hangs.spec.limits.wall_ms_max = 2'000;
    const Outcome killed = run(hangs);
    EXPECT_EQ(killed.ending.error, Errc::limit_wall_time);
    const Outcome dead = run("talk-and-die");
    EXPECT_EQ(dead.ending.error, Errc::executor_crashed);
    for (const Outcome& outcome : {killed, dead}) {
        EXPECT_EQ(text_of(outcome.output), "early ");
        EXPECT_EQ(text_of(outcome.errors), "oh");
        EXPECT_EQ(text_of(outcome.log), "first\nsecond\n");
        EXPECT_GT(outcome.usage.run_us, 0U);
    }
    EXPECT_EQ(killed.usage.bytes_added, 7U);
    EXPECT_GE(killed.usage.run_us, 2'000'000U);
}

TEST_F(PoolTest, AStopReachesAnExecutorAndIsEnforced) {
    for (const std::string_view handler : {"obey", "hang"}) {
        const bool obeys = handler == "obey";
        options_.grace = obeys ? 60'000ms : 50ms;
        open();
        output("hello");
        host_.on_stage = [this](job::Stage stage) {
            if (stage == job::Stage::running) {
                permit_.stop = static_cast<int>(Errc::cancelled);
            }
        };
        const Outcome outcome = run(handler);
        EXPECT_EQ(outcome.ending.error, Errc::cancelled) << handler;
        EXPECT_EQ(outcome.ending.message == "obeyed", obeys) << outcome.ending.message;
        host_.on_stage = {};
        permit_.stop = 0;
        EXPECT_EQ(output("hello"), "hello");
    }
}

TEST_F(PoolTest, ARenewedLeaseReachesTheExecutor) {
    output("hello");
    permit_.lease_until_ns = (now_since_boot() + 1s).since_boot.count();
    std::jthread renewer([this] {
        permit_.lease_until_ns = (now_since_boot() + 60s).since_boot.count();
        std::this_thread::sleep_for(1'300ms);
        permit_.stop = static_cast<int>(Errc::cancelled);
    });
    EXPECT_EQ(run("obey").ending.error, Errc::cancelled) << "not lease_lost";
}

TEST_F(PoolTest, AFileThatThereIsNoRoomForIsTheRunsMatterAlone) {
    const std::string process = output("pid");
    host_.writes_left = 1;
    EXPECT_EQ(output("add-where-it-is-full"), "the disk is full");
    host_.writes_left = -1;
    EXPECT_EQ(output("pid"), process);
}

TEST_F(PoolTest, AnExecutorThatDiedWhileIdleCostsNoRun) {
    const int pid = std::stoi(output("pid"));
    ASSERT_EQ(::kill(pid, SIGKILL), 0);
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
    EXPECT_NE(std::stoi(output("pid")), pid);
}

TEST_F(PoolTest, AProcessIsReplacedAfterItsRuns) {
    options_.runs_per_process_max = 2;
    const std::string first = output("pid");
    EXPECT_EQ(output("pid"), first);
    EXPECT_NE(output("pid"), first);
}

// A process that has grown is looked at every 64 runs.
TEST_F(PoolTest, AProcessThatHasGrownIsReplaced) {
    options_.resident_bytes_max = 1;
    const std::string first = output("pid");
    for (int run = 2; run < 64; ++run) {
        ASSERT_EQ(output("pid"), first) << run;
    }
    EXPECT_EQ(output("pid"), first) << "the 64th: looked at when it is over";
    EXPECT_NE(output("pid"), first);
}

TEST_F(PoolTest, AnExecutorHoldsNoMoreModulesThanAllowed) {
    options_.modules_per_process_max = 2;
    output("hello", "module 1");
    output("hello", "module 2");
    EXPECT_EQ(output("held", "module 2"), "2");
    EXPECT_EQ(output("held", "module 3"), "2");
    EXPECT_NE(output("artifact", "module 1"), "") << "dropped, and given again";
}

TEST_F(PoolTest, ImportsAreFetchedCompiledAndGivenInTheirOrder) {
    const Task wants = linked_task("imports", {"two", "one", "two"});
    EXPECT_EQ(text_of(run(wants).output), "a=two;b=one;c=two;");
    EXPECT_EQ(text_of(run(wants).output), "a=two;b=one;c=two;") << "all loaded by now";
    EXPECT_EQ(output("imports"), "") << "of the run before";
}

TEST_F(PoolTest, AllImportsOfAJobAreHeldAtOnceWhateverTheOptionSays) {
    options_.modules_per_process_max = 2;
    output("hello", "other");
    const Task wants = linked_task("imports", {"1", "2", "3", "4", "5", "6", "7", "8"});
    EXPECT_EQ(text_of(run(wants).output), "a=1;b=2;c=3;d=4;e=5;f=6;g=7;h=8;");
    EXPECT_EQ(output("held"), "9") << "none more";
    // And the next, other ones take their places.
    EXPECT_EQ(text_of(run(linked_task("imports", {"x", "1"})).output), "a=x;b=1;");
}

TEST_F(PoolTest, AnImportThatIsNotThereTooLargeOrInvalidIsNamed) {
    Task missing = task("hello");
    missing.spec.imports = {{"math", cid_of(Codec::raw, bytes_of("nowhere"))}};
    Outcome outcome = run(missing);
    EXPECT_EQ(outcome.ending.error, Errc::cid_unavailable);
    EXPECT_NE(outcome.ending.message.find("import math"), std::string::npos)
        << outcome.ending.message;
    EXPECT_EQ(run(linked_task("hello", {"invalid"})).ending.error, Errc::module_invalid);
    Task large = linked_task("hello", {"1234567"});
    large.spec.limits.module_bytes_max = 6; // "module" has 6.
    EXPECT_EQ(run(large).ending.error, Errc::module_too_large);
    large.spec.limits.module_bytes_max = 7;
    EXPECT_TRUE(run(large).ending.ok());
}

TEST_F(PoolTest, AModuleIsCompiledWithTheNamesOfItsImports) {
    EXPECT_EQ(run(task("hello", "needy")).ending.error, Errc::import_missing);
    EXPECT_TRUE(run(linked_task("hello", {"one"}, "needy")).ending.ok());
}

TEST_F(PoolTest, ImportsOfAnotherEngineAreCompiledAnewOnce) {
    EXPECT_EQ(run(linked_task("not-loaded", {"one"})).ending.error, Errc::unsupported);
    const Outcome outcome = run(linked_task("not-loaded-once", {"one"}));
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(text_of(outcome.output).substr(0, 12), "a=one;module");
}

// The fake compiler's artifact of a module is some bytes of it: what two have is too much here.
TEST_F(PoolTest, AnExecutorHoldsNoMoreBytesOfModulesThanAllowed) {
    options_.module_bytes_per_process_max = 1;
    EXPECT_EQ(output("held", "module 1"), "1") << "one may be larger";
    EXPECT_EQ(output("held", "module 2"), "1");
    EXPECT_EQ(output("held", "module 2"), "1");
}

TEST_F(PoolTest, AProcessThatCannotStartIsAnError) {
    options_.program.path = "/nowhere/at/all";
    EXPECT_EQ(open_pool(options_).error().code, Errc::unavailable);
    options_.program.path = IC_FAKE_EXECUTOR;
    options_.program.executor_arguments = {"fake", "stillborn"};
    EXPECT_EQ(run("hello").ending.error, Errc::executor_crashed);
}

// What the bus's proof of death stands on: the pipe ends only when every process is gone.
TEST_F(PoolTest, TheLivenessPipeEndsWithTheLastProcess) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    options_.liveness = writer.get();
    EXPECT_EQ(output("hello"), "hello");
    writer.reset();
    char byte = 0;
    EXPECT_EQ(::read(reader.get(), &byte, 1), -1) << "an executor still holds it";
    pool_.reset();
    // Not at once: under the address sanitizer a process that was killed while it looked for leaks
    // leaves a helper of the sanitizer's behind, which shares its descriptors and dies by itself.
    pollfd end{.fd = reader.get(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&end, 1, 30'000), 1) << "somebody still holds it";
    EXPECT_EQ(::read(reader.get(), &byte, 1), 0) << "end of file";
}

TEST_F(PoolTest, AModuleThatIsNotThereOrTooLargeIsNamed) {
    Task missing = task("hello");
    missing.spec.module = cid_of(Codec::raw, bytes_of("nowhere"));
    EXPECT_EQ(run(missing).ending.error, Errc::cid_unavailable);
    Task large = task("hello", "12345");
    large.spec.limits.module_bytes_max = 4;
    EXPECT_EQ(run(large).ending.error, Errc::module_too_large);
    large.spec.limits.module_bytes_max = 5;
    EXPECT_TRUE(run(large).ending.ok());
    large.spec.limits.module_bytes_max = 4;
    EXPECT_EQ(run(large).ending.error, Errc::module_too_large) << "also when it is compiled";
}

TEST_F(PoolTest, ArtifactsSurviveARestart) {
    const std::string artifact = output("artifact");
    open();
    EXPECT_EQ(output("artifact"), artifact);
    EXPECT_EQ(std::filesystem::status(folder_).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(PoolTest, AnArtifactOfAnotherEngineIsCompiledAnewOnce) {
    const std::string first = output("artifact");
    const std::string second = output("not-loaded-once");
    EXPECT_NE(first, second);
    EXPECT_EQ(run("not-loaded").ending.error, Errc::unsupported);
    EXPECT_EQ(run("import-missing").ending.error, Errc::import_missing);
    EXPECT_NE(output("artifact"), "");
}

TEST_F(PoolTest, FuelAndNoFuelAreTwoArtifacts) {
    const std::string plain = output("artifact");
    Task metered = task("artifact");
    metered.spec.limits.fuel_max = 1000;
    EXPECT_NE(text_of(run(metered).output), plain);
}

} // namespace
} // namespace ic::executor::process
