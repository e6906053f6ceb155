#pragma once
/// PublishLock: one publisher at a time through one Kubo, over all processes of this machine.

#include "base/result.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "kubo/rpc.h"

#include <chrono>
#include <string>
#include <string_view>

namespace ic::kubo {

/// A file that is locked with flock(2): free again when its holder dies. Threads: one.
class PublishLock {
public:
    /// Opens, or makes, `pubsub-PEER.lock` in `folder`, which is made too. Errors: as
    /// `system_error`.
    static Result<PublishLock> open(const std::string& folder, std::string_view peer_id);

    /// Waits for at most `time`, or until `stop` says so; whether it is held now. `rpc` gives the
    /// time and what is left to chance. One that was held a moment ago is left to the others first:
    /// they ask for it now and then, and would never meet it free.
    bool acquire(std::chrono::milliseconds time, const Rpc& rpc, const Stop& stop);

    void release();

private:
    explicit PublishLock(UniqueFd file) : file_(std::move(file)) {}

    UniqueFd file_;
    Instant released_at_{};
};

} // namespace ic::kubo
