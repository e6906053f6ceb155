#pragma once
/// Symlinks: writing them. `read_link` of directory.h reads them.

#include "base/result.h"
#include "ipld/block.h"
#include "unixfs/file_dag.h"
#include "unixfs/metadata.h"
#include "unixfs/profile.h"

#include <string_view>

namespace ic::unixfs {

/// A symlink to `target`, any bytes. Its mode is never kept, its time is.
/// Errors: as the sink's; too_large beyond `limits::path_bytes_max`.
Result<Entry> put_symlink(const Profile& profile,
                          BlockSink& sink,
                          std::string_view target,
                          const Metadata& metadata = {});

} // namespace ic::unixfs
