#pragma once
/// Publication: DAGs of this machine's store into a Kubo, which keeps them and gives them to
/// others.

#include "base/result.h"
#include "ipld/block.h"
#include "kubo/rpc.h"
#include "multiformats/cid.h"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace ic::wiring {

/// Sends the whole DAG below each root as one CAR and has Kubo pin the roots. Roots that are not
/// in `source` whole are errors; CIDs that carry their block themselves are left out.
/// Blocks. Threads: any. Errors: as the source and `kubo::dag_import`; what `stop` says.
Result<void>
publish(BlockSource& source, kubo::Rpc& rpc, std::span<const Cid> roots, kubo::Stop stop = {});

namespace limits {
/// Ours: roots that go in one request.
inline constexpr std::size_t publication_roots_max = 512;
} // namespace limits

/// Has roots handed on for many at once: while as many requests as may be are under way, those who
/// come wait, and go together in the next. Each hears of its own when that request is over, so what
/// it was told is kept is pinned. If a request of several fails for another reason than that Kubo
/// is not there, each of them is tried alone: nobody fails for what another one lacks. Threads:
/// any; calls block. Lifetime: what `hand_on` uses outlives it, and it all calls.
class Publications {
public:
    /// As `publish`.
    using HandOn = std::function<Result<void>(std::span<const Cid> roots, kubo::Stop stop)>;

    /// Two requests keep Kubo busy while one of them waits for its disk.
    explicit Publications(HandOn hand_on, std::size_t requests_at_once = 2)
        : hand_on_(std::move(hand_on))
        , requests_at_once_(requests_at_once) {}

    /// Errors: as `hand_on`; what `stop` says, at once: then they may be handed on all the same.
    Result<void> publish(std::span<const Cid> roots, kubo::Stop stop);

    /// Requests so far. For tests and measurements.
    std::uint64_t requests() const;

    /// Callers right now that are in no request yet. For tests and measurements.
    std::size_t waiting() const;

private:
    struct Entry {
        std::vector<Cid> roots;
        kubo::Stop stop;      ///< Asked with the lock held, and never once its caller has gone.
        bool is_gone = false; ///< Its caller was stopped, and waits no more.
        std::optional<Result<void>> result{};
    };

    using Entries = std::vector<std::shared_ptr<Entry>>;

    Entries take_waiting();
    void hand_on(const Entries& entries);
    std::optional<Error> stopped(std::span<const std::shared_ptr<Entry>> entries);

    const HandOn hand_on_;
    const std::size_t requests_at_once_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::shared_ptr<Entry>> waiting_;
    std::size_t under_way_ = 0;
    std::uint64_t requests_ = 0;
};

} // namespace ic::wiring
