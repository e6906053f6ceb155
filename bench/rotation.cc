// 10,000 small modules in rotation, none run again before all others have been: through a real
// executor process behind all walls, whose loaded modules are bounded, and a cache of artifacts
// that is bounded in memory and on disk. First with the bounds of a worker, where the disk holds
// all; then with a tenth of what all need, so that each is compiled again at its turn. Beside it
// raw Wasmtime's loading of one artifact, linking it and running it.
// Run: bench/run rotation

#include "bench/support/executors.h"
#include "bench/support/home.h"
#include "bench/support/raw_wasmtime.h"
#include "executor/process/artifact_cache.h"
#include "executor/wasm/testing/guests.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace ic;
using bench::microseconds;
using executor::process::testing::FakeHost;

constexpr std::size_t modules = 10'000;
constexpr std::size_t compiled_runs = 1'000;
constexpr std::size_t runs_between_looks = 500;

std::string command(std::size_t number) {
    return R"((module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (memory (export "memory") 17)
  (data (i32.const 1024) "module )" +
           std::to_string(number) + R"(")
  (func (export "_start") (drop (call $sizes (i32.const 0) (i32.const 4))))))";
}

UniqueFd memory_of(ByteView bytes) {
    UniqueFd memory(::memfd_create("artifact", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (::write(memory.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
        bench::give_up("an artifact could not be kept");
    }
    return memory;
}

double mib_on_disk(const std::string& folder) {
    std::uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        bytes += entry.file_size();
    }
    return static_cast<double>(bytes) / (1 << 20U);
}

class Rotation {
public:
    explicit Rotation(const std::string& folder) : options_(bench::pool_options(folder, 1)) {
        for (std::size_t number = 0; number < modules; ++number) {
            executor::Task task;
            task.spec.module =
                host_.put(text_of(ByteView{executor::wasm::wasm_of(command(number))}));
            tasks_.push_back(std::move(task));
        }
    }

    /// As 10,000 compilers would have left it, in less time.
    void fill() const {
        const auto cache = bench::must(executor::process::ArtifactCache::open(
            {.folder = options_.artifacts_folder, .key = options_.artifact_key}));
        for (const executor::Task& task : tasks_) {
            const std::string& wasm = host_.blocks.at(task.spec.module);
            const Bytes artifact =
                bench::must(executor::wasm::shared_engine().compile(bytes_of(wasm), {}));
            bench::must(
                cache->put({.module = task.spec.module, .fingerprint = options_.fingerprint},
                           memory_of(artifact),
                           wasm.size()));
        }
    }

    void bound_disk(std::uint64_t bytes_max) { options_.artifacts_disk_bytes_max = bytes_max; }

    void measure(const std::string& what, std::size_t runs, const std::string& raw_file) {
        const auto pool = bench::open_executors(options_);
        bench::run_task(*pool, tasks_.back(), host_); // Now the executor is up.
        print_memory(what + ": at the start");
        const bench::RawWasmtime raw;
        std::size_t compiled = 0;
        double most_on_disk = 0;
        for (std::size_t run = 0; run < runs; ++run) {
            const executor::Task& task = tasks_[run % modules];
            const double took = microseconds([&] { bench::run_task(*pool, task, host_); });
            bench::print_sample(what, "us", took);
            compiled +=
                static_cast<std::size_t>(std::ranges::count(host_.stages, job::Stage::compiling));
            bench::print_sample(what + ", raw Wasmtime from a file", "us", microseconds([&] {
                                    raw.run_from(raw_file);
                                }));
            if (run % runs_between_looks == 0) {
                most_on_disk = std::max(most_on_disk, mib_on_disk(options_.artifacts_folder));
            }
        }
        print_memory(what + ": at the end");
        bench::print_sample(what + ": compiled", "modules", static_cast<double>(compiled));
        bench::print_sample(what + ": most on disk", "MiB", most_on_disk);
        bench::print_sample(what + ": may be on disk",
                            "MiB",
                            static_cast<double>(options_.artifacts_disk_bytes_max) / (1 << 20U));
    }

private:
    static void print_memory(const std::string& when) {
        const std::vector<double> memory = bench::memory_mib();
        bench::print_sample(when + ", broker (with all modules)", "MiB PSS", memory[0]);
        bench::print_sample(when + ", executor", "MiB PSS", memory[1]);
    }

    executor::process::PoolOptions options_;
    FakeHost host_;
    std::vector<executor::Task> tasks_;
};

} // namespace

int main(int count, char** arguments) {
    if (const auto status = bench::run_as_child(count, arguments)) {
        return *status;
    }
    const testing_support::TemporaryFolder folder;
    const std::string artifacts = folder.path() + "/modules";
    Rotation rotation(artifacts);
    rotation.fill();
    const std::string raw_file = folder.path() + "/raw";
    bench::RawWasmtime(executor::wasm::wasm_of(command(0))).save(raw_file);
    rotation.measure("rotation, disk holds all", 2 * modules, raw_file);
    rotation.bound_disk(static_cast<std::uint64_t>(mib_on_disk(artifacts) / 10 * (1 << 20U)));
    rotation.measure("rotation, disk holds a tenth", compiled_runs, raw_file);
    return 0;
}
