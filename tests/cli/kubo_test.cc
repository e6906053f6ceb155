/// Content that is not here while a Kubo answers (here: a double that speaks as one).

#include "cli/program.h"
#include "multiformats/cid.h"
#include "net/testing/http_test_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace {

using ic::net::testing::HttpTestServer;
using ic::net::testing::SeenRequest;
using ic::testing_support::Finished;
using ic::testing_support::Program;
using testing::HasSubstr;

const std::string cid = ic::cid_of(ic::Codec::raw, ic::bytes_of("from kubo\n")).to_string();

std::string answer_with(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST(Kubo, IsFoundByItsApiFileAndReadOnce) {
    HttpTestServer server([](const SeenRequest&) { return answer_with("from kubo\n"); });
    const Program program;
    std::filesystem::create_directories(program.folder() + "/no-kubo"); // The IPFS_PATH of tests.
    std::ofstream(program.folder() + "/no-kubo/api")
        << "/ip4/127.0.0.1/tcp/" << server.port() << '\n';
    for (int time = 0; time < 2; ++time) {
        const Finished printed = program({"cat", cid});
        EXPECT_EQ(printed.out, "from kubo\n") << printed.err;
    }
    EXPECT_EQ(server.connections(), 1U) << "the second reading is from the store";
}

TEST(Kubo, GivesNoWrongBytes) {
    HttpTestServer server([](const SeenRequest&) { return answer_with("something else"); });
    const Program program;
    const Finished printed = program({"cat", cid, "--set", "kubo=" + server.url("")});
    EXPECT_EQ(printed.out, "");
    EXPECT_EQ(printed.status, 124);
    EXPECT_THAT(printed.err, HasSubstr("ipfs-compute: hash-mismatch: "));
}

TEST(Kubo, ThatIsNotThereIsNamedWithARemedy) {
    std::string url;
    {
        const HttpTestServer server([](const SeenRequest&) { return std::string(); });
        url = server.url("");
    }
    const Program program;
    const Finished printed = program({"cat", cid, "--set", "kubo=" + url});
    EXPECT_EQ(printed.status, 124);
    EXPECT_THAT(printed.err, HasSubstr("ipfs-compute: cid-unavailable: "));
    EXPECT_THAT(printed.err, HasSubstr("no Kubo answers at " + url + "; add it here"));
}

TEST(Kubo, IsNotAskedWhenSwitchedOff) {
    const Program program;
    EXPECT_THAT(program({"cat", cid, "--set", "kubo=off"}).err,
                HasSubstr("ipfs-compute: not-found: "));
}

} // namespace
