#pragma once
/// JobSpec: what is to be run, as the `args` of a signed invocation say it.

#include "base/bytes.h"
#include "base/result.h"
#include "job/labels.h"
#include "multiformats/cid.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::job {

enum class Effects : std::uint8_t {
    pure, ///< Same inputs, same result: may be answered from a receipt; no network, virtual clock.
    impure, ///< Has effects: runs anew each time, results are taken from the current lease only.
};

/// The most a run may use. Every field is in force, always. A worker whose own maximum is lower
/// refuses the job; it never clamps. docs/limits.md has the reasons for the defaults (all ours).
struct Limits {
    std::uint64_t module_bytes_max = 64U << 20U;
    std::uint64_t compile_ms_max = 20'000;
    std::uint64_t compile_memory_bytes_max = 1U << 30U;
    std::uint64_t memory_bytes_max = 256U << 20U; ///< Linear memory, of all its modules together.
    std::uint64_t table_elements_max = 100'000;   ///< Of each table; a module has a few at most.
    std::uint64_t wall_ms_max = 60'000;           ///< The run stage of one attempt (`--timeout`).
    std::uint64_t cpu_ms_max = 0; ///< Processor time of the guest; 0: as the wall time.
    std::uint64_t fuel_max = 0;   ///< Wasmtime fuel; 0: not metered.
    std::uint64_t output_bytes_max = 16U << 20U; ///< Standard output and error together.
    std::uint64_t log_bytes_max = 1U << 20U;
    std::uint64_t add_bytes_max = 4ULL << 30U; ///< All that ipfsComputeAdd and Write take.
    std::uint32_t handles_max = 64;
    std::uint64_t host_calls_max = 1'000'000'000; ///< Calls of WASI and of our functions together.
    std::uint64_t curls_max = 8;                  ///< Responses open at once; handles count too.

    friend bool operator==(const Limits&, const Limits&) = default;
};

namespace limits {
/// Ours: of each list or text in a JobSpec, so that a document stays small enough for any
/// transport.
inline constexpr std::size_t arguments_max = 256;
inline constexpr std::size_t environment_max = 256;
inline constexpr std::size_t inputs_max = 256;
inline constexpr std::size_t imports_max = 8; ///< Each is an instance in every run.
inline constexpr std::size_t import_name_bytes_max = 256;
inline constexpr std::size_t allow_hosts_max = 64;
inline constexpr std::size_t labels_max = 32;
inline constexpr std::size_t text_bytes_max = 4096; ///< One argument, name, value, host or label.
inline constexpr std::size_t handler_bytes_max = 256;
/// The whole signed invocation; larger data goes by CID.
inline constexpr std::size_t invocation_bytes_max = 64U << 10U;
/// The largest integer that JSON readers keep exactly (2^53 - 1); UCAN bounds its times by it too.
inline constexpr std::uint64_t integer_max = (std::uint64_t{1} << 53U) - 1;
/// Ours: 366 days, so that no sum of durations overflows a count of nanoseconds.
inline constexpr std::uint64_t duration_ms_max = 366ULL * 24 * 3600 * 1000;
inline constexpr std::uint32_t attempts_max = 100; ///< Ours.
} // namespace limits

/// What a module may expect of its host; part of every job and of its computation id.
inline constexpr std::string_view abi_name = "wasi-p1-core/1";
/// How a pure job is kept deterministic (seed, clock, NaNs); part of the computation id.
inline constexpr std::string_view profile_name = "determinism/1";

/// What host functions are imported from: no import of a job may have such a name.
inline constexpr std::array<std::string_view, 3> reserved_import_names{
    "env", "ipfs_compute", "wasi_snapshot_preview1"};

/// A module by the name under which others import what it exports.
using NamedModule = std::pair<std::string, Cid>;

/// Everything that authority depends on. Order of lists is kept; names within a list are unique.
/// Text is UTF-8 without a zero byte.
struct JobSpec {
    Cid module;
    std::vector<NamedModule> imports; ///< Sorted by name; the order of their start is by need.
    std::string handler = "_start";
    std::vector<std::string> arguments;
    std::vector<std::pair<std::string, std::string>> environment; ///< Sorted by name.
    std::optional<Cid> event;                                     ///< Standard input of the guest.
    std::vector<std::pair<std::string, Cid>> inputs;              ///< Sorted by name.
    Limits limits;
    std::vector<std::string> allow_hosts; ///< `host` or `host:port`; impure jobs only.
    Effects effects = Effects::pure;
    /// Of the worker's labels; sorted by text. Where it runs does not change what the work is.
    std::vector<Constraint> constraints;

    friend bool operator==(const JobSpec&, const JobSpec&) = default;
};

/// Whether `spec` can stand in a document.
/// Errors: malformed (names that repeat, are reserved or out of order, hosts of a pure job, text
/// that is not UTF-8), too_large (one past a limit). The message names the field.
Result<void> check(const JobSpec& spec);

/// The computation id: names the work and nothing else (no submitter, nonce, time or fuel).
/// Source: docs/formats/job.md, "Computation id".
Cid computation_of(const JobSpec& spec);

/// How long each stage may take, milliseconds; by whom it is watched. Not part of authority over
/// the work: it is in the invocation's signed `meta`.
struct StageTimeouts {
    std::uint64_t queue_ms_max = 60'000;   ///< Accepted until a worker is there that may take it.
    std::uint64_t claim_ms_max = 30'000;   ///< From the first bid to a running lease, one attempt.
    std::uint64_t fetch_ms_max = 60'000;   ///< Module and event present and verified.
    std::uint64_t publish_ms_max = 60'000; ///< Outputs stored.
    std::uint64_t total_ms_max = 600'000;  ///< All of it, over all attempts.
    std::uint32_t attempts_max = 5;        ///< How often a retryable failure is tried again.

    friend bool operator==(const StageTimeouts&, const StageTimeouts&) = default;
};

} // namespace ic::job
