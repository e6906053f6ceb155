#pragma once
/// GuestMemory: the linear memory of a running guest, every access checked.

#include "base/bytes.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

// The engine hands a memory from the thread of one run to that of another; what synchronises them
// is in Rust, where the thread sanitizer does not see it, and takes their accesses for a race.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IC_HANDED_OVER_UNSEEN __attribute__((no_sanitize("thread")))
#endif
#endif
#ifndef IC_HANDED_OVER_UNSEEN
#define IC_HANDED_OVER_UNSEEN
#endif

namespace ic::executor::wasm {

/// A view for the length of one host call: the guest's memory may be elsewhere, or larger, later.
/// Addresses are the guest's own and may be anything.
class GuestMemory {
public:
    GuestMemory() = default;

    explicit GuestMemory(std::span<std::uint8_t> bytes) : bytes_(bytes) {}

    /// Nothing if any byte of it lies beyond the memory's end; also for an empty slice there.
    std::optional<std::span<std::uint8_t>> slice(std::uint64_t address, std::uint64_t size) const {
        if (address > bytes_.size() || size > bytes_.size() - address) {
            return std::nullopt;
        }
        return bytes_.subspan(static_cast<std::size_t>(address), static_cast<std::size_t>(size));
    }

    /// Integers are little-endian, as in WebAssembly; the hosts that Wasmtime compiles for here
    /// are.
    template <class T>
    std::optional<T> load(std::uint64_t address) const {
        static_assert(std::is_unsigned_v<T>);
        const auto place = slice(address, sizeof(T));
        if (!place) {
            return std::nullopt;
        }
        T value;
        std::memcpy(&value, place->data(), sizeof(T));
        return value;
    }

    /// Whether it fitted.
    template <class T>
    [[nodiscard]] IC_HANDED_OVER_UNSEEN bool store(std::uint64_t address, T value) const {
        static_assert(std::is_unsigned_v<T>);
        const auto place = slice(address, sizeof(T));
        if (!place) {
            return false;
        }
        std::memcpy(place->data(), &value, sizeof(T));
        return true;
    }

private:
    std::span<std::uint8_t> bytes_;
};

} // namespace ic::executor::wasm
