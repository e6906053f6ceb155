#pragma once
/// Binaries for tests, put together section by section.

#include "base/bytes.h"

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace ic::wasm_binary {

inline Bytes joined(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

/// Requires: fewer than 128 bytes, so that lengths have one byte.
inline Bytes with_length(std::uint8_t first, const Bytes& content) {
    return joined({{first, static_cast<std::uint8_t>(content.size())}, content});
}

inline Bytes named(std::string_view name) {
    Bytes bytes{static_cast<std::uint8_t>(name.size())};
    bytes.insert(bytes.end(), name.begin(), name.end());
    return bytes;
}

inline Bytes module_of(std::initializer_list<Bytes> sections) {
    return joined({{0, 'a', 's', 'm', 1, 0, 0, 0}, joined(sections)});
}

/// A command: (import "wasi_snapshot_preview1" "proc_exit"), a memory of 1 to 2 pages, a table of
/// 3 functions, a mutable global i64, "_start", an element, data, and three custom sections.
inline Bytes command_module() {
    return module_of({
        with_length(1, {2, 0x60, 1, 0x7f, 0, 0x60, 0, 0}), // (i32) -> (), () -> ()
        with_length(2, joined({{1}, named("wasi_snapshot_preview1"), named("proc_exit"), {0, 0}})),
        with_length(3, {1, 1}),
        with_length(4, {1, 0x70, 0, 3}),
        with_length(5, {1, 1, 1, 2}),
        with_length(6, {1, 0x7e, 1, 0x42, 0x05, 0x0b}),
        with_length(
            7, joined({{3}, named("memory"), {2, 0}, named("_start"), {0, 1}, named("g"), {3, 0}})),
        with_length(9, {1, 0, 0x41, 0, 0x0b, 1, 1}),
        with_length(10, {1, 8, 1, 2, 0x7f, 0x41, 7, 0x10, 0, 0x0b}),
        with_length(11, {1, 0, 0x41, 16, 0x0b, 2, 'h', 'i'}),
        with_length(0, joined({named(".debug_info"), {1, 2, 3}})),
        with_length(0, joined({named("name"), {0, 3, 2, 'm', 'e', 1, 4, 1, 1, 1, 's'}})),
        with_length(
            0,
            joined({named("producers"), {1}, named("language"), {1}, named("C11"), named("17.0")})),
    });
}

} // namespace ic::wasm_binary
