#pragma once
/// StatCache: which root a file had when it was added last, so that a file that has not changed
/// since need not be read again.
/// Format: docs/formats/add-cache.md.

#include "base/bytes.h"
#include "base/result.h"
#include "unixfs/file_dag.h"
#include "unixfs/import_options.h"

#include <sys/stat.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ic::importer {

namespace limits {
/// Ours: files that are remembered; the ones that were not met for longest go first.
inline constexpr std::size_t cache_entries_max = 100'000;
/// Ours: the file that keeps them, with room for the longest CIDs we make.
inline constexpr std::size_t cache_bytes_max = std::size_t{32} << 20U;
} // namespace limits

/// How young a change may be when a file that is remembered was looked at. A write within the clock
/// tick of the last one leaves the time as it was; so what was written just now may be written
/// again unseen.
inline constexpr std::int64_t racy_nanoseconds = 2'000'000'000;

/// All choices that decide a CID, in 16 bytes: entries of other choices are not met.
using Fingerprint = std::array<std::uint8_t, 16>;

Fingerprint fingerprint_of(const unixfs::ImportOptions& options);

/// A file in the state in which it was read.
struct FileState {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    Fingerprint fingerprint{};
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0; ///< Nanoseconds since 1970.
    std::int64_t changed_ns = 0;

    static FileState of(const struct stat& status, const Fingerprint& fingerprint);

    friend bool operator==(const FileState&, const FileState&) = default;
};

/// A value: what the file on the disk holds, in its order.
struct CacheEntry {
    FileState state;
    std::uint64_t met = 0; ///< The number of the run that met it last.
    unixfs::Entry root;

    friend bool operator==(const CacheEntry&, const CacheEntry&) = default;
};

struct CacheContent {
    std::uint64_t runs = 0;
    std::vector<CacheEntry> entries; ///< By device, inode, fingerprint; none twice.

    friend bool operator==(const CacheContent&, const CacheContent&) = default;
};

/// Requires: ordered as above, at most `limits::cache_entries_max`. Inverse: `decode_cache`.
Bytes encode_cache(const CacheContent& content);

/// Errors: unsupported (version), malformed (all else, a wrong checksum too), too_large (entries).
Result<CacheContent> decode_cache(ByteView input);

/// The cache of one home, loaded as a whole. Whether a root is still in the store is the caller's
/// to see. Threads: any.
class StatCache {
public:
    /// An empty cache if there is no file, or one that this version cannot read: it is only a
    /// cache, and `save` writes a new one. Errors: as `system_error`.
    static Result<StatCache> load(std::string path);

    /// The root of a file in exactly this state.
    std::optional<unixfs::Entry> find(const FileState& state);

    /// Remembers it, unless it changed less than `racy_nanoseconds` before `seen_ns`: the wall
    /// clock when the file was found in this state, before it was read.
    void remember(const FileState& state, const unixfs::Entry& root, std::int64_t seen_ns);

    /// Forgets a root that is not in the store any more.
    void forget(const FileState& state);

    /// Writes all of it, whole or not at all. Of two processes that save, the later one wins.
    /// Errors: as `write_file`.
    Result<void> save();

private:
    struct Key {
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        Fingerprint fingerprint{};

        static Key of(const FileState& state);

        friend auto operator<=>(const Key&, const Key&) = default;
    };

    explicit StatCache(std::string path) : path_(std::move(path)) {}

    std::string path_;
    std::unique_ptr<std::mutex> mutex_ = std::make_unique<std::mutex>(); ///< So that it can move.
    std::map<Key, CacheEntry> entries_;
    std::uint64_t run_ = 1; ///< This one's number.
    bool is_changed_ = false;
};

} // namespace ic::importer
