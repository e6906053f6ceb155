#include "kubo/client.h"

#include "base/text.h"
#include "net/http_client.h"

#include <nlohmann/json.hpp>

#include <array>
#include <memory>

namespace ic::kubo {
namespace {

/// Kubo's bound on one block, which is ours (`ic::limits::block_bytes_max`); ipld is not seen here.
constexpr std::size_t block_bytes_max = std::size_t{2} << 20U;

Result<Bytes> read_all(net::HttpResponse& response, std::size_t bytes_max) {
    Bytes body;
    for (;;) {
        std::array<std::uint8_t, 64U << 10U> piece{};
        const std::size_t count = TRY(response.read(piece));
        if (count == 0) {
            return body;
        }
        if (body.size() + count > bytes_max) {
            return Error{Errc::too_large,
                         "Kubo's answer has more than " + std::to_string(bytes_max) + " bytes"};
        }
        body.insert(body.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
    }
}

/// What Kubo says went wrong: `{"Message": ...}`, or its first line.
std::string message_of(net::HttpResponse& response) {
    const Result<Bytes> body = read_all(response, limits::error_bytes_max);
    if (!body) {
        return "HTTP status " + std::to_string(response.head().status);
    }
    const nlohmann::json json = nlohmann::json::parse(text_of(*body), nullptr, false);
    if (json.is_object() && json.contains("Message") && json["Message"].is_string()) {
        return printable(json["Message"].get<std::string>());
    }
    return printable(text_of(*body).substr(0, text_of(*body).find('\n')));
}

} // namespace

Result<Bytes>
block_get(const std::string& url, const Cid& cid, std::chrono::milliseconds time_max) {
    const net::HttpRequest request{.method = "POST",
                                   .url = url + "/api/v0/block/get?arg=" + cid.to_string() +
                                          "&timeout=" + std::to_string(time_max.count()) + "ms"};
    // A little longer than Kubo's own limit, so that its answer is what is seen.
    const net::HttpLimits bounds{.connect_time_max = limits::connect_time_max,
                                 .total_time_max = time_max + std::chrono::seconds(2),
                                 .response_bytes_max = block_bytes_max + 1,
                                 .stop = {}};
    const std::unique_ptr<net::HttpResponse> response =
        TRY(net::http_request(request, net::HttpPolicy{.any_address = true}, bounds));
    const std::uint16_t status = response->head().status;
    if (status == 200) {
        return read_all(*response, block_bytes_max);
    }
    if (status == 403 || status == 401) {
        return Error{Errc::refused,
                     "Kubo at " + url + " refuses block/get: " + message_of(*response)};
    }
    return Error{Errc::cid_unavailable, "Kubo at " + url + " says: " + message_of(*response)};
}

Result<std::string> version(const std::string& url, std::chrono::milliseconds time_max) {
    const net::HttpRequest request{.method = "POST", .url = url + "/api/v0/version"};
    const net::HttpLimits bounds{.connect_time_max = limits::connect_time_max,
                                 .total_time_max = time_max,
                                 .response_bytes_max = limits::error_bytes_max,
                                 .stop = {}};
    const std::unique_ptr<net::HttpResponse> response =
        TRY(net::http_request(request, net::HttpPolicy{.any_address = true}, bounds));
    const std::uint16_t status = response->head().status;
    if (status == 403 || status == 401) {
        return Error{Errc::refused, "Kubo at " + url + " refuses: " + message_of(*response)};
    }
    const Bytes body = TRY(read_all(*response, limits::error_bytes_max));
    const nlohmann::json json = nlohmann::json::parse(text_of(body), nullptr, false);
    if (status != 200 || !json.is_object() || !json.contains("Version") ||
        !json["Version"].is_string()) {
        return Error{Errc::malformed, "what answers at " + url + " is no Kubo"};
    }
    return printable(json["Version"].get<std::string>());
}

} // namespace ic::kubo
