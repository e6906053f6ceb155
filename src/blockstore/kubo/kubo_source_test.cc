#include "blockstore/kubo/kubo_source.h"
#include "net/testing/http_test_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ic {
namespace {

using net::testing::HttpTestServer;
using net::testing::SeenRequest;
using ::testing::HasSubstr;

const Cid cid = cid_of(Codec::raw, bytes_of("block"));

std::string answer(const std::string& body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

KuboSource source_at(const std::string& url) {
    return KuboSource({.find_api = [url]() -> Result<std::string> { return url; }});
}

TEST(KuboSource, GivesWhatKuboHas) {
    HttpTestServer server([](const SeenRequest&) { return answer("block"); });
    KuboSource source = source_at(server.url(""));
    EXPECT_EQ(text_of(source.get(cid)->view()), "block");
}

TEST(KuboSource, RefusesABlockThatIsNotWhatItsCidSays) {
    HttpTestServer server([](const SeenRequest&) { return answer("wrong"); });
    KuboSource source = source_at(server.url(""));
    EXPECT_EQ(source.get(cid).error().code, Errc::hash_mismatch);
}

Instant time_now{};

TEST(KuboSource, AsksAnAbsentKuboAgainAfterAWhileOnly) {
    std::string url;
    {
        const HttpTestServer server([](const SeenRequest&) { return std::string(); });
        url = server.url("");
    }
    int asked = 0;
    KuboSource source({.find_api = [&]() -> Result<std::string> {
                           ++asked;
                           return url;
                       },
                       .now = [] { return time_now; }});
    for (int time = 0; time < 2; ++time) {
        const Result<LentBytes> block = source.get(cid);
        ASSERT_FALSE(block.ok());
        EXPECT_EQ(block.error().code, Errc::cid_unavailable);
        EXPECT_EQ(
            block.error().message,
            "block " + cid.to_string() + " is not in this store, and no Kubo answers at " + url +
                "; add it here ('ipfs-compute add'), or start a Kubo that has it ('ipfs daemon')");
    }
    EXPECT_EQ(asked, 1);
    time_now = time_now + limits::kubo_absence_remembered;
    EXPECT_FALSE(source.get(cid).ok());
    EXPECT_EQ(asked, 2);
}

TEST(KuboSource, SaysWhatIsWrongWithTheAddress) {
    KuboSource source({.find_api = []() -> Result<std::string> {
        return Error{Errc::malformed, "'x' is no address"};
    }});
    EXPECT_EQ(source.get(cid).error().code, Errc::cid_unavailable);
    EXPECT_THAT(source.get(cid).error().message, HasSubstr("'x' is no address"));
}

} // namespace
} // namespace ic
