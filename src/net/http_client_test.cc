#include "net/http_client.h"
#include "net/testing/http_test_server.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace ic::net {
namespace {

using namespace std::chrono_literals;
using testing::answer_of;
using testing::HttpTestServer;
using testing::Peer;
using testing::SeenRequest;

// Opens exactly this server.
HttpPolicy policy_for(const HttpTestServer& server) {
    return {.host_lists = {},
            .opened = {{.address = Address::v4(127, 0, 0, 1), .port = server.port()}},
            .any_address = false};
}

Result<std::string> read_all(HttpResponse& response) {
    std::string all;
    Bytes piece(1000);
    for (;;) {
        const std::size_t size = TRY(response.read(piece));
        if (size == 0) {
            return all;
        }
        all += text_of(ByteView{piece}.first(size));
    }
}

bool has_line(const SeenRequest& request, const std::string& line) {
    return request.head.find("\r\n" + line + "\r\n") != std::string::npos;
}

TEST(HttpClient, SendsWhatIsAskedAndReadsTheAnswer) {
    const HttpTestServer server{[](const SeenRequest&) {
        return "HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\n" +
               answer_of(201, "X-One: a \r\nx-one: b\r\n", "made");
    }};
    HttpRequest request;
    request.method = "POST";
    request.url = server.url("/path?query#fragment");
    request.headers = {{"X-Mine", "yes"}, {"X-Empty", ""}};
    request.body = copy_of(bytes_of("some body"));
    auto response = http_request(request, policy_for(server), {});
    ASSERT_TRUE(response) << response.error().message;
    const std::unique_ptr<HttpResponse> answer = std::move(response).take();
    EXPECT_EQ(answer->head().status, 201);
    EXPECT_EQ(answer->head().url, server.url("/path?query"));
    EXPECT_EQ(
        answer->head().headers,
        (HttpHeaders{
            {"x-one", "a"}, {"x-one", "b"}, {"content-length", "4"}, {"connection", "close"}}));
    EXPECT_EQ(*read_all(*answer), "made");
    const SeenRequest seen = server.requests().at(0);
    EXPECT_EQ(seen.line(), "POST /path?query HTTP/1.1");
    EXPECT_EQ(seen.body, "some body");
    EXPECT_TRUE(has_line(seen, "X-Mine: yes"));
    EXPECT_TRUE(has_line(seen, "X-Empty:"));
    EXPECT_TRUE(has_line(seen, "Host: 127.0.0.1:" + std::to_string(server.port())));
    EXPECT_EQ(seen.head.find("Content-Type"), std::string::npos);
    EXPECT_EQ(seen.head.find("Expect"), std::string::npos);
}

TEST(HttpClient, StreamsABodyThatIsLargerThanItsBuffer) {
    const std::string body(3U << 20U, 'b');
    const HttpTestServer server{[&](const SeenRequest&) { return answer_of(200, "", body); }};
    HttpLimits limits;
    limits.response_bytes_max = body.size();
    auto response = http_request({.url = server.url()}, policy_for(server), limits);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_TRUE(*read_all(**response) == body);
}

TEST(HttpClient, ABodyOnePastItsLimitIsTooLarge) {
    const std::string body(100'001, 'b');
    const HttpTestServer server{[&](const SeenRequest&) { return answer_of(200, "", body); }};
    HttpLimits limits;
    limits.response_bytes_max = body.size() - 1;
    auto response = http_request({.url = server.url()}, policy_for(server), limits);
    ASSERT_TRUE(response);
    EXPECT_EQ(read_all(**response).error().code, Errc::too_large);
}

TEST(HttpClient, HeadersBeyondTheirLimitAreTooLarge) {
    const HttpTestServer server{[](const SeenRequest&) {
        std::string headers;
        while (headers.size() <= limits::response_header_bytes_max) {
            headers += "X-Long: " + std::string(1000, 'x') + "\r\n";
        }
        return answer_of(200, headers, "");
    }};
    EXPECT_EQ(http_request({.url = server.url()}, policy_for(server), {}).error().code,
              Errc::too_large);
}

TEST(HttpClient, ATruncatedBodyIsNoEnd) {
    const HttpTestServer server{
        [](const SeenRequest&) { return "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"; }};
    auto response = http_request({.url = server.url()}, policy_for(server), {});
    ASSERT_TRUE(response);
    EXPECT_EQ(read_all(**response).error().code, Errc::unavailable);
}

TEST(HttpClient, EndsWhenTheTotalTimeIsOverOrItIsToldToStop) {
    std::atomic<bool> answer{false};
    const HttpTestServer server{[&](const SeenRequest&) {
        for (int n = 0; n < 500 && !answer; ++n) {
            std::this_thread::sleep_for(10ms);
        }
        return answer_of(200, "", "late");
    }};
    HttpLimits limits;
    limits.total_time_max = 200ms;
    EXPECT_EQ(http_request({.url = server.url()}, policy_for(server), limits).error().code,
              Errc::unavailable);
    answer = true;
    limits.total_time_max = 30s;
    limits.stop = [] { return Error{Errc::lease_lost, "the lease is lost"}; };
    EXPECT_EQ(http_request({.url = server.url()}, policy_for(server), limits).error().code,
              Errc::lease_lost);
}

TEST(HttpClient, FollowsRedirectsAsTheirStatusSays) {
    const HttpTestServer server{[](const SeenRequest& request) {
        if (request.line().find("/end") != std::string::npos) {
            return answer_of(200, "", "end");
        }
        const std::string status = request.line().substr(request.line().find('/') + 1, 3);
        return answer_of(std::atoi(status.c_str()), "Location: end\r\n", "elsewhere");
    }};
    for (const auto& [status, method] : {std::pair{"301", "GET"},
                                         std::pair{"302", "GET"},
                                         std::pair{"303", "GET"},
                                         std::pair{"307", "POST"},
                                         std::pair{"308", "POST"}}) {
        HttpRequest request;
        request.method = "POST";
        request.url = server.url(std::string("/") + status);
        request.body = copy_of(bytes_of("body"));
        auto response = http_request(request, policy_for(server), {});
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ((*response)->head().url, server.url("/end"));
        EXPECT_EQ(server.requests().back().line(), std::string(method) + " /end HTTP/1.1");
        EXPECT_EQ(server.requests().back().body, method == std::string("POST") ? "body" : "");
    }
}

TEST(HttpClient, FollowsThreeRedirectsAndRefusesTheFourth) {
    const HttpTestServer server{[](const SeenRequest& request) {
        const int left = request.line()[5] - '0';
        return left == 0 ? answer_of(200, "", "end")
                         : answer_of(302, "Location: /" + std::to_string(left - 1) + "\r\n", "");
    }};
    EXPECT_TRUE(http_request({.url = server.url("/3")}, policy_for(server), {}));
    EXPECT_EQ(http_request({.url = server.url("/4")}, policy_for(server), {}).error().code,
              Errc::refused);
}

TEST(HttpClient, GivesARedirectThatItMayNotFollow) {
    const HttpTestServer server{
        [](const SeenRequest&) { return answer_of(302, "Location: /elsewhere\r\n", "there"); }};
    HttpPolicy policy = policy_for(server);
    policy.follows_redirects = false;
    auto response = http_request({.url = server.url()}, policy, {});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ((*response)->head().status, 302);
    EXPECT_EQ(*read_all(**response), "there");
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpClient, CredentialsStayWithTheirOrigin) {
    const HttpTestServer other{[](const SeenRequest&) { return answer_of(200, "", "other"); }};
    const HttpTestServer server{[&](const SeenRequest& request) {
        return request.line().find("/same") != std::string::npos
                   ? answer_of(302, "Location: " + other.url() + "\r\n", "")
                   : answer_of(302, "Location: /same\r\n", "");
    }};
    HttpPolicy policy = policy_for(server);
    policy.opened.push_back({.address = Address::v4(127, 0, 0, 1), .port = other.port()});
    HttpRequest request{.url = server.url()};
    request.headers = {{"Authorization", "Bearer secret"}, {"cookie", "secret"}, {"X-Kept", "1"}};
    ASSERT_TRUE(http_request(request, policy, {}));
    EXPECT_TRUE(has_line(server.requests().at(1), "Authorization: Bearer secret"));
    const SeenRequest seen = other.requests().at(0);
    EXPECT_EQ(seen.head.find("secret"), std::string::npos);
    EXPECT_TRUE(has_line(seen, "X-Kept: 1"));
}

TEST(HttpClient, UsesNoProxyOfTheEnvironment) {
    const HttpTestServer proxy{[](const SeenRequest&) { return answer_of(200, "", "proxy"); }};
    const HttpTestServer server{[](const SeenRequest&) { return answer_of(200, "", "server"); }};
    const std::string proxy_url = proxy.url();
    for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) {
        ::setenv(name, proxy_url.c_str(), 1);
    }
    auto response = http_request({.url = server.url()}, policy_for(server), {});
    for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) {
        ::unsetenv(name);
    }
    ASSERT_TRUE(response);
    EXPECT_EQ(*read_all(**response), "server");
    EXPECT_EQ(proxy.connections(), 0U);
}

TEST(HttpClient, RefusesRequestsThatSmuggle) {
    const HttpTestServer server{[](const SeenRequest&) { return answer_of(200, "", ""); }};
    const auto refused = [&server](HttpRequest request) {
        request.url = request.url.empty() ? server.url() : request.url;
        return !http_request(request, policy_for(server), {});
    };
    EXPECT_TRUE(refused({.method = "CONNECT"}));
    EXPECT_TRUE(refused({.method = "get"}));
    EXPECT_TRUE(refused({.method = "GET / HTTP/1.1\r\nX: y"}));
    for (const HttpHeaders& headers :
         {HttpHeaders{{"Host", "other"}},
          HttpHeaders{{"TRANSFER-ENCODING", "chunked"}},
          HttpHeaders{{"Content-Length", "1"}},
          HttpHeaders{{"X-A", "b\r\nX-C: d"}},
          HttpHeaders{{"X-A", std::string("b\0c", 3)}},
          HttpHeaders{{"X A", "b"}},
          HttpHeaders{{"X-A:", "b"}},
          HttpHeaders{{"", "b"}},
          HttpHeaders(limits::request_headers_max + 1, {"X", "y"}),
          HttpHeaders{{"X", std::string(limits::request_header_bytes_max, 'y')}}}) {
        HttpRequest request;
        request.headers = headers;
        EXPECT_TRUE(refused(request)) << headers[0].first;
    }
    EXPECT_TRUE(refused({.url = server.url("/" + std::string(limits::url_bytes_max, 'x'))}));
    EXPECT_TRUE(refused({.url = server.url("/a b")}));
    EXPECT_TRUE(refused({.url = server.url("/\r\nX: y")}));
    EXPECT_EQ(server.connections(), 0U);
}

TEST(HostRule, AllowsItsHostOnItsPort) {
    const HostRule plain = *HostRule::parse("example.com");
    EXPECT_TRUE(plain.allows("example.com", 80) && plain.allows("example.com", 443));
    EXPECT_FALSE(plain.allows("example.com", 8080));
    EXPECT_FALSE(plain.allows("www.example.com", 80));
    const HostRule port = *HostRule::parse("example.com:8080");
    EXPECT_TRUE(port.allows("example.com", 8080));
    EXPECT_FALSE(port.allows("example.com", 80));
    EXPECT_EQ(HostRule::parse("[2001:db8::1]:443")->host, "[2001:db8::1]");
    for (const char* text : {"example.com", "example.com:8080", "1.2.3.4", "[2001:db8::1]:443"}) {
        EXPECT_EQ(HostRule::parse(text)->to_string(), text);
    }
}

TEST(HostRule, RefusesWhatIsNoPlainHost) {
    for (const char* text : {"",
                             "http://example.com",
                             "example.com/",
                             "user@example.com",
                             "*.example.com",
                             "Example.com",
                             "example.com:",
                             "example.com:0",
                             "example.com:080",
                             "example.com:65536",
                             ".example.com",
                             "example.com.",
                             "a..b",
                             "127.1",
                             "0x7f.1",
                             "2130706433",
                             "0177.0.0.1",
                             "[::1",
                             "[0:0::1]",
                             "::1",
                             "[::1]:x",
                             "exa mple.com",
                             "ex\xc3\xa4mple.com"}) {
        EXPECT_FALSE(HostRule::parse(text)) << text;
    }
    EXPECT_FALSE(HostRule::parse(std::string(254, 'a')));
}

TEST(HttpClient, AnEndpointThatAUserNamedMayBeAtAnyAddress) {
    const HttpTestServer server{[](const SeenRequest&) { return answer_of(200, "", "here"); }};
    EXPECT_EQ(http_request({.url = server.url()}, {}, {}).error().code, Errc::refused);
    EXPECT_TRUE(http_request({.url = server.url()}, {.any_first_address = true}, {}).ok());
}

TEST(HttpClient, RedirectsOfANamedEndpointStayThereOrGoOutside) {
    const HttpTestServer other{[](const SeenRequest&) { return answer_of(200, "", "inside"); }};
    const HttpTestServer server{[&](const SeenRequest& request) {
        if (request.line().starts_with("GET /own")) {
            return answer_of(302, "Location: /here\r\n", "");
        }
        return request.line().starts_with("GET /other")
                   ? answer_of(302, "Location: " + other.url() + "\r\n", "")
                   : answer_of(200, "", "here");
    }};
    const HttpPolicy named{.any_first_address = true};
    EXPECT_TRUE(http_request({.url = server.url("/own")}, named, {}).ok());
    EXPECT_EQ(http_request({.url = server.url("/other")}, named, {}).error().code, Errc::refused);
    EXPECT_EQ(other.connections(), 0U);
}

TEST(HttpClient, EndsWhenTheHeadTakesTooLong) {
    const HttpTestServer server{
        HttpTestServer::Conversation{[](const SeenRequest&, Peer& peer) { peer.wait(1h); }}};
    HttpLimits limits;
    limits.head_time_max = 150ms;
    EXPECT_EQ(http_request({.url = server.url()}, policy_for(server), limits).error().code,
              Errc::unavailable);
}

TEST(HttpClient, EndsABodyThatIsSlowerThanTheFloor) {
    const HttpTestServer server{HttpTestServer::Conversation{[](const SeenRequest&, Peer& peer) {
        peer.send("HTTP/1.1 200 OK\r\n\r\n");
        while (peer.send("x") && peer.wait(10ms)) {
        }
    }}};
    HttpLimits limits;
    limits.rate_floor = {.bytes = 1000, .time = 200ms};
    auto response = http_request({.url = server.url()}, policy_for(server), limits);
    ASSERT_TRUE(response);
    const Error error = read_all(**response).error();
    EXPECT_EQ(error.code, Errc::unavailable);
    EXPECT_NE(error.message.find("too slow"), std::string::npos) << error.message;
}

TEST(HttpClient, DoesNotCountTheReadersOwnTime) {
    const HttpTestServer server{HttpTestServer::Conversation{[](const SeenRequest&, Peer& peer) {
        peer.send("HTTP/1.1 200 OK\r\n\r\n" + std::string(3U << 20U, 'x'));
    }}};
    HttpLimits limits;
    limits.rate_floor = {.bytes = 1U << 20U, .time = 1s};
    auto response = http_request({.url = server.url()}, policy_for(server), limits);
    ASSERT_TRUE(response);
    std::this_thread::sleep_for(1500ms);
    const auto body = read_all(**response);
    ASSERT_TRUE(body) << body.error().message;
    EXPECT_EQ(body->size(), 3U << 20U);
}

Result<std::unique_ptr<HttpResponse>> upload(const HttpTestServer& server,
                                             decltype(HttpRequest::produce) produce) {
    HttpRequest request;
    request.method = "POST";
    request.url = server.url();
    request.produce = std::move(produce);
    return http_request(request, policy_for(server), {});
}

TEST(HttpClient, StreamsABodyThatIsProduced) {
    const HttpTestServer server{[](const SeenRequest&) { return answer_of(200, "", "taken"); }};
    std::string expected;
    int pieces = 0;
    auto response = upload(server, [&](std::span<std::uint8_t> into) -> Result<std::size_t> {
        if (++pieces > 300) {
            return std::size_t{0};
        }
        const std::string piece(std::min<std::size_t>(into.size(), 7000),
                                static_cast<char>(pieces));
        std::copy(piece.begin(), piece.end(), into.begin());
        expected += piece;
        return piece.size();
    });
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(*read_all(**response), "taken");
    EXPECT_GT(expected.size(), std::size_t{1} << 20U);
    EXPECT_TRUE(testing::unchunked(server.requests().at(0).body) == expected);
    EXPECT_TRUE(has_line(server.requests().at(0), "Transfer-Encoding: chunked"));
}

TEST(HttpClient, EndsWithWhatTheProducerSays) {
    const HttpTestServer server{[](const SeenRequest&) { return answer_of(200, "", "taken"); }};
    const auto response = upload(server, [](std::span<std::uint8_t>) -> Result<std::size_t> {
        return Error{Errc::hash_mismatch, "the source is broken"};
    });
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Errc::hash_mismatch);
    EXPECT_EQ(response.error().message, "the source is broken");
}

TEST(HttpClient, AProducedBodyFollowsNoRedirect) {
    const HttpTestServer server{
        [](const SeenRequest&) { return answer_of(307, "Location: /elsewhere\r\n", ""); }};
    const auto response = upload(
        server, [](std::span<std::uint8_t>) -> Result<std::size_t> { return std::size_t{0}; });
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ((*response)->head().status, 307);
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpClient, SpeaksToASocketWhateverTheHost) {
    std::string folder = ::testing::TempDir() + "ic-http-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const std::string path = folder + "/socket";
    {
        const HttpTestServer server{
            [](const SeenRequest&) { return answer_of(200, "", "through a socket"); }, path};
        HttpRequest request{.url = "http://nowhere.invalid/x"};
        request.unix_socket = path;
        auto response = http_request(request, HttpPolicy{}, {});
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(*read_all(**response), "through a socket");
        request.unix_socket = folder + "/none";
        EXPECT_EQ(http_request(request, HttpPolicy{}, {}).error().code, Errc::unavailable);
        request.unix_socket = "/" + std::string(limits::unix_socket_path_bytes_max, 'x');
        EXPECT_EQ(http_request(request, HttpPolicy{}, {}).error().code, Errc::too_large);
    }
    std::filesystem::remove_all(folder);
}

TEST(HttpClient, GivesTheTrailersAtTheEnd) {
    const HttpTestServer server{[](const SeenRequest&) {
        return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Late\r\n\r\n"
               "4\r\nbody\r\n0\r\nX-Late: it broke \r\n\r\n";
    }};
    auto response = http_request({.url = server.url()}, policy_for(server), {});
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(*read_all(**response), "body");
    EXPECT_EQ((*response)->trailers(), (HttpHeaders{{"x-late", "it broke"}}));
    EXPECT_EQ((*response)->head().headers.size(), 2U);
}

TEST(HttpConnections, KeepAConnectionForTheNextRequest) {
    const HttpTestServer server{HttpTestServer::Conversation{[](const SeenRequest&, Peer& peer) {
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
        peer.keep_open();
    }}};
    HttpConnections connections;
    for (int time = 0; time < 3; ++time) {
        auto response = connections.request({.url = server.url()}, policy_for(server), {});
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(*read_all(**response), "body");
    }
    EXPECT_EQ(server.requests().size(), 3U);
    EXPECT_EQ(server.connections(), 1U);
    EXPECT_TRUE(http_request({.url = server.url()}, policy_for(server), {}).ok());
    EXPECT_EQ(server.connections(), 2U) << "others get one of their own";
}

} // namespace
} // namespace ic::net
