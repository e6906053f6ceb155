#include "ipld/block.h"
#include "ipld/testing/memory_blocks.h"

#include <gtest/gtest.h>

namespace ic {
namespace {

TEST(Fetch, TakesIdentityBlocksFromTheCidItself) {
    MemoryBlocks blocks;
    const Cid cid = Cid::v1(Codec::raw, HashCode::identity, bytes_of("inside"));
    EXPECT_EQ(text_of(fetch(blocks, cid)->view()), "inside");
    EXPECT_EQ(blocks.gets, 0U);
}

TEST(Fetch, AsksTheSourceForAllOthers) {
    MemoryBlocks blocks;
    const Cid cid = blocks.add(Codec::raw, bytes_of("outside"));
    EXPECT_EQ(text_of(fetch(blocks, cid)->view()), "outside");
    EXPECT_EQ(fetch(blocks, cid_of(Codec::raw, {})).error().code, Errc::not_found);
}

TEST(Fetch, RejectsOneByteBeyondTheLargestBlock) {
    MemoryBlocks blocks;
    Bytes large(limits::block_bytes_max, 0);
    EXPECT_TRUE(fetch(blocks, blocks.add(Codec::raw, large)));
    large.push_back(0);
    EXPECT_EQ(fetch(blocks, blocks.add(Codec::raw, large)).error().code, Errc::too_large);
}

} // namespace
} // namespace ic
