#pragma once
/// Gateway: one trustless HTTP gateway, and what this process has learnt of it.
/// Format: https://specs.ipfs.tech/http-gateways/trustless-gateway/.

#include "base/time.h"
#include "ipld/block.h"
#include "net/http_client.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace ic::gateway {

namespace limits {
/// Ours: failures in a row after which a gateway is left alone for `rest_time`.
inline constexpr int failures_max = 2;
inline constexpr std::chrono::seconds rest_time{3};
/// Ours: how long a gateway that asks for it (Retry-After) is left alone at most.
inline constexpr std::chrono::seconds retry_after_max{60};
} // namespace limits

/// What of a DAG is asked for as one CAR.
struct DagRequest {
    Cid root;
    ReadPlan::Scope scope = ReadPlan::Scope::entity;
    std::uint64_t offset = 0;
    std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
};

/// "/ipfs/CID?format=car&dag-scope=...", with `entity-bytes` where it is a part of a file.
std::string path_of(const DagRequest& request);

/// `http(s)://HOST[:PORT][/PREFIX]` without a slash at its end.
/// Errors: usage for anything else, such as a query.
Result<std::string> gateway_url(std::string_view text);

/// Whether a trustless gateway answers at `url`: asks for the empty block, which all of them have.
/// Source: Trustless Gateway Specification, "HTTP probing". Errors: as `Gateway`'s requests.
Result<void> probe(const std::string& url, std::chrono::milliseconds time_max);

struct GatewayTimes {
    std::chrono::milliseconds connect_max{5'000};
    std::chrono::milliseconds head_max{30'000}; ///< Until an answer begins.
    net::RateFloor rate_floor{.bytes = 1024, .time = std::chrono::seconds(10)};
};

/// Asks `true` when nobody wants the answer any more.
using Stop = std::function<bool()>;

/// Errors of its requests say whose fault it is:
///   hash_mismatch, malformed, too_large, refused: it misbehaves and is dropped when `note` hears;
///   cid_unavailable: it does not have it; unavailable: it fails; cancelled: nobody's.
/// Threads: any.
class Gateway {
public:
    Gateway(std::string url, GatewayTimes times);

    const std::string& url() const { return url_; }

    /// The bytes of a block, verified.
    Result<Bytes> block(const Cid& cid, const Stop& stop);

    /// An answer whose body claims to be the CAR.
    Result<std::unique_ptr<net::HttpResponse>> dag(const DagRequest& request, const Stop& stop);

    /// Why it must not be asked now; empty if it may be.
    std::string objection(Instant now) const;
    bool is_dropped() const;
    /// Whether `dag` is of use: some gateways know raw blocks alone.
    bool serves_dags() const;

    /// How long an answer takes to begin, on average; zero before the first.
    std::chrono::nanoseconds latency() const;

    void note_answer(std::chrono::nanoseconds after);
    /// Gives whether the gateway has just been dropped.
    bool note_failure(const Error& error, Instant now);

private:
    Result<std::unique_ptr<net::HttpResponse>>
    request(const std::string& path, std::string_view accept, const Stop& stop);
    Error failure_of(const net::HttpResponse& response);
    std::optional<Error> kind_of(const net::HttpResponse& response, std::string_view wanted) const;

    const std::string url_;
    const GatewayTimes times_;
    net::HttpConnections connections_;

    mutable std::mutex mutex_;
    std::string dropped_for_; ///< Empty: it is not.
    std::string failed_with_; ///< The last failure.
    int failures_ = 0;        ///< In a row.
    Instant rests_until_{};
    std::chrono::seconds retry_after_{0}; ///< Of the answer that failed.
    bool serves_dags_ = true;
    std::chrono::nanoseconds latency_{0};
};

} // namespace ic::gateway
