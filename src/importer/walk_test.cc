#include "importer/testing/tree.h"
#include "importer/walk.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace ic::importer {
namespace {

using testing_tree::Tree;

/// "f name", "d name", "/ name" (a folder ends), "l name -> target", "s name": one a step, or the
/// error at the end.
std::vector<std::string> steps_of(const WalkRequest& request) {
    std::vector<std::string> steps;
    Result<std::vector<Root>> roots = roots_of(request);
    if (!roots) {
        return {"error: " + roots.error().message};
    }
    Walk walk(request, std::move(roots).take());
    for (;;) {
        const Result<std::optional<Step>> step = walk.next();
        if (!step) {
            steps.push_back("error: " + step.error().message);
            return steps;
        }
        if (!*step) {
            return steps;
        }
        constexpr std::string_view letters = "d/fsl";
        std::string line(1, letters[static_cast<std::size_t>((*step)->kind)]);
        line += " " + (*step)->shown;
        line += (*step)->target.empty() ? "" : " -> " + (*step)->target;
        steps.push_back(std::move(line));
    }
}

using Steps = std::vector<std::string>;

TEST(Walk, GoesDepthFirstInTheOrderOfBytes) {
    const Tree tree;
    tree.write("t/b", "");
    tree.write("t/a/z", "");
    tree.write("t/a/Y", "");
    tree.write("t/a.b", "");
    EXPECT_EQ(steps_of({.paths = {tree.at("t/")}, .folders = Folders::taken}),
              (Steps{"d t", "d t/a", "f t/a/Y", "f t/a/z", "/ t/a", "f t/a.b", "f t/b", "/ t"}));
}

TEST(Walk, SkipsHiddenAndIgnoredNamesBelowItsRootsAlone) {
    const Tree tree;
    tree.write(".t/.hidden", "");
    tree.write(".t/.git/x", "");
    tree.write(".t/a.o", "");
    tree.write(".t/b", "");
    WalkRequest request{.paths = {tree.at(".t")}, .folders = Folders::taken};
    ASSERT_TRUE(request.ignore.add("*.o").ok());
    ASSERT_TRUE(request.ignore.add(".t").ok()) << "does not touch what is named";
    EXPECT_EQ(steps_of(request), (Steps{"d .t", "f .t/b", "/ .t"}));
    request.hidden = HiddenNames::taken;
    EXPECT_EQ(
        steps_of(request),
        (Steps{"d .t", "d .t/.git", "f .t/.git/x", "/ .t/.git", "f .t/.hidden", "f .t/b", "/ .t"}));
}

TEST(Walk, LeavesEmptyFoldersOutWhenAskedButNotItsRoot) {
    const Tree tree;
    tree.make_folder("t/empty");
    tree.make_folder("t/sub/empty");
    tree.write("t/ignored/.hidden", "");
    WalkRequest request{.paths = {tree.at("t")}, .folders = Folders::taken};
    EXPECT_EQ(steps_of(request).size(), 10U);
    request.empty_folders = EmptyFolders::skipped;
    EXPECT_EQ(steps_of(request), (Steps{"d t", "d t/sub", "/ t/sub", "/ t"}))
        << "sub is not empty before it is looked at";
    request.paths = {tree.at("t/empty")};
    EXPECT_EQ(steps_of(request), (Steps{"d empty", "/ empty"}));
    request.wrap = WalkRequest::Wrap::yes;
    EXPECT_EQ(steps_of(request), (Steps{"d ", "/ "})) << "the root is what wraps";
}

TEST(Walk, KeepsLinksAndFollowsThemWhenAsked) {
    const Tree tree;
    tree.write("t/file", "");
    tree.write("away/x", "");
    tree.make_link("t/link", "file");
    tree.make_link("t/none", "nowhere");
    tree.make_link("t/out", "../away");
    WalkRequest request{.paths = {tree.at("t")}, .folders = Folders::taken};
    EXPECT_EQ(steps_of(request),
              (Steps{"d t",
                     "f t/file",
                     "l t/link -> file",
                     "l t/none -> nowhere",
                     "l t/out -> ../away",
                     "/ t"}));
    request.symlinks = Symlinks::followed;
    EXPECT_EQ(steps_of(request).back(),
              "error: cannot look at " + tree.at("t/none") + ": No such file or directory");
    std::filesystem::remove(tree.at("t/none"));
    EXPECT_EQ(steps_of(request),
              (Steps{"d t", "f t/file", "f t/link", "d t/out", "f t/out/x", "/ t/out", "/ t"}));
}

TEST(Walk, FollowsANamedLinkByTheNameOfWhatItLeadsTo) {
    const Tree tree;
    tree.write("t/file", "");
    tree.make_link("t/in", "file");
    tree.make_link("link", "t");
    WalkRequest request{.paths = {tree.at("link")}, .folders = Folders::taken};
    EXPECT_EQ(steps_of(request), (Steps{"l link -> t"}));
    request.symlinks = Symlinks::followed_named;
    EXPECT_EQ(steps_of(request), (Steps{"d t", "f t/file", "l t/in -> file", "/ t"}));
}

TEST(Walk, NoticesLinksThatLeadBack) {
    const Tree tree;
    tree.make_folder("t/a");
    tree.make_link("t/a/back", "..");
    WalkRequest request{.paths = {tree.at("t")}, .folders = Folders::taken};
    EXPECT_EQ(steps_of(request).size(), 5U) << "a link that is kept does no harm";
    request.symlinks = Symlinks::followed;
    EXPECT_EQ(steps_of(request).back(),
              "error: " + tree.at("t/a/back") + " leads back to " + tree.at("t") +
                  ", which it is in; leave it out with --ignore");
    tree.make_link("t/self", "self");
    std::filesystem::remove(tree.at("t/a/back"));
    EXPECT_EQ(steps_of(request).back(),
              "error: cannot look at " + tree.at("t/self") + ": Too many levels of symbolic links");
}

TEST(Walk, RefusesWhatIsNoFile) {
    const Tree tree;
    tree.make_folder("t");
    ASSERT_EQ(::mkfifo(tree.at("t/fifo").c_str(), 0600), 0);
    WalkRequest request{.paths = {tree.at("t")}, .folders = Folders::taken};
    EXPECT_EQ(steps_of(request).back().substr(0, 7 + tree.at("t/fifo").size() + 10),
              "error: " + tree.at("t/fifo") + " is a pipe");
    request.paths = {tree.at("t/fifo")};
    EXPECT_EQ(steps_of(request), Steps{"s fifo"}) << "a pipe that is named is read";
    request.paths = {"/dev/null"};
    EXPECT_EQ(steps_of(request).back().substr(0, 29), "error: /dev/null is a device ");

    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    const std::string path = tree.at("s");
    ASSERT_LT(path.size(), sizeof(address.sun_path));
    std::ranges::copy(path, address.sun_path);
    const UniqueFd bound(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(bound.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    request.paths = {path};
    EXPECT_EQ(steps_of(request).back().substr(0, 19 + path.size()),
              "error: " + path + " is a socket");
}

TEST(Walk, TakesNamesOfAnyBytes) {
    const Tree tree;
    for (const char* name : {"t/-dash", "t/two\nlines", "t/\xff\xfe", "t/ blank", "t/*"}) {
        tree.write(name, "");
    }
    EXPECT_EQ(
        steps_of({.paths = {tree.at("t")}, .folders = Folders::taken}),
        (Steps{
            "d t", "f t/ blank", "f t/*", "f t/-dash", "f t/two\nlines", "f t/\xff\xfe", "/ t"}));
}

TEST(Walk, RefusesFoldersNestedTooDeeply) {
    const Tree tree;
    std::string path = tree.make_folder("t");
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(path);
    for (std::size_t depth = 1; depth < limits::folder_depth_max; ++depth) {
        std::filesystem::create_directory("d");
        std::filesystem::current_path("d");
    }
    const WalkRequest request{.paths = {path}, .folders = Folders::taken};
    EXPECT_EQ(steps_of(request).size(), 2 * limits::folder_depth_max);
    std::filesystem::create_directory("d");
    std::filesystem::current_path(before);
    EXPECT_NE(steps_of(request).back().find("nested more than 512 deep"), std::string::npos);
}

TEST(Roots, AreSortedByNameAndTakenOnce) {
    const Tree tree;
    tree.write("x/b", "");
    tree.write("y/a", "");
    tree.write("y/b", "");
    const WalkRequest twice{.paths = {tree.at("x/b"), tree.at("y/a"), tree.at("x/./../x//b")}};
    EXPECT_EQ(steps_of(twice), (Steps{"f a", "f b"}));
    const WalkRequest clash{.paths = {tree.at("x/b"), tree.at("y/b")}};
    EXPECT_EQ(steps_of(clash),
              Steps{"error: two things are called b, in " + tree.at("x") + " and in " +
                    tree.at("y") + "; add one after the other"});
}

TEST(Roots, AreLookedAtBeforeAnythingIsAdded) {
    const Tree tree;
    tree.write("a", "");
    tree.make_folder("f");
    EXPECT_EQ(steps_of({.paths = {tree.at("a"), tree.at("f")}}),
              Steps{"error: " + tree.at("f") + " is a folder; add it with -r"});
    EXPECT_EQ(steps_of({.paths = {tree.at("a"), tree.at("none")}}),
              Steps{"error: cannot look at " + tree.at("none") + ": No such file or directory"});
    EXPECT_NE(steps_of({.paths = {"https://example.com/x"}}).front().find("curl -L"),
              std::string::npos);
}

TEST(Roots, CallTheWorkingFolderByItsName) {
    const Tree tree;
    tree.write("here/a", "");
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(tree.at("here"));
    EXPECT_EQ(steps_of({.paths = {"."}, .folders = Folders::taken}),
              (Steps{"d here", "f here/a", "/ here"}));
    EXPECT_EQ(steps_of({.paths = {"./a"}}), Steps{"f a"});
    EXPECT_EQ(steps_of({.paths = {"../here/"}, .folders = Folders::taken}).front(), "d here");
    std::filesystem::current_path(before);
}

TEST(Walk, WrapsRootsOfDifferentKinds) {
    const Tree tree;
    tree.write("b", "");
    tree.make_folder("a");
    EXPECT_EQ(steps_of({.paths = {tree.at("b"), tree.at("a"), "-"},
                        .stdin_name = "c",
                        .folders = Folders::taken,
                        .wrap = WalkRequest::Wrap::yes}),
              (Steps{"d ", "d a", "/ a", "f b", "s c", "/ "}));
}

TEST(Walk, OpensNoLinkThatTookTheFilesPlace) {
    const Tree tree;
    tree.write("t/a", "x");
    tree.write("secret", "x");
    const WalkRequest request{.paths = {tree.at("t")}, .folders = Folders::taken};
    Walk walk(request, std::move(roots_of(request)).take());
    ASSERT_TRUE(walk.next().ok());
    Result<std::optional<Step>> step = walk.next();
    ASSERT_TRUE(step.ok() && *step);
    EXPECT_TRUE(walk.open(**step).ok());
    std::filesystem::remove(tree.at("t/a"));
    EXPECT_EQ(walk.open(**step).error().code, Errc::not_found);
    tree.make_link("t/a", "../secret");
    EXPECT_FALSE(walk.open(**step).ok());
    std::filesystem::remove(tree.at("t/a"));
    ASSERT_EQ(::mkfifo(tree.at("t/a").c_str(), 0600), 0);
    EXPECT_EQ(walk.open(**step).error().code, Errc::unsupported) << "and does not wait for it";
}

} // namespace
} // namespace ic::importer
