#include "wiring/curl.h"

#include "base/time.h"
#include "net/guest_curl.h"

#include <algorithm>
#include <utility>

namespace ic::wiring {
namespace {

/// The body of an answer, as executors take it.
class Body final : public executor::CurlBody {
public:
    explicit Body(std::unique_ptr<net::HttpResponse> response) : response_(std::move(response)) {
        head_.status = response_->head().status;
        head_.json = net::head_line(response_->head());
    }

    const executor::CurlHead& head() const override { return head_; }

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        return response_->read(into);
    }

private:
    std::unique_ptr<net::HttpResponse> response_;
    executor::CurlHead head_;
};

/// Why a request has to end now, asked while it waits.
std::optional<Error> stop_error(const executor::Permit& permit) {
    if (const std::optional<Errc> reason = permit.stop_reason()) {
        return Error{*reason, "the run was stopped"};
    }
    if (now_since_boot() >= permit.lease_until()) {
        return Error{Errc::lease_lost, "the lease is over"};
    }
    return std::nullopt;
}

bool has_idempotency_key(const net::HttpHeaders& headers) {
    return std::ranges::any_of(headers, [](const auto& header) {
        return std::ranges::equal(
            header.first, std::string_view("idempotency-key"), {}, [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            });
    });
}

} // namespace

Result<worker::Curl> guest_curl(const job::Policy& policy,
                                const std::vector<std::string>& private_addresses) {
    net::WorkerNetwork network;
    bool any_host = false;
    for (const std::string& host : policy.hosts) {
        if (host == "*") {
            any_host = true;
            continue;
        }
        Result<net::HostRule> rule = net::HostRule::parse(host);
        if (!rule) {
            return Error{Errc::usage, "--allow-host '" + host + "': " + rule.error().message};
        }
        network.allow_hosts.push_back(std::move(rule).take());
    }
    for (const std::string& address : private_addresses) {
        Result<net::OpenedAddress> opened = net::OpenedAddress::parse(address);
        if (!opened) {
            return Error{Errc::usage,
                         "--allow-private-address '" + address + "': " + opened.error().message};
        }
        network.opened.push_back(std::move(opened).take());
    }
    return worker::Curl([network = std::move(network), any_host](std::string_view request,
                                                                 const executor::Task& task,
                                                                 const executor::Permit& permit)
                            -> Result<std::unique_ptr<executor::CurlBody>> {
        net::HttpRequest parsed = TRY(net::parse_guest_request(request));
        if (!has_idempotency_key(parsed.headers)) {
            parsed.headers.emplace_back(
                "Idempotency-Key", task.lease.job.to_string() + "/" + task.lease.epoch.to_string());
        }
        net::WorkerNetwork worker_network = network;
        if (any_host) { // Then the job's own list decides alone.
            worker_network.allow_hosts.clear();
            for (const std::string& host : task.spec.allow_hosts) {
                worker_network.allow_hosts.push_back(TRY(net::HostRule::parse(host)));
            }
        }
        net::HttpLimits limits;
        limits.stop = [&permit] { return stop_error(permit); };
        return std::unique_ptr<executor::CurlBody>(std::make_unique<Body>(TRY(net::guest_curl(
            net::encode_guest_request(parsed), task.spec.allow_hosts, worker_network, limits))));
    });
}

} // namespace ic::wiring
