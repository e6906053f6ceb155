#include "ipld/testing/memory_blocks.h"
#include "unixfs/content_path.h"
#include "unixfs/directory.h"
#include "unixfs/symlink.h"

#include <gtest/gtest.h>

namespace ic::unixfs {
namespace {

std::string cid_of_link(std::string_view target, const Metadata& metadata) {
    NullSink sink;
    return put_symlink(unixfs_v0_2015, sink, target, metadata).take().cid.to_string();
}

// kubo v0.43.0, test/sharness/t0047-add-mode-mtime.sh: `ln -s nothing`.
TEST(Symlink, HasTheCidThatKuboGives) {
    EXPECT_EQ(cid_of_link("nothing", {.mtime = UnixTime{1'604'320'482}}),
              "QmbJwotgtr84JxcnjpwJ86uZiyMoxbZuNH4YrdJMypkYaB");
    EXPECT_EQ(cid_of_link("nothing", {.mtime = UnixTime{1'603'539'720}}),
              "QmV1Uot2gy4bhY9yvYiZxhhchhyYC6MKKoGV1XtWNmpCLe");
    EXPECT_EQ(cid_of_link("nothing", {.mode = 0764, .mtime = UnixTime{1'603'539'720, 54'321}}),
              "QmPHYCxYvvHj6VxiPNJ3kXxcPsnJLDYUJqsDJWjvytmrmY")
        << "and never a mode";
}

TEST(Symlink, IsReadBackAsItWasWritten) {
    MemoryBlocks blocks;
    const Metadata metadata{.mtime = UnixTime{-5, 7}};
    for (const std::string_view target : {"a/b", "", "/etc/passwd", "\xff\xfe", "../.."}) {
        const Entry entry = put_symlink(unixfs_v1_2025, blocks, target, metadata).take();
        EXPECT_EQ(*read_link(blocks, entry.cid), target);
        EXPECT_EQ(*stat(blocks, entry.cid),
                  (Stat{.type = EntryType::symlink, .size = target.size(), .metadata = metadata}));
        EXPECT_EQ(entry.tsize, blocks.get(entry.cid)->size());
    }
}

TEST(Symlink, RejectsATargetOneByteTooLong) {
    NullSink sink;
    EXPECT_TRUE(put_symlink(unixfs_v1_2025, sink, std::string(limits::path_bytes_max, 'a')));
    EXPECT_EQ(put_symlink(unixfs_v1_2025, sink, std::string(limits::path_bytes_max + 1, 'a'))
                  .error()
                  .code,
              Errc::too_large);
}

TEST(Symlink, IsInlinedIfItIsSmallEnough) {
    MemoryBlocks blocks;
    Profile profile = unixfs_v0_2015;
    profile.inline_bytes_max = 32;
    const Cid cid = put_symlink(profile, blocks, "nothing").take().cid;
    EXPECT_EQ(cid.hash(), HashCode::identity);
    EXPECT_TRUE(blocks.blocks.empty());
    EXPECT_EQ(*read_link(blocks, cid), "nothing");
}

} // namespace
} // namespace ic::unixfs
