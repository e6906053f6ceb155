#include "net/http_client.h"

#include "base/time.h"
#include "base/unique_fd.h"
#include "net/curl_on_demand.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace ic::net {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds stop_is_asked_every{100};

template <class T, auto function>
struct Free {
    void operator()(T* value) const { function(value); }
};

using Easy = std::unique_ptr<CURL, Free<CURL, curl_easy_cleanup>>;
using Multi = std::unique_ptr<CURLM, Free<CURLM, curl_multi_cleanup>>;
using Url = std::unique_ptr<CURLU, Free<CURLU, curl_url_cleanup>>;
using List = std::unique_ptr<curl_slist, Free<curl_slist, curl_slist_free_all>>;
using Text = std::unique_ptr<char, Free<void, curl_free>>;

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return is_alphanumeric(c) ||
               std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
    });
}

std::string lower(std::string_view text) {
    std::string out{text};
    for (char& c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && std::string_view{" \t\r\n"}.find(text.back()) != text.npos) {
        text.remove_suffix(1);
    }
    return text;
}

// What speaks of the connection, which is ours.
constexpr std::array<std::string_view, 12> forbidden_headers{"host",
                                                             "content-length",
                                                             "transfer-encoding",
                                                             "connection",
                                                             "expect",
                                                             "upgrade",
                                                             "te",
                                                             "trailer",
                                                             "keep-alive",
                                                             "proxy-authorization",
                                                             "proxy-connection",
                                                             "accept-encoding"};
constexpr std::array<std::string_view, 2> credential_headers{"authorization", "cookie"};
constexpr std::array<std::string_view, 7> methods{
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

Result<void> check_request(const HttpRequest& request) {
    if (std::ranges::find(methods, request.method) == methods.end()) {
        return Error{Errc::malformed, "unknown method '" + request.method + "'"};
    }
    if (request.headers.size() > limits::request_headers_max) {
        return Error{Errc::too_large, "too many headers"};
    }
    std::size_t bytes = 0;
    for (const auto& [name, value] : request.headers) {
        bytes += name.size() + value.size() + 4;
        if (!is_token(name) || std::ranges::any_of(value, [](char c) {
                return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
            })) {
            return Error{Errc::malformed, "a header's name or value has forbidden characters"};
        }
        if (std::ranges::find(forbidden_headers, lower(name)) != forbidden_headers.end()) {
            return Error{Errc::malformed, "header '" + name + "' is not the guest's to set"};
        }
    }
    if (bytes > limits::request_header_bytes_max) {
        return Error{Errc::too_large, "the headers are too large"};
    }
    return {};
}

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
    char* value = nullptr;
    if (curl_url_get(url, part, &value, flags) != CURLUE_OK) {
        return {};
    }
    const Text owned{value};
    return owned.get();
}

struct Target {
    Url url;
    std::string host;
    std::uint16_t port = 0;
    std::string origin;
};

// `base` is where a redirect came from.
Result<Target> parse_url(std::string_view text, const Target* base) {
    if (text.size() > limits::url_bytes_max) {
        return Error{Errc::too_large, "the URL is too long"};
    }
    if (std::ranges::any_of(
            text, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; })) {
        return Error{Errc::malformed, "the URL has spaces or control characters"};
    }
    Target target;
    target.url.reset(base != nullptr ? curl_url_dup(base->url.get()) : curl_url());
    const CURLUcode failure =
        curl_url_set(target.url.get(), CURLUPART_URL, std::string(text).c_str(), 0);
    if (failure != CURLUE_OK) {
        return Error{Errc::malformed,
                     "not a URL that can be requested: " + std::string(curl_url_strerror(failure))};
    }
    const std::string scheme = part_of(target.url.get(), CURLUPART_SCHEME);
    if (scheme != "http" && scheme != "https") {
        return Error{Errc::refused, "scheme '" + scheme + "' is not http or https"};
    }
    if (!part_of(target.url.get(), CURLUPART_USER).empty() ||
        !part_of(target.url.get(), CURLUPART_PASSWORD).empty() ||
        !part_of(target.url.get(), CURLUPART_ZONEID).empty()) {
        return Error{Errc::refused, "a URL with a user, password or zone is not requested"};
    }
    target.host = lower(part_of(target.url.get(), CURLUPART_HOST));
    if (!std::ranges::all_of(target.host, [](char c) {
            return is_alphanumeric(c) ||
                   std::string_view{"-._[]:"}.find(c) != std::string_view::npos;
        })) {
        return Error{Errc::malformed, "the URL's host has characters that no name has"};
    }
    const std::string port = part_of(target.url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), target.port);
    if (target.host.empty() || parsed.ec != std::errc() || target.port == 0) {
        return Error{Errc::malformed, "the URL has no host or no usable port"};
    }
    target.origin = scheme + "://" + target.host + ":" + port;
    curl_url_set(target.url.get(), CURLUPART_FRAGMENT, nullptr, 0);
    return target;
}

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
    if (policy.any_address) {
        return true;
    }
    if (std::ranges::any_of(policy.opened, [&](const OpenedAddress& opened) {
            return opened.opens(address, port);
        })) {
        return true;
    }
    return !is_special(address) && !is_own(address);
}

/// One hop: one easy handle in a multi handle of its own; nothing is shared with another.
class Exchange final : public HttpResponse {
public:
    Exchange(const HttpPolicy& policy, const HttpLimits& limits, Instant end)
        : policy_(policy)
        , limits_(limits)
        , end_(end) {}

    ~Exchange() override {
        if (easy_) {
            curl_multi_remove_handle(multi_.get(), easy_.get());
        }
    }

    Result<void> start(const Target& target, const HttpRequest& request, bool credentials);

    const HttpHead& head() const override { return head_; }

    Result<std::size_t> read(std::span<std::uint8_t> into) override;

    const std::string* location() const {
        const auto found = std::ranges::find_if(
            head_.headers, [](const auto& header) { return header.first == "location"; });
        return found == head_.headers.end() ? nullptr : &found->second;
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
    void add_header(const std::string& line);
    Result<void> step();
    Error failure_of(CURLcode code) const;

    static curl_socket_t
    open_socket(void* self, curlsocktype purpose, struct curl_sockaddr* address);
    static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self);
    static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self);

    const HttpPolicy policy_;
    const HttpLimits limits_;
    const Instant end_;
    Bytes body_sent_;
    List headers_;
    Multi multi_{curl_multi_init()};
    Easy easy_;
    Url url_;
    bool option_failed_ = false;

    HttpHead head_;
    bool head_done_ = false;
    std::size_t header_bytes_ = 0;
    Bytes buffer_;
    std::size_t buffer_read_ = 0;
    bool paused_ = false;
    std::uint64_t received_ = 0;
    std::optional<CURLcode> ended_;
    std::optional<Error> refusal_; ///< What a callback has to say about its refusal.
};

curl_socket_t Exchange::open_socket(void* self, curlsocktype, struct curl_sockaddr* address) {
    auto& exchange = *static_cast<Exchange*>(self);
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

std::size_t Exchange::on_header(char* data, std::size_t, std::size_t size, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const std::string_view line{data, size};
    exchange.header_bytes_ += size;
    if (exchange.header_bytes_ > limits::response_header_bytes_max) {
        exchange.refusal_ = Error{Errc::too_large, "the answer's headers are too large"};
        return 0;
    }
    if (exchange.head_done_) {
        return size; // Trailers.
    }
    if (line.starts_with("HTTP/")) {
        exchange.head_.headers.clear(); // After an interim answer (100, 103).
    } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
        exchange.head_.headers.emplace_back(lower(trimmed(line.substr(0, colon))),
                                            trimmed(line.substr(colon + 1)));
    } else if (trimmed(line).empty()) {
        long status = 0;
        easy_getinfo()(exchange.easy_.get(), CURLINFO_RESPONSE_CODE, &status);
        exchange.head_.status = static_cast<std::uint16_t>(status);
        exchange.head_done_ = status >= 200;
    }
    return size;
}

std::size_t Exchange::on_body(char* data, std::size_t, std::size_t size, void* self) {
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

void Exchange::set_walls() {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, ""); // Not even one of the environment.
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
    set(CURLOPT_DNS_CACHE_TIMEOUT, 0L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_HTTP09_ALLOWED, 0L);
    set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    set(CURLOPT_OPENSOCKETFUNCTION, &Exchange::open_socket);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    set(CURLOPT_HEADERFUNCTION, &Exchange::on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &Exchange::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    const auto left = std::chrono::ceil<milliseconds>(end_ - now_since_boot());
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(left.count(), 1)));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limits_.connect_time_max.count()));
}

void Exchange::add_header(const std::string& line) {
    curl_slist* const longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) {
        option_failed_ = true;
        return;
    }
    (void)headers_.release(); // `longer` is the same list, or its first entry.
    headers_.reset(longer);
}

void Exchange::set_request(const HttpRequest& request, bool credentials) {
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
    set(CURLOPT_HTTPHEADER, headers_.get());
    if (request.method == "HEAD") {
        set(CURLOPT_NOBODY, 1L);
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

Result<void> Exchange::start(const Target& target, const HttpRequest& request, bool credentials) {
    easy_.reset(curl_easy_init());
    url_.reset(curl_url_dup(target.url.get()));
    if (!easy_ || !multi_ || !url_) {
        return Error{Errc::internal, "no memory for a request, or no libcurl"};
    }
    set(CURLOPT_CURLU, url_.get());
    set_walls();
    set_request(request, credentials);
    if (option_failed_ || curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK) {
        return Error{Errc::internal, "the HTTP library refuses an option it must know"};
    }
    head_.url = part_of(target.url.get(), CURLUPART_URL);
    while (!head_done_ && !ended_) {
        TRY(step());
    }
    if (!head_done_) {
        return failure_of(*ended_);
    }
    return {};
}

Result<void> Exchange::step() {
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
        curl_multi_poll(
            multi_.get(), nullptr, 0, static_cast<int>(stop_is_asked_every.count()), nullptr);
    }
    return {};
}

Error Exchange::failure_of(CURLcode code) const {
    if (refusal_) {
        return *refusal_;
    }
    return Error{Errc::unavailable,
                 "request to " + head_.url + " failed: " + curl_easy_strerror(code)};
}

Result<std::size_t> Exchange::read(std::span<std::uint8_t> into) {
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

Result<HostRule> HostRule::parse(std::string_view text) {
    const Error malformed{Errc::malformed,
                          "'" + std::string(text) + "' is not host or host:port, in lower case"};
    HostRule rule;
    std::string_view host = text;
    const std::size_t close = text.rfind(']');
    const std::size_t colon = text.find(':', close == std::string_view::npos ? 0 : close);
    if (colon != std::string_view::npos) {
        const std::string_view port = text.substr(colon + 1);
        std::uint16_t number = 0;
        const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), number);
        if (failure != std::errc() || end != port.data() + port.size() || number == 0 ||
            port.front() == '0') {
            return malformed;
        }
        rule.port = number;
        host = text.substr(0, colon);
    }
    rule.host = host;
    if (host.starts_with('[')) {
        if (!host.ends_with(']')) {
            return malformed;
        }
        const Result<Address> address = Address::parse(host.substr(1, host.size() - 2));
        // Written as it is compared: the canonical text (RFC 5952) of an IPv6 address.
        if (!address || "[" + address->to_string() + "]" != rule.host) {
            return malformed;
        }
        return rule;
    }
    if (host.empty() || host.size() > 253 || host.front() == '.' || host.back() == '.' ||
        host.find("..") != std::string_view::npos || !std::ranges::all_of(host, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                   c == '_';
        })) {
        return malformed;
    }
    // What a URL parser would take for an address must be spelled as one, so that it means itself.
    const std::string_view last = host.substr(host.rfind('.') + 1);
    const bool numeric = last.front() >= '0' && last.front() <= '9';
    if (numeric && !Address::parse(host)) {
        return malformed;
    }
    return rule;
}

std::string HostRule::to_string() const { return port ? host + ":" + std::to_string(*port) : host; }

bool HostRule::allows(std::string_view to_host, std::uint16_t to_port) const {
    return host == to_host && (port ? *port == to_port : to_port == 80 || to_port == 443);
}

Result<std::unique_ptr<HttpResponse>>
http_request(const HttpRequest& request, const HttpPolicy& policy, const HttpLimits& limits) {
    TRY(check_request(request));
    const Instant end = now_since_boot() + limits.total_time_max;
    HttpRequest current = request;
    Target target = TRY(parse_url(request.url, nullptr));
    const std::string first_origin = target.origin;
    bool credentials = true;
    for (int redirects = 0;; ++redirects) {
        TRY(check_host(target, policy));
        auto exchange = std::make_unique<Exchange>(policy, limits, end);
        TRY(exchange->start(target, current, credentials));
        const std::string* const location = exchange->location();
        if (!is_redirect(exchange->head().status) || location == nullptr) {
            return std::unique_ptr<HttpResponse>(std::move(exchange));
        }
        if (redirects == limits::redirects_max) {
            return Error{Errc::refused,
                         "more than " + std::to_string(limits::redirects_max) + " redirects"};
        }
        target = TRY(parse_url(*location, &target));
        credentials = credentials && target.origin == first_origin; // Once gone, they stay gone.
        redirect(current, exchange->head().status);
    }
}

} // namespace ic::net
