#include "net/http_client.h"

#include "base/time.h"
#include "base/unique_fd.h"
#include "net/http_target.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <mutex>

namespace ic::net {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds stop_is_asked_every{20};

using Easy = std::unique_ptr<CURL, Free<CURL, curl_easy_cleanup>>;
using Multi = std::unique_ptr<CURLM, Free<CURLM, curl_multi_cleanup>>;
using List = std::unique_ptr<curl_slist, Free<curl_slist, curl_slist_free_all>>;

Result<void> check_host(const Target& target, const HttpPolicy& policy) {
    for (const std::vector<HostRule>& list : policy.host_lists) {
        if (std::ranges::none_of(list, [&target](const HostRule& rule) {
                return rule.allows(target.host, target.port);
            })) {
            return Error{Errc::refused,
                         "host " + target.host + " port " + std::to_string(target.port) +
                             " is not allowed (--allow-host, of the job and of the worker)"};
        }
    }
    return {};
}

std::optional<std::pair<Address, std::uint16_t>> address_of(const sockaddr* from) {
    if (from->sa_family == AF_INET) {
        sockaddr_in four{};
        std::memcpy(&four, from, sizeof four);
        Address address = Address::v4(0, 0, 0, 0);
        std::memcpy(address.bytes.data() + 12, &four.sin_addr, 4);
        return std::pair{address, ntohs(four.sin_port)};
    }
    if (from->sa_family == AF_INET6) {
        sockaddr_in6 six{};
        std::memcpy(&six, from, sizeof six);
        Address address;
        std::memcpy(address.bytes.data(), &six.sin6_addr, 16);
        return std::pair{address, ntohs(six.sin6_port)};
    }
    return std::nullopt;
}

// Read at each connect: interfaces come and go.
bool is_own(const Address& address) {
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) {
        return true; // Not known to be another machine's.
    }
    const std::unique_ptr<ifaddrs, Free<ifaddrs, ::freeifaddrs>> owned{list};
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr != nullptr) {
            const auto own = address_of(entry->ifa_addr);
            if (own && own->first == address) {
                return true;
            }
        }
    }
    return false;
}

bool may_reach(const Address& address, std::uint16_t port, const HttpPolicy& policy) {
    if (policy.any_address || policy.any_first_address) {
        return true;
    }
    if (std::ranges::any_of(policy.opened, [&](const OpenedAddress& opened) {
            return opened.opens(address, port);
        })) {
        return true;
    }
    return !is_special(address) && !is_own(address);
}

} // namespace

/// The connections lie in the multi handles; each is used by one exchange at a time.
struct HttpConnections::State {
    std::mutex mutex;
    std::vector<Multi> idle;

    Multi take() {
        const std::lock_guard lock(mutex);
        if (idle.empty()) {
            return Multi{curl_multi_init()};
        }
        Multi multi = std::move(idle.back());
        idle.pop_back();
        return multi;
    }

    void give_back(Multi multi) {
        const std::lock_guard lock(mutex);
        if (idle.size() < limits::idle_connections_max) {
            idle.push_back(std::move(multi));
        }
    }
};

HttpConnections::HttpConnections() : state_(std::make_shared<State>()) {}

HttpConnections::~HttpConnections() = default;

/// One hop: one easy handle in a multi handle of its own; nothing is shared with another, unless
/// the caller keeps connections.
class HttpConnections::Exchange final : public HttpResponse {
public:
    Exchange(const HttpPolicy& policy,
             const HttpLimits& limits,
             Instant end,
             std::shared_ptr<State> kept)
        : policy_(policy)
        , limits_(limits)
        , end_(end)
        , kept_(std::move(kept))
        , multi_(kept_ ? kept_->take() : Multi{curl_multi_init()}) {}

    ~Exchange() override {
        if (easy_) {
            curl_multi_remove_handle(multi_.get(), easy_.get());
        }
        easy_.reset();
        if (kept_) {
            kept_->give_back(std::move(multi_));
        }
    }

    Result<void> start(const Target& target, const HttpRequest& request, bool credentials);

    const HttpHead& head() const override { return head_; }

    Result<std::size_t> read(std::span<std::uint8_t> into) override;

    const HttpHeaders& trailers() const override { return trailers_; }

    const std::string* location() const {
        const auto found = std::ranges::find_if(
            head_.headers, [](const auto& header) { return header.first == "location"; });
        return found == head_.headers.end() ? nullptr : &found->second;
    }

    /// Where the answer came from; nothing if it is not known.
    std::optional<OpenedAddress> reached() const {
        const char* text = nullptr;
        long port = 0;
        easy_getinfo()(easy_.get(), CURLINFO_PRIMARY_IP, &text);
        easy_getinfo()(easy_.get(), CURLINFO_PRIMARY_PORT, &port);
        const Result<Address> address = Address::parse(text == nullptr ? "" : text);
        if (!address || port <= 0 || port > 0xffff) {
            return std::nullopt;
        }
        return OpenedAddress{.address = *address, .port = static_cast<std::uint16_t>(port)};
    }

private:
    template <class Value>
    void set(CURLoption option, Value value) {
        if (easy_setopt()(easy_.get(), option, value) != CURLE_OK) {
            option_failed_ = true;
        }
    }

    void set_walls();
    void set_request(const HttpRequest& request, bool credentials);
    void set_produced_body(const HttpRequest& request);
    void add_header(const std::string& line);
    Result<void> step();
    Result<void> check_rate(std::chrono::nanoseconds waited);
    Error failure_of(CURLcode code) const;

    static curl_socket_t
    open_socket(void* self, curlsocktype purpose, struct curl_sockaddr* address);
    static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self);
    static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self);
    static std::size_t on_upload(char* into, std::size_t, std::size_t size, void* self);

    const HttpPolicy policy_;
    const HttpLimits limits_;
    const Instant end_;
    Bytes body_sent_;
    std::function<Result<std::size_t>(std::span<std::uint8_t>)> produce_;
    std::string unix_socket_; ///< The one that may be opened; empty: none.
    List headers_;
    std::shared_ptr<State> kept_; ///< None: the connection is closed at the end.
    Multi multi_;
    Easy easy_;
    Url url_;
    bool option_failed_ = false;

    HttpHead head_;
    HttpHeaders trailers_;
    bool head_done_ = false;
    std::size_t header_bytes_ = 0;
    Bytes buffer_;
    std::size_t buffer_read_ = 0;
    bool paused_ = false;
    std::uint64_t received_ = 0;
    std::chrono::nanoseconds waited_{0}; ///< In the current stretch of `RateFloor::time`.
    std::uint64_t received_before_ = 0;  ///< That stretch.
    std::optional<CURLcode> ended_;
    std::optional<Error> refusal_; ///< What a callback has to say about its refusal.
};

curl_socket_t
HttpConnections::Exchange::open_socket(void* self, curlsocktype, struct curl_sockaddr* address) {
    auto& exchange = *static_cast<Exchange*>(self);
    if (address->addr.sa_family == AF_UNIX && !exchange.unix_socket_.empty()) {
        return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    }
    // The very address that will be connected to: whatever the name says, or said before.
    const auto target = address_of(&address->addr);
    if (!target || address->socktype != SOCK_STREAM ||
        !may_reach(target->first, target->second, exchange.policy_)) {
        exchange.refusal_ = Error{
            Errc::refused,
            "address " + (target ? target->first.to_string() : std::string("of an unknown kind")) +
                " is private or special and was not opened (--allow-private-address)"};
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t
HttpConnections::Exchange::on_header(char* data, std::size_t, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const std::string_view line{data, size};
    exchange.header_bytes_ += size;
    if (exchange.header_bytes_ > limits::response_header_bytes_max) {
        exchange.refusal_ = Error{Errc::too_large, "the answer's headers are too large"};
        return 0;
    }
    HttpHeaders& headers = exchange.head_done_ ? exchange.trailers_ : exchange.head_.headers;
    if (line.starts_with("HTTP/")) {
        headers.clear(); // After an interim answer (100, 103).
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
        headers.emplace_back(lower(trimmed(line.substr(0, colon))),
                             trimmed(line.substr(colon + 1)));
    } else if (exchange.head_done_) {
        return size;
    } else if (trimmed(line).empty()) {
        long status = 0;
        easy_getinfo()(exchange.easy_.get(), CURLINFO_RESPONSE_CODE, &status);
        exchange.head_.status = static_cast<std::uint16_t>(status);
        exchange.head_done_ = status >= 200;
    }
    return size;
}

std::size_t
HttpConnections::Exchange::on_body(char* data, std::size_t, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    if (exchange.buffer_.size() - exchange.buffer_read_ >= limits::response_buffer_bytes) {
        exchange.paused_ = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (size > exchange.limits_.response_bytes_max - exchange.received_) {
        exchange.refusal_ =
            Error{Errc::too_large,
                  "the answer has more than " +
                      std::to_string(exchange.limits_.response_bytes_max) + " bytes"};
        return 0;
    }
    exchange.received_ += size;
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(data);
    exchange.buffer_.insert(exchange.buffer_.end(), bytes, bytes + size);
    return size;
}

std::size_t
HttpConnections::Exchange::on_upload(char* into, std::size_t, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    Result<std::size_t> count = exchange.produce_({reinterpret_cast<std::uint8_t*>(into), size});
    if (!count) {
        exchange.refusal_ = std::move(count).take_error();
        return CURL_READFUNC_ABORT;
    }
    return *count;
}

void HttpConnections::Exchange::set_walls() {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, ""); // Not even one of the environment.
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_FRESH_CONNECT, kept_ && !produce_ ? 0L : 1L);
    set(CURLOPT_FORBID_REUSE, kept_ ? 0L : 1L);
    set(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    set(CURLOPT_TCP_KEEPALIVE, 1L); // A machine that is gone is noticed where nothing is sent.
    set(CURLOPT_TCP_KEEPIDLE, 15L);
    set(CURLOPT_TCP_KEEPINTVL, 5L);
    if (!unix_socket_.empty()) {
        set(CURLOPT_UNIX_SOCKET_PATH, unix_socket_.c_str());
    }
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_HTTP09_ALLOWED, 0L);
    set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    set(CURLOPT_OPENSOCKETFUNCTION, &HttpConnections::Exchange::open_socket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    set(CURLOPT_HEADERFUNCTION, &HttpConnections::Exchange::on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &HttpConnections::Exchange::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    const auto left = std::chrono::ceil<milliseconds>(end_ - now_since_boot());
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(left.count(), 1)));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect_time_max.count()));
}

void HttpConnections::Exchange::add_header(const std::string& line) {
    curl_slist* const longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) {
        option_failed_ = true;
        return;
    }
    (void)headers_.release(); // `longer` is the same list, or its first entry.
    headers_.reset(longer);
}

void HttpConnections::Exchange::set_request(const HttpRequest& request, bool credentials) {
    set(CURLOPT_USERAGENT, "ipfs-compute");
    bool has_type = false;
    for (const auto& [name, value] : request.headers) {
        const std::string plain = lower(name);
        if (!credentials &&
            std::ranges::find(credential_headers, plain) != credential_headers.end()) {
            continue;
        }
        has_type = has_type || plain == "content-type";
        // "Name;" is libcurl's way to write a header without a value.
        const std::string_view text = trimmed(value);
        add_header(text.empty() ? name + ";" : name + ": " + std::string(text));
    }
    add_header("Expect:"); // No waiting for 100.
    if (!has_type) {
        add_header("Content-Type:"); // Nothing is a form unless it says so.
    }
    if (produce_) {
        add_header("Transfer-Encoding: chunked");
    }
    set(CURLOPT_HTTPHEADER, headers_.get());
    if (request.method == "HEAD") {
        set(CURLOPT_NOBODY, 1L);
        return;
    }
    if (produce_) {
        set_produced_body(request);
        return;
    }
    const bool sends = !request.body.empty() || request.method == "POST" ||
                       request.method == "PUT" || request.method == "PATCH";
    if (sends) {
        body_sent_ = request.body;
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_sent_.size()));
        set(CURLOPT_POSTFIELDS,
            body_sent_.empty() ? "" : reinterpret_cast<const char*>(body_sent_.data()));
    }
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void HttpConnections::Exchange::set_produced_body(const HttpRequest& request) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(-1));
    set(CURLOPT_READFUNCTION, &HttpConnections::Exchange::on_upload);
    set(CURLOPT_READDATA, static_cast<void*>(this));
    set(CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
    set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

Result<void> HttpConnections::Exchange::start(const Target& target,
                                              const HttpRequest& request,
                                              bool credentials) {
    easy_.reset(curl_easy_init());
    url_.reset(curl_url_dup(target.url.get()));
    if (!easy_ || !multi_ || !url_) {
        return Error{Errc::internal, "no memory for a request, or no libcurl"};
    }
    produce_ = request.produce;
    unix_socket_ = request.unix_socket;
    set(CURLOPT_CURLU, url_.get());
    set_walls();
    set_request(request, credentials);
    if (option_failed_ || curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK) {
        return Error{Errc::internal, "the HTTP library refuses an option it must know"};
    }
    head_.url = part_of(target.url.get(), CURLUPART_URL);
    const Instant head_end = now_since_boot() + limits_.head_time_max;
    while (!head_done_ && !ended_) {
        TRY(step());
        if (!head_done_ && !ended_ && now_since_boot() >= head_end) {
            return Error{Errc::unavailable,
                         "request to " + head_.url + " failed: no answer within " +
                             std::to_string(limits_.head_time_max.count()) + " ms"};
        }
    }
    if (!head_done_) {
        return failure_of(*ended_);
    }
    return {};
}

Result<void> HttpConnections::Exchange::step() {
    int running = 0;
    curl_multi_perform(multi_.get(), &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg == CURLMSG_DONE) {
            ended_ = message->data.result;
        }
    }
    if (limits_.stop) {
        if (std::optional<Error> stopped = limits_.stop()) {
            return std::move(*stopped);
        }
    }
    if (!ended_ && buffer_read_ == buffer_.size()) {
        const Instant before = now_since_boot();
        curl_multi_poll(
            multi_.get(), nullptr, 0, static_cast<int>(stop_is_asked_every.count()), nullptr);
        return check_rate(now_since_boot() - before);
    }
    return {};
}

/// Time in which this side did not wait for the other does not count.
Result<void> HttpConnections::Exchange::check_rate(std::chrono::nanoseconds waited) {
    const RateFloor& floor = limits_.rate_floor;
    if (!head_done_ || floor.bytes == 0) {
        return {};
    }
    waited_ += waited;
    if (waited_ < floor.time) {
        return {};
    }
    if (received_ - received_before_ < floor.bytes) {
        return Error{Errc::unavailable,
                     "the answer of " + head_.url + " is too slow: less than " +
                         std::to_string(floor.bytes) + " bytes in " +
                         std::to_string(floor.time.count()) + " ms"};
    }
    waited_ = {};
    received_before_ = received_;
    return {};
}

Error HttpConnections::Exchange::failure_of(CURLcode code) const {
    if (refusal_) {
        return *refusal_;
    }
    return Error{Errc::unavailable,
                 "request to " + head_.url + " failed: " + curl_easy_strerror(code)};
}

Result<std::size_t> HttpConnections::Exchange::read(std::span<std::uint8_t> into) {
    if (into.empty()) {
        return std::size_t{0};
    }
    while (buffer_read_ == buffer_.size()) {
        buffer_.clear();
        buffer_read_ = 0;
        if (ended_) {
            if (*ended_ != CURLE_OK) {
                return failure_of(*ended_);
            }
            return std::size_t{0};
        }
        if (std::exchange(paused_, false)) {
            curl_easy_pause(easy_.get(), CURLPAUSE_CONT);
        }
        TRY(step());
    }
    const std::size_t count = std::min(into.size(), buffer_.size() - buffer_read_);
    std::memcpy(into.data(), buffer_.data() + buffer_read_, count);
    buffer_read_ += count;
    return count;
}

namespace {

bool is_redirect(std::uint16_t status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// RFC 9110 section 15.4: what becomes of the method.
void redirect(HttpRequest& request, std::uint16_t status) {
    const bool becomes_get = (status == 303 && request.method != "HEAD") ||
                             ((status == 301 || status == 302) && request.method == "POST");
    if (becomes_get) {
        request.method = "GET";
        request.body.clear();
        std::erase_if(request.headers,
                      [](const auto& header) { return lower(header.first) == "content-type"; });
    }
}

} // namespace

Result<std::unique_ptr<HttpResponse>> HttpConnections::request(const HttpRequest& request,
                                                               const HttpPolicy& policy,
                                                               const HttpLimits& limits) {
    return run(request, policy, limits, state_);
}

Result<std::unique_ptr<HttpResponse>> HttpConnections::run(const HttpRequest& request,
                                                           HttpPolicy policy,
                                                           const HttpLimits& limits,
                                                           const std::shared_ptr<State>& kept) {
    TRY(check_request(request));
    const Instant end = now_since_boot() + limits.total_time_max;
    HttpRequest current = request;
    Target target = TRY(parse_url(request.url, nullptr));
    const std::string first_origin = target.origin;
    bool credentials = true;
    for (int redirects = 0;; ++redirects) {
        TRY(check_host(target, policy));
        auto exchange = std::make_unique<Exchange>(policy, limits, end, kept);
        TRY(exchange->start(target, current, credentials));
        const std::string* const location = exchange->location();
        const bool follows =
            policy.follows_redirects && !request.produce && request.unix_socket.empty();
        if (!is_redirect(exchange->head().status) || location == nullptr || !follows) {
            return std::unique_ptr<HttpResponse>(std::move(exchange));
        }
        if (redirects == limits::redirects_max) {
            return Error{Errc::refused,
                         "more than " + std::to_string(limits::redirects_max) + " redirects"};
        }
        if (std::exchange(policy.any_first_address, false)) { // From here on: there alone.
            if (const std::optional<OpenedAddress> reached = exchange->reached()) {
                policy.opened.push_back(*reached);
            }
        }
        target = TRY(parse_url(*location, &target));
        credentials = credentials && target.origin == first_origin; // Once gone, they stay gone.
        redirect(current, exchange->head().status);
    }
}

Result<std::unique_ptr<HttpResponse>>
http_request(const HttpRequest& request, const HttpPolicy& policy, const HttpLimits& limits) {
    return HttpConnections::run(request, policy, limits, nullptr);
}

} // namespace ic::net
