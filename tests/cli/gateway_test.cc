/// Content that is not here, read from gateways (here: doubles that speak as ones).

#include "cli/program.h"
#include "multiformats/cid.h"
#include "net/testing/http_test_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using ic::net::testing::answer_of;
using ic::net::testing::HttpTestServer;
using ic::net::testing::SeenRequest;
using ic::testing_support::Finished;
using ic::testing_support::Program;
using testing::HasSubstr;

const std::string text = "from a gateway\n";
const std::string cid = ic::cid_of(ic::Codec::raw, ic::bytes_of(text)).to_string();

std::string block(const SeenRequest&) {
    return answer_of(200, "Content-Type: application/vnd.ipld.raw\r\n", text);
}

TEST(Gateways, AreAskedOnceForWhatIsNotHere) {
    const HttpTestServer server(block);
    const Program program;
    for (int time = 0; time < 2; ++time) {
        const Finished printed = program({"cat", "--gateway", server.url(), cid});
        EXPECT_EQ(printed.out, text) << printed.err;
        EXPECT_EQ(printed.err, "");
    }
    EXPECT_EQ(server.requests().size(), 1U);
    EXPECT_EQ(server.requests()[0].line(), "GET /ipfs/" + cid + "?format=raw HTTP/1.1");
}

TEST(Gateways, CanStandInTheConfiguration) {
    const HttpTestServer server(block);
    const Program program;
    ASSERT_EQ(program({"config", "set", "gateways", server.url()}).status, 0);
    EXPECT_EQ(program({"block", "get", cid}).out, text);
    EXPECT_EQ(program({"config", "set", "gateways", "ftp://x"}).status, 120);
}

TEST(Gateways, ThatLieAreNamedAndTheNextServes) {
    const HttpTestServer lying([](const SeenRequest&) { return answer_of(200, "", "a lie\n"); });
    const HttpTestServer honest(block);
    const Program program;
    const Finished printed =
        program({"cat", "--gateway", lying.url(), "--gateway", honest.url(), cid});
    EXPECT_EQ(printed.out, text);
    EXPECT_THAT(
        printed.err,
        HasSubstr("ipfs-compute: warning: gateway " + lying.url("") + " is not asked any more: "));
    const Program other;
    const Finished alone = other({"cat", "--gateway", lying.url(), cid});
    EXPECT_EQ(alone.status, 124);
    EXPECT_EQ(alone.out, "");
    EXPECT_THAT(alone.err, HasSubstr(lying.url("") + ": "));
    EXPECT_THAT(alone.err, HasSubstr("and is not asked again"));
}

TEST(Gateways, MustBeWebAddresses) {
    const Program program;
    EXPECT_EQ(program({"cat", "--gateway", "nonsense", cid}).status, 120);
    EXPECT_EQ(program({"cat", "--gateway", "http://x?y", cid}).status, 120);
}

} // namespace
