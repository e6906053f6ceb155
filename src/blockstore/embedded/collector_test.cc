#include "base/unique_fd.h"
#include "blockstore/embedded/sessions.h"
#include "blockstore/embedded/testing/store_folder.h"
#include "ipld/dag_cbor.h"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <array>
#include <csignal>
#include <fstream>
#include <thread>

namespace ic {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testing_store::block_of;
using testing_store::collect;
using testing_store::Collection;
using testing_store::in_child;
using testing_store::put_block;
using testing_store::put_node;
using testing_store::raw_cid;
using testing_store::StoreFolder;

constexpr std::size_t large = 100'000; // Goes into a segment.

std::string raw_text(const Cid& cid) {
    return Cid::v1(Codec::raw, cid.hash(), cid.digest()).to_string();
}

Pin recursive(const Cid& cid) { return {.cid = cid, .name = {}, .expires_at = {}}; }

bool has(EmbeddedStore& store, const Cid& cid) { return *store.has(cid); }

/// Holds another process at points: one writes a letter, the other waits for it.
class Gate {
public:
    Gate() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }

    ~Gate() { const UniqueFd read_end(ends_[0]), write_end(ends_[1]); }

    void open() const { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }

    void wait() const {
        char letter = 0;
        EXPECT_EQ(::read(ends_[0], &letter, 1), 1);
    }

private:
    std::array<int, 2> ends_{};
};

TEST(Collection, TakesWhatNoPinLeadsToAndNothingElse) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid leaf = put_block(*store, 1), big = put_block(*store, 2, large);
    const Cid inner = put_node(*store, {leaf, big}), root = put_node(*store, {inner, leaf});
    const Cid direct = put_node(*store, {put_block(*store, 3)});
    const Cid garbage = put_block(*store, 4), big_garbage = put_block(*store, 5, large);
    ASSERT_TRUE(store->pins().add(recursive(root)).ok());
    ASSERT_TRUE(store->pins().add({.cid = direct, .kind = PinKind::direct}).ok());

    const Collection collection = collect(*store);
    ASSERT_TRUE(collection.result.ok()) << collection.result.error().message;
    EXPECT_THAT(collection.removed,
                UnorderedElementsAre(
                    raw_text(garbage), raw_text(big_garbage), raw_text(raw_cid(block_of(3)))));
    for (const Cid& cid : {leaf, big, inner, root, direct}) {
        EXPECT_TRUE(has(*store, cid)) << cid.to_string();
    }
    EXPECT_EQ(store->get(big)->size(), large);
    EXPECT_EQ(collection.result->blocks, 3U);
    EXPECT_EQ(collection.result->bytes, 2000 + large);
    EXPECT_EQ(collection.result->kept, 5U);
    EXPECT_EQ(store->stat()->blocks, 5U);
    EXPECT_THAT(collect(*store).removed, IsEmpty()) << "nothing is left for a second one";
}

TEST(Collection, FollowsLinksOfDagCborAndOfIdentityCids) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid leaf = put_block(*store, 1), other = put_block(*store, 2);
    const Bytes inside = dag_pb::encode({.links = {{.cid = leaf}}, .data = {}});
    const Cid identity = Cid::v1(Codec::dag_pb, HashCode::identity, inside);
    const Bytes document = dag_cbor::encode(ipld::Map{{"a", identity}, {"b", other}});
    const Cid root = cid_of(Codec::dag_cbor, document);
    ASSERT_TRUE(store->put(root, document).ok());
    ASSERT_TRUE(store->pins().add(recursive(root)).ok());
    EXPECT_THAT(collect(*store).removed, IsEmpty());
}

TEST(Collection, LooksIntoABlockThatWasMarkedUnderACodecWithoutLinks) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid node = put_node(*store, {put_block(*store, 1)});
    const Cid raw = Cid::v1(Codec::raw, node.hash(), node.digest());
    ASSERT_TRUE(store->pins().add(recursive(raw)).ok());
    ASSERT_TRUE(store->pins().add(recursive(node)).ok());
    EXPECT_THAT(collect(*store).removed, IsEmpty());
}

TEST(Collection, DropsExpiredPinsFirstAndSaysSo) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid over = put_block(*store, 1), valid = put_block(*store, 2);
    ASSERT_TRUE(store->pins().add({.cid = over, .expires_at = UnixSeconds{1000}}).ok());
    ASSERT_TRUE(store->pins().add({.cid = valid, .expires_at = UnixSeconds{1001}}).ok());
    const Collection collection = collect(*store, {.now = UnixSeconds{1000}});
    EXPECT_THAT(collection.expired, ElementsAre(over.to_string()));
    EXPECT_THAT(collection.removed, ElementsAre(over.to_string()));
    EXPECT_FALSE(*store->pins().find(over));
    EXPECT_TRUE(*store->pins().find(valid));
}

TEST(Collection, KeepsTheRootsThatItIsGiven) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid leaf = put_block(*store, 1), absent = raw_cid(block_of(99));
    const Cid node = put_node(*store, {leaf, cid_of(Codec::dag_pb, block_of(98)), absent});
    const Cid single = put_node(*store, {put_block(*store, 2)});
    const VisitRoots roots = [&](const auto& keep) -> Result<void> {
        TRY(keep(Root{.cid = single, .reach = Root::Reach::single}));
        return keep(Root{.cid = node, .reach = Root::Reach::found});
    };
    const Collection collection = collect(*store, {.roots = roots});
    ASSERT_TRUE(collection.result.ok()) << "what is not here of such a root is no error";
    EXPECT_THAT(collection.removed, ElementsAre(raw_text(raw_cid(block_of(2)))));
    EXPECT_TRUE(has(*store, leaf) && has(*store, node) && has(*store, single));
}

TEST(Collection, RemovesNothingWhenAPinnedNodeIsMissing) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid missing = cid_of(Codec::dag_pb, block_of(9));
    const Cid root = put_node(*store, {missing}), garbage = put_block(*store, 1);
    ASSERT_TRUE(store->pins().add(recursive(root)).ok());
    const Collection collection = collect(*store);
    ASSERT_FALSE(collection.result.ok());
    EXPECT_THAT(collection.result.error().message, HasSubstr("nothing was removed"));
    EXPECT_THAT(collection.errors, ElementsAre(HasSubstr(missing.to_string())));
    EXPECT_TRUE(has(*store, garbage));
}

TEST(Collection, RemovesNothingWhenTheRootsCannotBeRead) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid garbage = put_block(*store, 1);
    const VisitRoots broken = [](const auto&) -> Result<void> {
        return Error{Errc::unavailable, "no ledger"};
    };
    EXPECT_EQ(collect(*store, {.roots = broken}).result.error().code, Errc::unavailable);
    EXPECT_TRUE(has(*store, garbage));
}

TEST(Collection, OfADryRunSaysTheSameAndRemovesNothing) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid garbage = put_block(*store, 1);
    ASSERT_TRUE(store->pins().add({.cid = garbage, .expires_at = UnixSeconds{5}}).ok());
    const CollectOptions dry{.now = UnixSeconds{6}, .mode = CollectOptions::Mode::dry_run};
    for (int time = 0; time < 2; ++time) {
        const Collection collection = collect(*store, dry);
        EXPECT_THAT(collection.removed, ElementsAre(garbage.to_string()));
        EXPECT_THAT(collection.expired, ElementsAre(garbage.to_string()));
    }
    EXPECT_TRUE(has(*store, garbage));
    EXPECT_TRUE(*store->pins().find(garbage));
}

TEST(Collection, IsAloneInItsStore) {
    const StoreFolder folder;
    const auto store = folder.open();
    put_block(*store, 1);
    Result<Collected> second = Collected{};
    const CollectOptions options{.on_removed = [&](const Cid&) -> Result<void> {
        second = store->collect({});
        return {};
    }};
    EXPECT_TRUE(store->collect(options).ok());
    EXPECT_EQ(second.error().code, Errc::unavailable);
    EXPECT_THAT(second.error().message, HasSubstr("another collection"));
}

TEST(Collection, GivesTheSpaceOfLargeBlocksBack) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid kept = put_block(*store, 1, large);
    for (std::uint32_t number = 2; number < 40; ++number) {
        put_block(*store, number, large);
    }
    ASSERT_TRUE(store->pins().add(recursive(kept)).ok());
    const auto segment_bytes = [&] {
        std::uint64_t bytes = 0;
        const std::string segments = folder.path() + "/segments";
        for (const auto& entry : std::filesystem::directory_iterator(segments)) {
            struct stat status{};
            EXPECT_EQ(::stat(entry.path().c_str(), &status), 0);
            bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
        }
        return bytes;
    };
    const std::uint64_t before = segment_bytes(), counted = store->repo_stat()->disk_bytes;
    ASSERT_GE(before, 39 * large);
    ASSERT_TRUE(collect(*store).result.ok());
    EXPECT_LT(segment_bytes(), 3 * large) << "holes";
    EXPECT_LT(store->repo_stat()->disk_bytes, counted - 37 * large);
    EXPECT_EQ(store->get(kept)->size(), large);
}

TEST(Collection, RemovesSegmentsInWhichNothingLivesAndThatNobodyWrites) {
    const StoreFolder folder;
    const auto count = [&] {
        const std::filesystem::directory_iterator all(folder.path() + "/segments");
        return std::distance(begin(all), end(all));
    };
    {
        const auto store = folder.open();
        put_block(*store, 1, large);
        ASSERT_TRUE(store->sync().ok());
        ASSERT_TRUE(collect(*store).result.ok());
        EXPECT_EQ(count(), 1) << "this process may still append to it";
        put_block(*store, 2, large);
    }
    std::ofstream(folder.path() + "/segments/00000000000000aa.segment") << "torn";
    const auto store = folder.open();
    ASSERT_TRUE(collect(*store).result.ok());
    EXPECT_EQ(count(), 0) << "also one that a crash left before its first commit";
    const Cid again = put_block(*store, 2, large);
    EXPECT_TRUE(store->sync().ok() && store->get(again).ok());
}

TEST(Collection, LeavesASegmentAloneThatAnotherProcessFilledMeanwhile) {
    const StoreFolder folder;
    const auto store = folder.open();
    put_block(*store, 1);
    // Once the index is read, where its record is not yet.
    const CollectOptions options{.on_removed = [&](const Cid&) -> Result<void> {
        EXPECT_EQ(in_child([&] {
                      const auto other = folder.open();
                      const Cid cid = put_block(*other, 2, large);
                      return other->pins().add(recursive(cid)).ok() ? 0 : 1;
                  }),
                  0);
        return {};
    }};
    ASSERT_TRUE(store->collect(options).ok());
    const Result<LentBytes> block = store->get(raw_cid(block_of(2, large)));
    ASSERT_TRUE(block.ok()) << block.error().message;
    EXPECT_EQ(copy_of(block->view()), block_of(2, large));
}

// --- write sessions ---

TEST(WriteSessions, KeepWhatIsPutWhileTheyLive) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid before = put_block(*store, 1);
    ASSERT_TRUE(store->sync().ok());
    auto session = std::move(store->begin_session()).take();
    const Cid small = put_block(*store, 2), big = put_block(*store, 3, large);
    ASSERT_TRUE(store->sync().ok());
    EXPECT_THAT(collect(*store).removed, ElementsAre(before.to_string()));
    EXPECT_TRUE(has(*store, small) && has(*store, big));
    session.reset();
    EXPECT_THAT(collect(*store).removed, UnorderedElementsAre(small.to_string(), big.to_string()));
}

TEST(WriteSessions, KeepWhatWasThereAndIsPutAgain) {
    const StoreFolder folder;
    const auto store = folder.open();
    put_block(*store, 1);
    put_block(*store, 2, large);
    ASSERT_TRUE(store->sync().ok());
    const auto session = std::move(store->begin_session()).take();
    put_block(*store, 1);
    put_block(*store, 2, large);
    EXPECT_THAT(collect(*store).removed, IsEmpty()); // It syncs first.
    EXPECT_EQ(store->stat()->blocks, 2U);
    EXPECT_EQ(store->stat()->bytes, 1000 + large);
}

TEST(WriteSessions, WriteABlockAgainThatWasTakenBeforeTheirCommit) {
    const StoreFolder folder;
    const auto store = folder.open();
    put_block(*store, 1, large);
    ASSERT_TRUE(store->sync().ok());
    const auto session = std::move(store->begin_session()).take();
    const Cid cid = put_block(*store, 1, large); // Waits, not stamped yet.
    ASSERT_EQ(in_child([&] {
                  // Another process, whose collection began before: its roots are gone by then.
                  const auto other = folder.open();
                  const std::string key(text_of(cid.multihash()));
                  return other->drop(key).ok() ? 0 : 1;
              }),
              0);
    ASSERT_TRUE(store->sync().ok());
    EXPECT_EQ(copy_of(store->get(cid)->view()), block_of(1, large));
    const auto again = folder.path();
}

TEST(WriteSessions, ProtectWhatIsOnlyLinkedTo) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid cid = put_block(*store, 1), gone = put_block(*store, 2);
    ASSERT_TRUE(store->sync().ok());
    const auto session = std::move(store->begin_session()).take();
    EXPECT_EQ(session->protect(raw_cid(block_of(9))).error().code, Errc::not_found);
    ASSERT_TRUE(session->protect(cid).ok());
    ASSERT_TRUE(session->protect(gone).ok());
    ASSERT_TRUE(store->drop(std::string(text_of(gone.multihash()))).ok());
    EXPECT_EQ(session->confirm().error().code, Errc::not_found) << "taken before it was in force";
    EXPECT_EQ(session->confirm().error().code, Errc::not_found) << "as long as it is not here";
    EXPECT_EQ(session->protect(gone).error().code, Errc::not_found);
    put_block(*store, 2);
    EXPECT_TRUE(session->confirm().ok());
    EXPECT_THAT(collect(*store).removed, IsEmpty());
}

TEST(WriteSessions, HearOfTheirOwnLossesWhoeverCommits) {
    const StoreFolder folder;
    const auto store = folder.open();
    const Cid shared = put_block(*store, 1), own = put_block(*store, 2);
    ASSERT_TRUE(store->sync().ok());
    const auto one = std::move(store->begin_session()).take();
    const auto other = std::move(store->begin_session()).take();
    auto ended = std::move(store->begin_session()).take();
    const auto bystander = std::move(store->begin_session()).take();
    for (WriteSession* session : {one.get(), other.get(), ended.get()}) {
        ASSERT_TRUE(session->protect(shared).ok());
    }
    ASSERT_TRUE(bystander->protect(own).ok());
    ended.reset();
    ASSERT_TRUE(store->drop(std::string(text_of(shared.multihash()))).ok());

    EXPECT_TRUE(store->pins().add(recursive(own)).ok()) << "it commits for all";
    EXPECT_TRUE(store->sync().ok());
    EXPECT_TRUE(bystander->confirm().ok());
    EXPECT_EQ(one->confirm().error().code, Errc::not_found);
    EXPECT_EQ(other->confirm().error().code, Errc::not_found) << "heard by one, not by all";
    EXPECT_EQ(in_child([&] {
                  const auto elsewhere = folder.open();
                  put_block(*elsewhere, 1);
                  return elsewhere->sync().ok() ? 0 : 1;
              }),
              0);
    EXPECT_TRUE(one->confirm().ok() && other->confirm().ok()) << "it is here again";
}

TEST(WriteSessions, OfAnotherProcessCount) {
    const StoreFolder folder;
    const Gate put, collected;
    std::thread other([&] {
        EXPECT_EQ(in_child([&] {
                      const auto store = folder.open();
                      const auto session = std::move(store->begin_session()).take();
                      put_block(*store, 1);
                      const bool fine = store->sync().ok();
                      put.open();
                      collected.wait();
                      return fine && *store->has(raw_cid(block_of(1))) ? 0 : 1;
                  }),
                  0);
    });
    put.wait();
    const auto store = folder.open();
    EXPECT_THAT(collect(*store).removed, IsEmpty());
    collected.open();
    other.join();
    EXPECT_THAT(collect(*store).removed, ElementsAre(raw_cid(block_of(1)).to_string()))
        << "the process has ended and its session with it";
}

TEST(WriteSessions, OfAKilledProcessDoNotCountAndTheirFilesGo) {
    const StoreFolder folder;
    EXPECT_EQ(in_child([&] {
                  const auto store = folder.open();
                  const auto session = std::move(store->begin_session()).take();
                  put_block(*store, 1);
                  return store->sync().ok() ? ::kill(::getpid(), SIGKILL) : 1;
              }),
              128 + SIGKILL);
    EXPECT_FALSE(std::filesystem::is_empty(folder.path() + "/sessions"));
    const auto store = folder.open();
    EXPECT_THAT(collect(*store).removed, ElementsAre(raw_cid(block_of(1)).to_string()));
    EXPECT_TRUE(std::filesystem::is_empty(folder.path() + "/sessions"));
}

TEST(WriteSessions, CountOnNothingBeforeWhatTheySayWhenTheClockIsSetBack) {
    const StoreFolder folder;
    embedded::Sessions sessions(folder.outer() + "/sessions");
    std::vector<embedded::Stamp> stamps{1000, 400};
    const auto session = sessions.begin([&]() -> Result<embedded::Stamp> {
        const embedded::Stamp stamp = stamps.front();
        stamps.erase(stamps.begin());
        return stamp;
    });
    ASSERT_TRUE(session.ok());
    EXPECT_EQ(*sessions.earliest(9999), 1000U) << "what a collection leaves";
    EXPECT_EQ(sessions.safe_from(), 1000U) << "what need not be stamped anew";
    sessions.end(*session);
}

TEST(WriteSessions, LeaveNoFileBehind) {
    const StoreFolder folder;
    {
        const auto store = folder.open();
        const auto session = std::move(store->begin_session()).take();
        EXPECT_FALSE(std::filesystem::is_empty(folder.path() + "/sessions"));
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path() + "/sessions"));
}

/// Processes that add trees which share blocks, pin them, unpin others, while one collects without
/// a pause: nothing that a pin names may ever be missing.
TEST(WriteSessions, ProtectAddsOfManyProcessesFromACollectorThatNeverRests) {
    const StoreFolder folder;
    ASSERT_NE(folder.open(), nullptr);
    constexpr int adders = 3, rounds = 25;
    const auto add = [&](std::uint32_t seed) {
        const auto store = folder.open();
        for (std::uint32_t round = 0; round < rounds; ++round) {
            const auto session = std::move(store->begin_session()).take();
            std::vector<Cid> children; // Of few numbers, so that they are put again and again.
            for (std::uint32_t child = 0; child < 6; ++child) {
                const std::uint32_t number = (seed * 7 + round * 3 + child * child) % 12;
                children.push_back(put_block(*store, number, number % 3 == 0 ? large : 1000));
            }
            const Cid root = put_node(*store, children);
            if (!store->pins().add(recursive(root)).ok()) {
                return 1;
            }
            for (const Cid& child : children) {
                const Result<LentBytes> block = store->get(child);
                if (!block || !child.verify(block->view())) {
                    return 2;
                }
            }
            if (!store->pins().remove(root).ok() && seed != 99) {
                return 0; // Another process pinned and removed the very same tree.
            }
        }
        return 0;
    };
    std::vector<std::thread> processes;
    std::array<int, adders> ends{};
    std::atomic<int> running = adders;
    for (std::uint32_t adder = 0; adder < adders; ++adder) {
        processes.emplace_back([&, adder] {
            ends[adder] = in_child([&] { return add(adder); });
            --running;
        });
    }
    const int collector = in_child([&] {
        const auto store = folder.open();
        for (int time = 0; time < 60; ++time) {
            const Collection collection = collect(*store);
            if (!collection.result.ok() && collection.result.error().code != Errc::unavailable) {
                return 1;
            }
        }
        return 0;
    });
    for (std::thread& process : processes) {
        process.join();
    }
    EXPECT_EQ(collector, 0);
    EXPECT_THAT(ends, ElementsAre(0, 0, 0));
}

} // namespace
} // namespace ic
