#pragma once
/// WebSocket: a connection over HTTP that keeps messages apart (RFC 6455), and its listener, which
/// answers plain requests too. What they stand on (Boost.Beast) is seen by their sources alone.

#include "base/bytes.h"
#include "base/result.h"
#include "net/event_loop.h"
#include "net/web_exchange.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ic::net {

namespace limits {
/// 65,535 bytes of content and what a sender puts around them.
inline constexpr std::size_t web_message_bytes_max = 65'535 + 4'096;
inline constexpr std::size_t web_queue_bytes_max = 4U << 20U;
/// Of a request's line and headers.
inline constexpr std::size_t web_head_bytes_max = 16U << 10U;
/// Answered on one connection; then it is closed.
inline constexpr std::size_t web_requests_max = 1'000;
} // namespace limits

struct WebSocketOptions {
    /// Sec-WebSocket-Protocol. A connection whose other side does not name it is not opened.
    std::string subprotocol{};
    std::size_t message_bytes_max = limits::web_message_bytes_max; ///< Either way.
    /// What may wait to be sent, the message being written included.
    std::size_t queue_bytes_max = limits::web_queue_bytes_max;
    std::chrono::milliseconds connect_time_max{10'000};   ///< The name and the address.
    std::chrono::milliseconds handshake_time_max{10'000}; ///< TLS and HTTP.
    std::chrono::milliseconds ping_every{15'000};
    std::chrono::milliseconds silence_max{45'000}; ///< Without a byte of the other side.
    std::chrono::milliseconds close_time_max{2'000};
    /// PEM file of certificates that are trusted when dialling, beside the system's.
    std::string trusted_file{};
};

/// Called on the loop's thread, never from within a call of the connection, and not after it went.
/// A callback may destroy its connection. Each may be empty.
struct WebSocketCallbacks {
    std::function<void()> on_open{};
    std::function<void(ByteView message)> on_message{};
    /// Exactly once, whether or not it was ever open, and nothing after it.
    std::function<void(std::string why)> on_closed{};
};

/// One connection. It closes at once when this goes, and what waits to be sent is dropped.
/// Threads: the loop's (or before it runs).
/// Lifetime: when the loop goes first, it is closed and nothing is called any more.
class WebSocket {
public:
    class Connection;

    /// Starts to connect to `ws://`, `wss://`, `http://` or `https://` HOST[:PORT][/PATH][?QUERY].
    /// wss and https demand a certificate that the system (or `trusted_file`) trusts for HOST.
    /// All that fails later is `on_closed`'s. A loop that goes while a name is being resolved waits
    /// for the resolver. Errors: malformed, too_large (the URL), unavailable (`trusted_file`).
    static Result<std::unique_ptr<WebSocket>> dial(EventLoop& loop,
                                                   std::string_view url,
                                                   const WebSocketOptions& options,
                                                   WebSocketCallbacks callbacks);

    explicit WebSocket(std::shared_ptr<Connection> connection);
    WebSocket(const WebSocket&) = delete;
    WebSocket& operator=(const WebSocket&) = delete;
    ~WebSocket();

    /// For a connection that was accepted, once: `on_open` follows, then what arrives. Nothing is
    /// read before. One that was dialled has started.
    void start(WebSocketCallbacks callbacks);

    /// Sends it after those before it; one that is not open yet keeps it. Past `queue_bytes_max` or
    /// `message_bytes_max` the connection is closed instead. Nothing happens after a close.
    void send(Bytes message);

    /// Sends what waits, says goodbye, and calls `on_closed` after at most `close_time_max`.
    /// `reason` (its first 123 bytes) is what the other side's `on_closed` is told.
    void close(std::string_view reason = {});

    /// Bytes that wait to be sent.
    std::size_t queued_bytes() const;

    /// Host and port, for people: as in the URL, or as accepted.
    std::string remote() const;

private:
    std::shared_ptr<Connection> connection_;
};

struct WebListenerOptions {
    std::string path = "/";    ///< Of WebSockets. A query after it is not looked at.
    WebSocketOptions socket{}; ///< Of every connection that is accepted.
    /// Open ones and those that are not upgraded yet, together.
    std::size_t connections_max = 1'024;
    /// Of them from one IPv4 address or one IPv6 network of 64 bits.
    std::size_t connections_per_address_max = 64;
    std::size_t handshakes_max = 128; ///< Of them not upgraded yet. Requests count here.
    std::chrono::milliseconds idle_time_max{30'000}; ///< From an answer to the next request's head.
    /// For the part of a body that `body_bytes_a_second_min` does not allow for: one that is slower
    /// than both together is too slow. Only time in which more was asked for counts.
    std::chrono::milliseconds body_time_max{10'000};
    std::uint64_t body_bytes_a_second_min = 1'024;
    std::chrono::milliseconds write_time_max{15'000}; ///< Of one piece of a body.
    /// PEM files: the chain and its key; both for TLS, or neither.
    std::string certificate_file{};
    std::string key_file{};
};

/// As those of a WebSocket.
struct WebListenerCallbacks {
    /// The connection is to be started here or later; it outlives the listener. Empty: there are
    /// no WebSockets, 404 for who asks for one.
    std::function<void(std::unique_ptr<WebSocket> socket)> on_accept{};
    /// Takes every request that is no upgrade, with any method and body, one after the other of a
    /// connection; what it throws is a 500. Empty: 426 for `path` and 404 for others.
    std::function<void(std::unique_ptr<WebExchange> exchange)> on_exchange{};
};

/// Listens until it goes; requests that are not answered by then never are.
/// Threads: the loop's (or before it runs).
/// Lifetime: when the loop goes first, nothing is called any more.
class WebSocketListener {
public:
    class State;

    /// `address` is IPV4:PORT or [IPV6]:PORT, `[::]:PORT` both families; port 0 is one of the
    /// kernel's choice. Errors: malformed (address), unavailable (in use, no permission, files).
    static Result<std::unique_ptr<WebSocketListener>> open(EventLoop& loop,
                                                           std::string_view address,
                                                           const WebListenerOptions& options,
                                                           WebListenerCallbacks callbacks);

    explicit WebSocketListener(std::shared_ptr<State> state);
    WebSocketListener(const WebSocketListener&) = delete;
    WebSocketListener& operator=(const WebSocketListener&) = delete;
    ~WebSocketListener();

    std::uint16_t port() const;

private:
    std::shared_ptr<State> state_;
};

} // namespace ic::net
