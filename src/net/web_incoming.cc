#include "net/web_listener.h"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <algorithm>
#include <utility>

namespace ic::net {
namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr std::chrono::milliseconds answer_time_max{60'000}; // To the last byte of its body.
// After the last answer, so that what the peer still sends does not destroy it on its way.
constexpr std::chrono::milliseconds linger_time_max{1'000};
constexpr std::size_t linger_bytes_max = 256U << 10U;

WebAnswer text_answer(std::uint16_t status, const std::string& text) {
    return {.status = status, .body = LentBytes::of(copy_of(bytes_of(text + "\n")))};
}

} // namespace

WebIncoming::WebIncoming(std::shared_ptr<WebSocketListener::State> listener,
                         WebWire wire,
                         std::shared_ptr<WebPlace> place,
                         std::string remote)
    : LoopGuest(listener->context())
    , listener_(std::move(listener))
    , wire_(std::move(wire))
    , place_(std::move(place))
    , remote_(std::move(remote)) {
    timer_.emplace(listener_->context().get_executor());
    listener_->incoming_.insert(this);
}

WebIncoming::~WebIncoming() { listener_->incoming_.erase(this); }

void WebIncoming::leave() noexcept {
    wire_.reset();
    timer_.reset();
}

void WebIncoming::close() {
    if (wire_) {
        wire_->close(); // What is under way fails, and lets go of it.
    }
    timer_->cancel();
}

void WebIncoming::arm(std::chrono::nanoseconds delay) {
    timer_->expires_after(delay);
    timer_->async_wait([self = shared_from_this()](const ErrorCode& failure) {
        if (!failure && self->timer_->expiry() <= std::chrono::steady_clock::now()) {
            self->close();
        }
    });
}

void WebIncoming::begin() {
    arm(listener_->options().socket.handshake_time_max);
    if (!wire_->has_tls()) {
        read_head();
        return;
    }
    wire_->handshake(asio::ssl::stream_base::server,
                     [self = shared_from_this()](const ErrorCode& failure) {
                         if (failure) {
                             self->close();
                         } else {
                             self->read_head();
                         }
                     });
}

// The parser's own limit is one of each line that comes alone: the whole head is parsed at once.
void WebIncoming::read_head() {
    asio::async_read_until(*wire_,
                           asio::dynamic_buffer(incoming_, limits::web_head_bytes_max),
                           "\r\n\r\n",
                           [self = shared_from_this()](const ErrorCode& failure, std::size_t size) {
                               self->have_head(failure, size);
                           });
}

void WebIncoming::have_head(const ErrorCode& failure, std::size_t size) {
    if (failure == asio::error::not_found) {
        answer({text_answer(431,
                            "the request's head has more than " +
                                std::to_string(limits::web_head_bytes_max) + " bytes")},
               After::close);
        return;
    }
    if (failure || !listener_->callbacks()) {
        close();
        return;
    }
    parser_.emplace();
    parser_->eager(true); // Past the first line.
    ErrorCode malformed;
    parser_->put(asio::buffer(incoming_.data(), size), malformed);
    incoming_.erase(0, size);
    if (malformed) {
        answer({text_answer(400, "this is no HTTP request: " + malformed.message())}, After::close);
        return;
    }
    const WebRequest& request = parser_->get();
    only_head_ = request.method() == http::verb::head;
    if (!parser_->is_done()) {
        answer({text_answer(400, "a request with a body is not taken here")}, After::close);
    } else if (boost::beast::websocket::is_upgrade(request)) {
        if (std::optional<Answer> refusal = refusal_of_upgrade(request)) {
            answer(std::move(*refusal), After::close);
        } else {
            upgrade(request);
        }
    } else {
        const bool more = request.keep_alive() && ++requests_ < limits::web_requests_max;
        answer(answer_to(request), more ? After::next_request : After::close);
    }
}

bool WebIncoming::is_our_path(std::string_view target) const {
    return target.substr(0, target.find('?')) == listener_->options().path;
}

std::optional<WebIncoming::Answer>
WebIncoming::refusal_of_upgrade(const WebRequest& request) const {
    const std::string& spoken = listener_->options().socket.subprotocol;
    if (!listener_->callbacks()->on_accept ||
        !is_our_path({request.target().data(), request.target().size()})) {
        return Answer{text_answer(404, "there is no WebSocket at this path")};
    }
    http::token_list offered{request[http::field::sec_websocket_protocol]};
    if (!spoken.empty() && !offered.exists(spoken)) {
        return Answer{text_answer(400, "Sec-WebSocket-Protocol does not name '" + spoken + "'")};
    }
    if (!incoming_.empty()) {
        return Answer{text_answer(400, "more came before the upgrade was answered")};
    }
    return std::nullopt;
}

WebIncoming::Answer WebIncoming::answer_to(const WebRequest& request) const {
    const std::string_view method{request.method_string().data(), request.method_string().size()};
    const std::string_view target{request.target().data(), request.target().size()};
    if (method != "GET" && method != "HEAD") {
        return {text_answer(405, "only GET and HEAD are answered here"), "Allow: GET, HEAD\r\n"};
    }
    if (const auto callbacks = listener_->callbacks(); callbacks->on_request) {
        return {callbacks->on_request(method, target)};
    }
    if (!is_our_path(target)) {
        return {text_answer(404, "there is nothing at this path")};
    }
    return {text_answer(426, "this path is for WebSockets"), "Upgrade: websocket\r\n"};
}

void WebIncoming::upgrade(const WebRequest& request) {
    timer_->cancel();
    auto connection = std::make_shared<WebSocket::Connection>(
        listener_->context(), listener_->options().socket, remote_);
    connection->accept(std::move(*std::exchange(wire_, std::nullopt)),
                       request,
                       place_,
                       // Not the connection itself, which keeps this.
                       [listener = listener_,
                        place = std::weak_ptr<WebPlace>(place_),
                        accepted = std::weak_ptr<WebSocket::Connection>(connection)] {
                           const auto connected = accepted.lock();
                           const auto held = place.lock();
                           if (!connected || !held) {
                               return;
                           }
                           held->upgraded();
                           auto socket = std::make_unique<WebSocket>(connected);
                           if (const auto callbacks = listener->callbacks();
                               callbacks && callbacks->on_accept) {
                               callbacks->on_accept(std::move(socket));
                           }
                       });
}

void WebIncoming::answer(Answer answer, After after) {
    if (!listener_->callbacks()) { // The request's handler destroyed the listener.
        close();
        return;
    }
    body_ = answer.what.body;
    const auto reason = http::obsolete_reason(http::int_to_status(answer.what.status));
    head_ = "HTTP/1.1 " + std::to_string(answer.what.status) + " " +
            std::string(reason.data(), reason.size()) +
            "\r\nContent-Type: " + answer.what.content_type +
            "\r\nContent-Length: " + std::to_string(body_.size()) + "\r\n" + answer.headers +
            "Connection: " + (after == After::close ? "close" : "keep-alive") + "\r\n\r\n";
    if (only_head_) {
        body_ = {};
    }
    arm(answer_time_max);
    asio::async_write(
        *wire_,
        std::array<asio::const_buffer, 2>{asio::buffer(head_),
                                          asio::buffer(body_.view().data(), body_.view().size())},
        [self = shared_from_this(), after](const ErrorCode& failure, std::size_t) {
            self->answered(failure, after);
        });
}

void WebIncoming::answered(const ErrorCode& failure, After after) {
    body_ = {};
    if (failure || !listener_->callbacks()) {
        close();
        return;
    }
    if (after == After::next_request) {
        arm(listener_->options().socket.handshake_time_max);
        read_head();
        return;
    }
    ErrorCode ignored;
    wire_->socket().shutdown(asio::socket_base::shutdown_send, ignored);
    arm(linger_time_max);
    linger();
}

void WebIncoming::linger() {
    wire_->socket().async_read_some(
        asio::buffer(rest_),
        [self = shared_from_this()](const ErrorCode& failure, std::size_t got) {
            self->lingered_bytes_ += got;
            if (failure || self->lingered_bytes_ > linger_bytes_max) {
                self->close();
            } else {
                self->linger();
            }
        });
}

} // namespace ic::net
