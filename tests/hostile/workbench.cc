#include "hostile/workbench.h"

#include "executor/wasm/engine.h"
#include "executor/wasm/testing/guests.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <utility>

namespace ic::hostile {
namespace {

/// Logs, adds, reads back, writes: what is left of a run before it would show here.
constexpr std::string_view good_wat = R"((module
  (import "env" "ipfsComputeLog" (func $log (param i32 i32) (result i64)))
  (import "env" "ipfsComputeAdd" (func $add (param i32 i32) (result i64)))
  (import "env" "ipfsComputeRead" (func $read (param i64 i32 i32) (result i64)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 16)
  (data (i32.const 100) "content")
  (func (export "run") (result i64)
    (drop (call $log (i32.const 100) (i32.const 7)))
    (i32.store (i32.const 0) (i32.const 200))
    (i32.store (i32.const 4)
      (i32.wrap_i64 (call $read (call $add (i32.const 100) (i32.const 7))
                                (i32.const 200) (i32.const 100))))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i64.load (i32.const 1000000)))))";

/// The body of an answer, as executors take it.
class Body final : public executor::CurlBody {
public:
    explicit Body(std::unique_ptr<net::HttpResponse> response) : response_(std::move(response)) {
        head_.status = response_->head().status;
        head_.json = net::head_line(response_->head());
    }

    const executor::CurlHead& head() const override { return head_; }

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        return response_->read(into);
    }

private:
    std::unique_ptr<net::HttpResponse> response_;
    executor::CurlHead head_;
};

} // namespace

Host::Host() {
    for (const char* host :
         {"listed.example", "127.0.0.1", "localhost", "[::1]", "169.254.169.254"}) {
        network_.allow_hosts.push_back(net::HostRule::parse(host).take());
    }
}

Result<std::unique_ptr<executor::CurlBody>> Host::curl(std::string_view request, const Task& task) {
    // A host that is none of the world's: what is behind the rules, without a network.
    if (request.starts_with("http://open.example/")) {
        return FakeHost::curl(request, task);
    }
    return std::unique_ptr<executor::CurlBody>(std::make_unique<Body>(
        TRY(net::guest_curl(request, task.spec.allow_hosts, network_, net::HttpLimits()))));
}

Workbench::Workbench(std::uint32_t slots) : good_(executor::wasm::wasm_of(good_wat)) {
    folder_ =
        std::filesystem::temp_directory_path() / ("ic-hostile-test-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    executor::process::PoolOptions options;
    options.slots = slots;
    options.artifacts_folder = folder_ / "modules";
    options.fingerprint = executor::wasm::engine_fingerprint(executor::wasm::Metering::none);
    options.fingerprint_fuel = executor::wasm::engine_fingerprint(executor::wasm::Metering::fuel);
    // Replaced by none but one that was lost, so that a test can see it.
    options.runs_per_process_max = std::numeric_limits<std::uint64_t>::max();
    options.resident_bytes_max = std::numeric_limits<std::uint64_t>::max();
    Result<std::unique_ptr<executor::Executor>> opened = executor::process::open_pool(options);
    EXPECT_TRUE(opened) << opened.error().message;
    pool_ = std::move(opened).take();
}

Workbench::~Workbench() {
    pool_.reset();
    std::filesystem::remove_all(folder_);
}

Task Workbench::task_of(const Bytes& module) {
    Task task;
    task.spec.module = host_.put(text_of(ByteView{module}));
    task.spec.handler = "run";
    job::Limits& limits = task.spec.limits;
    limits.module_bytes_max = 8U << 20U;
    limits.wall_ms_max = 300;
    limits.memory_bytes_max = 16U << 20U;
    limits.table_elements_max = 10'000;
    limits.output_bytes_max = 64U << 10U;
    limits.log_bytes_max = 64U << 10U;
    limits.add_bytes_max = 1U << 20U;
    limits.handles_max = 16;
    limits.curls_max = 4;
    return task;
}

Timed Workbench::run(const Task& task) {
    const Instant begin = now_since_boot();
    Timed timed{.outcome = pool_->run(task, permit_, host_)};
    timed.took = std::chrono::duration_cast<std::chrono::milliseconds>(now_since_boot() - begin);
    return timed;
}

void Workbench::expect_a_good_job_is_right() {
    Task task = task_of(good_);
    task.spec.limits.wall_ms_max = 60'000;
    const Outcome outcome = run(task).outcome;
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(outcome.ending.value, 0) << "memory of somebody else";
    EXPECT_EQ(text_of(ByteView{outcome.output}),
              cid_of(Codec::raw, bytes_of("content")).to_string());
    EXPECT_EQ(text_of(ByteView{outcome.log}), "content\n");
    EXPECT_TRUE(outcome.errors.empty());
}

std::set<int> Workbench::executors() const {
    std::set<int> children;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
        std::ifstream file(thread.path() / "children");
        for (int child = 0; file >> child;) {
            children.insert(child);
        }
    }
    return children;
}

Holdings Workbench::own_holdings() const { return holdings_of(::getpid()); }

Holdings Workbench::holdings_of(int process) {
    const std::filesystem::path folder = "/proc/" + std::to_string(process);
    Holdings holdings;
    std::error_code hidden;
    for (auto entry = std::filesystem::directory_iterator(folder / "fd", hidden);
         !hidden && entry != std::filesystem::directory_iterator();
         entry.increment(hidden)) {
        ++holdings.descriptors;
    }
    std::ifstream statm(folder / "statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    std::uint64_t shared = 0;
    statm >> size >> resident >> shared;
    holdings.resident_bytes = (resident - std::min(resident, shared)) *
                              static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return holdings;
}

std::string_view ending_name(const Outcome& outcome) {
    return outcome.ending.error ? name(*outcome.ending.error) : "ok";
}

std::size_t times(std::size_t few, std::size_t many) {
    return std::getenv("IC_LONG") != nullptr ? many : few;
}

} // namespace ic::hostile
