#pragma once
/// One module compiled for itself, not for a job: what its code costs.

#include "base/bytes.h"
#include "base/result.h"
#include "identity/key.h"
#include "job/spec.h"
#include "multiformats/cid.h"

#include <chrono>
#include <cstdint>
#include <string>

namespace ic::wiring {

struct Compiled {
    std::uint64_t artifact_bytes = 0;
    bool was_there = false; ///< From the cache: nothing was compiled.
    std::chrono::microseconds took{};
};

/// Compiles in a process of its own under `limits`, and keeps the artifact as a worker of this home
/// would; or finds it there. Blocks. `cid` names the very bytes of `module`.
/// Errors: as executor::process::Compilers::compile, and of the artifacts' folder.
Result<Compiled> compile_module(const std::string& modules_folder,
                                const PrivateKey& key,
                                const Cid& cid,
                                ByteView module,
                                const job::Limits& limits);

} // namespace ic::wiring
