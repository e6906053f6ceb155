#pragma once
/// A job as the first ipfs-compute published it: JSON on the pubsub topic `ipfs-compute`, signed by
/// nobody. Byte layout, and what becomes of it: docs/formats/unsigned-job.md.

#include "base/bytes.h"
#include "base/result.h"
#include "job/invocation.h"
#include "multiformats/cid.h"

#include <cstddef>
#include <string>

namespace ic::job {

namespace limits {
/// Ours: a CID, a name, and the empty fields that a Go program writes beside them.
inline constexpr std::size_t unsigned_job_bytes_max = 4096;
} // namespace limits

/// What it asks for.
struct UnsignedJob {
    Cid module;           ///< `Wasm.WasmFileCid`.
    std::string function; ///< `Wasm.Function`; empty: `_start`.

    friend bool operator==(const UnsignedJob&, const UnsignedJob&) = default;
};

/// The message it came in. Kubo has made sure of both: pubsub signs its messages.
struct UnsignedOrigin {
    std::string peer; ///< The peer ID of the Kubo that published it, as text.
    Bytes seqno;      ///< Another one in each message of this peer.

    friend bool operator==(const UnsignedOrigin&, const UnsignedOrigin&) = default;
};

/// Errors: too_large; malformed (no JSON, a field twice, of the wrong type or missing, no CID);
///         unsupported (another version or type of job, a field that is not known).
/// Inverse: `print_unsigned_job`.
Result<UnsignedJob> read_unsigned_job(ByteView json);

/// Without what other types of jobs have. Requires: as `read_unsigned_job` gives it.
Bytes print_unsigned_job(const UnsignedJob& unsigned_job);

/// The job that `key` answers for: pure, with the default limits, labelled `origin=unsigned` and
/// with its peer. Nothing in it depends on when or by which process it is made: all processes of
/// one home that hear one message make one job.
/// Errors: refused for a message without a number, which could not be told from another.
Result<Invocation>
invocation_of(const UnsignedJob& unsigned_job, const UnsignedOrigin& origin, const PublicKey& key);

} // namespace ic::job
