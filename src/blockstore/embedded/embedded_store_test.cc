#include "base/unique_fd.h"
#include "blockstore/embedded/embedded_store.h"
#include "blockstore/embedded/testing/store_folder.h"
#include "blockstore/testing/contract.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <lmdb.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

namespace ic {
namespace {

using testing_blockstore::BlockStoreContract;
using testing_blockstore::contract_on;
using testing_blockstore::Fixture;
using testing_store::block_of;
using testing_store::in_child;
using Folder = testing_store::StoreFolder;

class EmbeddedFixture final : public Fixture {
public:
    BlockStore& store() override { return *store_; }

private:
    Folder folder_;
    std::unique_ptr<EmbeddedStore> store_ =
        std::move(EmbeddedStore::open({.folder = folder_.path()})).take();
};

std::unique_ptr<Fixture> make_embedded() { return std::make_unique<EmbeddedFixture>(); }

INSTANTIATE_TEST_SUITE_P(Embedded,
                         BlockStoreContract,
                         testing::ValuesIn(contract_on(&make_embedded)));

Cid cid_of_block(const Bytes& data) { return cid_of(Codec::raw, data); }

/// Puts `count` blocks from `first` on; whether all went well.
Result<void>
put_blocks(BlockStore& store, std::uint32_t first, std::uint32_t count, std::size_t size) {
    for (std::uint32_t number = first; number < first + count; ++number) {
        const Bytes data = block_of(number, size);
        TRY(store.put(cid_of_block(data), data));
    }
    return {};
}

std::uint32_t count_blocks(BlockStore& store, std::uint32_t count, std::size_t size) {
    std::uint32_t found = 0;
    for (std::uint32_t number = 0; number < count; ++number) {
        const Bytes data = block_of(number, size);
        const Result<LentBytes> block = store.get(cid_of_block(data));
        found += block && copy_of(block->view()) == data ? 1U : 0U;
    }
    return found;
}

TEST(EmbeddedStore, KeepsItsBlocksWhenOpenedAgain) {
    const Folder folder;
    for (int time = 0; time < 2; ++time) {
        auto store = std::move(EmbeddedStore::open({.folder = folder.path()})).take();
        EXPECT_EQ(count_blocks(*store, 10, 1000), time == 0 ? 0U : 10U);
        ASSERT_TRUE(put_blocks(*store, 0, 10, 1000).ok());
    }
}

TEST(EmbeddedStore, GrowsItsMapWhenItIsFull) {
    const Folder folder;
    auto store =
        std::move(EmbeddedStore::open({.folder = folder.path(), .map_bytes_first = 1U << 20U}))
            .take();
    ASSERT_TRUE(put_blocks(*store, 0, 300, 100'000).ok());
    ASSERT_TRUE(store->sync().ok());
    EXPECT_EQ(count_blocks(*store, 300, 100'000), 300U);
}

TEST(EmbeddedStore, FollowsAMapThatAnotherProcessGrew) {
    const Folder folder;
    const EmbeddedOptions options{.folder = folder.path(), .map_bytes_first = 1U << 20U};
    std::array<int, 2> opened{}, grown{};
    ASSERT_EQ(::pipe2(opened.data(), O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(grown.data(), O_CLOEXEC), 0);
    std::thread other([&] {
        // The child opens with the small map, waits until the parent has grown it, and reads.
        EXPECT_EQ(in_child([&] {
                      auto store = std::move(EmbeddedStore::open(options)).take();
                      char byte = 0;
                      if (::write(opened[1], "x", 1) != 1 || ::read(grown[0], &byte, 1) != 1) {
                          return 1;
                      }
                      if (count_blocks(*store, 100, 100'000) != 100) {
                          return 2;
                      }
                      return put_blocks(*store, 100, 1, 100'000).ok() && store->sync().ok() ? 0 : 3;
                  }),
                  0);
    });
    char byte = 0;
    ASSERT_EQ(::read(opened[0], &byte, 1), 1);
    auto store = std::move(EmbeddedStore::open(options)).take();
    EXPECT_TRUE(put_blocks(*store, 0, 100, 100'000).ok());
    EXPECT_TRUE(store->sync().ok());
    EXPECT_EQ(::write(grown[1], "x", 1), 1);
    other.join();
    EXPECT_EQ(count_blocks(*store, 101, 100'000), 101U) << "and sees what the other wrote";
    for (const int fd : {opened[0], opened[1], grown[0], grown[1]}) {
        const UniqueFd closed(fd);
    }
}

TEST(EmbeddedStore, LosesNothingSyncedWhenKilledInTheMiddleOfWriting) {
    const Folder folder;
    constexpr std::uint32_t synced = 50;
    for (int round = 0; round < 5; ++round) {
        EXPECT_EQ(in_child([&] {
                      auto store = std::move(EmbeddedStore::open({.folder = folder.path()})).take();
                      if (!put_blocks(*store, 0, synced, 3000).ok() || !store->sync().ok()) {
                          return 1;
                      }
                      std::thread killer([] { ::kill(::getpid(), SIGKILL); });
                      for (std::uint32_t first = synced;; first += 10) {
                          static_cast<void>(put_blocks(*store, first, 10, 3000));
                          static_cast<void>(store->sync());
                      }
                      return 0;
                  }),
                  128 + SIGKILL);
        EXPECT_EQ(in_child([&] {
                      auto store = std::move(EmbeddedStore::open({.folder = folder.path()})).take();
                      return count_blocks(*store, synced, 3000) == synced ? 0 : 1;
                  }),
                  0);
    }
}

TEST(EmbeddedStore, RefusesToPassItsQuotaAndGoesOnWhenItIsRaised) {
    for (const std::size_t size : {std::size_t{10'000}, std::size_t{100'000}}) { // Rows, segments.
        const Folder folder;
        const auto count = static_cast<std::uint32_t>(10'000'000 / size);
        {
            auto store = folder.open({.bytes_max = 4U << 20U});
            Result<void> full = put_blocks(*store, 0, count, size);
            if (full) {
                full = store->sync();
            }
            ASSERT_FALSE(full.ok());
            EXPECT_EQ(full.error().code, Errc::storage_full);
            EXPECT_NE(full.error().message.find("raise store.bytes_max"), std::string::npos);
            EXPECT_NE(full.error().message.find("repo gc"), std::string::npos);
            EXPECT_EQ(put_blocks(*store, 0, count, size).ok() && store->sync().ok(), false)
                << "what did not fit does not fit later";
        }
        auto store = folder.open();
        ASSERT_TRUE(put_blocks(*store, 0, count, size).ok());
        EXPECT_TRUE(store->sync().ok());
        EXPECT_EQ(count_blocks(*store, count, size), count);
    }
}

TEST(EmbeddedStore, HasRoomInItsQuotaAgainAfterACollection) {
    const Folder folder;
    auto store = folder.open({.bytes_max = 4U << 20U});
    for (const std::size_t size : {std::size_t{10'000}, std::size_t{100'000}, std::size_t{5'000}}) {
        const auto count = static_cast<std::uint32_t>(3'000'000 / size);
        ASSERT_TRUE(put_blocks(*store, 0, count, size).ok() && store->sync().ok()) << size;
        ASSERT_FALSE(put_blocks(*store, count, count, size).ok() && store->sync().ok());
        ASSERT_TRUE(store->collect({}).ok()) << "also while more waits than fits";
        ASSERT_TRUE(store->sync().ok()) << "which fits now";
        ASSERT_TRUE(store->collect({}).ok());
        ASSERT_EQ(store->stat()->blocks, 0U);
    }
}

TEST(EmbeddedStore, ReportsAFullDiskAndKeepsWhatItHad) {
    const Folder folder;
    {
        auto store = std::move(EmbeddedStore::open({.folder = folder.path()})).take();
        ASSERT_TRUE(put_blocks(*store, 0, 10, 1000).ok());
        ASSERT_TRUE(store->sync().ok());
    }
    // A limit on the size of files stands for the full disk: writes fail with EFBIG or short.
    EXPECT_EQ(in_child([&] {
                  ::signal(SIGXFSZ, SIG_IGN);
                  const rlimit small{1U << 20U, 1U << 20U};
                  ::setrlimit(RLIMIT_FSIZE, &small);
                  auto store = std::move(EmbeddedStore::open({.folder = folder.path()})).take();
                  Result<void> full = put_blocks(*store, 10, 40, 100'000);
                  if (full) {
                      full = store->sync();
                  }
                  if (full) {
                      return 1;
                  }
                  return full.error().code == Errc::storage_full ? 0 : 2;
              }),
              0);
    auto store = std::move(EmbeddedStore::open({.folder = folder.path()})).take();
    EXPECT_EQ(count_blocks(*store, 10, 1000), 10U);
}

TEST(EmbeddedStore, RefusesAStoreOfANewerVersion) {
    const Folder folder;
    ASSERT_TRUE(EmbeddedStore::open({.folder = folder.path()}).ok());
    MDB_env* environment = nullptr;
    MDB_txn* transaction = nullptr;
    MDB_dbi meta = 0;
    std::string name = "format_version", version = "3";
    MDB_val key{name.size(), name.data()}, value{version.size(), version.data()};
    ASSERT_EQ(mdb_env_create(&environment), 0);
    ASSERT_EQ(mdb_env_set_maxdbs(environment, 6), 0);
    ASSERT_EQ(mdb_env_open(environment, folder.path().c_str(), 0, 0600), 0);
    ASSERT_EQ(mdb_txn_begin(environment, nullptr, 0, &transaction), 0);
    ASSERT_EQ(mdb_dbi_open(transaction, "meta", 0, &meta), 0);
    ASSERT_EQ(mdb_put(transaction, meta, &key, &value, 0), 0);
    ASSERT_EQ(mdb_txn_commit(transaction), 0);
    mdb_env_close(environment);
    EXPECT_EQ(EmbeddedStore::open({.folder = folder.path()}).error().code, Errc::unsupported);
}

TEST(EmbeddedStore, RefusesAFileThatIsNoStore) {
    const Folder folder;
    std::filesystem::create_directories(folder.path());
    std::FILE* file = std::fopen((folder.path() + "/data.mdb").c_str(), "w");
    ASSERT_NE(file, nullptr);
    const std::string junk(10'000, 'x');
    ASSERT_EQ(std::fwrite(junk.data(), 1, junk.size(), file), junk.size());
    ASSERT_EQ(std::fclose(file), 0);
    EXPECT_EQ(EmbeddedStore::open({.folder = folder.path()}).error().code, Errc::malformed);
}

TEST(EmbeddedStore, MakesItsFolderForItsUserAlone) {
    const Folder folder;
    ASSERT_TRUE(EmbeddedStore::open({.folder = folder.path()}).ok());
    using std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(folder.path()).permissions(), perms::owner_all);
    EXPECT_EQ(std::filesystem::status(folder.path() + "/data.mdb").permissions(),
              perms::owner_read | perms::owner_write);
}

} // namespace
} // namespace ic
