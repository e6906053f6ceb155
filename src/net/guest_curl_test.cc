#include "net/guest_curl.h"
#include "net/testing/http_test_server.h"

#include <gtest/gtest.h>

namespace ic::net {
namespace {

using testing::answer_of;
using testing::HttpTestServer;
using testing::SeenRequest;

TEST(GuestRequest, IsAUrlOrAnObject) {
    EXPECT_EQ(parse_guest_request("http://example.com/")->url, "http://example.com/");
    const Result<HttpRequest> full =
        parse_guest_request(R"({"url":"https://a.b/","method":"POST",)"
                            R"("headers":{"X-A":"1","X-B":""},"body":"b\u00e9"})");
    ASSERT_TRUE(full) << full.error().message;
    EXPECT_EQ(full->method, "POST");
    EXPECT_EQ(full->headers, (HttpHeaders{{"X-A", "1"}, {"X-B", ""}}));
    EXPECT_EQ(text_of(full->body), "b\xc3\xa9");
    EXPECT_EQ(parse_guest_request(encode_guest_request(*full))->headers, full->headers);
}

TEST(GuestRequest, IsRefusedInAnyOtherForm) {
    for (const char* text : {"",
                             "{}",
                             "{",
                             R"({"url":""})",
                             R"({"url":1})",
                             R"({"url":"u","url":"v"})",
                             R"({"url":"u","headers":{"a":"1","a":"2"}})",
                             R"({"url":"u","headers":["a"]})",
                             R"({"url":"u","headers":{"a":1}})",
                             R"({"url":"u","headers":{"a":{"b":"c"}}})",
                             R"({"url":"u","unknown":1})",
                             R"({"url":"u"} x)",
                             "{\"url\":\"\xff\"}"}) {
        EXPECT_EQ(parse_guest_request(text).error().code, Errc::malformed) << text;
    }
    EXPECT_FALSE(parse_guest_request(R"({"url":)" + std::string(100'000, '[')));
    const std::string large =
        R"({"url":"u","body":")" + std::string(limits::guest_request_bytes_max, 'b') + "\"}";
    EXPECT_EQ(parse_guest_request(large).error().code, Errc::too_large);
    EXPECT_EQ(parse_guest_request(std::string(limits::url_bytes_max + 1, 'u')).error().code,
              Errc::malformed);
}

TEST(GuestCurl, HeadIsOneLineOfJson) {
    const HttpHead head{
        .status = 200, .headers = {{"x", "a"}, {"x", "b"}, {"y", "\"\n\xff"}}, .url = "http://h/"};
    EXPECT_EQ(head_line(head),
              "{\"headers\":{\"x\":\"a, b\",\"y\":\"\\\"\\n\xef\xbf\xbd\"},\"status\":200,"
              "\"url\":\"http://h/\"}");
}

// A server that the worker opened, and what job and worker allow.
struct Allowed {
    HttpTestServer server;
    std::string host;
    WorkerNetwork worker;

    explicit Allowed(HttpTestServer::Answer answer)
        : server(std::move(answer))
        , host("127.0.0.1:" + std::to_string(server.port())) {
        worker.allow_hosts = {*HostRule::parse(host)};
        worker.opened = {{.address = Address::v4(127, 0, 0, 1), .port = server.port()}};
    }
};

TEST(GuestCurl, NeedsTheJobsAndTheWorkersLeaveAndAnOpenedAddress) {
    Allowed allowed{[](const SeenRequest&) { return answer_of(200, "", "hello"); }};
    const std::vector<std::string> job{allowed.host};
    const std::vector<std::string> other{"example.com"};
    EXPECT_TRUE(guest_curl(allowed.server.url(), job, allowed.worker, {}));
    EXPECT_EQ(allowed.server.connections(), 1U);

    EXPECT_EQ(guest_curl(allowed.server.url(), {}, allowed.worker, {}).error().code, Errc::refused);
    EXPECT_EQ(guest_curl(allowed.server.url(), other, allowed.worker, {}).error().code,
              Errc::refused);
    WorkerNetwork nothing;
    EXPECT_EQ(guest_curl(allowed.server.url(), job, nothing, {}).error().code, Errc::refused);
    WorkerNetwork closed = allowed.worker;
    closed.opened.clear();
    EXPECT_EQ(guest_curl(allowed.server.url(), job, closed, {}).error().code, Errc::refused);
    EXPECT_EQ(allowed.server.connections(), 1U);
}

// Ways to say this machine, or another that no guest may reach. PORT is the canary's.
const char* const targets[] = {
    "http://127.0.0.1:PORT/",
    "http://127.0.0.2:PORT/",
    "http://127.255.255.254:PORT/",
    "http://127.1:PORT/",
    "http://127.0.1:PORT/",
    "http://0:PORT/",
    "http://0.0.0.0:PORT/",
    "http://2130706433:PORT/",
    "http://017700000001:PORT/",
    "http://0x7f000001:PORT/",
    "http://0x7f.0.0.1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://0177.1:PORT/",
    "http://0x7f.1:PORT/",
    "http://127.0.0.0x1:PORT/",
    "http://127.0.0.01:PORT/",
    "http://localhost:PORT/",
    "http://LOCALHOST:PORT/",
    "http://localhost.:PORT/",
    "http://a.localhost:PORT/",
    "http://%6c%6f%63%61%6c%68%6f%73%74:PORT/",
    "http://127.0.0.1%2e:PORT/",
    "http://%31%32%37.0.0.1:PORT/",
    "http://[::1]:PORT/",
    "http://[0:0:0:0:0:0:0:1]:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[::127.0.0.1]:PORT/",
    "http://[::ffff:0:127.0.0.1]:PORT/",
    "http://[64:ff9b::127.0.0.1]:PORT/",
    "http://[64:ff9b:1::127.0.0.1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://[2001:0:7f00:1::]:PORT/",
    "http://[fe80::1%25lo]:PORT/",
    "http://[fe80::1]:PORT/",
    "http://[fc00::1]:PORT/",
    "http://[fd00:ec2::254]:PORT/",
    "http://[fec0::1]:PORT/",
    "http://[ff02::1]:PORT/",
    "http://[100::1]:PORT/",
    "http://[2001:db8::1]:PORT/",
    "http://10.0.0.1:PORT/",
    "http://100.64.0.1:PORT/",
    "http://169.254.169.254/latest/meta-data",
    "http://169.254.169.254:PORT/",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://172.16.0.1:PORT/",
    "http://192.168.0.1:PORT/",
    "http://192.0.0.1:PORT/",
    "http://198.18.0.1:PORT/",
    "http://224.0.0.1:PORT/",
    "http://240.0.0.1:PORT/",
    "http://255.255.255.255:PORT/",
    "http://user@127.0.0.1:PORT/",
    "http://user:secret@127.0.0.1:PORT/",
    "http://example.com@127.0.0.1:PORT/",
    "http://example.com:80@127.0.0.1:PORT/",
    "http://127.0.0.1:PORT#@example.com/",
    "http://127.0.0.1:PORT\\@example.com/",
    "http:127.0.0.1:PORT/",
    "//127.0.0.1:PORT/",
    "http:///127.0.0.1:PORT/",
    "https://127.0.0.1:PORT/",
    "HTTP://127.0.0.1:PORT/",
    "ftp://127.0.0.1:PORT/",
    "gopher://127.0.0.1:PORT/_x",
    "dict://127.0.0.1:PORT/x",
    "file:///etc/hostname",
    "telnet://127.0.0.1:PORT/",
    "smb://127.0.0.1:PORT/",
    "http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1:PORT/",
    "http://127\xe3\x80\x82"
    "0\xe3\x80\x82"
    "0\xe3\x80\x82"
    "1:PORT/",
    "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1:PORT/",
    "http://l\xc2\xadocalhost:PORT/",
};

std::string with_port(std::string text, std::uint16_t port) {
    for (std::size_t at = text.find("PORT"); at != std::string::npos; at = text.find("PORT")) {
        text.replace(at, 4, std::to_string(port));
    }
    return text;
}

class SpecialAddresses : public ::testing::Test {
protected:
    HttpTestServer canary_v4_{[](const SeenRequest&) { return answer_of(200, "", "reached"); },
                              "0.0.0.0"};
    HttpTestServer canary_v6_{[](const SeenRequest&) { return answer_of(200, "", "reached"); },
                              "::"};

    void expect_nothing_reached() const {
        EXPECT_EQ(canary_v4_.connections(), 0U);
        EXPECT_EQ(canary_v6_.connections(), 0U);
    }
};

TEST_F(SpecialAddresses, AreNotReachedDirectlyWhateverTheHostLists) {
    EXPECT_GE(std::size(targets), 60U);
    for (const char* target : targets) {
        for (const std::uint16_t port : {canary_v4_.port(), canary_v6_.port()}) {
            // No host list at all: only the check of the address stands in the way.
            EXPECT_FALSE(http_request({.url = with_port(target, port)}, {}, {})) << target;
        }
    }
    expect_nothing_reached();
}

TEST_F(SpecialAddresses, AreNotReachedThroughAGuestsRequestThatListsThem) {
    WorkerNetwork worker;
    std::vector<std::string> job;
    for (const char* host : {"localhost",
                             "127.0.0.1",
                             "127.0.0.2",
                             "0.0.0.0",
                             "10.0.0.1",
                             "[::1]",
                             "[::]",
                             "a.localhost",
                             "169.254.169.254"}) {
        for (const std::uint16_t port : {canary_v4_.port(), canary_v6_.port()}) {
            job.push_back(std::string(host) + ":" + std::to_string(port));
            worker.allow_hosts.push_back(*HostRule::parse(job.back()));
        }
    }
    for (const char* target : targets) {
        for (const std::uint16_t port : {canary_v4_.port(), canary_v6_.port()}) {
            EXPECT_FALSE(guest_curl(with_port(target, port), job, worker, {})) << target;
        }
    }
    expect_nothing_reached();
}

TEST_F(SpecialAddresses, AreNotReachedThroughARedirect) {
    std::string location;
    const HttpTestServer allowed{[&location](const SeenRequest&) {
        return answer_of(302, "Location: " + location + "\r\n", "");
    }};
    const HttpPolicy policy{
        .host_lists = {},
        .opened = {{.address = Address::v4(127, 0, 0, 1), .port = allowed.port()}}};
    for (const char* target : targets) {
        for (const std::uint16_t port : {canary_v4_.port(), canary_v6_.port()}) {
            location = with_port(target, port);
            EXPECT_FALSE(http_request({.url = allowed.url()}, policy, {})) << target;
        }
    }
    EXPECT_GE(allowed.connections(), 2 * std::size(targets));
    expect_nothing_reached();
}

TEST_F(SpecialAddresses, AnOpenedPortOpensNoOther) {
    Allowed allowed{[](const SeenRequest&) { return answer_of(200, "", "hello"); }};
    HttpPolicy policy;
    policy.opened = allowed.worker.opened;
    EXPECT_TRUE(http_request({.url = allowed.server.url()}, policy, {}));
    EXPECT_EQ(http_request({.url = canary_v4_.url()}, policy, {}).error().code, Errc::refused);
    expect_nothing_reached();
}

} // namespace
} // namespace ic::net
