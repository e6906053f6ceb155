#include "net/http_date.h"
#include "net/web_head.h"
#include "net/web_listener.h"

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace ic::net {
namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr std::chrono::milliseconds answer_time_max{60'000}; // To the last byte of its body.
// After the last answer, so that what the peer still sends does not destroy it on its way.
constexpr std::chrono::milliseconds linger_time_max{1'000};
constexpr std::size_t linger_bytes_max = 256U << 10U;

WebAnswer text_answer(std::uint16_t status, std::string_view text) {
    return {.status = status, .body = LentBytes::of(copy_of(bytes_of(std::string(text) + "\n")))};
}

/// RFC 9110, sections 15.3.5 and 15.4.5.
bool may_have_body(std::uint16_t status) { return status != 204 && status != 304; }

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
    body_input_.reset();
    wire_.reset();
    timer_.reset();
}

void WebIncoming::close() {
    gone_ = true;
    if (wire_) {
        wire_->close(); // What is under way fails, and lets go of it.
        disarm();
    }
}

void WebIncoming::arm(std::chrono::nanoseconds delay) {
    timer_->expires_after(delay);
    timer_->async_wait([self = shared_from_this()](const ErrorCode& failure) {
        if (!failure && self->timer_->expiry() <= std::chrono::steady_clock::now()) {
            self->close();
        }
    });
}

/// Also one that is due: its handler may wait behind the one that runs.
void WebIncoming::disarm() { timer_->expires_at(WebTimer::time_point::max()); }

void WebIncoming::post(std::function<void()> call) {
    if (wire_) { // Nothing is called once the loop has gone.
        asio::post(wire_->get_executor(),
                   [self = shared_from_this(), call = std::move(call)] { self->guarded(call); });
    }
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
        refuse(431,
               "the request's head has more than " + std::to_string(limits::web_head_bytes_max) +
                   " bytes");
        return;
    }
    if (failure || !listener_->callbacks()) {
        close();
        return;
    }
    const std::string_view head = std::string_view(incoming_).substr(0, size);
    if (const std::optional<WebRefusal> refusal = refusal_of_head(head)) {
        refuse(refusal->status, refusal->why);
        return;
    }
    parser_.emplace();
    parser_->header_limit(limits::web_head_bytes_max);
    parser_->eager(true);             // Past the first line.
    parser_->body_limit(boost::none); // `read` counts.
    ErrorCode malformed;
    parser_->put(asio::buffer(head.data(), head.size()), malformed);
    incoming_.erase(0, size);
    if (malformed && malformed != http::error::need_buffer) {
        refuse(400, "this is no HTTP request: " + malformed.message());
        return;
    }
    const Request& request = parser_->get();
    if (boost::beast::websocket::is_upgrade(request)) {
        if (std::optional<WebAnswer> refusal = refusal_of_upgrade()) {
            send(std::move(*refusal), After::close);
        } else {
            upgrade();
        }
    } else if (listener_->callbacks()->on_exchange) {
        hand_out();
    } else {
        send(answer_of_our_own(), after_this());
    }
}

bool WebIncoming::is_our_path(std::string_view target) const {
    return target.substr(0, target.find('?')) == listener_->options().path;
}

std::optional<WebAnswer> WebIncoming::refusal_of_upgrade() const {
    const Request& request = parser_->get();
    const std::string& spoken = listener_->options().socket.subprotocol;
    if (!listener_->callbacks()->on_accept || !is_our_path(view_of(request.target()))) {
        return text_answer(404, "there is no WebSocket at this path");
    }
    http::token_list offered{request[http::field::sec_websocket_protocol]};
    if (!spoken.empty() && !offered.exists(spoken)) {
        return text_answer(400, "Sec-WebSocket-Protocol does not name '" + spoken + "'");
    }
    if (!incoming_.empty() || !parser_->is_done()) {
        return text_answer(400, "more came before the upgrade was answered");
    }
    return std::nullopt;
}

WebAnswer WebIncoming::answer_of_our_own() const {
    if (!is_our_path(view_of(parser_->get().target()))) {
        return text_answer(404, "there is nothing at this path");
    }
    WebAnswer answer = text_answer(426, "this path is for WebSockets");
    answer.headers.push_back({.name = "Upgrade", .value = "websocket"});
    return answer;
}

void WebIncoming::upgrade() {
    disarm();
    const WebRequest request(WebRequest::header_type(parser_->get().base()));
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

void WebIncoming::refuse(std::uint16_t status, std::string_view why) {
    parser_.reset(); // Whatever it asked for, it gets a whole answer.
    send(text_answer(status, why), After::close);
}

// What was not read of a body would be taken for the next request.
WebIncoming::After WebIncoming::after_this() {
    const bool more = parser_->get().keep_alive() && parser_->is_done() && !read_then_ &&
                      ++requests_ < limits::web_requests_max;
    return more ? After::next_request : After::close;
}

std::string WebIncoming::head_of(std::uint16_t status,
                                 const std::vector<WebHeader>& headers,
                                 After after) const {
    const auto reason = http::obsolete_reason(http::int_to_status(status));
    std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
    head.append(reason.data(), reason.size()).append("\r\nDate: ");
    head.append(http_date(now_unix())).append("\r\n"); // RFC 9110, section 6.6.1.
    for (const WebHeader& header : headers) {
        if (is_fit(header)) {
            head.append(header.name).append(": ").append(header.value).append("\r\n");
        }
    }
    return head.append(after == After::close ? "Connection: close\r\n\r\n"
                                             : "Connection: keep-alive\r\n\r\n");
}

void WebIncoming::send(WebAnswer answer, After after) {
    phase_ = Phase::answered;
    if (!wire_ || gone_ ||
        !listener_->callbacks()) { // Its handler may have destroyed the listener.
        close();
        return;
    }
    body_ = std::move(answer.body);
    std::vector<WebHeader> headers;
    headers.reserve(answer.headers.size() + 2);
    if (!answer.content_type.empty() && may_have_body(answer.status)) {
        headers.push_back({.name = "Content-Type", .value = std::move(answer.content_type)});
    }
    if (may_have_body(answer.status)) {
        headers.push_back({.name = "Content-Length", .value = std::to_string(body_.size())});
    } else {
        body_ = {};
    }
    std::ranges::move(answer.headers, std::back_inserter(headers));
    head_ = head_of(answer.status, headers, after);
    if (parser_ && parser_->get().method() == http::verb::head) {
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
    head_.clear();
    if (failure || !listener_->callbacks()) {
        close();
        return;
    }
    if (after == After::next_request) {
        arm(listener_->options().idle_time_max);
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
