/// Pins, collection, verification and figures of the store, as people type them.

#include "cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

using ic::testing_support::Finished;
using ic::testing_support::Program;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Raw blocks by `block put`: their CIDs are known whatever `add` does by default.
class Store : public testing::Test {
protected:
    std::string put(const std::string& text) {
        std::string cid = program({"block", "put"}, {.input = text}).out;
        cid.pop_back(); // The line end.
        return cid;
    }

    /// A file of two blocks: its root, not pinned by us.
    std::string add_tree() {
        std::filesystem::create_directories(program.folder() + "/tree");
        std::ofstream(program.folder() + "/tree/a") << "hello\n";
        std::ofstream(program.folder() + "/tree/b") << "x\n";
        std::string cid = program({"add", "-r", "-Q", program.folder() + "/tree"}).out;
        cid.pop_back();
        return cid;
    }

    Finished run(std::vector<std::string> words) const {
        words.insert(words.end(), {"--set", "kubo=off"});
        return program(words);
    }

    Program program;
};

// "hello\n" as a raw block: Kubo 0.43, `ipfs add --cid-version=1`.
constexpr const char* hello = "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am";

// The wording of each line: kubo v0.43.0, core/commands/pin/pin.go.
TEST_F(Store, PinAddRmAndLsPrintWhatKuboPrints) {
    const std::string cid = put("hello\n");
    ASSERT_EQ(cid, hello);
    EXPECT_EQ(run({"pin", "add", cid}).out, "pinned " + cid + " recursively\n");
    EXPECT_EQ(run({"pin", "ls"}).out, cid + " recursive\n");
    EXPECT_EQ(run({"pin", "add", "-r", cid}).out, "pinned " + cid + " recursively\n");
    EXPECT_EQ(run({"pin", "ls", "-q"}).out, cid + "\n");
    EXPECT_EQ(run({"pin", "add", "--name", "greeting", cid}).status, 0);
    EXPECT_EQ(run({"pin", "ls", "--names"}).out, cid + " recursive greeting\n");
    EXPECT_EQ(run({"pin", "ls"}).out, cid + " recursive\n") << "names only where asked for";
    EXPECT_EQ(run({"pin", "ls", "--name", "eet"}).out, cid + " recursive greeting\n");
    EXPECT_EQ(run({"pin", "ls", "--name", "other"}).out, "");
    EXPECT_EQ(run({"pin", "rm", cid}).out, "unpinned " + cid + "\n");
    EXPECT_EQ(run({"pin", "ls"}).out, "");
    const Finished again = run({"pin", "rm", cid});
    EXPECT_EQ(again.status, 124);
    EXPECT_THAT(again.err, HasSubstr("not pinned or pinned indirectly"));
}

TEST_F(Store, DirectPinsAreOfOneBlock) {
    const std::string cid = put("hello\n");
    for (const char* word : {"--recursive=false", "-r=false"}) {
        EXPECT_EQ(run({"pin", "add", word, cid}).out, "pinned " + cid + " directly\n") << word;
    }
    EXPECT_EQ(run({"pin", "ls", "-t", "direct"}).out, cid + " direct\n");
    EXPECT_EQ(run({"pin", "ls", "-t", "recursive"}).out, "");
    ASSERT_EQ(run({"pin", "add", cid}).status, 0);
    EXPECT_THAT(run({"pin", "add", "--recursive=false", cid}).err,
                HasSubstr("pin: " + cid + " already pinned recursively"));
    EXPECT_THAT(run({"pin", "rm", "--recursive=false", cid}).err,
                HasSubstr(cid + " is pinned recursively"));
}

TEST_F(Store, PinLsShowsWhatIsPinnedThroughAnother) {
    const std::string root = add_tree();
    ASSERT_EQ(run({"pin", "add", root}).status, 0);
    EXPECT_THAT(
        run({"pin", "ls"}).out,
        AllOf(HasSubstr(root + " recursive\n"), HasSubstr(std::string(hello) + " indirect\n")));
    EXPECT_EQ(run({"pin", "ls", hello}).out,
              std::string(hello) + " indirect through " + root + "\n");
    EXPECT_EQ(run({"pin", "ls", root}).out, root + " recursive\n");
    EXPECT_EQ(run({"pin", "ls", root + "/a"}).out,
              std::string(hello) + " indirect through " + root + "\n");
    const std::string other = put("other");
    EXPECT_THAT(run({"pin", "ls", other}).err, HasSubstr("path '" + other + "' is not pinned"));
    EXPECT_THAT(run({"pin", "ls", "-t", "direct", root}).err, HasSubstr("is not pinned"));
    const Finished wrong = run({"pin", "ls", "-t", "odd"});
    EXPECT_EQ(wrong.status, 120);
    EXPECT_THAT(wrong.err,
                HasSubstr("invalid type 'odd', must be one of {direct, indirect, recursive, all}"));
}

TEST_F(Store, PinAddSaysWhichBlockIsMissing) {
    const std::string root = add_tree();
    run({"pin", "rm", root}); // If it was pinned when it was added.
    ASSERT_EQ(run({"repo", "gc"}).status, 0);
    const Finished missing = run({"pin", "add", root});
    EXPECT_EQ(missing.status, 124);
    EXPECT_THAT(missing.err, HasSubstr(root));
    EXPECT_EQ(run({"pin", "ls"}).out, "");
}

TEST_F(Store, PinsComeFromStandardInputToo) {
    const std::string one = put("one"), two = put("two");
    EXPECT_EQ(program({"pin", "add"}, {.input = one + "\n" + two + "\n"}).out,
              "pinned " + one + " recursively\npinned " + two + " recursively\n");
    EXPECT_EQ(program({"pin", "add"}, {.input = ""}).status, 120);
}

TEST_F(Store, PinsExpire) {
    const std::string over = put("over"), valid = put("valid");
    EXPECT_EQ(run({"pin", "add", "--expire-at", "5", over}).status, 120) << "long over";
    ASSERT_EQ(run({"pin", "add", "--expire-in", "0s", "--name", "short", over}).status, 0);
    ASSERT_EQ(run({"pin", "add", "--expire-in", "1h", valid}).status, 0);
    EXPECT_THAT(run({"pin", "ls", "--json", valid}).out, HasSubstr("\"expires_at\":1"));
    const Finished collected = run({"repo", "gc"});
    EXPECT_EQ(collected.out, "removed " + over + "\n");
    EXPECT_THAT(collected.err, HasSubstr("pin of " + over + " (short) is expired: dropped"));
    EXPECT_EQ(run({"pin", "ls", "-q"}).out, valid + "\n");
    EXPECT_EQ(run({"pin", "add", "--expire-in", "1h", "--expire-at", "1", valid}).status, 120);
    EXPECT_EQ(run({"pin", "add", "--name", std::string(256, 'x'), valid}).status, 120);
}

TEST_F(Store, PinUpdateTakesTheNameAlong) {
    const std::string one = put("one"), two = put("two");
    ASSERT_EQ(run({"pin", "add", "--name", "n", one}).status, 0);
    EXPECT_EQ(run({"pin", "update", one, two}).out, "updated " + one + " to " + two + "\n");
    EXPECT_EQ(run({"pin", "ls", "--names"}).out, two + " recursive n\n");
    EXPECT_THAT(run({"pin", "update", one, two}).err,
                HasSubstr("'from' cid was not recursively pinned already"));
}

TEST_F(Store, GcPrintsWhatKuboPrints) {
    const std::string kept = put("kept"), garbage = put("garbage");
    ASSERT_EQ(run({"pin", "add", kept}).status, 0);
    EXPECT_EQ(run({"repo", "gc", "--dry-run"}).out, "would remove " + garbage + "\n");
    EXPECT_EQ(run({"repo", "gc"}).out, "removed " + garbage + "\n");
    EXPECT_EQ(run({"repo", "gc"}).out, "");
    EXPECT_EQ(run({"block", "get", kept}).out, "kept");
    EXPECT_EQ(run({"block", "get", garbage}).status, 124);
    EXPECT_EQ(put("garbage"), garbage);
    EXPECT_EQ(run({"repo", "gc", "--quiet"}).out, garbage + "\n");
    put("garbage");
    EXPECT_EQ(run({"repo", "gc", "--silent"}).out, "");
    put("garbage");
    EXPECT_EQ(run({"repo", "gc", "--json"}).out,
              "{\"removed\":\"" + garbage +
                  "\"}\n"
                  "{\"blocks\":1,\"bytes\":7,\"dry_run\":false,\"kept\":1}\n");
}

TEST_F(Store, StatPrintsWhatKuboPrints) {
    put("hello\n");
    const std::string out = run({"repo", "stat", "--set", "store.bytes_max=1000000"}).out;
    EXPECT_THAT(out, StartsWith("NumObjects: 1\nRepoSize:   "));
    EXPECT_THAT(out,
                HasSubstr("\nStorageMax: 1000000\nRepoPath:   " + program.home() +
                          "\nVersion:    ipfs-compute-store@2\n"));
    EXPECT_THAT(run({"repo", "stat", "-s"}).out,
                AllOf(StartsWith("RepoSize:   "),
                      HasSubstr("\nStorageMax: 18446744073709551615\n"),
                      Not(HasSubstr("NumObjects"))));
    EXPECT_THAT(run({"repo", "stat", "-s", "--human"}).out,
                AllOf(HasSubstr(" kB\n"), HasSubstr("StorageMax: 18 EB\n")));
    EXPECT_THAT(run({"repo", "stat", "--json"}).out,
                AllOf(HasSubstr("\"num_objects\":1"),
                      HasSubstr("\"storage_max\":null"),
                      HasSubstr("\"block_bytes\":6")));
}

TEST_F(Store, VerifyFindsDamageAndRemovesIt) {
    const std::string good = put("good"), bad = put("a block that the disk will change");
    EXPECT_EQ(run({"repo", "verify"}).out, "verify complete, all blocks validated.\n");
    {
        const std::string path = program.home() + "/blocks/data.mdb";
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        std::string bytes(std::istreambuf_iterator<char>(file), {});
        const std::size_t at = bytes.find("that the disk");
        ASSERT_NE(at, std::string::npos);
        file.clear();
        file.seekp(static_cast<std::streamoff>(at)).put('T');
    }
    const Finished found = run({"repo", "verify"});
    EXPECT_EQ(found.status, 124);
    EXPECT_THAT(found.out, StartsWith("block " + bad + " was corrupt ("));
    EXPECT_THAT(found.err, HasSubstr("verify complete, 1 blocks corrupt"));
    EXPECT_EQ(run({"block", "get", bad}).status, 124) << "and is not given to anybody";
    const Finished repaired = run({"repo", "verify", "--repair"});
    EXPECT_EQ(repaired.status, 0) << repaired.err;
    EXPECT_THAT(repaired.out,
                HasSubstr("), removed\nverify complete, 1 blocks corrupt, 1 removed\n"));
    EXPECT_EQ(run({"repo", "verify", "--json"}).out,
              "{\"blocks\":1,\"damaged\":0,\"healed\":0,\"not_healed\":0,\"not_removed\":0,"
              "\"removed\":0}\n");
    EXPECT_EQ(run({"block", "get", good}).out, "good");
}

TEST_F(Store, VerifyFindsBlocksOfTablesThatWereLostAndTakesThemIn) {
    const std::string large = put(std::string(100'000, 'x')), small = put("small");
    std::filesystem::resize_file(program.home() + "/blocks/data.mdb", 0);
    EXPECT_EQ(run({"block", "get", large}).status, 124);
    const Finished found = run({"repo", "verify"});
    EXPECT_EQ(found.status, 124) << found.out;
    EXPECT_THAT(found.out, StartsWith("segment "));
    EXPECT_THAT(found.out, HasSubstr(" is in no table (1 blocks, 100000 bytes)\n"));
    EXPECT_THAT(run({"repo", "verify", "--json"}).out, HasSubstr("\"subject\":\"segment\""));
    const Finished repaired = run({"repo", "verify", "--repair"});
    EXPECT_EQ(repaired.status, 0) << repaired.err;
    EXPECT_THAT(repaired.out, HasSubstr("100000 bytes), taken in again\n"));
    EXPECT_EQ(run({"block", "get", large}).out, std::string(100'000, 'x'));
    EXPECT_EQ(run({"block", "get", small}).status, 124) << "it was in the tables alone";
    EXPECT_EQ(run({"repo", "verify"}).status, 0);
}

TEST_F(Store, CompactMakesTheTablesSmall) {
    std::ofstream(program.folder() + "/large") << std::string(20'000, 'x');
    for (int number = 0; number < 5; ++number) {
        put(std::string(20'000, static_cast<char>('a' + number)));
    }
    ASSERT_EQ(run({"repo", "gc", "--silent"}).status, 0);
    EXPECT_THAT(run({"repo", "compact"}).out, StartsWith("tables: "));
    EXPECT_EQ(run({"repo", "verify"}).status, 0);
}

TEST_F(Store, AFullQuotaSaysWhatToDo) {
    const Finished full = program({"block", "put", "--set", "store.bytes_max=20000"},
                                  {.input = std::string(100'000, 'x')});
    EXPECT_EQ(full.status, 125);
    EXPECT_THAT(full.err,
                AllOf(StartsWith("ipfs-compute: storage-full: "),
                      HasSubstr("repo gc"),
                      HasSubstr("raise store.bytes_max")));
}

} // namespace
