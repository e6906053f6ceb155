#pragma once
/// ipfsComputeCurl: what a guest asks for, what it may reach, and what it reads back.
/// The request is a URL, or a JSON object {"url", "method", "headers", "body"}: only "url" is
/// needed, "headers" is an object of strings, "body" a string. docs/formats/curl.md.

#include "base/result.h"
#include "net/http_client.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ic::net {

namespace limits {
/// What a guest may pass, body included.
inline constexpr std::size_t guest_request_bytes_max = 1U << 20U;
} // namespace limits

/// Reads a guest's request. Errors: malformed (also for a name given twice or unknown), too_large.
/// Inverse: `encode_guest_request`.
Result<HttpRequest> parse_guest_request(std::string_view text);

/// The JSON form, in one line.
std::string encode_guest_request(const HttpRequest& request);

/// What this worker lets guests reach, whatever a job lists.
struct WorkerNetwork {
    std::vector<HostRule> allow_hosts; ///< `--allow-host`; empty: nothing.
    std::vector<OpenedAddress> opened; ///< `--allow-private-address`.
};

/// Does the request, if the job (its list) and the worker both allow the host. Blocks until the
/// head is there. Errors: as `http_request`; refused if either list is empty.
Result<std::unique_ptr<HttpResponse>> guest_curl(std::string_view request,
                                                 std::span<const std::string> job_allow_hosts,
                                                 const WorkerNetwork& worker,
                                                 const HttpLimits& limits);

/// The first line that the guest reads: {"status":200,"headers":{...},"url":"..."} without the line
/// end. Header names in lower case; values that came twice are joined with ", "; bytes that are not
/// UTF-8 become U+FFFD.
std::string head_line(const HttpHead& head);

} // namespace ic::net
