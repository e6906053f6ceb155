#include "unixfs/content_path.h"
#include "unixfs/directory_builder.h"

#include <gtest/gtest.h>

namespace ic::unixfs {
namespace {

constexpr std::string_view cid_text = "bafkqaaa";

Errc error_of(std::string_view text) {
    const Result<ContentPath> path = ContentPath::parse(text);
    EXPECT_FALSE(path) << text;
    return path ? Errc::internal : path.error().code;
}

TEST(ContentPath, ParsesEveryWayOfWritingIt) {
    const ContentPath expected{.root = Cid{}, .names = {"dir", "a file"}};
    for (const std::string_view text : {"bafkqaaa/dir/a file",
                                        "/ipfs/bafkqaaa/dir/a file",
                                        "ipfs://bafkqaaa/dir/a file",
                                        "/ipfs/bafkqaaa//dir///a file/"}) {
        const Result<ContentPath> path = ContentPath::parse(text);
        ASSERT_TRUE(path) << text << ": " << path.error().message;
        EXPECT_EQ(*path, expected);
        EXPECT_EQ(path->to_string(), "/ipfs/bafkqaaa/dir/a file");
    }
    EXPECT_TRUE(ContentPath::parse(cid_text)->names.empty());
    EXPECT_TRUE(ContentPath::parse("/ipfs/bafkqaaa/")->names.empty());
}

TEST(ContentPath, TakesNamesAsTheyAre) {
    const std::vector<std::string> names{"100%", "...", "caf\xe9", " ", "%2e%2e"};
    EXPECT_EQ(split_names("100%/.../caf\xe9/ /%2e%2e").take(), names);
}

TEST(ContentPath, RejectsWhatNamesNothing) {
    for (const std::string_view text : {"",
                                        "/",
                                        "/ipfs/",
                                        "/bafkqaaa",
                                        "ipfs/bafkqaaa",
                                        "/ipfs/bafkqaaa/a/../b",
                                        "bafkqaaa/.",
                                        "bafkqaaa/.."}) {
        const Errc error = error_of(text);
        EXPECT_TRUE(error == Errc::malformed || error == Errc::unsupported) << text;
    }
    EXPECT_EQ(error_of(std::string_view{"bafkqaaa/a\0b", 12}), Errc::malformed);
    EXPECT_EQ(error_of("/ipns/docs.ipfs.tech"), Errc::unsupported);
}

TEST(ContentPath, RejectsOneByteBeyondTheLimits) {
    const std::string root = std::string(cid_text) + "/";
    const std::string name(limits::name_bytes_max, 'n');
    EXPECT_TRUE(ContentPath::parse(root + name));
    EXPECT_EQ(error_of(root + name + "n"), Errc::too_large);
    std::string path = root;
    while (path.size() < limits::path_bytes_max) {
        path += path.size() % 2 == 0 ? "a" : "/";
    }
    EXPECT_TRUE(ContentPath::parse(path));
    EXPECT_EQ(error_of(path + "/"), Errc::too_large);
}

} // namespace
} // namespace ic::unixfs
