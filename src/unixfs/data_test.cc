#include "ipld/testing/hex.h"
#include "unixfs/data.h"

#include <gtest/gtest.h>

namespace ic::unixfs {
namespace {

Errc error_of(std::string_view hex) {
    const Result<Data> data = decode_data(from_hex(hex));
    EXPECT_FALSE(data) << hex;
    return data ? Errc::internal : data.error().code;
}

// Messages as Kubo 0.43 writes them, and (the fifth) as its early versions wrote an empty file.
TEST(UnixfsData, EncodesBackWhatItDecodes) {
    for (const std::string_view hex : {
             "0801",                            // Directory.
             "08021800",                        // Empty file.
             "080212026869 1802",               // File "hi".
             "0802 1804 2002 2002",             // Two parts.
             "0802 1200 1800",                  //
             "0804 1203612f62",                 // Symlink to a/b.
             "0805 12018028 22 30 8002",        // Shard.
             "0802 1800 38a403 42050880f8ad05", // With mode and mtime.
             "0802 1800 42070800 1501000000",   // With nanoseconds.
             "0801 3800",                       // Mode 0.
             "0802 1800 38ffffffff0f",          // Mode of 32 bits.
             "0800 120161 1801",                // Leaf of type raw.
         }) {
        const Bytes bytes = from_hex(hex);
        const Result<Data> data = decode_data(bytes);
        ASSERT_TRUE(data) << hex << ": " << data.error().message;
        EXPECT_EQ(encode_data(*data), bytes) << hex;
    }
}

TEST(UnixfsData, DecodesEveryField) {
    const Bytes bytes = from_hex("0805 1201ff 1804 2001 2003 2822 308002 38a40b 42020805");
    const Data data = decode_data(bytes).take();
    EXPECT_EQ(data.type, DataType::hamt_shard);
    EXPECT_EQ(to_hex(*data.data), "ff");
    EXPECT_EQ(data.file_size, 4U);
    EXPECT_EQ(data.block_sizes, (std::vector<std::uint64_t>{1, 3}));
    EXPECT_EQ(data.hash_type, 0x22U);
    EXPECT_EQ(data.fanout, 256U);
    EXPECT_EQ(data.mode, 02644U);
    EXPECT_EQ(data.mtime, UnixTime{5});
    EXPECT_EQ(data.metadata(), (Metadata{.mode = 02644, .mtime = UnixTime{5}}));
}

TEST(UnixfsData, MetadataLeavesOutWhatIsNoPermission) {
    EXPECT_EQ((Data{.mode = 0100644}).metadata(), (Metadata{.mode = 0644}));
    EXPECT_TRUE((Data{.mode = 0100000}).metadata().empty());
    EXPECT_TRUE((Data{.mode = 0}).metadata().empty());
}

TEST(UnixfsData, DecodeRejectsWhatIsNotCanonical) {
    for (const std::string_view hex : {
             "",
             "1800",
             "1201 0802",
             "0a00", // The type has to be there, and first.
             "0802 0802",
             "0802 1800 1800", // Twice.
             "0802 1800 1200",
             "0802 2001 1801", // Out of order.
             "0802 22020101",  // Packed block sizes.
             "0802 4801",
             "0802 1800 388080808010", // A mode of 33 bits.
             "0802 1800 4200",         // A time without seconds.
             "0802 1800 42040800 1501",
             "0802 1d00000000",
             "0802 1000", // Unknown field, wrong wire types.
             "088200",
             "0802 188000", // Not the shortest varint.
             "0802 120261",
             "0802 18",
             "08", // Ends early.
         }) {
        EXPECT_EQ(error_of(hex), Errc::malformed) << hex;
    }
}

TEST(UnixfsData, DecodeRejectsTypesItDoesNotKnow) {
    EXPECT_TRUE(decode_data(from_hex("0805")));
    EXPECT_EQ(error_of("0806"), Errc::unsupported);
    EXPECT_EQ(error_of("08ffffffffffffffff7f"), Errc::unsupported);
}

TEST(UnixfsData, DecodeRejectsOneBlockSizeBeyondTheLimit) {
    Bytes many = from_hex("0802");
    for (std::size_t count = 0; count < limits::block_sizes_max; ++count) {
        many.insert(many.end(), {0x20, 0x01});
    }
    EXPECT_TRUE(decode_data(many));
    many.insert(many.end(), {0x20, 0x01});
    EXPECT_EQ(decode_data(many).error().code, Errc::too_large);
}

} // namespace
} // namespace ic::unixfs
