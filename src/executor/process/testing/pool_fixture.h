#pragma once
/// PoolTest: a pool of fake executors and compilers, and tasks for them.

#include "executor/process/pool.h"
#include "executor/process/testing/fakes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::executor::process::testing {

class PoolTest : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ =
            std::filesystem::temp_directory_path() / ("ic-pool-test-" + std::to_string(::getpid()));
        std::filesystem::remove_all(folder_);
        options_.slots = 1;
        options_.program = {.path = IC_FAKE_EXECUTOR,
                            .executor_arguments = {"fake", "executor"},
                            .compiler_arguments = {"fake", "compiler"}};
        options_.artifacts_folder = folder_;
        options_.fingerprint = "plain";
        options_.fingerprint_fuel = "fuel";
        options_.grace = std::chrono::milliseconds(50);
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    void open() {
        pool_.reset();
        Result<std::unique_ptr<Executor>> opened = open_pool(options_);
        ASSERT_TRUE(opened) << opened.error().message;
        pool_ = std::move(opened).take();
    }

    Task task(std::string_view handler, std::string_view module = "module") {
        Task made;
        made.spec.module = host_.put(module);
        made.spec.handler = handler;
        made.spec.limits.handles_max = 4;
        made.spec.limits.output_bytes_max = 100'000;
        made.spec.limits.log_bytes_max = 100'000;
        made.spec.limits.add_bytes_max = 100'000;
        return made;
    }

    /// With imports "a", "b" and so on.
    Task linked_task(std::string_view handler,
                     const std::vector<std::string>& imports,
                     std::string_view module = "module") {
        Task made = task(handler, module);
        char name = 'a';
        for (const std::string& import : imports) {
            made.spec.imports.emplace_back(std::string(1, name++), host_.put(import));
        }
        return made;
    }

    Outcome run(const Task& what) {
        if (pool_ == nullptr) {
            open();
        }
        return pool_->run(what, permit_, host_);
    }

    Outcome run(std::string_view handler) { return run(task(handler)); }

    std::string output(std::string_view handler, std::string_view module = "module") {
        const Outcome outcome = run(task(handler, module));
        EXPECT_TRUE(outcome.ending.ok()) << handler << ": " << outcome.ending.message;
        return std::string(text_of(outcome.output));
    }

    /// The run fails so, and the next one in the same slot is right.
    void expect_failure(const Task& what, Errc code) {
        const Outcome outcome = run(what);
        ASSERT_TRUE(outcome.ending.error.has_value()) << what.spec.handler;
        EXPECT_EQ(name(*outcome.ending.error), name(code))
            << what.spec.handler << ": " << outcome.ending.message;
        EXPECT_NE(outcome.ending.message, "");
        EXPECT_EQ(output("hello"), "hello") << "after " << what.spec.handler;
    }

    std::filesystem::path only_artifact() {
        std::vector<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
            files.push_back(entry.path());
        }
        EXPECT_EQ(files.size(), 1U);
        return files.front();
    }

    std::filesystem::path folder_;
    PoolOptions options_;
    FakeHost host_;
    FakePermit permit_;
    std::unique_ptr<Executor> pool_;
};

} // namespace ic::executor::process::testing
