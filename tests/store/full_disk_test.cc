/// A disk of 32 MB that fills up, and one that becomes read-only. Mounting needs root.

#include "blockstore/embedded/testing/store_folder.h"

#include <gmock/gmock.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace ic {
namespace {

using testing::HasSubstr;
using testing_store::block_of;
using testing_store::put_block;
using testing_store::raw_cid;

/// A file system of 32 MB in memory.
class SmallDisk {
public:
    SmallDisk() {
        std::string pattern = testing::TempDir() + "ic-disk-XXXXXX";
        path_ = ::mkdtemp(pattern.data());
        if (::mount("none", path_.c_str(), "tmpfs", 0, "size=32m") != 0) {
            why_not_ = std::string("cannot mount a small disk: ") + std::strerror(errno);
        }
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    ~SmallDisk() {
        ::umount2(path_.c_str(), MNT_DETACH);
        std::filesystem::remove(path_);
    }

    const std::string& path() const { return path_; }

    const std::string& why_not() const { return why_not_; }

    void remount(unsigned long flags) const {
        ASSERT_EQ(::mount("none", path_.c_str(), nullptr, MS_REMOUNT | flags, "size=32m"), 0)
            << std::strerror(errno);
    }

private:
    std::string path_;
    std::string why_not_;
};

Result<std::unique_ptr<EmbeddedStore>> open_on(const SmallDisk& disk) {
    return EmbeddedStore::open({.folder = disk.path() + "/blocks"});
}

/// How many of the first blocks are here, whole.
std::uint32_t count_sound(EmbeddedStore& store, std::uint32_t count, std::size_t size) {
    std::uint32_t sound = 0;
    for (std::uint32_t number = 0; number < count; ++number) {
        const Bytes data = block_of(number, size);
        const Result<LentBytes> block = store.get(raw_cid(data));
        sound += block && copy_of(block->view()) == data ? 1U : 0U;
    }
    return sound;
}

class FullDisk : public testing::TestWithParam<std::size_t> {};

TEST_P(FullDisk, IsAClearErrorKeepsWhatWasThereAndWorksAgainWithSpace) {
    const SmallDisk disk;
    if (!disk.why_not().empty()) {
        GTEST_SKIP() << disk.why_not();
    }
    const std::size_t size = GetParam();
    std::uint32_t synced = 0;
    {
        const auto store = std::move(open_on(disk)).take();
        Result<void> result;
        for (std::uint32_t number = 0; result; ++number) {
            const Bytes data = block_of(number, size);
            result = store->put(raw_cid(data), data);
            if (result && number % 16 == 15) {
                result = store->sync();
                synced = result ? number + 1 : synced;
            }
        }
        EXPECT_EQ(result.error().code, Errc::storage_full) << result.error().message;
        EXPECT_THAT(result.error().message, HasSubstr("free some space"));
        EXPECT_THAT(result.error().message, HasSubstr(disk.path()));
        ASSERT_GT(synced, 0U);
        EXPECT_EQ(count_sound(*store, synced, size), synced) << "in the same process";
    }
    const auto store = std::move(open_on(disk)).take();
    ASSERT_EQ(count_sound(*store, synced, size), synced);
    ASSERT_TRUE(store->collect({}).ok()) << "a full disk can be collected";
    for (std::uint32_t number = 0; number < synced / 2; ++number) {
        put_block(*store, number, size);
    }
    EXPECT_TRUE(store->sync().ok()) << "and has room again";
    EXPECT_EQ(count_sound(*store, synced / 2, size), synced / 2);
}

INSTANTIATE_TEST_SUITE_P(Sizes, FullDisk, testing::Values(3'000, 20'000, 200'000));

TEST(ReadOnlyDisk, IsAClearErrorAndWorksAgainWhenItIsNot) {
    const SmallDisk disk;
    if (!disk.why_not().empty()) {
        GTEST_SKIP() << disk.why_not();
    }
    {
        const auto store = std::move(open_on(disk)).take();
        put_block(*store, 1);
    }
    disk.remount(MS_RDONLY);
    const Result<std::unique_ptr<EmbeddedStore>> refused = open_on(disk);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::refused);
    EXPECT_THAT(refused.error().message, HasSubstr("Read-only file system"));
    EXPECT_THAT(refused.error().message, HasSubstr(disk.path()));
    disk.remount(0);
    const auto store = std::move(open_on(disk)).take();
    EXPECT_EQ(count_sound(*store, 2, 1000), 1U);
    put_block(*store, 2);
    EXPECT_TRUE(store->sync().ok());
}

} // namespace
} // namespace ic
