#include "kubo/rpc.h"

#include "base/text.h"
#include "kubo/answer.h"
#include "kubo/multipart.h"
#include "multiformats/multibase.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <thread>

namespace ic::kubo {
namespace {

using std::chrono::milliseconds;

/// Ours: what is read of an error.
constexpr std::size_t error_bytes_max = 4096;
/// How often a wait between two attempts asks whether it is to end.
constexpr milliseconds stop_is_asked_every{50};
constexpr std::string_view not_asked = " is not asked for a moment, since ";

std::uint64_t system_random() {
    std::uint64_t number = 0;
    // So few bytes come whole once the kernel's pool is filled at boot (getrandom(2)).
    static_cast<void>(::getrandom(&number, sizeof number, 0));
    return number;
}

/// The value of the header Authorization. Source: Kubo's config, API.Authorizations, AuthSecret.
Result<std::string> authorization_of(std::string_view token) {
    constexpr std::string_view bearer = "bearer:";
    constexpr std::string_view basic = "basic:";
    const bool is_plain = std::ranges::all_of(token, [](char letter) {
        return static_cast<unsigned char>(letter) > 0x20 && letter != 0x7f;
    });
    if (token.empty()) {
        return std::string();
    }
    if (is_plain && token.starts_with(bearer) && token.size() > bearer.size()) {
        return "Bearer " + std::string(token.substr(bearer.size()));
    }
    if (is_plain && token.starts_with(basic) && token.find(':', basic.size()) != token.npos) {
        return "Basic " +
               multibase::encode_bare(Base::base64_pad, bytes_of(token.substr(basic.size())));
    }
    return Error{Errc::malformed,
                 "the token of a Kubo API has another form than bearer:TOKEN or "
                 "basic:USER:PASSWORD, without spaces"};
}

/// What there is of the body of an error, up to a bound.
Bytes read_some(net::HttpResponse& response) {
    Bytes body(error_bytes_max);
    std::size_t size = 0;
    while (size < body.size()) {
        const Result<std::size_t> count = response.read(std::span(body).subspan(size));
        if (!count || *count == 0) {
            break;
        }
        size += *count;
    }
    body.resize(size);
    return body;
}

} // namespace

std::string_view name(AttemptEnd end) {
    constexpr std::array<std::string_view, 4> names{"ok", "refused", "failed", "not-asked"};
    return names.at(static_cast<std::size_t>(end));
}

bool is_not_asked(const Error& error) {
    return error.code == Errc::unavailable && error.message.find(not_asked) != std::string::npos;
}

Stop either(Stop left, Stop right) {
    if (!left || !right) {
        return left ? std::move(left) : std::move(right);
    }
    return [left = std::move(left), right = std::move(right)] {
        std::optional<Error> stopped = left();
        return stopped ? std::move(stopped) : right();
    };
}

Result<std::size_t> RpcAnswer::read(std::span<std::uint8_t> into) {
    Result<std::size_t> count = response_->read(into);
    if (!count) {
        return std::move(count).take_error().during(where_);
    }
    if (*count != 0 || into.empty()) {
        return count;
    }
    for (const auto& [name, value] : response_->trailers()) {
        if (name == "x-stream-error" && !value.empty()) {
            has_failed_ = true;
            return Error{kubo_failed_,
                         where_ + ": " + kubo_message(value).value_or(printable(value))};
        }
    }
    return count;
}

Result<Bytes> RpcAnswer::read_all(std::size_t bytes_max) {
    Bytes body;
    for (;;) {
        std::array<std::uint8_t, 64U << 10U> piece{};
        const std::size_t count = TRY(read(piece));
        if (count == 0) {
            return body;
        }
        if (count > bytes_max - body.size()) {
            return Error{Errc::too_large,
                         where_ + ": the answer has more than " + std::to_string(bytes_max) +
                             " bytes"};
        }
        body.insert(body.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
    }
}

Result<std::optional<std::string>> RpcAnswer::read_line(std::size_t bytes_max) {
    for (;;) {
        const std::size_t end = pending_.find('\n', scanned_);
        if (std::min(end, pending_.size()) > bytes_max) {
            return Error{Errc::too_large,
                         where_ + ": a line has more than " + std::to_string(bytes_max) + " bytes"};
        }
        if (end != std::string::npos || (at_end_ && !pending_.empty())) {
            std::optional<std::string> line = pending_.substr(0, end);
            pending_.erase(0, end == std::string::npos ? end : end + 1);
            scanned_ = 0;
            return line;
        }
        if (at_end_) {
            return std::optional<std::string>();
        }
        scanned_ = pending_.size();
        std::array<std::uint8_t, 64U << 10U> piece{};
        const std::size_t count = TRY(read(piece));
        at_end_ = count == 0;
        pending_.append(text_of(ByteView(piece).first(count)));
    }
}

/// Why an attempt failed, and what that means for the next one.
struct Rpc::Failure {
    Error error;
    bool may_pass = false;   ///< Trying again may help.
    bool is_absence = false; ///< Nobody was there to answer.
};

Result<std::unique_ptr<Rpc>> Rpc::open(RpcOptions options) {
    Opened opened{.options = {},
                  .address = TRY(api_url(options.address)),
                  .authorization = TRY(authorization_of(options.token))};
    options.token.clear();
    if (!options.random) {
        options.random = &system_random;
    }
    opened.options = std::move(options);
    return std::make_unique<Rpc>(std::move(opened));
}

Rpc::Rpc(Opened opened)
    : options_(std::move(opened.options))
    , address_(std::move(opened.address))
    , authorization_(std::move(opened.authorization))
    , breaker_(options_.shared_breaker ? options_.shared_breaker
                                       : std::make_shared<SharedBreaker>(options_.breaker)) {}

std::string Rpc::where(std::string_view command) const {
    return "Kubo at " + address_ + ", " + std::string(command);
}

net::HttpRequest Rpc::request_of(const RpcCall& call) const {
    net::HttpRequest request{.method = "POST", .unix_socket = socket_of(address_)};
    // Kubo does not look at the host of a request through a socket.
    request.url = request.unix_socket.empty() ? address_ : "http://localhost";
    request.url.append("/api/v0/").append(call.command);
    char separator = '?';
    for (const auto& [name, value] : call.query) {
        request.url.append(1, std::exchange(separator, '&')).append(name);
        request.url.append("=").append(percent_encoded(value));
    }
    if (!authorization_.empty()) {
        request.headers.emplace_back("Authorization", authorization_);
    }
    if (call.data || call.produce) {
        const std::uint64_t first = random();
        const Multipart frame = multipart(call.part, first, random());
        request.headers.emplace_back("Content-Type", frame.content_type);
        if (call.data) {
            request.body = framed(frame, *call.data);
        } else {
            request.produce = framed(frame, call.produce);
        }
    }
    return request;
}

void Rpc::tell(const RpcCall& call, AttemptEnd end, int failures_in_a_row) const {
    if (options_.on_attempt) {
        options_.on_attempt(
            {.command = call.command,
             .end = end,
             .is_breaker_open = failures_in_a_row >= options_.breaker.failures_max});
    }
}

/// What to say without asking, if nobody is asked now.
std::optional<Error> Rpc::closed(const RpcCall& call) {
    const std::string objection = breaker_->objection(options_.now());
    if (objection.empty()) {
        return std::nullopt;
    }
    tell(call, AttemptEnd::not_asked, breaker_->failures());
    return Error{Errc::unavailable, "Kubo at " + address_ + std::string(not_asked) + objection};
}

void Rpc::report(const RpcCall& call, const std::optional<Failure>& failure) {
    if (!failure || !failure->is_absence) {
        breaker_->succeeded(); // Somebody answered.
        tell(call, failure ? AttemptEnd::refused : AttemptEnd::ok, breaker_->failures());
        return;
    }
    breaker_->failed(options_.now(), failure->error.message);
    tell(call, AttemptEnd::failed, breaker_->failures());
}

std::optional<Rpc::Failure> Rpc::attempt(const RpcCall& call,
                                         const net::HttpRequest& request,
                                         std::unique_ptr<RpcAnswer>& answer) {
    const net::HttpLimits bounds{.connect_time_max = options_.connect_time_max,
                                 .total_time_max =
                                     call.total_time_max.value_or(options_.total_time_max),
                                 .response_bytes_max = call.answer_bytes_max,
                                 .stop = either(options_.stop, call.stop)};
    const std::string place = where(call.command);
    // Kubo redirects no call: what would is no Kubo, and gets no data.
    const net::HttpPolicy policy{.any_address = true, .follows_redirects = false};
    Result<std::unique_ptr<net::HttpResponse>> begun =
        connections_.request(request, policy, bounds);
    if (!begun) {
        const bool is_absence = begun.error().code == Errc::unavailable;
        return Failure{std::move(begun).take_error().during(place), is_absence, is_absence};
    }
    std::unique_ptr<net::HttpResponse> response = std::move(begun).take();
    const std::uint16_t status = response->head().status;
    if (status == 200) {
        answer = std::make_unique<RpcAnswer>(std::move(response), place, call.kubo_failed);
        return std::nullopt;
    }
    const Bytes body = read_some(*response);
    const Refusal refusal{
        .address = address_, .command = call.command, .status = status, .body = text_of(body)};
    const bool passes = may_pass(refusal);
    Error error = error_of(refusal);
    if (!passes && error.code == Errc::unavailable) {
        error.code = call.kubo_failed;
    }
    return Failure{std::move(error), passes, passes};
}

/// `once` gives the failure of one attempt, or nothing.
template <class Once>
Result<void> Rpc::repeatedly(const RpcCall& call, Once once) {
    const Stop stop = either(options_.stop, call.stop);
    const bool repeats = call.repeat == Repeat::harmless && !call.produce;
    for (int attempts = 1;; ++attempts) {
        if (std::optional<Error> error = closed(call)) {
            return std::move(*error);
        }
        std::optional<Failure> failure = once();
        // An end that was asked for says nothing about Kubo.
        std::optional<Error> stopped = failure && stop ? stop() : std::nullopt;
        if (stopped) {
            return std::move(*stopped);
        }
        report(call, failure);
        if (!failure) {
            return {};
        }
        if (!repeats || !failure->may_pass || attempts >= options_.retry.attempts_max) {
            return std::move(failure->error);
        }
        if (stopped = wait(backoff(options_.retry, attempts, random()), stop); stopped) {
            return std::move(*stopped);
        }
    }
}

std::optional<Error> Rpc::wait(milliseconds time, const Stop& stop) const {
    if (options_.sleep) {
        options_.sleep(time);
        return stop ? stop() : std::nullopt;
    }
    while (time > milliseconds(0)) {
        if (std::optional<Error> stopped = stop ? stop() : std::nullopt) {
            return stopped;
        }
        const milliseconds slice = std::min(time, stop_is_asked_every);
        std::this_thread::sleep_for(slice);
        time -= slice;
    }
    return std::nullopt;
}

Result<std::unique_ptr<RpcAnswer>> Rpc::begin(const RpcCall& call) {
    const net::HttpRequest request = request_of(call);
    std::unique_ptr<RpcAnswer> answer;
    TRY(repeatedly(call, [&] { return attempt(call, request, answer); }));
    return answer;
}

Result<Bytes> Rpc::call(const RpcCall& call) {
    const net::HttpRequest request = request_of(call);
    Bytes body;
    TRY(repeatedly(call, [&]() -> std::optional<Failure> {
        std::unique_ptr<RpcAnswer> answer;
        if (std::optional<Failure> failure = attempt(call, request, answer)) {
            return failure;
        }
        Result<Bytes> all = answer->read_all(call.answer_bytes_max);
        if (all) {
            body = std::move(all).take();
            return std::nullopt;
        }
        const bool is_absence =
            all.error().code == Errc::unavailable && !answer->is_kubos_own_failure();
        return Failure{std::move(all).take_error(), is_absence, is_absence};
    }));
    return body;
}

} // namespace ic::kubo
