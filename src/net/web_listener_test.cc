#include "net/testing/web_socket_fixture.h"

#include <utility>

namespace ic::net {
namespace {

using namespace std::chrono_literals;
using testing::End;
using testing::greeting;
using testing::quick_options;

std::string with(std::string text, const std::string& what, const std::string& instead) {
    return text.replace(text.find(what), what.size(), instead);
}

class WebListenerTest : public testing::WebSocketFixture {
protected:
    static std::string get(const std::string& target, const std::string& headers = "") {
        return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n";
    }

    void answer_with(std::function<WebAnswer(const WebExchange&)> answer) {
        calls_.on_exchange = [answer](const std::unique_ptr<WebExchange>& exchange) {
            exchange->answer(answer(*exchange));
        };
    }

    // Counts what is closed by the listener.
    std::size_t ended(const std::vector<UniqueFd>& fds) {
        std::size_t count = 0;
        for (const UniqueFd& fd : fds) {
            Reading reading;
            read_raw(fd, reading);
            count += reading.ended ? 1U : 0U;
        }
        return count;
    }
};

TEST_F(WebListenerTest, ListensForBothFamiliesAndNames) {
    listen("[::]:0");
    const std::string port = std::to_string(listener_->port());
    for (const std::string host : {"127.0.0.1", "[::1]", "LocalHost"}) {
        const auto end = dial("ws://" + host + ":" + port + "/node?query");
        ASSERT_TRUE(until([&] { return end->opened == 1; })) << host;
    }
    ASSERT_TRUE(until([&] { return accepted_.size() == 3; }));
    EXPECT_TRUE(accepted_[0]->socket->remote().starts_with("127.0.0.1:"));
    EXPECT_TRUE(accepted_[1]->socket->remote().starts_with("[::1]:"));
}

TEST_F(WebListenerTest, RefusesAddressesThatItCannotListenAt) {
    listen();
    const std::string taken = "127.0.0.1:" + std::to_string(listener_->port());
    const auto code_of = [&](const std::string& address) {
        return WebSocketListener::open(*loop_, address, listener_options_, calls_).error().code;
    };
    EXPECT_EQ(code_of(taken), Errc::unavailable);
    for (const char* const address : {"",
                                      "80",
                                      "127.0.0.1",
                                      "localhost:0",
                                      "::1:0",
                                      "[127.0.0.1]:0",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:-1",
                                      "127.0.0.1:"}) {
        EXPECT_EQ(code_of(address), Errc::malformed) << address;
    }
    listener_options_.certificate_file = "/nonexistent";
    EXPECT_EQ(code_of("127.0.0.1:0"), Errc::unavailable);
}

TEST_F(WebListenerTest, AcceptsOnlyItsPathAndProtocol) {
    listen();
    const auto path = dial(url("/other"));
    WebSocketOptions options = quick_options();
    options.subprotocol = "test.2";
    const auto protocol = dial(url(), options);
    ASSERT_TRUE(until([&] { return !path->closed.empty() && !protocol->closed.empty(); }));
    EXPECT_EQ(path->closed[0], "it answered 404 Not Found: there is no WebSocket at this path");
    EXPECT_EQ(protocol->closed[0],
              "it answered 400 Bad Request: Sec-WebSocket-Protocol does not name 'test.1'");
    EXPECT_TRUE(accepted_.empty());
}

TEST_F(WebListenerTest, ADiallerDemandsItsProtocol) {
    listener_options_.socket.subprotocol = "";
    listen();
    const auto end = dial(url());
    ASSERT_TRUE(until([&] { return !end->closed.empty(); }));
    EXPECT_EQ(end->closed[0], "it does not speak 'test.1'");
    EXPECT_EQ(end->opened, 0);
}

TEST_F(WebListenerTest, AnswersWhatIsNoUpgradeShortly) {
    listen();
    const std::string close = "Connection: close\r\n";
    EXPECT_TRUE(answer_to(get("/node", close)).starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
    EXPECT_TRUE(answer_to(get("/", close)).starts_with("HTTP/1.1 404 Not Found\r\n"));
    // Closed behind the answer: nobody reads the body.
    EXPECT_TRUE(answer_to("POST /node HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
                    .starts_with("HTTP/1.1 426 Upgrade Required\r\n"));
    EXPECT_TRUE(
        answer_to("\x16\x03\x01 garbage\r\n\r\n").starts_with("HTTP/1.1 400 Bad Request\r\n"));
    EXPECT_TRUE(answer_to(with(std::string(greeting), "Version: 13", "Version: 12"))
                    .starts_with("HTTP/1.1 4"));
    EXPECT_TRUE(answer_to(with(std::string(greeting), "Sec-WebSocket-Key", "X-Key"))
                    .starts_with("HTTP/1.1 4"));
    EXPECT_TRUE(
        answer_to(std::string(greeting) + "too early").starts_with("HTTP/1.1 400 Bad Request\r\n"));
    EXPECT_TRUE(accepted_.empty());
}

TEST_F(WebListenerTest, BoundsTheHeadOfARequest) {
    answer_with([](const WebExchange&) { return WebAnswer{.body = {}}; });
    listen();
    const auto request = [](std::size_t bytes) {
        const std::string empty = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: \r\n\r\n";
        return with(empty, "X: ", "X: " + std::string(bytes - empty.size(), 'x'));
    };
    EXPECT_EQ(answer_to(request(limits::web_head_bytes_max)).substr(0, 13), "HTTP/1.1 200 ");
    EXPECT_EQ(answer_to(request(limits::web_head_bytes_max + 1)).substr(0, 13), "HTTP/1.1 431 ");
    // Lines that come one by one are counted together.
    const UniqueFd fd = connect_raw();
    write_raw(fd, "GET / HTTP/1.1\r\n");
    Reading reading;
    for (std::size_t sent = 0; sent < limits::web_head_bytes_max; sent += 100) {
        loop_->run_for(1ms);
        write_raw(fd, "X: " + std::string(95, 'x') + "\r\n");
    }
    ASSERT_TRUE(until([&] {
        read_raw(fd, reading);
        return reading.ended;
    }));
    EXPECT_TRUE(reading.text.starts_with("HTTP/1.1 431 ")) << reading.text;
}

TEST_F(WebListenerTest, AnswersRequestsOfOneConnectionInOrder) {
    std::vector<std::string> seen;
    answer_with([&](const WebExchange& request) {
        seen.push_back(std::string(request.method()) + " " + std::string(request.target()));
        return WebAnswer{.status = 203,
                         .content_type = "text/x",
                         .body = LentBytes::of(copy_of(bytes_of(request.target())))};
    });
    listen();
    const std::string answers =
        answer_to(get("/a?b=c") + "HEAD /headed HTTP/1.1\r\nHost: x\r\n\r\n" +
                  get("/last", "Connection: close\r\n") + get("/never"));
    EXPECT_EQ(seen, (std::vector<std::string>{"GET /a?b=c", "HEAD /headed", "GET /last"}));
    const std::string head =
        "HTTP/1.1 203 Non-Authoritative Information\r\nContent-Type: text/x\r\n"
        "Content-Length: ";
    EXPECT_EQ(answers,
              head + "6\r\nConnection: keep-alive\r\n\r\n/a?b=c" + head +
                  "7\r\nConnection: keep-alive\r\n\r\n" + head +
                  "5\r\nConnection: close\r\n\r\n/last");
    const auto socket = dial_and_open(); // Upgrades of its path are still its own.
    EXPECT_EQ(seen.size(), 3U);
}

TEST_F(WebListenerTest, SendsALargeAnswer) {
    const Bytes body(3U << 20U, 'b');
    answer_with([&](const WebExchange&) { return WebAnswer{.body = {ByteView{body}, nullptr}}; });
    listen();
    const std::string answer = answer_to(get("/", "Connection: close\r\n"));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + std::string(text_of(body))));
}

TEST_F(WebListenerTest, AnswersOnlySoManyRequestsOfOneConnection) {
    std::size_t seen = 0;
    answer_with([&](const WebExchange&) {
        ++seen;
        return WebAnswer{.body = {}};
    });
    listen();
    std::string many;
    for (std::size_t n = 0; n <= limits::web_requests_max; ++n) {
        many += get("/");
    }
    EXPECT_NE(answer_to(many).find("Connection: close\r\n"), std::string::npos);
    EXPECT_EQ(seen, limits::web_requests_max);
}

TEST_F(WebListenerTest, ClosesASlowHandshake) {
    listener_options_.socket.handshake_time_max = 200ms;
    listen();
    const UniqueFd silent = connect_raw();
    const UniqueFd slow = connect_raw();
    Reading of_silent;
    Reading of_slow;
    std::size_t sent = 0;
    const bool closed = until([&] {
        if (sent < greeting.size() && !of_slow.ended) {
            // A byte at a time, which must win no time.
            static_cast<void>(::send(slow.get(), &greeting[sent++], 1, MSG_NOSIGNAL));
        }
        read_raw(silent, of_silent);
        read_raw(slow, of_slow);
        return of_silent.ended && of_slow.ended;
    });
    EXPECT_TRUE(closed);
    EXPECT_LT(sent, greeting.size());
    EXPECT_EQ(of_silent.text + of_slow.text, "");
}

TEST_F(WebListenerTest, BoundsItsConnectionsAndCountsThoseThatGo) {
    listener_options_.connections_max = 2;
    listen();
    auto first = dial_and_open();
    const auto second = dial_and_open();
    const auto past = dial(url());
    ASSERT_TRUE(until([&] { return !past->closed.empty(); }));
    EXPECT_EQ(past->opened, 0);
    first->socket.reset();
    ASSERT_TRUE(until([&] { return !accepted_[0]->closed.empty(); }));
    const auto again = dial_and_open();
    EXPECT_TRUE(second->closed.empty());
}

TEST_F(WebListenerTest, BoundsConnectionsFromOneAddress) {
    listener_options_.connections_per_address_max = 1;
    listen("[::]:0");
    const auto four = dial_and_open();
    const auto past = dial(url());
    ASSERT_TRUE(until([&] { return !past->closed.empty(); }));
    const auto six = dial("ws://[::1]:" + std::to_string(listener_->port()) + "/node");
    EXPECT_TRUE(until([&] { return six->opened == 1; }));
}

TEST_F(WebListenerTest, BoundsHandshakesButNotWhatIsOpen) {
    listener_options_.handshakes_max = 2;
    listen();
    const auto one = dial_and_open();
    const auto two = dial_and_open();
    const auto three = dial_and_open();
    std::vector<UniqueFd> waiting;
    waiting.push_back(connect_raw());
    waiting.push_back(connect_raw());
    loop_->run_for(20ms);
    EXPECT_EQ(ended(waiting), 0U);
    const UniqueFd past = connect_raw();
    Reading reading;
    ASSERT_TRUE(until([&] {
        read_raw(past, reading);
        return reading.ended;
    }));
    EXPECT_TRUE(reading.text.starts_with("HTTP/1.1 503 ")) << reading.text;
    EXPECT_TRUE(reading.text.ends_with("\r\n\r\ntoo many connections\n")) << reading.text;
    waiting.clear();
    loop_->run_for(20ms);
    const auto four = dial_and_open();
}

TEST_F(WebListenerTest, MayBeDestroyedInsideItsCallbacks) {
    listen();
    const UniqueFd waiting = connect_raw();
    loop_->run_for(10ms);
    std::unique_ptr<WebSocket> kept;
    WebListenerCallbacks calls;
    calls.on_accept = [&](std::unique_ptr<WebSocket> socket) {
        kept = std::move(socket);
        listener_.reset();
    };
    calls.on_exchange = [&](const std::unique_ptr<WebExchange>& exchange) {
        listener_.reset();
        exchange->answer({.body = {}});
    };
    listener_ = WebSocketListener::open(*loop_, "127.0.0.1:0", listener_options_, calls).take();
    EXPECT_EQ(answer_to(get("/")), "");
    EXPECT_EQ(listener_, nullptr);
    listener_ = WebSocketListener::open(*loop_, "127.0.0.1:0", listener_options_, calls).take();
    const auto there = dial(url());
    ASSERT_TRUE(until([&] { return there->opened == 1; }));
    EXPECT_EQ(listener_, nullptr);
    End here;
    kept->start(callbacks_of(here)); // It outlives the listener.
    there->socket->send({5});
    ASSERT_TRUE(until([&] { return here.messages.size() == 1; }));
    Reading reading;
    read_raw(waiting, reading);
    EXPECT_TRUE(reading.ended);
}

TEST_F(WebListenerTest, LetsGoOfOneThatIsNotTaken) {
    listen();
    calls_.on_accept = [](const std::unique_ptr<WebSocket>&) {};
    listener_ = WebSocketListener::open(*loop_, "127.0.0.1:0", listener_options_, calls_).take();
    const auto end = dial(url());
    EXPECT_TRUE(until([&] { return !end->closed.empty(); }));
    EXPECT_TRUE(accepted_.empty());
}

TEST_F(WebListenerTest, HasNoWebSocketsWhereNobodyTakesThem) {
    listen();
    calls_.on_accept = nullptr;
    listener_ = WebSocketListener::open(*loop_, "127.0.0.1:0", listener_options_, calls_).take();
    const auto end = dial(url());
    EXPECT_TRUE(until([&] { return !end->closed.empty(); }));
    EXPECT_NE(end->closed.front().find("404"), std::string::npos) << end->closed.front();
}

} // namespace
} // namespace ic::net
