#pragma once
/// DagReader: blocks of a store, into which DAGs come whole, or in large pieces, from who sends
/// CARs.

#include "base/result.h"
#include "base/time.h"
#include "blockstore/blockstore.h"
#include "blockstore/counting_source.h"
#include "car/dag_stream.h"
#include "ipld/block.h"
#include "multiformats/cid.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

namespace ic::car_store {

namespace limits {
/// Ours: what has up to so many bytes below it comes whole, whatever of it is read: a tenth of a
/// second from a Kubo that has to fetch it.
inline constexpr std::uint64_t whole_dag_bytes_max = std::uint64_t{16} << 20U;
/// Ours: how much of a larger file comes at once when reading in order begins. It doubles as long
/// as that goes on, up to the other.
inline constexpr std::uint64_t range_bytes_first = std::uint64_t{2} << 20U;
inline constexpr std::uint64_t range_bytes_max = std::uint64_t{16} << 20U;
/// Ours: what a CAR may bring beyond the content that it was asked for: inner nodes, and one block.
inline constexpr std::uint64_t car_bytes_more_max = std::uint64_t{4} << 20U;
inline constexpr std::size_t car_blocks_max = std::size_t{1} << 16U;
/// Ours: nodes of files whose parts are remembered, for ranges; each has some 56 bytes a link.
inline constexpr std::size_t file_nodes_max = 4;
} // namespace limits

/// An error as soon as what is under way should end, nothing until then. Cheap.
using Stop = std::function<std::optional<Error>()>;

/// Who sends CARs. None is trusted. Threads: any.
class CarSender {
public:
    virtual ~CarSender() = default;

    /// Whether it is worth asking now.
    virtual bool may_ask() = 0;

    /// Begins a CAR of what `plan` says, its root first. Errors: unsupported if it cannot send a
    /// part of a file alone; what `stop` says; any other.
    virtual Result<std::unique_ptr<car::ByteStream>> open(const ReadPlan& plan,
                                                          const Stop& stop) = 0;

    /// What it sent was wrong, not whole or not there.
    virtual void note(const Error& error) = 0;
};

/// What came how, over all readers that share it.
struct DagReaderCounts {
    std::atomic<std::uint64_t> whole{0};  ///< CARs of all below a root.
    std::atomic<std::uint64_t> ranges{0}; ///< CARs of a part of a file.
    std::atomic<std::uint64_t> failed{
        0}; ///< CARs that were wrong, or did not bring what they had to.
    std::atomic<std::uint64_t> single{0}; ///< Blocks that were asked for one by one.
    std::atomic<std::uint64_t> blocks{0}; ///< In CARs.
    std::atomic<std::uint64_t> bytes{0};  ///< Of these blocks.
};

struct DagReaderOptions {
    /// In the order in which they are asked. Lifetime: as the reader.
    std::vector<CarSender*> senders{};
    /// One block, where no CAR is of use or none was good. Errors: as BlockSource::get.
    std::function<Result<LentBytes>(const Cid&, const Stop&)> single{};
    /// For a block to come, and between two blocks of a CAR.
    std::chrono::milliseconds block_time_max{30'000};
    Stop stop{}; ///< Ends what is under way. May be empty.
    /// Called once, before anybody is asked for the first block that is missing. May be empty.
    std::function<void(const Stop&)> before_asking{};
    BlockCounts* told = nullptr; ///< Of each block that comes or does not. Null: nobody.
};

/// What is not in `local` is fetched, verified and put there, more than was asked for where that
/// saves time:
///  - what has at most `limits::whole_dag_bytes_max` below it, as the links of its root claim,
///    comes whole as soon as its root is asked for;
///  - of a larger file, a range from the block that is asked for on, if the one before it is here
///    already (it is read in order) or it is the first: `limits::range_bytes_first`, then twice as
///    much each time;
///  - anything else, and what a CAR did not bring, block by block.
///
/// Whatever a sender does costs no more than a CAR's bound in bytes and blocks, and half of the
/// block's time if there is another one to ask; then that one is, and at the end the block alone.
///
/// Errors: cid_unavailable if nobody gives the block in time, also where that is the fetch_timeout
/// of `stop` and nothing has come; else what `stop` says, and as `single`. Threads: one. Lifetime:
/// `local` and `counts` outlive it.
class DagReader final : public BlockSource {
public:
    DagReader(BlockStore& local, DagReaderOptions options, DagReaderCounts& counts);

    Result<LentBytes> get(const Cid& cid) override;

private:
    /// A node of a file: its parts, and where in what is below it each ends.
    struct FileNode {
        Cid cid;
        std::vector<Cid> parts;
        std::vector<std::uint64_t> ends;
        std::uint64_t content_bytes = 0; ///< Of its own, before the first part.
        std::uint64_t range_bytes = limits::range_bytes_first;
    };

    std::optional<Error> ended(const Cid& cid) const;
    std::optional<Error> tired_of_sender() const;
    void wait_for_next() { until_ = now_since_boot() + options_.block_time_max; }

    std::optional<ReadPlan> plan_for(const Cid& cid);
    std::optional<ReadPlan> range_for(FileNode& node, std::size_t part);
    void remember(const Cid& cid, ByteView block);
    Result<void> fetch(const Cid& cid, const ReadPlan& plan);
    Result<void> take_car(CarSender& sender, const ReadPlan& plan, const Stop& stop);
    Result<LentBytes> get_single(const Cid& cid);
    bool is_here(const Cid& cid);

    BlockStore& local_;
    const DagReaderOptions options_;
    DagReaderCounts& counts_;
    std::list<FileNode> nodes_; ///< The one used last first.
    Instant until_{};           ///< For the next block to come.
    bool has_come_ = false;     ///< A block, since the last `get` began.
    bool no_room_ = false;      ///< What comes cannot be kept.
    bool has_asked_ = false;
};

} // namespace ic::car_store
