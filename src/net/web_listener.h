#pragma once
/// The inside of WebSocketListener: who is let in, and one request after the other. Inside this
/// folder alone; only what is made of Beast includes it.

#include "base/time.h"
#include "net/address.h"
#include "net/web_connection.h"
#include "net/web_exchange.h"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace ic::net {

class WebIncoming;

inline std::string_view view_of(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

/// A connection's part of the bounds; given back when it goes. Lives as long as it is counted.
class WebPlace {
public:
    WebPlace(std::shared_ptr<WebSocketListener::State> listener, const Address& from);
    WebPlace(const WebPlace&) = delete;
    WebPlace& operator=(const WebPlace&) = delete;
    ~WebPlace();

    /// Its handshake is over.
    void upgraded();

private:
    std::shared_ptr<WebSocketListener::State> listener_;
    Address network_;
    bool in_handshake_ = true;
};

class WebSocketListener::State final : public LoopGuest,
                                       public std::enable_shared_from_this<State> {
public:
    State(boost::asio::io_context& context, WebListenerOptions options, WebListenerCallbacks calls);

    Result<void> listen(const boost::asio::ip::tcp::endpoint& endpoint);
    void wait();

    /// The listener goes.
    void close();

    void leave() noexcept override;

    std::uint16_t port() const { return port_; }

    const WebListenerOptions& options() const { return options_; }

    const TlsContext& tls() const { return tls_; }

    /// None once the listener has gone.
    std::shared_ptr<WebListenerCallbacks> callbacks() const { return callbacks_; }

    boost::asio::io_context& context() { return *context_; }

private:
    friend class WebPlace;
    friend class WebIncoming;

    inline std::string_view view_of(boost::beast::string_view text) {
        return {text.data(), text.size()};
    }

    /// False: there are no descriptors to accept with.
    bool accept_some();
    void admit(UniqueFd fd, const boost::asio::ip::tcp::endpoint& from);
    bool has_room(const Address& network) const;

    boost::asio::io_context* context_;
    const WebListenerOptions options_;
    std::shared_ptr<WebListenerCallbacks> callbacks_;
    TlsContext tls_;
    std::uint16_t port_ = 0;
    using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp,
                                                        boost::asio::io_context::executor_type>;
    std::optional<Acceptor> acceptor_;
    std::optional<WebTimer> retry_;
    std::size_t connections_ = 0;
    std::size_t handshakes_ = 0;
    std::map<Address, std::size_t> by_network_;
    std::set<WebIncoming*> incoming_;
};

/// A connection that is not upgraded, and perhaps never will be: kept by what is under way, and by
/// the WebExchange of the request that waits for its answer.
class WebIncoming final : public LoopGuest, public std::enable_shared_from_this<WebIncoming> {
public:
    using Request = boost::beast::http::request<boost::beast::http::buffer_body>;

    WebIncoming(std::shared_ptr<WebSocketListener::State> listener,
                WebWire wire,
                std::shared_ptr<WebPlace> place,
                std::string remote);
    ~WebIncoming() override;

    void begin();
    void close();
    void leave() noexcept override;

    // As those of WebExchange; `abandon` is its end.
    /// Counts requests, so that a handler that keeps its exchange does nothing to the next one.
    std::uint64_t number() const { return number_; }

    const Request& request() const { return parser_->get(); }

    const std::string& remote() const { return remote_; }

    bool is_gone() const { return gone_ || !wire_; }

    std::optional<std::uint64_t> body_bytes() const;
    void expect_body(std::uint64_t bytes_max);
    void read(std::function<void(Result<ByteView>)> then);
    void on_gone(std::function<void()> call);
    void answer(WebAnswer answer);
    void begin_answer(const WebAnswerHead& head);
    void write(LentBytes piece, std::function<void()> then);
    void end_answer();
    void abandon();

private:
    using ErrorCode = boost::system::error_code;
    using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

    enum class After : std::uint8_t { close, next_request };
    /// Of the request that came last.
    enum class Phase : std::uint8_t { answered, waiting, streaming };

    void arm(std::chrono::nanoseconds delay);
    void disarm();
    void post(std::function<void()> call);
    void read_head();
    void have_head(const ErrorCode& failure, std::size_t size);
    WebAnswer answer_of_our_own() const;
    std::optional<WebAnswer> refusal_of_upgrade() const;
    bool is_our_path(std::string_view target) const;
    void upgrade();
    void refuse(std::uint16_t status, std::string_view why);
    void send(WebAnswer answer, After after);
    std::string
    head_of(std::uint16_t status, const std::vector<WebHeader>& headers, After after) const;
    After after_this();
    void answered(const ErrorCode& failure, After after);
    void linger();

    void hand_out();
    void guarded(const std::function<void()>& call);
    void go_on_reading();
    void read_some();
    bool has_read();
    void have_piece(const ErrorCode& failure);
    void give(Result<ByteView> piece);
    void watch_for_the_end();
    void sent(const ErrorCode& failure, const std::function<void()>& then);

    std::shared_ptr<WebSocketListener::State> listener_;
    std::optional<WebWire> wire_; // None once it is upgraded, or the loop has gone.
    std::optional<WebTimer> timer_;
    std::shared_ptr<WebPlace> place_;
    const std::string remote_;
    std::string incoming_; // Up to the end of a head, at most `limits::web_head_bytes_max`.
    std::optional<Parser> parser_;
    std::size_t requests_ = 0;
    std::uint64_t number_ = 0;
    bool gone_ = false;
    Phase phase_ = Phase::answered;
    std::string head_; // Of the answer, until it is sent.
    LentBytes body_;
    std::size_t lingered_bytes_ = 0;
    std::array<char, 1024> rest_{};

    // Of the request's body.
    std::optional<
        boost::asio::dynamic_string_buffer<char, std::char_traits<char>, std::allocator<char>>>
        body_input_;                        // What `incoming_` has of it.
    std::unique_ptr<std::uint8_t[]> piece_; // limits::web_body_piece_bytes_max, when first read.
    std::uint64_t body_bytes_max_ = 0;
    std::uint64_t body_bytes_read_ = 0;
    std::chrono::nanoseconds body_time_{0}; // In which it was waited for.
    Instant read_since_;
    bool continued_ = false; // "100 Continue" is said, or nobody waits for it.
    bool reading_ = false;   // Or saying so.
    std::function<void(Result<ByteView>)> read_then_;
    std::function<void()> after_reading_; // The answer that came meanwhile.

    // Of the answer.
    std::function<void()> gone_call_;
    bool in_chunks_ = false;
    std::optional<std::uint64_t> stream_bytes_left_; // Where the head says how many.
    After after_stream_ = After::close;
    std::string chunk_size_;
};

} // namespace ic::net
