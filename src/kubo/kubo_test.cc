#include "base/file.h"
#include "kubo/api_address.h"
#include "kubo/block.h"
#include "kubo/client.h"
#include "kubo/gateway_address.h"
#include "net/testing/http_test_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::kubo {
namespace {

using net::testing::HttpTestServer;
using net::testing::SeenRequest;
using ::testing::HasSubstr;

TEST(ApiUrl, ReadsMultiaddrsAndUrls) {
    EXPECT_EQ(*api_url("/ip4/127.0.0.1/tcp/5001\n"), "http://127.0.0.1:5001");
    EXPECT_EQ(*api_url("/ip6/::1/tcp/5001/http"), "http://[::1]:5001");
    EXPECT_EQ(*api_url("/dns4/kubo.local/tcp/80"), "http://kubo.local:80");
    EXPECT_EQ(*api_url(" http://localhost:5001/ "), "http://localhost:5001");
    EXPECT_EQ(*api_url("http://[::1]:5001"), "http://[::1]:5001");
    EXPECT_EQ(*api_url("http://kubo"), "http://kubo:80");
}

TEST(ApiUrl, RefusesWhatIsNoAddressOrNotSpoken) {
    for (const char* text : {"",
                             " \n",
                             "5001",
                             "/ip4/127.0.0.1",
                             "/ip4/127.0.0.1/tcp/0",
                             "/ip4/127.0.0.1/tcp/65536",
                             "/ip4/127.0.0.1/tcp/05001",
                             "/ip4/evil@host/tcp/1",
                             "/ip6/127.0.0.1/tcp/1",
                             "http://",
                             "http://a:b",
                             "http://user@host:1",
                             "http://host:1/path",
                             "http://host:1?x"}) {
        EXPECT_EQ(api_url(text).error().code, Errc::malformed) << text;
    }
    for (const char* text :
         {"/ip4/127.0.0.1/udp/5001", "https://host:1", "/ip4/127.0.0.1/tcp/1/ws", "/"}) {
        EXPECT_EQ(api_url(text).error().code, Errc::unsupported) << text;
    }
}

TEST(ApiUrl, KeepsTheAddressOfASocket) {
    EXPECT_EQ(*api_url("/unix/run/kubo/api.sock\n"), "/unix/run/kubo/api.sock");
    EXPECT_EQ(socket_of("/unix/run/kubo/api.sock"), "/run/kubo/api.sock");
    EXPECT_EQ(socket_of("http://127.0.0.1:5001"), "");
    for (const char* text : {"/unix/", "/unix/folder/", "/unix/a b"}) {
        EXPECT_EQ(api_url(text).error().code, Errc::malformed) << text;
    }
    const std::string path(limits::api_socket_path_bytes_max - 1, 'p');
    EXPECT_TRUE(api_url("/unix/" + path).ok());
    EXPECT_EQ(api_url("/unix/p" + path).error().code, Errc::too_large);
}

TEST(ApiUrl, RefusesOneByteBeyondTheLimit) {
    const std::string url = "http://h:1";
    EXPECT_TRUE(api_url(std::string(limits::api_address_bytes_max - url.size(), ' ') + url).ok());
    EXPECT_EQ(api_url(std::string(limits::api_address_bytes_max - url.size() + 1, ' ') + url)
                  .error()
                  .code,
              Errc::too_large);
}

TEST(FindApi, ReadsTheApiFileElseTakesTheDefault) {
    std::string pattern = ::testing::TempDir() + "ic-kubo-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    EXPECT_EQ(*find_api(pattern, "/nowhere"), "http://127.0.0.1:5001");
    ASSERT_TRUE(make_folders(pattern + "/.ipfs", 0700).ok());
    for (const char* file : {"/api", "/.ipfs/api"}) {
        ASSERT_TRUE(
            write_file(pattern + file, bytes_of("/ip4/127.0.0.1/tcp/77"), 0600, IfExists::fail)
                .ok());
    }
    EXPECT_EQ(*find_api(pattern, "/nowhere"), "http://127.0.0.1:77");
    EXPECT_EQ(*find_api("", pattern), "http://127.0.0.1:77");
    std::filesystem::remove_all(pattern);
}

std::string gateway_of(std::string_view api, std::vector<std::string> addresses) {
    return gateway_url(api, addresses).value_or("none");
}

TEST(GatewayUrl, IsWhereTheKuboOfThisMachineListens) {
    const std::vector<std::string> usual{"/ip4/127.0.0.1/tcp/8080"};
    EXPECT_EQ(gateway_of("http://127.0.0.1:5001", usual), "http://127.0.0.1:8080");
    EXPECT_EQ(gateway_of("http://localhost:5001", usual), "http://127.0.0.1:8080");
    EXPECT_EQ(gateway_of("/unix/run/kubo/api.sock", usual), "http://127.0.0.1:8080");
    EXPECT_EQ(gateway_of("http://127.0.0.1:5001", {"/ip4/0.0.0.0/tcp/8080"}),
              "http://127.0.0.1:8080");
    EXPECT_EQ(gateway_of("/unix/a", {"/ip6/::/tcp/8080"}), "http://127.0.0.1:8080");
    EXPECT_EQ(gateway_of("http://[::1]:5001", {"/unix/run/gateway.sock", "/ip6/::1/tcp/8081"}),
              "http://[::1]:8081")
        << "the first that can be used";
}

TEST(GatewayUrl, OfAnotherMachineIsNoAddressOfThisOne) {
    EXPECT_EQ(gateway_of("http://192.0.2.7:5001", {"/ip4/127.0.0.1/tcp/8080"}), "none");
    EXPECT_EQ(gateway_of("http://kubo.example:5001", {"/ip6/::1/tcp/8080"}), "none");
    EXPECT_EQ(gateway_of("http://192.0.2.7:5001", {"/ip4/0.0.0.0/tcp/8080"}),
              "http://192.0.2.7:8080");
    EXPECT_EQ(gateway_of("http://192.0.2.7:5001", {"/ip4/192.0.2.8/tcp/8080"}),
              "http://192.0.2.8:8080");
}

TEST(GatewayUrl, IsNoneWhereNothingListensThatCanBeUsed) {
    for (const char* address : {"",
                                "/ip4/127.0.0.1/tcp/0",
                                "/unix/run/gateway.sock",
                                "nonsense",
                                "/ip4/127.0.0.1/udp/8080"}) {
        EXPECT_EQ(gateway_of("http://127.0.0.1:5001", {address}), "none") << address;
    }
    EXPECT_EQ(gateway_of("http://127.0.0.1:5001", {}), "none");
}

std::string answer(const std::string& status, const std::string& body) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

const Cid cid = cid_of(Codec::raw, bytes_of("block"));

/// From whoever listens at `url`, asked once.
Result<Bytes>
block_get(const std::string& url, const Cid& wanted, std::chrono::milliseconds time_max) {
    RpcOptions options;
    options.address = url;
    options.retry.attempts_max = 1;
    const std::unique_ptr<Rpc> rpc = TRY(Rpc::open(std::move(options)));
    return block_get(*rpc, wanted, Reach::network(time_max));
}

TEST(BlockGet, PostsAndGivesTheBytes) {
    HttpTestServer server([](const SeenRequest&) { return answer("200 OK", "block"); });
    const Result<Bytes> data = block_get(server.url(""), cid, std::chrono::milliseconds(1500));
    ASSERT_TRUE(data.ok()) << data.error().message;
    EXPECT_EQ(text_of(*data), "block");
    EXPECT_EQ(server.requests().at(0).line(),
              "POST /api/v0/block/get?arg=" + cid.to_string() + "&timeout=1500ms HTTP/1.1");
}

TEST(BlockGet, TellsWhatKuboSaid) {
    HttpTestServer server([](const SeenRequest&) {
        return answer("500 Internal Server Error",
                      R"({"Message":"ipld: could not find\u001b","Code":0,"Type":"error"})");
    });
    const Result<Bytes> data = block_get(server.url(""), cid, std::chrono::seconds(1));
    ASSERT_FALSE(data.ok());
    EXPECT_EQ(data.error().code, Errc::cid_unavailable);
    EXPECT_THAT(data.error().message, HasSubstr("block/get: ipld: could not find\\x1b"));
}

TEST(BlockGet, NamesARefusal) {
    HttpTestServer server([](const SeenRequest&) { return answer("403 Forbidden", "no token"); });
    EXPECT_EQ(block_get(server.url(""), cid, std::chrono::seconds(1)).error().code, Errc::refused);
}

TEST(BlockGet, TakesTheLargestBlockAndNotOneByteMore) {
    std::atomic<std::size_t> size = std::size_t{2} << 20U;
    HttpTestServer server(
        [&size](const SeenRequest&) { return answer("200 OK", std::string(size, 'x')); });
    EXPECT_TRUE(block_get(server.url(""), cid, std::chrono::seconds(20)).ok());
    ++size;
    EXPECT_EQ(block_get(server.url(""), cid, std::chrono::seconds(20)).error().code,
              Errc::too_large);
}

TEST(BlockGet, SaysUnavailableWhereNobodyListens) {
    std::string url;
    {
        const HttpTestServer server([](const SeenRequest&) { return std::string(); });
        url = server.url("");
    }
    EXPECT_EQ(block_get(url, cid, std::chrono::seconds(1)).error().code, Errc::unavailable);
}

TEST(Version, SaysWhoAnswersAndKnowsWhatIsNoKubo) {
    const HttpTestServer kubo([](const SeenRequest&) {
        return net::testing::answer_of(200, "", R"({"Version":"0.43.0","Commit":""})");
    });
    const std::string url = "http://127.0.0.1:" + std::to_string(kubo.port());
    EXPECT_EQ(*version(url, std::chrono::seconds(5)), "0.43.0");
    const HttpTestServer other(
        [](const SeenRequest&) { return net::testing::answer_of(200, "", "<html>"); });
    const std::string other_url = "http://127.0.0.1:" + std::to_string(other.port());
    EXPECT_EQ(version(other_url, std::chrono::seconds(5)).error().code, Errc::malformed);
}

} // namespace
} // namespace ic::kubo
