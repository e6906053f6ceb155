#include "blockstore/testing/contract.h"

#include <thread>
#include <vector>

namespace ic::testing_blockstore {
namespace {

Cid raw_cid(ByteView data) { return cid_of(Codec::raw, data); }

TEST_P(BlockStoreContract, GivesBackWhatWasPut) {
    const ByteView data = bytes_of("hello");
    ASSERT_TRUE(store().put(raw_cid(data), data).ok());
    const Result<LentBytes> back = store().get(raw_cid(data));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(text_of(back->view()), "hello");
}

TEST_P(BlockStoreContract, GivesBackTheSameAfterSync) {
    const ByteView data = bytes_of("hello");
    ASSERT_TRUE(store().put(raw_cid(data), data).ok());
    ASSERT_TRUE(store().sync().ok());
    EXPECT_EQ(text_of(store().get(raw_cid(data))->view()), "hello");
}

TEST_P(BlockStoreContract, SaysNotFoundForABlockThatIsNotThere) {
    const Cid cid = raw_cid(bytes_of("absent"));
    EXPECT_EQ(store().get(cid).error().code, Errc::not_found);
    EXPECT_NE(store().get(cid).error().message.find(cid.to_string()), std::string::npos);
    EXPECT_FALSE(*store().has(cid));
}

TEST_P(BlockStoreContract, HoldsTheEmptyBlock) {
    ASSERT_TRUE(store().put(raw_cid({}), {}).ok());
    ASSERT_TRUE(store().sync().ok());
    EXPECT_TRUE(*store().has(raw_cid({})));
    EXPECT_EQ(store().get(raw_cid({}))->size(), 0U);
}

TEST_P(BlockStoreContract, FindsABlockUnderEveryCodecAndVersion) {
    const ByteView data = bytes_of("one block");
    ASSERT_TRUE(store().put(cid_of(Codec::dag_pb, data), data).ok());
    EXPECT_TRUE(*store().has(raw_cid(data)));
    EXPECT_TRUE(*store().has(Cid::v0(raw_cid(data).digest())));
    EXPECT_EQ(store().stat()->blocks, 1U);
}

TEST_P(BlockStoreContract, AnswersIdentityCidsFromThemselves) {
    const Cid cid = Cid::v1(Codec::raw, HashCode::identity, bytes_of("inside"));
    EXPECT_TRUE(*store().has(cid));
    EXPECT_EQ(text_of(store().get(cid)->view()), "inside");
    ASSERT_TRUE(store().put(cid, bytes_of("inside")).ok());
    EXPECT_EQ(store().stat()->blocks, 0U);
}

TEST_P(BlockStoreContract, TakesTheLargestBlockAndNotOneByteMore) {
    Bytes data(limits::block_bytes_max, 7);
    ASSERT_TRUE(store().put(raw_cid(data), data).ok());
    ASSERT_TRUE(store().sync().ok());
    EXPECT_EQ(copy_of(store().get(raw_cid(data))->view()), data);
    data.push_back(7);
    EXPECT_EQ(store().put(raw_cid(data), data).error().code, Errc::too_large);
}

TEST_P(BlockStoreContract, CountsABlockOnce) {
    const ByteView data = bytes_of("12345");
    for (int time = 0; time < 3; ++time) {
        ASSERT_TRUE(store().put(raw_cid(data), data).ok());
        ASSERT_TRUE(store().sync().ok());
    }
    EXPECT_EQ(store().stat()->blocks, 1U);
    EXPECT_EQ(store().stat()->bytes, 5U);
}

TEST_P(BlockStoreContract, LeavesTheCallersBytesAlone) {
    Bytes data = copy_of(bytes_of("mine"));
    const Cid cid = raw_cid(data);
    ASSERT_TRUE(store().put(cid, data).ok());
    data.assign(4, 0);
    EXPECT_EQ(text_of(store().get(cid)->view()), "mine");
}

TEST_P(BlockStoreContract, ReplacesADamagedBlockByAGoodOne) {
    const Cid cid = raw_cid(bytes_of("good"));
    ASSERT_TRUE(store().put(cid, bytes_of("baad!")).ok());
    ASSERT_TRUE(store().sync().ok());
    ASSERT_TRUE(store().put(cid, bytes_of("good")).ok());
    ASSERT_TRUE(store().sync().ok());
    EXPECT_EQ(text_of(store().get(cid)->view()), "good");
    EXPECT_EQ(store().stat()->bytes, 4U);
}

TEST_P(BlockStoreContract, ServesSeveralThreads) {
    constexpr int threads = 4, blocks = 50;
    std::vector<std::thread> workers;
    std::vector<int> failures(threads, 0);
    for (int thread = 0; thread < threads; ++thread) {
        workers.emplace_back([this, thread, &failures] {
            for (int block = 0; block < blocks; ++block) {
                const std::string text =
                    std::to_string(block % 2 == 0 ? 0 : thread) + " " + std::to_string(block);
                const Cid cid = raw_cid(bytes_of(text));
                const bool fine = store().put(cid, bytes_of(text)).ok() &&
                                  (block % 10 != 0 || store().sync().ok()) &&
                                  text_of(store().get(cid)->view()) == text;
                failures[static_cast<std::size_t>(thread)] += fine ? 0 : 1;
            }
        });
    }
    for (std::thread& worker : workers) {
        worker.join();
    }
    EXPECT_EQ(failures, std::vector<int>(threads, 0));
    EXPECT_EQ(store().stat()->blocks, std::uint64_t{blocks / 2 + threads * blocks / 2});
}

} // namespace

std::vector<MakeFixture> contract_on(MakeFixture make) { return {make}; }

} // namespace ic::testing_blockstore
