#pragma once
/// Blocks, and where they come from and go to.

#include "base/bytes.h"
#include "base/result.h"
#include "multiformats/cid.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace ic {

namespace limits {
/// Kubo's and bitswap's bound on one block (boxo v0.42: 2 MiB).
inline constexpr std::size_t block_bytes_max = std::size_t{2} << 20U;
} // namespace limits

/// A CID and the bytes it names. Whoever makes one has verified it.
struct Block {
    Cid cid;
    LentBytes data;
};

/// A block of a file that will be asked for, and where in the file what is below it begins.
struct UpcomingBlock {
    Cid cid;
    std::uint64_t offset = 0;
};

/// How much of a DAG is about to be read.
struct ReadPlan {
    enum class Scope : std::uint8_t {
        entity, ///< The blocks of one file, or of one directory without what its entries are.
        all,    ///< Everything below.
    };

    Cid root;
    Scope scope = Scope::entity;
    std::uint64_t offset = 0; ///< Of a file: where reading begins,
    std::uint64_t end = std::numeric_limits<std::uint64_t>::max(); ///< and where it ends.
};

/// Gives the bytes of a CID, verified. Errors: not_found, cid_unavailable, hash_mismatch,
/// unavailable. Threads: as the implementation says; the pure readers call it from one thread.
///
/// The other functions are hints, by which a source that is far away or has a processor to spare
/// can have blocks ready before they are asked for. They change nothing of what `get` gives, and
/// most sources leave them alone.
class BlockSource {
public:
    virtual ~BlockSource() = default;
    virtual Result<LentBytes> get(const Cid& cid) = 0;

    /// How many blocks ahead `expect` is of use; 0: it is not.
    virtual std::size_t foresight_blocks() const { return 0; }

    /// The reader of the file `file` asks for the first of these next, and probably for the others
    /// after it, in this order.
    virtual void expect(const Cid& file, std::span<const UpcomingBlock> soon) {
        static_cast<void>(file);
        static_cast<void>(soon);
    }

    /// Reading of a DAG begins, as far as `plan` says.
    virtual void plan(const ReadPlan& plan) { static_cast<void>(plan); }
};

/// The bytes of `cid`: those an identity CID carries itself, any others from `source`.
/// Errors: as the source gives them; too_large above `limits::block_bytes_max`.
Result<LentBytes> fetch(BlockSource& source, const Cid& cid);

/// Takes blocks whose CID was computed from their bytes by the caller.
class BlockSink {
public:
    virtual ~BlockSink() = default;
    /// The bytes are the caller's again after the call. Errors: storage_full, unavailable.
    virtual Result<void> put(const Cid& cid, ByteView data) = 0;
};

/// Keeps nothing: for learning a CID alone.
class NullSink final : public BlockSink {
public:
    Result<void> put(const Cid&, ByteView) override { return {}; }
};

} // namespace ic
