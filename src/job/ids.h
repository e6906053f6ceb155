#pragma once
/// The names that the protocol speaks of.

#include "base/bytes.h"
#include "identity/key.h"
#include "multiformats/cid.h"

#include <array>
#include <compare>
#include <cstdint>
#include <string>

namespace ic::job {

/// One process of a node, random at its start: a restarted worker is another instance.
struct Instance {
    std::array<std::uint8_t, 16> bytes{};

    friend auto operator<=>(const Instance&, const Instance&) = default;

    std::string to_string() const { return to_hex(ByteView{bytes}); }
};

/// Makes a bid unique, and through it a grant fresh without any clock.
struct Nonce {
    std::array<std::uint8_t, 16> bytes{};

    friend auto operator<=>(const Nonce&, const Nonce&) = default;
};

/// The fencing token of a grant, compared in this order. `incarnation` is taken from durable
/// storage by each coordinator process (and again when it adopts jobs), `n` counts its grants.
struct Epoch {
    std::uint64_t incarnation = 0;
    std::uint64_t n = 0;

    friend auto operator<=>(const Epoch&, const Epoch&) = default;

    std::string to_string() const { return std::to_string(incarnation) + "." + std::to_string(n); }
};

/// Who runs: the key that signs the receipt, and the process.
struct WorkerRef {
    PublicKey key;
    Instance instance;

    friend auto operator<=>(const WorkerRef&, const WorkerRef&) = default;
};

/// The three names of a job (design: "Identities"; docs/formats/job.md).
struct JobIds {
    Cid job;         ///< CID of the signed invocation: names this request.
    Cid task;        ///< UCAN task: CID of {sub, cmd, args, nonce}.
    Cid computation; ///< Names the work alone; keys the memo and seeds a pure job's randomness.
};

} // namespace ic::job

template <>
struct std::hash<ic::job::Instance> {
    std::size_t operator()(const ic::job::Instance& instance) const noexcept;
};
