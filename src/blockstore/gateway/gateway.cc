#include "blockstore/gateway/gateway.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace ic::gateway {
namespace {

constexpr std::string_view raw_type = "application/vnd.ipld.raw";
constexpr std::string_view car_type = "application/vnd.ipld.car";

// Trustless gateway specification, "CAR responses".
constexpr std::string_view car_accept = "application/vnd.ipld.car; version=1; order=dfs; dups=n";

std::string_view header(const net::HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.head().headers) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

/// Seconds; dates, which are allowed too, count as none.
std::chrono::seconds retry_after(const net::HttpResponse& response) {
    const std::string_view text = header(response, "retry-after");
    std::int64_t seconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return std::clamp(
        std::chrono::seconds(seconds), std::chrono::seconds(0), limits::retry_after_max);
}

bool misbehaves(Errc code) {
    return code == Errc::hash_mismatch || code == Errc::malformed || code == Errc::too_large ||
           code == Errc::refused;
}

} // namespace

std::string path_of(const DagRequest& request) {
    constexpr std::uint64_t no_end = std::numeric_limits<std::uint64_t>::max();
    std::string path = "/ipfs/" + request.root.to_string() + "?format=car&dag-scope=";
    path += request.scope == ReadPlan::Scope::all ? "all" : "entity";
    if (request.offset != 0 || request.end != no_end) {
        const std::string last =
            request.end == no_end
                ? std::string("*")
                : std::to_string(request.end - std::min<std::uint64_t>(request.end, 1));
        path += "&entity-bytes=" + std::to_string(request.offset) + ":" + last;
    }
    return path;
}

Result<std::string> gateway_url(std::string_view text) {
    const Error wrong{Errc::usage,
                      "a gateway is http://HOST or https://HOST, with a port and a path if need "
                      "be, not '" +
                          printable(text) + "'"};
    const std::size_t scheme = text.starts_with("https://")  ? 8
                               : text.starts_with("http://") ? 7
                                                             : 0;
    const bool is_plain = std::ranges::all_of(text, [](char letter) {
        return letter > ' ' && letter < 0x7f && letter != '?' && letter != '#' && letter != '@';
    });
    while (text.ends_with('/') && text.size() > scheme) {
        text.remove_suffix(1);
    }
    if (scheme == 0 || !is_plain || text.size() == scheme ||
        text.size() > net::limits::url_bytes_max / 2) {
        return wrong;
    }
    return std::string(text);
}

Result<void> probe(const std::string& url, std::chrono::milliseconds time_max) {
    Gateway gateway(url, {.connect_max = time_max, .head_max = time_max});
    TRY(gateway.block(Cid(), [] { return false; }));
    return {};
}

Gateway::Gateway(std::string url, GatewayTimes times) : url_(std::move(url)), times_(times) {}

Result<std::unique_ptr<net::HttpResponse>>
Gateway::request(const std::string& path, std::string_view accept, const Stop& stop) {
    const net::HttpLimits bounds{
        .connect_time_max = times_.connect_max,
        .total_time_max = std::chrono::hours(24), // A large file; the floor of the rate ends it.
        .head_time_max = times_.head_max,
        .rate_floor = times_.rate_floor,
        .response_bytes_max = accept == raw_type ? ic::limits::block_bytes_max
                                                 : std::numeric_limits<std::uint64_t>::max(),
        .stop = [stop]() -> std::optional<Error> {
            return stop() ? std::optional(Error{Errc::cancelled, "not wanted any more"})
                          : std::nullopt;
        }};
    const net::HttpPolicy named_by_a_user{.any_first_address = true};
    return connections_.request({.url = url_ + path, .headers = {{"Accept", std::string(accept)}}},
                                named_by_a_user,
                                bounds);
}

/// What is wrong with an answer that is none of the bytes asked for.
std::optional<Error> Gateway::kind_of(const net::HttpResponse& response,
                                      std::string_view wanted) const {
    const std::string_view type = header(response, "content-type");
    if (type.starts_with("text/")) {
        return Error{Errc::unavailable,
                     "it answers with " + printable(type.substr(0, 64)) + " instead of " +
                         std::string(wanted) + ": no trustless gateway, or a page in front of one"};
    }
    return std::nullopt;
}

Error Gateway::failure_of(const net::HttpResponse& response) {
    const std::uint16_t status = response.head().status;
    const std::string says = "it answers with HTTP status " + std::to_string(status);
    switch (status) {
    case 404:
    case 410:
    case 412:
    case 451:
    case 504:
        return {Errc::cid_unavailable, says};
    default:
        break;
    }
    const std::lock_guard lock(mutex_);
    retry_after_ = retry_after(response);
    return {Errc::unavailable, says};
}

Result<Bytes> Gateway::block(const Cid& cid, const Stop& stop) {
    const std::unique_ptr<net::HttpResponse> response =
        TRY(request("/ipfs/" + cid.to_string() + "?format=raw", raw_type, stop));
    if (response->head().status != 200) {
        return failure_of(*response);
    }
    if (std::optional<Error> wrong = kind_of(*response, raw_type)) {
        return std::move(*wrong);
    }
    Bytes body;
    for (;;) {
        std::array<std::uint8_t, 64U << 10U> piece; // Filled by `read` as far as it is looked at.
        const std::size_t count = TRY(response->read(piece));
        if (count == 0) {
            break;
        }
        body.insert(body.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
    }
    if (const Result<void> verified = cid.verify(body); !verified) {
        return Error{verified.error().code,
                     "it sends wrong bytes for block " + cid.to_string() + ": " +
                         verified.error().message};
    }
    return body;
}

Result<std::unique_ptr<net::HttpResponse>> Gateway::dag(const DagRequest& wanted,
                                                        const Stop& stop) {
    std::unique_ptr<net::HttpResponse> response = TRY(request(path_of(wanted), car_accept, stop));
    const std::uint16_t status = response->head().status;
    if (status == 400 || status == 406 || status == 415 || status == 501) {
        const std::lock_guard lock(mutex_);
        serves_dags_ = false;
        return Error{Errc::cid_unavailable,
                     "it serves no CARs (HTTP status " + std::to_string(status) + ")"};
    }
    if (status != 200) {
        return failure_of(*response);
    }
    if (std::optional<Error> wrong = kind_of(*response, car_type)) {
        return std::move(*wrong);
    }
    return response;
}

std::string Gateway::objection(Instant now) const {
    const std::lock_guard lock(mutex_);
    if (!dropped_for_.empty()) {
        return dropped_for_ + ", and is not asked again";
    }
    return now < rests_until_ ? failed_with_ + ", and is left alone for a while" : std::string{};
}

bool Gateway::is_dropped() const {
    const std::lock_guard lock(mutex_);
    return !dropped_for_.empty();
}

bool Gateway::serves_dags() const {
    const std::lock_guard lock(mutex_);
    return serves_dags_;
}

std::chrono::nanoseconds Gateway::latency() const {
    const std::lock_guard lock(mutex_);
    return latency_;
}

void Gateway::note_answer(std::chrono::nanoseconds after) {
    const std::lock_guard lock(mutex_);
    failures_ = 0;
    latency_ = latency_.count() == 0 ? after : (3 * latency_ + after) / 4;
}

bool Gateway::note_failure(const Error& error, Instant now) {
    const std::lock_guard lock(mutex_);
    if (misbehaves(error.code)) {
        return std::exchange(dropped_for_, error.message).empty();
    }
    if (error.code == Errc::unavailable) {
        failed_with_ = error.message;
        const std::chrono::seconds asked_for = std::exchange(retry_after_, {});
        if (++failures_ >= limits::failures_max || asked_for.count() != 0) {
            rests_until_ = now + std::max(asked_for, limits::rest_time);
        }
    }
    return false;
}

} // namespace ic::gateway
