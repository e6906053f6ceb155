#include "net/guest_curl.h"

#include <nlohmann/json.hpp>

#include <map>
#include <set>

namespace ic::net {
namespace {

using Json = nlohmann::json;

// Nothing here is nested deeper than the headers' values.
constexpr int depth_max = 2;

// The library keeps the last of two equal names without a word, and takes any depth.
Result<Json> parse_strictly(std::string_view text) {
    bool twice = false;
    bool deep = false;
    std::vector<std::set<std::string>> names;
    const Json::parser_callback_t check = [&](int depth, Json::parse_event_t event, Json& parsed) {
        switch (event) {
        case Json::parse_event_t::object_start:
        case Json::parse_event_t::array_start:
            deep = deep || depth >= depth_max;
            names.emplace_back();
            break;
        case Json::parse_event_t::object_end:
        case Json::parse_event_t::array_end:
            names.pop_back();
            break;
        case Json::parse_event_t::key:
            twice = twice || !names.back().insert(parsed.get<std::string>()).second;
            break;
        case Json::parse_event_t::value:
            break;
        }
        return !deep;
    };
    Json json = Json::parse(text, check, /*allow_exceptions=*/false);
    if (json.is_discarded() || !json.is_object() || deep) {
        return Error{Errc::malformed, "the request is neither a URL nor a JSON object of requests"};
    }
    if (twice) {
        return Error{Errc::malformed, "a name stands twice in the request"};
    }
    return json;
}

Result<std::string> string_of(const Json& value, const std::string& name) {
    if (!value.is_string()) {
        return Error{Errc::malformed, "\"" + name + "\" is not a string"};
    }
    return value.get<std::string>();
}

} // namespace

Result<HttpRequest> parse_guest_request(std::string_view text) {
    if (text.size() > limits::guest_request_bytes_max) {
        return Error{Errc::too_large,
                     "a request has at most " + std::to_string(limits::guest_request_bytes_max) +
                         " bytes"};
    }
    HttpRequest request;
    if (!text.starts_with('{')) {
        if (text.empty() || text.size() > limits::url_bytes_max) {
            return Error{Errc::malformed, "the request is empty, or a URL that is too long"};
        }
        request.url = text;
        return request;
    }
    const Json json = TRY(parse_strictly(text));
    for (const auto& [name, value] : json.items()) {
        if (name == "url") {
            request.url = TRY(string_of(value, name));
        } else if (name == "method") {
            request.method = TRY(string_of(value, name));
        } else if (name == "body") {
            request.body = copy_of(bytes_of(TRY(string_of(value, name))));
        } else if (name == "headers" && value.is_object()) {
            for (const auto& [header, content] : value.items()) {
                request.headers.emplace_back(header, TRY(string_of(content, header)));
            }
        } else {
            return Error{Errc::malformed, "unknown name or wrong type in the request: " + name};
        }
    }
    if (request.url.empty() || request.url.size() > limits::url_bytes_max) {
        return Error{Errc::malformed, "\"url\" is missing or too long"};
    }
    return request;
}

std::string encode_guest_request(const HttpRequest& request) {
    Json headers = Json::object();
    for (const auto& [name, value] : request.headers) {
        headers[name] = value;
    }
    const Json json{{"url", request.url},
                    {"method", request.method},
                    {"headers", headers},
                    {"body", text_of(request.body)}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::unique_ptr<HttpResponse>> guest_curl(std::string_view request,
                                                 std::span<const std::string> job_allow_hosts,
                                                 const WorkerNetwork& worker,
                                                 const HttpLimits& limits) {
    if (job_allow_hosts.empty() || worker.allow_hosts.empty()) {
        return Error{Errc::refused,
                     job_allow_hosts.empty() ? "the job lists no host (submit --allow-host)"
                                             : "this worker allows no host (worker --allow-host)"};
    }
    const HttpRequest parsed = TRY(parse_guest_request(request));
    HttpPolicy policy;
    policy.host_lists.resize(2);
    for (const std::string& host : job_allow_hosts) {
        policy.host_lists[0].push_back(TRY(HostRule::parse(host)));
    }
    policy.host_lists[1] = worker.allow_hosts;
    policy.opened = worker.opened;
    return http_request(parsed, policy, limits);
}

std::string head_line(const HttpHead& head) {
    Json headers = Json::object();
    for (const auto& [name, value] : head.headers) {
        Json& entry = headers[name];
        entry = entry.is_string() ? entry.get<std::string>() + ", " + value : value;
    }
    const Json json{{"status", head.status}, {"headers", headers}, {"url", head.url}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace ic::net
