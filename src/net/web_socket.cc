#include "net/web_connection.h"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/websocket/error.hpp>

#include <algorithm>
#include <utility>

namespace ic::net {
namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;

namespace {

// Kept from one message to the next; more goes with the message that needed it.
constexpr std::size_t kept_buffer_bytes = 16U << 10U;
// Of a client, which has to mask a copy of what it sends.
constexpr std::size_t mask_buffer_bytes = 16U << 10U;
// What a message costs beside its bytes, so that empty ones are bounded too.
constexpr std::size_t message_cost_bytes = 64;

std::string text_of_seconds(std::chrono::milliseconds time) {
    return time.count() % 1'000 == 0 ? std::to_string(time.count() / 1'000) + " s"
                                     : std::to_string(time.count()) + " ms";
}

// What the other side wrote, fit for a log line.
std::string printable(std::string_view text) {
    std::string clean{text};
    std::ranges::replace_if(clean, [](char c) { return c < ' ' || c > '~'; }, '?');
    return clean;
}

} // namespace

WebSocket::Connection::Connection(asio::io_context& context,
                                  WebSocketOptions options,
                                  std::string remote)
    : LoopGuest(context)
    , context_(&context)
    , options_(std::move(options))
    , remote_(std::move(remote))
    , incoming_(options_.message_bytes_max + kept_buffer_bytes) {
    timer_.emplace(context.get_executor());
}

void WebSocket::Connection::leave() noexcept {
    context_ = nullptr;
    state_ = State::closed;
    timer_.reset();
    resolver_.reset();
    connecting_.reset();
    stream_.reset();
    callbacks_.reset();
}

void WebSocket::Connection::post(void (Connection::*then)()) {
    asio::post(context_->get_executor(),
               [self = shared_from_this(), then] { (self.get()->*then)(); });
}

void WebSocket::Connection::arm(std::chrono::nanoseconds delay, void (Connection::*then)()) {
    timer_->expires_after(delay);
    timer_->async_wait(
        [self = shared_from_this(), number = ++timer_number_, then](const ErrorCode& failure) {
            // One that was due when another took its place is not told so by `failure`.
            if (!failure && number == self->timer_number_) {
                (self.get()->*then)();
            }
        });
}

// Is called when the upgrade is there, by one side or the other.
void WebSocket::Connection::set_up(WebWire wire) {
    ErrorCode ignored;
    wire.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    stream_.emplace(std::move(wire));
    stream_->binary(true);
    stream_->auto_fragment(false);
    stream_->write_buffer_bytes(mask_buffer_bytes);
    stream_->read_message_max(options_.message_bytes_max);
    stream_->control_callback(
        [this](websocket::frame_type, boost::beast::string_view) { heard_ = now_since_boot(); });
    state_ = State::opening;
    arm(options_.handshake_time_max, &Connection::handshake_timed_out);
}

void WebSocket::Connection::handshake_timed_out() {
    finish("no handshake within " + text_of_seconds(options_.handshake_time_max));
}

void WebSocket::Connection::accept(WebWire wire,
                                   const WebRequest& request,
                                   std::shared_ptr<void> place,
                                   std::function<void()> accepted) {
    place_ = std::move(place);
    set_up(std::move(wire));
    stream_->set_option(websocket::stream_base::decorator([this](
                                                              websocket::response_type& response) {
        if (!options_.subprotocol.empty()) {
            response.set(boost::beast::http::field::sec_websocket_protocol, options_.subprotocol);
        }
        response.erase(boost::beast::http::field::server);
    }));
    stream_->async_accept(
        request,
        [self = shared_from_this(), accepted = std::move(accepted)](const ErrorCode& failure) {
            if (!self->is(State::opening)) {
                return;
            }
            if (failure) {
                self->finish(failure.message());
                return;
            }
            ++self->timer_number_;
            self->timer_->cancel();
            self->state_ = State::waiting;
            accepted();
        });
}

void WebSocket::Connection::start(WebSocketCallbacks callbacks) {
    if (has_left()) {
        return;
    }
    callbacks_ = std::make_shared<WebSocketCallbacks>(std::move(callbacks));
    if (is(State::waiting)) {
        post(&Connection::opened);
    } else if (is(State::closed)) {
        post(&Connection::report);
    }
}

void WebSocket::Connection::opened() {
    if (!is(State::opening) && !is(State::waiting)) {
        return; // Closed meanwhile.
    }
    state_ = State::open;
    heard_ = now_since_boot();
    tick();
    read();
    write();
    if (const auto callbacks = callbacks_; callbacks && callbacks->on_open) {
        callbacks->on_open();
    }
}

void WebSocket::Connection::read() {
    stream_->async_read_some(incoming_,
                             0, // As many as it likes.
                             [self = shared_from_this()](const ErrorCode& failure, std::size_t) {
                                 self->have_read(failure);
                             });
}

void WebSocket::Connection::have_read(const ErrorCode& failure) {
    if (!is(State::open) && !is(State::closing)) {
        return;
    }
    if (failure) {
        finish(is(State::closing) ? text_of_goodbye() : text_of_failure(failure));
        return;
    }
    heard_ = now_since_boot();
    if (stream_->got_text()) {
        if (is(State::open)) {
            goodbye_ = "a text message came; only binary ones may";
            state_ = State::closing;
            arm(options_.close_time_max, &Connection::close_timed_out);
            say_goodbye();
        }
        incoming_.clear();
    } else if (stream_->is_message_done()) {
        deliver();
    }
    if (is(State::open) || is(State::closing)) {
        read();
    }
}

void WebSocket::Connection::deliver() {
    if (const auto callbacks = callbacks_; is(State::open) && callbacks && callbacks->on_message) {
        const auto data = incoming_.cdata();
        callbacks->on_message({static_cast<const std::uint8_t*>(data.data()), data.size()});
    }
    incoming_.clear();
    if (incoming_.capacity() > kept_buffer_bytes) {
        incoming_.shrink_to_fit();
    }
}

void WebSocket::Connection::send(Bytes message) {
    if (is(State::closing) || is(State::closed)) {
        return;
    }
    if (message.size() > options_.message_bytes_max) {
        finish("a message of " + std::to_string(message.size()) + " bytes was to be sent; " +
               std::to_string(options_.message_bytes_max) + " are allowed");
        return;
    }
    const std::size_t cost = message.size() + message_cost_bytes;
    if (cost > options_.queue_bytes_max - queued_) {
        finish("it takes messages too slowly: more than " +
               std::to_string(options_.queue_bytes_max) + " bytes wait to be sent");
        return;
    }
    queued_ += cost;
    queue_.push_back(std::move(message));
    if (is(State::open)) {
        write();
    }
}

void WebSocket::Connection::write() {
    if (writing_ || queue_.empty()) {
        return;
    }
    writing_ = true;
    stream_->next_layer().expect_more(queue_.size() - 1);
    stream_->async_write(asio::buffer(queue_.front()),
                         [self = shared_from_this()](const ErrorCode& failure, std::size_t) {
                             self->written(failure);
                         });
}

void WebSocket::Connection::written(const ErrorCode& failure) {
    writing_ = false;
    if (!queue_.empty()) {
        queued_ -= queue_.front().size() + message_cost_bytes;
        queue_.pop_front();
    }
    if (!is(State::open) && !is(State::closing)) {
        return;
    }
    if (failure) {
        // What the other side said before it went is still to be read, and says more.
        if (failure == asio::error::operation_aborted) {
            return;
        }
        finish(is(State::closing) ? text_of_goodbye() : text_of_failure(failure));
        return;
    }
    if (!queue_.empty()) {
        write();
    } else if (is(State::closing)) {
        say_goodbye();
    }
}

void WebSocket::Connection::tick() {
    const std::chrono::nanoseconds quiet = now_since_boot() - heard_;
    if (quiet >= options_.silence_max) {
        finish("nothing was heard for " + text_of_seconds(options_.silence_max));
        return;
    }
    if (quiet > std::chrono::nanoseconds{0} && !pinging_) {
        ping();
    }
    arm(std::min<std::chrono::nanoseconds>(options_.ping_every, options_.silence_max - quiet),
        &Connection::tick);
}

void WebSocket::Connection::ping() {
    pinging_ = true;
    stream_->async_ping({}, [self = shared_from_this()](const ErrorCode&) {
        self->pinging_ = false; // A failure is what reading will meet.
    });
}

void WebSocket::Connection::close(std::string_view reason) {
    if (has_left() || is(State::closing) || is(State::closed)) {
        return;
    }
    goodbye_ = printable(reason.substr(0, websocket::reason_string{}.max_size()));
    if (!is(State::open)) {
        finish(text_of_goodbye());
        return;
    }
    state_ = State::closing;
    arm(options_.close_time_max, &Connection::close_timed_out);
    if (!writing_) {
        say_goodbye();
    }
}

void WebSocket::Connection::say_goodbye() {
    if (std::exchange(said_goodbye_, true)) {
        return;
    }
    const auto code =
        stream_->got_text() ? websocket::close_code::unknown_data : websocket::close_code::normal;
    stream_->async_close({code, goodbye_}, [self = shared_from_this()](const ErrorCode&) {
        self->close_timed_out(); // Or rather: in time.
    });
}

std::string WebSocket::Connection::text_of_goodbye() const {
    return goodbye_.empty() ? "closed here" : goodbye_;
}

void WebSocket::Connection::close_timed_out() {
    if (is(State::closing)) {
        finish(text_of_goodbye());
    }
}

void WebSocket::Connection::abandon() {
    callbacks_.reset();
    if (!has_left()) {
        finish("its owner has gone");
    }
}

// Its handlers are called with failures from now on, and find it closed.
void WebSocket::Connection::finish(std::string why) {
    if (is(State::closed)) {
        return;
    }
    state_ = State::closed;
    why_ = std::move(why);
    ++timer_number_;
    timer_->cancel();
    if (resolver_) {
        resolver_->cancel();
    }
    connecting_.reset();
    if (stream_) {
        stream_->next_layer().close();
    }
    if (!writing_) {
        queue_.clear();
    } else {
        queue_.erase(queue_.begin() + 1, queue_.end()); // The first is being read by the write.
    }
    place_.reset();
    if (callbacks_) {
        post(&Connection::report);
    }
}

void WebSocket::Connection::report() {
    if (const auto callbacks = std::exchange(callbacks_, nullptr);
        callbacks && callbacks->on_closed) {
        callbacks->on_closed(why_);
    }
}

std::string WebSocket::Connection::text_of_failure(const ErrorCode& failure) {
    if (failure == websocket::error::closed) {
        const std::string reason = printable(stream_->reason().reason.c_str());
        return reason.empty() ? "the other side closed" : "the other side closed: " + reason;
    }
    if (failure == asio::error::eof || failure == asio::ssl::error::stream_truncated) {
        return "the other side went away";
    }
    if (failure == websocket::error::message_too_big ||
        failure == websocket::error::buffer_overflow) {
        return "a message of more than " + std::to_string(options_.message_bytes_max) +
               " bytes came";
    }
    if (tls_ && stream_ && is(State::opening)) {
        const long verdict = SSL_get_verify_result(stream_->next_layer().tls());
        if (verdict != X509_V_OK) {
            return std::string("its certificate is not trusted: ") +
                   X509_verify_cert_error_string(verdict);
        }
    }
    return failure.message();
}

WebSocket::WebSocket(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

WebSocket::~WebSocket() { connection_->abandon(); }

void WebSocket::start(WebSocketCallbacks callbacks) { connection_->start(std::move(callbacks)); }

void WebSocket::send(Bytes message) { connection_->send(std::move(message)); }

void WebSocket::close(std::string_view reason) { connection_->close(reason); }

std::size_t WebSocket::queued_bytes() const { return connection_->queued_bytes(); }

std::string WebSocket::remote() const { return connection_->remote(); }

} // namespace ic::net
