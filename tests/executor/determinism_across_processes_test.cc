/// One result in whichever process a job runs, after whatever else ran there, with code for this
/// processor and with code for the oldest: 30 pure jobs, in orders that a seed gives.

#include "base/unique_fd.h"
#include "executor/process/artifact_cache.h"
#include "executor/process/pool.h"
#include "executor/process/testing/fakes.h"
#include "executor/wasm/engine.h"
#include "executor/wasm/testing/guests.h"
#include "executor/wasm/testing/pure_jobs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace ic::executor {
namespace {

using process::testing::FakeHost;
using process::testing::FakePermit;

constexpr int runs_of_each_job = 100;
constexpr std::uint32_t slots = 2;
/// Few, so that processes are replaced again and again.
constexpr std::uint64_t runs_per_process = 25;

class DeterminismAcrossProcesses : public ::testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() /
                  ("ic-determinism-test-" + std::to_string(::getpid()));
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        record_.reset(
            ::open((folder_ / "record").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        for (const wasm::PureJob& job : wasm::pure_jobs()) {
            jobs_.push_back({job.name, wasm::wasm_of(job.wat)});
        }
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    process::PoolOptions options(const std::string& name) const {
        process::PoolOptions options;
        options.slots = slots;
        options.artifacts_folder = folder_ / name;
        options.fingerprint = name;
        options.fingerprint_fuel = name + "-fuel";
        options.record = record_.get();
        options.runs_per_process_max = runs_per_process;
        return options;
    }

    /// Puts code for the oldest processor where a pool of `options` looks for artifacts.
    void compile_for_the_oldest(const process::PoolOptions& options) const {
        const auto cache = process::ArtifactCache::open(
            {.folder = options.artifacts_folder, .key = options.artifact_key});
        ASSERT_TRUE(cache) << cache.error().message;
        const auto engine = wasm::Engine::open({.processor = wasm::Processor::oldest});
        ASSERT_TRUE(engine) << engine.error().message;
        for (const auto& [name, module] : jobs_) {
            const Result<Bytes> code = (*engine)->compile(module, {});
            ASSERT_TRUE(code) << code.error().message;
            UniqueFd memory(::memfd_create("artifact", MFD_CLOEXEC | MFD_ALLOW_SEALING));
            ASSERT_EQ(::write(memory.get(), code->data(), code->size()),
                      static_cast<ssize_t>(code->size()));
            ASSERT_TRUE((*cache)->put(
                {.module = cid_of(Codec::raw, module), .fingerprint = options.fingerprint},
                std::move(memory),
                module.size()));
        }
    }

    /// One thread's part: every job `runs` times, each time in another order. `compilations` is
    /// how many runs had to compile.
    void run_all(Executor& pool, unsigned seed, int runs, std::atomic<int>& compilations) {
        FakeHost host;
        FakePermit permit;
        std::mt19937 random(seed);
        std::vector<std::size_t> order(jobs_.size());
        for (std::size_t index = 0; index < order.size(); ++index) {
            order[index] = index;
        }
        for (int run = 0; run < runs; ++run) {
            std::shuffle(order.begin(), order.end(), random);
            for (const std::size_t index : order) {
                const auto& [name, module] = jobs_[index];
                Task task = wasm::small_task("run");
                task.spec.module = host.put(text_of(ByteView{module}));
                task.spec.limits.wall_ms_max = 30'000;
                task.seed.fill(7); // Of the computation; the same for each run of it.
                const Outcome outcome = pool.run(task, permit, host);
                compilations += outcome.usage.compile_us != 0 ? 1 : 0;
                const std::lock_guard lock(mutex_);
                EXPECT_TRUE(outcome.ending.ok()) << name << ": " << outcome.ending.message;
                EXPECT_EQ(outcome.output.size(), wasm::pure_job_output_bytes) << name;
                outputs_[name].insert(cid_of(Codec::raw, outcome.output));
            }
        }
    }

    std::set<std::string> executors() const {
        std::set<std::string> ids;
        std::ifstream file(folder_ / "record");
        for (std::string line; std::getline(file, line);) {
            std::istringstream words(line);
            std::string kind, job, epoch, id;
            words >> kind >> job >> epoch >> id;
            ids.insert(id);
        }
        return ids;
    }

    std::filesystem::path folder_;
    UniqueFd record_;
    std::vector<std::pair<std::string, Bytes>> jobs_;
    std::mutex mutex_;
    std::map<std::string, std::set<Cid>> outputs_;
};

TEST_F(DeterminismAcrossProcesses, PureJobsGiveTheSameInEveryProcessInEveryOrder) {
    ASSERT_GE(jobs_.size(), 30U);
    const process::PoolOptions here = options("here"), oldest = options("oldest");
    ASSERT_NO_FATAL_FAILURE(compile_for_the_oldest(oldest));
    const int runs = runs_of_each_job / 4; // Of each of two threads, in each of two pools.
    std::array<std::atomic<int>, 2> compilations{};
    {
        const auto pool_here = process::open_pool(here);
        const auto pool_oldest = process::open_pool(oldest);
        ASSERT_TRUE(pool_here && pool_oldest);
        std::vector<std::jthread> threads;
        for (unsigned seed = 1; seed <= slots; ++seed) {
            threads.emplace_back([&, seed] { run_all(**pool_here, seed, runs, compilations[0]); });
            threads.emplace_back(
                [&, seed] { run_all(**pool_oldest, 100 + seed, runs, compilations[1]); });
        }
    }
    EXPECT_GE(compilations[0], static_cast<int>(jobs_.size()));
    EXPECT_EQ(compilations[1], 0) << "else the code was not the one for the oldest";
    const std::size_t all_runs = jobs_.size() * static_cast<std::size_t>(runs) * 4;
    EXPECT_GE(executors().size(), all_runs / (runs_per_process + 1)) << "processes were replaced";
    std::set<Cid> different;
    for (const auto& [name, cids] : outputs_) {
        EXPECT_EQ(cids.size(), 1U) << name << " gives different results";
        different.insert(*cids.begin());
    }
    EXPECT_EQ(different.size(), jobs_.size()) << "each computes something else";
}

} // namespace
} // namespace ic::executor
