#pragma once
/// The signed answer to a job. Byte layout: docs/formats/receipt.md (ours: UCAN 1.0 has none).

#include "base/result.h"
#include "base/time.h"
#include "job/ids.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ic::job {

/// What a run used. Times in microseconds.
struct Usage {
    std::uint64_t fetch_us = 0;
    std::uint64_t compile_us = 0;
    std::uint64_t run_us = 0;
    std::uint64_t publish_us = 0;
    std::uint64_t cpu_us = 0;
    std::uint64_t fuel = 0;
    std::uint64_t memory_bytes_peak = 0;
    std::uint64_t bytes_read = 0; ///< Through Get, Ls and the event.
    std::uint64_t bytes_added = 0;
    std::uint64_t host_calls = 0;

    friend bool operator==(const Usage&, const Usage&) = default;
};

/// How a run ended. Success has no error code.
struct Ending {
    std::optional<Errc> error;
    std::string message;               ///< Cause and remedy, one line; empty on success.
    std::int32_t exit_status = 0;      ///< The guest's own (proc_exit), 0 if it returned.
    std::optional<std::int64_t> value; ///< The handler's integer result.

    bool ok() const { return !error && exit_status == 0; }

    friend bool operator==(const Ending&, const Ending&) = default;
};

/// What the worker vouches for.
struct Receipt {
    PublicKey worker; ///< `iss`.
    Instance instance;
    Cid job;
    Cid task;
    Cid computation;
    Epoch epoch;
    Ending ending;
    std::optional<Cid> output; ///< Standard output, as a UnixFS file; absent if empty.
    std::optional<Cid> errors; ///< Standard error; absent if empty.
    std::optional<Cid> log;    ///< ipfsComputeLog lines, "\n" after each; absent if empty.
    Usage usage;
    std::string software; ///< "ipfs-compute/0.1.0 wasmtime/48.0.8".
    UnixSeconds finished_at;
    std::optional<UnixSeconds> kept_until; ///< Until when the worker keeps the outputs.
    /// Where the IPFS node can be dialled that has the outputs, each as `Provider` reads it.
    std::vector<std::string> providers;

    friend bool operator==(const Receipt&, const Receipt&) = default;
};

struct SignedReceipt {
    Bytes document;
    Cid cid;
    Receipt receipt;
};

namespace limits {
inline constexpr std::size_t receipt_bytes_max = 16U << 10U;
inline constexpr std::size_t ending_message_bytes_max = 4096;
inline constexpr std::size_t software_bytes_max = 256; ///< Ours.
} // namespace limits

/// What the signature covers: the second element of the envelope, in DAG-CBOR.
Bytes signed_part(const Receipt& receipt);

/// Encodes and signs. Texts are cut to their limits and made UTF-8 first (`fit_text`): an ending
/// must not be lost because a guest's last words were odd. Requires: `key` is `receipt.worker`'s.
/// Errors: too_large (CIDs with identity digests can make it so); as `check_providers`.
Result<SignedReceipt> sign(const Receipt& receipt, const PrivateKey& key);

/// Strict; fields that this version does not know are ignored (they are under the signature). The
/// signature is not checked. Without unknown fields, what it gives encodes back to the very bytes.
/// Errors: malformed, unsupported (version, key type, error number), too_large.
/// Inverse: `sign`'s document.
Result<SignedReceipt> read_receipt(ByteView document);

/// Errors: refused if the signature is not the worker's. Threads: any; about 120 us.
Result<void> verify_signature(const SignedReceipt& receipt);

/// Whether a receipt of a pure job may answer a later job of the same computation: success, and
/// traps that the computation itself decides (not the stack, not time, not memory of this node).
bool is_memoizable(const Ending& ending);

} // namespace ic::job
