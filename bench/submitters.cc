// What it costs that no two submitters share an executor process (isolation.processes): one slot,
// jobs of two submitters in turn, each in a process that was started for it; beside the same jobs
// in one process for all, interleaved, and beside jobs of one submitter, to whom it costs nothing.
// Run: bench/run submitters

#include "bench/support/executors.h"
#include "bench/support/home.h"
#include "executor/wasm/testing/guests.h"

#include <string>
#include <string_view>

namespace {

using namespace ic;
using executor::process::Sharing;
using executor::process::testing::FakeHost;

constexpr int turns = 300;
constexpr int warm_up_turns = 10;

constexpr std::string_view command = R"((module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (memory (export "memory") 17)
  (func (export "_start") (drop (call $sizes (i32.const 0) (i32.const 4))))))";

} // namespace

int main(int count, char** arguments) {
    if (const auto status = bench::run_as_child(count, arguments)) {
        return *status;
    }
    const testing_support::TemporaryFolder folder;
    auto options = bench::pool_options(folder.path() + "/modules", 1);
    const auto shared = bench::open_executors(options);
    options.sharing = Sharing::owner;
    const auto apart = bench::open_executors(options);
    FakeHost host;
    executor::Task task;
    task.spec.module = host.put(text_of(executor::wasm::wasm_of(std::string(command))));
    task.lease.job = cid_of(Codec::raw, bytes_of("job"));
    const auto run = [&](executor::Executor& pool, std::string_view owner) {
        task.owner = owner;
        return bench::microseconds([&] { bench::run_task(pool, task, host); });
    };
    for (int turn = -warm_up_turns; turn < turns; ++turn) {
        const std::string_view owner = turn % 2 == 0 ? "a" : "b";
        const double of_another = run(*apart, owner), of_the_same = run(*apart, owner);
        run(*shared, owner); // Awake, as that one was.
        const double for_all = run(*shared, owner);
        if (turn >= 0) {
            bench::print_sample("own process, after another submitter's job", "us", of_another);
            bench::print_sample("own process, after one's own job", "us", of_the_same);
            bench::print_sample("one process for all", "us", for_all);
        }
    }
    return 0;
}
