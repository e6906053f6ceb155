#include "unixfs/chunker.h"
#include "unixfs/testing/keystream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <span>
#include <vector>

namespace ic::unixfs {
namespace {

using Sizes = std::vector<std::size_t>;

/// The sizes of the chunks of `content`, given in pieces of `piece_bytes` at most.
Sizes chunks_of(const ChunkerSpec& spec, ByteView content, std::size_t piece_bytes) {
    Chunker chunker(spec);
    Sizes sizes;
    std::size_t open = 0;
    while (!content.empty()) {
        ByteView piece = content.first(std::min(content.size(), piece_bytes));
        content = content.subspan(piece.size());
        while (!piece.empty()) {
            const std::optional<std::size_t> end = chunker.find_end(piece);
            const std::size_t taken = end.value_or(piece.size());
            EXPECT_GT(taken, 0U);
            EXPECT_LE(taken, piece.size());
            open += taken;
            piece = piece.subspan(taken);
            if (end) {
                sizes.push_back(open);
                open = 0;
            }
        }
    }
    if (open > 0) {
        sizes.push_back(open);
    }
    return sizes;
}

ChunkerSpec parsed(std::string_view text) {
    const Result<ChunkerSpec> spec = ChunkerSpec::parse(text);
    EXPECT_TRUE(spec) << text << ": " << (spec ? "" : spec.error().message);
    return spec ? *spec : ChunkerSpec{};
}

TEST(ChunkerSpec, ReadsWhatKuboReads) {
    for (const std::string_view text : {"", "default", "size-262144", "size-+262144"}) {
        EXPECT_EQ(parsed(text), ChunkerSpec::fixed(262'144)) << text;
    }
    EXPECT_EQ(parsed("size-1"), ChunkerSpec::fixed(1));
    EXPECT_EQ(parsed("rabin"), (ChunkerSpec{ChunkerSpec::Kind::rabin, 87'381, 262'144, 393'216}));
    EXPECT_EQ(parsed("rabin-48"), (ChunkerSpec{ChunkerSpec::Kind::rabin, 16, 48, 72}));
    const ChunkerSpec three{ChunkerSpec::Kind::rabin, 16, 32, 64};
    EXPECT_EQ(parsed("rabin-16-32-64"), three);
    EXPECT_EQ(parsed("rabin-min:16-avg:32-max:64"), three);
    EXPECT_EQ(parsed("rabin-16-avg:32-64"), three);
    EXPECT_EQ(parsed("buzhash").kind, ChunkerSpec::Kind::buzhash);
    EXPECT_EQ(parsed("buzhash-7"), parsed("buzhash"));
}

TEST(ChunkerSpec, RejectsFormsThatKuboRejects) {
    for (const std::string_view text : {
             "size",
             "size-",
             "size-0",
             "size-x",
             "size-1k",
             "size-1-2",
             "size--1",
             "size-0x10",
             "size- 1",
             "rabin-",
             "rabin-x",
             "rabin-1-2",
             "rabin-15-32-64",
             "rabin-32-32-64",
             "rabin-16-64-64",
             "rabin-64-32-16",
             "rabin-16-32-64-128",
             "rabin-max:16-avg:32-max:64",
             "rabin-min:16-min:32-max:64",
             "rabin-min:16-avg:32-min:64",
             "rabin-16-32-",
         }) {
        EXPECT_EQ(ChunkerSpec::parse(text).error().code, Errc::malformed) << text;
    }
    for (const std::string_view text : {"sizes-1", "Size-1", "fastcdc-1024", "-1"}) {
        EXPECT_EQ(ChunkerSpec::parse(text).error().code, Errc::unsupported) << text;
    }
}

// Kubo does not cut such files at all, and fails when they exceed a block.
TEST(ChunkerSpec, RejectsARabinAverageWhoseMinimumIsSmallerThanTheWindow) {
    EXPECT_EQ(ChunkerSpec::parse("rabin-47").error().code, Errc::malformed);
    EXPECT_EQ(ChunkerSpec::parse("rabin-0").error().code, Errc::malformed);
}

TEST(ChunkerSpec, RejectsOneByteBeyondTheLargestChunk) {
    EXPECT_EQ(limits::chunk_bytes_max, 2'096'896U); // As `ipfs add --help` says.
    EXPECT_EQ(parsed("size-2096896").bytes_max, limits::chunk_bytes_max);
    EXPECT_EQ(parsed("rabin-16-32-2096896").bytes_max, limits::chunk_bytes_max);
    EXPECT_EQ(parsed("rabin-1397931").bytes_max, limits::chunk_bytes_max);
    for (const std::string_view text : {"size-2096897",
                                        "rabin-16-32-2096897",
                                        "rabin-1397932",
                                        "rabin-18446744073709551615",
                                        "size-99999999999999999999"}) {
        EXPECT_EQ(ChunkerSpec::parse(text).error().code, Errc::too_large) << text;
    }
}

TEST(Chunker, CutsAtTheSamePlacesHoweverTheContentIsCutIntoPieces) {
    const Bytes random = Keystream("chunks").take(700'000);
    const Bytes zeros(700'000, 0);
    std::mt19937_64 source(499);
    for (const std::string_view text :
         {"size-1000", "size-65536", "rabin-16-32-64", "rabin-48", "rabin-1000", "buzhash"}) {
        const ChunkerSpec spec = parsed(text);
        for (const ByteView content : {ByteView{random}, ByteView{zeros}}) {
            const Sizes whole = chunks_of(spec, content, content.size());
            EXPECT_EQ(std::accumulate(whole.begin(), whole.end(), std::size_t{0}), content.size());
            for (const std::size_t piece : {1U, 7U, 15U, 16U, 17U, 31U, 33U, 999U, 131'072U}) {
                EXPECT_EQ(chunks_of(spec, content, piece), whole) << text << ", " << piece;
            }
            for (int round = 0; round < 5; ++round) {
                const std::size_t piece = source() % 5000 + 1;
                EXPECT_EQ(chunks_of(spec, content, piece), whole) << text << ", " << piece;
            }
        }
    }
}

TEST(Chunker, KeepsToTheSizesOfItsSpec) {
    const Bytes random = Keystream("bounds").take(3'000'000);
    for (const std::string_view text : {"rabin-16-32-64", "rabin-100-1000-1001", "rabin-20000"}) {
        const ChunkerSpec spec = parsed(text);
        const Sizes sizes = chunks_of(spec, random, random.size());
        ASSERT_GT(sizes.size(), 50U);
        for (const std::size_t size : std::span{sizes}.first(sizes.size() - 1)) {
            EXPECT_GE(size, spec.bytes_min) << text;
            EXPECT_LE(size, spec.bytes_max) << text;
        }
    }
    const Sizes sizes = chunks_of(parsed("buzhash"), random, random.size());
    for (const std::size_t size : std::span{sizes}.first(sizes.size() - 1)) {
        EXPECT_GE(size, 131'072U);
        EXPECT_LE(size, 524'288U);
    }
}

TEST(Chunker, StartsEveryChunkAnew) {
    // What follows a cut is cut as if it were a file of its own.
    const Bytes content = Keystream("anew").take(1'500'000);
    for (const std::string_view text : {"rabin-1000", "buzhash"}) {
        const ChunkerSpec spec = parsed(text);
        const Sizes sizes = chunks_of(spec, content, content.size());
        ASSERT_GT(sizes.size(), 2U) << text;
        const Sizes later{sizes.begin() + 1, sizes.end()};
        EXPECT_EQ(chunks_of(spec, ByteView{content}.subspan(sizes.front()), content.size()), later)
            << text;
    }
}

} // namespace
} // namespace ic::unixfs
