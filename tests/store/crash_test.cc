/// Power cuts: a real run's writes are recorded, and 1,000 prefixes of them replayed with what was
/// not synced lost by lot. Whatever was acknowledged has to be there, and nothing may be wrong.

#include "blockstore/embedded/testing/store_folder.h"
#include "store/write_log.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <set>

namespace ic {
namespace {

using testing_store::block_of;
using testing_store::Event;
using testing_store::Files;
using testing_store::put_block;
using testing_store::put_node;
using testing_store::raw_cid;
using testing_store::StoreFolder;

constexpr int replays = 1000;

std::size_t size_of(std::uint32_t number) {
    return number % 4 == 0 ? 40'000 + 977 * (number % 50) : 50 + 37 * (number % 60);
}

/// What has to be there once a note is in the log.
struct Promise {
    std::vector<Cid> blocks;
    std::optional<Pin> pin;
    std::optional<Cid> unpinned; ///< From before this note on, the tree may go.
};

struct Recording {
    Files before;
    std::vector<Event> events;
    std::vector<Promise> promises; ///< Note n speaks of the n-th.
};

/// Adds trees of small and large blocks and pins them, unpins some and collects.
Recording record(const StoreFolder& folder) {
    Recording recording;
    {
        const auto store = folder.open({.segment_bytes_max = 400'000});
        EXPECT_TRUE(store->sync().ok());
    }
    recording.before = testing_store::read_files(folder.path());
    testing_store::start_log(folder.path());
    const auto store = folder.open({.segment_bytes_max = 400'000});
    std::vector<Cid> roots;
    std::vector<Promise> trees;
    const auto promise = [&](Promise made) {
        recording.promises.push_back(std::move(made));
        testing_store::note(recording.promises.size() - 1);
    };
    std::uint32_t next = 0;
    for (int round = 0; round < 24; ++round) {
        const auto session = std::move(store->begin_session()).take();
        Promise tree;
        for (int child = 0; child < 9; ++child) {
            const std::uint32_t number = child < 2 && next > 20 ? next - 15 : next++;
            tree.blocks.push_back(put_block(*store, number, size_of(number)));
        }
        const Cid root = put_node(*store, tree.blocks);
        tree.blocks.push_back(root);
        if (round % 3 == 0) { // Acknowledged before it is pinned.
            EXPECT_TRUE(store->sync().ok());
        }
        tree.pin = Pin{.cid = root, .name = std::to_string(round)};
        EXPECT_TRUE(store->pins().add(*tree.pin).ok());
        promise(tree);
        roots.push_back(root);
        if (round % 4 == 3) {
            promise({.blocks = {}, .pin = {}, .unpinned = roots[roots.size() - 3]});
            EXPECT_TRUE(store->pins().remove(roots[roots.size() - 3]).ok());
            EXPECT_TRUE(store->collect({}).ok());
        }
    }
    recording.events = testing_store::stop_log();
    return recording;
}

/// What is wrong with a store after a power cut, in words; empty if nothing is.
std::string complaint(EmbeddedStore& store, const Recording& recording, std::size_t count) {
    std::set<std::string> unpinned;
    std::vector<const Promise*> promises;
    for (std::size_t index = 0; index < count; ++index) {
        if (recording.events[index].kind == Event::Kind::note) {
            const Promise& made = recording.promises[recording.events[index].size];
            promises.push_back(&made);
            if (made.unpinned) {
                unpinned.insert(made.unpinned->to_string());
            }
        }
    }
    for (const Promise* promise : promises) {
        if (!promise->pin || unpinned.contains(promise->pin->cid.to_string())) {
            continue;
        }
        const Result<std::optional<Pin>> pin = store.pins().find(promise->pin->cid);
        if (!pin || *pin != promise->pin) {
            return "the pin of " + promise->pin->cid.to_string() + " is lost";
        }
        for (const Cid& cid : promise->blocks) {
            const Result<LentBytes> block = store.get(cid);
            if (!block) {
                return "lost: " + block.error().message;
            }
            if (!cid.verify(block->view())) {
                return "wrong bytes of " + cid.to_string();
            }
        }
    }
    std::string wrong;
    const Result<void> visited =
        store.visit_blocks({}, [&](const StoredBlock& stored) -> Result<void> {
            const auto damage = TRY(store.verify(stored.key));
            if (damage) {
                wrong = "damaged: " + damage->error.message;
            }
            return {};
        });
    return visited ? wrong : visited.error().message;
}

TEST(PowerCut, LosesNothingAcknowledgedAndGivesNoWrongBytes) {
    const StoreFolder folder, replayed;
    const Recording recording = record(folder);
    ASSERT_GT(recording.events.size(), 500U);
    const char* given = std::getenv("IC_STORE_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
    std::mt19937_64 lots(seed);
    std::size_t promised = 0;
    for (int replay = 0; replay < replays; ++replay) {
        const std::size_t count = lots() % (recording.events.size() + 1);
        testing_store::write_files(
            testing_store::after_power_cut(recording.before, recording.events, count, lots),
            replayed.path());
        const auto store = replayed.open({.segment_bytes_max = 400'000});
        ASSERT_NE(store, nullptr) << "replay " << replay << ", seed " << seed;
        ASSERT_EQ(complaint(*store, recording, count), "")
            << "replay " << replay << " of " << count << " events, seed " << seed;
        // And it is a store to work with.
        const Cid cid = put_block(*store, 1'000'000, replay % 2 == 0 ? 500 : 50'000);
        ASSERT_TRUE(store->pins().add({.cid = cid}).ok());
        ASSERT_TRUE(store->collect({}).ok()) << "replay " << replay << ", seed " << seed;
        ASSERT_TRUE(store->get(cid).ok());
        ASSERT_EQ(complaint(*store, recording, count), "")
            << "after a collection, replay " << replay << ", seed " << seed;
        promised += count;
    }
    EXPECT_GT(promised, 0U);
}

/// The recorder itself: without the store's syncs, things do get lost.
TEST(PowerCut, LosesWhatWasNotSynced) {
    const StoreFolder folder, replayed;
    Recording recording = record(folder);
    std::erase_if(recording.events,
                  [](const Event& event) { return event.kind == Event::Kind::sync; });
    std::mt19937_64 lots(1);
    int complaints = 0;
    for (int replay = 0; replay < 20; ++replay) {
        testing_store::write_files(
            testing_store::after_power_cut(
                recording.before, recording.events, recording.events.size(), lots),
            replayed.path());
        complaints +=
            testing_store::in_child([&] {
                Result<std::unique_ptr<EmbeddedStore>> store =
                    EmbeddedStore::open({.folder = replayed.path()});
                return store && complaint(**store, recording, recording.events.size()).empty() ? 0
                                                                                               : 1;
            }) != 0
                ? 1
                : 0;
    }
    EXPECT_EQ(complaints, 20);
}

} // namespace
} // namespace ic
