#include "net/testing/web_socket_fixture.h"

#include <cstring>
#include <utility>

namespace ic::net {
namespace {

using namespace std::chrono_literals;
using testing::End;
using testing::quick_options;

class WebSocketTest : public testing::WebSocketFixture {};

TEST_F(WebSocketTest, CarriesMessagesBothWays) {
    listen();
    const auto here = dial(url());
    here->socket->send({1, 2, 3}); // Before it is open.
    ASSERT_TRUE(until([&] { return !accepted_.empty() && accepted_[0]->messages.size() == 1; }));
    EXPECT_EQ(accepted_[0]->messages[0], (Bytes{1, 2, 3}));
    accepted_[0]->socket->send({});
    accepted_[0]->socket->send({4});
    ASSERT_TRUE(until([&] { return here->messages.size() == 2; }));
    EXPECT_EQ(here->messages, (std::vector<Bytes>{{}, {4}}));
    EXPECT_EQ(here->socket->remote(), "127.0.0.1:" + std::to_string(listener_->port()));
    EXPECT_TRUE(accepted_[0]->socket->remote().starts_with("127.0.0.1:"));
    EXPECT_EQ(here->socket->queued_bytes(), 0U);
}

TEST_F(WebSocketTest, KeepsTenThousandMessagesInOrder) {
    listen();
    const auto here = dial_and_open();
    constexpr std::uint32_t count = 10'000;
    for (std::uint32_t n = 0; n < count; ++n) {
        Bytes message(sizeof n);
        std::memcpy(message.data(), &n, sizeof n);
        here->socket->send(std::move(message));
    }
    End& there = *accepted_[0];
    ASSERT_TRUE(until([&] { return there.messages.size() == count; })) << there.messages.size();
    for (std::uint32_t n = 0; n < count; ++n) {
        std::uint32_t got = 0;
        std::memcpy(&got, there.messages[n].data(), sizeof got);
        ASSERT_EQ(got, n);
    }
}

TEST_F(WebSocketTest, TakesMessagesUpToTheirBoundAndNoLarger) {
    listener_options_.socket.message_bytes_max = 70'000;
    listen();
    WebSocketOptions larger = quick_options();
    larger.message_bytes_max = 70'001;
    const auto here = dial(url(), larger);
    here->socket->send(Bytes(70'000, 7));
    ASSERT_TRUE(until([&] { return !accepted_.empty() && accepted_[0]->messages.size() == 1; }));
    EXPECT_EQ(accepted_[0]->messages[0], Bytes(70'000, 7));
    accepted_[0]->socket->send(Bytes(70'000, 8));
    ASSERT_TRUE(until([&] { return here->messages.size() == 1; }));
    EXPECT_EQ(here->messages[0], Bytes(70'000, 8));
    here->socket->send(Bytes(70'001, 9));
    ASSERT_TRUE(until([&] { return !accepted_[0]->closed.empty() && !here->closed.empty(); }));
    EXPECT_EQ(accepted_[0]->closed[0], "a message of more than 70000 bytes came");
    EXPECT_EQ(accepted_[0]->messages.size(), 1U);
}

TEST_F(WebSocketTest, SendsNoMessageThatIsTooLarge) {
    listen();
    const auto here = dial_and_open();
    here->socket->send(Bytes(limits::web_message_bytes_max + 1));
    EXPECT_TRUE(here->closed.empty()); // Never from within the call.
    ASSERT_TRUE(until([&] { return !here->closed.empty(); }));
    EXPECT_TRUE(here->closed[0].starts_with("a message of 69632 bytes was to be sent"))
        << here->closed[0];
}

TEST_F(WebSocketTest, QueuesUpToItsBoundAndClosesOnePast) {
    listen();
    WebSocketOptions options = quick_options();
    options.queue_bytes_max = 1'640; // Ten of 100 bytes, each with what it costs.
    const auto kept = dial(url(), options);
    const auto past = dial(url(), options);
    for (int n = 0; n < 10; ++n) {
        kept->socket->send(Bytes(100));
        past->socket->send(Bytes(100));
    }
    EXPECT_EQ(kept->socket->queued_bytes(), 1'640U);
    past->socket->send({});
    EXPECT_EQ(past->socket->queued_bytes(), 1'640U);
    ASSERT_TRUE(until([&] {
        return !past->closed.empty() && !accepted_.empty() && accepted_[0]->messages.size() == 10;
    }));
    EXPECT_EQ(past->closed[0],
              "it takes messages too slowly: more than 1640 bytes wait to be sent");
    EXPECT_TRUE(kept->closed.empty());
    ASSERT_TRUE(until([&] { return kept->socket->queued_bytes() == 0; }));
}

TEST_F(WebSocketTest, APeerThatDoesNotReadFillsTheQueueAndIsClosed) {
    listen();
    const UniqueFd peer = open_raw();
    End& end = *accepted_[0];
    for (int n = 0; n < 1'000 && end.closed.empty(); ++n) {
        end.socket->send(Bytes(60'000));
        EXPECT_LE(end.socket->queued_bytes(), limits::web_queue_bytes_max);
        loop_->run_for(1ms);
    }
    ASSERT_EQ(end.closed.size(), 1U);
    EXPECT_TRUE(end.closed[0].starts_with("it takes messages too slowly")) << end.closed[0];
}

TEST_F(WebSocketTest, ClosesWithAReasonAfterWhatWaits) {
    listen();
    const auto here = dial_and_open();
    for (int n = 0; n < 100; ++n) {
        here->socket->send(Bytes(1'000));
    }
    here->socket->close("done");
    here->socket->send({1}); // Too late.
    here->socket->close("again");
    EXPECT_TRUE(here->closed.empty());
    ASSERT_TRUE(until([&] { return !here->closed.empty() && !accepted_[0]->closed.empty(); }));
    EXPECT_EQ(accepted_[0]->messages.size(), 100U);
    EXPECT_EQ(accepted_[0]->closed, std::vector<std::string>{"the other side closed: done"});
    loop_->run_for(20ms);
    EXPECT_EQ(here->closed, std::vector<std::string>{"done"});
}

TEST_F(WebSocketTest, ClosesInTimeWhenTheOtherSideDoesNotAnswer) {
    listener_options_.socket.close_time_max = 100ms;
    listen();
    const UniqueFd peer = open_raw();
    accepted_[0]->socket->close();
    EXPECT_TRUE(until([&] { return !accepted_[0]->closed.empty(); }));
    EXPECT_EQ(accepted_[0]->closed, std::vector<std::string>{"closed here"});
}

TEST_F(WebSocketTest, ATextMessageIsRefusedWithItsCode) {
    listen();
    const UniqueFd peer = open_raw();
    write_raw(peer, std::string_view("\x81\x81\0\0\0\0x", 7)); // RFC 6455 5.2: final, text.
    Reading reading;
    ASSERT_TRUE(until([&] {
        read_raw(peer, reading);
        return !accepted_[0]->closed.empty() && reading.ended;
    }));
    EXPECT_EQ(accepted_[0]->closed[0], "a text message came; only binary ones may");
    EXPECT_TRUE(accepted_[0]->messages.empty());
    // A close frame with 1003 (RFC 6455 7.4.1: data of a type that is not accepted).
    EXPECT_EQ(reading.text.substr(0, 1), "\x88");
    EXPECT_EQ(reading.text.substr(2, 2), "\x03\xeb");
}

TEST_F(WebSocketTest, AFrameThatIsNotMaskedClosesTheConnection) {
    listen();
    const UniqueFd peer = open_raw();
    write_raw(peer, std::string_view("\x82\x01x", 3));
    ASSERT_TRUE(until([&] { return !accepted_[0]->closed.empty(); }));
    EXPECT_TRUE(accepted_[0]->messages.empty());
}

TEST_F(WebSocketTest, NoticesAPeerThatGoesAway) {
    listen();
    UniqueFd peer = open_raw();
    peer.reset();
    ASSERT_TRUE(until([&] { return !accepted_[0]->closed.empty(); }));
    EXPECT_EQ(accepted_[0]->closed[0], "the other side went away");
    const auto here = dial_and_open();
    here->socket.reset();
    ASSERT_TRUE(until([&] { return !accepted_[1]->closed.empty(); }));
    loop_->run_for(20ms);
    EXPECT_TRUE(here->closed.empty()); // Nothing is called after it went.
    EXPECT_EQ(accepted_[1]->closed.size(), 1U);
}

TEST_F(WebSocketTest, PingsKeepConnectionsAndSilenceClosesThem) {
    listener_options_.socket.ping_every = 50ms;
    listener_options_.socket.silence_max = 2s; // Longer than this one thread may be held up.
    listen();
    const auto here = dial_and_open(); // Answers pings, and says nothing else.
    const UniqueFd peer = open_raw();  // Answers nothing.
    ASSERT_TRUE(until([&] { return !accepted_[1]->closed.empty(); }));
    EXPECT_EQ(accepted_[1]->closed[0], "nothing was heard for 2 s");
    loop_->run_for(1s);
    EXPECT_TRUE(accepted_[0]->closed.empty());
    Reading reading;
    read_raw(peer, reading);
    EXPECT_EQ(reading.text.substr(0, 2), std::string("\x89\0", 2)); // RFC 6455 5.5.2: ping.
}

TEST_F(WebSocketTest, MayBeDestroyedInsideItsCallbacks) {
    listen();
    for (int kind = 0; kind < 3; ++kind) {
        const auto there = dial_and_open();
        End end;
        bool called = false;
        const auto destroy = [&] {
            called = true;
            end.socket.reset();
        };
        WebSocketCallbacks callbacks = callbacks_of(end);
        if (kind == 0) {
            callbacks.on_open = destroy;
        } else if (kind == 1) {
            callbacks.on_message = [destroy](ByteView) { destroy(); };
        } else {
            callbacks.on_closed = [destroy](const std::string&) { destroy(); };
        }
        calls_.on_accept = nullptr;
        end.socket = WebSocket::dial(*loop_, url(), quick_options(), std::move(callbacks)).take();
        const std::size_t before = accepted_.size();
        ASSERT_TRUE(until([&] { return accepted_.size() > before; }));
        accepted_.back()->socket->send({1});
        accepted_.back()->socket->send({2});
        accepted_.back()->socket->close();
        ASSERT_TRUE(until([&] { return called && !accepted_.back()->closed.empty(); })) << kind;
        EXPECT_EQ(end.socket, nullptr);
        EXPECT_EQ(end.messages.size(), kind == 2 ? 2U : 0U);
        EXPECT_TRUE(end.closed.empty());
        there->socket.reset();
    }
}

TEST_F(WebSocketTest, ItsLoopMayGoFirst) {
    listen();
    const auto open = dial_and_open();
    open->socket->send(Bytes(60'000));
    const auto under_way = dial(url());
    loop_->run_for(1ms);
    const auto not_begun = dial(url());
    loop_.reset();
    for (const auto* const end : {open.get(), under_way.get(), not_begun.get()}) {
        end->socket->send({1});
        end->socket->close();
        EXPECT_TRUE(end->closed.empty());
    }
    EXPECT_NE(listener_->port(), 0);
}

TEST_F(WebSocketTest, TellsWhyItCannotConnect) {
    listen();
    const std::string nobody = url();
    listener_.reset();
    const auto refused = dial(nobody);
    const auto no_name = dial("ws://no-such-name.invalid/node"); // RFC 6761 6.4.
    EXPECT_TRUE(refused->closed.empty());
    ASSERT_TRUE(until([&] { return !refused->closed.empty() && !no_name->closed.empty(); }));
    EXPECT_EQ(refused->closed[0], "cannot connect: Connection refused");
    EXPECT_TRUE(no_name->closed[0].starts_with("the name 'no-such-name.invalid': "))
        << no_name->closed[0];
    EXPECT_EQ(refused->opened + no_name->opened, 0);
}

/// A listener that says nothing by itself.
struct SilentServer {
    UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    std::string port{};

    SilentServer() {
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
        EXPECT_EQ(::listen(fd.get(), 4), 0);
        EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
        port = std::to_string(ntohs(at.sin_port));
    }
};

TEST_F(WebSocketTest, WaitsForAHandshakeOnlySoLong) {
    const SilentServer server;
    WebSocketOptions options = quick_options();
    options.handshake_time_max = 100ms;
    const auto plain = dial("ws://127.0.0.1:" + server.port, options);
    const auto tls = dial("wss://127.0.0.1:" + server.port, options);
    ASSERT_TRUE(until([&] { return !plain->closed.empty() && !tls->closed.empty(); }));
    EXPECT_EQ(plain->closed[0], "no handshake within 100 ms");
    EXPECT_EQ(tls->closed[0], "no handshake within 100 ms");
}

TEST_F(WebSocketTest, ReadsNoAnswerWithoutEnd) {
    const SilentServer server;
    const auto here = dial("ws://127.0.0.1:" + server.port);
    UniqueFd peer;
    ASSERT_TRUE(until([&] {
        peer.reset(::accept4(server.fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
        return static_cast<bool>(peer);
    }));
    write_raw(peer, "HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n");
    const std::string piece(1'000, 'x');
    std::size_t sent = 0;
    while (here->closed.empty() && sent < 7'000'000) {
        static_cast<void>(::send(peer.get(), piece.data(), piece.size(), MSG_NOSIGNAL));
        sent += piece.size();
        loop_->run_for(1ms);
    }
    ASSERT_FALSE(here->closed.empty());
    EXPECT_EQ(here->closed[0], "its answer is too long");
    EXPECT_LT(sent, 1'000'000U);
}

} // namespace
} // namespace ic::net
