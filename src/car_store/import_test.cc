#include "blockstore/memory_store.h"
#include "car/testing/samples.h"
#include "car_store/import.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <string>

namespace ic::car_store {
namespace {

using car::testing::append_section;
using car::testing::raw_block;

/// Gives `car` in pieces of at most `piece_bytes`.
ReadBytes reader_of(const Bytes& car, std::size_t piece_bytes) {
    return [rest = ByteView{car}, piece_bytes](std::span<std::uint8_t> into) mutable {
        const std::size_t count = std::min({into.size(), piece_bytes, rest.size()});
        std::ranges::copy(rest.first(count), into.begin());
        rest = rest.subspan(count);
        return Result<std::size_t>(count);
    };
}

/// Blocks of 700,001 bytes or so, which end anywhere in the pieces of an import.
std::vector<Block> large_blocks(std::size_t count) {
    std::vector<Block> blocks;
    for (std::size_t index = 0; index < count; ++index) {
        Bytes data(700'001 + index, static_cast<std::uint8_t>(index));
        const Cid cid = cid_of(Codec::raw, data);
        blocks.push_back({cid, LentBytes::of(std::move(data))});
    }
    return blocks;
}

TEST(CarImport, PutsEveryBlockWithAnyNumberOfThreads) {
    const std::vector<Block> blocks = large_blocks(30);
    const std::vector<Cid> roots{blocks[3].cid, blocks[0].cid};
    const Bytes car = car::testing::car_of(roots, blocks);
    for (const std::size_t threads : {std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
        MemoryStore store;
        Imported imported;
        std::uint64_t progress = 0;
        const Result<void> result = import_car(
            reader_of(car, 100'000),
            store,
            {.threads = threads, .progress = [&](std::uint64_t bytes) { progress += bytes; }},
            imported);
        ASSERT_TRUE(result.ok()) << result.error().message;
        EXPECT_EQ(imported.roots, roots);
        EXPECT_EQ(imported.blocks, 30U);
        EXPECT_EQ(imported.whole_bytes, car.size());
        EXPECT_EQ(progress, car.size());
        EXPECT_EQ(store.stat()->blocks, 30U);
        EXPECT_EQ(store.stat()->bytes, imported.bytes);
        for (const Block& block : blocks) {
            EXPECT_TRUE(block.cid.verify(store.get(block.cid)->view()).ok());
        }
    }
}

TEST(CarImport, CountsDuplicatesAndIdentityBlocksAndPutsThemNot) {
    const Cid identity = Cid::v1(Codec::raw, HashCode::identity, bytes_of("id"));
    const Bytes car = car::testing::car_of(
        {},
        std::vector<Block>{raw_block("a"), raw_block("a"), {identity, LentBytes::of({'i', 'd'})}});
    MemoryStore store;
    Imported imported;
    ASSERT_TRUE(import_car(reader_of(car, 9), store, {}, imported).ok());
    EXPECT_EQ(imported.blocks, 3U);
    EXPECT_EQ(imported.bytes, 4U);
    EXPECT_EQ(store.stat()->blocks, 1U);
}

TEST(CarImport, KeepsWhatIsWholeOfATruncatedCarAndTakesTheRestLater) {
    const std::vector<Block> blocks = large_blocks(20);
    const Bytes car = car::testing::car_of({}, blocks);
    MemoryStore store;
    Imported imported;
    const Bytes first(car.begin(), car.begin() + static_cast<std::ptrdiff_t>(car.size() * 2 / 3));
    const Result<void> result = import_car(reader_of(first, 1U << 20U), store, {}, imported);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Errc::malformed);
    EXPECT_EQ(imported.blocks, 13U); // 14 would be 9,800,669 bytes of these 9,334,005.
    EXPECT_EQ(store.stat()->blocks, 13U);
    EXPECT_LE(imported.whole_bytes, first.size());
    Imported again;
    ASSERT_TRUE(import_car(reader_of(car, 1U << 20U), store, {}, again).ok());
    EXPECT_EQ(again.blocks, 20U);
    EXPECT_EQ(store.stat()->blocks, 20U);
}

TEST(CarImport, StopsBeforeTheFirstWrongBlockWhateverIsAhead) {
    const std::vector<Block> blocks = large_blocks(40);
    Bytes car = car::encode_header({});
    for (std::size_t index = 0; index < blocks.size(); ++index) {
        Bytes data = copy_of(blocks[index].data.view());
        data[5] ^= index == 9 || index == 11 ? 1 : 0;
        append_section(car, blocks[index].cid, data);
    }
    for (const std::size_t threads : {std::size_t{1}, std::size_t{4}}) {
        MemoryStore store;
        Imported imported;
        const Result<void> result =
            import_car(reader_of(car, car.size()), store, {.threads = threads}, imported);
        ASSERT_FALSE(result.ok());
        EXPECT_EQ(result.error().code, Errc::hash_mismatch);
        EXPECT_NE(result.error().message.find(blocks[9].cid.to_string()), std::string::npos);
        EXPECT_EQ(imported.blocks, 9U);
        EXPECT_EQ(store.stat()->blocks, 9U);
    }
}

TEST(CarImport, HandsOnTheErrorsOfReadingAndOfTheStore) {
    const Bytes car = car::testing::car_of({}, large_blocks(20));
    MemoryStore store;
    Imported imported;
    std::size_t left = 5'000'000;
    const ReadBytes inner = reader_of(car, 1000);
    const auto failing = [&](std::span<std::uint8_t> into) -> Result<std::size_t> {
        if (left < 1000) {
            return Error{Errc::unavailable, "unplugged"};
        }
        left -= 1000;
        return inner(into);
    };
    const Result<void> result = import_car(failing, store, {}, imported);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().message, "unplugged");
}

/// Says that it is full after some blocks.
class FullStore final : public BlockStore {
public:
    Result<LentBytes> get(const Cid& cid) override { return inner_.get(cid); }

    Result<void> put(const Cid& cid, ByteView data) override {
        if (inner_.stat()->blocks == 6) {
            return Error{Errc::storage_full, "full"};
        }
        return inner_.put(cid, data);
    }

    Result<bool> has(const Cid& cid) override { return inner_.has(cid); }

    Result<void> sync() override { return inner_.sync(); }

    Result<StoreStat> stat() override { return inner_.stat(); }

    Result<std::unique_ptr<WriteSession>> begin_session() override {
        return inner_.begin_session();
    }

private:
    MemoryStore inner_;
};

TEST(CarImport, EndsWhenTheStoreIsFull) {
    const Bytes car = car::testing::car_of({}, large_blocks(50));
    FullStore store;
    Imported imported;
    const Result<void> result =
        import_car(reader_of(car, car.size()), store, {.threads = 3}, imported);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, Errc::storage_full);
    EXPECT_EQ(imported.blocks, 6U);
}

} // namespace
} // namespace ic::car_store
