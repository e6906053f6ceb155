/// Modules with a byte too few and modules with bytes changed at random: whatever comes of them, no
/// process is lost that another job needs.

#include "executor/wasm/testing/guests.h"
#include "executor/wasm/testing/memory_services.h"
#include "hostile/guests.h"

#include <gtest/gtest.h>

#include <iostream>
#include <set>
#include <string>
#include <vector>

namespace ic::hostile {
namespace {

constexpr std::size_t modules_wanted = 20;
constexpr std::size_t module_bytes_most = 4000; // The large ones are large, not interesting.

/// From all over the list of hostile guests.
std::vector<Bytes> twenty_modules() {
    Host host;
    std::vector<Bytes> small;
    for (const Guest& guest : all_guests()) {
        Bytes module = guest.module(host);
        if (module.size() > 16 && module.size() < module_bytes_most) {
            small.push_back(std::move(module));
        }
    }
    std::vector<Bytes> chosen;
    for (std::size_t index = 0; index < modules_wanted; ++index) {
        chosen.push_back(small[index * small.size() / modules_wanted]);
    }
    return chosen;
}

/// Deterministic: the numbers of one seed are the same everywhere (SplitMix64, Steele et al. 2014).
class Numbers {
public:
    explicit Numbers(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31U);
    }

    std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }

private:
    std::uint64_t state_;
};

/// One to four changes, each a byte set, a bit flipped, a byte taken out, put in, or copied.
Bytes mutated(const Bytes& module, Numbers& numbers) {
    Bytes out = module;
    const std::size_t changes = 1 + numbers.below(4);
    for (std::size_t change = 0; change < changes && out.size() > 9; ++change) {
        const std::size_t at = 8 + numbers.below(out.size() - 8); // Behind magic and version.
        const auto place = out.begin() + static_cast<std::ptrdiff_t>(at);
        switch (numbers.below(5)) {
        case 0:
            *place = static_cast<std::uint8_t>(numbers.next());
            break;
        case 1:
            *place ^= static_cast<std::uint8_t>(1U << numbers.below(8));
            break;
        case 2:
            out.erase(place);
            break;
        case 3:
            out.insert(place, static_cast<std::uint8_t>(numbers.next()));
            break;
        default:
            *place = out[8 + numbers.below(out.size() - 8)];
            break;
        }
    }
    return out;
}

/// In this process: a crash would end the test. Whether the module compiles.
bool survives_here(const Bytes& module) {
    using namespace executor::wasm;
    Task task = small_task();
    task.spec.limits.wall_ms_max = 20;
    const Result<Bytes> artifact = shared_engine().compile(module, task.spec.limits);
    if (!artifact) {
        EXPECT_TRUE(artifact.error().code == Errc::module_invalid ||
                    artifact.error().code == Errc::import_missing)
            << name(artifact.error().code) << ": " << artifact.error().message;
        return false;
    }
    Result<std::shared_ptr<LoadedModule>> loaded =
        shared_engine().load({cid_of(Codec::raw, module), Metering::none}, sealed(*artifact));
    if (!loaded) {
        EXPECT_EQ(name(loaded.error().code), name(Errc::import_missing)) << loaded.error().message;
        return true;
    }
    MemoryServices services;
    const Outcome outcome = shared_engine().run(**loaded, task, services);
    EXPECT_NE(outcome.ending.error, Errc::internal) << outcome.ending.message;
    return true;
}

/// Modules through the broker, and now and then a good job.
class Procession {
public:
    Procession() {
        bench_.expect_a_good_job_is_right();
        executors_ = bench_.executors();
    }

    void take(const Bytes& module) {
        Task task = bench_.task_of(module);
        task.spec.limits.wall_ms_max = 20;
        const Timed timed = bench_.run(task);
        const job::Ending& ending = timed.outcome.ending;
        EXPECT_NE(ending.error, Errc::executor_crashed) << ending.message;
        EXPECT_NE(ending.error, Errc::internal) << ending.message;
        bench_.host().blocks.erase(task.spec.module);
        if (bench_.executors() != executors_) {
            // Only of a guest that outstayed its time does the process end, with that job alone.
            EXPECT_EQ(ending.error, Errc::limit_wall_time) << ending.message;
            EXPECT_GE(timed.took.count(), task.spec.limits.wall_ms_max);
            std::cout << "an executor was replaced after " << timed.took.count()
                      << " ms: " << to_hex(module) << "\n";
            ++replaced_;
            bench_.expect_a_good_job_is_right();
            executors_ = bench_.executors();
        }
        constexpr std::size_t between_good_jobs = 50;
        if (++taken_ % between_good_jobs == 0) {
            bench_.expect_a_good_job_is_right();
        }
    }

    /// That no process was lost.
    void expect_all_is_well() {
        bench_.expect_a_good_job_is_right();
        EXPECT_EQ(bench_.executors(), executors_);
        EXPECT_GT(taken_, 0U);
        EXPECT_LE(replaced_, 1 + taken_ / 1'000) << "a machine that stalls, but no more";
    }

private:
    Workbench bench_;
    std::set<int> executors_;
    std::size_t taken_ = 0;
    std::size_t replaced_ = 0;
};

// A module that is refused costs its compiler and nothing else, so of those only some go through
// the broker, each in a compiler of its own; of those that compile, all.
constexpr std::size_t refused_to_one_taken = 20;

TEST(Mutations, OfTruncationCostNobodyElseAnything) {
    Procession procession;
    const std::size_t every = times(500, refused_to_one_taken);
    std::size_t tried = 0;
    for (const Bytes& module : twenty_modules()) {
        for (std::size_t size = 0; size < module.size(); ++size) {
            const Bytes cut(module.begin(), module.begin() + static_cast<std::ptrdiff_t>(size));
            const bool compiles = survives_here(cut);
            if (++tried % every == 0 || compiles) {
                procession.take(cut);
            }
            if (testing::Test::HasFailure()) {
                FAIL() << "cut to " << size << " bytes: " << to_hex(cut);
            }
        }
    }
    procession.expect_all_is_well();
}

TEST(Mutations, OfBytesCostNobodyElseAnything) {
    constexpr std::uint64_t seed = 20'240'917;
    const std::size_t count = times(2'000, 100'000);
    const std::vector<Bytes> modules = twenty_modules();
    Procession procession;
    Numbers numbers(seed);
    for (std::size_t index = 0; index < count; ++index) {
        const Bytes module = mutated(modules[index % modules.size()], numbers);
        const bool compiles = survives_here(module);
        const std::size_t every = compiles ? times(10, 1) : times(100, refused_to_one_taken);
        if (index % every == 0) {
            procession.take(module);
        }
        if (testing::Test::HasFailure()) {
            FAIL() << "mutation " << index << " of seed " << seed << ": " << to_hex(module);
        }
    }
    procession.expect_all_is_well();
}

} // namespace
} // namespace ic::hostile
