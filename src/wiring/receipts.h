#pragma once
/// Receipts: has a Kubo keep the receipts that are signed here, and the jobs that they answer, so
/// that whoever knows a CID finds them.

#include "base/result.h"
#include "base/time.h"
#include "ipld/block.h"
#include "kubo/rpc.h"
#include "log/entry.h"
#include "multiformats/cid.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace ic::wiring {

namespace limits {
/// Ours: documents that go in one request.
inline constexpr std::size_t receipts_in_request_max = 256;
/// Ours: documents that wait, and their bytes. Beyond either the oldest goes.
inline constexpr std::size_t receipts_waiting_max = 16'384;
inline constexpr std::size_t receipt_bytes_waiting_max = 16U << 20U;
} // namespace limits

/// What pins of their pages are called in Kubo, to tell them from others'.
inline constexpr std::string_view receipt_pin_name = "ipfs-compute-receipt";

/// Sends the documents as one CAR, with a page that links to their bytes, and has Kubo pin the
/// page. What they link to themselves is pinned elsewhere, or not at all. Blocks. Errors: as
/// `kubo::dag_import` and `kubo::pin_add`.
Result<void> put_documents(kubo::Rpc& rpc, std::span<const Block> documents, kubo::Stop stop = {});

/// All ours.
struct ReceiptsOptions {
    /// They go when none came for so long, and this is the pause between two requests: Kubo has
    /// time for results, and many jobs cost few requests.
    std::chrono::milliseconds gather_time{500};
    /// However many come, they go when the first has waited for so long, or room gets scarce.
    std::chrono::milliseconds patience{30'000};
    /// While Kubo is not there, it is asked this often.
    std::chrono::milliseconds rest_time{5'000};
    /// What the destructor takes at most to hand on what waits.
    std::chrono::milliseconds end_time_max{2'000};
    log::Sink note{}; ///< That something is lost to others, once until all is well again.
};

/// Best effort, on a thread of its own: nobody waits for it, and a receipt counts without it.
/// Threads: any.
class Receipts {
public:
    struct Counts {
        std::uint64_t handed_on = 0;
        std::uint64_t refused = 0; ///< By Kubo, for good.
        std::uint64_t dropped = 0; ///< Too many waited, or this ended.
    };

    using HandedOn = std::function<void(std::span<const Cid> cids)>;

    /// `on_handed_on` is called with what Kubo has from now on, on the thread of this. Lifetime:
    /// `rpc`, and what `on_handed_on` uses, outlive it.
    Receipts(kubo::Rpc& rpc, HandedOn on_handed_on, ReceiptsOptions options = {});
    Receipts(const Receipts&) = delete;
    Receipts& operator=(const Receipts&) = delete;
    ~Receipts();

    /// Never blocks.
    void add(std::vector<Block> documents);

    Counts counts() const;

private:
    void run();
    bool is_time() const;
    std::vector<Block> take();
    Result<void> hand_on(std::span<const Block> documents);
    void put_back(std::vector<Block> documents);
    void drop_oldest();
    void note_loss(const std::string& why);
    std::optional<Error> stopped() const;

    kubo::Rpc& rpc_;
    const HandedOn on_handed_on_;
    const ReceiptsOptions options_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Instant> ending_until_; ///< Set when this is to end.
    std::deque<Block> waiting_;           ///< The oldest first.
    std::size_t waiting_bytes_ = 0;
    Instant waiting_since_{}; ///< When there was none before it.
    Instant added_at_{};      ///< The newest.
    bool is_noted_ = false;
    Counts counts_;
    std::thread thread_; // Last: it uses all of the above.
};

} // namespace ic::wiring
