#include "unixfs/chunker.h"

#include "unixfs/buzhash_table.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace ic::unixfs {
namespace {

// ---- Rabin's fingerprint: the last bytes as a polynomial over GF(2), modulo an irreducible one

constexpr std::uint64_t rabin_polynomial = 17'437'180'132'763'653U; // boxo's
constexpr unsigned rabin_degree = 53;
constexpr std::size_t rabin_window_bytes = 16;
static_assert(std::bit_width(rabin_polynomial) == rabin_degree + 1);

std::uint64_t modulo_polynomial(std::uint64_t value) {
    while (std::bit_width(value) > static_cast<int>(rabin_degree)) {
        value ^=
            rabin_polynomial << (static_cast<unsigned>(std::bit_width(value)) - 1 - rabin_degree);
    }
    return value;
}

struct RabinTables {
    std::array<std::uint64_t, 256> leaving{};   ///< What a byte still adds when it leaves.
    std::array<std::uint64_t, 256> reduction{}; ///< Takes the 8 bits above the degree away.

    RabinTables() {
        for (std::uint64_t byte = 0; byte < leaving.size(); ++byte) {
            std::uint64_t value = byte;
            for (std::size_t moved = 1; moved < rabin_window_bytes; ++moved) {
                value = modulo_polynomial(value << 8U);
            }
            leaving[byte] = value;
            const std::uint64_t above = byte << rabin_degree;
            reduction[byte] = modulo_polynomial(above) | above;
        }
    }
};

const RabinTables& rabin_tables() {
    static const RabinTables tables;
    return tables;
}

// ---- Buzhash: boxo's sizes; nothing of it can be chosen

constexpr std::size_t buzhash_bytes_min = std::size_t{128} << 10U;
constexpr std::size_t buzhash_bytes_max = std::size_t{512} << 10U;
constexpr std::size_t buzhash_window_bytes = 32;
constexpr std::uint32_t buzhash_mask = (1U << 17U) - 1;

} // namespace

Chunker::Chunker(const ChunkerSpec& spec) : spec_(spec) {
    assert(spec.kind == ChunkerSpec::Kind::buzhash ||
           (spec.bytes_max > 0 && spec.bytes_max <= limits::chunk_bytes_max));
    if (spec.kind == ChunkerSpec::Kind::rabin) {
        assert(spec.bytes_min >= limits::rabin_chunk_bytes_min);
        mask_ = std::bit_floor(spec.bytes_average) - 1;
    }
    start_chunk();
}

std::optional<std::size_t> Chunker::find_end(ByteView bytes) {
    switch (spec_.kind) {
    case ChunkerSpec::Kind::fixed:
        return find_fixed(bytes);
    case ChunkerSpec::Kind::rabin:
        return find_rabin(bytes);
    case ChunkerSpec::Kind::buzhash:
        break;
    }
    return find_buzhash(bytes);
}

/// Every chunk is cut for itself: what came before it does not matter.
void Chunker::start_chunk() {
    chunk_bytes_ = 0;
    window_ = {};
    window_at_ = 0;
    hash_ = 0;
    if (spec_.kind == ChunkerSpec::Kind::rabin) { // Which begins as if after a byte 1.
        window_[window_at_++] = 1;
        hash_ = 1;
    }
}

std::optional<std::size_t> Chunker::find_fixed(ByteView bytes) {
    const std::size_t missing = spec_.bytes_max - chunk_bytes_;
    if (bytes.size() < missing) {
        chunk_bytes_ += bytes.size();
        return std::nullopt;
    }
    chunk_bytes_ = 0;
    return missing;
}

std::optional<std::size_t> Chunker::find_rabin(ByteView bytes) {
    const RabinTables& tables = rabin_tables();
    const std::size_t skipped = spec_.bytes_min - rabin_window_bytes; // Decides nothing.
    std::size_t at = 0;
    if (chunk_bytes_ < skipped) {
        at = std::min(bytes.size(), skipped - chunk_bytes_);
    }
    std::uint64_t hash = hash_;
    for (; at < bytes.size(); ++at) {
        const std::uint8_t byte = bytes[at];
        hash ^= tables.leaving[window_[window_at_]];
        window_[window_at_] = byte;
        window_at_ = (window_at_ + 1) % rabin_window_bytes;
        hash = (hash << 8U | byte) ^ tables.reduction[hash >> (rabin_degree - 8)];
        const std::size_t chunk_bytes = chunk_bytes_ + at + 1;
        if (chunk_bytes >= spec_.bytes_min &&
            ((hash & mask_) == 0 || chunk_bytes >= spec_.bytes_max)) {
            start_chunk();
            return at + 1;
        }
    }
    hash_ = hash;
    chunk_bytes_ += bytes.size();
    return std::nullopt;
}

std::optional<std::size_t> Chunker::find_buzhash(ByteView bytes) {
    constexpr std::size_t skipped = buzhash_bytes_min - buzhash_window_bytes; // Decides nothing.
    std::size_t at = 0;
    if (chunk_bytes_ < skipped) {
        at = std::min(bytes.size(), skipped - chunk_bytes_);
    }
    auto hash = static_cast<std::uint32_t>(hash_);
    for (; at < bytes.size(); ++at) {
        const std::uint8_t byte = bytes[at];
        const std::size_t chunk_bytes = chunk_bytes_ + at + 1;
        hash = std::rotl(hash, 1) ^ buzhash_table[byte];
        if (chunk_bytes > buzhash_bytes_min) { // The window is full: its first byte leaves.
            hash ^= buzhash_table[window_[window_at_]];
        }
        window_[window_at_] = byte;
        window_at_ = (window_at_ + 1) % buzhash_window_bytes;
        if (chunk_bytes >= buzhash_bytes_min &&
            ((hash & buzhash_mask) == 0 || chunk_bytes >= buzhash_bytes_max)) {
            start_chunk();
            return at + 1;
        }
    }
    hash_ = hash;
    chunk_bytes_ += bytes.size();
    return std::nullopt;
}

} // namespace ic::unixfs
