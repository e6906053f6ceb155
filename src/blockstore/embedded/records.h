#pragma once
/// What stands in the store's tables and segments, byte for byte. Format: docs/formats/store.md.
/// Every record has a checksum over its key and all of it but a block's bytes, which have a hash.

#include "base/bytes.h"
#include "blockstore/pins.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace ic::embedded {

/// Where a block lies outside the tables: a record of a segment file.
struct Place {
    std::uint64_t segment = 0;
    std::uint64_t offset = 0; ///< Of the record's head; the block follows it.
    std::uint32_t size = 0;   ///< Of the block, bytes.

    friend bool operator==(const Place&, const Place&) = default;
};

/// What Linux takes for a path (PATH_MAX).
inline constexpr std::size_t file_path_bytes_max = 4096;

/// Where a block lies that was not copied: in a file that is somebody else's (`add --nocopy`).
struct FilePlace {
    std::string path{}; ///< Absolute.
    std::uint64_t offset = 0;
    std::uint32_t size = 0; ///< Of the block, bytes.

    friend bool operator==(const FilePlace&, const FilePlace&) = default;
};

/// A point in the order of the store's commits: microseconds since 1970 where the clock runs
/// forward, and always more than in any commit before.
using Stamp = std::uint64_t;

/// The row of a block in table `index`; the key is its multihash.
struct Entry {
    Stamp stamp = 0; ///< When it was last put or protected.
    std::variant<ByteView, Place, FilePlace> content;

    const Place* place() const { return std::get_if<Place>(&content); }

    const FilePlace* file() const { return std::get_if<FilePlace>(&content); }

    /// The block itself, where the row has it.
    const ByteView* bytes() const { return std::get_if<ByteView>(&content); }

    std::size_t size() const;

    friend bool operator==(const Entry& left, const Entry& right);
};

inline constexpr std::size_t inline_head_bytes = 1 + 8 + 4;
inline constexpr std::size_t place_bytes = 1 + 8 + 8 + 8 + 4 + 4;

/// What stands before the bytes of a block that is kept in the table itself.
std::array<std::uint8_t, inline_head_bytes> encode_inline_head(ByteView key, Stamp stamp);
std::array<std::uint8_t, place_bytes> encode_place(ByteView key, Stamp stamp, const Place& place);
/// Requires: a path of at most `file_path_bytes_max`, absolute, without zero bytes.
Bytes encode_file_place(ByteView key, Stamp stamp, const FilePlace& place);
/// Nothing if it is damaged. Lifetime: views `value`. Inverse: the three above.
std::optional<Entry> decode_entry(ByteView key, ByteView value);

/// The head of a record in a segment, always of the same size; the key is cut off at none of ours.
inline constexpr std::size_t record_head_bytes = 96;
inline constexpr std::size_t record_key_bytes_max = record_head_bytes - 8 - 4 - 1 - 4;

struct RecordHead {
    Bytes key; ///< The block's multihash.
    std::uint32_t size = 0;

    friend bool operator==(const RecordHead&, const RecordHead&) = default;
};

/// Requires: a key of at most `record_key_bytes_max`.
std::array<std::uint8_t, record_head_bytes> encode_record_head(ByteView key, std::uint32_t size);
/// Nothing if it is damaged or none. Inverse: `encode_record_head`.
std::optional<RecordHead> decode_record_head(ByteView head);
/// Where the first sound head in these bytes begins; nothing if there is none that is whole.
std::optional<std::size_t> find_record_head(ByteView bytes);

/// The row of a pin in table `pins`; the key is the CID.
Bytes encode_pin(const Pin& pin);
std::optional<Pin> decode_pin(ByteView key, ByteView value);

/// The row of a segment in table `segments`; the key is its number, big-endian.
struct SegmentRow {
    std::uint64_t end = 0;  ///< Everything before it is committed; what follows is torn.
    std::uint64_t live = 0; ///< Bytes of the records that the index points to.

    friend bool operator==(const SegmentRow&, const SegmentRow&) = default;
};

std::array<std::uint8_t, 20> encode_segment(ByteView key, const SegmentRow& row);
std::optional<SegmentRow> decode_segment(ByteView key, ByteView value);

/// The key of a row in table `dead`: a record that nothing points to any more, whose space is still
/// to be given back. The value is a number row.
std::array<std::uint8_t, 16> encode_dead_key(std::uint64_t segment, std::uint64_t offset);

/// A number with its checksum: rows of `meta` and `dead`.
std::array<std::uint8_t, 12> encode_number(ByteView key, std::uint64_t number);
std::optional<std::uint64_t> decode_number(ByteView key, ByteView value);

/// Big-endian, so that tables are in the order of numbers.
std::array<std::uint8_t, 8> big_endian(std::uint64_t number);
/// Requires: 8 bytes.
std::uint64_t from_big_endian(ByteView bytes);

} // namespace ic::embedded
