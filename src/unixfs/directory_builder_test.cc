#include "ipld/testing/memory_blocks.h"
#include "unixfs/directory.h"
#include "unixfs/directory_builder.h"
#include "unixfs/file_builder.h"
#include "unixfs/hamt.h"
#include "unixfs/load_node.h"
#include "unixfs/symlink.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace ic::unixfs {
namespace {

using Children = std::vector<std::pair<std::string, Entry>>;

class Directories : public testing::Test {
protected:
    Entry file(std::string_view content, const Metadata& metadata = {}) {
        FileBuilder builder(profile_, blocks_, metadata);
        EXPECT_TRUE(builder.write(bytes_of(content)));
        return builder.finish().take();
    }

    Entry directory(const Children& children, const Metadata& metadata = {}) {
        DirectoryBuilder builder(profile_, blocks_, metadata);
        for (const auto& [name, entry] : children) {
            EXPECT_TRUE(builder.add(name, entry));
        }
        Result<Entry> entry = builder.finish();
        EXPECT_TRUE(entry) << (entry ? "" : entry.error().message);
        return entry ? std::move(entry).take() : Entry{};
    }

    Children numbered(int count) {
        Children children;
        for (int index = 1; index <= count; ++index) {
            const std::string number = std::to_string(index);
            children.emplace_back("file" + number, file(number + "\n"));
        }
        return children;
    }

    DataType type_of(const Cid& cid) { return load_node(blocks_, cid).take().data.type; }

    MemoryBlocks blocks_;
    Profile profile_ = unixfs_v0_2015;
};

// kubo v0.43.0, test/sharness/t0260-sharding.sh.
TEST_F(Directories, HaveTheCidsThatKuboGivesPlainAndSharded) {
    EXPECT_EQ(directory(numbered(2000)).cid.to_string(),
              "QmavrTrQG4VhoJmantURAYuw3bowq3E2WcvP36NRQDAC1N");
    profile_.shard_above_bytes = 1;
    EXPECT_EQ(directory(numbered(2000)).cid.to_string(),
              "QmSCJD1KYLhVVHqBK3YyXuoEqHt7vggyJhzoFYbT8v1XYL");
    profile_.cid_version = 1;
    profile_.leaves = Leaves::raw;
    EXPECT_EQ(directory(numbered(2000)).cid.to_string(),
              "bafybeibiemewfzzdyhq2l74wrd6qj2oz42usjlktgnlqv4yfawgouaqn4u");
}

// kubo v0.43.0, test/sharness/t0047-add-mode-mtime.sh: an empty directory.
TEST_F(Directories, HaveTheCidsThatKuboGivesWithMetadata) {
    const auto cid = [this](const Metadata& metadata) {
        return directory({}, metadata).cid.to_string();
    };
    EXPECT_EQ(cid({}), "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
    EXPECT_EQ(cid({.mode = 0755}), "QmRviohgafvCsbkiTgfQFipbuXJ6k1YtoiaQW4quttJPKu");
    EXPECT_EQ(cid({.mtime = UnixTime{1'655'158'722}}),
              "QmYMy7CZGb498QFSQBF5ZFwv1FYbrAtYZMe4VxhDXxAcvf");
    EXPECT_EQ(cid({.mode = 0713}), "QmQ1ABnw2iip7sj23EzzBZ9T77KyyfESP6SUboiXPyzNQe");
    EXPECT_EQ(cid({.mtime = UnixTime{1'603'539'720}}),
              "QmfWitW6F13WHFXLbJzXRYmwrS1p4gaAJAfucUSMytRPn3");
    EXPECT_EQ(cid({.mtime = UnixTime{1'603'539'720, 54'321}}),
              "QmZFdCLJay31hT3Tx1LygJ7XfiLEs3qLCXtbeBfhf38aZg");
}

// The tree of the same script, with the modes and times that it sets.
TEST_F(Directories, HaveTheCidsThatKuboGivesInATree) {
    const auto at = [](std::uint32_t mode, std::int64_t seconds) {
        return Metadata{.mode = mode, .mtime = UnixTime{1'655'158'632 + seconds}};
    };
    const Entry sub2 = directory({{"file3", file("", at(0644, 10))}}, at(0755, 30));
    const Entry link1 = put_symlink(profile_, blocks_, "../sub2/file3", at(0777, 20)).take();
    const Entry sub1 = directory({{"link1", link1}, {"sub2", sub2}}, at(0755, 40));
    EXPECT_EQ(sub1.cid.to_string(), "QmeQwX5qAX18fcPDxDdkfM6ttuFCZetF5hgeUa6ov8D5oc");
    const Entry dir1 = directory({}, at(0755, 90));
    const Entry dir2 = directory({{"sub1", sub1}}, at(0755, 50));
    const Entry dir3 = directory({{"file2", file("", at(0644, 60))}}, at(0755, 70));
    const Entry root = directory(
        {{"dir1", dir1}, {"dir2", dir2}, {"dir3", dir3}, {"file1", file("", at(0644, 80))}},
        at(0700, 0));
    EXPECT_EQ(root.cid.to_string(), "QmSioyvQuXetxg7uo8FswGn9XKKEsisDq1HTMzGyWbw2R6");
    EXPECT_EQ(stat(blocks_, root.cid)->metadata, at(0700, 0));
}

TEST_F(Directories, WriteAModeOfZero) {
    const Cid cid = directory({}, {.mode = 0}).cid;
    EXPECT_EQ(load_node(blocks_, cid)->data.mode, 0U);
    EXPECT_EQ(stat(blocks_, cid)->metadata, Metadata{}) << "which says nothing to a reader";
}

TEST_F(Directories, AreShardedByTheirNumberOfEntriesWhereItIsLimited) {
    profile_.directory_links_max = 5;
    EXPECT_EQ(type_of(directory(numbered(5)).cid), DataType::directory);
    EXPECT_EQ(type_of(directory(numbered(6)).cid), DataType::hamt_shard);
    profile_.directory_size = DirectorySize::ignored;
    profile_.shard_above_bytes = 1;
    EXPECT_EQ(type_of(directory(numbered(5)).cid), DataType::directory);
    EXPECT_EQ(type_of(directory(numbered(6)).cid), DataType::hamt_shard);
    profile_.directory_links_max = 0;
    EXPECT_EQ(type_of(directory(numbered(100)).cid), DataType::directory);
}

TEST_F(Directories, AreNeverShardedWithAThresholdOfZero) {
    profile_.shard_above_bytes = 0;
    profile_.directory_links_max = 1;
    EXPECT_EQ(type_of(directory(numbered(50)).cid), DataType::directory);
}

TEST_F(Directories, CountMetadataInTheSizeOfTheBlock) {
    profile_ = unixfs_v1_2025;
    const Children one{{"name", file("x")}};
    const Metadata metadata{.mode = 0755, .mtime = UnixTime{-1, 1}};
    const std::size_t plain = blocks_.get(directory(one).cid)->size();
    const std::size_t with = blocks_.get(directory(one, metadata).cid)->size();
    ASSERT_GT(with, plain);
    profile_.shard_above_bytes = with;
    EXPECT_EQ(type_of(directory(one, metadata).cid), DataType::directory);
    profile_.shard_above_bytes = with - 1;
    EXPECT_EQ(type_of(directory(one, metadata).cid), DataType::hamt_shard);
    EXPECT_EQ(type_of(directory(one).cid), DataType::directory);
    profile_.directory_size = DirectorySize::links;
    EXPECT_EQ(type_of(directory(one, metadata).cid), DataType::directory);
}

TEST_F(Directories, KeepMetadataOfAShardedDirectoryInItsRoot) {
    profile_.shard_above_bytes = 1;
    const Metadata metadata{.mode = 0750, .mtime = UnixTime{7}};
    const Cid root = directory(numbered(300), metadata).cid;
    EXPECT_EQ(stat(blocks_, root)->metadata, metadata);
    for (const auto& [cid, block] : blocks_.blocks) {
        const LoadedNode node = load_node(blocks_, cid).take();
        EXPECT_EQ(node.data.mode.has_value(), cid == root);
    }
}

TEST_F(Directories, AreListedAndFoundWithEveryFanout) {
    profile_.shard_above_bytes = 1;
    const Children children = numbered(500);
    for (std::uint64_t fanout = limits::shard_fanout_min; fanout <= limits::shard_fanout_max;
         fanout *= 2) {
        profile_.shard_fanout = fanout;
        const Cid root = directory(children).cid;
        EXPECT_EQ(load_node(blocks_, root)->data.fanout, fanout);
        std::size_t count = 0;
        EXPECT_TRUE(list(blocks_, root, [&count](const DirectoryEntry&) -> Result<void> {
            ++count;
            return {};
        }));
        EXPECT_EQ(count, children.size()) << fanout;
        EXPECT_EQ(find_entry(blocks_, root, "file77")->cid, file("77\n").cid) << fanout;
    }
}

TEST_F(Directories, AreInlinedIfTheyAreSmallEnough) {
    profile_.inline_bytes_max = 32;
    MemoryBlocks none;
    DirectoryBuilder builder(profile_, none);
    const Cid cid = builder.finish().take().cid;
    EXPECT_EQ(cid.hash(), HashCode::identity);
    EXPECT_EQ(cid.codec(), Codec::dag_pb);
    EXPECT_TRUE(none.blocks.empty());
    EXPECT_EQ(stat(none, cid)->type, EntryType::directory);
}

} // namespace
} // namespace ic::unixfs
