#include "wiring/compilation.h"

#include "base/time.h"
#include "executor/process/compilers.h"
#include "executor/process/pool.h"
#include "executor/wasm/engine.h"

#include <memory>
#include <optional>

namespace ic::wiring {
namespace {

/// Nobody stops it but its own deadline, and the terminal the whole process.
class Always final : public executor::Permit {
public:
    Instant lease_until() const override { return Instant::never(); }

    std::optional<Errc> stop_reason() const override { return std::nullopt; }
};

} // namespace

Result<Compiled> compile_module(const std::string& modules_folder,
                                const PrivateKey& key,
                                const Cid& cid,
                                ByteView module,
                                const job::Limits& limits) {
    namespace process = executor::process;
    const Instant begin = now_since_boot();
    const std::unique_ptr<process::ArtifactCache> cache = TRY(process::ArtifactCache::open(
        {.folder = modules_folder, .key = key.derive("artifact-mac/1")}));
    const process::ArtifactKey name{
        .module = cid,
        .fingerprint = executor::wasm::engine_fingerprint(executor::wasm::metering_of(limits))};
    Compiled compiled;
    std::shared_ptr<const process::Artifact> artifact = cache->find(name);
    compiled.was_there = artifact != nullptr;
    if (!compiled.was_there) {
        const process::Program program;
        process::Warden warden;
        process::Compilers compilers(warden,
                                     *cache,
                                     {.path = program.path,
                                      .arguments = program.compiler_arguments,
                                      .environment = program.environment},
                                     {}); // Only looked at: none of its walls is insisted on.
        artifact = TRY(compilers.compile(name, module, limits, Always()));
    }
    compiled.artifact_bytes = artifact->bytes;
    compiled.took = std::chrono::duration_cast<std::chrono::microseconds>(now_since_boot() - begin);
    return compiled;
}

} // namespace ic::wiring
