#include "net/http_date.h"
#include "net/testing/web_socket_fixture.h"
#include "net/web_exchange.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <stdexcept>
#include <utility>

namespace ic::net {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view get_and_close = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

LentBytes lent(std::string_view text) { return LentBytes::of(copy_of(bytes_of(text))); }

std::string post_of(std::string_view body, std::string_view headers = {}) {
    return "POST /a HTTP/1.1\r\nHost: x\r\n" + std::string(headers) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

class WebExchangeTest : public testing::WebSocketFixture {
protected:
    using Exchange = std::unique_ptr<WebExchange>;

    WebExchangeTest() {
        calls_.on_exchange = [this](Exchange exchange) {
            ++requests_;
            exchange_ = std::move(exchange);
            if (handler_) {
                handler_();
            }
        };
    }

    /// Reads the body to its end or to an error, then calls `then`.
    void read_all(std::function<void()> then) {
        exchange_->read([this, then = std::move(then)](Result<ByteView> piece) {
            if (!piece) {
                failure_ = piece.error().code;
                then();
            } else if (piece->empty()) {
                then();
            } else {
                body_.append(text_of(*piece));
                read_all(then);
            }
        });
    }

    /// The connection of a client whose answer begins, and goes on with `more`.
    UniqueFd ask_for_stream(const std::function<void()>& more) {
        handler_ = [this, &more] {
            exchange_->begin({});
            more();
        };
        listen();
        UniqueFd fd = connect_raw();
        write_raw(fd, get_and_close);
        return fd;
    }

    /// A handler that takes bodies of so many bytes and answers with what it had.
    void echo(std::uint64_t bytes_max) {
        handler_ = [this, bytes_max] {
            body_.clear();
            exchange_->expect_body(bytes_max);
            read_all([this] {
                exchange_->answer({.status = static_cast<std::uint16_t>(failure_ ? 413 : 200),
                                   .content_type = "",
                                   .body = lent(body_)});
            });
        };
    }

    /// Sends the pieces one after the other, then ends the answer.
    void stream(std::vector<std::string> pieces) {
        if (pieces.empty()) {
            exchange_->end();
            return;
        }
        const LentBytes piece = lent(pieces.front());
        pieces.erase(pieces.begin());
        exchange_->write(piece, [this, pieces] { stream(pieces); });
    }

    Exchange exchange_;
    std::function<void()> handler_;
    std::string body_;
    std::optional<Errc> failure_;
    int requests_ = 0;
};

TEST_F(WebExchangeTest, SaysWhatTheRequestIs) {
    handler_ = [this] {
        EXPECT_EQ(exchange_->method(), "PATCH");
        EXPECT_EQ(exchange_->target(), "/a/b?c=%20d");
        EXPECT_EQ(exchange_->header("x-one"), "1");
        EXPECT_EQ(exchange_->header("missing"), std::nullopt);
        const auto headers = exchange_->headers();
        ASSERT_EQ(headers.size(), 4U);
        EXPECT_EQ(headers[1].first, "X-One");
        EXPECT_EQ(headers[2].second, "2");
        EXPECT_EQ(exchange_->body_bytes(), 0U);
        EXPECT_TRUE(exchange_->remote().starts_with("127.0.0.1:"));
        exchange_->answer({.status = 201, .headers = {{.name = "X-Answer", .value = "yes"}}});
    };
    listen();
    EXPECT_EQ(answer_to("PATCH /a/b?c=%20d HTTP/1.1\r\nHost: x\r\nX-One: 1\r\nX-One: 2\r\n"
                        "Connection: close\r\n\r\n"),
              "HTTP/1.1 201 Created\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "Content-Length: 0\r\nX-Answer: yes\r\nConnection: close\r\n\r\n");
}

TEST_F(WebExchangeTest, DatesEveryAnswer) {
    handler_ = [this] { exchange_->answer({.status = 204}); };
    listen();
    const UnixSeconds before = now_unix();
    for (const std::string_view request : {get_and_close, std::string_view("no request\r\n\r\n")}) {
        const std::string answer = dated_answer_to(request);
        bool is_now = false;
        for (UnixSeconds time = before; time <= now_unix(); ++time.value) {
            is_now |= answer.find("\r\nDate: " + http_date(time) + "\r\n") != answer.npos;
        }
        EXPECT_TRUE(is_now) << answer;
    }
}

TEST_F(WebExchangeTest, TakesBodiesOfEitherKind) {
    echo(1U << 20U);
    listen();
    const std::string large(300'000, 'b');
    EXPECT_TRUE(answer_to(post_of(large, "Connection: close\r\n")).ends_with("\r\n\r\n" + large));
    EXPECT_TRUE(answer_to("PUT / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n"
                          "3;name=value\r\nabc\r\n0A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")
                    .ends_with("\r\n\r\nabc0123456789"));
    EXPECT_TRUE(answer_to(post_of("", "Connection: close\r\n")).ends_with("\r\n\r\n"));
}

TEST_F(WebExchangeTest, TakesTheNextRequestAfterABody) {
    echo(100);
    listen();
    const std::string answers =
        answer_to(post_of("first") +
                  "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "6\r\nsecond\r\n0\r\n\r\n" +
                  post_of("third", "Connection: close\r\n"));
    EXPECT_EQ(requests_, 3);
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: ";
    EXPECT_EQ(answers,
              head + "5\r\nConnection: keep-alive\r\n\r\nfirst" + head +
                  "6\r\nConnection: keep-alive\r\n\r\nsecond" + head +
                  "5\r\nConnection: close\r\n\r\nthird");
}

TEST_F(WebExchangeTest, BoundsABody) {
    echo(10);
    listen();
    EXPECT_TRUE(answer_to(post_of("0123456789", "Connection: close\r\n")).ends_with("0123456789"));
    EXPECT_EQ(failure_, std::nullopt);
    // Said ahead: not a byte of it is read.
    EXPECT_TRUE(answer_to("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n")
                    .starts_with("HTTP/1.1 413 "));
    EXPECT_EQ(std::exchange(failure_, std::nullopt), Errc::too_large);
    EXPECT_EQ(body_, "");
    EXPECT_TRUE(answer_to("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                          "Transfer-Encoding: chunked\r\n\r\nB\r\n01234567890\r\n0\r\n\r\n")
                    .starts_with("HTTP/1.1 413 "));
    EXPECT_EQ(failure_, Errc::too_large);
}

TEST_F(WebExchangeTest, ExpectsNoBodyUnlessTold) {
    handler_ = [this] { read_all([this] { exchange_->answer({.status = 400, .body = {}}); }); };
    listen();
    EXPECT_TRUE(answer_to(post_of("x")).starts_with("HTTP/1.1 400 "));
    EXPECT_EQ(failure_, Errc::too_large);
}

TEST_F(WebExchangeTest, ClosesAfterABodyThatWasNotRead) {
    handler_ = [this] { exchange_->answer({.body = {}}); };
    listen();
    const std::string answer = answer_to(post_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos);
    EXPECT_EQ(requests_, 1) << "the body is no request";
}

TEST_F(WebExchangeTest, SaysWhatIsWrongWithChunks) {
    echo(100);
    listen();
    const std::string answer =
        answer_to("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
    EXPECT_EQ(failure_, Errc::malformed);
}

TEST_F(WebExchangeTest, TellsAClientThatWaitsToGoOn) {
    echo(100);
    listen();
    const UniqueFd fd = connect_raw();
    write_raw(fd,
              "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-Continue\r\n"
              "Content-Length: 4\r\n\r\n");
    Reading reading;
    ASSERT_TRUE(until([&] {
        read_raw(fd, reading);
        return reading.text == "HTTP/1.1 100 Continue\r\n\r\n";
    })) << reading.text;
    write_raw(fd, "body");
    ASSERT_TRUE(until([&] {
        read_raw(fd, reading);
        return reading.ended;
    }));
    EXPECT_TRUE(reading.text.ends_with("\r\n\r\nbody")) << reading.text;
}

TEST_F(WebExchangeTest, MayAnswerWhileItReads) {
    handler_ = [this] {
        exchange_->expect_body(100);
        exchange_->read([](const Result<ByteView>&) { FAIL() << "after the answer"; });
        exchange_->answer({.status = 403, .body = lent("no")});
    };
    listen();
    for (const std::string& headers : {std::string(), std::string("Expect: 100-continue\r\n")}) {
        const std::string answer =
            answer_to("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n" + headers + "\r\n");
        EXPECT_NE(answer.find("HTTP/1.1 403 "), std::string::npos) << answer;
        EXPECT_TRUE(answer.ends_with("\r\n\r\nno")) << answer;
    }
}

TEST_F(WebExchangeTest, ClosesABodyThatIsTooSlow) {
    listener_options_.body_time_max = 100ms;
    listener_options_.body_bytes_a_second_min = 1'000'000;
    echo(1'000'000);
    listen();
    const UniqueFd fd = connect_raw();
    write_raw(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    Reading reading;
    std::size_t sent = 0;
    ASSERT_TRUE(until([&] {
        sent += ::send(fd.get(), "x", 1, MSG_NOSIGNAL) == 1 ? 1U : 0U; // Which must win no time.
        read_raw(fd, reading);
        return reading.ended;
    }));
    EXPECT_EQ(failure_, Errc::unavailable);
    EXPECT_LT(sent, 100'000U);
    EXPECT_EQ(reading.text, "");
}

TEST_F(WebExchangeTest, CountsOnlyTheTimeInWhichItWaitsForABody) {
    listener_options_.body_time_max = 2s;
    handler_ = [this] {
        exchange_->expect_body(100);
        exchange_->read([this](Result<ByteView> first) {
            ASSERT_TRUE(first);
            body_ = text_of(*first);
        });
    };
    listen();
    const UniqueFd fd = connect_raw();
    write_raw(fd, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\na");
    ASSERT_TRUE(until([&] { return body_ == "a"; }));
    loop_->run_for(2200ms); // The handler's own.
    write_raw(fd, "b");
    read_all([this] { exchange_->answer({.body = lent(body_)}); });
    const Reading reading = read_to_end(fd);
    EXPECT_TRUE(reading.text.ends_with("\r\n\r\nab")) << reading.text;
}

TEST_F(WebExchangeTest, StreamsAnAnswerInChunksOrOfALength) {
    std::optional<std::uint64_t> bytes;
    handler_ = [&] {
        exchange_->begin({.status = 200,
                          .headers = {{.name = "Content-Type", .value = "text/x"}},
                          .body_bytes = bytes});
        stream({"hello", "", " and a world"});
    };
    listen();
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/x\r\n";
    const std::string close = "Connection: close\r\n\r\n";
    EXPECT_EQ(answer_to(get_and_close),
              head + "Transfer-Encoding: chunked\r\n" + close +
                  "5\r\nhello\r\nc\r\n and a world\r\n0\r\n\r\n");
    EXPECT_EQ(answer_to("GET / HTTP/1.0\r\n\r\n"), head + close + "hello and a world");
    const std::string of_head = "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    EXPECT_EQ(answer_to(of_head), head + "Transfer-Encoding: chunked\r\n" + close);
    bytes = 17;
    EXPECT_EQ(answer_to(get_and_close),
              head + "Content-Length: 17\r\n" + close + "hello and a world");
    EXPECT_EQ(answer_to(of_head), head + "Content-Length: 17\r\n" + close);
}

TEST_F(WebExchangeTest, ClosesAnAnswerOfAnotherLengthThanItSaid) {
    std::uint64_t bytes = 6;
    handler_ = [&] {
        exchange_->begin({.body_bytes = bytes});
        stream({"hello"});
    };
    listen();
    const std::string request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"; // Which would keep it open.
    EXPECT_TRUE(answer_to(request).ends_with("\r\n\r\nhello")) << "less";
    bytes = 4;
    EXPECT_EQ(answer_to(request), "") << "more";
}

TEST_F(WebExchangeTest, HasRoomForALargeAnswerOnlyPieceByPiece) {
    std::size_t written = 0;
    const LentBytes piece = lent(std::string(64U << 10U, 'p'));
    std::function<void()> more = [&] {
        ++written;
        if (written == 1'000) {
            exchange_->end();
        } else {
            exchange_->write(piece, more);
        }
    };
    const UniqueFd fd = ask_for_stream(more);
    loop_->run_for(200ms); // Nobody reads.
    const std::size_t in_buffers = written;
    EXPECT_LT(in_buffers, 1'000U) << "64 MB are not all in the kernel's buffers";
    const Reading reading = read_to_end(fd);
    EXPECT_GT(reading.text.size(), 999U * piece.size());
}

TEST_F(WebExchangeTest, ClosesAClientThatDoesNotRead) {
    listener_options_.write_time_max = 200ms;
    const LentBytes piece = lent(std::string(1U << 20U, 'p'));
    bool over = false;
    std::function<void()> more = [&] {
        over = exchange_->is_gone();
        if (!over) {
            exchange_->write(piece, more);
        }
    };
    const UniqueFd fd = ask_for_stream(more);
    EXPECT_TRUE(until([&] { return over; }));
}

TEST_F(WebExchangeTest, SaysThatItsClientIsGone) {
    int gone = 0;
    handler_ = [&] { exchange_->on_gone([&] { ++gone; }); };
    listen();
    UniqueFd fd = connect_raw();
    write_raw(fd, get_and_close);
    ASSERT_TRUE(until([&] { return requests_ == 1; }));
    loop_->run_for(20ms);
    EXPECT_EQ(gone, 0);
    EXPECT_FALSE(exchange_->is_gone());
    fd.reset();
    ASSERT_TRUE(until([&] { return gone == 1; }));
    EXPECT_TRUE(exchange_->is_gone());
    exchange_->answer({.body = {}}); // To nobody.
    loop_->run_for(20ms);
    EXPECT_EQ(gone, 1);
}

TEST_F(WebExchangeTest, SaysOfEachRequestOfAConnectionWhetherItsClientIsGone) {
    std::vector<int> gone;
    handler_ = [&] {
        exchange_->on_gone([&gone, request = requests_] { gone.push_back(request); });
        if (requests_ == 1) {
            exchange_->answer({.body = lent("1")});
        }
    };
    listen();
    UniqueFd fd = connect_raw();
    write_raw(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    Reading reading;
    ASSERT_TRUE(until([&] {
        read_raw(fd, reading);
        return reading.text.ends_with("1");
    }));
    write_raw(fd, get_and_close);
    ASSERT_TRUE(until([&] { return requests_ == 2; }));
    fd.reset();
    ASSERT_TRUE(until([&] { return !gone.empty(); }));
    loop_->run_for(20ms);
    EXPECT_EQ(gone, std::vector<int>{2});
}

TEST_F(WebExchangeTest, IsAnInternalErrorUnansweredOrThrown) {
    listen();
    handler_ = [this] { exchange_.reset(); };
    EXPECT_TRUE(answer_to(get_and_close).starts_with("HTTP/1.1 500 "));
    handler_ = [] { throw std::runtime_error("a handler's"); };
    EXPECT_TRUE(answer_to(get_and_close).starts_with("HTTP/1.1 500 "));
    handler_ = [this] {
        exchange_->read([](const Result<ByteView>&) { throw std::runtime_error("a handler's"); });
    };
    EXPECT_TRUE(answer_to(get_and_close).starts_with("HTTP/1.1 500 "));
    handler_ = [this] {
        exchange_->begin({.body_bytes = 3});
        exchange_->write(lent("ab"), [this] { exchange_.reset(); });
    };
    EXPECT_TRUE(answer_to(get_and_close).ends_with("\r\n\r\nab")) << "cut, and closed";
}

TEST_F(WebExchangeTest, DoesNothingToTheNextRequest) {
    Exchange first;
    handler_ = [&] {
        if (requests_ == 1) {
            first = std::move(exchange_);
            first->answer({.body = lent("1")});
        }
    };
    listen();
    const UniqueFd fd = connect_raw();
    write_raw(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    write_raw(fd, get_and_close);
    ASSERT_TRUE(until([&] { return requests_ == 2; }));
    first->answer({.status = 400, .body = lent("too late")});
    EXPECT_TRUE(first->is_gone());
    first.reset();
    exchange_->answer({.body = lent("2")});
    const Reading reading = read_to_end(fd);
    EXPECT_EQ(reading.text.find("too late"), std::string::npos);
    EXPECT_TRUE(reading.text.ends_with("\r\n\r\n2")) << reading.text;
}

TEST_F(WebExchangeTest, OutlivesItsListenerAndItsLoop) {
    listen();
    const UniqueFd fd = connect_raw();
    write_raw(fd, get_and_close);
    ASSERT_TRUE(until([&] { return requests_ == 1; }));
    Exchange one = std::move(exchange_);
    const UniqueFd other = connect_raw();
    write_raw(other, get_and_close);
    ASSERT_TRUE(until([&] { return requests_ == 2; }));
    listener_.reset();
    one->answer({.body = {}});
    loop_->run_for(10ms);
    loop_.reset();
    EXPECT_TRUE(exchange_->is_gone());
    exchange_->read([](const Result<ByteView>&) { FAIL() << "the loop has gone"; });
    exchange_->answer({.body = {}});
    exchange_.reset();
}

TEST_F(WebExchangeTest, SendsNoBodyWhereNoneMayBe) {
    std::uint16_t status = 204;
    handler_ = [&] { exchange_->answer({.status = status, .body = lent("no")}); };
    listen();
    EXPECT_EQ(answer_to(get_and_close), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    status = 304;
    EXPECT_EQ(answer_to(get_and_close), "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n");
}

TEST_F(WebExchangeTest, LeavesOutHeadersThatWouldBeSomethingElse) {
    handler_ = [this] {
        exchange_->answer({.body = {},
                           .headers = {{.name = "A", .value = "b\r\nC: d"},
                                       {.name = "E F", .value = "g"},
                                       {.name = "H", .value = "i"}}});
    };
    listen();
    const std::string answer = answer_to(get_and_close);
    EXPECT_EQ(answer.find("C: d"), std::string::npos);
    EXPECT_EQ(answer.find("E F"), std::string::npos);
    EXPECT_NE(answer.find("\r\nH: i\r\n"), std::string::npos);
    EXPECT_TRUE(is_fit({.name = "X-a", .value = "tab\tand \xc3\xa4"}));
    EXPECT_FALSE(is_fit({.name = "", .value = "x"}));
    EXPECT_FALSE(is_fit({.name = "a", .value = std::string("\0", 1)}));
    EXPECT_FALSE(is_fit({.name = "a", .value = "\x7f"}));
}

TEST_F(WebExchangeTest, RefusesWhatIsNoCleanHead) {
    handler_ = [this] { exchange_->answer({.body = {}}); };
    listen();
    EXPECT_TRUE(
        answer_to("GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n").starts_with("HTTP/1.1 400 "));
    EXPECT_TRUE(answer_to("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
                    .starts_with("HTTP/1.1 400 "));
    EXPECT_TRUE(answer_to("GET / HTTP/1.1\r\nHost: x\r\nName : value\r\n\r\n")
                    .starts_with("HTTP/1.1 400 "));
    EXPECT_TRUE(answer_to("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n")
                    .starts_with("HTTP/1.1 400 "));
    EXPECT_TRUE(answer_to("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n")
                    .starts_with("HTTP/1.1 400 "));
    EXPECT_TRUE(
        answer_to("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n")
            .starts_with("HTTP/1.1 400 "));
    EXPECT_EQ(requests_, 0);
}

} // namespace
} // namespace ic::net
