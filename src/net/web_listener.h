#pragma once
/// The inside of WebSocketListener: who is let in, and one request after the other. Inside this
/// folder alone; only what is made of Beast includes it.

#include "net/address.h"
#include "net/web_connection.h"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/beast/http/parser.hpp>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace ic::net {

class WebIncoming;

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

/// A connection that is not upgraded, and perhaps never will be: kept by what is under way.
class WebIncoming final : public LoopGuest, public std::enable_shared_from_this<WebIncoming> {
public:
    WebIncoming(std::shared_ptr<WebSocketListener::State> listener,
                WebWire wire,
                std::shared_ptr<WebPlace> place,
                std::string remote);
    ~WebIncoming() override;

    void begin();
    void close();
    void leave() noexcept override;

private:
    using ErrorCode = boost::system::error_code;

    struct Answer {
        WebAnswer what;
        std::string headers{}; ///< Lines, each ended.
    };

    enum class After : std::uint8_t { close, next_request };

    void arm(std::chrono::nanoseconds delay);
    void read_head();
    void have_head(const ErrorCode& failure, std::size_t size);
    Answer answer_to(const WebRequest& request) const;
    std::optional<Answer> refusal_of_upgrade(const WebRequest& request) const;
    bool is_our_path(std::string_view target) const;
    void upgrade(const WebRequest& request);
    void answer(Answer answer, After after);
    void answered(const ErrorCode& failure, After after);
    void linger();

    std::shared_ptr<WebSocketListener::State> listener_;
    std::optional<WebWire> wire_; // None once it is upgraded, or the loop has gone.
    std::optional<WebTimer> timer_;
    std::shared_ptr<WebPlace> place_;
    const std::string remote_;
    std::string incoming_; // At most `limits::web_head_bytes_max`.
    std::optional<boost::beast::http::request_parser<boost::beast::http::empty_body>> parser_;
    std::size_t requests_ = 0;
    bool only_head_ = false; // The request is HEAD.
    std::string head_;
    LentBytes body_;
    std::size_t lingered_bytes_ = 0;
    std::array<char, 1024> rest_{};
};

} // namespace ic::net
