// Any bytes as a module: whatever they are, compiling, linking and running them under small limits
// ends, with an ending that a receipt can hold, and the engine is the same afterwards.

#include "executor/wasm/engine.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <utility>

namespace {

using namespace ic;
using namespace ic::executor;

constexpr std::size_t input_bytes_max = 4096;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

/// A world in which nothing can be had.
class NoServices final : public wasm::Services {
public:
    Result<LentBytes> block(const Cid& /*cid*/) override { return none(); }

    Result<std::uint32_t> add_open() override { return 1U; }

    Result<void> add_write(std::uint32_t /*id*/, ByteView /*data*/) override { return {}; }

    Result<Cid> add_finish(std::uint32_t /*id*/) override { return Cid(); }

    void add_drop(std::uint32_t /*id*/) override {}

    Result<wasm::CurlOpened> curl_open(std::string_view /*request*/) override { return none(); }

    Result<std::size_t> curl_read(std::uint32_t /*id*/, std::span<std::uint8_t> /*into*/) override {
        return none();
    }

    void curl_close(std::uint32_t /*id*/) override {}

    void log(std::string_view /*lines*/) override {}

    void output(job::Stream /*stream*/, ByteView /*data*/) override {}

    void trace(std::string_view /*lines*/) override {}

    void dump(Dump /*kind*/, ByteView /*piece*/) override {}

    Instant lease_until() const override { return Instant::never(); }

    std::optional<Errc> stop_reason() const override { return std::nullopt; }

private:
    static Error none() { return Error{Errc::cid_unavailable, "nothing is here"}; }
};

wasm::Engine& engine() {
    static const std::unique_ptr<wasm::Engine> made =
        wasm::Engine::open({.slots = 1, .modules_max = 1}).take();
    return *made;
}

Task task_for(ByteView input) {
    Task task;
    task.spec.handler = input.size() % 2 == 0 ? "run" : "_start";
    task.spec.limits.wall_ms_max = 20;
    task.spec.limits.fuel_max = 100'000;
    task.spec.limits.memory_bytes_max = 1U << 20U;
    task.spec.limits.table_elements_max = 1000;
    task.spec.limits.output_bytes_max = 1024;
    task.spec.limits.log_bytes_max = 1024;
    task.spec.limits.handles_max = 4;
    return task;
}

UniqueFd memory_file(ByteView bytes) {
    UniqueFd fd(memfd_create("artifact", MFD_CLOEXEC));
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd.get(), bytes.data(), bytes.size());
        require(count > 0);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return fd;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input{data, size};
    if (size > input_bytes_max) {
        return 0;
    }
    const Task task = task_for(input);
    const Result<Bytes> artifact = engine().compile(input, task.spec.limits);
    if (!artifact.ok()) {
        require(artifact.error().code == Errc::module_invalid ||
                artifact.error().code == Errc::import_missing);
        return 0;
    }
    auto module = engine().load({Cid(), wasm::Metering::fuel}, memory_file(*artifact));
    require(module.ok()); // What it imports was looked at before it was compiled.
    NoServices services;
    const Outcome outcome = engine().run(**module, task, services);
    require(outcome.output.size() + outcome.errors.size() <= task.spec.limits.output_bytes_max);
    require(outcome.log.size() <= task.spec.limits.log_bytes_max);
    require(outcome.ending.message.size() <= job::limits::ending_message_bytes_max);
    require(outcome.ending.message.empty() == !outcome.ending.error.has_value());
    require(!outcome.ending.error || *outcome.ending.error != Errc::internal);
    return 0;
}
