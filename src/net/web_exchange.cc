#include "net/web_exchange.h"

#include "net/http_target.h"
#include "net/web_listener.h"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <utility>

namespace ic::net {
namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n"; // RFC 9110, 10.1.1.
constexpr std::string_view last_chunk = "0\r\n\r\n";                        // RFC 9112, 7.1.

const Error client_is_gone{Errc::unavailable, "the client is gone, or too slow"};

asio::const_buffer buffer_of(std::string_view text) { return {text.data(), text.size()}; }

std::string hexadecimal(std::size_t size) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    do {
        text.insert(text.begin(), digits[size % 16]);
        size /= 16;
    } while (size != 0);
    return text;
}

} // namespace

bool is_fit(const WebHeader& header) {
    return is_token(header.name) && std::ranges::none_of(header.value, [](char letter) {
               const auto byte = static_cast<unsigned char>(letter);
               return (byte < 0x20 && letter != '\t') || byte == 0x7f;
           });
}

// The connection's part.

void WebIncoming::hand_out() {
    disarm();
    phase_ = Phase::waiting;
    ++number_;
    body_bytes_max_ = 0;
    body_bytes_read_ = 0;
    body_time_ = {};
    const Request& request = parser_->get();
    continued_ = request.version() < 11 ||
                 lower(view_of(request[http::field::expect])) != "100-continue" ||
                 !incoming_.empty();
    if (!parser_->is_done()) {
        body_input_.emplace(incoming_, limits::web_head_bytes_max);
    }
    guarded([this] {
        const auto callbacks = listener_->callbacks(); // It may destroy the listener.
        callbacks->on_exchange(std::make_unique<WebExchange>(shared_from_this()));
    });
}

/// The edge at which exceptions of handlers are caught.
void WebIncoming::guarded(const std::function<void()>& call) {
    try {
        call();
    } catch (const std::exception&) {
        abandon();
    }
}

void WebIncoming::abandon() {
    gone_call_ = nullptr;
    if (phase_ == Phase::waiting) {
        answer({.status = 500, .body = LentBytes::of(copy_of(bytes_of("no answer was found\n")))});
    } else if (phase_ == Phase::streaming) {
        phase_ = Phase::answered;
        close();
    }
}

std::optional<std::uint64_t> WebIncoming::body_bytes() const {
    if (parser_->get().chunked()) {
        return std::nullopt;
    }
    const auto length = parser_->content_length();
    return length ? *length : 0;
}

void WebIncoming::expect_body(std::uint64_t bytes_max) { body_bytes_max_ = bytes_max; }

void WebIncoming::read(std::function<void(Result<ByteView>)> then) {
    read_then_ = std::move(then);
    const std::optional<std::uint64_t> announced = body_bytes();
    if (announced && *announced > body_bytes_max_) {
        post([this] { give(Error{Errc::too_large, "the request's body is too long"}); });
    } else if (is_gone() || phase_ != Phase::waiting) {
        post([this] { give(client_is_gone); });
    } else if (parser_->is_done()) {
        post([this] { give(ByteView{}); });
    } else {
        go_on_reading();
    }
}

/// Tells a client that waits for it to send its body.
void WebIncoming::go_on_reading() {
    reading_ = true;
    read_since_ = now_since_boot();
    const WebListenerOptions& options = listener_->options();
    const auto earned = std::chrono::seconds(
        body_bytes_read_ / std::max<std::uint64_t>(1, options.body_bytes_a_second_min));
    arm(options.body_time_max + earned - body_time_);
    if (std::exchange(continued_, true)) {
        read_some();
        return;
    }
    asio::async_write(*wire_,
                      buffer_of(continue_line),
                      [self = shared_from_this()](const ErrorCode& failure, std::size_t) {
                          if (failure || self->after_reading_) {
                              self->have_piece(failure);
                          } else {
                              self->read_some();
                          }
                      });
}

/// False: an answer came meanwhile, and is sent now.
bool WebIncoming::has_read() {
    reading_ = false;
    if (const auto answer = std::exchange(after_reading_, nullptr)) {
        answer();
        return false;
    }
    return true;
}

void WebIncoming::read_some() {
    if (!piece_) {
        piece_ = std::make_unique_for_overwrite<std::uint8_t[]>(limits::web_body_piece_bytes_max);
    }
    parser_->get().body().data = piece_.get();
    parser_->get().body().size = limits::web_body_piece_bytes_max;
    parser_->get().body().more = true;
    http::async_read_some(*wire_,
                          *body_input_,
                          *parser_,
                          [self = shared_from_this()](const ErrorCode& failure, std::size_t) {
                              self->have_piece(failure == http::error::need_buffer ? ErrorCode{}
                                                                                   : failure);
                          });
}

void WebIncoming::have_piece(const ErrorCode& failure) {
    if (!has_read()) {
        return;
    }
    if (is_gone()) {
        give(client_is_gone);
        return;
    }
    if (failure) {
        const bool malformed = failure.category() == make_error_code(http::error{}).category() &&
                               failure != http::error::end_of_stream &&
                               failure != http::error::partial_message;
        if (malformed) {
            disarm(); // Until it is answered.
            give(Error{Errc::malformed, "the request's body is malformed: " + failure.message()});
            return;
        }
        close();
        give(client_is_gone);
        return;
    }
    const std::size_t got = limits::web_body_piece_bytes_max - parser_->get().body().size;
    if (got == 0 && !parser_->is_done()) { // A chunk's size alone.
        reading_ = true;
        read_some();
        return;
    }
    disarm();
    body_time_ += now_since_boot() - read_since_;
    body_bytes_read_ += got;
    if (body_bytes_read_ > body_bytes_max_) {
        give(Error{Errc::too_large, "the request's body is too long"});
    } else {
        give(ByteView{piece_.get(), got});
    }
}

void WebIncoming::give(Result<ByteView> piece) {
    if (auto then = std::exchange(read_then_, nullptr)) {
        guarded([&] { then(std::move(piece)); });
    }
}

void WebIncoming::on_gone(std::function<void()> call) {
    gone_call_ = std::move(call);
    if (wire_ && !gone_) {
        watch_for_the_end();
    }
}

// One that has sent more, a next request perhaps, is taken to be there.
void WebIncoming::watch_for_the_end() {
    wire_->socket().async_wait(
        asio::socket_base::wait_read,
        [self = shared_from_this(), number = number_](const ErrorCode& failure) {
            if (self->phase_ != Phase::waiting || self->number_ != number || !self->wire_) {
                return;
            }
            char next = 0;
            const ssize_t came =
                failure
                    ? 0
                    : ::recv(
                          self->wire_->socket().native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
            if (came > 0 || (came < 0 && errno == EAGAIN)) {
                return;
            }
            self->gone_ = true;
            if (const auto call = std::exchange(self->gone_call_, nullptr)) {
                self->guarded(call);
            }
        });
}

void WebIncoming::answer(WebAnswer answer) {
    if (phase_ != Phase::waiting) {
        return;
    }
    phase_ = Phase::answered;
    read_then_ = nullptr;
    if (!reading_) {
        send(std::move(answer), after_this());
        return;
    }
    // One reads and writes at a time; what is being read is the end of what is looked at.
    after_reading_ = [this, answer = std::move(answer)] { send(answer, After::close); };
    if (wire_) {
        disarm();
        ErrorCode ignored;
        wire_->socket().cancel(ignored);
    }
}

void WebIncoming::begin_answer(const WebAnswerHead& head) {
    if (phase_ != Phase::waiting) {
        return;
    }
    phase_ = Phase::streaming;
    if (reading_) { // Against the rules.
        close();
    }
    stream_bytes_left_ = head.body_bytes;
    in_chunks_ = !head.body_bytes && parser_->get().version() >= 11;
    after_stream_ = after_this();
    std::vector<WebHeader> headers = head.headers;
    if (head.body_bytes) {
        headers.push_back({.name = "Content-Length", .value = std::to_string(*head.body_bytes)});
    } else if (in_chunks_) {
        headers.push_back({.name = "Transfer-Encoding", .value = "chunked"});
    } else {
        after_stream_ = After::close;
    }
    head_ = head_of(head.status, headers, after_stream_);
}

void WebIncoming::write(LentBytes piece, std::function<void()> then) {
    const bool only_head = parser_->get().method() == http::verb::head;
    if (is_gone() || phase_ != Phase::streaming || only_head || piece.size() == 0) {
        post(std::move(then));
        return;
    }
    if (stream_bytes_left_) {
        if (piece.size() > *stream_bytes_left_) { // It would be taken for the next answer.
            close();
            post(std::move(then));
            return;
        }
        *stream_bytes_left_ -= piece.size();
    }
    body_ = std::move(piece);
    chunk_size_ = in_chunks_ ? hexadecimal(body_.size()) + "\r\n" : std::string();
    arm(listener_->options().write_time_max);
    asio::async_write(
        *wire_,
        std::array<asio::const_buffer, 4>{asio::buffer(head_),
                                          asio::buffer(chunk_size_),
                                          asio::buffer(body_.view().data(), body_.view().size()),
                                          buffer_of(in_chunks_ ? "\r\n" : "")},
        [self = shared_from_this(), then = std::move(then)](const ErrorCode& failure, std::size_t) {
            self->sent(failure, then);
        });
}

void WebIncoming::sent(const ErrorCode& failure, const std::function<void()>& then) {
    head_.clear();
    body_ = {};
    if (failure) {
        close();
    } else {
        disarm();
    }
    if (phase_ == Phase::streaming) { // Not abandoned meanwhile.
        guarded(then);
    }
}

void WebIncoming::end_answer() {
    if (phase_ != Phase::streaming) {
        return;
    }
    phase_ = Phase::answered;
    const bool only_head = parser_->get().method() == http::verb::head;
    if (is_gone() || !listener_->callbacks() ||
        (!only_head && stream_bytes_left_.value_or(0) > 0)) {
        close();
        return;
    }
    arm(listener_->options().write_time_max);
    asio::async_write(
        *wire_,
        std::array<asio::const_buffer, 2>{asio::buffer(head_),
                                          buffer_of(in_chunks_ && !only_head ? last_chunk : "")},
        [self = shared_from_this(), after = after_stream_](const ErrorCode& failure, std::size_t) {
            self->answered(failure, after);
        });
}

// The handler's end of it.

WebExchange::WebExchange(std::shared_ptr<WebIncoming> connection)
    : connection_(std::move(connection))
    , number_(connection_->number()) {}

WebExchange::~WebExchange() {
    if (is_current()) {
        connection_->abandon();
    }
}

bool WebExchange::is_current() const { return connection_->number() == number_; }

std::string_view WebExchange::method() const {
    return view_of(connection_->request().method_string());
}

std::string_view WebExchange::target() const { return view_of(connection_->request().target()); }

std::optional<std::string_view> WebExchange::header(std::string_view name) const {
    const auto& request = connection_->request();
    const auto found = request.find(boost::beast::string_view(name.data(), name.size()));
    return found == request.end() ? std::nullopt : std::optional(view_of(found->value()));
}

std::vector<std::pair<std::string_view, std::string_view>> WebExchange::headers() const {
    std::vector<std::pair<std::string_view, std::string_view>> all;
    for (const auto& field : connection_->request()) {
        all.emplace_back(view_of(field.name_string()), view_of(field.value()));
    }
    return all;
}

const std::string& WebExchange::remote() const { return connection_->remote(); }

bool WebExchange::is_gone() const { return !is_current() || connection_->is_gone(); }

std::optional<std::uint64_t> WebExchange::body_bytes() const { return connection_->body_bytes(); }

void WebExchange::expect_body(std::uint64_t bytes_max) {
    if (is_current()) {
        connection_->expect_body(bytes_max);
    }
}

void WebExchange::read(std::function<void(Result<ByteView>)> then) {
    if (is_current()) {
        connection_->read(std::move(then));
    }
}

void WebExchange::on_gone(std::function<void()> call) {
    if (is_current()) {
        connection_->on_gone(std::move(call));
    }
}

void WebExchange::answer(WebAnswer answer) {
    if (is_current()) {
        connection_->answer(std::move(answer));
    }
}

void WebExchange::begin(const WebAnswerHead& head) {
    if (is_current()) {
        connection_->begin_answer(head);
    }
}

void WebExchange::write(LentBytes piece, std::function<void()> then) {
    if (is_current()) {
        connection_->write(std::move(piece), std::move(then));
    }
}

void WebExchange::end() {
    if (is_current()) {
        connection_->end_answer();
    }
}

} // namespace ic::net
