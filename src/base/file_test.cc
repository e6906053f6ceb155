#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

namespace ic {
namespace {

class File : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "ic-file-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    std::string folder_;
};

TEST_F(File, ReadsBackWhatWasWrittenWithItsMode) {
    const std::string path = folder_ + "/a";
    ASSERT_TRUE(write_file(path, bytes_of("one"), 0600, IfExists::fail).ok());
    EXPECT_EQ(text_of(**read_file_if_exists(path, 3)), "one");
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(status.st_nlink, 1U) << "the draft's name is gone";
}

TEST_F(File, MakesFoldersAndGivesUpWhereNobodyCan) {
    EXPECT_TRUE(make_folders(folder_ + "/a/b/c", 0700).ok());
    EXPECT_TRUE(std::filesystem::is_directory(folder_ + "/a/b/c"));
    EXPECT_TRUE(make_folders(folder_ + "/a/b/c", 0700).ok()) << "there already";
    // The kernel says ENOENT for a folder in /proc, though /proc is there.
    EXPECT_EQ(make_folders("/proc/no-such-folder", 0700).error().code, Errc::not_found);
}

TEST_F(File, ReadRefusesOneByteMoreThanTheLimit) {
    const std::string path = folder_ + "/a";
    ASSERT_TRUE(write_file(path, bytes_of("four"), 0600, IfExists::fail).ok());
    EXPECT_EQ(read_file_if_exists(path, 3).error().code, Errc::too_large);
}

TEST_F(File, ReadGivesNothingWhereThereIsNoFile) {
    EXPECT_FALSE(read_file_if_exists(folder_ + "/none", 10)->has_value());
}

TEST_F(File, WriteReplacesOrRefusesAsAsked) {
    const std::string path = folder_ + "/a";
    ASSERT_TRUE(write_file(path, bytes_of("one"), 0600, IfExists::replace).ok());
    EXPECT_EQ(write_file(path, bytes_of("two"), 0600, IfExists::fail).error().code, Errc::refused);
    EXPECT_EQ(text_of(**read_file_if_exists(path, 10)), "one");
    ASSERT_TRUE(write_file(path, bytes_of("two"), 0600, IfExists::replace).ok());
    EXPECT_EQ(text_of(**read_file_if_exists(path, 10)), "two");
    const auto entries = std::filesystem::directory_iterator(folder_);
    EXPECT_EQ(std::distance(begin(entries), end(entries)), 1) << "no draft is left behind";
}

TEST_F(File, MakesMissingFoldersAndAcceptsThoseThatExist) {
    const std::string path = folder_ + "/x/y/z";
    ASSERT_TRUE(make_folders(path, 0700).ok());
    ASSERT_TRUE(make_folders(path, 0700).ok());
    EXPECT_TRUE(std::filesystem::is_directory(path));
}

TEST_F(File, MakeFoldersFailsWhereAFileStands) {
    ASSERT_TRUE(write_file(folder_ + "/f", {}, 0600, IfExists::fail).ok());
    EXPECT_FALSE(make_folders(folder_ + "/f", 0700).ok());
    EXPECT_FALSE(make_folders(folder_ + "/f/g", 0700).ok());
}

TEST(SystemError, MapsAFullDiskToStorageFull) {
    const Error error = system_error("cannot write", "x", ENOSPC);
    EXPECT_EQ(error.code, Errc::storage_full);
    EXPECT_EQ(error.message, "cannot write x: No space left on device");
}

} // namespace
} // namespace ic
