#include "unixfs/import_options.h"

#include <gtest/gtest.h>

namespace ic::unixfs {
namespace {

ImportOptions options_of(const ImportFlags& flags, std::string_view name = "none") {
    const Result<ImportOptions> options = import_options(name, flags);
    EXPECT_TRUE(options) << (options ? "" : options.error().message);
    return options ? *options : ImportOptions{};
}

Errc error_of(const ImportFlags& flags, std::string_view name = "none") {
    const Result<ImportOptions> options = import_options(name, flags);
    EXPECT_FALSE(options);
    return options ? Errc::internal : options.error().code;
}

TEST(ImportOptions, AreTheProfileWhereNoFlagIsGiven) {
    EXPECT_EQ(options_of({}, "unixfs-v1-2025").profile, unixfs_v1_2025);
    EXPECT_EQ(options_of({}, "unixfs-v0-2015").profile, unixfs_v0_2015);
    EXPECT_EQ(options_of({}, "legacy-cid-v0").profile, unixfs_v0_2015);
    EXPECT_EQ(options_of({}, "none").profile, unixfs_v0_2015);
    EXPECT_TRUE(options_of({}).given.empty());
    EXPECT_EQ(error_of({}, "unixfs"), Errc::unsupported);
}

// What follows from flags together: kubo v0.43.0, core/commands/add.go and
// core/coreiface/options/unixfs.go. With a profile in its configuration nothing is left open there.
TEST(ImportOptions, BringRawLeavesWithVersionOneUnlessAProfileSaysNo) {
    const ImportFlags version_1{.cid_version = 1};
    EXPECT_EQ(options_of(version_1).profile.leaves, Leaves::raw);
    EXPECT_EQ(options_of(version_1, "unixfs-v0-2015").profile.leaves, Leaves::dag_pb);
    EXPECT_EQ(options_of(version_1, "unixfs-v0-2015").profile.cid_version, 1);
    const ImportFlags without{.cid_version = 1, .raw_leaves = Switch::off};
    EXPECT_EQ(options_of(without).profile.leaves, Leaves::dag_pb);
    EXPECT_EQ(options_of(without, "unixfs-v1-2025").profile.leaves, Leaves::dag_pb);
}

TEST(ImportOptions, LeaveTheVersionAloneWhereRawLeavesAreAskedFor) {
    const ImportOptions options = options_of({.raw_leaves = Switch::on});
    EXPECT_EQ(options.profile.cid_version, 0);
    EXPECT_EQ(options.profile.leaves, Leaves::raw);
    const ImportOptions zero = options_of({.cid_version = 0}, "unixfs-v1-2025");
    EXPECT_EQ(zero.profile.cid_version, 0);
    EXPECT_EQ(zero.profile.leaves, Leaves::raw);
    EXPECT_EQ(zero.profile.chunker, ChunkerSpec::fixed(1'048'576));
}

TEST(ImportOptions, BringVersionOneWithAnotherHash) {
    for (const std::string_view name : {"sha2-512", "blake3", "BLAKE3", "Sha2-512"}) {
        const ImportOptions options = options_of({.hash = std::string(name)});
        EXPECT_EQ(options.profile.cid_version, 1) << name;
        EXPECT_EQ(options.profile.leaves, Leaves::raw) << name;
    }
    EXPECT_EQ(options_of({.hash = "blake3"}).profile.hash, HashCode::blake3);
    EXPECT_EQ(options_of({.hash = "sha2-256"}).profile.cid_version, 0);
    EXPECT_EQ(error_of({.cid_version = 0, .hash = "blake3"}), Errc::refused);
    EXPECT_EQ(error_of({.hash = "blake3"}, "unixfs-v0-2015"), Errc::refused);
    EXPECT_EQ(options_of({.cid_version = 1, .hash = "blake3"}, "unixfs-v0-2015").profile.hash,
              HashCode::blake3);
}

TEST(ImportOptions, NameTheHashFunctionsThatThereAre) {
    for (const std::string_view name : {"sha3-256", "identity", "md5", "sha2"}) {
        const Result<ImportOptions> options = import_options("none", {.hash = std::string(name)});
        ASSERT_FALSE(options) << name;
        EXPECT_EQ(options.error().code, Errc::unsupported);
        EXPECT_NE(options.error().message.find(name), std::string::npos);
        EXPECT_NE(options.error().message.find("sha2-512"), std::string::npos);
    }
}

TEST(ImportOptions, RejectVersionsThatDoNotExist) {
    EXPECT_EQ(error_of({.cid_version = 2}), Errc::malformed);
    EXPECT_EQ(error_of({.cid_version = 2, .hash = "blake3"}), Errc::malformed);
    EXPECT_EQ(options_of({.cid_version = -1}).profile.cid_version, 0);
}

TEST(ImportOptions, TakeMetadataOnlyWithoutRawLeaves) {
    for (const ImportFlags& flags : {ImportFlags{.mode = 0644},
                                     ImportFlags{.mtime = -1},
                                     ImportFlags{.preserve_mode = Switch::on},
                                     ImportFlags{.preserve_mtime = Switch::on}}) {
        ImportFlags changed = flags;
        EXPECT_EQ(options_of(changed).profile.leaves, Leaves::dag_pb);
        EXPECT_EQ(error_of(changed, "unixfs-v1-2025"), Errc::refused) << "as Kubo with a profile";
        changed.cid_version = 1;
        EXPECT_EQ(options_of(changed).profile.leaves, Leaves::dag_pb);
        changed.raw_leaves = Switch::off;
        EXPECT_EQ(options_of(changed, "unixfs-v1-2025").profile.leaves, Leaves::dag_pb);
        changed.raw_leaves = Switch::on;
        EXPECT_EQ(error_of(changed), Errc::refused);
    }
}

TEST(ImportOptions, MakeAModeOfWhatGoTakesForOne) {
    EXPECT_EQ(options_of({.mode = 0764}).given.mode, 0764U);
    EXPECT_EQ(options_of({.mode = 04755}).given.mode, 0755U); // Go has these bits elsewhere:
    constexpr std::uint64_t set_user = 1U << 23U;
    constexpr std::uint64_t set_group = 1U << 22U;
    constexpr std::uint64_t sticky = 1U << 20U;
    EXPECT_EQ(options_of({.mode = set_user | set_group | sticky | 0755U}).given.mode, 07755U);
    EXPECT_EQ(options_of({.mode = 0}).given.mode, std::nullopt);
    EXPECT_EQ(options_of({.mode = 01000}).given.mode, 0U);
}

TEST(ImportOptions, RejectNanosecondsWithoutSecondsAndOneTooMany) {
    EXPECT_EQ(error_of({.mtime_nsecs = 1}), Errc::malformed);
    EXPECT_EQ(options_of({.mtime = 5, .mtime_nsecs = limits::nanoseconds_max}).given.mtime,
              (UnixTime{5, 999'999'999}));
    EXPECT_EQ(error_of({.mtime = 5, .mtime_nsecs = limits::nanoseconds_max + 1}), Errc::malformed);
}

TEST(ImportOptions, PreferMetadataThatIsGivenToThatOfTheFileSystem) {
    const Metadata found{.mode = 0600, .mtime = UnixTime{1}};
    EXPECT_TRUE(options_of({}).metadata_of(found).empty());
    const ImportFlags both{.preserve_mode = Switch::on, .preserve_mtime = Switch::on};
    EXPECT_EQ(options_of(both).metadata_of(found), found);
    ImportFlags given = both;
    given.mode = 0644;
    EXPECT_EQ(options_of(given).metadata_of(found), (Metadata{.mode = 0644, .mtime = UnixTime{1}}));
    given.mtime = 2;
    EXPECT_EQ(options_of(given).metadata_of(found), (Metadata{.mode = 0644, .mtime = UnixTime{2}}));
    given.preserve_mode = Switch::off;
    EXPECT_EQ(options_of(given).metadata_of(found).mode, 0644U);
}

TEST(ImportOptions, TakeNumbersWithinTheirBounds) {
    EXPECT_EQ(options_of({.file_links_max = 2}).profile.links_max, 2U);
    EXPECT_EQ(error_of({.file_links_max = 1}), Errc::malformed);
    EXPECT_EQ(options_of({.file_links_max = 0}, "unixfs-v1-2025").profile.links_max, 174U);
    EXPECT_EQ(options_of({.file_links_max = -1}).profile.links_max, 174U);
    EXPECT_EQ(options_of({.directory_links_max = 5}).profile.directory_links_max, 5U);
    EXPECT_EQ(options_of({.directory_links_max = -5}).profile.directory_links_max, 0U);
    for (const std::int64_t fanout : {8, 16, 256, 512, 1024}) {
        EXPECT_EQ(options_of({.shard_fanout = fanout}).profile.shard_fanout,
                  static_cast<std::uint64_t>(fanout));
    }
    for (const std::int64_t fanout : {-8, 0, 4, 7, 9, 24, 1023, 2048}) {
        EXPECT_EQ(error_of({.shard_fanout = fanout}), Errc::malformed) << fanout;
    }
}

TEST(ImportOptions, InlineUpToTheLimitOfWhatACidCarries) {
    EXPECT_EQ(options_of({}).profile.inline_bytes_max, std::nullopt);
    EXPECT_EQ(options_of({.inline_blocks = Switch::on}).profile.inline_bytes_max, 32U);
    EXPECT_EQ(options_of({.inline_limit = 1000}).profile.inline_bytes_max, std::nullopt);
    EXPECT_EQ(
        options_of({.inline_blocks = Switch::on, .inline_limit = 128}).profile.inline_bytes_max,
        limits::inline_bytes_max);
    EXPECT_EQ(error_of({.inline_blocks = Switch::on, .inline_limit = 129}), Errc::too_large);
    EXPECT_EQ(options_of({.inline_blocks = Switch::on, .inline_limit = 0}).profile.inline_bytes_max,
              0U);
    EXPECT_EQ(
        options_of({.inline_blocks = Switch::on, .inline_limit = -1}).profile.inline_bytes_max,
        std::nullopt);
}

TEST(ImportOptions, NeedRawLeavesForNocopy) {
    EXPECT_EQ(options_of({.nocopy = Switch::on}).profile.leaves, Leaves::raw);
    EXPECT_EQ(options_of({.nocopy = Switch::on}).profile.cid_version, 0);
    EXPECT_EQ(error_of({.raw_leaves = Switch::off, .nocopy = Switch::on}), Errc::refused);
    EXPECT_EQ(error_of({.mtime = 1, .nocopy = Switch::on}), Errc::refused);
    EXPECT_EQ(error_of({.nocopy = Switch::on}, "unixfs-v0-2015"), Errc::refused);
}

TEST(ImportOptions, TakeChunkerAndLayout) {
    EXPECT_EQ(options_of({.chunker = "rabin-16-32-64"}).profile.chunker.bytes_max, 64U);
    EXPECT_EQ(options_of({.chunker = ""}, "unixfs-v1-2025").profile.chunker,
              ChunkerSpec::fixed(1'048'576));
    EXPECT_EQ(options_of({.chunker = "default"}, "unixfs-v1-2025").profile.chunker,
              ChunkerSpec::fixed(262'144));
    EXPECT_EQ(error_of({.chunker = "size-0"}), Errc::malformed);
    EXPECT_EQ(options_of({.trickle = Switch::on}).profile.layout, Layout::trickle);
    EXPECT_EQ(options_of({.trickle = Switch::off}).profile.layout, Layout::balanced);
}

} // namespace
} // namespace ic::unixfs
