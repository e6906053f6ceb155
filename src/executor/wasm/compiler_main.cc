#include "base/unique_fd.h"
#include "executor/channel/endpoint.h"
#include "executor/channel/system_calls.h"
#include "executor/channel/walls.h"
#include "executor/wasm/engine.h"
#include "executor/wasm/executor_main.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace ic::executor::wasm {
namespace {

Error failed(const char* what) {
    return Error{Errc::internal, std::string(what) + ": " + std::strerror(errno)};
}

/// The module, mapped: the broker sealed it, so nobody changes it under the compiler.
Result<LentBytes> map_module(const UniqueFd& memory) {
    struct stat status{};
    if (::fstat(memory.get(), &status) != 0 || status.st_size <= 0) {
        return Error{Errc::module_invalid, "the module is empty"};
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    void* base = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, memory.get(), 0);
    if (base == MAP_FAILED) {
        return failed("mapping the module");
    }
    // shared_ptr: that is how LentBytes keeps what it views.
    return LentBytes(ByteView{static_cast<const std::uint8_t*>(base), size},
                     std::shared_ptr<const void>(base, [size](const void* mapped) {
                         ::munmap(const_cast<void*>(mapped), size);
                     }));
}

Result<void> write_artifact(const UniqueFd& memory, ByteView artifact) {
    while (!artifact.empty()) {
        const ssize_t count = ::write(memory.get(), artifact.data(), artifact.size());
        if (count < 0 && errno != EINTR) {
            return failed("writing the artifact");
        }
        artifact = artifact.subspan(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    return {};
}

/// The kernel ends what the broker might not: memory beyond the limit is refused, and processor
/// time beyond all that the deadline allows ends the process.
Result<void> limit_self(const UniqueFd& memory_count, const job::Limits& limits) {
    TRY(channel::limit_memory_growth(memory_count, limits.compile_memory_bytes_max));
    const rlim_t seconds = (limits.compile_ms_max + 999) / 1000 + 1;
    const rlim_t cpus = std::max(1U, std::thread::hardware_concurrency());
    const rlimit cpu{.rlim_cur = seconds * cpus, .rlim_max = seconds * cpus + 1};
    if (::setrlimit(RLIMIT_CPU, &cpu) != 0) {
        return failed("RLIMIT_CPU");
    }
    // The artifact's memfd is not part of the address space, but what is written there is memory.
    const rlimit file{.rlim_cur = limits.compile_memory_bytes_max,
                      .rlim_max = limits.compile_memory_bytes_max};
    if (::setrlimit(RLIMIT_FSIZE, &file) != 0) {
        return failed("RLIMIT_FSIZE");
    }
    return {};
}

Result<std::uint64_t> compile(Engine& engine,
                              const channel::Received& request,
                              const job::Limits& limits,
                              const channel::Imports& imports) {
    const LentBytes module = TRY(map_module(request.descriptors[0]));
    std::vector<std::string_view> names;
    for (const auto& [name, cid] : imports.imports) {
        names.push_back(name);
    }
    const Bytes artifact = TRY(engine.compile(module.view(), limits, names));
    TRY(write_artifact(request.descriptors[1], artifact));
    return artifact.size();
}

Result<void> converse(std::string_view broker) {
    UniqueFd memory_count = TRY(channel::open_memory_count());
    channel::WallErrors walls = TRY(channel::raise_walls(TRY(channel::parse_broker(broker))));
    channel::Endpoint endpoint{UniqueFd(channel::channel_descriptor)};
    const std::unique_ptr<Engine> engine = TRY(Engine::open({.slots = 1, .modules_max = 1}));
    channel::Received request = TRY(endpoint.receive());
    channel::Imports imports;
    if (auto* first = std::get_if<channel::Imports>(&request.message)) {
        imports = std::move(*first);
        request = TRY(endpoint.receive());
    }
    const auto* wanted = std::get_if<channel::Compile>(&request.message);
    if (wanted == nullptr || request.descriptors.size() != 2) {
        return Error{Errc::malformed, "the first message is no Compile"};
    }
    // The smallest module first: what the engine sets up once (its pool's address space, threads)
    // must not count as the guest's.
    constexpr std::array<std::uint8_t, 8> empty_module{0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0};
    TRY(engine->compile(empty_module, wanted->limits));
    TRY(limit_self(memory_count, wanted->limits));
    memory_count.reset();
    walls.system_calls = channel::forbid_what_is_not_needed(channel::ProcessKind::compiler);
    channel::require_walls(walls, wanted->walls); // Nothing of the guest's was looked at yet.
    const Result<std::uint64_t> compiled = compile(*engine, request, wanted->limits, imports);
    if (compiled) {
        return endpoint.send(channel::Compiled{.artifact_bytes = *compiled});
    }
    return endpoint.send(channel::CompileFailed{
        .code = compiled.error().code,
        .message = compiled.error().message.substr(0, channel::limits::text_bytes_max)});
}

} // namespace

int run_compiler(std::string_view broker) {
    try {
        const Result<void> result = converse(broker);
        if (!result) {
            std::cerr << result.error().message << "\n";
        }
        return result ? 0 : 1;
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}

} // namespace ic::executor::wasm
