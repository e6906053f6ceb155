#include "kubo/client.h"

#include "kubo/node.h"
#include "kubo/rpc.h"

#include <memory>

namespace ic::kubo {
namespace {

/// For one call that is made once.
Result<std::unique_ptr<Rpc>> once(const std::string& url, std::chrono::milliseconds time_max) {
    RpcOptions options;
    options.address = url;
    options.total_time_max = time_max;
    options.retry.attempts_max = 1;
    return Rpc::open(std::move(options));
}

} // namespace

Result<std::string> version(const std::string& url, std::chrono::milliseconds time_max) {
    const std::unique_ptr<Rpc> rpc = TRY(once(url, time_max));
    return version(*rpc);
}

} // namespace ic::kubo
