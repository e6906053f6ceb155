#include "car/decoder.h"
#include "car/writer.h"
#include "ipld/dag_cbor.h"
#include "ipld/testing/hex.h"
#include "ipld/testing/memory_blocks.h"

#include <gtest/gtest.h>

#include <vector>

namespace ic::car {
namespace {

class Collected final : public Output {
public:
    Result<void> write(Bytes head, LentBytes data) override {
        bytes.insert(bytes.end(), head.begin(), head.end());
        bytes.insert(bytes.end(), data.view().begin(), data.view().end());
        return {};
    }

    Bytes bytes;
};

class Full final : public Output {
public:
    Result<void> write(Bytes, LentBytes) override { return Error{Errc::storage_full, "full"}; }
};

// CARv1 specification, "Data": the length of CID and bytes, the CID, the bytes.
TEST(CarWriter, PutsLengthAndCidBeforeABlock) {
    const Cid cid = cid_of(Codec::raw, bytes_of("x"));
    Bytes expected = from_hex("ac02"); // 36 + 264 = 300
    expected.insert(expected.end(), cid.bytes().begin(), cid.bytes().end());
    EXPECT_EQ(section_head(cid, 264), expected);
}

TEST(CarWriter, WritesWhatTheDecoderReads) {
    MemoryBlocks blocks;
    const Cid leaf = blocks.add(Codec::raw, bytes_of("leaf"));
    const Cid root = blocks.add(Codec::dag_cbor, dag_cbor::encode(ipld::List{leaf, leaf}));
    Collected output;
    const Result<Written> written = write_dag(blocks, root, {}, output);
    ASSERT_TRUE(written.ok()) << written.error().message;
    EXPECT_EQ(written->blocks, 2U);
    EXPECT_EQ(written->bytes, output.bytes.size());

    Decoder decoder;
    ByteView input{output.bytes};
    std::vector<Cid> cids;
    while (const std::optional<Block> block = decoder.take(input).take()) {
        cids.push_back(block->cid);
    }
    ASSERT_TRUE(decoder.finish().ok());
    EXPECT_EQ(cids, (std::vector<Cid>{root, leaf}));
    EXPECT_EQ(decoder.header()->roots, std::vector<Cid>{root});
}

TEST(CarWriter, WritesNothingForARootThatIsNotHere) {
    MemoryBlocks blocks;
    Collected output;
    const Result<Written> written =
        write_dag(blocks, cid_of(Codec::raw, bytes_of("x")), {}, output);
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, Errc::not_found);
    EXPECT_TRUE(output.bytes.empty());
}

TEST(CarWriter, HandsOnTheErrorOfItsOutput) {
    MemoryBlocks blocks;
    Full output;
    const Result<Written> written =
        write_dag(blocks, blocks.add(Codec::raw, bytes_of("x")), {}, output);
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, Errc::storage_full);
}

} // namespace
} // namespace ic::car
