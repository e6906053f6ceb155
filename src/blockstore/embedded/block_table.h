#pragma once
/// BlockTable: blocks in the index and in segments, with what waits to be committed to them.

#include "blockstore/embedded/environment.h"
#include "blockstore/embedded/records.h"
#include "blockstore/embedded/rows.h"
#include "blockstore/embedded/segments.h"
#include "blockstore/pins.h"

#include <atomic>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace ic::embedded {

/// What waits to be committed under one multihash.
struct Waiting {
    enum class Kind : std::uint8_t {
        fresh,   ///< Was not there, or other bytes were.
        mended,  ///< Was there, damaged: takes the place of what is there, whatever it is.
        again,   ///< Was there: stamped anew, or written if it is gone meanwhile.
        protect, ///< Was there: stamped anew; lost to its sessions if it is gone meanwhile.
    };

    Kind kind = Kind::fresh;
    LentBytes data{};                      ///< Empty for `protect` and for what is in a segment.
    std::optional<Appended> appended{};    ///< Of a fresh block that is large.
    std::optional<FilePlace> file{};       ///< Of a fresh block that stays in its file.
    std::vector<std::uint64_t> sessions{}; ///< Of `protect`: who counts on it, as Committer says.

    /// Of this process's memory.
    std::size_t memory_bytes() const { return data.size() + (file ? file->path.size() : 0); }

    bool has_bytes() const { return kind != Kind::protect; }
};

/// What one commit makes durable.
struct Batch {
    std::unordered_map<std::string, Waiting> blocks; ///< By multihash.
    std::vector<Appended> wasted;                    ///< Records that nothing will point to.
    std::size_t bytes = 0;                           ///< In memory.
    std::uint64_t appended_bytes = 0;                ///< In segments.

    bool empty() const { return blocks.empty() && wasted.empty(); }

    /// Takes the place of what waits under this key.
    void add(const std::string& key, Waiting block);
    void erase(const std::string& key);
};

/// A change of the pins, made with the blocks of a batch in one transaction.
struct PinChange {
    std::optional<Cid> removed;     ///< Must be pinned.
    std::optional<Pin> added;       ///< Not a direct pin of what is pinned recursively.
    std::optional<Error> refusal{}; ///< Out: why the pins stay as they are.
};

/// What the index says of a block.
struct Found {
    Stamp stamp = 0;
    Stamp collected_from = 0; ///< When the last collection began; 0: there was none.
    bool is_same = false;     ///< From `compare` alone: a copy of the same bytes.
    bool is_in_file = false;  ///< From `compare` alone: it stays in a file.
};

struct BlockTableOptions {
    std::uint64_t bytes_max = 0;
    std::uint64_t segment_bytes_max = 0;
};

/// Errors: as Environment; storage_full for the quota. Threads: any, but one `write` at a time.
class BlockTable {
public:
    BlockTable(Environment& environment, SegmentFiles& segments, const BlockTableOptions& options)
        : environment_(environment)
        , segments_(segments)
        , options_(options) {}

    /// A copy; nothing if it is not there. Errors: hash_mismatch (a damaged row or record).
    Result<std::optional<LentBytes>> get(const std::string& key);
    Result<bool> has(const std::string& key);
    /// Nothing if it is not there, or only a damaged row.
    Result<std::optional<Found>> find(const std::string& key);
    /// As `find`, and whether exactly these bytes are there.
    Result<std::optional<Found>> compare(const std::string& key, ByteView data);
    Result<Usage> usage();
    Result<Stamp> next_stamp();

    /// Writes a block to a segment of this process; `waiting_bytes` are to be committed before it.
    Result<Appended> append(const std::string& key, ByteView data, std::uint64_t waiting_bytes);

    /// The block of a record that waits.
    Result<LentBytes> read(const std::string& key, const Appended& appended);

    /// All of the batch or nothing, durable on return. What is stamped `safe_from` or later already
    /// is left as it is. `change` (may be nullptr) is made too, or refused alone.
    /// Protected blocks that are gone are left out; on success, their keys are in `gone`.
    Result<void> write(const Batch& batch,
                       std::optional<Stamp> safe_from,
                       PinChange* change,
                       std::vector<std::string>& gone);

private:
    /// Looks the row up and hands it to `see`, inside the transaction.
    template <class See>
    Result<bool> look(const std::string& key, See see);
    Result<void> open_segment(std::uint64_t bytes);

    Environment& environment_;
    SegmentFiles& segments_;
    const BlockTableOptions options_;
    std::atomic<std::uint64_t> disk_bytes_ = 0; ///< When this process looked last.
    std::atomic<bool> has_looked_ = false;
};

/// The row of a segment; nothing if there is none. A damaged one is nothing too: it is left alone.
Result<std::optional<SegmentRow>> read_segment_row(Environment& environment, std::uint64_t number);
Result<std::vector<std::pair<std::uint64_t, SegmentRow>>>
read_segment_rows(Environment& environment);

/// Whether there is a row of a segment, be it damaged: then blocks may be in it.
Result<bool> has_segment_row(Environment& environment, std::uint64_t number);

} // namespace ic::embedded
