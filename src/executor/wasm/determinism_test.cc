/// One result whatever the processor can do, in whatever order jobs come: 30 pure jobs, 100 runs
/// each.

#include "executor/wasm/engine.h"
#include "executor/wasm/testing/guests.h"
#include "executor/wasm/testing/pure_jobs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace ic::executor::wasm {
namespace {

constexpr int runs_per_job = 100;

/// And what its first run gave.
struct Job {
    std::string name;
    std::string wat;
    std::optional<Cid> output{};
};

std::unique_ptr<Engine> engine_for(Processor processor) {
    Result<std::unique_ptr<Engine>> engine = Engine::open({.processor = processor});
    EXPECT_TRUE(engine.ok());
    return std::move(engine).take();
}

TEST(Determinism, PureJobsGiveTheSameOnEveryProcessorInEveryOrder) {
    std::vector<Job> all;
    for (const PureJob& job : pure_jobs()) {
        all.push_back({job.name, job.wat});
    }
    ASSERT_GE(all.size(), 30U);
    const std::array engines{engine_for(Processor::here), engine_for(Processor::oldest)};
    int codes_that_differ = 0;
    for (const Job& job : all) {
        const Bytes wasm = wasm_of(job.wat);
        codes_that_differ +=
            *engines[0]->compile(wasm, {}) != *engines[1]->compile(wasm, {}) ? 1 : 0;
    }
#if defined(__x86_64__)
    EXPECT_GT(codes_that_differ, 10) << "or no other processor is tested";
#endif
    std::mt19937 order(1);
    for (int round = 0; round < runs_per_job; ++round) {
        std::shuffle(all.begin(), all.end(), order);
        Engine& engine = *engines[static_cast<std::size_t>(round) % engines.size()];
        for (Job& job : all) {
            MemoryServices services;
            Task task = small_task("run");
            task.seed.fill(7); // Of the computation; the same for each run of it.
            const Outcome outcome = engine.run(*loaded(engine, job.wat), task, services);
            ASSERT_TRUE(outcome.ending.ok()) << job.name << ": " << outcome.ending.message;
            ASSERT_EQ(outcome.output.size(), pure_job_output_bytes) << job.name;
            const Cid cid = cid_of(Codec::raw, outcome.output);
            if (!job.output) {
                job.output = cid;
            }
            ASSERT_EQ(*job.output, cid) << job.name << ", round " << round;
        }
    }
    std::map<std::string, std::string> by_output;
    for (const Job& job : all) {
        const auto [first, is_new] = by_output.emplace(job.output->to_string(), job.name);
        EXPECT_TRUE(is_new) << job.name << " gives what " << first->second << " gives";
    }
}

} // namespace
} // namespace ic::executor::wasm
