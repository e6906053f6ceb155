#include "blockstore/kubo/kubo_source.h"

#include "kubo/block.h"

#include <utility>

namespace ic {
namespace {

Error not_to_be_had(const Cid& cid, const std::string& why, std::string_view remedy) {
    std::string message = "block " + cid.to_string() + " is not in this store, and " + why;
    message.append("; ").append(remedy);
    return {Errc::cid_unavailable, std::move(message)};
}

constexpr std::string_view add_it_here =
    "add it here ('ipfs-compute add'), or start a Kubo that has it ('ipfs daemon')";

} // namespace

std::string KuboSource::absence() {
    const std::lock_guard lock(mutex_);
    return options_.now() < absent_until_ ? absence_ : std::string{};
}

/// Calls are made once: whoever reads asks again, or asks somebody else.
Result<std::shared_ptr<kubo::Rpc>> KuboSource::rpc_at(const std::string& url) {
    const std::lock_guard lock(mutex_);
    if (!rpc_ || rpc_->address() != url) {
        kubo::RpcOptions options;
        options.address = url;
        options.token = options_.token;
        options.retry.attempts_max = 1;
        rpc_ = TRY(kubo::Rpc::open(std::move(options)));
    }
    return rpc_;
}

Result<std::shared_ptr<kubo::Rpc>> KuboSource::rpc() {
    if (const std::string why = absence(); !why.empty()) {
        return Error{Errc::unavailable, why};
    }
    return rpc_at(TRY(options_.find_api()));
}

Result<LentBytes> KuboSource::get(const Cid& cid) { return get(cid, {}); }

Result<LentBytes> KuboSource::get(const Cid& cid, const kubo::Stop& stop) {
    if (const std::string why = absence(); !why.empty()) {
        return not_to_be_had(cid, why, add_it_here);
    }
    const Result<std::string> url = options_.find_api();
    const Result<std::shared_ptr<kubo::Rpc>> rpc =
        url ? rpc_at(*url) : Result<std::shared_ptr<kubo::Rpc>>(url.error());
    if (!rpc) {
        return not_to_be_had(cid, rpc.error().message, "correct that, or set kubo to off");
    }
    Result<Bytes> data = kubo::block_get(**rpc, cid, kubo::Reach::network(options_.time_max), stop);
    if (data) {
        if (Result<void> verified = cid.verify(*data); !verified) {
            return std::move(verified).take_error().during("block " + cid.to_string() +
                                                           " from Kubo at " + *url);
        }
        return LentBytes::of(std::move(data).take());
    }
    if (std::optional<Error> stopped = stop ? stop() : std::nullopt) {
        return std::move(*stopped);
    }
    if (data.error().code != Errc::unavailable) {
        return not_to_be_had(
            cid, data.error().message, "add it there or here, or wait until a peer has it");
    }
    const std::string why = "no Kubo answers at " + *url;
    {
        const std::lock_guard lock(mutex_);
        absence_ = why;
        absent_until_ = options_.now() + limits::kubo_absence_remembered;
    }
    return not_to_be_had(cid, why, add_it_here);
}

} // namespace ic
