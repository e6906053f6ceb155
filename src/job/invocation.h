#pragma once
/// The signed job: a UCAN 1.0.0 invocation. Byte layout: docs/formats/job.md.
/// Source: ucan-wg/spec 1.0.0 (2026-07-08), ucan-wg/invocation; varsig header 3401ed01ed011371.

#include "base/result.h"
#include "base/time.h"
#include "job/ids.h"
#include "job/spec.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::job {

inline constexpr std::string_view command_run_wasm = "/compute/run/wasm";

/// The payload of an invocation whose subject is its issuer (delegation chains come later; `prf`
/// is written empty and anything else refused).
struct Invocation {
    PublicKey issuer;   ///< `iss` and `sub`.
    PublicKey audience; ///< `aud`: the coordinator that may grant.
    JobSpec spec;       ///< `args`.
    Bytes nonce;        ///< Empty: may be answered from a receipt. At most 64 bytes.
    std::optional<UnixSeconds> expires_at; ///< `exp`.
    std::optional<UnixSeconds> issued_at;  ///< `iat`.
    std::optional<Cid> cause;
    StageTimeouts timeouts;                                  ///< `meta.timeouts`.
    std::uint32_t priority = 0;                              ///< `meta.priority`, 0 to 9, 9 first.
    std::vector<std::pair<std::string, std::string>> labels; ///< `meta.labels`, sorted by name.
    std::optional<std::string> traceparent;                  ///< `meta.traceparent`, W3C.
    /// `meta.providers`: where the IPFS node can be dialled that has what the job names, each as
    /// `Provider` reads it.
    std::vector<std::string> providers;

    friend bool operator==(const Invocation&, const Invocation&) = default;
};

/// A document with its name.
struct SignedInvocation {
    Bytes document;
    Cid cid;
    Invocation invocation;
};

namespace limits {
inline constexpr std::size_t nonce_bytes_max = 64; ///< Ours.
inline constexpr std::uint32_t priority_max = 9;
/// Ours: version 00 of a W3C traceparent has 55 characters.
inline constexpr std::size_t traceparent_bytes_max = 128;
} // namespace limits

/// Whether all fields are within their limits. Errors: as `sign`.
Result<void> check(const Invocation& invocation);

/// What the signature covers: the second element of the envelope, in DAG-CBOR.
/// Requires: `check` accepts the invocation.
Bytes signed_part(const Invocation& invocation);

/// Encodes and signs. Requires: `key` is `invocation.issuer`'s.
/// Errors: malformed or too_large if a field is beyond its limit or names repeat or are not sorted.
Result<SignedInvocation> sign(const Invocation& invocation, const PrivateKey& key);

/// Strictly reads a document, without checking its signature: for deciding whether it is worth the
/// check. What it gives, encodes back to the very bytes of the document (but for `meta`, whose
/// unknown fields are ignored).
/// Errors: malformed; unsupported (another command, version or key type, proofs, a field of `args`
/// or of the payload that this version does not know: authority might depend on it); too_large.
/// Inverse: `sign`'s document.
Result<SignedInvocation> read_invocation(ByteView document);

/// Errors: refused if the signature is not the issuer's. Threads: any; about 120 us.
Result<void> verify_signature(const SignedInvocation& invocation);

/// Errors: refused (wrong audience), expired. `now` is the coordinator's wall clock: expiry decides
/// only whether a job is still accepted.
Result<void>
check_acceptance(const Invocation& invocation, const PublicKey& coordinator, UnixSeconds now);

/// The three names of the job. Hashes the arguments twice, so call it once a job and keep it.
JobIds ids_of(const SignedInvocation& invocation);

} // namespace ic::job
