#include "blockstore/caching_store.h"
#include "blockstore/embedded/testing/damage.h"
#include "blockstore/embedded/testing/store_folder.h"
#include "blockstore/memory_store.h"
#include "blockstore/pinning.h"

#include <gmock/gmock.h>

#include <csignal>
#include <thread>

namespace ic {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;
using testing_store::block_of;
using testing_store::damage_row;
using testing_store::in_child;
using testing_store::put_block;
using testing_store::put_node;
using testing_store::raw_cid;
using testing_store::StoreFolder;

const Cid first = raw_cid(block_of(1));
const Cid second = raw_cid(block_of(2));

std::vector<Pin> all_pins(EmbeddedStore& store) {
    std::vector<Pin> pins;
    EXPECT_TRUE(store.pins()
                    .visit([&](const Pin& pin) -> Result<void> {
                        pins.push_back(pin);
                        return {};
                    })
                    .ok());
    return pins;
}

TEST(Pins, AreKeptWithNameAndExpiry) {
    const StoreFolder folder;
    const Pin pin{.cid = first, .name = "corpus", .expires_at = UnixSeconds{1'900'000'000}};
    {
        const auto store = folder.open();
        ASSERT_TRUE(store->pins().add(pin).ok());
        ASSERT_TRUE(store->pins().add({.cid = second, .kind = PinKind::direct}).ok());
    }
    const auto store = folder.open();
    EXPECT_EQ(**store->pins().find(first), pin);
    EXPECT_THAT(all_pins(*store),
                UnorderedElementsAre(pin, Pin{.cid = second, .kind = PinKind::direct}));
    EXPECT_FALSE(*store->pins().find(raw_cid(block_of(3))));
}

TEST(Pins, AreReplacedByASecondPinOfTheSameCid) {
    const StoreFolder folder;
    const auto store = folder.open();
    ASSERT_TRUE(store->pins().add({.cid = first, .kind = PinKind::direct, .name = "a"}).ok());
    ASSERT_TRUE(store->pins().add({.cid = first, .name = "b"}).ok());
    EXPECT_THAT(all_pins(*store), ElementsAre(Pin{.cid = first, .name = "b"}));
    // As Kubo (boxo v0.42.1, dspinner): a direct one cannot take a recursive one's place.
    const Result<void> refused = store->pins().add({.cid = first, .kind = PinKind::direct});
    EXPECT_EQ(refused.error().code, Errc::refused);
    EXPECT_EQ(refused.error().message, first.to_string() + " already pinned recursively");
    EXPECT_THAT(all_pins(*store), ElementsAre(Pin{.cid = first, .name = "b"}));
}

TEST(Pins, OfOneBlockUnderTwoVersionsOfItsCidAreTwo) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid v0 = Cid::v0(first.digest());
    ASSERT_TRUE(store->pins().add({.cid = v0}).ok());
    EXPECT_FALSE(*store->pins().find(v0.as_v1()));
    EXPECT_EQ(store->pins().remove(v0.as_v1()).error().message, "not pinned or pinned indirectly");
    EXPECT_EQ((*store->pins().find(v0))->cid, v0);
}

TEST(Pins, GoWhenTheyAreRemovedAndOnlyOnce) {
    const StoreFolder folder;
    const auto store = folder.open();
    ASSERT_TRUE(store->pins().add({.cid = first}).ok());
    EXPECT_TRUE(store->pins().remove(first).ok());
    EXPECT_EQ(store->pins().remove(first).error().code, Errc::not_found);
}

TEST(Pins, AreReplacedWholeOrNotAtAll) {
    const StoreFolder folder;
    const auto store = folder.open();
    ASSERT_TRUE(store->pins().add({.cid = first}).ok());
    ASSERT_TRUE(store->pins().replace(first, {.cid = second, .name = "next"}).ok());
    EXPECT_THAT(all_pins(*store), ElementsAre(Pin{.cid = second, .name = "next"}));
    EXPECT_EQ(store->pins().replace(first, {.cid = first}).error().code, Errc::not_found);
    EXPECT_THAT(all_pins(*store), ElementsAre(Pin{.cid = second, .name = "next"}));
}

TEST(Pins, HaveNamesOf255BytesAndNotOneMore) {
    const StoreFolder folder;
    const auto store = folder.open();
    EXPECT_TRUE(store->pins().add({.cid = first, .name = std::string(255, 'x')}).ok());
    EXPECT_EQ(store->pins().add({.cid = first, .name = std::string(256, 'x')}).error().code,
              Errc::too_large);
}

TEST(Pins, AreDurableWithTheBlocksThatWerePutBefore) {
    const StoreFolder folder;
    EXPECT_EQ(in_child([&] {
                  const auto store = folder.open();
                  const Cid cid = put_block(*store, 1, 100'000); // Waits.
                  return store->pins().add({.cid = cid}).ok() ? ::kill(::getpid(), SIGKILL) : 1;
              }),
              128 + SIGKILL);
    const auto store = folder.open();
    const Cid cid = raw_cid(block_of(1, 100'000));
    EXPECT_TRUE(*store->pins().find(cid));
    EXPECT_EQ(store->get(cid)->size(), 100'000U);
}

TEST(Pins, AreVisitedInPagesAndMayChangeMeanwhile) {
    const StoreFolder folder;
    const auto store = folder.open();
    constexpr std::uint32_t count = 600; // More than a page.
    std::vector<std::thread> threads;
    for (std::uint32_t thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            for (std::uint32_t number = thread; number < count; number += 4) {
                EXPECT_TRUE(store->pins().add({.cid = raw_cid(block_of(number))}).ok());
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    std::size_t visited = 0;
    EXPECT_TRUE(store->pins()
                    .visit([&](const Pin& pin) {
                        ++visited;
                        return store->pins().remove(pin.cid);
                    })
                    .ok());
    EXPECT_EQ(visited, count);
    EXPECT_TRUE(all_pins(*store).empty());
}

TEST(Pins, ThatAreDamagedAreSaidAndKeepACollectionFromRunning) {
    const StoreFolder folder;
    {
        const auto store = folder.open();
        ASSERT_TRUE(store->pins().add({.cid = put_block(*store, 1), .name = "x"}).ok());
    }
    damage_row(folder.path(), "pins");
    const auto store = folder.open();
    EXPECT_EQ(store->pins().find(first).error().code, Errc::malformed);
    EXPECT_EQ(store->collect({}).error().code, Errc::malformed);
    EXPECT_TRUE(*store->has(first));
    const std::vector<std::string> damaged = std::move(store->damaged_pins()).take();
    ASSERT_THAT(damaged, ElementsAre(std::string(text_of(first.bytes()))));
    ASSERT_TRUE(store->drop_pin(damaged[0]).ok());
    EXPECT_EQ(store->collect({})->blocks, 1U);
}

// --- pinning: the walk before the pin ---

TEST(Pinning, SaysWhichBlockIsMissingAndPinsNothing) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid missing = raw_cid(block_of(9));
    const Cid root = put_node(*store, {put_node(*store, {put_block(*store, 1), missing})});
    const Result<void> pinned = pin_whole(*store, store->pins(), {.cid = root}, {});
    EXPECT_EQ(pinned.error().code, Errc::not_found);
    EXPECT_THAT(pinned.error().message, HasSubstr(missing.to_string()));
    EXPECT_FALSE(*store->pins().find(root));
    EXPECT_TRUE(pin_whole(*store, store->pins(), {.cid = root, .kind = PinKind::direct}, {}).ok())
        << "a direct pin needs its block alone";
}

TEST(Pinning, CountsWhatItVisits) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid leaf = put_block(*store, 1), root = put_node(*store, {leaf, put_block(*store, 2)});
    std::uint64_t blocks = 0;
    const PinningOptions options{
        .scratch_folder = folder.outer(),
        .on_progress = [&](std::uint64_t count, std::uint64_t) { blocks = count; }};
    ASSERT_TRUE(pin_whole(*store, store->pins(), {.cid = root, .name = "n"}, options).ok());
    EXPECT_EQ(blocks, 3U);
    std::vector<Cid> below;
    ASSERT_TRUE(visit_indirect(*store,
                               store->pins(),
                               folder.outer(),
                               [&](const Cid& cid, const Cid& through) {
                                   EXPECT_EQ(through, root);
                                   below.push_back(cid);
                                   return Result<void>{};
                               })
                    .ok());
    EXPECT_THAT(below, ElementsAre(leaf, raw_cid(block_of(2))));
}

TEST(Pinning, PinsNothingThatTheQuotaHasNoRoomFor) {
    const StoreFolder folder;
    const auto store = folder.open({.bytes_max = 1'000'000});
    MemoryStore elsewhere;
    const Cid leaf = put_block(elsewhere, 1, 900'000), other = put_block(elsewhere, 2, 900'000);
    const Cid root = put_node(elsewhere, {leaf, other});
    CachingStore blocks(*store, elsewhere);
    const Result<void> pinned = pin_whole(blocks, store->pins(), {.cid = root}, {});
    ASSERT_FALSE(pinned.ok());
    EXPECT_EQ(pinned.error().code, Errc::storage_full);
    EXPECT_THAT(pinned.error().message, HasSubstr(other.to_string()));
    EXPECT_FALSE(*store->pins().find(root));
}

/// More leaves than a batch takes, one of which goes once it was protected.
class PinningUnderACollection : public testing::Test {
protected:
    PinningUnderACollection() {
        for (std::uint32_t number = 0; number < 4200; ++number) {
            leaves.push_back(put_block(*store, number, 16));
        }
        root = put_node(*store, leaves);
        EXPECT_TRUE(store->sync().ok());
    }

    PinningOptions dropping() {
        return {.scratch_folder = folder.outer(), .on_progress = [this](std::uint64_t count, auto) {
                    if (count == 100 && walks++ == 0) {
                        EXPECT_TRUE(store->drop(std::string(text_of(taken.multihash()))).ok());
                    }
                }};
    }

    const StoreFolder folder;
    const std::unique_ptr<EmbeddedStore> store = folder.open();
    std::vector<Cid> leaves;
    Cid root = raw_cid({});
    const Cid taken = raw_cid(block_of(10, 16));
    int walks = 0;
};

TEST_F(PinningUnderACollection, PinsNothingWithoutABlockThatItTook) {
    const Result<void> pinned = pin_whole(*store, store->pins(), {.cid = root}, dropping());
    ASSERT_FALSE(pinned.ok());
    EXPECT_EQ(pinned.error().code, Errc::not_found);
    EXPECT_THAT(pinned.error().message, HasSubstr(taken.to_string()));
    EXPECT_FALSE(*store->pins().find(root));
}

TEST_F(PinningUnderACollection, FetchesWhatItTookOnASecondWalk) {
    MemoryStore elsewhere;
    ASSERT_TRUE(elsewhere.put(taken, block_of(10, 16)).ok());
    CachingStore blocks(*store, elsewhere);
    ASSERT_TRUE(pin_whole(blocks, store->pins(), {.cid = root}, dropping()).ok());
    EXPECT_EQ(walks, 2);
    EXPECT_EQ(store->collect({})->blocks, 0U);
    for (const Cid& leaf : leaves) {
        ASSERT_TRUE(*store->has(leaf)) << leaf.to_string();
    }
}

TEST(Pinning, UpdatesAPinWithItsName) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid from = put_node(*store, {put_block(*store, 1)}), to = put_node(*store, {from});
    EXPECT_EQ(update_pin(*store, store->pins(), from, to, {}).error().code, Errc::not_found);
    ASSERT_TRUE(pin_whole(*store, store->pins(), {.cid = from, .name = "daily"}, {}).ok());
    ASSERT_TRUE(update_pin(*store, store->pins(), from, to, {}).ok());
    EXPECT_THAT(all_pins(*store), ElementsAre(Pin{.cid = to, .name = "daily"}));
}

} // namespace
} // namespace ic
