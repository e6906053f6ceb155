#include "executor/process/artifact_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace ic::executor::process {
namespace {

namespace fs = std::filesystem;

class ArtifactCacheTest : public ::testing::Test {
protected:
    void SetUp() override {
        options_.folder =
            fs::temp_directory_path() / ("ic-artifacts-" + std::to_string(::getpid()));
        fs::remove_all(options_.folder);
        options_.key.fill(1);
        open();
    }

    void TearDown() override { fs::remove_all(options_.folder); }

    void open() {
        Result<std::unique_ptr<ArtifactCache>> opened = ArtifactCache::open(options_);
        ASSERT_TRUE(opened) << opened.error().message;
        cache_ = std::move(opened).take();
    }

    static UniqueFd memory_of(std::string_view content) {
        UniqueFd memory(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
        EXPECT_EQ(::write(memory.get(), content.data(), content.size()),
                  static_cast<ssize_t>(content.size()));
        return memory;
    }

    void put(const ArtifactKey& key, std::string_view content) {
        ASSERT_TRUE(cache_->put(key, memory_of(content), 5));
    }

    std::optional<std::string> found(const ArtifactKey& key) {
        const std::shared_ptr<const Artifact> artifact = cache_->find(key);
        if (artifact == nullptr) {
            return std::nullopt;
        }
        std::string content(artifact->bytes, '\0');
        EXPECT_EQ(::pread(artifact->memory.get(), content.data(), content.size(), 0),
                  static_cast<ssize_t>(content.size()));
        return content;
    }

    fs::path file(const ArtifactKey& key) const {
        return fs::path(options_.folder) / key.file_name();
    }

    static void flip(const fs::path& path, std::streamoff at) {
        std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekg(at);
        const int byte = stream.get();
        stream.seekp(at);
        stream.put(static_cast<char>(byte ^ 1));
    }

    const ArtifactKey key_{.module = cid_of(Codec::raw, bytes_of("a")), .fingerprint = "f"};
    const ArtifactKey other_{.module = cid_of(Codec::raw, bytes_of("b")), .fingerprint = "f"};
    ArtifactCacheOptions options_;
    std::unique_ptr<ArtifactCache> cache_;
};

TEST_F(ArtifactCacheTest, FindGivesWhatWasPutAlsoAfterARestart) {
    put(key_, "code");
    EXPECT_EQ(found(key_), "code");
    EXPECT_EQ(found(other_), std::nullopt);
    open();
    EXPECT_EQ(found(key_), "code");
    EXPECT_EQ(cache_->find(key_)->module_bytes, 5U);
    EXPECT_EQ(cache_->find(key_)->number, cache_->find(key_)->number);
}

TEST_F(ArtifactCacheTest, WhatIsFoundCannotBeChanged) {
    put(key_, "code");
    open();
    const std::shared_ptr<const Artifact> artifact = cache_->find(key_);
    ASSERT_NE(artifact, nullptr);
    EXPECT_EQ(::pwrite(artifact->memory.get(), "x", 1, 0), -1);
    EXPECT_EQ(::ftruncate(artifact->memory.get(), 0), -1);
}

TEST_F(ArtifactCacheTest, AFlippedBitAnywhereIsNotLoaded) {
    put(key_, "code");
    const auto size = static_cast<std::streamoff>(fs::file_size(file(key_)));
    for (std::streamoff at = 0; at < size; ++at) {
        flip(file(key_), at);
        open();
        EXPECT_EQ(found(key_), std::nullopt) << "byte " << at;
        flip(file(key_), at);
    }
    open();
    EXPECT_EQ(found(key_), "code");
}

TEST_F(ArtifactCacheTest, ATruncatedOrLongerFileIsNotLoaded) {
    put(key_, "code");
    const std::uintmax_t size = fs::file_size(file(key_));
    fs::resize_file(file(key_), size + 1);
    open();
    EXPECT_EQ(found(key_), std::nullopt);
    for (std::uintmax_t shorter = size; shorter > 0; --shorter) {
        fs::resize_file(file(key_), shorter - 1);
        EXPECT_EQ(found(key_), std::nullopt);
    }
}

TEST_F(ArtifactCacheTest, AnotherModulesFileOrAnotherNodesIsNotLoaded) {
    put(key_, "code");
    fs::copy_file(file(key_), file(other_));
    EXPECT_EQ(found(other_), std::nullopt) << "under another name";
    options_.key.fill(2);
    open();
    EXPECT_EQ(found(key_), std::nullopt) << "under another key";
}

TEST_F(ArtifactCacheTest, ALinkIsNotFollowed) {
    put(key_, "code");
    const fs::path elsewhere = file(key_).string() + ".moved";
    fs::rename(file(key_), elsewhere);
    fs::create_symlink(elsewhere, file(key_));
    open();
    EXPECT_EQ(found(key_), std::nullopt);
}

TEST_F(ArtifactCacheTest, AFileThatOthersMayReadOrWriteIsNotLoaded) {
    put(key_, "code");
    fs::permissions(file(key_), fs::perms(0620));
    open();
    EXPECT_EQ(found(key_), std::nullopt);
}

TEST_F(ArtifactCacheTest, AForeignFileIsNotLoaded) {
    put(key_, "code");
    const bool given_away = ::chown(file(key_).c_str(), 12345, 12345) == 0;
    EXPECT_EQ(given_away, ::geteuid() == 0) << "only root can make the case";
    open();
    EXPECT_EQ(found(key_), given_away ? std::nullopt : std::optional<std::string>("code"));
}

TEST_F(ArtifactCacheTest, ANamedPipeDoesNotBlock) {
    ASSERT_EQ(::mkfifo(file(key_).c_str(), 0600), 0);
    EXPECT_EQ(found(key_), std::nullopt);
}

TEST_F(ArtifactCacheTest, TheFolderIsClosedToOthers) {
    fs::permissions(options_.folder, fs::perms::all);
    open();
    EXPECT_EQ(fs::status(options_.folder).permissions(), fs::perms::owner_all);
    EXPECT_EQ(fs::status(options_.folder).type(), fs::file_type::directory);
}

TEST_F(ArtifactCacheTest, DropForgetsItInMemoryAndOnDisk) {
    put(key_, "code");
    cache_->drop(key_);
    EXPECT_EQ(found(key_), std::nullopt);
    EXPECT_FALSE(fs::exists(file(key_)));
}

TEST_F(ArtifactCacheTest, TheFileUsedLongestAgoGoesFirst) {
    put(key_, "code");
    options_.disk_bytes_max = fs::file_size(file(key_)) * 2;
    open();
    put(other_, "code");
    const ArtifactKey third{.module = key_.module, .fingerprint = "g"};
    fs::last_write_time(file(key_), fs::file_time_type::clock::now() - std::chrono::hours(2));
    fs::last_write_time(file(other_), fs::file_time_type::clock::now() - std::chrono::hours(1));
    put(third, "code");
    EXPECT_FALSE(fs::exists(file(key_)));
    EXPECT_TRUE(fs::exists(file(other_)));
    EXPECT_TRUE(fs::exists(file(third)));
}

TEST_F(ArtifactCacheTest, TheFolderIsNeverAboveItsMaximum) {
    put(key_, "code");
    const std::uintmax_t file_bytes = fs::file_size(file(key_));
    options_.disk_bytes_max = file_bytes * 40 + file_bytes / 2;
    open();
    std::size_t most = 0;
    for (int number = 0; number < 200; ++number) {
        const ArtifactKey key{.module = key_.module, .fingerprint = std::to_string(number)};
        put(key, "code");
        EXPECT_TRUE(fs::exists(file(key)));
        const auto files = std::distance(fs::directory_iterator(options_.folder), {});
        most = std::max(most, static_cast<std::size_t>(files));
    }
    EXPECT_LE(most, 40U);
    EXPECT_GE(most, 37U) << "a sixteenth is cleared at once, not more";
}

TEST_F(ArtifactCacheTest, WhatIsLargerThanTheFolderMayBeStaysInMemory) {
    put(key_, "code");
    options_.disk_bytes_max = fs::file_size(file(key_));
    open();
    put(other_, "longer code");
    EXPECT_TRUE(fs::exists(file(key_))) << "nothing was removed for it";
    EXPECT_FALSE(fs::exists(file(other_)));
    EXPECT_EQ(found(other_), "longer code");
}

TEST_F(ArtifactCacheTest, MemoryIsBoundedAndTheDiskStillHasIt) {
    options_.memory_bytes_max = 4;
    open();
    put(key_, "code");
    const std::uint64_t number = cache_->find(key_)->number;
    put(other_, "more");
    EXPECT_EQ(found(key_), "code");
    EXPECT_NE(cache_->find(key_)->number, number) << "read again from disk";
}

TEST_F(ArtifactCacheTest, TheirNumberInMemoryIsBoundedToo) {
    options_.memory_artifacts_max = 2;
    open();
    put(key_, "code");
    put(other_, "more");
    const std::uint64_t number = cache_->find(key_)->number; // Used last.
    ArtifactKey third = key_;
    third.fingerprint += "-third";
    put(third, "third");
    EXPECT_EQ(cache_->find(key_)->number, number);
    const std::uint64_t of_other = cache_->find(other_)->number; // Read again from disk: the third
    EXPECT_EQ(cache_->find(other_)->number, of_other);           // took its place.
    EXPECT_NE(cache_->find(third), nullptr);
    EXPECT_EQ(cache_->artifacts_in_memory(), 2U);
}

TEST_F(ArtifactCacheTest, PutRefusesMemoryThatIsStillMappedForWriting) {
    UniqueFd memory = memory_of("code");
    void* base = ::mmap(nullptr, 4, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
    ASSERT_NE(base, MAP_FAILED);
    EXPECT_FALSE(cache_->put(key_, std::move(memory), 5));
    ::munmap(base, 4);
}

TEST_F(ArtifactCacheTest, AnUnfinishedFileOfLongAgoIsRemoved) {
    const fs::path old = fs::path(options_.folder) / ".new-1-1";
    const fs::path fresh = fs::path(options_.folder) / ".new-1-2";
    std::ofstream(old) << "x";
    std::ofstream(fresh) << "x";
    fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(1));
    open();
    EXPECT_FALSE(fs::exists(old));
    EXPECT_TRUE(fs::exists(fresh));
}

} // namespace
} // namespace ic::executor::process
