#pragma once
/// MetricsEndpoint: the numbers of this process, for a Prometheus that asks for them.

#include "base/result.h"
#include "config/home.h"
#include "metrics/registry.h"
#include "net/event_loop.h"
#include "wiring/node.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace ic::net {
class WebSocketListener;
}

namespace ic::wiring {

namespace limits {
/// Ours: connections at once. Whoever scrapes needs one.
inline constexpr std::size_t metrics_connections_max = 16;
} // namespace limits

/// Where the setting `metrics.listen` says: a port alone is of 127.0.0.1; `off` is empty.
/// Inverse of nothing; errors of the address come from `MetricsEndpoint::open`.
std::string metrics_address(const std::string& setting);

/// Whether others than this machine can ask there.
bool is_open_to_others(std::string_view address);

/// Sets what is looked up instead of counted: of the node, and of the store in `home`. On the
/// loop's thread.
void refresh(metrics::Registry& counts, const Node& node, const config::Home& home);

/// Answers GET /metrics and nothing else. Threads: the loop's. Lifetime: within the loop's.
class MetricsEndpoint {
public:
    /// Errors: malformed (address), unavailable (in use, no permission).
    static Result<std::unique_ptr<MetricsEndpoint>>
    open(net::EventLoop& loop, std::string_view address, metrics::Registry& counts);

    explicit MetricsEndpoint(std::unique_ptr<net::WebSocketListener> listener);
    ~MetricsEndpoint();

    std::uint16_t port() const;

private:
    std::unique_ptr<net::WebSocketListener> listener_;
};

} // namespace ic::wiring
