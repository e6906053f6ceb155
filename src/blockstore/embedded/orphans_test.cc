#include "blockstore/embedded/segments.h"
#include "blockstore/embedded/testing/damage.h"
#include "blockstore/embedded/testing/store_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace ic {
namespace {

using testing_store::block_of;
using testing_store::damage_row;
using testing_store::put_block;
using testing_store::raw_cid;
using testing_store::StoreFolder;

constexpr std::size_t large = 100'000;

std::vector<Orphan> orphans_of(EmbeddedStore& store) {
    std::vector<Orphan> found;
    EXPECT_TRUE(store.visit_orphans([&found](const Orphan& orphan) -> Result<void> {
        found.push_back(orphan);
        return {};
    }));
    return found;
}

/// The one segment of the store.
std::string segment_of(const StoreFolder& folder) {
    std::string path;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/segments")) {
        EXPECT_EQ(path, "");
        path = entry.path().string();
    }
    return path;
}

/// A store with five large blocks, whose tables are then cut to nothing.
class Orphans : public testing::Test {
protected:
    void SetUp() override {
        const auto store = folder_.open();
        for (std::uint32_t number = 0; number < 5; ++number) {
            put_block(*store, number, large);
        }
        ASSERT_TRUE(store->sync());
        EXPECT_TRUE(orphans_of(*store).empty());
    }

    void lose_tables() const {
        ASSERT_EQ(::truncate((folder_.path() + "/data.mdb").c_str(), 0), 0);
    }

    StoreFolder folder_;
};

TEST_F(Orphans, AreAllSegmentsOnceTheTablesAreLost) {
    lose_tables();
    const auto store = folder_.open();
    EXPECT_EQ(store->repo_stat()->blocks, 0U);
    const std::vector<Orphan> found = orphans_of(*store);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].blocks, 5U);
    EXPECT_EQ(found[0].bytes, 5 * large);
}

TEST_F(Orphans, AreTakenInAgainWithEveryBlock) {
    lose_tables();
    {
        const auto store = folder_.open();
        ASSERT_TRUE(store->take_in_orphan(orphans_of(*store).at(0).number));
        EXPECT_TRUE(orphans_of(*store).empty());
        EXPECT_EQ(store->repo_stat()->blocks, 5U);
    }
    const auto store = folder_.open();
    for (std::uint32_t number = 0; number < 5; ++number) {
        const Bytes data = block_of(number, large);
        EXPECT_EQ(copy_of(store->get(raw_cid(data)).take().view()), data) << number;
    }
    segment_of(folder_); // The new one alone.
}

TEST_F(Orphans, GiveWhatIsWholeAroundWhatIsNot) {
    lose_tables();
    {
        const UniqueFd file(::open(segment_of(folder_).c_str(), O_RDWR));
        const auto record = static_cast<off_t>(embedded::record_bytes(large));
        const Bytes zeros(large); // As a hole over the first.
        ASSERT_EQ(::pwrite(file.get(), zeros.data(), zeros.size(), 90), 100'000);
        ASSERT_EQ(::pwrite(file.get(), "!", 1, 2 * record + 5'000),
                  1);                                          // A flipped bit in the third.
        ASSERT_EQ(::ftruncate(file.get(), 5 * record - 1), 0); // The fifth is torn.
    }
    const auto store = folder_.open();
    const std::vector<Orphan> found = orphans_of(*store);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].blocks, 2U);
    ASSERT_TRUE(store->take_in_orphan(found[0].number));
    EXPECT_EQ(store->repo_stat()->blocks, 2U);
    EXPECT_TRUE(*store->has(raw_cid(block_of(1, large))));
    EXPECT_TRUE(*store->has(raw_cid(block_of(3, large))));
}

TEST_F(Orphans, AreNotSegmentsWhoseRowIsDamaged) {
    {
        const auto store = folder_.open();
        for (std::uint32_t number = 0; number < 5; ++number) {
            ASSERT_TRUE(store->pins().add({.cid = raw_cid(block_of(number, large))}));
        }
    }
    damage_row(folder_.path(), "segments");
    const auto store = folder_.open();
    EXPECT_TRUE(orphans_of(*store).empty()) << "the index points into it";
    ASSERT_TRUE(store->collect({}));
    for (std::uint32_t number = 0; number < 5; ++number) {
        EXPECT_TRUE(store->get(raw_cid(block_of(number, large)))) << number;
    }
}

TEST_F(Orphans, AreNoneWhileSomebodyAppendsToThem) {
    lose_tables();
    const auto store = folder_.open();
    ASSERT_TRUE(store->drop_orphan(orphans_of(*store).at(0).number));
    put_block(*store, 7, large); // Not committed; its segment is locked for as long as that takes.
    EXPECT_NE(segment_of(folder_), "");
    EXPECT_TRUE(orphans_of(*store).empty());
}

TEST_F(Orphans, AreRemovedWhereThatIsAskedFor) {
    lose_tables();
    const auto store = folder_.open();
    ASSERT_TRUE(store->drop_orphan(orphans_of(*store).at(0).number));
    EXPECT_EQ(segment_of(folder_), "");
    EXPECT_TRUE(orphans_of(*store).empty());
}

TEST(RecordHeads, AreFoundBehindAnythingElse) {
    const Bytes data = block_of(1);
    const auto head = embedded::encode_record_head(raw_cid(data).multihash(), 1000);
    Bytes bytes(100, 'x');
    bytes.insert(bytes.end(), {'I', 'C', 'B', 'L', 'O', 'C', 'K', '2'}); // A beginning alone.
    bytes.insert(bytes.end(), head.begin(), head.end());
    EXPECT_EQ(embedded::find_record_head(bytes), 108U);
    bytes.pop_back();
    EXPECT_EQ(embedded::find_record_head(bytes), std::nullopt);
}

} // namespace
} // namespace ic
