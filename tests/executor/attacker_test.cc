/// An executor whose guest has broken out: native code of an attacker, behind the walls, in a
/// process that the broker started as it starts every other, with the descriptors that each of them
/// has.

#include "executor/channel/endpoint.h"
#include "executor/channel/system_calls.h"
#include "executor/channel/testing/attempts.h"
#include "executor/channel/walls.h"
#include "executor/channel/window.h"
#include "executor/process/pool.h"
#include "executor/process/testing/fakes.h"
#include "executor/wasm/engine.h"
#include "executor/wasm/executor_main.h"
#include "executor/wasm/testing/guests.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <iostream>

namespace ic::executor {
namespace {

using ::testing::HasSubstr;

/// Every attempt that was not refused, a line each, and how many there were.
std::string attack(pid_t victim) {
    std::string report;
    const auto attempts = channel::testing::attempts(victim);
    for (const auto& attempt : attempts) {
        if (const std::string worked = channel::testing::outcome_of(attempt); !worked.empty()) {
            report += std::string(attempt.name) + ": " + worked + "\n";
        }
    }
    return report + "made " + std::to_string(attempts.size()) + " attempts\n";
}

/// The numbers of what is open here.
std::string descriptors() {
    std::string report;
    for (int descriptor = 0; descriptor < 1024; ++descriptor) {
        if (::fcntl(descriptor, F_GETFD) >= 0) {
            report += " " + std::to_string(descriptor);
        }
    }
    return report;
}

/// Behaves as an executor until it has its guest.
Result<void> be_taken_over(std::string_view broker) {
    channel::WallErrors walls = TRY(channel::raise_walls(TRY(channel::parse_broker(broker))));
    channel::Endpoint endpoint{UniqueFd(channel::channel_descriptor)};
    channel::Received first = TRY(endpoint.receive());
    const channel::Hello hello = std::get<channel::Hello>(first.message);
    const channel::Window window = TRY(channel::Window::attach(std::move(first.descriptors[0])));
    walls.system_calls = channel::forbid_what_is_not_needed(channel::ProcessKind::executor);
    channel::require_walls(walls, channel::WallSet::all()); // Or the attack would be one.
    TRY(endpoint.send(channel::Ready{.slot = hello.slot}));
    for (;;) {
        const channel::Received next = TRY(endpoint.receive());
        const auto* start = std::get_if<channel::Start>(&next.message);
        if (start == nullptr) {
            continue;
        }
        pid_t victim = 0;
        const std::string& text = start->task.spec.arguments.at(0);
        std::from_chars(text.data(), text.data() + text.size(), victim);
        const std::string report = attack(victim) + "open:" + descriptors() + "\n";
        TRY(endpoint.send(
            channel::Finished{.run = start->run, .output = copy_of(bytes_of(report))}));
    }
}

class Attacker : public ::testing::Test {
protected:
    void SetUp() override {
        if (!channel::is_filtered_build()) {
            GTEST_SKIP() << "the address sanitizer needs what the walls take away";
        }
        folder_ = std::filesystem::temp_directory_path() /
                  ("ic-attacker-test-" + std::to_string(::getpid()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        options_.artifacts_folder = folder_;
        options_.fingerprint = wasm::engine_fingerprint(wasm::Metering::none);
        options_.fingerprint_fuel = wasm::engine_fingerprint(wasm::Metering::fuel);
        options_.program.executor_arguments = {"attacker_test", "taken-over"};
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    Outcome run() {
        Result<std::unique_ptr<Executor>> pool = process::open_pool(options_);
        EXPECT_TRUE(pool) << pool.error().message;
        Task task;
        task.spec.module =
            host_.put(text_of(ByteView{wasm::wasm_of(R"((module (func (export "run"))))")}));
        task.spec.handler = "run";
        task.spec.arguments = {std::to_string(victim_.id())};
        return (*pool)->run(task, permit_, host_);
    }

    std::filesystem::path folder_;
    process::PoolOptions options_;
    process::testing::FakeHost host_;
    process::testing::FakePermit permit_;
    channel::testing::Victim victim_;
};

TEST_F(Attacker, InAnExecutorReachesNothing) {
    const Outcome outcome = run();
    ASSERT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    const std::string report(text_of(ByteView{outcome.output}));
    const std::size_t attempts = channel::testing::attempts(victim_.id()).size();
    EXPECT_GE(attempts, 120U);
    // Standard input and output are /dev/null, 2 is the pipe for its last words, 3 the channel,
    // then the window.
    EXPECT_EQ(report, "made " + std::to_string(attempts) + " attempts\nopen: 0 1 2 3 4\n");
    EXPECT_TRUE(victim_.is_well());
    EXPECT_FALSE(std::filesystem::exists("/tmp/ic-broken-out"));
}

// So that the test above can fail at all: some of the same attempts, without walls.
TEST_F(Attacker, WithoutWallsWouldReachMuch) {
    const std::string report = [this] {
        std::string worked;
        for (const auto& attempt : channel::testing::attempts(victim_.id())) {
            const std::string name = attempt.name;
            if (name == "open a file" || name == "its own memory as a file" ||
                name == "a unix socket" || name == "a handle of a process" ||
                name == "whether a file is there" || name == "where it stands") {
                worked += channel::testing::outcome_of(attempt).empty() ? "-" : "+";
            }
        }
        return worked;
    }();
    EXPECT_EQ(report, "++++++");
}

// A wall that is required and cannot be had: no guest, and words that say which.
TEST_F(Attacker, IsNotLetInWhereARequiredWallIsMissing) {
    options_.program.executor_arguments = {"attacker_test", "without-walls"};
    options_.walls = channel::WallSet::all();
    const Outcome outcome = run();
    EXPECT_EQ(outcome.ending.error, Errc::executor_crashed);
    EXPECT_THAT(outcome.ending.message, HasSubstr("network (Operation not permitted)"));
    EXPECT_THAT(outcome.ending.message, HasSubstr("system-calls"));
}

/// An executor on a machine that allows nothing, as far as the broker can tell.
Result<void> be_without_walls() {
    channel::Endpoint endpoint{UniqueFd(channel::channel_descriptor)};
    const channel::Received first = TRY(endpoint.receive());
    channel::require_walls({.network = EPERM,
                            .view = EPERM,
                            .landlock = ENOSYS,
                            .capabilities = EPERM,
                            .system_calls = ENOSYS},
                           std::get<channel::Hello>(first.message).walls);
    return {};
}

int end_with(const Result<void>& result) {
    if (!result) {
        std::cerr << result.error().message << "\n";
    }
    return result ? 0 : 1;
}

} // namespace
} // namespace ic::executor

int main(int count, char** arguments) {
    const std::string_view role = count > 1 ? arguments[1] : "";
    if (role == "taken-over") {
        return ic::executor::end_with(ic::executor::be_taken_over(arguments[count - 1]));
    }
    if (role == "without-walls") {
        return ic::executor::end_with(ic::executor::be_without_walls());
    }
    if (role == "internal-compiler") {
        return ic::executor::wasm::run_compiler(arguments[count - 1]);
    }
    testing::InitGoogleTest(&count, arguments);
    return RUN_ALL_TESTS();
}
