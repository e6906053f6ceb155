// The fixtures of IPIP-0499: content that is made from a seed, and the CIDs that Kubo 0.40 and
// later give to it (kubo, test/cli/cid_profiles_test.go). The two files of 1 GiB are in
// ipip0499_big_test.cc.

#include "ipld/testing/memory_blocks.h"
#include "unixfs/directory.h"
#include "unixfs/directory_builder.h"
#include "unixfs/file_builder.h"
#include "unixfs/testing/keystream.h"

#include <gtest/gtest.h>

#include <set>

namespace ic::unixfs {
namespace {

std::string built(const Profile& profile, ByteView content) {
    NullSink sink;
    FileBuilder builder(profile, sink);
    EXPECT_TRUE(builder.write(content));
    const Result<Entry> entry = builder.finish();
    return entry ? entry->cid.to_string() : entry.error().message;
}

std::string built_from(const Profile& profile, std::string_view seed, std::size_t bytes) {
    return built(profile, Keystream(seed).take(bytes));
}

TEST(Ipip0499, SmallFile) {
    const ByteView hello = bytes_of("hello world");
    EXPECT_EQ(built(unixfs_v0_2015, hello), "Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD");
    EXPECT_EQ(built(unixfs_v1_2025, hello),
              "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e");
}

TEST(Ipip0499, OneChunkAndOneByteMore) {
    constexpr std::size_t v0 = 262'144;
    constexpr std::size_t v1 = 1'048'576;
    EXPECT_EQ(built_from(unixfs_v0_2015, "chunk-v0-seed", v0),
              "QmWmRj3dFDZdb6ABvbmKhEL6TmPbAfBZ1t5BxsEyJrcZhE");
    EXPECT_EQ(built_from(unixfs_v0_2015, "chunk-v0-seed", v0 + 1),
              "QmYyLxtzZyW22zpoVAtKANLRHpDjZtNeDjQdJrcQNWoRkJ");
    EXPECT_EQ(built_from(unixfs_v1_2025, "chunk-v1-seed", v1),
              "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta");
    EXPECT_EQ(built_from(unixfs_v1_2025, "chunk-v1-seed", v1 + 1),
              "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64");
}

TEST(Ipip0499, OneFullNodeAndOneByteMoreInV0) {
    constexpr std::size_t full = 174 * 262'144;
    EXPECT_EQ(built_from(unixfs_v0_2015, "v0-seed", full),
              "QmUbBALi174SnogsUzLpYbD4xPiBSFANF4iztWCsHbMKh2");
    EXPECT_EQ(built_from(unixfs_v0_2015, "v0-seed", full + 1),
              "QmV81WL765sC8DXsRhE5fJv2rwhS4icHRaf3J9Zk5FdRnW");
}

struct Names {
    std::string_view seed;
    std::size_t count;
    std::size_t bytes;
    std::size_t last_bytes;
};

/// A directory of files that hold "x", and all its blocks.
Cid built_directory(const Profile& profile, const Names& names, BlockSink& sink) {
    FileBuilder file(profile, sink);
    EXPECT_TRUE(file.write(bytes_of("x")));
    const Entry x = file.finish().take();
    Keystream stream(names.seed);
    DirectoryBuilder directory(profile, sink);
    for (std::size_t index = 0; index < names.count; ++index) {
        const bool is_last = index + 1 == names.count;
        const Result<void> added =
            directory.add(stream.take_name(is_last ? names.last_bytes : names.bytes), x);
        EXPECT_TRUE(added) << added.error().message;
    }
    Result<Entry> entry = directory.finish();
    EXPECT_TRUE(entry);
    return entry ? entry->cid : Cid{};
}

constexpr Names v0_at_threshold{"hamt-unixfs-v0-2015", 4096, 30, 30};
constexpr Names v0_above{"hamt-unixfs-v0-2015", 4033, 31, 31};
constexpr Names v1_at_threshold{"hamt-unixfs-v1-2025", 4766, 11, 21};
constexpr Names v1_above{"hamt-unixfs-v1-2025", 4766, 11, 22};

TEST(Ipip0499, DirectoryAtTheThresholdIsOneNode) {
    NullSink sink;
    EXPECT_EQ(built_directory(unixfs_v0_2015, v0_at_threshold, sink).to_string(),
              "QmX5GtRk3TSSEHtdrykgqm4eqMEn3n2XhfkFAis5fjyZmN");
    EXPECT_EQ(built_directory(unixfs_v1_2025, v1_at_threshold, sink).to_string(),
              "bafybeic3h7rwruealwxkacabdy45jivq2crwz6bufb5ljwupn36gicplx4");
}

TEST(Ipip0499, DirectoryAboveTheThresholdIsSharded) {
    NullSink sink;
    EXPECT_EQ(built_directory(unixfs_v0_2015, v0_above, sink).to_string(),
              "QmeMiJzmhpJAUgynAcxTQYek5PPKgdv3qEvFsdV3XpVnvP");
    EXPECT_EQ(built_directory(unixfs_v1_2025, v1_above, sink).to_string(),
              "bafybeiegvuterwurhdtkikfhbxcldohmxp566vpjdofhzmnhv6o4freidu");
}

TEST(Ipip0499, ShardedDirectoryListsAndFindsEveryName) {
    MemoryBlocks blocks;
    const Cid root = built_directory(unixfs_v1_2025, v1_above, blocks);
    std::set<std::string> listed;
    const Result<void> done = list(blocks, root, [&](const DirectoryEntry& entry) -> Result<void> {
        EXPECT_TRUE(listed.insert(entry.name).second) << entry.name;
        return {};
    });
    ASSERT_TRUE(done) << done.error().message;
    EXPECT_EQ(listed.size(), v1_above.count);
    const Cid x = cid_of(Codec::raw, bytes_of("x"));
    for (const std::string& name : listed) {
        const Result<Cid> found = resolve(blocks, root, name);
        ASSERT_TRUE(found) << name << ": " << found.error().message;
        EXPECT_EQ(*found, x);
    }
    EXPECT_EQ(resolve(blocks, root, "no-such-name").error().code, Errc::not_found);
}

} // namespace
} // namespace ic::unixfs
