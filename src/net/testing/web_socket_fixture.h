#pragma once
/// A listener, the ends of its connections, and bare sockets beside them. For tests.

#include "base/unique_fd.h"
#include "net/web_socket.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ic::net::testing {

/// Asks for the upgrade.
inline constexpr std::string_view greeting =
    "GET /node HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: test.1\r\n\r\n";

/// One end, and what happened to it.
struct End {
    std::unique_ptr<WebSocket> socket{};
    int opened = 0;
    std::vector<Bytes> messages{};
    std::vector<std::string> closed{};
};

inline WebSocketOptions quick_options() {
    WebSocketOptions options;
    options.subprotocol = "test.1";
    options.connect_time_max = std::chrono::seconds{5};
    options.handshake_time_max = std::chrono::seconds{5};
    options.close_time_max = std::chrono::milliseconds{500};
    return options;
}

class WebSocketFixture : public ::testing::Test {
protected:
    void SetUp() override {
        loop_ = EventLoop::open().take();
        listener_options_.path = "/node";
        listener_options_.socket = quick_options();
    }

    void listen(const std::string& address = "127.0.0.1:0") {
        calls_.on_accept = [this](std::unique_ptr<WebSocket> socket) {
            auto end = std::make_unique<End>();
            end->socket = std::move(socket);
            end->socket->start(callbacks_of(*end));
            accepted_.push_back(std::move(end));
        };
        auto opened = WebSocketListener::open(*loop_, address, listener_options_, calls_);
        ASSERT_TRUE(opened) << opened.error().message;
        listener_ = std::move(opened).take();
    }

    // Runs the loop until it holds.
    bool until(const std::function<bool()>& holds) {
        for (int n = 0; n < 2'000; ++n) {
            if (holds()) {
                return true;
            }
            loop_->run_for(std::chrono::milliseconds{5});
        }
        return holds();
    }

    static WebSocketCallbacks callbacks_of(End& end) {
        return {
            .on_open = [&end] { ++end.opened; },
            .on_message = [&end](ByteView m) { end.messages.push_back(copy_of(m)); },
            .on_closed = [&end](const std::string& why) { end.closed.push_back(why); },
        };
    }

    std::string url(const std::string& path = "/node") const {
        return "http://127.0.0.1:" + std::to_string(listener_->port()) + path;
    }

    std::unique_ptr<End> dial(const std::string& to,
                              const WebSocketOptions& options = quick_options()) {
        auto end = std::make_unique<End>();
        auto socket = WebSocket::dial(*loop_, to, options, callbacks_of(*end));
        EXPECT_TRUE(socket) << socket.error().message;
        if (socket) {
            end->socket = std::move(socket).take();
        }
        return end;
    }

    // Two ends that are open.
    std::unique_ptr<End> dial_and_open() {
        auto end = dial(url());
        const std::size_t before = accepted_.size();
        EXPECT_TRUE(until([&] {
            return end->opened == 1 && accepted_.size() == before + 1 &&
                   accepted_.back()->opened == 1;
        })) << (end->closed.empty() ? "no answer" : end->closed[0]);
        return end;
    }

    UniqueFd connect_raw() const {
        UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(listener_->port());
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
        return fd;
    }

    static void write_raw(const UniqueFd& fd, std::string_view text) {
        EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL),
                  static_cast<ssize_t>(text.size()));
    }

    // What came by now; `ended` once it was all.
    struct Reading {
        std::string text{};
        bool ended = false;
    };

    static void read_raw(const UniqueFd& fd, Reading& so_far) {
        std::array<char, 4096> piece{};
        ssize_t got = 0;
        while ((got = ::recv(fd.get(), piece.data(), piece.size(), MSG_DONTWAIT)) > 0) {
            so_far.text.append(piece.data(), static_cast<std::size_t>(got));
        }
        so_far.ended = got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    }

    Reading read_to_end(const UniqueFd& fd) {
        Reading reading;
        EXPECT_TRUE(until([&] {
            read_raw(fd, reading);
            return reading.ended;
        })) << "not closed after: "
            << reading.text;
        return reading;
    }

    // The whole answer of a connection that is closed after it.
    std::string dated_answer_to(std::string_view request) {
        const UniqueFd fd = connect_raw();
        write_raw(fd, request);
        return read_to_end(fd).text;
    }

    // The same without its dates.
    std::string answer_to(std::string_view request) {
        constexpr std::size_t length = std::string_view("Sun, 06 Nov 1994 08:49:37 GMT\r\n").size();
        std::string answer = dated_answer_to(request);
        for (std::size_t at = 0; (at = answer.find("Date: ", at)) != answer.npos;) {
            answer.erase(at, std::string_view("Date: ").size() + length);
        }
        return answer;
    }

    // A peer that is a bare socket, after its handshake.
    UniqueFd open_raw() {
        UniqueFd fd = connect_raw();
        write_raw(fd, greeting);
        Reading reading;
        EXPECT_TRUE(until([&] {
            read_raw(fd, reading);
            return reading.text.find("\r\n\r\n") != std::string::npos && !accepted_.empty() &&
                   accepted_.back()->opened == 1;
        }));
        EXPECT_TRUE(reading.text.starts_with("HTTP/1.1 101 ")) << reading.text;
        return fd;
    }

    std::unique_ptr<EventLoop> loop_;
    WebListenerOptions listener_options_;
    WebListenerCallbacks calls_;
    std::unique_ptr<WebSocketListener> listener_;
    std::vector<std::unique_ptr<End>> accepted_;
};

} // namespace ic::net::testing
