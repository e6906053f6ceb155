#include "exporter/save.h"
#include "ipld/dag_pb.h"
#include "ipld/testing/memory_blocks.h"
#include "unixfs/data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace ic::exporter {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Named {
    std::string name;
    Cid cid;
};

/// Nodes by hand, hostile ones too.
class Nodes {
public:
    Cid file(std::string_view content, unixfs::Metadata metadata = {}) {
        return node({.type = unixfs::DataType::file,
                     .data = bytes_of(content),
                     .file_size = content.size(),
                     .mode = metadata.mode,
                     .mtime = metadata.mtime},
                    {});
    }

    Cid link(std::string_view target, unixfs::Metadata metadata = {}) {
        return node(
            {.type = unixfs::DataType::symlink, .data = bytes_of(target), .mtime = metadata.mtime},
            {});
    }

    Cid folder(const std::vector<Named>& entries, unixfs::Metadata metadata = {}) {
        return node(
            {.type = unixfs::DataType::directory, .mode = metadata.mode, .mtime = metadata.mtime},
            entries);
    }

    MemoryBlocks blocks;

private:
    Cid node(const unixfs::Data& data, const std::vector<Named>& entries) {
        const Bytes message = unixfs::encode_data(data);
        dag_pb::Node node{.links = {}, .data = ByteView{message}};
        for (const Named& entry : entries) {
            node.links.push_back({.cid = entry.cid, .name = entry.name});
        }
        return blocks.add(Codec::dag_pb, dag_pb::encode(node));
    }
};

class Saving : public ::testing::Test {
protected:
    void SetUp() override {
        std::string name = ::testing::TempDir() + "save-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        ::umask(022);
    }

    void TearDown() override { fs::remove_all(folder_); }

    std::string at(const std::string& name) const { return folder_ + "/" + name; }

    Result<void> save(const Cid& cid, const std::string& place) {
        return save_files(nodes_.blocks, {cid, "root"}, at(place), {});
    }

    static std::string text(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    static struct stat stat_of(const std::string& path) {
        struct stat found{};
        EXPECT_EQ(::lstat(path.c_str(), &found), 0) << path;
        return found;
    }

    std::vector<std::string> names(const std::string& place = "") const {
        std::vector<std::string> found;
        for (const fs::directory_entry& entry : fs::directory_iterator(at(place))) {
            found.push_back(entry.path().filename());
        }
        std::ranges::sort(found);
        return found;
    }

    Nodes nodes_;
    std::string folder_;
};

TEST_F(Saving, MakesTheTreeWithModesAndTimes) {
    const unixfs::UnixTime time{.seconds = 1'000'000'000, .nanoseconds = 123'456'789};
    const Cid root = nodes_.folder(
        {{"f", nodes_.file("content", {.mode = 0640, .mtime = time})},
         {"l", nodes_.link("f", {.mtime = time})},
         {"sub", nodes_.folder({{"x", nodes_.file("y")}}, {.mode = 0555, .mtime = time})}},
        {.mtime = time});
    ASSERT_TRUE(save(root, "out").ok());
    EXPECT_EQ(text(at("out/f")), "content");
    EXPECT_EQ(text(at("out/sub/x")), "y");
    EXPECT_EQ(fs::read_symlink(at("out/l")), "f");
    EXPECT_EQ(stat_of(at("out/f")).st_mode & 07777, 0640U);
    EXPECT_EQ(stat_of(at("out/sub")).st_mode & 07777, 0555U);
    for (const char* name : {"out/f", "out/l", "out/sub", "out"}) {
        EXPECT_EQ(stat_of(at(name)).st_mtim.tv_sec, time.seconds) << name;
        EXPECT_EQ(stat_of(at(name)).st_mtim.tv_nsec, time.nanoseconds) << name;
    }
    fs::permissions(at("out/sub"), fs::perms::owner_all);
}

TEST_F(Saving, LeavesTheUmaskItsSayWhereNoModeIsKept) {
    ::umask(027);
    ASSERT_TRUE(save(nodes_.folder({{"f", nodes_.file("")}}), "out").ok());
    EXPECT_EQ(stat_of(at("out")).st_mode & 07777, 0750U);
    EXPECT_EQ(stat_of(at("out/f")).st_mode & 07777, 0640U);
}

TEST_F(Saving, MakesNothingThatRunsAsItsOwner) {
    ASSERT_TRUE(save(nodes_.file("#!/bin/sh", {.mode = 06755}), "tool").ok());
    EXPECT_EQ(stat_of(at("tool")).st_mode & 07777, 0755U);
}

TEST_F(Saving, MergesFoldersAndReplacesFilesLinksAndEmptyFolders) {
    fs::create_directories(at("out/empty"));
    fs::create_directories(at("out/kept"));
    std::ofstream(at("out/kept/old")) << "old";
    std::ofstream(at("out/file")) << "old";
    std::ofstream(at("elsewhere")) << "elsewhere";
    fs::create_symlink("../elsewhere", at("out/link"));
    const Cid file = nodes_.file("new");
    ASSERT_TRUE(save(nodes_.folder({{"empty", file},
                                    {"file", file},
                                    {"kept", nodes_.folder({{"new", file}})},
                                    {"link", file}}),
                     "out")
                    .ok());
    EXPECT_THAT(names("out"), ElementsAre("empty", "file", "kept", "link"));
    EXPECT_THAT(names("out/kept"), ElementsAre("new", "old"));
    for (const char* name : {"out/empty", "out/file", "out/link", "out/kept/new"}) {
        EXPECT_EQ(text(at(name)), "new") << name;
    }
    EXPECT_EQ(text(at("elsewhere")), "elsewhere") << "a link is replaced, not followed";
}

TEST_F(Saving, PutsAFileIntoAFolderThatIsThere) {
    fs::create_directories(at("out"));
    ASSERT_TRUE(save(nodes_.file("new"), "out").ok());
    EXPECT_EQ(text(at("out/root")), "new");
    ASSERT_TRUE(save(nodes_.link("target"), "out/").ok());
    EXPECT_EQ(fs::read_symlink(at("out/root")), "target");
}

TEST_F(Saving, RefusesWhatItMustNotReplace) {
    fs::create_directories(at("out/full/x"));
    const Result<void> over_folder = save(nodes_.folder({{"full", nodes_.file("f")}}), "out");
    EXPECT_EQ(over_folder.error().code, Errc::refused);
    EXPECT_THAT(over_folder.error().message, HasSubstr(at("out/full")));
    std::ofstream(at("file")) << "old";
    EXPECT_EQ(save(nodes_.folder({}), "file").error().code, Errc::refused);
    EXPECT_EQ(text(at("file")), "old");
    EXPECT_THAT(names("out"), ElementsAre("full")) << "nothing half done stays";
}

TEST_F(Saving, FollowsNoLinkThatIsThere) {
    fs::create_directories(at("elsewhere"));
    fs::create_symlink("elsewhere", at("out"));
    const Cid root = nodes_.folder({{"f", nodes_.file("f")}});
    EXPECT_EQ(save(root, "out").error().code, Errc::refused);
    EXPECT_EQ(save(root, "out/").error().code, Errc::refused);
    fs::create_directories(at("tree"));
    fs::create_symlink("../elsewhere", at("tree/sub"));
    EXPECT_EQ(save(nodes_.folder({{"sub", root}}), "tree").error().code, Errc::refused);
    EXPECT_THAT(names("elsewhere"), ElementsAre());
}

// A DAG may hold a link and a folder of one name only by being malformed; one that holds a link
// first and writes through it in a second directory of that name cannot be.
TEST_F(Saving, FollowsNoLinkThatCameAlong) {
    fs::create_directories(at("elsewhere"));
    const Cid root = nodes_.folder(
        {{"a", nodes_.link("../elsewhere")}, {"a", nodes_.folder({{"f", nodes_.file("f")}})}});
    EXPECT_FALSE(save(root, "out").ok());
    EXPECT_THAT(names("elsewhere"), ElementsAre());
}

TEST_F(Saving, TakesNoNameThatLeadsElsewhere) {
    for (const char* name : {"..", ".", "", "/etc", "a/b", "../x"}) {
        EXPECT_EQ(save(nodes_.folder({{name, nodes_.file("f")}}), "out").error().code,
                  Errc::malformed)
            << name;
    }
    EXPECT_THAT(names(""), ElementsAre("out"));
    EXPECT_THAT(names("out"), ElementsAre());
}

TEST_F(Saving, LeavesNothingOfAFileThatCannotBeHadWhole) {
    const Cid missing = cid_of(Codec::raw, bytes_of("missing"));
    const unixfs::Data data{.type = unixfs::DataType::file, .file_size = 7, .block_sizes = {7}};
    const Bytes message = unixfs::encode_data(data);
    const Cid broken = nodes_.blocks.add(
        Codec::dag_pb, dag_pb::encode({.links = {{.cid = missing}}, .data = ByteView{message}}));
    std::ofstream(at("file")) << "old";
    EXPECT_EQ(save(broken, "file").error().code, Errc::not_found);
    EXPECT_EQ(text(at("file")), "old");
    EXPECT_THAT(names(), ElementsAre("file"));
}

TEST_F(Saving, RefusesFoldersOnePastTheDepth) {
    Cid deep = nodes_.folder({});
    for (std::size_t level = 1; level < limits::folders_deep_max; ++level) {
        deep = nodes_.folder({{"d", deep}});
    }
    EXPECT_TRUE(save(deep, "fits").ok());
    EXPECT_EQ(save(nodes_.folder({{"d", deep}}), "deeper").error().code, Errc::too_large);
}

class Text final : public archive::ByteSink {
public:
    Result<void> write(ByteView bytes) override {
        text += text_of(bytes);
        return {};
    }

    std::string text;
};

TEST_F(Saving, ArchivesInStoredOrderWithDefaults) {
    const Cid root = nodes_.folder({{"b", nodes_.file("1", {.mode = 0600})},
                                    {"l", nodes_.link("b")},
                                    {"sub", nodes_.folder({})}},
                                   {.mtime = unixfs::UnixTime{.seconds = 5}});
    Text tar;
    std::uint64_t told = 0;
    ASSERT_TRUE(save_tar(nodes_.blocks,
                         {root, "root"},
                         {.now = {.seconds = 1'700'000'000}},
                         tar,
                         [&](std::uint64_t bytes) { told += bytes; })
                    .ok());
    EXPECT_EQ(told, 1U);
    // Headers: root, b, its content, l, sub; then two empty blocks.
    ASSERT_EQ(tar.text.size(), 512U * 7);
    const auto field = [&](std::size_t block, std::size_t from, std::size_t bytes) {
        return std::string(tar.text.substr(512 * block + from, bytes).c_str());
    };
    EXPECT_EQ(field(0, 0, 100), "root");
    EXPECT_EQ(field(0, 100, 8), "0000755");
    EXPECT_EQ(field(0, 136, 12), "00000000005");
    EXPECT_EQ(field(1, 0, 100), "root/b");
    EXPECT_EQ(field(1, 100, 8), "0000600");
    EXPECT_EQ(field(1, 136, 12), "14524770400") << "1,700,000,000 in octal";
    EXPECT_EQ(field(2, 0, 100), "1");
    EXPECT_EQ(field(3, 157, 100), "b");
    EXPECT_EQ(field(3, 100, 8), "0000777");
    EXPECT_EQ(field(4, 0, 100), "root/sub");
}

TEST_F(Saving, GivesTheBytesOfAFileOrTheTargetOfALink) {
    Text file, link;
    ASSERT_TRUE(save_content(nodes_.blocks, nodes_.file("bytes"), file, {}).ok());
    EXPECT_EQ(file.text, "bytes");
    ASSERT_TRUE(save_content(nodes_.blocks, nodes_.link("target"), link, {}).ok());
    EXPECT_EQ(link.text, "target");
    EXPECT_EQ(save_content(nodes_.blocks, nodes_.folder({}), link, {}).error().code,
              Errc::unsupported);
}

TEST_F(Saving, CopiesARangeAndNothingBehindTheEnd) {
    const Cid cid = nodes_.file("0123456789");
    const auto part = [&](Range range) {
        Text text;
        unixfs::FileReader reader = std::move(unixfs::FileReader::open(nodes_.blocks, cid)).take();
        EXPECT_TRUE(copy_content(reader, range, text, {}).ok());
        return text.text;
    };
    EXPECT_EQ(part({}), "0123456789");
    EXPECT_EQ(part({.offset = 3, .bytes = 4}), "3456");
    EXPECT_EQ(part({.offset = 8, .bytes = 100}), "89");
    EXPECT_EQ(part({.offset = 11}), "");
    EXPECT_EQ(part({.offset = 0, .bytes = 0}), "");
}

} // namespace
} // namespace ic::exporter
