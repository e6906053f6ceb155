#pragma once
/// Tracer: the host calls of one run as lines of JSON (docs/formats/json.md), for `run --trace`.

#include "base/time.h"
#include "executor/wasm/services.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ic::executor::wasm {

class Run;

/// One call of a host function, after it.
struct TracedCall {
    std::string_view name;
    std::span<const std::int64_t> arguments;
    Instant begin;
    Instant end;
    std::optional<std::int64_t> result; ///< Nothing: it gives none, or the run has ended in it.
};

/// Holds lines back until there are many or the run beats, so that a call costs little.
/// Threads: as Run. Lifetime: `services` outlives it.
class Tracer {
public:
    Tracer(Services& services, Instant started) : services_(services), started_(started) {}

    /// `run` has the guest's memory and says whether it has ended.
    void add(const TracedCall& call, const Run& run);

    /// Hands on what is there.
    void flush();

    /// As `flush`; says how many calls were left out, if any.
    void finish();

private:
    Services& services_;
    Instant started_;
    std::string waiting_;
    std::uint64_t bytes_ = 0;
    std::uint64_t left_out_ = 0;
};

} // namespace ic::executor::wasm
