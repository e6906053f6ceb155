#pragma once
/// Reading directories and paths: plain and sharded ones alike.

#include "base/result.h"
#include "ipld/block.h"
#include "unixfs/content_path.h"
#include "unixfs/metadata.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace ic::unixfs {

enum class EntryType : std::uint8_t { file, directory, symlink };

struct Stat {
    EntryType type = EntryType::file;
    std::uint64_t size = 0; ///< Bytes of a file's content or a symlink's target; 0 of a directory.
    Metadata metadata{};    ///< Where it was kept.

    friend bool operator==(const Stat&, const Stat&) = default;
};

/// What `cid` is; fetches one block. Errors: as `FileReader::open`; unsupported for what is no
/// UnixFS file, directory or symlink.
Result<Stat> stat(BlockSource& source, const Cid& cid);

struct DirectoryEntry {
    std::string name;
    Cid cid;
    std::uint64_t tsize = 0; ///< Bytes of all its blocks, as the directory claims.

    friend bool operator==(const DirectoryEntry&, const DirectoryEntry&) = default;
};

/// Called for each entry; an error ends the listing and is handed on.
using EntryVisitor = std::function<Result<void>(const DirectoryEntry&)>;

/// Every entry of the directory `cid`: sorted in a plain one, in the order of hashes in a sharded
/// one. Fetches the directory's own blocks alone, one after the other; `stat` tells what an entry
/// is. Memory: the blocks from the root to one shard, and the names of a plain directory.
/// Errors: as the source and decoders; unsupported if `cid` is no directory; malformed for a name
/// that `check_name` refuses, that comes twice, or that hashes to another place.
Result<void> list(BlockSource& source, const Cid& cid, const EntryVisitor& visit);

struct ListedEntry {
    DirectoryEntry entry;
    std::optional<Stat> stat; ///< Nothing: it is no UnixFS file, directory or symlink.
};

/// As `list`, with what each entry is, which fetches its root block unless that is a raw one: then
/// its size is the size in the directory.
/// Errors: as `list`; as `stat`, but for unsupported.
Result<void> list_with_types(BlockSource& source,
                             const Cid& cid,
                             const std::function<Result<void>(const ListedEntry&)>& visit);

/// The entry `name` of the directory `cid`; of a sharded one it fetches the way to the name alone.
/// Errors: not_found; as `list`.
Result<DirectoryEntry> find_entry(BlockSource& source, const Cid& cid, std::string_view name);

/// The CID that `path` leads to; the root itself, whatever it is, for a path without names.
/// Symlinks are not followed. Errors: not_found; as `list`.
Result<Cid> resolve(BlockSource& source, const ContentPath& path);

/// As above, from text as `ContentPath::parse` reads it.
Result<Cid> resolve(BlockSource& source, std::string_view path);

/// As above: `path` is `dir/file` below `root`.
Result<Cid> resolve(BlockSource& source, const Cid& root, std::string_view path);

/// The target of a symlink, as it was written: any bytes. Errors: unsupported if `cid` is none;
/// too_large beyond `limits::path_bytes_max`.
Result<std::string> read_link(BlockSource& source, const Cid& cid);

} // namespace ic::unixfs
