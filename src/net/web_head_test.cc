#include "net/web_exchange.h"
#include "net/web_head.h"

#include <gtest/gtest.h>

#include <string>

namespace ic::net {
namespace {

/// 0 if it is let through.
int status_of(const std::string& head) {
    const std::optional<WebRefusal> refusal = refusal_of_head(head);
    EXPECT_TRUE(!refusal || !refusal->why.empty());
    return refusal ? refusal->status : 0;
}

std::string get(const std::string& headers = {}) {
    return "GET /a HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
}

TEST(WebHead, LetsRequestsThrough) {
    EXPECT_EQ(status_of(get()), 0);
    EXPECT_EQ(status_of(get("Content-Length: 3\r\n")), 0);
    EXPECT_EQ(status_of(get("TRANSFER-encoding:\t Chunked \r\n")), 0);
    EXPECT_EQ(status_of(get("Empty:\r\nA: b:c\r\n")), 0);
    EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 0) << "HTTP/1.0 needs no Host";
}

TEST(WebHead, RefusesLinesThatEndInAnotherWay) {
    EXPECT_EQ(status_of("GET / HTTP/1.1\nHost: x\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\ry: z\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\n\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\n"), 400);
    EXPECT_EQ(status_of(std::string("GET / HTTP/1.1\r\nHost: \0\r\n\r\n", 28)), 400);
    EXPECT_EQ(status_of(""), 400);
    EXPECT_EQ(status_of("\r\n\r\n"), 400);
}

TEST(WebHead, RefusesWhatTwoReadersCouldReadInTwoWays) {
    EXPECT_EQ(status_of(get("A: b\r\n c\r\n")), 400);
    EXPECT_EQ(status_of(get("A: b\r\n\tc\r\n")), 400);
    EXPECT_EQ(status_of(get("no colon\r\n")), 400);
    EXPECT_EQ(status_of(get("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n")), 400);
    EXPECT_EQ(status_of(get("Content-Length: 3\r\ncontent-length: 3\r\n")), 400);
    EXPECT_EQ(status_of(get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), 400);
    EXPECT_EQ(status_of(get("Transfer-Encoding: gzip, chunked\r\n")), 501);
    EXPECT_EQ(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    EXPECT_EQ(status_of(get("Host: y\r\n")), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status_of(get() + get()), 400) << "two heads";
}

TEST(WebHead, RefusesOtherVersions) {
    EXPECT_EQ(status_of("GET / HTTP/2.0\r\nHost: x\r\n\r\n"), 505);
    EXPECT_EQ(status_of("GET / HTTP/1.2\r\nHost: x\r\n\r\n"), 505);
    EXPECT_EQ(status_of("GET /\r\nHost: x\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / x\r\nHost: x\r\n\r\n"), 400);
}

TEST(WebHead, BoundsTargetAndNumberOfHeaders) {
    const auto of = [](std::size_t target, std::size_t headers) {
        std::string head = "GET " + std::string(target, '/') + " HTTP/1.1\r\nHost: x\r\n";
        for (std::size_t header = 1; header < headers; ++header) {
            head += "A: b\r\n";
        }
        return status_of(head + "\r\n");
    };
    EXPECT_EQ(of(limits::web_target_bytes_max, limits::web_headers_max), 0);
    EXPECT_EQ(of(limits::web_target_bytes_max + 1, 1), 414);
    EXPECT_EQ(of(1, limits::web_headers_max + 1), 431);
}

} // namespace
} // namespace ic::net
