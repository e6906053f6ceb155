// Warm runs of distinct tenants in turn: as many modules, each of a submitter of its own, through
// real executor processes behind all walls: one slot on one core and on two, and two slots at once
// on two cores; beside raw Wasmtime with the same modules in the same turns, in as many threads,
// interleaved in blocks. The first run of a block, which wakes an executor that slept while the
// peer had its turn, is a row of its own: it is no warm run, and one in 50 would be all of the p99.
// Run: bench/run tenants

#include "bench/support/executors.h"
#include "bench/support/home.h"
#include "bench/support/raw_wasmtime.h"
#include "executor/wasm/testing/guests.h"

#include <barrier>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace ic;
using bench::microseconds;
using executor::process::testing::FakeHost;

constexpr int blocks = 200;
constexpr int runs_a_block = 50;
constexpr int warm_up_blocks = 4;

/// A small WASI command; `tenant` makes it another module.
std::string command(std::size_t tenant) {
    return R"((module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (memory (export "memory") 17)
  (data (i32.const 1024) "tenant )" +
           std::to_string(tenant) + R"(")
  (func (export "_start") (drop (call $sizes (i32.const 0) (i32.const 4))))))";
}

/// One thread's: what it runs through the pool, and its own raw engine.
struct Lane {
    FakeHost host;
    bench::RawWasmtime raw;
    std::vector<executor::Task> tasks{};
    std::size_t next = 0;
    std::vector<double> ours{};
    std::vector<double>
        first{}; ///< Of each block: the executor sleeps while the peer has its turn.
    std::vector<double> theirs{};

    void add(std::size_t tenant) {
        const Bytes wasm = executor::wasm::wasm_of(command(tenant));
        executor::Task task;
        task.spec.module = host.put(text_of(wasm));
        task.spec.environment.emplace_back("TENANT", std::to_string(tenant));
        task.lease.job = cid_of(Codec::raw, bytes_of(std::to_string(tenant)));
        tasks.push_back(std::move(task));
        raw.add(wasm);
    }

    void run_block(executor::Executor& pool, bool counts) {
        for (int run = 0; run < runs_a_block; ++run, ++next) {
            const executor::Task& task = tasks[next % tasks.size()];
            const double took = microseconds([&] { bench::run_task(pool, task, host); });
            if (counts) {
                (run == 0 ? first : ours).push_back(took);
            }
        }
    }

    void run_raw_block(bool counts) {
        next -= runs_a_block;
        for (int run = 0; run < runs_a_block; ++run, ++next) {
            const double took = microseconds([&] { raw.run(next % tasks.size()); });
            if (counts) {
                theirs.push_back(took);
            }
        }
    }
};

/// How much of the machine there is, and how much of it is used at once.
struct Setting {
    unsigned cores = 1;
    unsigned slots = 1;
    std::size_t tenants = 2;
};

void measure(const Setting& setting) {
    const auto [cores, slots, tenants] = setting;
    bench::use_cores(cores);
    const testing_support::TemporaryFolder folder;
    const auto pool = bench::open_executors(bench::pool_options(folder.path() + "/modules", slots));
    std::deque<Lane> lanes(slots);
    for (std::size_t lane = 0; lane < slots; ++lane) {
        for (std::size_t turn = 0; turn < tenants; ++turn) {
            lanes[lane].add((turn + lane) % tenants);
        }
        for (const executor::Task& task : lanes[lane].tasks) {
            bench::run_task(*pool, task, lanes[lane].host); // Compiled from here on.
        }
    }
    std::barrier together(static_cast<std::ptrdiff_t>(slots));
    std::vector<std::thread> threads;
    for (Lane& lane : lanes) {
        threads.emplace_back([&lane, &together, &pool] {
            for (int block = -warm_up_blocks; block < blocks; ++block) {
                together.arrive_and_wait();
                lane.run_block(*pool, block >= 0);
                together.arrive_and_wait();
                lane.run_raw_block(block >= 0);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    const auto counted = [](std::size_t number, const char* what) {
        return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
    };
    const std::string what =
        counted(cores, "core") + ", " + counted(slots, "slot") + ", " + counted(tenants, "tenant");
    for (const Lane& lane : lanes) {
        for (const double took : lane.ours) {
            bench::print_sample(what, "us", took);
        }
    }
    for (const Lane& lane : lanes) {
        for (const double took : lane.theirs) {
            bench::print_sample(what + ", raw Wasmtime", "us", took);
        }
    }
    for (const Lane& lane : lanes) {
        for (const double took : lane.first) {
            bench::print_sample(what + ", first after a pause", "us", took);
        }
    }
}

} // namespace

int main(int count, char** arguments) {
    if (const auto status = bench::run_as_child(count, arguments)) {
        return *status;
    }
    for (const auto& [cores, slots] : {std::pair{1U, 1U}, std::pair{2U, 1U}, std::pair{2U, 2U}}) {
        for (const std::size_t tenants : {2U, 8U, 64U}) {
            measure({.cores = cores, .slots = slots, .tenants = tenants});
        }
    }
    return 0;
}
