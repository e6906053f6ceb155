#include "blockstore/embedded/records.h"

#include "blockstore/embedded/crc32c.h"

#include <algorithm>
#include <cassert>
#include <limits>
#include <string_view>
#include <utility>

namespace ic::embedded {
namespace {

constexpr std::uint8_t kind_inline = 1;
constexpr std::uint8_t kind_place = 2;
constexpr std::uint8_t kind_file = 3;
constexpr std::size_t file_head_bytes = 1 + 8 + 8 + 4 + 4;
constexpr std::string_view record_magic = "ICBLOCK2";
constexpr std::size_t pin_head_bytes = 1 + 8 + 4;

/// Little-endian, `bytes` of them.
void store(std::uint8_t* into, std::uint64_t number, std::size_t bytes) {
    for (std::size_t index = 0; index < bytes; ++index) {
        into[index] = static_cast<std::uint8_t>(number >> (8 * index));
    }
}

std::uint64_t load(const std::uint8_t* from, std::size_t bytes) {
    std::uint64_t number = 0;
    for (std::size_t index = 0; index < bytes; ++index) {
        number |= std::uint64_t{from[index]} << (8 * index);
    }
    return number;
}

/// Writes the checksum of key and front behind the front.
void seal(ByteView key, std::uint8_t* front, std::size_t bytes) {
    store(front + bytes, crc32c({front, bytes}, crc32c(key)), 4);
}

bool is_sealed(ByteView key, const std::uint8_t* front, std::size_t bytes) {
    return load(front + bytes, 4) == crc32c({front, bytes}, crc32c(key));
}

} // namespace

std::size_t Entry::size() const {
    if (const ByteView* block = bytes()) {
        return block->size();
    }
    return place() != nullptr ? place()->size : file()->size;
}

bool operator==(const Entry& left, const Entry& right) {
    if (left.stamp != right.stamp || left.content.index() != right.content.index()) {
        return false;
    }
    if (const Place* place = left.place()) {
        return *place == *right.place();
    }
    if (const FilePlace* file = left.file()) {
        return *file == *right.file();
    }
    return std::ranges::equal(*left.bytes(), *right.bytes());
}

std::array<std::uint8_t, inline_head_bytes> encode_inline_head(ByteView key, Stamp stamp) {
    std::array<std::uint8_t, inline_head_bytes> head{kind_inline};
    store(&head[1], stamp, 8);
    seal(key, head.data(), 9);
    return head;
}

std::array<std::uint8_t, place_bytes> encode_place(ByteView key, Stamp stamp, const Place& place) {
    std::array<std::uint8_t, place_bytes> value{kind_place};
    store(&value[1], stamp, 8);
    store(&value[9], place.segment, 8);
    store(&value[17], place.offset, 8);
    store(&value[25], place.size, 4);
    seal(key, value.data(), 29);
    return value;
}

Bytes encode_file_place(ByteView key, Stamp stamp, const FilePlace& place) {
    assert(place.path.size() <= file_path_bytes_max && place.path.starts_with('/'));
    Bytes value(file_head_bytes);
    value[0] = kind_file;
    store(&value[1], stamp, 8);
    store(&value[9], place.offset, 8);
    store(&value[17], place.size, 4);
    const ByteView path = bytes_of(place.path);
    store(&value[21], crc32c(path, crc32c(ByteView{value}.first(21), crc32c(key))), 4);
    value.insert(value.end(), path.begin(), path.end());
    return value;
}

namespace {

std::optional<Entry> decode_file_place(ByteView key, ByteView value) {
    if (value.size() > file_head_bytes + file_path_bytes_max) {
        return std::nullopt;
    }
    const ByteView path = value.subspan(file_head_bytes);
    if (load(&value[21], 4) != crc32c(path, crc32c(value.first(21), crc32c(key))) ||
        !text_of(path).starts_with('/') || std::ranges::count(path, 0) != 0) {
        return std::nullopt;
    }
    return Entry{.stamp = load(&value[1], 8),
                 .content = FilePlace{.path = std::string(text_of(path)),
                                      .offset = load(&value[9], 8),
                                      .size = static_cast<std::uint32_t>(load(&value[17], 4))}};
}

} // namespace

std::optional<Entry> decode_entry(ByteView key, ByteView value) {
    if (value.size() > file_head_bytes && value[0] == kind_file) {
        return decode_file_place(key, value);
    }
    if (value.size() >= inline_head_bytes && value[0] == kind_inline) {
        if (!is_sealed(key, value.data(), 9)) {
            return std::nullopt;
        }
        return Entry{.stamp = load(&value[1], 8), .content = value.subspan(inline_head_bytes)};
    }
    if (value.size() != place_bytes || value[0] != kind_place ||
        !is_sealed(key, value.data(), 29)) {
        return std::nullopt;
    }
    return Entry{.stamp = load(&value[1], 8),
                 .content = Place{.segment = load(&value[9], 8),
                                  .offset = load(&value[17], 8),
                                  .size = static_cast<std::uint32_t>(load(&value[25], 4))}};
}

std::array<std::uint8_t, record_head_bytes> encode_record_head(ByteView key, std::uint32_t size) {
    assert(key.size() <= record_key_bytes_max);
    std::array<std::uint8_t, record_head_bytes> head{};
    std::ranges::copy(record_magic, head.begin());
    store(&head[8], size, 4);
    head[12] = static_cast<std::uint8_t>(key.size());
    std::ranges::copy(key, head.begin() + 13);
    seal({}, head.data(), record_head_bytes - 4);
    return head;
}

std::optional<RecordHead> decode_record_head(ByteView head) {
    if (head.size() != record_head_bytes || !std::ranges::equal(head.first(8), record_magic) ||
        head[12] > record_key_bytes_max || !is_sealed({}, head.data(), record_head_bytes - 4)) {
        return std::nullopt;
    }
    const ByteView padding = head.subspan(13 + head[12], record_key_bytes_max - head[12]);
    if (std::ranges::any_of(padding, [](std::uint8_t byte) { return byte != 0; })) {
        return std::nullopt;
    }
    return RecordHead{.key = copy_of(head.subspan(13, head[12])),
                      .size = static_cast<std::uint32_t>(load(&head[8], 4))};
}

std::optional<std::size_t> find_record_head(ByteView bytes) {
    const std::string_view text = text_of(bytes);
    for (std::size_t at = text.find(record_magic); at != std::string_view::npos;
         at = text.find(record_magic, at + 1)) {
        if (at + record_head_bytes > bytes.size()) {
            break;
        }
        if (decode_record_head(bytes.subspan(at, record_head_bytes))) {
            return at;
        }
    }
    return std::nullopt;
}

Bytes encode_pin(const Pin& pin) {
    Bytes value(pin_head_bytes);
    value[0] = static_cast<std::uint8_t>(pin.kind);
    // The largest number stands for none: no clock comes that far.
    store(&value[1],
          static_cast<std::uint64_t>(pin.expires_at ? pin.expires_at->value
                                                    : std::numeric_limits<std::int64_t>::max()),
          8);
    std::uint32_t sum = crc32c(pin.cid.bytes());
    sum = crc32c(ByteView{value}.first(9), sum);
    store(&value[9], crc32c(bytes_of(pin.name), sum), 4);
    value.insert(value.end(), pin.name.begin(), pin.name.end());
    return value;
}

std::optional<Pin> decode_pin(ByteView key, ByteView value) {
    Result<Cid> cid = Cid::from_bytes(key);
    if (!cid || value.size() < pin_head_bytes ||
        value.size() > pin_head_bytes + limits::pin_name_bytes_max ||
        (value[0] != static_cast<std::uint8_t>(PinKind::recursive) &&
         value[0] != static_cast<std::uint8_t>(PinKind::direct))) {
        return std::nullopt;
    }
    const ByteView name = value.subspan(pin_head_bytes);
    if (load(&value[9], 4) != crc32c(name, crc32c(value.first(9), crc32c(key)))) {
        return std::nullopt;
    }
    Pin pin{.cid = std::move(cid).take(),
            .kind = static_cast<PinKind>(value[0]),
            .name = std::string(text_of(name)),
            .expires_at = std::nullopt};
    const auto expires = static_cast<std::int64_t>(load(&value[1], 8));
    if (expires != std::numeric_limits<std::int64_t>::max()) {
        pin.expires_at = UnixSeconds{expires};
    }
    return pin;
}

std::array<std::uint8_t, 20> encode_segment(ByteView key, const SegmentRow& row) {
    std::array<std::uint8_t, 20> value{};
    store(value.data(), row.end, 8);
    store(&value[8], row.live, 8);
    seal(key, value.data(), 16);
    return value;
}

std::optional<SegmentRow> decode_segment(ByteView key, ByteView value) {
    if (value.size() != 20 || !is_sealed(key, value.data(), 16)) {
        return std::nullopt;
    }
    return SegmentRow{.end = load(value.data(), 8), .live = load(&value[8], 8)};
}

std::array<std::uint8_t, 16> encode_dead_key(std::uint64_t segment, std::uint64_t offset) {
    std::array<std::uint8_t, 16> key{};
    std::ranges::copy(big_endian(segment), key.begin());
    std::ranges::copy(big_endian(offset), key.begin() + 8);
    return key;
}

std::array<std::uint8_t, 12> encode_number(ByteView key, std::uint64_t number) {
    std::array<std::uint8_t, 12> value{};
    store(value.data(), number, 8);
    seal(key, value.data(), 8);
    return value;
}

std::optional<std::uint64_t> decode_number(ByteView key, ByteView value) {
    if (value.size() != 12 || !is_sealed(key, value.data(), 8)) {
        return std::nullopt;
    }
    return load(value.data(), 8);
}

std::array<std::uint8_t, 8> big_endian(std::uint64_t number) {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t index = 0; index < 8; ++index) {
        bytes[index] = static_cast<std::uint8_t>(number >> (56 - 8 * index));
    }
    return bytes;
}

std::uint64_t from_big_endian(ByteView bytes) {
    assert(bytes.size() == 8);
    std::uint64_t number = 0;
    for (const std::uint8_t byte : bytes) {
        number = number << 8U | byte;
    }
    return number;
}

} // namespace ic::embedded
