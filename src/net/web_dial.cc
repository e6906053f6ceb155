#include "base/unique_fd.h"
#include "net/web_connection.h"

#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket/error.hpp>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ic::net {
namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;

namespace {

// Of an answer, whose parser takes megabytes; each reads at most 64 KiB.
constexpr std::size_t answer_reads_max = 32;
constexpr std::size_t endpoints_max = 16; // Of one name; others are not tried.

// The macro for it casts as C does.
bool send_name(SSL* tls, std::string host) {
    return SSL_ctrl(tls, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1;
}

Result<void> demand_name(SSL* tls, const std::string& host) {
    X509_VERIFY_PARAM* const demanded = SSL_get0_param(tls);
    boost::system::error_code no_address;
    asio::ip::make_address(host, no_address);
    const bool done = no_address ? send_name(tls, host) &&
                                       X509_VERIFY_PARAM_set1_host(demanded, host.c_str(), 0) == 1
                                 : X509_VERIFY_PARAM_set1_ip_asc(demanded, host.c_str()) == 1;
    if (!done) {
        return Error{Errc::unavailable, "no certificate can be demanded for '" + host + "'"};
    }
    return {};
}

} // namespace

Result<std::unique_ptr<WebSocket>> WebSocket::dial(EventLoop& loop,
                                                   std::string_view url,
                                                   const WebSocketOptions& options,
                                                   WebSocketCallbacks callbacks) {
    WebUrl to = TRY(WebUrl::parse(url));
    TlsContext tls;
    if (to.scheme == WebUrl::Scheme::tls) {
        tls = TRY(tls_for_dialling(options.trusted_file));
    }
    try {
        auto connection =
            std::make_shared<Connection>(LoopContext::of(loop), options, to.authority());
        connection->dial(std::move(to), std::move(tls), std::move(callbacks));
        return std::make_unique<WebSocket>(std::move(connection));
    } catch (const std::exception& failure) { // Asio throws when a system has no more to give.
        return Error{Errc::unavailable, std::string("no connection: ") + failure.what()};
    }
}

void WebSocket::Connection::dial(WebUrl url, TlsContext tls, WebSocketCallbacks callbacks) {
    url_ = std::move(url);
    tls_ = std::move(tls);
    callbacks_ = std::make_shared<WebSocketCallbacks>(std::move(callbacks));
    state_ = State::connecting;
    connect_until_ = now_since_boot() + options_.connect_time_max;
    resolver_.emplace(context_->get_executor());
    post(&Connection::resolve);
}

void WebSocket::Connection::resolve() {
    if (!is(State::connecting)) {
        return;
    }
    ErrorCode no_address;
    const asio::ip::address address = asio::ip::make_address(url_.host, no_address);
    if (!no_address) {
        endpoints_.emplace_back(address, url_.port);
        try_next_endpoint();
        return;
    }
    arm(connect_until_ - now_since_boot(), &Connection::connect_timed_out);
    try {
        resolve_name();
    } catch (const std::exception& failure) { // Asio throws when it gets no thread for it.
        finish("the name '" + url_.host + "': " + failure.what());
    }
}

void WebSocket::Connection::resolve_name() {
    resolver_->async_resolve(
        url_.host,
        std::to_string(url_.port),
        asio::ip::resolver_base::numeric_service,
        [self = shared_from_this()](const ErrorCode& failure, const auto& found) {
            if (!self->is(State::connecting)) {
                return;
            }
            if (failure) {
                self->finish("the name '" + self->url_.host + "': " + failure.message());
                return;
            }
            for (const auto& one : found) {
                if (self->endpoints_.size() < endpoints_max) {
                    self->endpoints_.push_back(one.endpoint());
                }
            }
            std::ranges::reverse(self->endpoints_);
            self->try_next_endpoint();
        });
}

// Each may take its share of the time that is left, so that one which does not answer leaves some
// to the others.
void WebSocket::Connection::try_next_endpoint() {
    if (endpoints_.empty()) {
        finish("cannot connect: " + last_failure_);
        return;
    }
    const auto share =
        (connect_until_ - now_since_boot()) / static_cast<std::int64_t>(endpoints_.size());
    const Endpoint to = endpoints_.back();
    endpoints_.pop_back();
    UniqueFd fd(::socket(to.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    connecting_ = std::make_shared<WebTcp>(context_->get_executor());
    ErrorCode failure(errno, boost::system::system_category());
    if (fd) {
        connecting_->assign(to.protocol(), fd.get(), failure);
    }
    if (failure || !fd) {
        finish("no socket: " + failure.message());
        return;
    }
    static_cast<void>(fd.release());
    arm(share, &Connection::connect_timed_out);
    connecting_->async_connect(
        to, [self = shared_from_this(), attempt = ++attempt_](const ErrorCode& refused) {
            if (!self->is(State::connecting) || attempt != self->attempt_) {
                return;
            }
            if (refused) {
                self->last_failure_ = refused.message();
                self->try_next_endpoint();
                return;
            }
            self->connected(std::move(*std::exchange(self->connecting_, nullptr)));
        });
}

void WebSocket::Connection::connect_timed_out() {
    ++attempt_; // Its handler comes too late.
    connecting_.reset();
    last_failure_ = "no answer in time";
    try_next_endpoint();
}

void WebSocket::Connection::connected(WebTcp socket) {
    try {
        set_up(tls_ ? WebWire(std::move(socket), tls_) : WebWire(std::move(socket)));
    } catch (const std::exception& failure) { // OpenSSL has no memory.
        finish(std::string("TLS: ") + failure.what());
        return;
    }
    if (!tls_) {
        ask_for_upgrade();
        return;
    }
    if (const Result<void> named = demand_name(stream_->next_layer().tls(), url_.host); !named) {
        finish(named.error().message);
        return;
    }
    stream_->next_layer().handshake(asio::ssl::stream_base::client,
                                    [self = shared_from_this()](const ErrorCode& failure) {
                                        if (!self->is(State::opening)) {
                                            return;
                                        }
                                        if (failure) {
                                            self->finish("TLS: " + self->text_of_failure(failure));
                                            return;
                                        }
                                        self->ask_for_upgrade();
                                    });
}

void WebSocket::Connection::ask_for_upgrade() {
    stream_->next_layer().bound_reads(answer_reads_max);
    stream_->set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
        request.set(boost::beast::http::field::user_agent, "ipfs-compute");
        if (!options_.subprotocol.empty()) {
            request.set(boost::beast::http::field::sec_websocket_protocol, options_.subprotocol);
        }
    }));
    stream_->async_handshake(
        answer_,
        url_.authority(),
        url_.target,
        [self = shared_from_this()](const ErrorCode& failure) { self->answered(failure); });
}

void WebSocket::Connection::answered(const ErrorCode& failure) {
    if (!is(State::opening)) {
        return;
    }
    if (failure == websocket::error::upgrade_declined) {
        constexpr std::size_t shown_bytes_max = 200;
        std::string why = "it answered " + std::to_string(answer_.result_int()) + " " +
                          std::string(answer_.reason()) + ": " +
                          answer_.body().substr(0, shown_bytes_max);
        std::ranges::replace_if(why, [](char c) { return c < ' ' || c > '~'; }, ' ');
        finish(why.substr(0, why.find_last_not_of(' ') + 1));
        return;
    }
    if (failure && stream_->next_layer().has_read_all()) {
        finish("its answer is too long");
        return;
    }
    if (failure) {
        finish("no WebSocket: " + text_of_failure(failure));
        return;
    }
    const auto spoken = answer_[boost::beast::http::field::sec_websocket_protocol];
    if (!options_.subprotocol.empty() && spoken != options_.subprotocol) {
        finish("it does not speak '" + options_.subprotocol + "'");
        return;
    }
    answer_ = {};
    stream_->next_layer().do_not_bound_reads();
    opened();
}

} // namespace ic::net
