#include "ipld/testing/memory_blocks.h"
#include "unixfs/file_builder.h"
#include "unixfs/file_reader.h"
#include "unixfs/testing/keystream.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ic::unixfs {
namespace {

/// One link of a file node and the size that its parent claims for it.
struct Claim {
    Cid cid;
    std::uint64_t size = 0;
};

struct FileNode {
    std::vector<Claim> parts{};
    std::optional<std::uint64_t> file_size{};
    std::string_view content{};
};

Cid put_file(MemoryBlocks& blocks, const FileNode& file) {
    Data data{.type = DataType::file, .file_size = file.file_size};
    if (!file.content.empty()) {
        data.data = bytes_of(file.content);
    }
    dag_pb::Node node;
    for (const Claim& part : file.parts) {
        data.block_sizes.push_back(part.size);
        node.links.push_back({.cid = part.cid});
    }
    const Bytes message = encode_data(data);
    node.data = message;
    return blocks.add(Codec::dag_pb, dag_pb::encode(node));
}

Cid put_raw(MemoryBlocks& blocks, std::string_view text) {
    return blocks.add(Codec::raw, bytes_of(text));
}

Result<std::string> read_all(BlockSource& blocks, const Cid& cid, std::size_t piece_bytes = 1000) {
    FileReader reader = TRY(FileReader::open(blocks, cid));
    std::string text;
    Bytes piece(piece_bytes);
    for (;;) {
        const std::size_t count = TRY(reader.read(piece));
        if (count == 0) {
            return text;
        }
        text += text_of(ByteView{piece}.first(count));
    }
}

Errc error_of(BlockSource& blocks, const Cid& cid) {
    const Result<std::string> text = read_all(blocks, cid);
    EXPECT_FALSE(text);
    return text ? Errc::internal : text.error().code;
}

TEST(FileReader, ReadsBackWhatTheBuilderWrote) {
    const Bytes content = Keystream("read").take(1000);
    for (const Leaves leaves : {Leaves::raw, Leaves::dag_pb}) {
        for (const std::size_t size : {0U, 1U, 64U, 65U, 192U, 193U, 577U, 1000U}) {
            MemoryBlocks blocks;
            FileBuilder builder(
                {.chunker = ChunkerSpec::fixed(64), .leaves = leaves, .links_max = 3}, blocks);
            const ByteView wanted = ByteView{content}.first(size);
            ASSERT_TRUE(builder.write(wanted));
            const Cid cid = builder.finish().take().cid;
            EXPECT_EQ(FileReader::open(blocks, cid).take().size(), size);
            for (const std::size_t piece : {1U, 63U, 64U, 100U, 2000U}) {
                EXPECT_EQ(*read_all(blocks, cid, piece), text_of(wanted))
                    << size << " by " << piece;
            }
        }
    }
}

TEST(FileReader, ReadsAndLendsFromAnyOffset) {
    const Bytes content = Keystream("seek").take(1000);
    MemoryBlocks blocks;
    FileBuilder builder({.chunker = ChunkerSpec::fixed(64), .links_max = 3}, blocks);
    ASSERT_TRUE(builder.write(content));
    FileReader reader = FileReader::open(blocks, builder.finish().take().cid).take();
    Bytes piece(100);
    ASSERT_EQ(*reader.read(piece), 100U);
    for (std::size_t step = 0, offset = 0; step < 200; ++step, offset = (offset + 617) % 1000) {
        const std::size_t count = std::min<std::size_t>(piece.size(), 1000 - offset);
        ASSERT_EQ(*reader.read_at(offset, piece), count);
        EXPECT_TRUE(std::ranges::equal(ByteView{piece}.first(count),
                                       ByteView{content}.subspan(offset, count)));
        const LentBytes lent = reader.lend_at(offset).take();
        ASSERT_EQ(lent.size(), std::min<std::size_t>(64 - offset % 64, 1000 - offset));
        EXPECT_TRUE(
            std::ranges::equal(lent.view(), ByteView{content}.subspan(offset, lent.size())));
    }
    ASSERT_EQ(*reader.read(piece), 100U);
    EXPECT_EQ(piece[0], content[100]) << "read_at must not move the position";
    EXPECT_EQ(*reader.read_at(1000, piece), 0U);
    EXPECT_EQ(*reader.read_at(~std::uint64_t{0}, piece), 0U);
    EXPECT_EQ(reader.lend_at(1000)->size(), 0U);
}

TEST(FileReader, FetchesEveryBlockOnceWhenReadInOrder) {
    const Bytes content = Keystream("order").take(1000);
    MemoryBlocks blocks;
    FileBuilder builder({.chunker = ChunkerSpec::fixed(64), .links_max = 3}, blocks);
    ASSERT_TRUE(builder.write(content));
    ASSERT_TRUE(read_all(blocks, builder.finish().take().cid, 10));
    EXPECT_EQ(blocks.gets, blocks.blocks.size());
}

TEST(FileReader, ReadsIdentityAndRawFiles) {
    MemoryBlocks blocks;
    EXPECT_EQ(*read_all(blocks, Cid::v1(Codec::raw, HashCode::identity, bytes_of("in"))), "in");
    EXPECT_EQ(*read_all(blocks, put_raw(blocks, "raw")), "raw");
}

TEST(FileReader, ReadsContentOfInnerNodesAndLeavesOfDifferentDepths) {
    MemoryBlocks blocks;
    const Cid ab = put_raw(blocks, "ab");
    const Cid deep =
        put_file(blocks, {.parts = {{ab, 2}, {ab, 2}}, .file_size = 5, .content = "1"});
    const Cid root = put_file(
        blocks, {.parts = {{ab, 2}, {deep, 5}, {ab, 2}}, .file_size = 12, .content = "xyz"});
    EXPECT_EQ(*read_all(blocks, root), "xyzab1ababab");
    EXPECT_EQ(*read_all(blocks, root, 1), "xyzab1ababab");
}

TEST(FileReader, NeverFetchesPartsWithoutContent) {
    MemoryBlocks blocks;
    const Cid missing = cid_of(Codec::dag_pb, bytes_of("not here"));
    const Cid a = put_raw(blocks, "a");
    const Cid root = put_file(
        blocks,
        {.parts = {{missing, 0}, {a, 1}, {missing, 0}, {a, 1}, {missing, 0}}, .file_size = 2});
    EXPECT_EQ(*read_all(blocks, root), "aa");
}

TEST(FileReader, RejectsSizesThatDoNotAgree) {
    MemoryBlocks blocks;
    const Cid ab = put_raw(blocks, "ab");
    EXPECT_EQ(error_of(blocks, put_file(blocks, {.parts = {{ab, 2}}, .file_size = 3})),
              Errc::malformed); // Not the sum.
    EXPECT_EQ(error_of(blocks, put_file(blocks, {.parts = {{ab, 3}}, .file_size = 3})),
              Errc::malformed); // Not what the leaf has.
    EXPECT_EQ(error_of(blocks, put_file(blocks, {.parts = {{ab, 1}}, .file_size = 1})),
              Errc::malformed);
    EXPECT_EQ(error_of(blocks, put_file(blocks, {.parts = {{ab, 2}}})), Errc::malformed); // None.
    EXPECT_EQ(error_of(blocks, put_file(blocks, {.file_size = 1})), Errc::malformed);
    const Bytes message = encode_data({.type = DataType::file, .file_size = 2});
    const Bytes no_sizes = dag_pb::encode({.links = {{.cid = ab}}, .data = message});
    EXPECT_EQ(error_of(blocks, blocks.add(Codec::dag_pb, no_sizes)), Errc::malformed);
}

TEST(FileReader, RejectsMoreBytesThanAnInt64Counts) {
    MemoryBlocks blocks;
    const Cid a = put_raw(blocks, "a");
    constexpr std::uint64_t most = (std::uint64_t{1} << 63U) - 1;
    const Cid fits = put_file(blocks, {.parts = {{a, most - 1}, {a, 1}}, .file_size = most});
    EXPECT_EQ(FileReader::open(blocks, fits).take().size(), most);
    const Cid over = put_file(blocks, {.parts = {{a, most}, {a, 1}}, .file_size = 0});
    EXPECT_EQ(error_of(blocks, over), Errc::too_large);
}

TEST(FileReader, RejectsOneBlockDeeperThanTheLimit) {
    MemoryBlocks blocks;
    Cid file = put_raw(blocks, "x");
    for (std::size_t depth = 1; depth < limits::file_depth_max; ++depth) {
        file = put_file(blocks, {.parts = {{file, 1}}, .file_size = 1});
    }
    EXPECT_EQ(*read_all(blocks, file), "x");
    file = put_file(blocks, {.parts = {{file, 1}}, .file_size = 1});
    EXPECT_EQ(error_of(blocks, file), Errc::too_large);
}

TEST(FileReader, RejectsOneLinkBeyondTheLimit) {
    MemoryBlocks blocks;
    // Nodes one below the other, each with a quarter of the links; those that lead on come last.
    constexpr std::size_t node_links = limits::file_links_max / 4;
    Cid file = put_raw(blocks, "x");
    for (int depth = 0; depth < 4; ++depth) {
        FileNode node{.parts = std::vector<Claim>(node_links), .file_size = 1};
        node.parts.back() = {file, 1};
        file = put_file(blocks, node);
    }
    EXPECT_EQ(*read_all(blocks, file), "x");
    file = put_file(blocks, {.parts = {{file, 1}}, .file_size = 1});
    EXPECT_EQ(error_of(blocks, file), Errc::too_large);
}

TEST(FileReader, RejectsWhatIsNoFile) {
    MemoryBlocks blocks;
    const Bytes directory = encode_data({.type = DataType::directory});
    EXPECT_EQ(error_of(blocks, blocks.add(Codec::dag_pb, dag_pb::encode({.data = directory}))),
              Errc::unsupported);
    EXPECT_EQ(error_of(blocks, blocks.add(Codec::dag_pb, {})), Errc::unsupported);
    EXPECT_EQ(error_of(blocks, blocks.add(Codec::dag_cbor, {})), Errc::unsupported);
    EXPECT_EQ(error_of(blocks, blocks.add(Codec::dag_pb, bytes_of("\x0a"))), Errc::malformed);
}

TEST(FileReader, KeepsItsPlaceWhenABlockIsMissing) {
    MemoryBlocks blocks;
    const Cid here = put_raw(blocks, "here");
    const Cid later = cid_of(Codec::raw, bytes_of("later"));
    const Cid root = put_file(blocks, {.parts = {{here, 4}, {later, 5}}, .file_size = 9});
    FileReader reader = FileReader::open(blocks, root).take();
    Bytes piece(4);
    ASSERT_EQ(*reader.read(piece), 4U);
    EXPECT_EQ(reader.read(piece).error().code, Errc::not_found);
    put_raw(blocks, "later");
    ASSERT_EQ(*reader.read(piece), 4U);
    EXPECT_EQ(text_of(piece), "late");
}

TEST(FileReader, RestsBetweenReadsAndGoesOnWhereItWas) {
    const Bytes content = Keystream("rest").take(1000);
    MemoryBlocks blocks;
    FileBuilder builder({.chunker = ChunkerSpec::fixed(64), .links_max = 3}, blocks);
    ASSERT_TRUE(builder.write(content));
    const Cid root = builder.finish().take().cid;
    FileReader reader = FileReader::open(blocks, root).take();
    const std::size_t of_root = reader.held_bytes();
    EXPECT_GT(of_root, 3 * sizeof(Cid));
    Bytes seen, piece(100);
    while (const std::size_t count = reader.read(piece).take()) {
        seen.insert(seen.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
        EXPECT_GT(reader.held_bytes(), of_root + 8);
        reader.rest();
        EXPECT_EQ(reader.held_bytes(), 0U);
        EXPECT_EQ(reader.size(), 1000U);
    }
    EXPECT_EQ(seen, content);
    // What is gone by then is an error of the read, which can be tried again.
    reader.rest();
    const LentBytes block = blocks.blocks.at(root);
    blocks.blocks.erase(root);
    EXPECT_EQ(reader.read_at(0, piece).error().code, Errc::not_found);
    blocks.blocks.emplace(root, block);
    EXPECT_EQ(reader.read_at(0, piece).take(), 100U);
}

/// Writes down what the reader says that it will ask for.
class Listener final : public BlockSource {
public:
    explicit Listener(MemoryBlocks& blocks) : blocks_(blocks) {}

    Result<LentBytes> get(const Cid& cid) override { return blocks_.get(cid); }

    std::size_t foresight_blocks() const override { return 3; }

    void expect(const Cid& file, std::span<const UpcomingBlock> soon) override {
        file_ = file;
        heard.emplace_back();
        for (const UpcomingBlock& block : soon) {
            heard.back().emplace_back(block.cid, block.offset);
        }
    }

    Cid file_;
    std::vector<std::vector<std::pair<Cid, std::uint64_t>>> heard;

private:
    MemoryBlocks& blocks_;
};

TEST(FileReader, TellsItsSourceWhatFollows) {
    MemoryBlocks blocks;
    const Cid one = put_raw(blocks, "one"), two = put_raw(blocks, "two");
    const Cid three = put_raw(blocks, "three"), none = put_raw(blocks, "");
    const Cid inner = put_file(blocks, {.parts = {{one, 3}, {none, 0}, {two, 3}}, .file_size = 6});
    const Cid root =
        put_file(blocks, {.parts = {{inner, 6}, {three, 5}, {one, 3}}, .file_size = 14});
    Listener source(blocks);
    EXPECT_EQ(*read_all(source, root), "onetwothreeone");
    EXPECT_EQ(source.file_, root);
    using Heard = std::vector<std::pair<Cid, std::uint64_t>>;
    EXPECT_EQ(source.heard,
              (std::vector<Heard>{{{inner, 0}, {three, 6}, {one, 11}},
                                  {{one, 0}, {two, 3}, {three, 6}},
                                  {{two, 3}, {three, 6}, {one, 11}},
                                  {{three, 6}, {one, 11}},
                                  {{one, 11}}}));
}

} // namespace
} // namespace ic::unixfs
