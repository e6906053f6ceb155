#pragma once
/// Executor: one job in, one outcome out, within limits. Which kind (a wasm process, a container, a
/// virtual machine) is known to `wiring` alone.

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "ipld/block.h"
#include "job/ids.h"
#include "job/message.h"
#include "job/receipt.h"
#include "job/spec.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ic::executor {

/// What to run. A value; it says nothing of stores, keys or sockets.
struct Task {
    job::LeaseRef lease; ///< For the log, the execution record and `Idempotency-Key`.
    job::JobSpec spec;
    std::array<std::uint8_t, 32> seed{}; ///< A pure job's randomness, from its computation id.
    /// Whose it is, for executors that keep the tasks of different owners apart. Any text.
    std::string owner;
};

/// What of its runs an executor shows besides their outcomes. A worker asks for nothing of it.
struct Debugging {
    bool trace = false;    ///< Each host call.
    bool coredump = false; ///< The guest's state where a trap or limit ended it.
    bool profile = false;  ///< Where it spent its time.

    bool any() const { return trace || coredump || profile; }

    friend bool operator==(const Debugging&, const Debugging&) = default;
};

/// A file about a run. The numbers are in docs/formats/channel.md.
enum class Dump : std::uint8_t { coredump = 0, profile = 1 };

namespace limits {
/// Ours, of one run: what is beyond is counted, not shown.
inline constexpr std::uint64_t trace_bytes_max = std::uint64_t{64} << 20U;
/// Ours: a dump may have as many bytes as the job's memory, and these.
inline constexpr std::uint64_t dump_bytes_more_max = std::uint64_t{64} << 20U;
} // namespace limits

/// Of one Dump of a job with these limits.
inline std::uint64_t dump_bytes_max(const job::Limits& of_job) {
    return of_job.memory_bytes_max + limits::dump_bytes_more_max;
}

/// How far a run may go on, asked again and again while it runs. Implementations must be cheap
/// (an atomic load and a clock) and callable from any thread.
class Permit {
public:
    virtual ~Permit() = default;

    /// Until when the lease holds as the worker knows now; never() where there is none (`run`).
    virtual Instant lease_until() const = 0;

    /// Set: stop at once, for this reason (cancelled, lease_lost, ...).
    virtual std::optional<Errc> stop_reason() const = 0;
};

/// What came back from ipfsComputeCurl before the body.
struct CurlHead {
    std::uint16_t status = 0;
    std::string json; ///< One line: status, headers, final URL. As the guest reads it.
};

/// A response body being read. Threads: one.
class CurlBody {
public:
    virtual ~CurlBody() = default;
    virtual const CurlHead& head() const = 0;
    /// Bytes read, 0 at the end. Errors: too_large, unavailable.
    virtual Result<std::size_t> read(std::span<std::uint8_t> into) = 0;
};

/// A file being added. Threads: one.
class Adder {
public:
    virtual ~Adder() = default;
    virtual Result<void> write(ByteView data) = 0;
    /// The file's CID; nothing may be written after it.
    virtual Result<Cid> finish() = 0;
};

/// What a run may ask for. Implemented on the broker's side, over its store and network; every
/// call is made on the thread that called `Executor::run`.
class Host : public BlockSource {
public:
    /// One file, in the profile that this node adds in.
    virtual Result<std::unique_ptr<Adder>> add() = 0;

    /// `request` is what the guest passed: a URL or a JSON object. Errors: refused (host or address
    /// not allowed), malformed, unavailable.
    virtual Result<std::unique_ptr<CurlBody>> curl(std::string_view request, const Task& task) = 0;

    /// One log line without its end, at once.
    virtual void log(std::string_view line) = 0;

    /// What the guest just wrote, for those who follow. May be dropped.
    virtual void output(job::Stream stream, ByteView data) = 0;

    /// The run has come to this stage (fetching, compiling, running).
    virtual void stage(job::Stage stage) = 0;

    /// One host call of the guest as a JSON object without an end of line (docs/formats/json.md).
    /// This and the next are called only if the executor was opened for such Debugging.
    virtual void trace(std::string_view line) = 0;

    /// The next piece of that file.
    virtual void dump(Dump kind, ByteView piece) = 0;
};

/// All of an ended run. Streams are whole, within `Limits::output_bytes_max`.
struct Outcome {
    job::Ending ending;
    Bytes output;
    Bytes errors;
    Bytes log;        ///< Lines, "\n" after each.
    job::Usage usage; ///< fetch, compile, run, cpu, fuel, memory, bytes.
};

/// Runs one task at a time per calling thread.
/// Threads: `run` may be called from as many threads as the executor has slots.
class Executor {
public:
    virtual ~Executor() = default;

    /// Returns when nothing of the run is left alive: within the limits + 200 ms, and soon after
    /// `permit` says stop or its lease ends. Every failure is an ending with a code.
    virtual Outcome run(const Task& task, const Permit& permit, Host& host) = 0;
};

} // namespace ic::executor
