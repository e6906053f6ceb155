#pragma once
/// FileReader: the content of a UnixFS file, from any place, as a stream.

#include "base/bytes.h"
#include "base/result.h"
#include "ipld/block.h"
#include "unixfs/load_node.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace ic::unixfs {

namespace limits {
/// Ours: blocks from the root of a file to a leaf. Balanced files with 174 links reach 2^63 bytes
/// in 7, those with 2 links and chunks of one byte in 64.
inline constexpr std::size_t file_depth_max = 64;
/// Ours: links of all nodes from the root to a leaf together (Kubo writes 174 or 1024 a node, at
/// most some 40,000). Bounds what a reader holds besides blocks to 18 MiB; a usual file needs some
/// 100 KiB.
inline constexpr std::size_t file_links_max = std::size_t{1} << 18U;
} // namespace limits

/// Reads any layout: raw and DAG-PB leaves, content in inner nodes, leaves of different depths.
/// Every node must agree with its parent about its size before a byte of it is given, so what is
/// read is of exactly `size()` bytes. Holds the blocks from the root to one leaf. Tells the source
/// what follows (`BlockSource::expect`) whenever it goes on to another block.
/// Threads: one at a time. Lifetime: the source outlives it.
class FileReader {
public:
    /// Fetches the root only. Errors: as the source; malformed and unsupported as the decoders;
    /// unsupported if `cid` is no file; too_large beyond the limits above.
    static Result<FileReader> open(BlockSource& source, const Cid& cid);

    /// Of a root that is loaded already. Errors: as `open`.
    static Result<FileReader> of_node(BlockSource& source, const Cid& cid, LoadedNode root);

    std::uint64_t size() const;

    /// Up to `out.size()` bytes from where the last read ended; 0 at the end alone (or for an empty
    /// `out`). On error the position is as before. Errors: as `open`.
    Result<std::size_t> read(std::span<std::uint8_t> out);

    /// As `read`, from `offset`, without moving where the next `read` starts. 0 from the end on.
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out);

    /// Content from `offset` on, as much as lies in one block, without a copy: empty from the end
    /// on. Errors: as `open`.
    Result<LentBytes> lend_at(std::uint64_t offset);

    /// Of blocks and links that it keeps on the way to where it read last.
    std::size_t held_bytes() const;

    /// Gives them back, with the root: the next read fetches what it needs.
    void rest();

private:
    /// A child: where its content ends, counted from the start of the file.
    struct Part {
        std::uint64_t end = 0;
        Cid cid;
    };

    /// A node on the way to the current leaf: first its own content, then its parts.
    struct Frame {
        std::shared_ptr<const LentBytes> block{}; ///< Shared with what `lend_at` gave out.
        ByteView content{};
        std::uint64_t start = 0;
        std::uint64_t end = 0;
        std::vector<Part> parts{};

        std::uint64_t content_end() const { return start + content.size(); }
    };

    FileReader(BlockSource& source, const Cid& cid, Frame root);

    static Result<Frame> framed(LoadedNode node, std::uint64_t start);
    Result<void> wake();
    Result<void> descend(std::uint64_t offset);
    Result<Frame> child_at(const Frame& parent, std::uint64_t offset);
    void tell_what_follows(std::uint64_t offset) const;

    BlockSource* source_;
    Cid cid_;
    std::uint64_t size_ = 0;
    std::vector<Frame> frames_; ///< [0] is the root and stays, until all of them rest.
    std::size_t links_ = 0;     ///< Of all frames.
    std::uint64_t position_ = 0;
};

} // namespace ic::unixfs
