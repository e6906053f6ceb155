#include "net/http_client.h"
#include "net/web_url.h"

#include <gtest/gtest.h>

namespace ic::net {
namespace {

TEST(WebUrl, ReadsItsParts) {
    struct Row {
        const char* text;
        WebUrl url;
        const char* authority;
    };

    const WebUrl::Scheme plain = WebUrl::Scheme::plain;
    const WebUrl::Scheme tls = WebUrl::Scheme::tls;
    for (const Row& row : {
             Row{"ws://h", {plain, "h", 80, "/"}, "h:80"},
             Row{"http://h/", {plain, "h", 80, "/"}, "h:80"},
             Row{"wss://Node.Example/p/q?a=b",
                 {tls, "node.example", 443, "/p/q?a=b"},
                 "node.example:443"},
             Row{"https://1.2.3.4:8443?x", {tls, "1.2.3.4", 8443, "/?x"}, "1.2.3.4:8443"},
             Row{"ws://[::1]:1/p", {plain, "::1", 1, "/p"}, "[::1]:1"},
         }) {
        const Result<WebUrl> url = WebUrl::parse(row.text);
        ASSERT_TRUE(url) << row.text << ": " << url.error().message;
        EXPECT_EQ(*url, row.url) << row.text;
        EXPECT_EQ(url->authority(), row.authority);
    }
}

TEST(WebUrl, RefusesWhatIsNoUrlToConnectTo) {
    for (const char* const text : {"",
                                   "h",
                                   "ftp://h/",
                                   "WS://h/",
                                   "ws:/h",
                                   "ws://",
                                   "ws:///p",
                                   "ws://u@h/",
                                   "ws://u:p@h/",
                                   "ws://h:0/",
                                   "ws://h:65536/",
                                   "ws://h:/",
                                   "ws://h/#f",
                                   "ws://h#f",
                                   "ws://h/ p",
                                   "ws://h/\r\n",
                                   "ws://h/\xc3\xa9",
                                   "ws://[::1",
                                   "ws://::1/",
                                   "ws://0x7f.1/",
                                   "ws://1.2.3/",
                                   "ws://h*/"}) {
        const Result<WebUrl> url = WebUrl::parse(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().code, Errc::malformed) << text;
    }
    const std::string longest = "ws://h/" + std::string(limits::url_bytes_max - 7, 'p');
    EXPECT_TRUE(WebUrl::parse(longest));
    EXPECT_EQ(WebUrl::parse(longest + "p").error().code, Errc::too_large);
}

} // namespace
} // namespace ic::net
