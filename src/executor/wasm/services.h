#pragma once
/// Services: all that the inside of an executor process asks of the world outside it. The process
/// implements it over its channel to the broker, tests in memory.

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "executor/executor.h"
#include "job/message.h"
#include "multiformats/cid.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ic::executor::wasm {

/// A response whose body waits to be read.
struct CurlOpened {
    std::uint32_t id = 0;
    std::string head; ///< One line of JSON without its end: status, headers, final URL.
};

/// What a run may ask for. A call may block (for a block from the network); an implementation
/// returns from it soon after `stop_reason` is set or `lease_until` is over.
///
/// Threads: every call of one run comes from the thread that called `Engine::run`, one at a time.
class Services {
public:
    virtual ~Services() = default;

    /// The bytes of a block, verified. An error ends the attempt; the guest never sees it.
    /// Errors: cid_unavailable, hash_mismatch, unavailable, too_large, and a stop reason.
    virtual Result<LentBytes> block(const Cid& cid) = 0;

    /// Begins a file to be added. An error of this and the next two calls ends the attempt.
    virtual Result<std::uint32_t> add_open() = 0;
    /// `data` is the caller's again after the call; at most `limits::add_piece_bytes_max`.
    virtual Result<void> add_write(std::uint32_t id, ByteView data) = 0;
    /// The file's CID; the id is gone, also on error.
    virtual Result<Cid> add_finish(std::uint32_t id) = 0;
    /// Forgets a file that was not finished.
    virtual void add_drop(std::uint32_t id) = 0;

    /// `request`: a URL or a JSON object, as the guest wrote it. The guest sees the errors
    /// malformed, refused, too_large and unsupported, and unavailable as a failure of the network;
    /// any other error ends the attempt. Only impure runs call it.
    virtual Result<CurlOpened> curl_open(std::string_view request) = 0;
    /// Bytes read, 0 at the end. Errors: as `curl_open`.
    virtual Result<std::size_t> curl_read(std::uint32_t id, std::span<std::uint8_t> into) = 0;
    virtual void curl_close(std::uint32_t id) = 0;

    /// Whole log lines, "\n" after each, at most `limits::log_piece_bytes_max` together. Called
    /// about every 10 ms while the guest runs and before it waits for anything; what was not handed
    /// over when the run ends is the rest of the outcome's log, which has all of it.
    virtual void log(std::string_view lines) = 0;

    /// What the guest wrote to standard output or error, for those who follow: when and what as for
    /// `log`. At most `job::limits::output_piece_bytes_max`.
    virtual void output(job::Stream stream, ByteView data) = 0;

    /// Host calls as whole lines of JSON, at most `limits::log_piece_bytes_max` together; pieces of
    /// a file, each as long as that at most. Called only of an engine that was told to debug.
    virtual void trace(std::string_view lines) = 0;
    virtual void dump(Dump kind, ByteView piece) = 0;

    /// As `Permit`: an atomic load, no system call. Asked every 10 ms and before every effect.
    virtual Instant lease_until() const = 0;
    virtual std::optional<Errc> stop_reason() const = 0;
};

namespace limits {
/// Ours: so that a call fits a channel message or window with room.
inline constexpr std::size_t add_piece_bytes_max = std::size_t{1} << 20U;
inline constexpr std::size_t curl_request_bytes_max = std::size_t{1} << 20U;
inline constexpr std::size_t curl_read_bytes_max = std::size_t{1} << 20U;
inline constexpr std::size_t log_piece_bytes_max = std::size_t{64} << 10U;
} // namespace limits

} // namespace ic::executor::wasm
