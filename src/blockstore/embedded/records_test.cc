#include "blockstore/embedded/crc32c.h"
#include "blockstore/embedded/records.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace ic::embedded {
namespace {

const Cid cid = cid_of(Codec::raw, bytes_of("a block"));
const ByteView key = cid.multihash();
const Place place{.segment = 0x0102030405060708, .offset = 4096, .size = 70'000};

template <class Encoded>
Bytes bytes(const Encoded& encoded) {
    return {encoded.begin(), encoded.end()};
}

/// Whether `decode` refuses the bytes with any one bit changed, and cut by one.
template <class Decode>
void expect_sealed(const Bytes& good, Decode decode) {
    ASSERT_TRUE(decode(good));
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        Bytes bad = good;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(decode(bad)) << "bit " << bit;
    }
    EXPECT_FALSE(decode(Bytes(good.begin(), good.end() - 1)));
}

// Source: RFC 3720, appendix B.4.
TEST(Crc32c, GivesTheSumsOfTheStandard) {
    EXPECT_EQ(crc32c(Bytes(32, 0)), 0x8a9136aaU);
    EXPECT_EQ(crc32c(Bytes(32, 0xff)), 0x62a8ab43U);
    EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283U);
    EXPECT_EQ(crc32c(bytes_of("56789"), crc32c(bytes_of("1234"))), 0xe3069283U);
}

TEST(Records, OfInlineBlocksComeBackWithTheirBytes) {
    Bytes value = bytes(encode_inline_head(key, 77));
    const Bytes block = copy_of(bytes_of("a block"));
    value.insert(value.end(), block.begin(), block.end());
    const std::optional<Entry> entry = decode_entry(key, value);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->stamp, 77U);
    EXPECT_EQ(copy_of(std::get<ByteView>(entry->content)), block);
    EXPECT_EQ(entry->size(), block.size());
    EXPECT_FALSE(decode_entry(cid_of(Codec::raw, bytes_of("other")).multihash(), value))
        << "under another key";
}

TEST(Records, OfPlacesAreRefusedWithAnyBitChanged) {
    const Bytes value = bytes(encode_place(key, 77, place));
    const std::optional<Entry> entry = decode_entry(key, value);
    ASSERT_TRUE(entry && entry->place() != nullptr);
    EXPECT_EQ(*entry->place(), place);
    EXPECT_EQ(entry->stamp, 77U);
    EXPECT_EQ(entry->size(), 70'000U);
    expect_sealed(value, [](const Bytes& read) { return decode_entry(key, read).has_value(); });
}

TEST(Records, OfPlacesInFilesAreRefusedWithAnyBitChanged) {
    const FilePlace file{.path = "/a/\xff/file", .offset = 1ULL << 40U, .size = 70'000};
    const Bytes value = encode_file_place(key, 77, file);
    const std::optional<Entry> entry = decode_entry(key, value);
    ASSERT_TRUE(entry && entry->file() != nullptr);
    EXPECT_EQ(*entry->file(), file);
    EXPECT_EQ(entry->stamp, 77U);
    EXPECT_EQ(entry->size(), 70'000U);
    expect_sealed(value, [](const Bytes& read) { return decode_entry(key, read).has_value(); });
    const std::string longest = "/" + std::string(file_path_bytes_max - 1, 'x');
    Bytes long_value = encode_file_place(key, 1, {.path = longest, .offset = 0, .size = 1});
    EXPECT_TRUE(decode_entry(key, long_value));
    long_value.push_back('x');
    EXPECT_FALSE(decode_entry(key, long_value));
}

TEST(Records, OfHeadsAreRefusedWithAnyBitChanged) {
    const Bytes head = bytes(encode_record_head(key, 70'000));
    EXPECT_EQ(*decode_record_head(head), (RecordHead{.key = copy_of(key), .size = 70'000}));
    expect_sealed(head, [](const Bytes& read) { return decode_record_head(read).has_value(); });
    const Bytes longest(record_key_bytes_max, 7);
    EXPECT_EQ(decode_record_head(encode_record_head(longest, 1))->key, longest);
}

TEST(Records, OfPinsAreRefusedWithAnyBitChanged) {
    for (const Pin& pin :
         {Pin{.cid = cid, .kind = PinKind::recursive, .name = "corpus", .expires_at = {}},
          Pin{.cid = Cid::v0(cid.digest()),
              .kind = PinKind::direct,
              .name = std::string(255, 'x'),
              .expires_at = UnixSeconds{-5}},
          Pin{.cid = cid, .name = "", .expires_at = UnixSeconds{1'900'000'000}}}) {
        const Bytes value = encode_pin(pin);
        EXPECT_EQ(*decode_pin(pin.cid.bytes(), value), pin);
        expect_sealed(value, [&](const Bytes& read) {
            return decode_pin(pin.cid.bytes(), read).has_value();
        });
        EXPECT_FALSE(decode_pin(cid_of(Codec::raw, bytes_of("other")).bytes(), value));
    }
}

TEST(Records, OfPinsHaveNamesOf255BytesAtMost) {
    const Bytes value = encode_pin({.cid = cid, .name = std::string(256, 'x'), .expires_at = {}});
    EXPECT_FALSE(decode_pin(cid.bytes(), value));
}

TEST(Records, OfSegmentsAndNumbersAreRefusedWithAnyBitChanged) {
    const auto name = big_endian(place.segment);
    const SegmentRow row{.end = 1ULL << 40U, .live = 12345};
    EXPECT_EQ(*decode_segment(name, encode_segment(name, row)), row);
    expect_sealed(bytes(encode_segment(name, row)),
                  [&](const Bytes& read) { return decode_segment(name, read).has_value(); });
    EXPECT_EQ(*decode_number(name, encode_number(name, 1ULL << 63U)), 1ULL << 63U);
    expect_sealed(bytes(encode_number(name, 5)),
                  [&](const Bytes& read) { return decode_number(name, read).has_value(); });
}

TEST(Records, NumbersOfKeysAreInTheirOrder) {
    EXPECT_EQ(to_hex(big_endian(0x0102)), "0000000000000102");
    EXPECT_EQ(from_big_endian(big_endian(std::numeric_limits<std::uint64_t>::max() - 1)),
              std::numeric_limits<std::uint64_t>::max() - 1);
    EXPECT_EQ(to_hex(encode_dead_key(1, 2)), "00000000000000010000000000000002");
}

// The format itself: these bytes must never change. Source: docs/formats/store.md, by hand.
TEST(Records, HaveTheBytesOfTheFormat) {
    const ByteView name = bytes_of("k");
    EXPECT_EQ(to_hex(encode_inline_head(name, 0x0a)).substr(0, 18), "010a00000000000000");
    EXPECT_EQ(to_hex(encode_place(name, 1, {.segment = 2, .offset = 3, .size = 4})).substr(0, 58),
              "02"
              "0100000000000000"
              "0200000000000000"
              "0300000000000000"
              "04000000");
    const std::string head = to_hex(encode_record_head(name, 5));
    EXPECT_EQ(head.substr(0, 28),
              "4943424c4f434b32"
              "05000000"
              "01"
              "6b");
    EXPECT_EQ(head.size(), 2 * 96U);
}

} // namespace
} // namespace ic::embedded
