#pragma once
/// WebExchange: one request of HTTP/1.1 (RFC 9112) and its answer, each as a whole or piece by
/// piece. What it stands on (Boost.Beast) is seen by its sources alone.

#include "base/bytes.h"
#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::net {

class WebIncoming;

namespace limits {
/// Of a request's target, path and query.
inline constexpr std::size_t web_target_bytes_max = 8U << 10U;
inline constexpr std::size_t web_headers_max = 100;
/// Of a request's body that `WebExchange::read` gives at once.
inline constexpr std::size_t web_body_piece_bytes_max = 64U << 10U;
} // namespace limits

struct WebHeader {
    std::string name;
    std::string value;
};

/// Whether it may stand in a message: a name of RFC 9110's tokens, a value without CR, LF, NUL or
/// other control characters but tabs.
bool is_fit(const WebHeader& header);

/// An answer as a whole.
struct WebAnswer {
    std::uint16_t status = 200;
    std::string content_type = "text/plain; charset=utf-8"; ///< Empty: it says none.
    LentBytes body{};
    std::vector<WebHeader> headers{}; ///< Beside those of length, type, date, connection.
};

/// How an answer begins whose body comes piece by piece.
struct WebAnswerHead {
    std::uint16_t status = 200;
    std::vector<WebHeader> headers{}; ///< Beside those of length, date, connection.
    /// Of all pieces together, which must then be as many. Not known: they are sent in chunks, to
    /// HTTP/1.0 until the connection closes.
    std::optional<std::uint64_t> body_bytes{};
};

/// What it says of the request holds until it is answered. Callbacks are called on the loop's
/// thread, never from within a call of this, and not after it went; each may destroy it. A client
/// that goes away fails nothing: what is said to it is dropped. Unanswered when it goes, it is a
/// 500; in the middle of a body, its connection is closed, so that the client sees a body that is
/// cut. Threads: the loop's. Lifetime: it may outlive listener and loop, and does nothing then.
class WebExchange {
public:
    explicit WebExchange(std::shared_ptr<WebIncoming> connection);
    WebExchange(const WebExchange&) = delete;
    WebExchange& operator=(const WebExchange&) = delete;
    ~WebExchange();

    std::string_view method() const;

    /// Path and query as they came, at most limits::web_target_bytes_max.
    std::string_view target() const;

    /// The first of this name, whatever its letters' case.
    std::optional<std::string_view> header(std::string_view name) const;

    /// All, in their order; at most limits::web_headers_max.
    std::vector<std::pair<std::string_view, std::string_view>> headers() const;

    /// Host and port of the client, for people.
    const std::string& remote() const;

    /// Of the request's body, if it says so ahead; 0 if there is none. Nothing: it comes in chunks.
    std::optional<std::uint64_t> body_bytes() const;

    /// From here on, a body of more bytes is an error. Not called: of more than none.
    void expect_body(std::uint64_t bytes_max);

    /// Gives the next piece of the body, lent for the call; empty at the end. One at a time.
    /// Errors: too_large (it is longer than expected, known ahead where it says so), malformed,
    /// unavailable (the client is gone, or was too slow). After an error only an answer makes
    /// sense.
    void read(std::function<void(Result<ByteView>)> then);

    /// Called once if the client goes before it is answered. Not seen while a piece is read.
    void on_gone(std::function<void()> call);

    /// Whether the client is known to be gone, so that no more need be found out for it.
    bool is_gone() const;

    /// Once, and nothing after it. A body that was not read to its end is dropped.
    void answer(WebAnswer answer);

    /// Instead of `answer`, for statuses that may have a body, and not while a piece is read; then
    /// `write` again and again, then `end`.
    void begin(const WebAnswerHead& head);

    /// `then` once it is sent, or dropped since the client is gone. One at a time.
    void write(LentBytes piece, std::function<void()> then);

    /// No more comes. Requires: as many bytes as `begin` was told. Nothing after it.
    void end();

private:
    /// False: it is answered, and the connection is at its next request.
    bool is_current() const;

    std::shared_ptr<WebIncoming> connection_;
    const std::uint64_t number_;
};

} // namespace ic::net
