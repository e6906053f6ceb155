#include "blockstore/caching_store.h"
#include "blockstore/memory_store.h"
#include "blockstore/testing/contract.h"
#include "blockstore/verifying_store.h"
#include "multiformats/multihash.h"

#include <gtest/gtest.h>

namespace ic {
namespace {

using testing_blockstore::BlockStoreContract;
using testing_blockstore::contract_on;
using testing_blockstore::Fixture;

class MemoryFixture final : public Fixture {
public:
    BlockStore& store() override { return store_; }

private:
    MemoryStore store_;
};

class CachingFixture final : public Fixture {
public:
    BlockStore& store() override { return store_; }

private:
    MemoryStore local_, remote_;
    CachingStore store_{local_, remote_};
};

std::unique_ptr<Fixture> make_memory() { return std::make_unique<MemoryFixture>(); }

std::unique_ptr<Fixture> make_caching() { return std::make_unique<CachingFixture>(); }

INSTANTIATE_TEST_SUITE_P(Memory, BlockStoreContract, testing::ValuesIn(contract_on(&make_memory)));
INSTANTIATE_TEST_SUITE_P(Caching,
                         BlockStoreContract,
                         testing::ValuesIn(contract_on(&make_caching)));

const ByteView good = bytes_of("good");
const Cid good_cid = cid_of(Codec::raw, good);

TEST(VerifyingStore, RefusesABlockThatIsNotWhatItsCidSays) {
    MemoryStore inner;
    VerifyingStore store(inner);
    ASSERT_TRUE(inner.put(good_cid, bytes_of("evil")).ok());
    EXPECT_EQ(store.get(good_cid).error().code, Errc::hash_mismatch);
    EXPECT_EQ(store.get(good_cid).error().code, Errc::hash_mismatch)
        << "a failure is not remembered";
    ASSERT_TRUE(store.put(good_cid, good).ok());
    EXPECT_EQ(text_of(store.get(good_cid)->view()), "good");
}

TEST(VerifyingStore, ChecksABlockOnceAndAgainWhenAnotherTookItsPlace) {
    MemoryStore inner;
    VerifyingStore store(inner);
    ASSERT_TRUE(inner.put(good_cid, good).ok());
    ASSERT_TRUE(store.get(good_cid).ok());
    ASSERT_TRUE(inner.put(good_cid, bytes_of("evil")).ok());
    EXPECT_TRUE(store.get(good_cid).ok()) << "verified before: not hashed again";

    // A block whose digest falls into the same place of the table (its first bytes, modulo a power
    // of two, little-endian: the first 14 bits).
    static_assert(limits::verified_blocks_max == 1U << 14U);
    const auto place = [](const Cid& cid) {
        return (cid.digest()[0] | static_cast<unsigned>(cid.digest()[1]) << 8U) & 0x3fffU;
    };
    std::string text;
    Cid other = good_cid;
    for (int number = 0; other == good_cid || place(other) != place(good_cid); ++number) {
        text = std::to_string(number);
        other = cid_of(Codec::raw, bytes_of(text));
    }
    ASSERT_TRUE(inner.put(other, bytes_of(text)).ok());
    ASSERT_TRUE(store.get(other).ok());
    EXPECT_EQ(store.get(good_cid).error().code, Errc::hash_mismatch);
}

TEST(VerifyingStore, ChecksABlockOnceWhateverItsHashFunction) {
    MemoryStore inner;
    VerifyingStore store(inner);
    const Sha512Digest digest = sha2_512(good);
    const Cid cid = Cid::v1(Codec::raw, HashCode::sha2_512, digest);
    ASSERT_TRUE(inner.put(cid, good).ok());
    ASSERT_TRUE(store.get(cid).ok());
    ASSERT_TRUE(inner.put(cid, bytes_of("evil")).ok());
    EXPECT_TRUE(store.get(cid).ok()) << "verified before: not hashed again";

    // The same first bytes under another function are another block.
    const Cid other =
        Cid::v1(Codec::raw, HashCode::sha2_256, ByteView{digest}.first(Sha256Digest{}.size()));
    ASSERT_TRUE(inner.put(other, good).ok());
    EXPECT_EQ(store.get(other).error().code, Errc::hash_mismatch);
}

/// Gives whatever it was told to, and counts.
class Remote final : public BlockSource {
public:
    Result<LentBytes> get(const Cid&) override {
        ++calls;
        if (!text) {
            return Error{Errc::cid_unavailable, "nobody has it"};
        }
        return LentBytes::of(copy_of(bytes_of(*text)));
    }

    std::optional<std::string> text;
    int calls = 0;
};

TEST(CachingStore, FetchesOnceAndKeeps) {
    MemoryStore local;
    Remote remote;
    remote.text = "good";
    CachingStore store(local, remote);
    EXPECT_FALSE(*store.has(good_cid)) << "has speaks of the local store alone";
    EXPECT_EQ(text_of(store.get(good_cid)->view()), "good");
    EXPECT_EQ(text_of(store.get(good_cid)->view()), "good");
    EXPECT_EQ(remote.calls, 1);
    EXPECT_TRUE(*local.has(good_cid));
}

TEST(CachingStore, KeepsNothingThatIsNotWhatItsCidSays) {
    MemoryStore local;
    Remote remote;
    remote.text = "evil";
    CachingStore store(local, remote);
    EXPECT_EQ(store.get(good_cid).error().code, Errc::hash_mismatch);
    EXPECT_FALSE(*local.has(good_cid));
}

TEST(CachingStore, HealsADamagedLocalBlock) {
    MemoryStore damaged;
    ASSERT_TRUE(damaged.put(good_cid, bytes_of("evil")).ok());
    VerifyingStore local(damaged);
    Remote remote;
    remote.text = "good";
    CachingStore store(local, remote);
    EXPECT_EQ(text_of(store.get(good_cid)->view()), "good");
    EXPECT_EQ(text_of(damaged.get(good_cid)->view()), "good");
}

TEST(CachingStore, SaysWhatTheRemoteSaidWhenNeitherHasIt) {
    MemoryStore local;
    Remote remote;
    CachingStore store(local, remote);
    EXPECT_EQ(store.get(good_cid).error().code, Errc::cid_unavailable);
}

} // namespace
} // namespace ic
