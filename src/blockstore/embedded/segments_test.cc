#include "blockstore/embedded/block_table.h"
#include "blockstore/embedded/reclaim.h"
#include "blockstore/embedded/segments.h"
#include "blockstore/embedded/testing/store_folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

namespace ic {
namespace {

using embedded::Appended;
using embedded::Segment;
using embedded::SegmentFiles;
using testing_store::block_of;
using testing_store::in_child;
using testing_store::put_block;
using testing_store::raw_cid;
using testing_store::StoreFolder;

constexpr std::size_t large = 100'000;

Appended append(SegmentFiles& files, const Bytes& data) {
    Result<std::optional<Appended>> appended = files.append(raw_cid(data).multihash(), data);
    if (!*appended) {
        EXPECT_TRUE(files.open_new().ok());
        appended = files.append(raw_cid(data).multihash(), data);
    }
    EXPECT_TRUE(appended.ok() && appended->has_value());
    return **appended;
}

TEST(SegmentFiles, GiveBackWhatWasAppended) {
    const StoreFolder folder;
    SegmentFiles files(folder.outer(), 1U << 20U);
    const Bytes data = block_of(1, large), empty;
    const Appended one = append(files, data), none = append(files, empty);
    EXPECT_EQ(copy_of((*files.read(one.place, raw_cid(data).multihash()))->view()), data);
    EXPECT_EQ((*files.read(none.place, raw_cid(empty).multihash()))->size(), 0U);
    EXPECT_EQ(none.place.offset, embedded::record_bytes(large));
    EXPECT_TRUE(files.sync(*one.segment).ok());
}

TEST(SegmentFiles, GiveNothingForARecordThatIsAnother) {
    const StoreFolder folder;
    SegmentFiles files(folder.outer(), 1U << 20U);
    const Bytes data = block_of(1, large);
    const Appended one = append(files, data);
    const ByteView key = raw_cid(data).multihash();
    auto wrong = one.place;
    wrong.offset += 1;
    EXPECT_FALSE(*files.read(wrong, key));
    wrong = one.place;
    wrong.size -= 1;
    EXPECT_FALSE(*files.read(wrong, key));
    wrong = one.place;
    wrong.segment += 1;
    EXPECT_FALSE(*files.read(wrong, key));
    EXPECT_FALSE(*files.read(one.place, raw_cid(block_of(2)).multihash()));
    ASSERT_EQ(::truncate(one.segment->path.c_str(), 5000), 0);
    EXPECT_FALSE(*files.read(one.place, key)) << "cut short: nothing, and no signal";
}

TEST(SegmentFiles, BeginAnotherWhenOneIsFull) {
    const StoreFolder folder;
    SegmentFiles files(folder.outer(), 250'000);
    const Appended one = append(files, block_of(1, large)), two = append(files, block_of(2, large));
    const Appended three = append(files, block_of(3, large));
    EXPECT_EQ(one.place.segment, two.place.segment);
    EXPECT_NE(two.place.segment, three.place.segment);
    EXPECT_EQ(files.list()->size(), 2U);
}

TEST(SegmentFiles, HoldNoMoreDescriptorsThanTheLimit) {
    const StoreFolder folder;
    SegmentFiles files(folder.outer(), 1);
    std::vector<std::pair<embedded::Place, Cid>> all;
    for (std::uint32_t number = 0; number < embedded::limits::segments_open_max + 20; ++number) {
        all.emplace_back(append(files, block_of(number)).place, raw_cid(block_of(number)));
    }
    for (const auto& [place, cid] : all) {
        EXPECT_TRUE((*files.read(place, cid.multihash())).has_value());
    }
    const std::filesystem::directory_iterator open("/proc/self/fd");
    std::size_t count = 0;
    for (const auto& entry : open) {
        std::error_code gone;
        count +=
            std::filesystem::read_symlink(entry.path(), gone).string().starts_with(folder.outer())
                ? 1U
                : 0U;
    }
    EXPECT_LE(count, embedded::limits::segments_open_max + 1) << "and the one appended to";
}

TEST(SegmentFiles, ReadZerosWhereAHoleWasPunched) {
    const StoreFolder folder;
    SegmentFiles files(folder.outer(), 1U << 20U);
    const Bytes first = block_of(1, large), second = block_of(2, large);
    const Appended one = append(files, first), two = append(files, second);
    ASSERT_TRUE(
        files.punch(one.place.segment, one.place.offset, embedded::record_bytes(large)).ok());
    EXPECT_FALSE(*files.read(one.place, raw_cid(first).multihash()));
    EXPECT_EQ(copy_of((*files.read(two.place, raw_cid(second).multihash()))->view()), second);
}

// --- through the store ---

std::vector<std::filesystem::path> segments_of(const StoreFolder& folder) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/segments")) {
        paths.push_back(entry.path());
    }
    return paths;
}

TEST(Segments, AreGoneOnWithByTheNextProcessAndCutWhereTheyAreTorn) {
    const StoreFolder folder;
    {
        const auto store = folder.open();
        put_block(*store, 1, large);
    }
    ASSERT_EQ(segments_of(folder).size(), 1U);
    std::ofstream(segments_of(folder)[0], std::ios::app) << std::string(50'000, 'x'); // Torn.
    const auto store = folder.open();
    put_block(*store, 2, large);
    ASSERT_TRUE(store->sync().ok());
    EXPECT_EQ(segments_of(folder).size(), 1U);
    EXPECT_EQ(std::filesystem::file_size(segments_of(folder)[0]),
              2 * embedded::record_bytes(large));
    EXPECT_TRUE(store->get(raw_cid(block_of(1, large))).ok());
    EXPECT_TRUE(store->get(raw_cid(block_of(2, large))).ok());
}

TEST(Segments, BelongToOneWriterAtATime) {
    const StoreFolder folder;
    const auto store = folder.open();
    put_block(*store, 1, large); // Open, and not committed.
    EXPECT_EQ(in_child([&] {
                  const auto other = folder.open();
                  put_block(*other, 2, large);
                  return other->sync().ok() ? 0 : 1;
              }),
              0);
    EXPECT_EQ(segments_of(folder).size(), 2U);
    ASSERT_TRUE(store->sync().ok());
    EXPECT_TRUE(store->get(raw_cid(block_of(1, large))).ok());
    EXPECT_TRUE(store->get(raw_cid(block_of(2, large))).ok());
}

TEST(Segments, ThatAreDamagedGiveAnErrorAndTheBlockCanBePutAgain) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Bytes data = block_of(1, large);
    const Cid cid = put_block(*store, 1, large);
    ASSERT_TRUE(store->sync().ok());
    std::fstream file(segments_of(folder)[0], std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20).put('\x7f').flush(); // In the head of the record.
    EXPECT_EQ(store->get(cid).error().code, Errc::hash_mismatch);
    EXPECT_THAT(store->get(cid).error().message, testing::HasSubstr("repo verify --repair"));
    ASSERT_TRUE(store->put(cid, data).ok());
    EXPECT_EQ(copy_of(store->get(cid)->view()), data) << "before the commit";
    ASSERT_TRUE(store->sync().ok());
    EXPECT_EQ(copy_of(store->get(cid)->view()), data);
    EXPECT_EQ(store->stat()->blocks, 1U);
    EXPECT_EQ(store->stat()->bytes, large);
    EXPECT_TRUE(store->collect({}).ok());
}

TEST(Segments, ThatAreDamagedGiveWayToTheFileThatTheBlockStaysIn) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Bytes data = block_of(1, large);
    const Cid cid = put_block(*store, 1, large);
    ASSERT_TRUE(store->sync().ok());
    const std::string path = folder.outer() + "/content";
    std::ofstream(path, std::ios::binary) << text_of(data);
    ASSERT_TRUE(store->refer(cid, data, path, 0).ok() && store->sync().ok());
    EXPECT_GT(store->repo_stat()->disk_bytes, large) << "a good copy stays";
    std::fstream file(segments_of(folder)[0], std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20).put('\x7f').flush(); // In the head of the record.
    ASSERT_FALSE(store->get(cid).ok());
    ASSERT_TRUE(store->refer(cid, data, path, 0).ok()); // Twice before the commit.
    ASSERT_TRUE(store->refer(cid, data, path, 0).ok() && store->sync().ok());
    const Result<LentBytes> block = store->get(cid);
    ASSERT_TRUE(block.ok()) << block.error().message;
    EXPECT_EQ(copy_of(block->view()), data);
    EXPECT_LT(store->repo_stat()->disk_bytes, large);
    EXPECT_EQ(store->stat()->blocks, 1U);
    EXPECT_EQ(store->stat()->bytes, large);
}

/// The end of a segment's row does not move when what was written first is committed last.
TEST(Segments, StayForARecordThatIsCommittedAfterOneBehindIt) {
    const StoreFolder folder;
    const auto environment = std::move(embedded::Environment::open(
                                           {.folder = folder.path(), .map_bytes_first = 1U << 30U}))
                                 .take();
    const std::string path = folder.path() + "/segments";
    const embedded::BlockTableOptions options{.segment_bytes_max = 1U << 30U};
    const Bytes data = block_of(1, large);
    const std::string key(text_of(raw_cid(data).multihash()));
    embedded::LivingSegments living;
    {
        embedded::SegmentFiles written(path, options.segment_bytes_max);
        embedded::BlockTable table(*environment, written, options);
        embedded::Batch last, first;
        last.add(key, {.appended = std::move(table.append(key, data, 0)).take()});
        first.wasted.push_back(std::move(table.append("other", data, 0)).take());
        std::vector<std::string> gone;
        ASSERT_TRUE(table.write(first, {}, nullptr, gone).ok());
        living.before = std::move(embedded::read_segment_rows(*environment)).take();
        ASSERT_EQ(living.before.size(), 1U); // And now the index is read.
        ASSERT_TRUE(table.write(last, {}, nullptr, gone).ok());
    }
    embedded::SegmentFiles segments(path, options.segment_bytes_max);
    ASSERT_TRUE(embedded::Reclaim(*environment, segments).remove_empty(living).ok());
    const auto block = embedded::BlockTable(*environment, segments, options).get(key);
    ASSERT_TRUE(block.ok()) << block.error().message;
    EXPECT_EQ(copy_of((*block)->view()), data);
}

TEST(Segments, AreCompactedWithTheTablesOnlyWhenNobodyElseIsThere) {
    const StoreFolder folder;
    auto store = folder.open();
    for (std::uint32_t number = 0; number < 500; ++number) {
        put_block(*store, number, 10'000);
    }
    const Cid kept = put_block(*store, 1000, large), small = put_block(*store, 1001, 100);
    ASSERT_TRUE(store->pins().add({.cid = kept}).ok() && store->pins().add({.cid = small}).ok());
    ASSERT_TRUE(store->collect({}).ok());
    EXPECT_EQ(in_child([&] {
                  const auto other = folder.open();
                  return !other->compact() && other->compact().error().code == Errc::unavailable &&
                                 *other->has(small)
                             ? 0
                             : 1;
              }),
              0);
    const auto sizes = store->compact();
    ASSERT_TRUE(sizes.ok()) << sizes.error().message;
    EXPECT_GT(sizes->first, 5'000'000U);
    EXPECT_LT(sizes->second, 200'000U);
    EXPECT_EQ(store->get(kept)->size(), large);
    EXPECT_EQ(store->get(small)->size(), 100U);
    store.reset();
    EXPECT_TRUE(*folder.open()->pins().find(small));
}

} // namespace
} // namespace ic
