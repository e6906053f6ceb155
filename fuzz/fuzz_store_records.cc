/// Properties: what any decoder of the store's records accepts, it encodes back to the very bytes.
/// Input: a byte that chooses the decoder, a byte for the length of the key, the key, the value.
/// The checksum is put right first, or nothing but it would be tested.

#include "blockstore/embedded/crc32c.h"
#include "blockstore/embedded/records.h"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace ic::embedded;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

/// Writes the checksum of key and value before `at` to `at`.
void seal(ic::ByteView key, ic::Bytes& value, std::size_t at) {
    if (value.size() < at + 4) {
        return;
    }
    const std::uint32_t sum = crc32c(ic::ByteView{value}.first(at), crc32c(key));
    for (std::size_t index = 0; index < 4; ++index) {
        value[at + index] = static_cast<std::uint8_t>(sum >> (8 * index));
    }
}

/// The checksum of a place in a file is over the path behind it too.
void seal_file(ic::ByteView key, ic::Bytes& value) {
    if (value.size() < 25) {
        return;
    }
    const std::uint32_t sum =
        crc32c(ic::ByteView{value}.subspan(25), crc32c(ic::ByteView{value}.first(21), crc32c(key)));
    for (std::size_t index = 0; index < 4; ++index) {
        value[21 + index] = static_cast<std::uint8_t>(sum >> (8 * index));
    }
}

void try_entry(ic::ByteView key, ic::Bytes value) {
    if (!value.empty() && value[0] == 3) {
        seal_file(key, value);
    } else {
        seal(key, value, !value.empty() && value[0] == 2 ? 29 : 9);
    }
    const std::optional<Entry> entry = decode_entry(key, value);
    if (!entry) {
        return;
    }
    if (const Place* place = entry->place()) {
        require(std::ranges::equal(encode_place(key, entry->stamp, *place), value));
    } else if (const FilePlace* file = entry->file()) {
        require(encode_file_place(key, entry->stamp, *file) == value);
    } else {
        ic::Bytes written;
        std::ranges::copy(encode_inline_head(key, entry->stamp), std::back_inserter(written));
        std::ranges::copy(std::get<ic::ByteView>(entry->content), std::back_inserter(written));
        require(written == value);
    }
}

void try_head(ic::Bytes value) {
    seal({}, value, record_head_bytes - 4);
    if (const std::optional<RecordHead> head = decode_record_head(value)) {
        require(std::ranges::equal(encode_record_head(head->key, head->size), value));
    }
}

void try_pin(ic::ByteView key, ic::Bytes value) {
    if (value.size() >= 13) {
        const std::uint32_t sum = crc32c(ic::ByteView{value}.subspan(13),
                                         crc32c(ic::ByteView{value}.first(9), crc32c(key)));
        for (std::size_t index = 0; index < 4; ++index) {
            value[9 + index] = static_cast<std::uint8_t>(sum >> (8 * index));
        }
    }
    if (const std::optional<ic::Pin> pin = decode_pin(key, value)) {
        require(encode_pin(*pin) == value);
        require(std::ranges::equal(pin->cid.bytes(), key));
    }
}

void try_numbers(ic::ByteView key, const ic::Bytes& value) {
    ic::Bytes row = value, number = value;
    seal(key, row, 16);
    seal(key, number, 8);
    if (const std::optional<SegmentRow> read = decode_segment(key, row)) {
        require(std::ranges::equal(encode_segment(key, *read), row));
    }
    if (const std::optional<std::uint64_t> read = decode_number(key, number)) {
        require(std::ranges::equal(encode_number(key, *read), number));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const ic::ByteView rest{data + 2, size - 2};
    const ic::ByteView key = rest.first(std::min<std::size_t>(data[1], rest.size()));
    const ic::Bytes value = ic::copy_of(rest.subspan(key.size()));
    switch (data[0] % 4) {
    case 0:
        try_entry(key, value);
        break;
    case 1:
        try_head(value);
        break;
    case 2:
        try_pin(key, value);
        break;
    default:
        try_numbers(key, value);
        break;
    }
    return 0;
}
