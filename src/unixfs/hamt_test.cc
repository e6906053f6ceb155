#include "ipld/testing/memory_blocks.h"
#include "unixfs/directory.h"
#include "unixfs/hamt.h"

#include <gtest/gtest.h>

namespace ic::unixfs {
namespace {

constexpr std::uint64_t murmur = 0x22;

dag_pb::Link link_named(std::string name) { return {.cid = Cid{}, .name = std::move(name)}; }

Data shard_data(ByteView bitfield, std::uint64_t fanout = 256) {
    return {.type = DataType::hamt_shard, .data = bitfield, .hash_type = murmur, .fanout = fanout};
}

Errc error_of(const Data& data, std::vector<dag_pb::Link> links) {
    const Result<Shard> shard = decode_shard(data, std::move(links));
    EXPECT_FALSE(shard);
    return shard ? Errc::internal : shard.error().code;
}

// Published values of MurmurHash3_x64_128 with seed 0, first half: the reference gives 0 for
// nothing; the sentence is the one that Guava's and other ports test with.
TEST(ShardHash, GivesThePublishedValues) {
    EXPECT_EQ(shard_hash(""), 0U);
    EXPECT_EQ(shard_hash("hello"), 0xcbd8a7b341bd9b02U);
    EXPECT_EQ(shard_hash("The quick brown fox jumps over the lazy dog"), 0xe34bbc7bbc071b6cU);
}

TEST(BucketOf, TakesBitsFromTheTopUntilTheyAreUsedUp) {
    constexpr std::uint64_t hash = 0x0123'4567'89ab'cdefU;
    EXPECT_EQ(bucket_of(hash, 0, 256), 0x01U);
    EXPECT_EQ(bucket_of(hash, 7, 256), 0xefU);
    EXPECT_EQ(bucket_of(hash, 8, 256), std::nullopt);
    EXPECT_EQ(bucket_of(hash, 0, 1024), 0x004U);
    EXPECT_EQ(bucket_of(hash, 6, 1024), std::nullopt); // 70 bits.
    EXPECT_EQ(bucket_of(hash, 20, 8), 0x7U);
}

TEST(DecodeShard, TellsEntriesFromShards) {
    const Bytes bitfield{0x80, 0x01}; // Buckets 15 and 0, without leading zero bytes.
    const Shard shard =
        decode_shard(shard_data(bitfield), {link_named("00"), link_named("0Fname")}).take();
    ASSERT_EQ(shard.links.size(), 2U);
    EXPECT_EQ(shard.links[0].kind, ShardLink::Kind::shard);
    EXPECT_EQ(shard.links[0].bucket, 0U);
    EXPECT_EQ(shard.links[1].kind, ShardLink::Kind::entry);
    EXPECT_EQ(shard.links[1].bucket, 15U);
    EXPECT_EQ(shard.links[1].link.name, "name");
}

TEST(DecodeShard, PadsBucketsToTheDigitsOfTheLargest) {
    const Bytes bitfield{0x01};
    EXPECT_TRUE(decode_shard(shard_data(bitfield, 8), {link_named("0a")}));
    EXPECT_TRUE(decode_shard(shard_data(bitfield, 16), {link_named("0a")}));
    EXPECT_TRUE(decode_shard(shard_data(bitfield, 1024), {link_named("000a")}));
}

TEST(DecodeShard, RejectsABitfieldThatDoesNotFitTheLinks) {
    const Bytes one{0x01};
    const Bytes two{0x03};
    const Bytes long_one(33, 0x00);
    EXPECT_EQ(error_of(shard_data(two), {link_named("00a")}), Errc::malformed);
    EXPECT_EQ(error_of(shard_data(one), {}), Errc::malformed);
    EXPECT_EQ(error_of(shard_data(one), {link_named("01a")}), Errc::malformed);
    EXPECT_EQ(error_of(shard_data(long_one), {}), Errc::malformed);
}

TEST(DecodeShard, RejectsNamesWithoutABucketInOrder) {
    const Bytes one{0x01};
    const Bytes many{0x0c, 0x03};
    for (const std::string_view name : {"", "0", "0x", "0aname", "-1name"}) {
        EXPECT_EQ(error_of(shard_data(one), {link_named(std::string(name))}), Errc::malformed)
            << name;
    }
    EXPECT_EQ(
        error_of(shard_data(many),
                 {link_named("00a"), link_named("01a"), link_named("0Ba"), link_named("0Aa")}),
        Errc::malformed);
    EXPECT_EQ(
        error_of(shard_data(many),
                 {link_named("00a"), link_named("01a"), link_named("01b"), link_named("0Aa")}),
        Errc::malformed);
}

TEST(DecodeShard, RejectsOtherHashesAndFanouts) {
    const Bytes one{0x01};
    Data data = shard_data(one);
    data.hash_type = 0x23;
    EXPECT_EQ(error_of(data, {link_named("00a")}), Errc::unsupported);
    for (const std::uint64_t fanout : {0U, 1U, 4U, 255U, 257U, 2048U}) {
        EXPECT_EQ(error_of(shard_data(one, fanout), {link_named("00a")}), Errc::unsupported)
            << fanout;
    }
    data = shard_data(one);
    data.fanout.reset();
    EXPECT_EQ(error_of(data, {link_named("00a")}), Errc::malformed);
}

TEST(WriteShards, RefusesTwoNamesOfOneHash) {
    NullSink sink;
    const ShardEntry entries[] = {{.hash = 7, .name = "a", .cid = Cid{}, .tsize = 0},
                                  {.hash = 7, .name = "b", .cid = Cid{}, .tsize = 0}};
    EXPECT_EQ(write_shards(unixfs_v1_2025, sink, entries).error().code, Errc::unsupported);
}

/// Puts one shard of 256 buckets with these links and every bit set that `buckets` names.
Cid put_shard(MemoryBlocks& blocks, std::vector<dag_pb::Link> links, ByteView bitfield) {
    const Bytes message = encode_data(shard_data(bitfield));
    return blocks.add(Codec::dag_pb, dag_pb::encode({.links = std::move(links), .data = message}));
}

Result<void> ignore(const DirectoryEntry&) { return {}; }

TEST(ListShards, RejectsANameInAWrongBucket) {
    // murmur3("hello") starts with cb, so bucket 00 is wrong.
    MemoryBlocks blocks;
    const Bytes bit_0{0x01};
    const Cid root = put_shard(blocks, {link_named("00hello")}, bit_0);
    EXPECT_EQ(list(blocks, root, ignore).error().code, Errc::malformed);
    EXPECT_EQ(find_entry(blocks, root, "hello").error().code, Errc::not_found);
}

TEST(ListShards, RejectsAChainOfShardsLongerThanTheHash) {
    MemoryBlocks blocks;
    const Bytes bit_0{0x01};
    Cid below = put_shard(blocks, {link_named("00a")}, bit_0);
    for (int depth = 0; depth < 9; ++depth) {
        below = put_shard(blocks, {{.cid = below, .name = "00"}}, bit_0);
    }
    EXPECT_EQ(list(blocks, below, ignore).error().code, Errc::malformed);
    EXPECT_LE(blocks.gets, 9U);
}

TEST(ListShards, RejectsAnEmptyShardBelowTheRoot) {
    MemoryBlocks blocks;
    const Bytes bit_0{0x01};
    const Cid empty = put_shard(blocks, {}, {});
    EXPECT_TRUE(list(blocks, empty, ignore)) << "an empty root is an empty directory";
    const Cid root = put_shard(blocks, {{.cid = empty, .name = "00"}}, bit_0);
    EXPECT_EQ(list(blocks, root, ignore).error().code, Errc::malformed);
}

TEST(ListShards, RejectsAShardWithAnotherFanoutThanTheRoot) {
    MemoryBlocks blocks;
    const Bytes bit_0{0x01};
    const Bytes message = encode_data(shard_data(bit_0, 16));
    const Cid other =
        blocks.add(Codec::dag_pb, dag_pb::encode({.links = {link_named("0a")}, .data = message}));
    const Cid root = put_shard(blocks, {{.cid = other, .name = "00"}}, bit_0);
    EXPECT_EQ(list(blocks, root, ignore).error().code, Errc::malformed);
}

} // namespace
} // namespace ic::unixfs
