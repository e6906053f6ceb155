#include "executor/wasm/testing/guests.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <wasmtime.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace ic::executor::wasm {
namespace {

template <class T>
T must(Result<T> result) {
    if (!result.ok()) {
        std::fprintf(
            stderr, "the test's own preparation failed: %s\n", result.error().message.c_str());
        std::abort();
    }
    return std::move(result).take();
}

} // namespace

Bytes wasm_of(std::string_view wat) {
    wasm_byte_vec_t bytes;
    if (wasmtime_error_t* error = wasmtime_wat2wasm(wat.data(), wat.size(), &bytes)) {
        wasm_byte_vec_t message;
        wasmtime_error_message(error, &message);
        std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size), message.data);
        std::abort();
    }
    const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data);
    Bytes wasm(first, first + bytes.size);
    wasm_byte_vec_delete(&bytes);
    return wasm;
}

UniqueFd sealed(ByteView bytes) {
    UniqueFd fd(memfd_create("artifact", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ByteView rest = bytes;
    while (!rest.empty()) {
        const ssize_t count = ::write(fd.get(), rest.data(), rest.size());
        if (count <= 0) {
            std::abort();
        }
        rest = rest.subspan(static_cast<std::size_t>(count));
    }
    if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) !=
        0) {
        std::abort();
    }
    return fd;
}

Engine& shared_engine() {
    static const std::unique_ptr<Engine> engine = must(Engine::open({.slots = 2}));
    return *engine;
}

Task small_task(std::string handler) {
    Task task;
    task.spec.handler = std::move(handler);
    task.spec.limits.wall_ms_max = 60'000; // However busy the machine is.
    task.spec.limits.memory_bytes_max = 16U << 20U;
    task.spec.limits.output_bytes_max = 64U << 10U;
    task.spec.limits.log_bytes_max = 64U << 10U;
    task.spec.limits.add_bytes_max = 4U << 20U;
    return task;
}

Task hasty_task(std::string handler) {
    Task task = small_task(std::move(handler));
    task.spec.limits.wall_ms_max = 500;
    return task;
}

std::shared_ptr<LoadedModule>
loaded(Engine& engine, std::string_view wat, const job::Limits& limits) {
    const Bytes wasm = wasm_of(wat);
    const ModuleKey key{cid_of(Codec::raw, wasm), metering_of(limits)};
    if (std::shared_ptr<LoadedModule> module = engine.find(key)) {
        return module;
    }
    return must(engine.load(key, sealed(must(engine.compile(wasm, limits)))));
}

Outcome run_wat(std::string_view wat, const Task& task, Services& services) {
    const std::shared_ptr<LoadedModule> module = loaded(shared_engine(), wat, task.spec.limits);
    return shared_engine().run(*module, task, services);
}

Outcome run_wat(std::string_view wat, const Task& task) {
    MemoryServices services;
    return run_wat(wat, task, services);
}

} // namespace ic::executor::wasm
