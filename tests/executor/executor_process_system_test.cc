/// Tasks through the real broker's side into real executor and compiler processes.

#include "base/unique_fd.h"
#include "executor/process/pool.h"
#include "executor/process/testing/fakes.h"
#include "executor/wasm/engine.h"
#include "executor/wasm/executor_main.h"
#include "executor/wasm/testing/compile_bomb.h"
#include "executor/wasm/testing/guests.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <iostream>
#include <thread>

namespace ic::executor {
namespace {

using process::testing::FakeHost;
using process::testing::FakePermit;
using namespace std::chrono_literals;

/// Not the name of a test, so that the program knows what it was started as.
constexpr const char* broker_role = "internal-broker-of-test";

process::PoolOptions options_in(const std::filesystem::path& folder) {
    process::PoolOptions options;
    options.artifacts_folder = folder / "modules";
    options.fingerprint = wasm::engine_fingerprint(wasm::Metering::none);
    options.fingerprint_fuel = wasm::engine_fingerprint(wasm::Metering::fuel);
    return options;
}

std::string_view text(const Bytes& bytes) { return text_of(ByteView{bytes}); }

constexpr std::string_view endless = R"((module (func (export "run") (loop br 0))))";

class ExecutorProcess : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("ic-executor-test-" + std::to_string(::getpid()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        record_path_ = folder_ / "record";
        record_.reset(
            ::open(record_path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        options_ = options_in(folder_);
        options_.record = record_.get();
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    Task task(std::string_view wat) { return task_of(wasm::wasm_of(wat)); }

    Task task_of(const Bytes& module) {
        Task made;
        made.spec.module = host_.put(text(module));
        made.spec.handler = "run";
        made.spec.limits.wall_ms_max = 5000;
        return made;
    }

    Outcome run(const Task& what) {
        if (pool_ == nullptr) {
            Result<std::unique_ptr<Executor>> opened = process::open_pool(options_);
            EXPECT_TRUE(opened) << opened.error().message;
            pool_ = std::move(opened).take();
        }
        return pool_->run(what, permit_, host_);
    }

    void expect_the_next_run_is_right() {
        const Outcome outcome = run(task(R"((module (memory 1)
            (func (export "run") (result i32) (i32.load (i32.const 60000)))))"));
        EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
        EXPECT_EQ(outcome.ending.value, 0);
    }

    /// The words of each line of the execution record.
    std::vector<std::vector<std::string>> record() const {
        std::vector<std::vector<std::string>> lines;
        std::ifstream file(record_path_);
        for (std::string line; std::getline(file, line);) {
            std::istringstream words(line);
            lines.emplace_back(std::istream_iterator<std::string>(words),
                               std::istream_iterator<std::string>());
        }
        return lines;
    }

    std::filesystem::path folder_;
    std::filesystem::path record_path_;
    UniqueFd record_;
    process::PoolOptions options_;
    FakeHost host_;
    FakePermit permit_;
    std::unique_ptr<Executor> pool_;
};

TEST_F(ExecutorProcess, RunsAHandlerAndGivesItsValue) {
    const Task adds = task(R"((module (func (export "run") (result i64) (i64.const 42))))");
    const Outcome outcome = run(adds);
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(outcome.ending.value, 42);
    EXPECT_GT(outcome.usage.compile_us, 0U);
    EXPECT_EQ(run(adds).usage.compile_us, 0U) << "compiled already";
}

TEST_F(ExecutorProcess, ALogLineAnAddedFileAndOutputReachTheHost) {
    const Outcome outcome = run(task(R"((module
        (import "env" "ipfsComputeLog" (func $log (param i32 i32) (result i64)))
        (import "env" "ipfsComputeAdd" (func $add (param i32 i32) (result i64)))
        (import "env" "ipfsComputeRead" (func $read (param i64 i32 i32) (result i64)))
        (import "wasi_snapshot_preview1" "fd_write"
          (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 100) "content")
        (func (export "run")
          (drop (call $log (i32.const 100) (i32.const 7)))
          (i32.store (i32.const 0) (i32.const 200))
          (i32.store (i32.const 4)
            (i32.wrap_i64 (call $read (call $add (i32.const 100) (i32.const 7))
                                      (i32.const 200) (i32.const 100))))
          (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))))"));
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    const Cid cid = cid_of(Codec::raw, bytes_of("content"));
    EXPECT_EQ(text(outcome.output), cid.to_string());
    EXPECT_EQ(text(outcome.log), "content\n");
    EXPECT_THAT(host_.logged, ::testing::ElementsAre("content"));
    EXPECT_EQ(host_.blocks[cid], "content");
    EXPECT_EQ(outcome.usage.bytes_added, 7U);
}

TEST_F(ExecutorProcess, ABlockOfTheLargestSizeReachesTheGuest) {
    const Cid cid = host_.put(std::string(ic::limits::block_bytes_max, 'b'));
    const std::string path = cid.to_string();
    const Outcome outcome = run(task(R"((module
        (import "env" "ipfsComputeGet" (func $get (param i32 i32) (result i64)))
        (import "env" "ipfsComputeRead" (func $read (param i64 i32 i32) (result i64)))
        (memory (export "memory") 1)
        (data (i32.const 0) ")" + path +
                                     R"(")
        (func (export "run") (result i64) (local $file i64) (local $count i64) (local $sum i64)
          (local.set $file (call $get (i32.const 0) (i32.const )" +
                                     std::to_string(path.size()) + R"()))
          (loop $more
            (local.set $count (call $read (local.get $file) (i32.const 1000) (i32.const 60000)))
            (local.set $sum (i64.add (local.get $sum) (local.get $count)))
            (br_if $more (i64.gt_s (local.get $count) (i64.const 0))))
          (local.get $sum))))"));
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(outcome.ending.value, std::int64_t{ic::limits::block_bytes_max});
}

TEST_F(ExecutorProcess, AGuestBeyondItsLimitIsNamedAndTheProcessGoesOn) {
    options_.grace = 60s; // However late it gets a processor, it ends the run itself.
    Task loops = task(endless);
    loops.spec.limits.wall_ms_max = 100;
    EXPECT_EQ(run(loops).ending.error, Errc::limit_wall_time);
    expect_the_next_run_is_right();
    Task grows = task(R"((module (memory 1)
        (func (export "run") (drop (memory.grow (i32.const 60000))))))");
    EXPECT_EQ(run(grows).ending.error, Errc::limit_memory);
    expect_the_next_run_is_right();
    Task recurses = task(R"((module (func $f (export "run") (call $f) (call $f))))");
    EXPECT_EQ(run(recurses).ending.error, Errc::trap_stack);
    expect_the_next_run_is_right();
    Task burns = task(endless);
    burns.spec.limits.fuel_max = 10'000;
    const Outcome burnt = run(burns);
    EXPECT_EQ(burnt.ending.error, Errc::limit_fuel) << burnt.ending.message;
    expect_the_next_run_is_right();

    const auto lines = record();
    ASSERT_EQ(lines.size(), 16U) << "a start and an end of each run";
    for (std::size_t index = 0; index < lines.size(); ++index) {
        ASSERT_EQ(lines[index].size(), 5U);
        EXPECT_EQ(lines[index][0], index % 2 == 0 ? "start" : "end");
        EXPECT_EQ(lines[index][3], lines[0][3]) << "one process ran them all";
    }
}

TEST_F(ExecutorProcess, AStopAndTheLeasesEndStopTheGuest) {
    expect_the_next_run_is_right();
    permit_.lease_until_ns = (now_since_boot() + 100ms).since_boot.count();
    EXPECT_EQ(run(task(endless)).ending.error, Errc::lease_lost);
    permit_.lease_until_ns = Instant::never().since_boot.count();
    std::jthread stopper([this] {
        std::this_thread::sleep_for(50ms);
        permit_.stop = static_cast<int>(Errc::cancelled);
    });
    EXPECT_EQ(run(task(endless)).ending.error, Errc::cancelled);
    stopper.join();
    permit_.stop = 0;
    expect_the_next_run_is_right();
}

// As far as the executor alone is concerned: what is stopped beyond its lease does not go on.
TEST_F(ExecutorProcess, AStoppedExecutorIsKilledWhenItsLeaseEnds) {
    Task loops = task(endless), compiled = loops;
    compiled.spec.handler = "none";
    EXPECT_EQ(run(compiled).ending.error, Errc::handler_missing); // Not to be compiled again.
    expect_the_next_run_is_right();
    const pid_t executor = std::stoi(record().back()[3]);
    ASSERT_EQ(::kill(executor, SIGSTOP), 0);
    permit_.lease_until_ns = (now_since_boot() + 100ms).since_boot.count();
    EXPECT_EQ(run(loops).ending.error, Errc::lease_lost);
    EXPECT_EQ(::kill(executor, 0), -1) << "nothing of it is left";
    permit_.lease_until_ns = Instant::never().since_boot.count();
    expect_the_next_run_is_right();
}

TEST_F(ExecutorProcess, ModulesThatCannotRunAreNamed) {
    EXPECT_EQ(run(task_of(copy_of(bytes_of("not wasm")))).ending.error, Errc::module_invalid);
    EXPECT_EQ(
        run(task(R"((module (import "env" "nothing" (func)) (func (export "run"))))")).ending.error,
        Errc::import_missing);
    EXPECT_EQ(run(task(R"((module (func (export "other"))))")).ending.error, Errc::handler_missing);
    expect_the_next_run_is_right();
}

TEST_F(ExecutorProcess, ACompilationThatExplodesEndsAtItsDeadline) {
    Task bomb = task_of(wasm::compile_bomb());
    EXPECT_GT(host_.blocks[bomb.spec.module].size(), 690'000U);
    bomb.spec.limits.compile_ms_max = 700;
    const Instant begin = now_since_boot();
    EXPECT_EQ(run(bomb).ending.error, Errc::compile_timeout);
    const auto took = now_since_boot() - begin;
    RecordProperty("over_limit_ms", std::to_string((took - 700ms) / 1ms));
    expect_the_next_run_is_right();
}

TEST_F(ExecutorProcess, ACompilationThatNeedsTooMuchMemoryIsNamed) {
    Task bomb = task_of(wasm::compile_bomb());
    bomb.spec.limits.compile_memory_bytes_max = 64U << 20U;
    const Outcome outcome = run(bomb);
    EXPECT_EQ(outcome.ending.error, Errc::compile_memory) << outcome.ending.message;
    expect_the_next_run_is_right();
}

/// A broker that runs an endless guest until somebody kills it.
int be_a_broker(const char* folder) {
    process::PoolOptions options = options_in(folder);
    options.liveness = STDOUT_FILENO;
    Result<std::unique_ptr<Executor>> pool = process::open_pool(options);
    if (!pool) {
        std::cerr << pool.error().message << "\n";
        return 1;
    }
    FakeHost host;
    std::promise<void> runs_now;
    host.on_stage = [&runs_now](job::Stage stage) {
        if (stage == job::Stage::running) {
            runs_now.set_value();
        }
    };
    FakePermit permit;
    Task task;
    task.spec.module = host.put(text(wasm::wasm_of(endless)));
    task.spec.handler = "run";
    std::jthread runs([&pool, &task, &permit, &host] { (*pool)->run(task, permit, host); });
    runs_now.get_future().wait();
    std::this_thread::sleep_for(50ms);
    std::cout << "x" << std::flush;
    runs.join();
    return 0;
}

// The proof of death that other nodes rely on: the pipe ends when the last process is dead.
TEST_F(ExecutorProcess, NothingOutlivesAKilledBroker) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, writer.get(), STDOUT_FILENO);
    std::string program = "/proc/self/exe";
    std::string role = broker_role;
    std::string folder = folder_.string();
    const std::array<char*, 4> arguments{program.data(), role.data(), folder.data(), nullptr};
    pid_t broker = -1;
    ASSERT_EQ(
        ::posix_spawn(&broker, "/proc/self/exe", &actions, nullptr, arguments.data(), environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    writer.reset();
    char byte = 0;
    ASSERT_EQ(::read(reader.get(), &byte, 1), 1) << "the guest runs";
    ASSERT_EQ(::kill(broker, SIGKILL), 0);
    ::waitpid(broker, nullptr, 0);
    pollfd end{.fd = reader.get(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&end, 1, 5000), 1) << "an executor lives on";
    EXPECT_EQ(::read(reader.get(), &byte, 1), 0);
}

} // namespace
} // namespace ic::executor

int main(int count, char** arguments) {
    const std::string_view role = count > 1 ? arguments[1] : "";
    if (role == "internal-executor") {
        return ic::executor::wasm::run_executor(arguments[count - 1]);
    }
    if (role == "internal-compiler") {
        return ic::executor::wasm::run_compiler(arguments[count - 1]);
    }
    if (role == ic::executor::broker_role) {
        return ic::executor::be_a_broker(arguments[2]);
    }
    testing::InitGoogleTest(&count, arguments);
    return RUN_ALL_TESTS();
}
