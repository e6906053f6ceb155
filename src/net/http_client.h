#pragma once
/// An HTTP request whose address is checked when the socket opens. What it stands on (libcurl) is
/// seen by its source alone.

#include "base/bytes.h"
#include "base/result.h"
#include "net/address.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ic::net {

namespace limits {
inline constexpr std::size_t url_bytes_max = 8U << 10U;
inline constexpr std::size_t request_headers_max = 64;
inline constexpr std::size_t request_header_bytes_max = 16U << 10U;  ///< All of them together.
inline constexpr std::size_t response_header_bytes_max = 64U << 10U; ///< Of one answer.
inline constexpr int redirects_max = 3;
/// What `sockaddr_un` holds, with the zero at its end.
inline constexpr std::size_t unix_socket_path_bytes_max = 107;
/// Of one HttpConnections: what stays open when nobody uses it.
inline constexpr std::size_t idle_connections_max = 8;
/// What may wait for a reader that is slow; then the peer has to wait.
inline constexpr std::size_t response_buffer_bytes = 256U << 10U;
} // namespace limits

/// An entry of an allow-list: `host` or `host:port`. Without a port: 80 and 443.
struct HostRule {
    std::string host; ///< Lower-case name, dotted IPv4, or IPv6 in brackets; compared exactly.
    std::optional<std::uint16_t> port;

    friend bool operator==(const HostRule&, const HostRule&) = default;

    /// Errors: malformed (a scheme, path, user, wildcard, upper case, odd spelling of an address).
    /// Inverse: `to_string`.
    static Result<HostRule> parse(std::string_view text);

    std::string to_string() const;

    bool allows(std::string_view to_host, std::uint16_t to_port) const;
};

/// What may be reached. A host must pass every list that is given: the job's and the worker's.
struct HttpPolicy {
    /// Each list must allow the host; no lists: any host on any port.
    std::vector<std::vector<HostRule>> host_lists{};
    /// Special addresses, and this machine's own, that may be reached all the same.
    std::vector<OpenedAddress> opened{};
    /// For endpoints that the operator configured (a Kubo daemon): every address.
    bool any_address = false;
    /// For endpoints that a user named: the URL itself may lead to any address, and redirects to
    /// that very address and port, or to ordinary ones.
    bool any_first_address = false;
    /// Else a redirect is an answer like any other.
    bool follows_redirects = true;
};

/// The least that must arrive, counted over time in which we waited for it. No bytes: no floor.
struct RateFloor {
    std::uint64_t bytes = 0;
    std::chrono::milliseconds time{10'000};
};

struct HttpLimits {
    std::chrono::milliseconds connect_time_max{5'000};
    std::chrono::milliseconds total_time_max{30'000}; ///< Over all redirects, to the last byte.
    /// Of each hop, until its head is there.
    std::chrono::milliseconds head_time_max = std::chrono::hours(24);
    RateFloor rate_floor{}; ///< Of the body.
    std::uint64_t response_bytes_max = 64U << 20U;
    /// Asked at least ten times a second; an error ends the request with it. May be empty.
    std::function<std::optional<Error>()> stop;
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method = "GET"; ///< GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
    std::string url{};          ///< http or https.
    HttpHeaders headers{};      ///< Not those that belong to the connection (Host, ...).
    Bytes body{};
    /// Writes the body's next bytes and says how many, 0 at its end; an error ends the request with
    /// it. In place of `body`, sent chunked, once: such a request follows no redirect and opens a
    /// connection of its own. Lifetime: called until the answer is destroyed.
    std::function<Result<std::size_t>(std::span<std::uint8_t>)> produce{};
    /// A socket of this machine to speak to, whatever host the URL names (the policy's addresses do
    /// not apply); such a request follows no redirect. Empty: none.
    std::string unix_socket{};
};

struct HttpHead {
    std::uint16_t status = 0;
    HttpHeaders headers; ///< Names in lower case, in the order of arrival.
    std::string url;     ///< After redirects.
};

/// An answer whose body is being read. Threads: one.
class HttpResponse {
public:
    virtual ~HttpResponse() = default;
    virtual const HttpHead& head() const = 0;
    /// Waits for bytes; 0 at the end. Errors: too_large, unavailable (connection lost or out of
    /// time), and what `HttpLimits::stop` says.
    virtual Result<std::size_t> read(std::span<std::uint8_t> into) = 0;
    /// Headers that came after the body, as `HttpHead::headers`; none before `read` gave 0.
    virtual const HttpHeaders& trailers() const = 0;
};

/// Sends the request, follows up to `limits::redirects_max` redirects (each checked as the first;
/// credentials go no further than their origin), and returns when the head is there. Uses no proxy,
/// cookie, credential file or connection of another request. Blocks.
/// Errors: malformed (URL, method or headers), too_large, refused (host or address not allowed, too
/// many redirects), unavailable, and what `HttpLimits::stop` says.
Result<std::unique_ptr<HttpResponse>>
http_request(const HttpRequest& request, const HttpPolicy& policy, const HttpLimits& limits);

/// Connections that stay open from one request to the next, for many requests to one server under
/// one policy: an address is checked when its connection opens. Threads: any.
class HttpConnections {
public:
    HttpConnections();
    HttpConnections(const HttpConnections&) = delete;
    HttpConnections& operator=(const HttpConnections&) = delete;
    ~HttpConnections();

    /// As `http_request` but for the connection. What it gives may outlive this.
    Result<std::unique_ptr<HttpResponse>>
    request(const HttpRequest& request, const HttpPolicy& policy, const HttpLimits& limits);

private:
    friend Result<std::unique_ptr<HttpResponse>>
    http_request(const HttpRequest& request, const HttpPolicy& policy, const HttpLimits& limits);

    struct State;
    class Exchange;

    static Result<std::unique_ptr<HttpResponse>> run(const HttpRequest& request,
                                                     HttpPolicy policy,
                                                     const HttpLimits& limits,
                                                     const std::shared_ptr<State>& kept);

    std::shared_ptr<State> state_;
};

} // namespace ic::net
