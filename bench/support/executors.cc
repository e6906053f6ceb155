#include "bench/support/executors.h"

#include "bench/support/home.h"
#include "executor/wasm/engine.h"
#include "executor/wasm/executor_main.h"

#include <sched.h>

#include <filesystem>
#include <fstream>
#include <string_view>

namespace ic::bench {
namespace {

double pss_mib(const std::string& process) {
    std::ifstream file("/proc/" + process + "/smaps_rollup");
    for (std::string word; file >> word;) {
        if (double kib = 0; word == "Pss:" && file >> kib) {
            return kib / 1024;
        }
    }
    give_up("no memory figure for process " + process);
}

} // namespace

std::optional<int> run_as_child(int count, char** arguments) {
    const std::string_view role = count > 1 ? arguments[1] : "";
    if (role == "internal-executor") {
        return executor::wasm::run_executor(arguments[count - 1]);
    }
    if (role == "internal-compiler") {
        return executor::wasm::run_compiler(arguments[count - 1]);
    }
    return std::nullopt;
}

executor::process::PoolOptions pool_options(const std::string& folder, std::uint32_t slots) {
    executor::process::PoolOptions options;
    options.slots = slots;
    options.artifacts_folder = folder;
    options.fingerprint = executor::wasm::engine_fingerprint(executor::wasm::Metering::none);
    options.fingerprint_fuel = executor::wasm::engine_fingerprint(executor::wasm::Metering::fuel);
    options.walls = executor::channel::WallSet::all();
    return options;
}

std::unique_ptr<executor::Executor> open_executors(const executor::process::PoolOptions& options) {
    return must(executor::process::open_pool(options));
}

executor::Outcome run_task(executor::Executor& executor,
                           const executor::Task& task,
                           executor::process::testing::FakeHost& host) {
    const executor::process::testing::FakePermit permit;
    host.stages.clear();
    executor::Outcome outcome = executor.run(task, permit, host);
    if (!outcome.ending.ok()) {
        give_up(outcome.ending.message);
    }
    return outcome;
}

void use_cores(unsigned cores) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (unsigned core = 0; core < cores; ++core) {
        CPU_SET(core, &set);
    }
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        if (::sched_setaffinity(std::stoi(task.path().filename()), sizeof(set), &set) != 0) {
            give_up("this machine has not " + std::to_string(cores) + " cores to run on");
        }
    }
}

std::vector<double> memory_mib() {
    std::vector<double> all{pss_mib("self")};
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream children(task.path() / "children");
        for (std::string child; children >> child;) {
            all.push_back(pss_mib(child));
        }
    }
    return all;
}

} // namespace ic::bench
