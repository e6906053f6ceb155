#pragma once
/// What the broker and its executor and compiler processes say to one another. Values; the bytes
/// are in docs/formats/channel.md. Every message is one packet of a SOCK_SEQPACKET socket: it comes
/// whole and in order, or the other process is gone.

#include "base/bytes.h"
#include "base/result.h"
#include "executor/channel/wall_set.h"
#include "executor/executor.h"
#include "job/message.h"
#include "job/receipt.h"
#include "multiformats/cid.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace ic::executor::channel {

/// Stands in front of every message. Both ends come from one build today; an engine that does not
/// must be told apart.
inline constexpr std::uint8_t version = 1;

namespace limits {
/// Ours: a job's specification (job::limits::invocation_bytes_max) with room, one piece of output.
inline constexpr std::size_t message_bytes_max = 128U << 10U;
/// Ours: elements of one list; longer than any list of a JobSpec may be.
inline constexpr std::size_t list_elements_max = 1024;
/// Ours: of one Log or Output message; more comes in several.
inline constexpr std::size_t piece_bytes_max = 64U << 10U;
/// Ours: the rest of the streams that a Finished message carries, each.
inline constexpr std::size_t rest_bytes_max = 32U << 10U;
/// Ours: of the text of a failure (job::limits::ending_message_bytes_max).
inline constexpr std::size_t text_bytes_max = job::limits::ending_message_bytes_max;
} // namespace limits

// --- broker to executor -------------------------------------------------------------------------

/// The first message. Descriptors: the window; the execution record, if `record`.
struct Hello {
    std::uint32_t slot = 0;
    bool record = false;
    WallSet walls{}; ///< Without all of these it must not go on.

    friend bool operator==(const Hello&, const Hello&) = default;
};

/// Keep this compiled module under this number. Descriptor: the sealed artifact.
struct Load {
    std::uint64_t module = 0;

    friend bool operator==(const Load&, const Load&) = default;
};

/// Forget that module. The broker alone decides what an executor keeps.
struct Drop {
    std::uint64_t module = 0;

    friend bool operator==(const Drop&, const Drop&) = default;
};

/// Run this; its imports were in an Imports before it. Answered by Finished or NotLoaded, with any
/// number of requests in between.
struct Start {
    std::uint64_t run = 0;
    std::uint64_t module = 0;
    Task task{};

    friend bool operator==(const Start& left, const Start& right) {
        return left.run == right.run && left.module == right.module &&
               left.task.lease == right.task.lease && left.task.spec == right.task.spec &&
               left.task.seed == right.task.seed;
    }
};

/// The answer to the request of this sequence number. On success it gives: to GetBlock the block's
/// `window_bytes`; to AddWrite the adder's `number`, or after the last piece the file's `cid`; to
/// CurlOpen the body's `number` and its head (one line of JSON) in `window_bytes`; to CurlRead the
/// next `window_bytes`, 0 at the end.
struct Reply {
    std::uint32_t sequence = 0;
    std::optional<Errc> error{};
    std::string message{}; ///< With `error`.
    std::uint32_t number = 0;
    std::uint32_t window_bytes = 0; ///< Bytes at the start of the window's area to the executor.
    std::optional<Cid> cid{};

    friend bool operator==(const Reply&, const Reply&) = default;
};

// --- executor to broker -------------------------------------------------------------------------

/// The answer to Hello: the engine is up.
struct Ready {
    std::uint32_t slot = 0;

    friend bool operator==(const Ready&, const Ready&) = default;
};

/// The run's module could not be made from its artifact; nothing ran.
struct NotLoaded {
    std::uint64_t run = 0;
    Errc code = Errc::internal; ///< unsupported: another engine's artifact, compile it anew.
    std::string message{};

    friend bool operator==(const NotLoaded&, const NotLoaded&) = default;
};

/// Request: this block.
struct GetBlock {
    std::uint32_t sequence = 0;
    Cid cid{};

    friend bool operator==(const GetBlock&, const GetBlock&) = default;
};

/// Request: take these bytes of the window into a file being added; adder 0 begins a new one.
struct AddWrite {
    std::uint32_t sequence = 0;
    std::uint32_t adder = 0;
    std::uint32_t bytes = 0;
    bool last = false;

    friend bool operator==(const AddWrite&, const AddWrite&) = default;
};

/// That file will not be finished. Not answered.
struct AddDrop {
    std::uint32_t adder = 0;

    friend bool operator==(const AddDrop&, const AddDrop&) = default;
};

/// Request: an HTTP exchange; so many bytes of the window are the request as the guest wrote it.
struct CurlOpen {
    std::uint32_t sequence = 0;
    std::uint32_t bytes = 0;

    friend bool operator==(const CurlOpen&, const CurlOpen&) = default;
};

/// Request: more of a body, at most so many bytes, into the window.
struct CurlRead {
    std::uint32_t sequence = 0;
    std::uint32_t body = 0;
    std::uint32_t bytes_max = 0;

    friend bool operator==(const CurlRead&, const CurlRead&) = default;
};

/// That body is not read any further. Not answered.
struct CurlClose {
    std::uint32_t body = 0;

    friend bool operator==(const CurlClose&, const CurlClose&) = default;
};

/// Whole log lines, "\n" after each. Not answered.
struct Log {
    Bytes lines{};

    friend bool operator==(const Log&, const Log&) = default;
};

/// What the guest wrote to a stream since the last such message. Not answered.
struct Output {
    job::Stream stream = job::Stream::output;
    Bytes data{};

    friend bool operator==(const Output&, const Output&) = default;
};

/// The run is over; the rest of the streams follows what Output messages brought.
struct Finished {
    std::uint64_t run = 0;
    job::Ending ending{};
    job::Usage usage{};
    Bytes output{};
    Bytes errors{};

    friend bool operator==(const Finished&, const Finished&) = default;
};

// --- debugging ----------------------------------------------------------------------------------

/// Broker, before Hello and only if anything is asked for: what every run of this process is to
/// show.
struct Debug {
    Debugging debugging{};

    friend bool operator==(const Debug&, const Debug&) = default;
};

/// Executor: host calls, a line of JSON each, "\n" after each. Not answered.
struct Trace {
    Bytes lines{};

    friend bool operator==(const Trace&, const Trace&) = default;
};

/// Executor: the next piece of a file about the run. Not answered.
struct DumpPiece {
    Dump kind = Dump::coredump;
    Bytes data{};

    friend bool operator==(const DumpPiece&, const DumpPiece&) = default;
};

// --- linking ------------------------------------------------------------------------------------

/// Broker, right before a Start or Compile, and only if its job has imports: what they are. Before
/// Start, `modules` has the number of each one's artifact.
struct Imports {
    std::vector<job::NamedModule> imports{}; ///< As JobSpec's; Start's own task has none.
    std::vector<std::uint64_t> modules{};

    friend bool operator==(const Imports&, const Imports&) = default;
};

// --- broker and compiler ------------------------------------------------------------------------

/// Compile one module. Descriptors: the sealed module, an empty memfd for the artifact.
struct Compile {
    job::Limits limits{}; ///< Whether code counts fuel, and how much memory it may take.
    WallSet walls{};      ///< As of Hello.

    friend bool operator==(const Compile&, const Compile&) = default;
};

/// Compiler: the artifact is written, so many bytes.
struct Compiled {
    std::uint64_t artifact_bytes = 0;

    friend bool operator==(const Compiled&, const Compiled&) = default;
};

/// Compiler: it cannot be compiled.
struct CompileFailed {
    Errc code = Errc::module_invalid;
    std::string message{};

    friend bool operator==(const CompileFailed&, const CompileFailed&) = default;
};

/// The alternative's index + 1 is its kind on the wire: append only.
using Message = std::variant<Hello,
                             Load,
                             Drop,
                             Start,
                             Reply,
                             Ready,
                             NotLoaded,
                             GetBlock,
                             AddWrite,
                             AddDrop,
                             CurlOpen,
                             CurlRead,
                             CurlClose,
                             Log,
                             Output,
                             Finished,
                             Compile,
                             Compiled,
                             CompileFailed,
                             Debug,
                             Trace,
                             DumpPiece,
                             Imports>;

/// Into `out`, whose former content goes. Errors: too_large (message_bytes_max). Inverse: `decode`.
Result<void> encode(const Message& message, Bytes& out);

/// Reads exactly one message. Errors: malformed, too_large, unsupported (version or kind).
Result<Message> decode(ByteView bytes);

} // namespace ic::executor::channel
