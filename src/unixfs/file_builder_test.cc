#include "ipld/testing/memory_blocks.h"
#include "unixfs/file_builder.h"
#include "unixfs/profile.h"
#include "unixfs/testing/keystream.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ic::unixfs {
namespace {

Entry built(const Profile& profile, ByteView content, std::size_t piece_bytes, BlockSink& sink) {
    FileBuilder builder(profile, sink);
    while (!content.empty()) {
        const ByteView piece = content.first(std::min(content.size(), piece_bytes));
        EXPECT_TRUE(builder.write(piece));
        content = content.subspan(piece.size());
    }
    Result<Entry> entry = builder.finish();
    EXPECT_TRUE(entry);
    return entry ? std::move(entry).take() : Entry{};
}

std::uint64_t bytes_of_all(const MemoryBlocks& blocks) {
    std::uint64_t sum = 0;
    for (const auto& [cid, data] : blocks.blocks) {
        sum += data.size();
    }
    return sum;
}

// What Kubo 0.43 gives to an empty file in each profile.
TEST(FileBuilder, GivesAnEmptyFileOneEmptyLeaf) {
    NullSink sink;
    EXPECT_EQ(built(unixfs_v1_2025, {}, 1, sink).cid.to_string(),
              "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
    const Entry v0 = built(unixfs_v0_2015, {}, 1, sink);
    EXPECT_EQ(v0.cid.to_string(), "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH");
    EXPECT_EQ(v0.tsize, 6U);
}

TEST(FileBuilder, GivesOneCidHoweverTheContentIsCutIntoPieces) {
    const Bytes content = Keystream("pieces").take(1000);
    for (const Leaves leaves : {Leaves::raw, Leaves::dag_pb}) {
        const Profile profile{.chunker = ChunkerSpec::fixed(64), .leaves = leaves, .links_max = 3};
        NullSink sink;
        const Entry whole = built(profile, content, content.size(), sink);
        for (const std::size_t piece : {1U, 7U, 63U, 64U, 65U, 200U, 999U}) {
            EXPECT_EQ(built(profile, content, piece, sink), whole) << piece;
        }
    }
}

TEST(FileBuilder, CountsContentAndAllBlocks) {
    const Bytes content = Keystream("sizes").take(1000);
    for (const std::size_t size : {0U, 1U, 64U, 65U, 192U, 193U, 576U, 577U, 1000U}) {
        MemoryBlocks blocks;
        const Profile profile{.chunker = ChunkerSpec::fixed(64), .links_max = 3};
        const Entry entry = built(profile, ByteView{content}.first(size), 50, blocks);
        EXPECT_EQ(entry.file_size, size);
        EXPECT_EQ(entry.tsize, bytes_of_all(blocks)) << size;
        for (const auto& [cid, data] : blocks.blocks) {
            EXPECT_TRUE(cid.verify(data.view()));
        }
    }
}

/// Fails from the `left`-th put on.
class FullSink final : public BlockSink {
public:
    explicit FullSink(int left) : left_(left) {}

    Result<void> put(const Cid&, ByteView) override {
        if (left_-- > 0) {
            return {};
        }
        return Error{Errc::storage_full, "full"};
    }

private:
    int left_;
};

TEST(FileBuilder, HandsOnWhatTheSinkSays) {
    const Bytes content(1000, 1);
    for (int left = 0; left < 22; ++left) { // 16 leaves, 6 + 2 + 1 nodes above them.
        FullSink sink(left);
        FileBuilder builder({.chunker = ChunkerSpec::fixed(64), .links_max = 3}, sink);
        Result<void> written = builder.write(content);
        const Errc error = written ? builder.finish().error().code : written.error().code;
        EXPECT_EQ(error, Errc::storage_full) << left;
    }
}

TEST(Profile, IsFoundByItsPublishedNameAlone) {
    EXPECT_EQ(profile_named("unixfs-v1-2025").take(), unixfs_v1_2025);
    EXPECT_EQ(profile_named("unixfs-v0-2015").take(), unixfs_v0_2015);
    EXPECT_EQ(profile_named("legacy-cid-v0").take(), unixfs_v0_2015);
    EXPECT_EQ(profile_named("unixfs-v1").error().code, Errc::unsupported);
}

} // namespace
} // namespace ic::unixfs
