#include "base/file.h"
#include "importer/stat_cache.h"
#include "importer/testing/tree.h"
#include "multiformats/multihash.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>

namespace ic::importer {
namespace {

using testing_tree::Tree;

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t now = 1'000'000 * second;

unixfs::Entry root_of(std::string_view text) {
    return {.cid = cid_of(Codec::raw, bytes_of(text)), .tsize = text.size(), .file_size = 3};
}

FileState state_of(std::uint64_t inode, std::int64_t age = 10 * second) {
    return {.device = 1,
            .inode = inode,
            .fingerprint = {7},
            .size = 100,
            .modified_ns = now - age,
            .changed_ns = now - age};
}

StatCache cache_at(const std::string& path) { return std::move(StatCache::load(path)).take(); }

TEST(StatCache, KnowsAFileOnlyInTheStateInWhichItWasRead) {
    const Tree tree;
    StatCache cache = cache_at(tree.at("cache"));
    cache.remember(state_of(1), root_of("a"), now);
    EXPECT_EQ(cache.find(state_of(1)), root_of("a"));
    EXPECT_EQ(cache.find(state_of(2)), std::nullopt);
    for (const auto change : {+[](FileState& state) { ++state.size; },
                              +[](FileState& state) { ++state.modified_ns; },
                              +[](FileState& state) { ++state.changed_ns; },
                              +[](FileState& state) { ++state.device; },
                              +[](FileState& state) { ++state.fingerprint[15]; }}) {
        FileState state = state_of(1);
        change(state);
        EXPECT_EQ(cache.find(state), std::nullopt);
    }
    cache.forget(state_of(1));
    EXPECT_EQ(cache.find(state_of(1)), std::nullopt);
}

TEST(StatCache, TrustsNoTimeThatIsYoungerThanTwoSeconds) {
    const Tree tree;
    StatCache cache = cache_at(tree.at("cache"));
    cache.remember(state_of(1, racy_nanoseconds), root_of("a"), now);
    cache.remember(state_of(2, racy_nanoseconds - 1), root_of("b"), now);
    cache.remember(state_of(3, -5 * second), root_of("c"), now);
    EXPECT_NE(cache.find(state_of(1, racy_nanoseconds)), std::nullopt);
    EXPECT_EQ(cache.find(state_of(2, racy_nanoseconds - 1)), std::nullopt);
    EXPECT_EQ(cache.find(state_of(3, -5 * second)), std::nullopt) << "a time that is to come";
    FileState renamed = state_of(4);
    renamed.changed_ns = now;
    cache.remember(renamed, root_of("d"), now);
    EXPECT_EQ(cache.find(renamed), std::nullopt);
    cache.remember(state_of(1, 0), root_of("e"), now);
    EXPECT_EQ(cache.find(state_of(1, racy_nanoseconds)), std::nullopt) << "the old state is over";
}

TEST(StatCache, IsTheSameWhenLoadedAgain) {
    const Tree tree;
    {
        StatCache cache = cache_at(tree.at("cache"));
        cache.remember(state_of(1), root_of("a"), now);
        cache.remember(state_of(2), root_of("b"), now);
        ASSERT_TRUE(cache.save().ok());
    }
    struct stat status{};
    ASSERT_EQ(::stat(tree.at("cache").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    StatCache cache = cache_at(tree.at("cache"));
    EXPECT_EQ(cache.find(state_of(1)), root_of("a"));
    EXPECT_EQ(cache.find(state_of(2)), root_of("b"));
}

TEST(StatCache, BeginsAnewFromAFileThatItCannotRead) {
    const Tree tree;
    tree.write("cache", "something else");
    StatCache cache = cache_at(tree.at("cache"));
    EXPECT_EQ(cache.find(state_of(1)), std::nullopt);
    cache.remember(state_of(1), root_of("a"), now);
    ASSERT_TRUE(cache.save().ok());
    EXPECT_EQ(cache_at(tree.at("cache")).find(state_of(1)), root_of("a"));
}

TEST(StatCache, ForgetsWhatItHasNotMetForLongest) {
    const Tree tree;
    constexpr std::uint64_t old_inode = 1'000'000;
    {
        StatCache cache = cache_at(tree.at("cache"));
        cache.remember(state_of(old_inode), root_of("old"), now);
        cache.remember(state_of(old_inode + 1), root_of("met again"), now);
        ASSERT_TRUE(cache.save().ok());
    }
    {
        StatCache cache = cache_at(tree.at("cache"));
        EXPECT_NE(cache.find(state_of(old_inode + 1)), std::nullopt);
        for (std::uint64_t inode = 1; inode < limits::cache_entries_max; ++inode) {
            cache.remember(state_of(inode), root_of("x"), now);
        }
        ASSERT_TRUE(cache.save().ok());
    }
    StatCache cache = cache_at(tree.at("cache"));
    EXPECT_EQ(cache.find(state_of(old_inode)), std::nullopt);
    EXPECT_NE(cache.find(state_of(old_inode + 1)), std::nullopt);
    EXPECT_NE(cache.find(state_of(limits::cache_entries_max - 1)), std::nullopt);
}

CacheContent content_of(std::size_t count) {
    CacheContent content{.runs = 9, .entries = {}};
    for (std::size_t index = 0; index < count; ++index) {
        content.entries.push_back(
            {.state = state_of(index), .met = index % 9, .root = root_of("r")});
    }
    return content;
}

/// As it is, with the right checksum behind it.
Bytes sealed(Bytes bytes) {
    const Sha256Digest checksum = sha2_256(bytes);
    bytes.insert(bytes.end(), checksum.begin(), checksum.end());
    return bytes;
}

TEST(CacheFormat, ReadsWhatItWrote) {
    for (const std::size_t count : {0U, 1U, 100U}) {
        const CacheContent content = content_of(count);
        const Result<CacheContent> read = decode_cache(encode_cache(content));
        ASSERT_TRUE(read.ok());
        EXPECT_EQ(*read, content);
    }
    CacheContent edges = content_of(1);
    edges.entries[0].state.modified_ns = std::numeric_limits<std::int64_t>::min();
    edges.entries[0].state.size = ~std::uint64_t{0};
    EXPECT_EQ(*decode_cache(encode_cache(edges)), edges);
}

TEST(CacheFormat, RefusesEveryProperPrefixAndEveryFlippedBit) {
    const Bytes bytes = encode_cache(content_of(2));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode_cache(ByteView{bytes}.first(size)).ok()) << size;
    }
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        Bytes flipped = bytes;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(decode_cache(flipped).ok()) << bit;
    }
}

TEST(CacheFormat, RefusesPrefixesWhoseChecksumIsRight) {
    const Bytes bytes = encode_cache(content_of(2));
    const std::size_t body = bytes.size() - 32;
    for (std::size_t size = 0; size < body; ++size) {
        const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        EXPECT_FALSE(decode_cache(sealed(cut)).ok()) << size;
    }
    Bytes longer(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(body));
    longer.push_back(0);
    EXPECT_EQ(decode_cache(sealed(longer)).error().code, Errc::malformed);
}

TEST(CacheFormat, RefusesEntriesOutOfOrderTwiceAndFromTheFuture) {
    CacheContent content = content_of(2);
    std::swap(content.entries[0], content.entries[1]);
    EXPECT_EQ(decode_cache(encode_cache(content)).error().code, Errc::malformed);
    content.entries[0] = content.entries[1];
    EXPECT_EQ(decode_cache(encode_cache(content)).error().code, Errc::malformed);
    content = content_of(1);
    content.entries[0].met = content.runs + 1;
    EXPECT_EQ(decode_cache(encode_cache(content)).error().code, Errc::malformed);
}

TEST(CacheFormat, RefusesOneEntryTooManyAndAnotherVersion) {
    Bytes bytes = encode_cache(content_of(0));
    bytes.resize(bytes.size() - 32);
    const std::size_t version_at = bytes.size() - 17;
    const std::size_t count_at = bytes.size() - 8;
    const std::uint64_t too_many = limits::cache_entries_max + 1;
    for (std::size_t index = 0; index < 8; ++index) {
        bytes[count_at + index] = static_cast<std::uint8_t>(too_many >> (8 * index));
    }
    EXPECT_EQ(decode_cache(sealed(bytes)).error().code, Errc::too_large);
    bytes[version_at] = 2;
    EXPECT_EQ(decode_cache(sealed(bytes)).error().code, Errc::unsupported);
}

TEST(Fingerprint, IsOneForEachChoice) {
    std::vector<Fingerprint> seen{fingerprint_of({})};
    for (const auto change :
         {+[](unixfs::ImportOptions& options) { options.profile = unixfs::unixfs_v0_2015; },
          +[](unixfs::ImportOptions& options) { options.profile.hash = HashCode::sha2_512; },
          +[](unixfs::ImportOptions& options) {
              options.profile.chunker = unixfs::ChunkerSpec::fixed(1000);
          },
          +[](unixfs::ImportOptions& options) { options.profile.layout = unixfs::Layout::trickle; },
          +[](unixfs::ImportOptions& options) { options.profile.links_max = 2; },
          +[](unixfs::ImportOptions& options) { options.profile.inline_bytes_max = 0; },
          +[](unixfs::ImportOptions& options) { options.profile.inline_bytes_max = 32; },
          +[](unixfs::ImportOptions& options) { options.given.mode = 0; },
          +[](unixfs::ImportOptions& options) { options.given.mode = 0644; },
          +[](unixfs::ImportOptions& options) { options.given.mtime = unixfs::UnixTime{}; },
          +[](unixfs::ImportOptions& options) {
              options.given.mtime = unixfs::UnixTime{.seconds = -1, .nanoseconds = 5};
          },
          +[](unixfs::ImportOptions& options) { options.takes_mode = true; },
          +[](unixfs::ImportOptions& options) { options.takes_mtime = true; }}) {
        unixfs::ImportOptions options;
        change(options);
        seen.push_back(fingerprint_of(options));
    }
    const std::size_t count = seen.size();
    std::ranges::sort(seen);
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    EXPECT_EQ(seen.size(), count);
}

} // namespace
} // namespace ic::importer
