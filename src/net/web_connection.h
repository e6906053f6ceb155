#pragma once
/// What a WebSocket and the listener that accepts it have in common. Inside this folder alone; only
/// what is made of Beast includes it.

#include "base/time.h"
#include "net/loop_context.h"
#include "net/web_socket.h"
#include "net/web_url.h"
#include "net/web_wire.h"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <deque>
#include <optional>
#include <vector>

namespace ic::net {

using WebRequest = boost::beast::http::request<boost::beast::http::empty_body>;
using WebTimer =
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>,
                                      boost::asio::io_context::executor_type>;

/// What is under way keeps it, with the WebSocket that is its owner.
class WebSocket::Connection final : public LoopGuest,
                                    public std::enable_shared_from_this<Connection> {
public:
    Connection(boost::asio::io_context& context, WebSocketOptions options, std::string remote);

    void dial(WebUrl url, TlsContext tls, WebSocketCallbacks callbacks);

    /// Answers the upgrade that was asked for. `place` is kept until the connection is closed;
    /// `accepted` is called if there is a connection then.
    void accept(WebWire wire,
                const WebRequest& request,
                std::shared_ptr<void> place,
                std::function<void()> accepted);

    void start(WebSocketCallbacks callbacks);
    void send(Bytes message);
    void close(std::string_view reason);

    /// Its owner goes.
    void abandon();

    std::size_t queued_bytes() const { return queued_; }

    const std::string& remote() const { return remote_; }

    void leave() noexcept override;

private:
    enum class State : std::uint8_t { connecting, opening, waiting, open, closing, closed };
    // No deflate: what it saves on messages this small is not worth its memory.
    using Stream = boost::beast::websocket::stream<WebWire, false>;
    using ErrorCode = boost::system::error_code;
    using Endpoint = boost::asio::ip::tcp::endpoint;

    bool is(State state) const { return state_ == state; }

    bool has_left() const { return context_ == nullptr; }

    void post(void (Connection::*then)());
    void arm(std::chrono::nanoseconds delay, void (Connection::*then)());

    void resolve();
    void resolve_name();
    void try_next_endpoint();
    void connect_timed_out();
    void connected(WebTcp socket);
    void ask_for_upgrade();
    void answered(const ErrorCode& failure);
    void handshake_timed_out();
    void set_up(WebWire wire);

    void opened();
    void read();
    void have_read(const ErrorCode& failure);
    void deliver();
    void write();
    void written(const ErrorCode& failure);
    void tick();
    void ping();
    void say_goodbye();
    void close_timed_out();
    void finish(std::string why);
    void report();
    std::string text_of_failure(const ErrorCode& failure);
    std::string text_of_goodbye() const;

    boost::asio::io_context* context_; // None once the loop has gone.
    const WebSocketOptions options_;
    const std::string remote_;
    State state_ = State::opening;
    std::shared_ptr<WebSocketCallbacks> callbacks_; // None: nobody wants to know.
    std::shared_ptr<void> place_;
    std::string why_; // It was closed.

    std::optional<WebTimer> timer_; // One at a time: of what `state_` waits for.
    std::uint64_t timer_number_ = 0;

    WebUrl url_;
    TlsContext tls_;
    std::optional<boost::asio::ip::basic_resolver<boost::asio::ip::tcp,
                                                  boost::asio::io_context::executor_type>>
        resolver_;
    std::vector<Endpoint> endpoints_; // To be tried, the first one last.
    std::uint64_t attempt_ = 0;
    Instant connect_until_ = Instant::never();
    std::string last_failure_;
    std::shared_ptr<WebTcp> connecting_;

    std::optional<Stream> stream_;
    boost::beast::websocket::response_type answer_;
    boost::beast::flat_buffer incoming_;
    std::deque<Bytes> queue_; // The first is being written, if `writing_`.
    std::size_t queued_ = 0;
    bool writing_ = false;
    bool pinging_ = false;
    Instant heard_;
    std::string goodbye_;
    bool said_goodbye_ = false;
};

} // namespace ic::net
