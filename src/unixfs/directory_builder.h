#pragma once
/// DirectoryBuilder: named entries in, a UnixFS directory out.

#include "base/result.h"
#include "ipld/block.h"
#include "unixfs/file_dag.h"
#include "unixfs/metadata.h"
#include "unixfs/profile.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace ic::unixfs {

namespace limits {
/// Ours: four times what file systems allow. Holds for writing and reading.
inline constexpr std::size_t name_bytes_max = 1024;
} // namespace limits

/// Whether `name` can be that of an entry: not empty, not "." or "..", without '/' and zero bytes.
/// Anything else would mean something else as soon as it stands in a path.
/// Errors: malformed; too_large beyond `limits::name_bytes_max`.
Result<void> check_name(std::string_view name);

/// One directory; sub-directories are built first and added as entries. It is one node until its
/// size or the number of its entries passes the profile's threshold, else a tree of shards.
/// Threads: one at a time. Lifetime: the sink outlives it. Memory: every name and CID.
class DirectoryBuilder {
public:
    DirectoryBuilder(const Profile& profile, BlockSink& sink, const Metadata& metadata = {});

    /// Errors: as `check_name`; malformed if the name is there already.
    Result<void> add(std::string name, const Entry& entry);

    /// The directory of everything added. Errors: as the sink's; unsupported as `write_shards`.
    Result<Entry> finish();

private:
    struct Child {
        Cid cid;
        std::uint64_t tsize = 0;
    };

    bool is_sharded() const;
    Result<Entry> finish_sharded();

    Profile profile_;
    Metadata metadata_;
    BlockSink& sink_;
    std::map<std::string, Child> children_; ///< In the order of bytes, as links have to be.
    std::size_t size_ = 0;                  ///< As `profile_.directory_size` measures.
};

} // namespace ic::unixfs
