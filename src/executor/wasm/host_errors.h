#pragma once
/// The error numbers that host functions give to guests: docs/formats/abi.md. Every language's
/// package for guests has the same names. A number is never reused.

#include <cstdint>

namespace ic::executor::wasm {

/// A host function returns the negated number.
enum class HostError : std::int64_t {
    invalid = 1,     ///< An argument makes no sense (a negative offset, a request that is no JSON).
    bad_pointer = 2, ///< The bytes named lie outside of the guest's memory.
    bad_handle = 3,  ///< No such handle is open, or it is not for this.
    not_found = 4,   ///< The path leads nowhere in content that is there.
    not_a_file = 5,  ///< The path leads to something else than a file.
    not_a_directory = 6, ///< The path leads to something else than a directory.
    unsupported = 7,     ///< Well-formed, but not something this host does.
    too_large = 8,       ///< Beyond a stated limit.
    refused = 9,         ///< The job or the worker does not allow it.
    network = 10,        ///< The network did not do it (impure jobs only).
    malformed = 11,      ///< Content is not what its type says it is.
};

/// What ipfsComputeAbiVersion gives. It grows by one when functions are added; functions are never
/// changed or taken away.
inline constexpr std::int64_t abi_version = 1;

inline std::int64_t negative(HostError error) { return -static_cast<std::int64_t>(error); }

} // namespace ic::executor::wasm
