#include "kubo/node.h"
#include "kubo/pubsub.h"
#include "kubo/rpc.h"
#include "net/testing/http_test_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

namespace ic::kubo {
namespace {

using namespace std::chrono_literals;
using net::testing::answer_of;
using net::testing::HttpTestServer;
using net::testing::Peer;
using net::testing::SeenRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// An Rpc whose clock, sleep and randomness are the test's.
class RpcTest : public ::testing::Test {
protected:
    std::unique_ptr<Rpc> rpc_at(const std::string& address) {
        options_.address = address;
        options_.random = [this] { return ++random_; };
        options_.now = [this] { return now_; };
        options_.sleep = [this](std::chrono::milliseconds time) {
            slept_.push_back(time);
            now_ = now_ + time;
        };
        Result<std::unique_ptr<Rpc>> rpc = Rpc::open(options_);
        EXPECT_TRUE(rpc.ok()) << rpc.error().message;
        return std::move(rpc).take();
    }

    std::unique_ptr<Rpc> rpc_at(const HttpTestServer& server) { return rpc_at(server.url("")); }

    RpcOptions options_;
    std::uint64_t random_ = 0;
    Instant now_{1h};
    std::vector<std::chrono::milliseconds> slept_;
};

const RpcCall asked{.command = "id", .repeat = Repeat::harmless};
const RpcCall told{.command = "pin/add", .query = {{"arg", "a/b c&d"}, {"name", "x"}}};

std::string nobody() {
    const HttpTestServer server([](const SeenRequest&) { return std::string(); });
    return server.url("");
}

TEST_F(RpcTest, PostsTheCommandWithItsQueryAndTokenAndPart) {
    HttpTestServer server([](const SeenRequest&) { return answer_of(200, "", "{}"); });
    options_.token = "bearer:secret";
    RpcCall call = told;
    const Bytes data = copy_of(bytes_of("some data"));
    call.part = "data";
    call.data = data;
    const auto rpc = rpc_at(server);
    EXPECT_EQ(text_of(*rpc->call(call)), "{}");
    const SeenRequest seen = server.requests().at(0);
    EXPECT_EQ(seen.line(), "POST /api/v0/pin/add?arg=a%2Fb%20c%26d&name=x HTTP/1.1");
    EXPECT_THAT(seen.head, HasSubstr("\r\nAuthorization: Bearer secret\r\n"));
    // RFC 7578; the boundary is made of the test's "random" numbers 1 and 2.
    const std::string boundary = "ic-01000000000000000200000000000000";
    EXPECT_THAT(seen.head,
                HasSubstr("\r\nContent-Type: multipart/form-data; boundary=" + boundary + "\r\n"));
    EXPECT_EQ(seen.body,
              "--" + boundary +
                  "\r\nContent-Disposition: form-data; name=\"data\"; filename=\"data\"\r\n"
                  "Content-Type: application/octet-stream\r\n\r\nsome data\r\n--" +
                  boundary + "--\r\n");
}

TEST_F(RpcTest, SendsAPasswordAsKuboReadsIt) {
    HttpTestServer server([](const SeenRequest&) { return answer_of(200, "", "{}"); });
    options_.token = "basic:user:pass";
    EXPECT_TRUE(rpc_at(server)->call(asked).ok());
    // RFC 7617 over "user:pass".
    EXPECT_THAT(server.requests().at(0).head,
                HasSubstr("\r\nAuthorization: Basic dXNlcjpwYXNz\r\n"));
}

TEST_F(RpcTest, RefusesTokensOfAnotherFormWithoutShowingThem) {
    for (const char* token :
         {"secret", "bearer:", "basic:secret", "bearer:se cret", "Bearer secret"}) {
        options_.token = token;
        const auto rpc = Rpc::open(options_);
        ASSERT_FALSE(rpc.ok()) << token;
        EXPECT_EQ(rpc.error().code, Errc::malformed);
        EXPECT_THAT(rpc.error().message, Not(HasSubstr("cret")));
    }
}

TEST_F(RpcTest, SpeaksThroughASocket) {
    std::string folder = ::testing::TempDir() + "ic-rpc-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    {
        HttpTestServer server([](const SeenRequest&) { return answer_of(200, "", "{}"); },
                              folder + "/api");
        EXPECT_TRUE(rpc_at("/unix" + folder + "/api")->call(asked).ok());
        EXPECT_EQ(server.requests().at(0).line(), "POST /api/v0/id HTTP/1.1");
    }
    std::filesystem::remove_all(folder);
}

TEST_F(RpcTest, KeepsItsConnection) {
    HttpTestServer server([](const SeenRequest&, Peer& peer) {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
        peer.keep_open();
    });
    const auto rpc = rpc_at(server);
    for (int call = 0; call < 3; ++call) {
        EXPECT_TRUE(rpc->call(asked).ok());
    }
    EXPECT_EQ(server.connections(), 1U);
}

TEST_F(RpcTest, MakesAConnectionAnewThatKuboClosedBetweenTwoCalls) {
    // No keep_open, and no word of it in the answer: as when a daemon is started again.
    HttpTestServer server([](const SeenRequest&, Peer& peer) {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    });
    const auto rpc = rpc_at(server);
    for (int call = 0; call < 5; ++call) {
        const Result<Bytes> answer = rpc->call(told);
        EXPECT_TRUE(answer.ok()) << answer.error().message;
    }
    EXPECT_EQ(server.requests().size(), 5U);
}

TEST_F(RpcTest, TriesAgainWithGrowingPausesWhatMayBeRepeated) {
    int left = 2;
    HttpTestServer server([&](const SeenRequest&) {
        return left-- > 0 ? answer_of(503, "", "starting") : answer_of(200, "", "{}");
    });
    options_.retry = {.attempts_max = 3, .backoff_first = 100ms, .backoff_max = 10s};
    EXPECT_TRUE(rpc_at(server)->call(asked).ok());
    ASSERT_EQ(slept_.size(), 2U);
    EXPECT_GE(slept_[0], 50ms);
    EXPECT_LE(slept_[0], 100ms);
    EXPECT_GE(slept_[1], 100ms);
    EXPECT_LE(slept_[1], 200ms);
}

TEST_F(RpcTest, TriesAgainNoMoreOftenThanItMay) {
    HttpTestServer server([](const SeenRequest&) { return answer_of(502, "", "<html>bad"); });
    options_.retry.attempts_max = 4;
    const auto answer = rpc_at(server)->call(asked);
    EXPECT_EQ(answer.error().code, Errc::unavailable);
    EXPECT_THAT(answer.error().message, HasSubstr("HTTP status 502: <html>bad"));
    EXPECT_EQ(server.requests().size(), 4U);
}

TEST_F(RpcTest, DoesNotRepeatWhatMayNotBeRepeatedOrIsKubosLastWord) {
    HttpTestServer proxy([](const SeenRequest&) { return answer_of(503, "", ""); });
    EXPECT_EQ(rpc_at(proxy)->call(told).error().code, Errc::unavailable);
    EXPECT_EQ(proxy.requests().size(), 1U);
    HttpTestServer kubo([](const SeenRequest&) {
        return answer_of(500, "", R"({"Message":"not pinned\u001b","Code":0,"Type":"error"})");
    });
    const auto answer = rpc_at(kubo)->call(asked);
    EXPECT_EQ(answer.error().code, Errc::unavailable);
    EXPECT_EQ(answer.error().message, "Kubo at " + kubo.url("") + ", id: not pinned\\x1b");
    EXPECT_EQ(kubo.requests().size(), 1U);
}

TEST_F(RpcTest, StopsAskingWhoIsNotThereAndProbesOnce) {
    options_.address = nobody();
    options_.breaker = {.failures_max = 2, .pause = 1'000ms};
    options_.retry.attempts_max = 1;
    const auto rpc = rpc_at(options_.address);
    EXPECT_EQ(rpc->call(asked).error().code, Errc::unavailable);
    EXPECT_THAT(rpc->call(asked).error().message, Not(HasSubstr("not asked")));
    EXPECT_THAT(rpc->call(asked).error().message, HasSubstr("not asked for a moment"));
    now_ = now_ + 1'000ms;
    EXPECT_THAT(rpc->call(asked).error().message, Not(HasSubstr("not asked"))); // The probe.
    EXPECT_THAT(rpc->call(asked).error().message, HasSubstr("failed 3 times in a row"));
}

TEST_F(RpcTest, LearnsOfAnAbsenceFromWhoeverSharesItsBreaker) {
    options_.address = nobody();
    options_.shared_breaker =
        std::make_shared<SharedBreaker>(BreakerPolicy{.failures_max = 1, .pause = 1'000ms});
    options_.retry.attempts_max = 1;
    const auto one = rpc_at(options_.address);
    const auto other = rpc_at(options_.address);
    EXPECT_THAT(one->call(asked).error().message, Not(HasSubstr("not asked")));
    EXPECT_THAT(other->call(asked).error().message, HasSubstr("not asked for a moment"));
    now_ = now_ + 1'000ms;
    EXPECT_THAT(other->call(asked).error().message, Not(HasSubstr("not asked"))); // The one probe.
    EXPECT_THAT(one->call(asked).error().message, HasSubstr("failed 2 times in a row"));
}

TEST_F(RpcTest, AsksAgainAfterAProbeThatWentWell) {
    std::atomic<bool> is_there{false};
    HttpTestServer server(
        [&](const SeenRequest&) { return is_there ? answer_of(200, "", "{}") : std::string(); });
    options_.breaker = {.failures_max = 1, .pause = 1'000ms};
    options_.retry.attempts_max = 1;
    const auto rpc = rpc_at(server);
    EXPECT_FALSE(rpc->call(asked).ok());
    is_there = true;
    EXPECT_FALSE(rpc->call(asked).ok());
    now_ = now_ + 1'000ms;
    EXPECT_TRUE(rpc->call(asked).ok());
    EXPECT_TRUE(rpc->call(asked).ok());
}

TEST_F(RpcTest, AnErrorOfKuboIsNoAbsence) {
    HttpTestServer kubo([](const SeenRequest&) {
        return answer_of(500, "", R"({"Message":"no","Type":"error"})");
    });
    options_.breaker.failures_max = 1;
    const auto rpc = rpc_at(kubo);
    for (int call = 0; call < 3; ++call) {
        EXPECT_THAT(rpc->call(told).error().message, HasSubstr("pin/add: no"));
    }
}

TEST_F(RpcTest, NamesEachKindOfAnswerThatIsNone) {
    struct Row {
        std::string answer;
        Errc code;
        const char* words;
    };

    options_.breaker.failures_max = 1'000;
    options_.retry.attempts_max = 1;
    const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::vector<Row> rows{
        {answer_of(200, "", "<html>hello</html>"), Errc::malformed, "'<html>hello</html>'"},
        {answer_of(200, "", "{\"ID\":"), Errc::malformed, "not what Kubo answers"},
        {answer_of(200, "", "[]"), Errc::malformed, "not what Kubo answers"},
        {answer_of(200, "", "{}"), Errc::malformed, "no text 'ID'"},
        {answer_of(200, "", R"({"ID":7})"), Errc::malformed, "no text 'ID'"},
        {answer_of(200, "", R"({"ID":"../../x"})"), Errc::malformed, "no peer ID"},
        {answer_of(200, "", R"({"ID":"12D3","Addresses":[1]})"), Errc::malformed, "'Addresses'"},
        {answer_of(200, "", R"({"Message":"gone","Type":"error"})"), Errc::unavailable, "gone"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", Errc::unavailable, "failed"},
        {chunked + "1\r\n{\r\n", Errc::unavailable, "failed"},
        {chunked + "2\r\n{}\r\n0\r\nX-Stream-Error: it broke\r\n\r\n",
         Errc::unavailable,
         "it broke"},
        {"SSH-2.0-OpenSSH\r\n", Errc::unavailable, "failed"},
        {answer_of(200, "", std::string(limits::answer_bytes_max + 1, ' ')), Errc::too_large, ""},
        {answer_of(302, "Location: /webui\r\n", ""), Errc::malformed, "no Kubo (HTTP status 302)"},
        {answer_of(400, "", "argument \"x\" is required"), Errc::malformed, "is required"},
        {answer_of(401, "", ""), Errc::refused, "AllowedPaths"},
        {answer_of(403, "", "Kubo RPC Access Denied"), Errc::refused, "have /api/v0/id"},
        {answer_of(404, "", "404 page not found"), Errc::unsupported, "does not know"},
        {answer_of(405, "", "method not allowed"), Errc::malformed, "no Kubo"},
        {answer_of(418, "", ""), Errc::malformed, "no Kubo"},
        {answer_of(500, "", "<html>"), Errc::unavailable, "status 500: <html>"},
    };
    for (const Row& row : rows) {
        HttpTestServer server([&](const SeenRequest&) { return row.answer; });
        const auto rpc = rpc_at(server);
        const Result<NodeId> node = id(*rpc);
        ASSERT_FALSE(node.ok()) << row.answer.substr(0, 200);
        EXPECT_EQ(node.error().code, row.code) << node.error().message;
        EXPECT_THAT(node.error().message, HasSubstr(row.words));
        EXPECT_THAT(node.error().message, HasSubstr(server.url("")));
    }
}

TEST_F(RpcTest, EndsAtItsTimeAndWhenItIsTold) {
    HttpTestServer server([](const SeenRequest&, Peer& peer) { peer.wait(20s); });
    options_.total_time_max = 100ms;
    options_.retry.attempts_max = 1;
    EXPECT_EQ(rpc_at(server)->call(asked).error().code, Errc::unavailable);
    options_.total_time_max = 20s;
    RpcCall call = asked;
    call.stop = [] { return std::optional(Error{Errc::cancelled, "told"}); };
    EXPECT_EQ(rpc_at(server)->call(call).error().message, "told");
}

TEST_F(RpcTest, GivesLinesAsTheyComeAndTheLastOneWithoutAnEnd) {
    HttpTestServer server([](const SeenRequest&) {
        return answer_of(200, "", "one\n\n" + std::string(70'000, 'x') + "\nlast");
    });
    auto answer = rpc_at(server)->begin(asked);
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(*(*answer)->read_line(70'000), "one");
    EXPECT_EQ(*(*answer)->read_line(70'000), "");
    EXPECT_EQ((**(*answer)->read_line(70'000)).size(), 70'000U);
    EXPECT_EQ(*(*answer)->read_line(70'000), "last");
    EXPECT_EQ(*(*answer)->read_line(70'000), std::nullopt);
}

TEST_F(RpcTest, RefusesALineOneByteTooLong) {
    HttpTestServer server(
        [](const SeenRequest&) { return answer_of(200, "", std::string(100, 'x') + "\n"); });
    const auto rpc = rpc_at(server);
    EXPECT_TRUE((*rpc->begin(asked))->read_line(100).ok());
    EXPECT_EQ((*rpc->begin(asked))->read_line(99).error().code, Errc::too_large);
}

TEST_F(RpcTest, DoesNotTakeHalfALineForTheLast) {
    HttpTestServer server([](const SeenRequest&) {
        return std::string("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nwhole\nhal");
    });
    auto answer = rpc_at(server)->begin(asked);
    EXPECT_EQ(*(*answer)->read_line(100), "whole");
    EXPECT_EQ((*answer)->read_line(100).error().code, Errc::unavailable);
}

TEST_F(RpcTest, TellsHowEachAttemptEnded) {
    std::vector<std::string> told_of;
    options_.on_attempt = [&](const Attempt& attempt) {
        told_of.push_back(std::string(attempt.command) + " " + std::string(name(attempt.end)) +
                          (attempt.is_breaker_open ? " open" : ""));
    };
    options_.retry.attempts_max = 2;
    options_.breaker.failures_max = 3;
    HttpTestServer server([count = 0](const SeenRequest&) mutable {
        return ++count == 1 ? answer_of(200, "", "{}")
                            : answer_of(403, "text/plain", "403 - Forbidden");
    });
    const auto there = rpc_at(server);
    EXPECT_TRUE(there->call(asked).ok());
    EXPECT_EQ(there->call(told).error().code, Errc::refused);
    const auto gone = rpc_at(nobody());
    EXPECT_FALSE(gone->call(asked).ok());
    EXPECT_FALSE(gone->call(asked).ok());
    EXPECT_THAT(told_of,
                ElementsAre("id ok",
                            "pin/add refused",
                            "id failed",
                            "id failed",
                            "id failed open",
                            "id not-asked open"));
}

TEST(Backoff, DoublesUpToItsBoundAndLeavesHalfToChance) {
    const RetryPolicy policy{.attempts_max = 9, .backoff_first = 100ms, .backoff_max = 1'000ms};
    for (const auto& [failures, whole] : std::vector<std::pair<int, int>>{
             {1, 100}, {2, 200}, {4, 800}, {5, 1'000}, {1'000, 1'000}}) {
        const auto half = std::chrono::milliseconds(whole / 2);
        EXPECT_EQ(backoff(policy, failures, 0), half);
        EXPECT_EQ(backoff(policy, failures, static_cast<std::uint64_t>(whole / 2)), 2 * half);
        EXPECT_EQ(backoff(policy, failures, static_cast<std::uint64_t>(whole / 2 + 1)), half);
    }
}

TEST(PubsubPublish, RefusesWhatWouldNotArriveWithoutAsking) {
    HttpTestServer server([](const SeenRequest&) { return answer_of(200, "", ""); });
    RpcOptions options;
    options.address = server.url("");
    const auto opened = Rpc::open(options);
    Rpc& rpc = **opened;
    const Bytes data(limits::pubsub_data_bytes_max + 1);
    EXPECT_EQ(pubsub_publish(rpc, "t", data).error().code, Errc::too_large);
    const std::string topic(limits::pubsub_topic_bytes_max + 1, 't');
    EXPECT_EQ(pubsub_publish(rpc, topic, bytes_of("x")).error().code, Errc::too_large);
    EXPECT_EQ(server.requests().size(), 0U);
    EXPECT_TRUE(pubsub_publish(rpc, topic.substr(1), ByteView(data).subspan(1)).ok());
    // uaXBmcy1jb21wdXRlL3Rlc3Q: measured with Kubo 0.43.
    EXPECT_TRUE(pubsub_publish(rpc, "ipfs-compute/test", bytes_of("x")).ok());
    EXPECT_EQ(server.requests().at(1).line(),
              "POST /api/v0/pubsub/pub?arg=uaXBmcy1jb21wdXRlL3Rlc3Q HTTP/1.1");
}

TEST(PubsubCalls, ReadListsAndSayThatPubsubIsOff) {
    const std::vector<std::string> answers{
        answer_of(200, "", R"({"Strings":["uaXBmcy1jb21wdXRlL3Rlc3Q"],"New":1})"),
        answer_of(200, "", R"({"Strings":null})"),
        answer_of(500,
                  "",
                  R"({"Message":"experimental pubsub feature not enabled, run daemon",)"
                  R"("Type":"error"})")};
    std::size_t next = 0;
    HttpTestServer server([&](const SeenRequest&) { return answers.at(next++); });
    RpcOptions options;
    options.address = server.url("");
    const auto opened = Rpc::open(options);
    Rpc& rpc = **opened;
    EXPECT_THAT(*pubsub_topics(rpc), ElementsAre(copy_of(bytes_of("ipfs-compute/test"))));
    EXPECT_TRUE(pubsub_peers(rpc, "t")->empty());
    const auto off = pubsub_topics(rpc);
    EXPECT_EQ(off.error().code, Errc::unsupported);
    EXPECT_THAT(off.error().message, HasSubstr("ipfs config --json Pubsub.Enabled true"));
}

} // namespace
} // namespace ic::kubo
