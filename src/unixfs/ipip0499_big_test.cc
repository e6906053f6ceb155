// The fixtures of IPIP-0499 that take seconds: files of 1 GiB.

#include "unixfs/file_builder.h"
#include "unixfs/testing/keystream.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ic::unixfs {
namespace {

std::string streamed(std::uint64_t bytes) {
    NullSink sink;
    FileBuilder builder(unixfs_v1_2025, sink);
    Keystream stream("v1-2025-seed");
    Bytes piece(std::size_t{8} << 20U);
    for (std::uint64_t left = bytes; left > 0;) {
        const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size()));
        stream.fill(std::span{piece}.first(count));
        EXPECT_TRUE(builder.write(ByteView{piece}.first(count)));
        left -= count;
    }
    const Result<Entry> entry = builder.finish();
    return entry ? entry->cid.to_string() : entry.error().message;
}

constexpr std::uint64_t full_node = std::uint64_t{1} << 30U; // 1024 chunks of 1 MiB.

TEST(Ipip0499, OneFullNodeInV1) {
    EXPECT_EQ(streamed(full_node), "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm");
}

TEST(Ipip0499, OneFullNodeAndOneByteMoreInV1) {
    EXPECT_EQ(streamed(full_node + 1),
              "bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe");
}

} // namespace
} // namespace ic::unixfs
