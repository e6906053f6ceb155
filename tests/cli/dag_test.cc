/// `dag` and `cid`, as people type them. What Kubo answers to the same is compared in tests/kubo.

#include "cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

using ic::testing_support::Finished;
using ic::testing_support::Program;
using testing::AllOf;
using testing::HasSubstr;

// Kubo 0.43: `ipfs dag put` of {"hello":"world"}, with --store-codec=dag-json, and of the bytes
// 0x01 0x02.
constexpr const char* hello_cbor = "bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae";
constexpr const char* empty_directory = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";

class Dag : public testing::Test {
protected:
    /// The only line that the program prints.
    std::string line(const std::vector<std::string>& words, const std::string& input = "") {
        const Finished finished = program(words, {.input = input});
        EXPECT_EQ(finished.status, 0) << finished.err;
        EXPECT_EQ(finished.out.find('\n'), finished.out.size() - 1) << finished.out;
        return finished.out.substr(0, finished.out.find('\n'));
    }

    std::string put(const std::string& json) { return line({"dag", "put"}, json); }

    std::string write(const std::string& name, const std::string& bytes) {
        const std::string path = program.folder() + "/" + name;
        std::ofstream(path, std::ios::binary) << bytes;
        return path;
    }

    static std::string read(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    /// A DAG of three blocks and the CID of its root.
    std::string three_blocks() {
        const std::string a = put(R"({"a":1})");
        const std::string b = put(R"({"b":{"/":")" + a + R"("}})");
        return put(R"([{"/":")" + b + R"("},{"/":")" + a + R"("}])");
    }

    Program program;
};

TEST_F(Dag, PutAndGetGiveBackTheNode) {
    const std::string cid = put(R"( { "b" : [1, 2.5, null], "a": {"/":{"bytes":"AQI"}} } )");
    EXPECT_EQ(program({"dag", "get", cid}).out, R"({"a":{"/":{"bytes":"AQI"}},"b":[1,2.5,null]})");
    EXPECT_EQ(put(R"({"hello":"world"})"), hello_cbor);
    EXPECT_EQ(program({"dag", "get", hello_cbor}).out, R"({"hello":"world"})");
    EXPECT_EQ(program({"dag", "get", "--output-codec", "json", hello_cbor}).out,
              "{\n\t\"hello\": \"world\"\n}\n");
}

TEST_F(Dag, PutTakesFilesAndPrintsALineForEach) {
    const std::string first = write("first", R"({"hello":"world"})");
    const std::string second = write("second", "[]");
    const Finished finished = program({"dag", "put", first, second});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_THAT(finished.out, testing::StartsWith(std::string(hello_cbor) + "\n"));
    EXPECT_EQ(program({"dag", "put", "--json", first}).out,
              "{\"cid\":\"" + std::string(hello_cbor) + "\"}\n");
}

TEST_F(Dag, PutConvertsBetweenCodecs) {
    const std::string directory = line({"dag", "put", "--store-codec", "dag-pb"},
                                       R"({"Data":{"/":{"bytes":"CAE"}},"Links":[]})");
    EXPECT_EQ(line({"cid", "format", "-v", "0", directory}), empty_directory);
    EXPECT_EQ(program({"dag", "get", directory}).out,
              R"({"Data":{"/":{"bytes":"CAE"}},"Links":[]})");
    const std::string raw =
        line({"dag", "put", "--input-codec", "raw", "--store-codec", "raw"}, "hello\n");
    EXPECT_EQ(raw, "bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am");
    EXPECT_EQ(program({"dag", "get", "--output-codec", "raw", raw}).out, "hello\n");
}

TEST_F(Dag, PutSaysWhatIsWrong) {
    const Finished json = program({"dag", "put"}, {.input = "{\"a\":1,\"a\":2}"});
    EXPECT_EQ(json.status, 121);
    EXPECT_EQ(
        json.err,
        "ipfs-compute: malformed: standard input: json: the key \"a\" comes twice in one map\n");
    EXPECT_EQ(program({"dag", "put", "--store-codec", "none"}, {.input = "1"}).err,
              "ipfs-compute: usage: standard input: --store-codec: unknown multicodec: \"none\"\n");
    EXPECT_THAT(program({"dag", "put", "--hash", "md5"}, {.input = "1"}).err,
                HasSubstr("sha2-512"));
    EXPECT_THAT(program({"dag", "put", "--store-codec", "raw"}, {.input = "1"}).err,
                HasSubstr("a raw block is bytes"));
    EXPECT_EQ(program({"dag", "put", program.folder() + "/none"}).status, 124);
}

TEST_F(Dag, GetAndResolveFollowPathsAcrossLinks) {
    const std::string leaf = put(R"({"x":[{"deep":"value"}]})");
    const std::string root = put(R"({"links":[{"/":")" + leaf + R"("}]})");
    EXPECT_EQ(program({"dag", "get", root + "/links/0/x/0/deep"}).out, "\"value\"");
    EXPECT_EQ(program({"dag", "resolve", root + "/links/0"}).out, leaf) << "no line end, as Kubo";
    EXPECT_EQ(program({"dag", "resolve"}, {.input = root + "/links/0/x/0\n"}).out, leaf + "/x/0");
    EXPECT_EQ(program({"dag", "resolve", "--json", root + "/links/0/x/0"}).out,
              "{\"cid\":\"" + leaf + "\",\"rest\":\"x/0\"}\n");
    const std::string base36 = line({"cid", "format", "-b", "base36", root});
    EXPECT_EQ(program({"dag", "resolve", base36 + "/links/0"}).out,
              line({"cid", "format", "-b", "base36", leaf}));
    EXPECT_EQ(program({"dag", "get", root + "/none", "--set", "kubo=off"}).err,
              "ipfs-compute: not-found: " + root + "/none: no link named 'none' under " + root +
                  "\n");
}

TEST_F(Dag, StatPrintsTheTableOfKubo) {
    const std::string root = three_blocks();
    const auto blanks = [](std::size_t count) { return std::string(count, ' '); };
    EXPECT_EQ(program({"dag", "stat", root}).out,
              "\nCID" + blanks(root.size() - 3) + "\tBlocks" + blanks(9) + "\tSize\n" + root +
                  "\t3" + blanks(14) + "\t131\n\nSummary\nTotal Size: 131 (131 B)\n" +
                  "Unique Blocks: 3\nShared Size: 0 (0 B)\nRatio: 1.000000\n\n\n");
    const std::string other = put(R"({"a":1})");
    const Finished both = program({"dag", "stat", root, other});
    EXPECT_THAT(both.out,
                AllOf(HasSubstr("Unique Blocks: 3\nShared Size: 4 (4 B)"),
                      HasSubstr("\n" + other + "\t1" + blanks(14) + "\t4\n")));
    EXPECT_EQ(program({"dag", "stat", "--json", other}).out,
              "{\"dags\":[{\"blocks\":1,\"cid\":\"" + other +
                  "\",\"size\":4}],\"ratio\":1.0,\"shared_size\":0,\"total_size\":4,"
                  "\"unique_blocks\":1}\n");
}

TEST_F(Dag, ExportAndImportCarryADagToAnotherHome) {
    const std::string root = three_blocks();
    const Finished car = program({"dag", "export", root});
    ASSERT_EQ(car.status, 0) << car.err;
    const Program other;
    const Finished imported = other({"dag", "import", "--stats"}, {.input = car.out});
    EXPECT_EQ(imported.status, 0) << imported.err;
    EXPECT_EQ(imported.out, "Pinned root\t" + root + "\tsuccess\nImported 3 blocks (131 bytes)\n");
    EXPECT_EQ(other({"dag", "export", root, "--set", "kubo=off"}).out, car.out);
    EXPECT_EQ(other({"dag", "import", "--json", "--stats"}, {.input = car.out}).out,
              "{\"pin_error\":null,\"root\":\"" + root + "\"}\n{\"blocks\":3,\"bytes\":131}\n");
    EXPECT_EQ(other({"dag", "import", "--silent", "--stats"}, {.input = car.out}).out, "");
    EXPECT_EQ(other({"dag", "import", "--pin-roots=false"}, {.input = car.out}).out, "");
}

TEST_F(Dag, ExportWritesANewFileAndGoesOnInAPartOfIt) {
    const std::string root = three_blocks();
    const std::string whole = program({"dag", "export", root}).out;
    const std::string path = program.folder() + "/dag.car";
    ASSERT_EQ(program({"dag", "export", "-o", path, root}).status, 0);
    EXPECT_EQ(read(path), whole);
    const Finished again = program({"dag", "export", "-o", path, root});
    EXPECT_EQ(again.status, 126);
    EXPECT_THAT(again.err, HasSubstr("--resume goes on"));
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{5}, std::size_t{80}, whole.size() - 1, whole.size()}) {
        std::filesystem::resize_file(path, size);
        ASSERT_EQ(program({"dag", "export", "--resume", "-o", path, root}).status, 0);
        EXPECT_EQ(read(path), whole) << size;
        EXPECT_EQ(program({"dag", "export", root, "--resume-from", std::to_string(size)}).out,
                  whole.substr(size));
    }
    write("dag.car", "something else");
    const Finished differs = program({"dag", "export", "--resume", "-o", path, root});
    EXPECT_EQ(differs.status, 126);
    EXPECT_THAT(differs.err, HasSubstr("is not the beginning of this export"));
    EXPECT_EQ(read(path), "something else");
    EXPECT_EQ(program({"dag", "export", "--resume", root}).status, 120);
}

TEST_F(Dag, ExportOfAnIncompleteDagFailsUnlessItMayBePartial) {
    const std::string missing = "bafyreidykglsfhoixmivffc5uwhcgshx4j465xwqntbmu43nb2dzqwfvae";
    const std::string root = put(R"([{"/":")" + missing + R"("}])");
    const Finished failed = program({"dag", "export", root, "--set", "kubo=off"});
    EXPECT_EQ(failed.status, 124);
    EXPECT_THAT(failed.err, HasSubstr(missing));
    const Finished partial = program({"dag", "export", "--local-only", root});
    EXPECT_EQ(partial.status, 0) << partial.err;
    EXPECT_THAT(partial.err, HasSubstr("1 blocks are not here"));
    const Program other;
    const Finished pinned = other({"dag", "import"}, {.input = partial.out});
    EXPECT_EQ(pinned.status, 124);
    EXPECT_THAT(pinned.err, HasSubstr("pinning root \"" + root + "\" FAILED: "));
    EXPECT_EQ(other({"dag", "import", "--local-only"}, {.input = partial.out}).status, 0);
    EXPECT_EQ(other({"dag", "import", "--local-only", "--pin-roots=true"}).status, 120);
}

TEST_F(Dag, ImportOfATruncatedCarKeepsWhatIsWhole) {
    const std::string root = three_blocks();
    const std::string car = program({"dag", "export", root}).out;
    const Program other;
    const std::string path = write("part.car", car.substr(0, car.size() - 1));
    const Finished failed = other({"dag", "import", path});
    EXPECT_EQ(failed.status, 121);
    EXPECT_THAT(
        failed.err,
        AllOf(HasSubstr(path + ": the CAR ends early, at byte " + std::to_string(car.size() - 1)),
              HasSubstr("the 2 blocks of its first"),
              HasSubstr("are kept")));
    EXPECT_EQ(other({"dag", "get", root + "/0/b", "--set", "kubo=off"}).status, 124);
    EXPECT_EQ(other({"dag", "stat", "--set", "kubo=off", "--json", root}).status, 124);
    EXPECT_THAT(other({"dag", "import", "--stats"}, {.input = car}).out,
                HasSubstr("Imported 3 blocks"));
}

TEST_F(Dag, ImportOfAWrongBlockNamesIt) {
    const std::string root = three_blocks();
    std::string car = program({"dag", "export", root}).out;
    car.back() = static_cast<char>(car.back() ^ 1);
    const Program other;
    const Finished failed = other({"dag", "import"}, {.input = car});
    EXPECT_NE(failed.status, 0);
    EXPECT_THAT(failed.err, HasSubstr("hash-mismatch: standard input: block bafyrei"));
    EXPECT_EQ(other({"dag", "import"}, {.input = "no car at all"}).status, 121);
    EXPECT_EQ(other({"dag", "import", program.folder() + "/none"}).status, 124);
}

// Kubo 0.43 prints the same for each.
TEST_F(Dag, CidFormatPrintsWhatIsAsked) {
    const std::string v0 = empty_directory;
    const std::string v1 = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
    EXPECT_EQ(line({"cid", "base32", v0}), v1);
    EXPECT_EQ(line({"cid", "format", v0}), v0);
    EXPECT_EQ(line({"cid", "format", "-v", "0", v1}), v0);
    EXPECT_EQ(line({"cid", "format", "-f", "%P %% %b %B %v %V %c %C %h %H %L", v1}),
              "cidv1-dag-pb-sha2-256-32 % base32 b cidv1 1 dag-pb 112 sha2-256 18 32");
    EXPECT_EQ(line({"cid", "format", "-f", "%d %D", "-b", "base16", v0}),
              "f59948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef "
              "59948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef");
    EXPECT_EQ(line({"cid", "format", "-f", "%M", v0}), v0);
    EXPECT_EQ(line({"cid", "format", "--mc", "raw", "-b", "base32", v0}),
              "bafkreiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
}

TEST_F(Dag, CidFormatGoesOnAfterWhatIsNoCid) {
    const Finished finished =
        program({"cid", "format"}, {.input = std::string("nonsense\n") + empty_directory + "\n"});
    EXPECT_EQ(finished.out, std::string(empty_directory) + "\n");
    EXPECT_NE(finished.status, 0);
    EXPECT_THAT(finished.err,
                AllOf(testing::StartsWith("nonsense: "),
                      HasSubstr("errors while displaying some entries")));
    EXPECT_EQ(program({"cid", "format", "-f", "plain", empty_directory}).err,
              "ipfs-compute: usage: invalid format string: \"plain\"\n");
    EXPECT_EQ(program({"cid", "format", "-f", "%x", empty_directory}).err,
              "ipfs-compute: usage: unrecognized specifier in format string: %x\n");
    EXPECT_EQ(program({"cid", "format", "-v", "0", hello_cbor}).status, 121);
}

TEST_F(Dag, CidInspectPrintsTheParts) {
    EXPECT_EQ(program({"cid", "inspect", empty_directory}).out,
              "CID:        QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn\n"
              "Version:    0\n"
              "Multibase:  base58btc (implicit)\n"
              "Multicodec: dag-pb (0x70, implicit)\n"
              "Multihash:  sha2-256 (0x12, implicit)\n"
              "  Length:   32 bytes\n"
              "  Digest:   59948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef\n"
              "CIDv0:      QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn\n"
              "CIDv1:      bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354\n");
    EXPECT_THAT(
        program({"cid", "inspect", hello_cbor}).out,
        HasSubstr("CIDv0:      not possible, requires dag-pb (0x70), got dag-cbor (0x71)\n"));
    EXPECT_THAT(program({"cid", "inspect", "--json", hello_cbor}).out,
                AllOf(HasSubstr("\"cid_v0\":null"), HasSubstr("\"name\":\"dag-cbor\"")));
    EXPECT_THAT(
        program({"cid", "inspect", "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"}).err,
        HasSubstr("the value is a PeerID, inspect its CID: k51"));
}

} // namespace
