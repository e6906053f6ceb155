#include "ipld/testing/memory_blocks.h"
#include "unixfs/directory.h"
#include "unixfs/file_builder.h"
#include "unixfs/file_reader.h"
#include "unixfs/import_options.h"
#include "unixfs/testing/keystream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace ic::unixfs {
namespace {

Entry built(const Profile& profile,
            ByteView content,
            BlockSink& sink,
            const Metadata& metadata = {},
            std::size_t piece_bytes = 1000) {
    FileBuilder builder(profile, sink, metadata);
    while (!content.empty()) {
        const ByteView piece = content.first(std::min(content.size(), piece_bytes));
        EXPECT_TRUE(builder.write(piece));
        content = content.subspan(piece.size());
    }
    Result<Entry> entry = builder.finish();
    EXPECT_TRUE(entry) << (entry ? "" : entry.error().message);
    return entry ? std::move(entry).take() : Entry{};
}

std::string cid_of_content(const Profile& profile, ByteView content, const Metadata& metadata) {
    NullSink sink;
    return built(profile, content, sink, metadata).cid.to_string();
}

Bytes content_of(BlockSource& source, const Cid& cid) {
    FileReader reader = FileReader::open(source, cid).take();
    Bytes content(static_cast<std::size_t>(reader.size()));
    EXPECT_EQ(*reader.read(content), content.size());
    return content;
}

Profile with_layout(Layout layout, std::size_t links_max = 3) {
    Profile profile = unixfs_v0_2015;
    profile.chunker = ChunkerSpec::fixed(10);
    profile.layout = layout;
    profile.links_max = links_max;
    return profile;
}

/// The shape of a file: "o" a leaf, "()" around the parts of a node.
std::string shape_of(BlockSource& source, const Cid& cid) {
    const LoadedNode node = load_node(source, cid).take();
    if (node.links.empty()) {
        return "o";
    }
    std::string shape = "(";
    for (const dag_pb::Link& link : node.links) {
        shape += shape_of(source, link.cid);
    }
    return shape + ")";
}

std::string shape_with(Layout layout, std::size_t leaves, std::size_t links_max) {
    MemoryBlocks blocks;
    const Bytes content = Keystream("shape").take(leaves * 10);
    const Entry entry = built(with_layout(layout, links_max), content, blocks);
    return shape_of(blocks, entry.cid);
}

// kubo v0.43.0, test/sharness/t0047-add-mode-mtime.sh: an empty file.
TEST(FileBuilder, GivesMetadataTheCidsThatKuboGives) {
    constexpr UnixTime preserved{1'604'320'482};
    constexpr UnixTime custom{1'603'539'720};
    constexpr UnixTime custom_exact{1'603'539'720, 54'321};
    const auto cid = [](const Metadata& metadata) {
        return cid_of_content(unixfs_v0_2015, {}, metadata);
    };
    EXPECT_EQ(cid({.mode = 0640}), "QmQLgxypSNGNFTuUPGCecq6dDEjb6hNB5xSyVmP3cEuNtq");
    EXPECT_EQ(cid({.mtime = preserved}), "QmQ6kErEW8kztQFV8vbwNU8E4dmtGsYpRiboiLxUEwibvj");
    EXPECT_EQ(cid({.mode = 0640, .mtime = preserved}),
              "QmYkvboLsvLFcSYmqVJRxvBdYRQLroLv9kELf3LRiCqBri");
    EXPECT_EQ(cid({.mode = 0764}), "QmchD3BN8TQ3RW6jPLxSaNkqvfuj7syKhzTRmL4EpyY1Nz");
    EXPECT_EQ(cid({.mtime = custom}), "QmT3aY4avDcYXCWpU8CJzqUkW7YEuEsx36S8cTNoLcuK1B");
    EXPECT_EQ(cid({.mtime = custom_exact}), "QmaKH8H5rXBUBCX4vdxi7ktGQEL7wejV7L9rX2qpZjwncz");
    EXPECT_EQ(cid({.mode = 0764, .mtime = custom_exact}),
              "QmUkxrtBA8tPjwCYz1HrsoRfDz6NgKut3asVeHVQNH4C8L");
    EXPECT_EQ(cid({.mode = 0}), "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH")
        << "a file's mode 0 is left out";
}

// kubo v0.43.0, test/sharness/t0040-add-and-cat.sh and t0046-id-hash.sh.
TEST(FileBuilder, GivesTrickleAndInlinedFilesTheCidsThatKuboGives) {
    const ByteView hello = bytes_of("Hello Worlds!\n");
    Profile profile = unixfs_v0_2015;
    EXPECT_EQ(cid_of_content(profile, hello, {}), "QmVr26fY1tKyspEJBniVhqxQeEjhF78XerGiqWAwraVLQH");
    profile.layout = Layout::trickle;
    EXPECT_EQ(cid_of_content(profile, hello, {}), "QmUkUQgxXeggyaD5Ckv8ZqfW8wHBX6cYyeiyqvVZYzq5Bi");
    profile = unixfs_v0_2015;
    profile.leaves = Leaves::raw;
    profile.inline_bytes_max = 32;
    EXPECT_EQ(cid_of_content(profile, bytes_of("jkD98jkD975hkD8\n"), {}),
              "bafkqaedknncdsodknncdsnzvnbvuioak");
}

// Kubo 0.43.0, `ipfs add --only-hash` with these flags, over what `openssl enc -chacha20` gives
// with the key of the seed.
TEST(FileBuilder, GivesEveryChunkerLayoutAndHashTheCidsThatKuboGives) {
    const Bytes content = Keystream("chunkers").take(3'000'000);
    const auto cid = [&content](const ImportFlags& flags) {
        return cid_of_content(import_options("none", flags).take().profile, content, {});
    };
    EXPECT_EQ(cid({.chunker = "rabin"}), "QmTgYcfPuwWwr6o6NkVxL1EftkNA3iwhqxpTmNEfToFbPD");
    EXPECT_EQ(cid({.chunker = "rabin-1000-10000-100000"}),
              "QmWrMqEurJW92bdYjxq9cYmN7twwSr7b96K3tyRznorD52");
    EXPECT_EQ(cid({.chunker = "rabin-48"}), "QmdFzcXMuYyYAn7Agc36Wt6ChCQ3NtiJmP2R2PpqqEWzdY");
    EXPECT_EQ(cid({.chunker = "buzhash"}), "QmV5QqrSdXxaQw3LDpDugFdV5QuSe2E2Uqa6VcACokBBpN");
    EXPECT_EQ(cid({.chunker = "size-1000", .trickle = Switch::on, .file_links_max = 2}),
              "QmUbwa744BSQRAtKMPSgojkC7WRncw6JMQna9hv5KDPV9V");
    EXPECT_EQ(cid({.chunker = "size-1000", .trickle = Switch::on, .file_links_max = 7}),
              "QmctxXGVZgi7Tv3PX3j72GE2i1wRDB6ZTHUx86zuCQKBCH");
    EXPECT_EQ(cid({.hash = "blake3"}),
              "bafyb4idoqhasik45of2y6zxemkivseny3jdttsglruss5ifcoy4srde44m");
    EXPECT_EQ(
        cid({.hash = "sha2-512"}),
        "bafybgqcrgjva5p763aasuymbtzs7ikt2lz2loziqpdlrzflrddpumunhd2wdxscdla2mga6rlfrvs6ncabym"
        "h23qwczhpzd4bh6fpoyjnmine");
}

TEST(FileDag, MakesAllLeavesEquallyDeepInTheBalancedLayout) {
    EXPECT_EQ(shape_with(Layout::balanced, 0, 2), "o");
    EXPECT_EQ(shape_with(Layout::balanced, 1, 2), "o");
    EXPECT_EQ(shape_with(Layout::balanced, 2, 2), "(oo)");
    EXPECT_EQ(shape_with(Layout::balanced, 3, 2), "((oo)(o))");
    EXPECT_EQ(shape_with(Layout::balanced, 4, 2), "((oo)(oo))");
    EXPECT_EQ(shape_with(Layout::balanced, 5, 2), "(((oo)(oo))((o)))");
}

// boxo v0.42, ipld/unixfs/importer/trickle: leaves, then four subtrees of each depth.
TEST(FileDag, PutsTheFirstLeavesNearTheRootInTheTrickleLayout) {
    EXPECT_EQ(shape_with(Layout::trickle, 1, 2), "(o)");
    EXPECT_EQ(shape_with(Layout::trickle, 2, 2), "(oo)");
    EXPECT_EQ(shape_with(Layout::trickle, 3, 2), "(oo(o))");
    EXPECT_EQ(shape_with(Layout::trickle, 10, 2), "(oo(oo)(oo)(oo)(oo))");
    EXPECT_EQ(shape_with(Layout::trickle, 11, 2), "(oo(oo)(oo)(oo)(oo)(o))");
    EXPECT_EQ(shape_with(Layout::trickle, 13, 2), "(oo(oo)(oo)(oo)(oo)(oo(o)))");
    EXPECT_EQ(shape_with(Layout::trickle, 21, 2), "(oo(oo)(oo)(oo)(oo)(oo(oo)(oo)(oo)(oo))(o))");
}

TEST(FileDag, IsReadBackInEveryLayoutAndWithMetadata) {
    const Bytes content = Keystream("layouts").take(1234);
    const Metadata metadata{.mode = 0600, .mtime = UnixTime{-1, 5}};
    for (const Layout layout : {Layout::balanced, Layout::trickle}) {
        for (const std::size_t size : {0U, 1U, 10U, 11U, 29U, 30U, 31U, 90U, 91U, 1234U}) {
            MemoryBlocks blocks;
            const ByteView part = ByteView{content}.first(size);
            const Entry entry = built(with_layout(layout), part, blocks, metadata);
            EXPECT_TRUE(std::ranges::equal(content_of(blocks, entry.cid), part)) << size;
            EXPECT_EQ(*stat(blocks, entry.cid),
                      (Stat{.type = EntryType::file, .size = size, .metadata = metadata}))
                << size;
            std::uint64_t stored_bytes = 0;
            for (const auto& [cid, block] : blocks.blocks) {
                stored_bytes += block.size();
            }
            EXPECT_EQ(entry.tsize, stored_bytes) << "and nothing is put in vain, " << size;
        }
    }
}

TEST(FileDag, PutsMetadataIntoTheRootAlone) {
    const Bytes content = Keystream("root").take(1000);
    const Metadata metadata{.mode = 0600};
    for (const Layout layout : {Layout::balanced, Layout::trickle}) {
        MemoryBlocks blocks;
        const Entry with = built(with_layout(layout), content, blocks, metadata);
        for (const auto& [cid, block] : blocks.blocks) {
            const LoadedNode node = load_node(blocks, cid).take();
            EXPECT_EQ(node.data.mode.has_value(), cid == with.cid);
        }
    }
}

TEST(FileDag, TakesLeavesThatWereMadeElsewhere) {
    const Bytes content = Keystream("elsewhere").take(1000);
    for (const Layout layout : {Layout::balanced, Layout::trickle}) {
        for (const Metadata& metadata : {Metadata{}, Metadata{.mode = 0640}}) {
            for (const std::size_t size : {0U, 5U, 10U, 30U, 31U, 1000U}) {
                const Profile profile = with_layout(layout);
                const ByteView part = ByteView{content}.first(size);
                NullSink sink;
                FileDag dag(profile, metadata, sink);
                const LeafMaker maker(profile, metadata);
                Bytes room;
                for (std::size_t at = 0; at < size; at += 10) {
                    const ByteView chunk = part.subspan(at, std::min<std::size_t>(10, size - at));
                    ASSERT_TRUE(dag.add(size <= 10 ? maker.make_only(chunk, room).part
                                                   : maker.make(chunk, room).part));
                }
                EXPECT_EQ(dag.finish().take(), built(profile, part, sink, metadata)) << size;
            }
        }
    }
}

TEST(FileDag, NamesBlocksByTheHashOfTheProfile) {
    const Bytes content = Keystream("hashes").take(100);
    for (const HashCode hash : {HashCode::sha2_256, HashCode::sha2_512, HashCode::blake3}) {
        for (const Leaves leaves : {Leaves::raw, Leaves::dag_pb}) {
            Profile profile = with_layout(Layout::balanced);
            profile.cid_version = 1;
            profile.hash = hash;
            profile.leaves = leaves;
            MemoryBlocks blocks;
            const Entry entry = built(profile, content, blocks);
            EXPECT_TRUE(std::ranges::equal(content_of(blocks, entry.cid), content));
            for (const auto& [cid, block] : blocks.blocks) {
                EXPECT_EQ(cid.hash(), hash);
                EXPECT_TRUE(cid.verify(block.view()));
            }
        }
    }
}

TEST(FileDag, InlinesBlocksUpToTheLimitAndPutsTheOthers) {
    Profile profile = with_layout(Layout::balanced);
    profile.leaves = Leaves::raw;
    profile.inline_bytes_max = 10;
    MemoryBlocks blocks;
    EXPECT_EQ(built(profile, bytes_of("0123456789"), blocks).cid,
              Cid::v1(Codec::raw, HashCode::identity, bytes_of("0123456789")));
    EXPECT_TRUE(blocks.blocks.empty());
    const Bytes content = Keystream("inline").take(95);
    const Entry entry = built(profile, content, blocks); // Ten leaves, 4 + 2 + 1 nodes.
    EXPECT_EQ(blocks.blocks.size(), 7U);
    EXPECT_TRUE(std::ranges::equal(content_of(blocks, entry.cid), content));
    profile.chunker = ChunkerSpec::fixed(11);
    MemoryBlocks others;
    EXPECT_EQ(built(profile, bytes_of("0123456789a"), others).cid.hash(), HashCode::sha2_256);
    EXPECT_EQ(others.blocks.size(), 1U);
}

TEST(FileDag, KeepsRawLeavesAtVersionOneBelowNodesOfVersionZero) {
    Profile profile = with_layout(Layout::balanced);
    profile.leaves = Leaves::raw;
    MemoryBlocks blocks;
    const Entry entry = built(profile, Keystream("mixed").take(25), blocks);
    EXPECT_EQ(entry.cid.version(), 0);
    for (const auto& [cid, block] : blocks.blocks) {
        EXPECT_EQ(cid.version(), cid.codec() == Codec::raw ? 1 : 0);
    }
}

// A link takes 44 bytes and its size in the message 2: 45,590 of them fill a block.
TEST(FileDag, RejectsNodesThatWouldBeLargerThanABlock) {
    Profile profile = unixfs_v1_2025;
    profile.links_max = 1'000'000;
    const Part leaf{.cid = cid_of(Codec::raw, bytes_of("x")), .tsize = 1, .content_bytes = 1};
    for (const std::size_t leaves : {45'000U, 46'000U}) {
        NullSink sink;
        FileDag dag(profile, {}, sink);
        for (std::size_t count = 0; count < leaves; ++count) {
            ASSERT_TRUE(dag.add(leaf));
        }
        const Result<Entry> entry = dag.finish();
        EXPECT_EQ(entry.ok(), leaves == 45'000U);
        if (!entry) {
            EXPECT_EQ(entry.error().code, Errc::too_large);
        }
    }
}

TEST(FileDag, RejectsOneLinkBeyondThoseOfANode) {
    for (const Layout layout : {Layout::balanced, Layout::trickle}) {
        Profile profile = unixfs_v1_2025;
        profile.layout = layout;
        profile.links_max = 1'000'000;
        NullSink sink;
        FileDag dag(profile, {}, sink);
        for (std::size_t count = 0; count < dag_pb::limits::links_max; ++count) {
            ASSERT_TRUE(dag.add(Part{}));
        }
        EXPECT_EQ(dag.add(Part{}).error().code, Errc::too_large);
    }
}

} // namespace
} // namespace ic::unixfs
