/// Adding, listing and reading content, as people type it.

#include "cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

using ic::testing_support::Finished;
using ic::testing_support::Program;
using testing::HasSubstr;

// "hello\n": Kubo 0.43, `ipfs add --cid-version=1` and plain `ipfs add`.
constexpr const char* hello_v1 = "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am";
constexpr const char* hello_v0 = "QmZULkCELmmk5XNfCgTnCyFgAVxBRBXyDHGGMVoLFLiXEN";

class Content : public testing::Test {
protected:
    void SetUp() override {
        std::filesystem::create_directories(tree() + "/sub");
        std::ofstream(tree() + "/a.txt") << "hello\n";
        std::ofstream(tree() + "/sub/b") << "x\n";
        std::ofstream(tree() + "/.hidden") << "secret\n";
    }

    std::string tree() const { return program.folder() + "/tree"; }

    std::string add_tree() {
        std::string cid = program({"add", "-r", "-Q", tree()}).out;
        cid.pop_back(); // The line end.
        return cid;
    }

    Program program;
};

TEST_F(Content, AddPrintsWhatIpfsAddPrints) {
    EXPECT_EQ(program({"add", tree() + "/a.txt"}).out,
              "added " + std::string(hello_v1) + " a.txt\n");
    EXPECT_EQ(program({"add", "-q", "--profile", "unixfs-v0-2015", tree() + "/a.txt"}).out,
              std::string(hello_v0) + "\n");
    EXPECT_EQ(program({"add", "-Q"}, {.input = "hello\n"}).out, std::string(hello_v1) + "\n");
    EXPECT_EQ(program({"add", "-"}, {.input = "hello\n"}).out,
              "added " + std::string(hello_v1) + " " + hello_v1 + "\n");
}

TEST_F(Content, AddTakesItsProfileFromTheConfiguration) {
    ASSERT_EQ(program({"config", "set", "import.profile", "unixfs-v0-2015"}).status, 0);
    EXPECT_EQ(program({"add", "-Q"}, {.input = "hello\n"}).out, std::string(hello_v0) + "\n");
}

TEST_F(Content, AddSkipsHiddenFilesUnlessAsked) {
    EXPECT_EQ(program({"add", "-r", tree()}).out.find("hidden"), std::string::npos);
    EXPECT_THAT(program({"add", "-r", "-H", tree()}).out, HasSubstr("tree/.hidden\n"));
}

TEST_F(Content, AddOfAFolderNeedsRecursive) {
    const Finished refused = program({"add", tree()});
    EXPECT_EQ(refused.status, 120);
    EXPECT_EQ(refused.err, "ipfs-compute: usage: " + tree() + " is a folder; add it with -r\n");
}

TEST_F(Content, OnlyHashStoresNothing) {
    EXPECT_EQ(program({"add", "-Q", "-n"}, {.input = "hello\n"}).out, std::string(hello_v1) + "\n");
    EXPECT_EQ(program({"--help"}).status, 0);
    EXPECT_EQ(program({"block", "get", hello_v1, "--set", "kubo=off"}).status, 124);
}

TEST_F(Content, CatPrintsFilesByPath) {
    const std::string cid = add_tree();
    EXPECT_EQ(program({"cat", cid + "/a.txt", "/ipfs/" + cid + "/sub/b"}).out, "hello\nx\n");
    EXPECT_EQ(program({"cat", cid + "/none"}).status, 124);
}

TEST_F(Content, CatOfAFileOfManyBlocksIsExact) {
    std::string text;
    for (int number = 0; text.size() < 3'000'000; ++number) {
        text += std::to_string(number) + "\n";
    }
    std::string cid = program({"add", "-Q"}, {.input = text}).out;
    cid.pop_back();
    EXPECT_TRUE(program({"cat", cid}).out == text);
}

TEST_F(Content, CatPrintsARangeOverAllFilesTogether) {
    const std::string cid = add_tree();
    const std::string a = cid + "/a.txt", b = cid + "/sub/b";
    EXPECT_EQ(program({"cat", "-o", "4", a}).out, "o\n");
    EXPECT_EQ(program({"cat", "-o", "4", "-l", "3", a, b}).out, "o\nx");
    EXPECT_EQ(program({"cat", "--offset", "7", a, b}).out, "\n");
    EXPECT_EQ(program({"cat", "-l", "0", a}).out, "");
    EXPECT_EQ(program({"cat", "-o", "100", a, b}).out, "");
    EXPECT_EQ(program({"cat"}, {.input = a + "\n" + b + "\n"}).out, "hello\nx\n");
    EXPECT_EQ(program({"cat", a, cid}).out, "") << "all paths are looked at first";
    EXPECT_EQ(program({"cat", "--offset=-1", a}).err,
              "ipfs-compute: usage: cannot specify negative offset\n");
    EXPECT_EQ(program({"cat", "--length=-1", a}).status, 120);
}

TEST_F(Content, CatShowsProgressOfLargeFilesWhereAsked) {
    std::string cid = program({"add", "-Q"}, {.input = std::string(9U << 20U, 'x')}).out;
    cid.pop_back();
    EXPECT_EQ(program({"cat", cid}).err, "") << "no terminal";
    EXPECT_EQ(program({"cat", "-p", cid}).out.size(), 9U << 20U);
    EXPECT_EQ(program({"cat", "--progress=false", cid}).err, "");
}

// The layouts are Kubo 0.43's, which tests/kubo/reading_test.py compares with the real one.
TEST_F(Content, LsPrintsCidSizeAndName) {
    const std::string cid = add_tree();
    const Finished listed = program({"ls", cid});
    EXPECT_THAT(listed.out, HasSubstr(std::string(hello_v1) + " 6 a.txt\n"));
    EXPECT_THAT(listed.out, HasSubstr(" - sub/\n"));
    EXPECT_THAT(program({"ls", "-v", cid}).out, testing::StartsWith("Hash "));
    EXPECT_THAT(program({"ls", "-l", cid}).out,
                HasSubstr("- " + std::string(hello_v1) + " 6 - a.txt\n"));
    EXPECT_THAT(program({"ls", "--size=false", cid}).out,
                HasSubstr(std::string(hello_v1) + " a.txt\n"));
    EXPECT_THAT(program({"ls", "-s", cid}).out,
                HasSubstr(std::string(hello_v1) + " 6         a.txt\n"));
    EXPECT_THAT(
        program({"ls", cid, cid + "/sub"}).out,
        testing::AllOf(testing::StartsWith(cid + ":\n"), HasSubstr("\n\n" + cid + "/sub:\n")));
    EXPECT_EQ(program({"ls", hello_v1}).out, "") << "a file of one block links to nothing";
    const std::string json = program({"ls", "--json", cid}).out;
    EXPECT_THAT(json, HasSubstr("\"type\":\"directory\""));
    EXPECT_THAT(json, HasSubstr("\"mode\":null"));
}

TEST_F(Content, LsEscapesNames) {
    std::ofstream(tree() + "/tab\there \\ \x1b[31m \u200b \u00e9") << "x";
    EXPECT_THAT(program({"ls", add_tree()}).out,
                HasSubstr("tab\\there \\\\ \\x1b[31m \\u200b \u00e9\n"));
}

TEST_F(Content, GetRestoresTheTreeAndReplacesFiles) {
    const std::string place = program.folder() + "/out";
    const std::string cid = add_tree();
    const Finished first = program({"get", cid, "-o", place});
    ASSERT_EQ(first.status, 0) << first.err;
    EXPECT_EQ(first.out, "Saving file(s) to " + place + "\n");
    const auto text = [&](const std::string& name) {
        std::ifstream file(place + "/" + name);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    EXPECT_EQ(text("sub/b"), "x\n");
    std::ofstream(place + "/a.txt") << "changed";
    std::ofstream(place + "/mine") << "mine";
    ASSERT_EQ(program({"get", cid, "-o", place}).status, 0);
    EXPECT_EQ(text("a.txt"), "hello\n");
    EXPECT_EQ(text("mine"), "mine");
    const Finished refused = program({"get", cid, "-o", place + "/mine"});
    EXPECT_EQ(refused.status, 126);
    EXPECT_THAT(refused.err, HasSubstr(place + "/mine is there and is no folder"));
    EXPECT_THAT(program({"get", "--json", cid + "/a.txt", "-o", place}).out,
                HasSubstr("\"bytes\":6"));
}

TEST_F(Content, GetWritesArchives) {
    const std::string cid = add_tree();
    const std::string place = program.folder() + "/out";
    EXPECT_EQ(program({"get", "-a", cid, "-o", place}).out,
              "Saving archive to " + place + ".tar\n");
    const auto unpacked = [&](const std::vector<std::string>& words) {
        return ic::testing_support::run_process(words).out;
    };
    EXPECT_EQ(unpacked({"/bin/tar", "-xOf", place + ".tar", cid + "/a.txt"}), "hello\n");
    ASSERT_EQ(program({"get", "-a", "-C", cid, "-o", place}).status, 0);
    EXPECT_EQ(unpacked({"/bin/tar", "-xzOf", place + ".tar.gz", cid + "/sub/b"}), "x\n");
    ASSERT_EQ(program({"get", "-C", "-l", "9", cid + "/a.txt", "-o", place}).status, 0);
    EXPECT_EQ(unpacked({"/bin/gzip", "-dc", place + ".gz"}), "hello\n");
    EXPECT_EQ(program({"get", "-C", cid, "-o", place}).status, 121) << "a directory is no file";
    EXPECT_EQ(program({"get", "-C", "-l", "10", cid}).err,
              "ipfs-compute: usage: compression level must be between 1 and 9\n");
}

TEST_F(Content, BlocksGoInAndComeOutAsTheyAre) {
    const std::string bytes("\x00\xff\n", 3);
    std::string cid = program({"block", "put"}, {.input = bytes}).out;
    cid.pop_back();
    EXPECT_EQ(program({"block", "get", cid}).out, bytes);
    EXPECT_EQ(program({"block", "stat", cid}).out, "Key: " + cid + "\nSize: 3\n");
    EXPECT_EQ(program({"block", "put"}, {.input = std::string((2U << 20U) + 1, 'x')}).status, 121);
}

// The CIDs: kubo v0.43.0, `ipfs block put` of the same bytes with the same flags.
TEST_F(Content, BlocksHaveTheCodecAndHashThatAreAskedFor) {
    const auto put = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {"block", "put"});
        return program(words,
                       {.input = "\xa1"
                                 "aa\x01"})
            .out;
    };
    EXPECT_EQ(put({"--cid-codec", "dag-cbor"}),
              "bafyreihltcnuuyqp2jm24aqydpnlj7b6w3ogwrplomrjtg5rifv44mmjey\n");
    EXPECT_EQ(
        put({"--mhtype=sha2-512"}),
        "bafkrgqdzrr2vpqdf4mnc5qko3sgckjk673iahfaspv5lgo6obi4e27aqfp3s345qzdlj56yriy7n25gvfx3k"
        "77l5n77n5ldsuzmhtaaq2stzg\n");
    EXPECT_EQ(put({"--mhtype=blake3", "--pin"}),
              "bafkr4iduuhdi3k5wmaqhzbbltn65bfj2nkhicwf3hf6fxvhkt7hnudcmsy\n");
    EXPECT_EQ(program({"pin", "ls", "-q"}).out,
              "bafkr4iduuhdi3k5wmaqhzbbltn65bfj2nkhicwf3hf6fxvhkt7hnudcmsy\n");
    EXPECT_EQ(program({"block", "put", "--mhtype=md5"}).status, 120);
    EXPECT_EQ(program({"block", "put", "--cid-codec=odd"}).status, 120);
    EXPECT_EQ(
        program({"block", "put", "--mhtype=identity"}, {.input = std::string(1000, 'x')}).status,
        121);
}

TEST_F(Content, ADamagedBlockIsAnErrorAndNeverWrongBytes) {
    ASSERT_EQ(program({"add", "-Q"}, {.input = "hello\n"}).status, 0);
    const std::string data = program.home() + "/blocks/data.mdb";
    std::fstream file(data, std::ios::in | std::ios::out | std::ios::binary);
    std::string image(std::istreambuf_iterator<char>(file), {});
    const std::size_t at = image.find("hello\n");
    ASSERT_NE(at, std::string::npos);
    for (std::size_t next = at; next != std::string::npos; next = image.find("hello\n", next + 1)) {
        file.clear();
        file.seekp(static_cast<std::streamoff>(next));
        file << 'j';
    }
    file.close();
    const Finished damaged = program({"cat", hello_v1, "--set", "kubo=off"});
    EXPECT_EQ(damaged.out, "");
    EXPECT_THAT(damaged.err, HasSubstr("ipfs-compute: hash-mismatch: "));
    EXPECT_EQ(damaged.status, 124);
}

TEST(Trusting, ListsWhatWasAddedUntilItIsRemoved) {
    const Program program;
    std::string did = program({"id"}).out;
    did = did.substr(did.find("did:"), did.find('\n') - did.find("did:"));
    ASSERT_EQ(program({"trust", "add", did, "--name", "alice"}).status, 0);
    EXPECT_EQ(program({"trust", "list"}).out, did + "  alice\n");
    ASSERT_EQ(program({"trust", "rm", "alice"}).status, 0);
    EXPECT_EQ(program({"trust", "list"}).out, "");
    EXPECT_EQ(program({"trust", "rm", "alice"}).status, 124);
    EXPECT_EQ(program({"trust", "add", "did:key:nonsense"}).status, 121);
}

TEST(Configuring, ShowsWhereEachValueComesFrom) {
    const Program program;
    ASSERT_EQ(program({"config", "set", "kubo", "off"}).status, 0);
    EXPECT_THAT(program({"config", "show", "--json"}).out,
                HasSubstr("{\"key\":\"kubo\",\"source\":\"" + program.home() +
                          "/config.toml:1\",\"value\":\"off\"}\n"));
    EXPECT_THAT(program({"config", "set", "kub", "off"}).err, HasSubstr("did you mean 'kubo'?"));
}

TEST(Completing, OffersTheValuesOfAnOptionThatTakesOneOfAFew) {
    const Program program;
    const auto completed = [](const std::string& words, int index) {
        return ic::testing_support::run_process(
                   {"/bin/bash",
                    "-c",
                    "source <(" IC_PROGRAM " completion bash); COMP_WORDS=(" + words +
                        "); COMP_CWORD=" + std::to_string(index) +
                        "; _ipfs_compute; echo ${COMPREPLY[@]}"})
            .out;
    };
    EXPECT_EQ(completed("ipfs-compute new --lang ''", 3), "rust c go assemblyscript\n");
    EXPECT_EQ(completed("ipfs-compute new --lang g", 3), "go\n");
    EXPECT_EQ(completed("ipfs-compute new --la", 2), "--lang\n");
    EXPECT_THAT(program({"completion", "fish"}).out,
                HasSubstr("-l lang -x -a 'rust c go assemblyscript'\n"));
}

TEST(Completing, OffersEveryCommandOfTheProgram) {
    const Program program;
    for (const char* shell : {"bash", "zsh", "fish"}) {
        const std::string script = program({"completion", shell}).out;
        for (const char* word : {"add", "config", "version"}) {
            EXPECT_THAT(script, HasSubstr(word)) << shell;
        }
    }
    const Finished completed = ic::testing_support::run_process(
        {"/bin/bash",
         "-c",
         "source <(" IC_PROGRAM
         " completion bash); COMP_WORDS=(ipfs-compute config s); COMP_CWORD=2;"
         "_ipfs_compute; echo ${COMPREPLY[@]}"});
    EXPECT_EQ(completed.out, "show set\n");
}

} // namespace
