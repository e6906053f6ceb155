#include "blockstore/memory_store.h"
#include "ipld/dag_pb.h"
#include "unixfs/file_builder.h"
#include "wiring/locality.h"

#include <gtest/gtest.h>

namespace ic::wiring {
namespace {

/// Counts what it is asked.
class CountingStore final : public BlockStore {
public:
    Result<bool> has(const Cid& cid) override {
        ++looked;
        return store_.has(cid);
    }

    Result<LentBytes> get(const Cid& cid) override {
        ++read;
        return store_.get(cid);
    }

    Result<void> put(const Cid& cid, ByteView data) override { return store_.put(cid, data); }

    Result<void> sync() override { return store_.sync(); }

    Result<StoreStat> stat() override { return store_.stat(); }

    Result<std::unique_ptr<WriteSession>> begin_session() override {
        return store_.begin_session();
    }

    std::size_t looked = 0;
    std::size_t read = 0;

private:
    MemoryStore store_;
};

constexpr std::size_t mebibyte = std::size_t{1} << 20U;

/// A file of different blocks, 1 MiB each. Its root, and the blocks below it.
struct File {
    Cid root;
    std::vector<dag_pb::Link> links;
};

File add_file(BlockStore& store, std::size_t blocks, std::uint8_t kind) {
    unixfs::FileBuilder builder(unixfs::profile_named("unixfs-v1-2025").take(), store);
    for (std::size_t block = 0; block < blocks; ++block) {
        Bytes piece(mebibyte, kind);
        piece[0] = static_cast<std::uint8_t>(block);
        piece[1] = static_cast<std::uint8_t>(block >> 8U);
        EXPECT_TRUE(builder.write(piece));
    }
    const Cid root = builder.finish().take().cid;
    const LentBytes block = store.get(root).take();
    return {root, dag_pb::decode(block.view()).take().node.links};
}

TEST(Locality, CountsAllOfWhatIsHereAndNothingOfWhatIsNot) {
    CountingStore store;
    const File file = add_file(store, 20, 1);
    job::JobSpec spec;
    spec.module = cid_of(Codec::raw, bytes_of("not here"));
    EXPECT_EQ(locality_of(spec, store), lease::Locality{});
    spec.inputs = {{"data", file.root}};
    const lease::Locality whole = locality_of(spec, store);
    EXPECT_GE(whole.bytes_needed, 20 * mebibyte);
    EXPECT_EQ(whole.bytes_local, whole.bytes_needed);
    const Bytes small(100, 7);
    spec.module = cid_of(Codec::raw, small);
    ASSERT_TRUE(store.put(spec.module, small));
    EXPECT_EQ(locality_of(spec, store).bytes_needed, whole.bytes_needed + 100);
}

TEST(Locality, CountsTheBlocksOfAFileThatIsHereInPart) {
    CountingStore all;
    const File file = add_file(all, 20, 2);
    CountingStore part;
    ASSERT_TRUE(part.put(file.root, all.get(file.root).take().view()));
    for (std::size_t block = 0; block < 5; ++block) {
        ASSERT_TRUE(part.put(file.links[block].cid, all.get(file.links[block].cid).take().view()));
    }
    job::JobSpec spec;
    spec.module = file.root;
    const lease::Locality locality = locality_of(spec, part);
    EXPECT_EQ(locality.bytes_needed, locality_of(spec, all).bytes_needed);
    EXPECT_GE(locality.bytes_local, 5 * mebibyte);
    EXPECT_LT(locality.bytes_local, 6 * mebibyte);
}

TEST(Locality, LooksUpNoMoreThanItMayAndGuessesTheRest) {
    CountingStore store;
    job::JobSpec spec;
    spec.module = add_file(store, 200, 3).root;
    for (std::uint8_t input = 0; input < 30; ++input) {
        spec.inputs.emplace_back("i" + std::to_string(100 + input),
                                 add_file(store, 2, static_cast<std::uint8_t>(10 + input)).root);
    }
    store.looked = store.read = 0;
    const lease::Locality locality = locality_of(spec, store);
    EXPECT_LE(store.looked, limits::locality_look_ups_max);
    EXPECT_LE(store.read, limits::locality_blocks_read_max);
    EXPECT_GE(locality.bytes_needed, 200 * mebibyte);
    EXPECT_GE(locality.bytes_local, 199 * mebibyte);
    EXPECT_LE(locality.bytes_local, locality.bytes_needed);
}

TEST(Locality, BelievesNoClaimThatWouldWrap) {
    MemoryStore store;
    dag_pb::Node node;
    for (int link = 0; link < 5; ++link) {
        node.links.push_back({.cid = cid_of(Codec::raw, bytes_of(std::to_string(link))),
                              .name = "",
                              .tsize = (std::uint64_t{1} << 63U) - 1});
    }
    const Bytes block = dag_pb::encode(node);
    job::JobSpec spec;
    spec.module = cid_of(Codec::dag_pb, block);
    ASSERT_TRUE(store.put(spec.module, block));
    const lease::Locality locality = locality_of(spec, store);
    EXPECT_EQ(locality.bytes_needed, UINT64_MAX);
    EXPECT_EQ(locality.bytes_local, block.size());
}

} // namespace
} // namespace ic::wiring
