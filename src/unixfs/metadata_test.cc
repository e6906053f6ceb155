#include "ipld/testing/hex.h"
#include "unixfs/metadata.h"

#include <gtest/gtest.h>

#include <limits>

namespace ic::unixfs {
namespace {

struct Case {
    UnixTime time;
    std::string_view hex;
};

// Protobuf's encoding of {int64 seconds = 1; fixed32 nanoseconds = 2}, worked out by its guide; the
// second is what Kubo 0.43 writes for --mtime=1603539720 --mtime-nsecs=54321.
constexpr Case cases[] = {
    {{.seconds = 0}, "0800"},
    {{.seconds = 1'603'539'720, .nanoseconds = 54'321}, "0888a6d0fc05 15 31d40000"},
    {{.seconds = 127}, "087f"},
    {{.seconds = 128, .nanoseconds = 1}, "088001 15 01000000"},
    {{.seconds = -1, .nanoseconds = 999'999'999}, "08ffffffffffffffffff01 15 ffc99a3b"},
    {{.seconds = std::numeric_limits<std::int64_t>::max()}, "08ffffffffffffffff7f"},
    {{.seconds = std::numeric_limits<std::int64_t>::min()}, "0880808080808080808001"},
};

TEST(UnixTime, HasTheFormOfAProtobufMessage) {
    for (const Case& one : cases) {
        EXPECT_EQ(encode_unix_time(one.time), from_hex(one.hex)) << one.hex;
        const Result<UnixTime> time = decode_unix_time(from_hex(one.hex));
        ASSERT_TRUE(time) << one.hex << ": " << time.error().message;
        EXPECT_EQ(*time, one.time) << one.hex;
    }
}

TEST(UnixTime, DecodeRejectsWhatIsNotCanonical) {
    for (const std::string_view hex : {
             "",
             "1501000000",                 // Without seconds.
             "08",                         //
             "0880",                       // Ends early.
             "0800 1501",                  //
             "088000",                     // Not the shortest varint.
             "08ffffffffffffffffff02",     // 65 bits.
             "08ffffffffffffffffffff01",   // 11 bytes.
             "0800 0800",                  // Twice.
             "0800 1001",                  // Nanoseconds as a varint.
             "0800 1800",                  // Unknown field.
             "0800 1500000000",            // No nanoseconds are left out.
             "0800 1500ca9a3b",            // One beyond limits::nanoseconds_max.
             "0800 1501000000 1501000000", //
         }) {
        EXPECT_EQ(decode_unix_time(from_hex(hex)).error().code, Errc::malformed) << hex;
    }
}

TEST(UnixTime, DecodeRejectsEveryProperPrefixButTheSeconds) {
    const Bytes whole = from_hex("0888a6d0fc05 15 31d40000");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(decode_unix_time(ByteView{whole}.first(size)).ok(), size == 6) << size;
    }
}

TEST(UnixTime, IsOrderedBySecondsFirst) {
    EXPECT_LT((UnixTime{-1, 999'999'999}), (UnixTime{0, 0}));
    EXPECT_LT((UnixTime{0, 0}), (UnixTime{0, 1}));
}

} // namespace
} // namespace ic::unixfs
