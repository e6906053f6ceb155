#pragma once
/// CARs as tests make them.

#include "car/header.h"
#include "car/writer.h"
#include "ipld/block.h"

#include <span>
#include <vector>

namespace ic::car::testing {

/// A section as any writer would write it, whether the CID fits the bytes or not.
inline void append_section(Bytes& car, const Cid& cid, ByteView data) {
    const Bytes head = section_head(cid, data.size());
    car.insert(car.end(), head.begin(), head.end());
    car.insert(car.end(), data.begin(), data.end());
}

inline Bytes car_of(std::span<const Cid> roots, std::span<const Block> blocks) {
    Bytes car = encode_header(roots);
    for (const Block& block : blocks) {
        append_section(car, block.cid, block.data.view());
    }
    return car;
}

inline Block raw_block(std::string_view text) {
    return {cid_of(Codec::raw, bytes_of(text)), LentBytes::of(copy_of(bytes_of(text)))};
}

inline void append_little_endian(Bytes& out, std::uint64_t value) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
        out.push_back(static_cast<std::uint8_t>(value >> shift));
    }
}

struct V2 {
    std::uint64_t padding = 0;
    Bytes index{};
    std::uint8_t characteristics = 0; ///< The first byte.
};

/// A CARv2 around `inner`. Source: CARv2 specification, "Pragma" and "Header".
inline Bytes wrapped(ByteView inner, const V2& options = {}) {
    Bytes car{0x0a, 0xa1, 0x67, 'v', 'e', 'r', 's', 'i', 'o', 'n', 0x02, options.characteristics};
    car.insert(car.end(), 15, 0);
    const std::uint64_t begin = 51 + options.padding;
    append_little_endian(car, begin);
    append_little_endian(car, inner.size());
    append_little_endian(car, options.index.empty() ? 0 : begin + inner.size());
    car.insert(car.end(), options.padding, 0);
    car.insert(car.end(), inner.begin(), inner.end());
    car.insert(car.end(), options.index.begin(), options.index.end());
    return car;
}

} // namespace ic::car::testing
