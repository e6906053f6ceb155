#pragma once
/// The bytes below HTTP: a TCP socket, with TLS or without. Inside this folder alone; only what is
/// made of Beast includes it.

#include "base/result.h"
#include "base/unique_fd.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_stream.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <sys/socket.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace ic::net {

/// A socket whose handlers run on the loop, without the dispatch of `any_io_executor`.
using WebTcp =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
/// Flat: header and payload of a frame are one record, not two.
using WebTls = boost::beast::flat_stream<boost::asio::ssl::stream<WebTcp>>;
using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// Trusts the system's certificates and those of the PEM file, if there is one.
/// Errors: unavailable.
Result<TlsContext> tls_for_dialling(const std::string& trusted_file);

struct TlsFiles {
    std::string certificate;
    std::string key;
};

/// Errors: unavailable.
Result<TlsContext> tls_for_listening(const TlsFiles& files);

/// "1.2.3.4:5" or "[::1]:5".
std::string text_of(const boost::asio::ip::tcp::endpoint& endpoint);

/// One stream type for both, so that what is made of Beast is compiled once.
class WebWire {
public:
    using executor_type = boost::asio::io_context::executor_type;

    explicit WebWire(WebTcp socket) : tcp_(std::make_unique<WebTcp>(std::move(socket))) {}

    WebWire(WebTcp socket, const TlsContext& context)
        : context_(context)
        , tls_(std::make_unique<WebTls>(std::move(socket), *context)) {}

    executor_type get_executor() noexcept { return socket().get_executor(); }

    WebTcp& socket() { return tls_ ? tls_->next_layer().next_layer() : *tcp_; }

    bool has_tls() const { return tls_ != nullptr; }

    SSL* tls() { return tls_->next_layer().native_handle(); }

    /// That another write follows at once: the kernel then waits for it to fill a segment.
    void expect_more(std::size_t messages) { flags_ = messages > 0 ? MSG_MORE : 0; }

    /// Closes instead of reading more often, until it is told another number.
    void bound_reads(std::size_t count) { reads_left_ = count; }

    void do_not_bound_reads() { reads_left_ = std::numeric_limits<std::size_t>::max(); }

    bool has_read_all() const { return reads_left_ == 0; }

    void close() {
        boost::system::error_code ignored;
        socket().close(ignored);
    }

    template <class Handler>
    void handshake(boost::asio::ssl::stream_base::handshake_type as, Handler&& handler) {
        tls_->next_layer().async_handshake(as, std::forward<Handler>(handler));
    }

    template <class Buffers, class Handler>
    auto async_read_some(const Buffers& into, Handler&& handler) {
        if (reads_left_ == 0) {
            close(); // The read fails then.
        } else {
            --reads_left_;
        }
        return tls_ ? tls_->async_read_some(into, std::forward<Handler>(handler))
                    : tcp_->async_read_some(into, std::forward<Handler>(handler));
    }

    template <class Buffers, class Handler>
    auto async_write_some(const Buffers& from, Handler&& handler) {
        return tls_ ? tls_->async_write_some(from, std::forward<Handler>(handler))
                    : tcp_->async_send(from, flags_, std::forward<Handler>(handler));
    }

private:
    TlsContext context_;
    std::unique_ptr<WebTcp> tcp_; // One of the two.
    std::unique_ptr<WebTls> tls_;
    int flags_ = 0;
    std::size_t reads_left_ = std::numeric_limits<std::size_t>::max();
};

// Found by Beast. After the close frames nothing is left to be said: the stream's owner closes.
template <class Handler>
void async_teardown(boost::beast::role_type /*role*/, WebWire& wire, Handler&& handler) {
    boost::system::error_code ignored;
    wire.socket().shutdown(boost::asio::socket_base::shutdown_send, ignored);
    boost::asio::post(wire.get_executor(),
                      boost::beast::bind_front_handler(std::forward<Handler>(handler),
                                                       boost::system::error_code{}));
}

inline void beast_close_socket(WebWire& wire) { wire.close(); }

} // namespace ic::net
