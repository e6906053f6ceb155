/// Stores of version 1, as the first release wrote them: made here with LMDB alone, by the page
/// that describes that format (docs/formats/store.md, "Version 1").

#include "blockstore/embedded/environment.h"
#include "blockstore/embedded/testing/store_folder.h"

#include <gmock/gmock.h>
#include <lmdb.h>

#include <array>
#include <csignal>
#include <thread>

namespace ic {
namespace {

using testing_store::block_of;
using testing_store::in_child;
using testing_store::raw_cid;
using testing_store::StoreFolder;

class OldStore {
public:
    explicit OldStore(const std::string& folder) {
        std::filesystem::create_directories(folder);
        EXPECT_EQ(mdb_env_create(&environment_), 0);
        EXPECT_EQ(mdb_env_set_mapsize(environment_, 1U << 30U), 0);
        EXPECT_EQ(mdb_env_set_maxdbs(environment_, 2), 0);
        EXPECT_EQ(mdb_env_open(environment_, folder.c_str(), MDB_NOTLS, 0600), 0);
        EXPECT_EQ(mdb_txn_begin(environment_, nullptr, 0, &transaction_), 0);
        EXPECT_EQ(mdb_dbi_open(transaction_, "meta", MDB_CREATE, &meta_), 0);
        EXPECT_EQ(mdb_dbi_open(transaction_, "blocks", MDB_CREATE, &blocks_), 0);
        put(meta_, "format_version", "1");
    }

    ~OldStore() {
        if (bytes_ != 0) { // Version 1 wrote it with its first block.
            std::string number(8, '\0');
            for (std::size_t index = 0; index < 8; ++index) {
                number[index] = static_cast<char>(bytes_ >> (8 * index));
            }
            put(meta_, "block_bytes", number);
        }
        EXPECT_EQ(mdb_txn_commit(transaction_), 0);
        mdb_env_close(environment_);
    }

    void put_block(const Bytes& data) {
        put(blocks_,
            std::string(text_of(raw_cid(data).multihash())),
            std::string(text_of(ByteView{data})));
        bytes_ += data.size();
    }

private:
    void put(MDB_dbi table, std::string name, std::string bytes) {
        MDB_val key{name.size(), name.data()}, value{bytes.size(), bytes.data()};
        EXPECT_EQ(mdb_put(transaction_, table, &key, &value, 0), 0);
    }

    MDB_env* environment_ = nullptr;
    MDB_txn* transaction_ = nullptr;
    MDB_dbi meta_ = 0;
    MDB_dbi blocks_ = 0;
    std::uint64_t bytes_ = 0;
};

std::size_t size_of(std::uint32_t number) { return number % 50 == 0 ? 300'000 : 100 + number; }

void write_old(const std::string& folder, std::uint32_t count) {
    OldStore old(folder);
    for (std::uint32_t number = 0; number < count; ++number) {
        old.put_block(block_of(number, size_of(number)));
    }
}

void expect_migrated(EmbeddedStore& store, std::uint32_t count) {
    std::uint64_t bytes = 0;
    for (std::uint32_t number = 0; number < count; ++number) {
        const Bytes data = block_of(number, size_of(number));
        const Result<LentBytes> block = store.get(raw_cid(data));
        ASSERT_TRUE(block.ok()) << number;
        ASSERT_EQ(copy_of(block->view()), data);
        bytes += data.size();
    }
    EXPECT_EQ(store.stat()->blocks, count);
    EXPECT_EQ(store.stat()->bytes, bytes);
}

TEST(Migration, BringsAStoreOfVersion1ToThisOne) {
    const StoreFolder folder;
    write_old(folder.path(), 400);
    for (int time = 0; time < 2; ++time) {
        const auto store = folder.open({.map_bytes_first = 1U << 20U}); // It has to grow.
        expect_migrated(*store, 400);
    }
    const auto store = folder.open();
    ASSERT_TRUE(store->pins().add({.cid = raw_cid(block_of(0, size_of(0)))}).ok());
    EXPECT_EQ(store->collect({})->blocks, 399U) << "and it is a store as any other";
}

TEST(Migration, TakesAnEmptyStore) {
    const StoreFolder folder;
    write_old(folder.path(), 0);
    const auto store = folder.open();
    EXPECT_EQ(store->stat()->blocks, 0U);
    EXPECT_TRUE(store->put(raw_cid(block_of(1)), block_of(1)).ok() && store->sync().ok());
}

TEST(Migration, GoesOnWhereItWasKilled) {
    constexpr std::uint32_t count = 2000; // 14 MB in large ones: more than one piece.
    const StoreFolder folder;
    write_old(folder.path(), count);
    int killed = 0;
    for (int round = 0; round < 6; ++round) {
        killed += in_child([&] {
                      std::thread killer([&] {
                          ::usleep(static_cast<useconds_t>(2000 + 7000 * round));
                          ::kill(::getpid(), SIGKILL);
                      });
                      const auto store = folder.open();
                      killer.join();
                      return 0;
                  }) == 128 + SIGKILL
                      ? 1
                      : 0;
    }
    EXPECT_EQ(killed, 6);
    expect_migrated(*folder.open(), count);
}

TEST(Migration, IsDoneOnceByProcessesThatOpenTogether) {
    const StoreFolder folder;
    write_old(folder.path(), 1000);
    std::array<int, 3> ends{};
    std::vector<std::thread> processes;
    for (int& end : ends) {
        processes.emplace_back([&] {
            end = in_child([&] {
                const auto store = folder.open();
                return store && store->stat()->blocks == 1000 ? 0 : 1;
            });
        });
    }
    for (std::thread& process : processes) {
        process.join();
    }
    EXPECT_THAT(ends, testing::Each(0));
    expect_migrated(*folder.open(), 1000);
}

TEST(Migration, FollowsAMapThatAnotherProcessMakesLargerRightThen) {
    const StoreFolder folder;
    ASSERT_NE(folder.open(), nullptr);
    MDB_env* made = nullptr;
    ASSERT_EQ(mdb_env_create(&made), 0);
    const embedded::EnvironmentHandle environment(made);
    ASSERT_EQ(mdb_env_set_mapsize(made, 1U << 20U), 0);
    ASSERT_EQ(mdb_env_set_maxdbs(made, 6), 0);
    ASSERT_EQ(mdb_env_open(made, folder.path().c_str(), MDB_NOTLS, 0600), 0);
    ASSERT_EQ(in_child([&] {
                  const auto other = folder.open();
                  for (std::uint32_t number = 0; number < 500; ++number) {
                      testing_store::put_block(*other, number, 10'000);
                  }
                  return other->sync().ok() ? 0 : 1;
              }),
              0);
    EXPECT_EQ(embedded::migrate_from_version_1(made), 0);
}

} // namespace
} // namespace ic
