#pragma once
/// DagStream: the blocks of a DAG as somebody sends them whom nobody trusts, checked one by one.

#include "car/decoder.h"
#include "ipld/block.h"
#include "multiformats/cid.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_set>

namespace ic::car {

namespace limits {
/// Ours: links that have been seen and not come yet, some 100 bytes each. A DAG with more at once
/// is read block by block.
inline constexpr std::size_t awaited_blocks_max = std::size_t{1} << 17U;
/// Ours: bytes in a row that bring nothing new (blocks that came before, as a gateway sends them
/// that does not know `dups=n`).
inline constexpr std::uint64_t repeated_bytes_max = std::uint64_t{64} << 20U;
} // namespace limits

/// Where the bytes of a CAR come from. Threads: one at a time.
class ByteStream {
public:
    virtual ~ByteStream() = default;
    /// Waits for bytes; 0 at the end. Errors: the stream's own.
    virtual Result<std::size_t> read(std::span<std::uint8_t> into) = 0;
};

/// Whether a block is here already.
using IsHere = std::function<bool(const Cid&)>;

/// Gives only blocks that the DAG below `root` has: each one's hash is right, and a block before it
/// links to it (or it is the root). So whatever is sent, no byte is kept that does not
/// belong to what was asked for. Blocks that came before are passed over: all of them are here, and
/// to remember which they were would cost memory without a bound. Holds a section, and the awaited
/// links. Threads: one at a time.
class DagStream {
public:
    DagStream(std::unique_ptr<ByteStream> bytes, const Cid& root, IsHere is_here);

    /// Whether the block may still come: it is linked to and has not been here.
    bool awaits(const Cid& cid) const;

    /// The next block, with bytes of its own; nothing once the CAR has ended.
    /// Errors: malformed, hash_mismatch, too_large: the sender misbehaves. unavailable: the stream
    ///         ended early. unsupported: more awaited links than `limits::awaited_blocks_max`.
    Result<std::optional<Block>> next();

private:
    Result<std::optional<Block>> accept(const Block& block);
    Result<void> await_links_of(const Block& block);

    std::unique_ptr<ByteStream> bytes_;
    IsHere is_here_;
    Decoder decoder_;
    Bytes buffer_;
    ByteView input_;                  ///< What of the buffer has not been decoded.
    std::unordered_set<Cid> awaited_; ///< As version 1.
    std::uint64_t repeated_bytes_ = 0;
};

} // namespace ic::car
