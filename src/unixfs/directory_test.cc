#include "ipld/dag_pb.h"
#include "ipld/testing/memory_blocks.h"
#include "unixfs/data.h"
#include "unixfs/directory.h"
#include "unixfs/directory_builder.h"
#include "unixfs/file_builder.h"

#include <gtest/gtest.h>

namespace ic::unixfs {
namespace {

/// hello.txt, empty/, sub/deep.txt and a symlink: one of everything.
class Tree : public testing::Test {
protected:
    Entry file(std::string_view text) {
        FileBuilder builder(profile_, blocks_);
        EXPECT_TRUE(builder.write(bytes_of(text)));
        return builder.finish().take();
    }

    Entry directory(const std::vector<std::pair<std::string, Entry>>& entries) {
        DirectoryBuilder builder(profile_, blocks_);
        for (const auto& [name, entry] : entries) {
            EXPECT_TRUE(builder.add(name, entry));
        }
        return builder.finish().take();
    }

    Cid put(const Data& data) {
        const Bytes message = encode_data(data);
        return blocks_.add(Codec::dag_pb, dag_pb::encode({.data = message}));
    }

    Result<std::vector<std::string>> names(const Cid& cid) {
        std::vector<std::string> names;
        TRY(list(blocks_, cid, [&names](const DirectoryEntry& entry) -> Result<void> {
            names.push_back(entry.name);
            return {};
        }));
        return names;
    }

    /// A plain directory with these links, in this order.
    Cid put_links(std::vector<dag_pb::Link> links) {
        const Bytes message = encode_data({.type = DataType::directory});
        return blocks_.add(Codec::dag_pb,
                           dag_pb::encode({.links = std::move(links), .data = message}));
    }

    MemoryBlocks blocks_;
    Profile profile_ = unixfs_v1_2025;
    Entry hello_ = file("hello world");
    Cid link_ = put({.type = DataType::symlink, .data = bytes_of("sub/deep.txt")});
    Entry sub_ = directory({{"deep.txt", file("deep")}});
    Entry root_ = directory({{"sub", sub_},
                             {"hello.txt", hello_},
                             {"link", {.cid = link_, .tsize = 20, .file_size = 0}},
                             {"empty", directory({})}});
};

// The empty directory that Kubo has in every repository, in both versions of CID.
TEST_F(Tree, EmptyDirectoryIsTheOneEverybodyKnows) {
    EXPECT_EQ(directory({}).cid.to_string(),
              "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
    profile_ = unixfs_v0_2015;
    EXPECT_EQ(directory({}).cid.to_string(), "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn");
}

TEST_F(Tree, ListsNamesInOrderOfBytes) {
    EXPECT_EQ(*names(root_.cid), (std::vector<std::string>{"empty", "hello.txt", "link", "sub"}));
    const Entry mixed = directory({{"b", hello_}, {"B", hello_}, {"\xff", hello_}, {"a", hello_}});
    EXPECT_EQ(*names(mixed.cid), (std::vector<std::string>{"B", "a", "b", "\xff"}));
}

TEST_F(Tree, ListsTypesAndSizes) {
    std::vector<Stat> stats;
    const Result<void> done =
        list_with_types(blocks_, root_.cid, [&stats](const ListedEntry& listed) -> Result<void> {
            stats.push_back(listed.stat.value());
            return {};
        });
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(stats,
              (std::vector<Stat>{{.type = EntryType::directory, .size = 0},
                                 {.type = EntryType::file, .size = 11},
                                 {.type = EntryType::symlink, .size = 12},
                                 {.type = EntryType::directory, .size = 0}}));
    EXPECT_EQ(*stat(blocks_, hello_.cid), (Stat{.type = EntryType::file, .size = 11}));
}

TEST_F(Tree, ListsWhatIsNoUnixFsWithoutAType) {
    const Cid other = blocks_.add(Codec::dag_cbor, bytes_of("\x80"));
    const Cid gone = cid_of(Codec::dag_pb, bytes_of("gone"));
    const auto types_in = [this](const Cid& cid) {
        std::vector<bool> types;
        const Result<void> done =
            list_with_types(blocks_, cid, [&types](const ListedEntry& listed) -> Result<void> {
                types.push_back(listed.stat.has_value());
                return {};
            });
        return std::pair{types, done ? std::nullopt : std::optional(done.error().code)};
    };
    const Entry mixed =
        directory({{"a", hello_}, {"b", {.cid = other, .tsize = 1, .file_size = 0}}});
    EXPECT_EQ(types_in(mixed.cid), (std::pair{std::vector{true, false}, std::optional<Errc>{}}));
    const Entry torn = directory({{"a", hello_}, {"b", {.cid = gone, .tsize = 1, .file_size = 0}}});
    EXPECT_EQ(types_in(torn.cid),
              (std::pair{std::vector{true}, std::optional<Errc>{Errc::not_found}}));
}

TEST_F(Tree, ResolvesPathsHoweverTheyAreWritten) {
    const Cid deep = file("deep").cid;
    const std::string root = root_.cid.to_string();
    EXPECT_EQ(*resolve(blocks_, root + "/sub/deep.txt"), deep);
    EXPECT_EQ(*resolve(blocks_, "/ipfs/" + root + "/sub//deep.txt/"), deep);
    EXPECT_EQ(*resolve(blocks_, root_.cid, "sub/deep.txt"), deep);
    EXPECT_EQ(*resolve(blocks_, root_.cid, ""), root_.cid);
    EXPECT_EQ(*resolve(blocks_, "bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua"),
              Cid::parse("bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua").take())
        << "a root alone may be anything, and is not fetched";
}

TEST_F(Tree, ResolveSaysWhatIsMissingAndWhatIsNoDirectory) {
    EXPECT_EQ(resolve(blocks_, root_.cid, "sub/nothing").error().code, Errc::not_found);
    EXPECT_EQ(resolve(blocks_, root_.cid, "hello.txt/below").error().code, Errc::unsupported);
    EXPECT_EQ(resolve(blocks_, root_.cid, "link/deep.txt").error().code, Errc::unsupported);
    EXPECT_EQ(list(blocks_, hello_.cid, {}).error().code, Errc::unsupported);
    const Cid absent = cid_of(Codec::dag_pb, bytes_of("absent"));
    EXPECT_EQ(resolve(blocks_, absent, "a").error().code, Errc::not_found);
}

TEST_F(Tree, ReadsTheTargetOfASymlink) {
    EXPECT_EQ(*read_link(blocks_, link_), "sub/deep.txt");
    EXPECT_EQ(read_link(blocks_, hello_.cid).error().code, Errc::unsupported);
    Bytes target(limits::path_bytes_max, 'a');
    EXPECT_TRUE(read_link(blocks_, put({.type = DataType::symlink, .data = target})));
    target.push_back('a');
    EXPECT_EQ(read_link(blocks_, put({.type = DataType::symlink, .data = target})).error().code,
              Errc::too_large);
}

TEST_F(Tree, ListEndsWithTheErrorOfItsVisitor) {
    int calls = 0;
    const Result<void> done =
        list(blocks_, root_.cid, [&calls](const DirectoryEntry&) -> Result<void> {
            ++calls;
            return Error{Errc::cancelled, "enough"};
        });
    EXPECT_EQ(done.error().code, Errc::cancelled);
    EXPECT_EQ(calls, 1);
}

TEST_F(Tree, ListTakesUnsortedLinksAndRejectsOneNameTwice) {
    const Cid unsorted = put_links({{.cid = hello_.cid, .name = "b"}, {.cid = link_, .name = "a"}});
    EXPECT_EQ(*names(unsorted), (std::vector<std::string>{"a", "b"}));
    const Cid twice = put_links({{.cid = hello_.cid, .name = "b"},
                                 {.cid = link_, .name = "a"},
                                 {.cid = link_, .name = "b"}});
    EXPECT_EQ(names(twice).error().code, Errc::malformed);
}

TEST_F(Tree, ListRejectsNamesThatWouldMeanAnotherPath) {
    for (const std::string_view name : {"", ".", "..", "a/b", "/etc"}) {
        const Cid cid = put_links({{.cid = hello_.cid, .name = std::string(name)}});
        EXPECT_EQ(names(cid).error().code, Errc::malformed) << name;
    }
}

TEST_F(Tree, StatRejectsFilesWhoseSizesDoNotAgree) {
    EXPECT_EQ(stat(blocks_, put({.type = DataType::file, .file_size = 1})).error().code,
              Errc::malformed);
    EXPECT_EQ(stat(blocks_, put({.type = DataType::metadata})).error().code, Errc::unsupported);
}

TEST_F(Tree, BuilderRejectsNamesThatWouldMeanAnotherPath) {
    DirectoryBuilder builder(profile_, blocks_);
    for (const std::string_view name : {"", ".", "..", "a/b", "/"}) {
        EXPECT_EQ(builder.add(std::string(name), hello_).error().code, Errc::malformed) << name;
    }
    EXPECT_EQ(builder.add(std::string("a\0b", 3), hello_).error().code, Errc::malformed);
    EXPECT_TRUE(builder.add("a", hello_));
    EXPECT_EQ(builder.add("a", sub_).error().code, Errc::malformed);
    EXPECT_TRUE(builder.add(std::string(limits::name_bytes_max, 'n'), hello_));
    EXPECT_EQ(builder.add(std::string(limits::name_bytes_max + 1, 'n'), hello_).error().code,
              Errc::too_large);
    EXPECT_EQ(names(builder.finish().take().cid)->size(), 2U);
}

TEST_F(Tree, TsizeCountsTheDirectoryAndAllBelow) {
    EXPECT_EQ(hello_.tsize, 11U);
    const std::uint64_t own = blocks_.get(sub_.cid).take().size();
    EXPECT_EQ(sub_.tsize, own + 4);
}

} // namespace
} // namespace ic::unixfs
