#pragma once
/// KuboSource: blocks of this user's Kubo node, and of the network behind it.

#include "base/time.h"
#include "ipld/block.h"
#include "kubo/rpc.h"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace ic {

namespace limits {
/// Ours: for how long a Kubo that did not answer is not asked again.
inline constexpr std::chrono::seconds kubo_absence_remembered{3};
} // namespace limits

struct KuboOptions {
    /// Says where the API is, as `kubo::api_url`; asked before each request, since a daemon may
    /// start later or elsewhere.
    std::function<Result<std::string>()> find_api;
    std::string token{};                        ///< As kubo::RpcOptions has it.
    std::chrono::milliseconds time_max{30'000}; ///< For one block.
    Instant (*now)() = &now_since_boot;
};

/// What it gives is verified. Every failure says where the block was looked for and what to do.
/// Errors: cid_unavailable; hash_mismatch. Threads: any; calls block.
class KuboSource final : public BlockSource {
public:
    explicit KuboSource(KuboOptions options) : options_(std::move(options)) {}

    Result<LentBytes> get(const Cid& cid) override;

    /// As `get`, and ends soon after `stop` says so. Errors: also what `stop` says.
    Result<LentBytes> get(const Cid& cid, const kubo::Stop& stop);

    /// The Kubo where it is now. Errors: unavailable if it did not answer a moment ago; of its
    /// address.
    Result<std::shared_ptr<kubo::Rpc>> rpc();

private:
    /// What was wrong when Kubo was last not there, if that is not long ago.
    std::string absence();
    Result<std::shared_ptr<kubo::Rpc>> rpc_at(const std::string& url);

    const KuboOptions options_;
    std::mutex mutex_;
    std::string absence_;
    Instant absent_until_{};
    std::shared_ptr<kubo::Rpc> rpc_; ///< Of the last address; whoever asks it keeps it meanwhile.
};

} // namespace ic
