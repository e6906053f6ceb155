#pragma once
/// Saving a DAG on this machine: as files and folders, as a tar archive, or one file compressed.

#include "archive/byte_sink.h"
#include "archive/tar_writer.h"
#include "base/result.h"
#include "exporter/content.h"
#include "ipld/block.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace ic::exporter {

namespace limits {
/// Ours: folders within folders. Deeper trees are not written by people; each level costs an open
/// folder.
inline constexpr std::size_t folders_deep_max = 256;
/// What is restored of a mode: set-user and set-group of somebody else's content would let that
/// content act as whoever saved it.
inline constexpr std::uint32_t restored_mode_bits = 01777;
} // namespace limits

/// What is saved, and under which name where a name is needed.
struct Saved {
    Cid cid;
    std::string name; ///< The last part of the path that led to it.
};

/// Saves files, folders and symlinks as `place`, with mode and time where the DAG has them; those
/// without a mode get what the umask leaves. As Kubo's `get`: a folder is merged into one that is
/// there; a file or symlink goes into a folder that is there, under its own name; files, symlinks
/// and empty folders of the same name are replaced, each file when it is complete. No link is
/// followed but in the folders that `place` itself names.
/// Errors: as the readers; refused for what is there and is not replaced; too_large beyond
/// `limits::folders_deep_max`; storage_full; as `system_error`.
Result<void> save_files(BlockSource& source,
                        const Saved& saved,
                        const std::string& place,
                        const OnBytes& on_bytes);

/// What entries without a mode or a time get in an archive.
struct ArchiveDefaults {
    archive::TarTime now;
};

/// A tar archive of it, whose first entry is `saved.name`: the bytes of Kubo's `get --archive`.
/// Directories are written in the order in which they are stored.
/// Errors: as the readers, `TarWriter` and the sink; too_large beyond `limits::folders_deep_max`.
Result<void> save_tar(BlockSource& source,
                      const Saved& saved,
                      const ArchiveDefaults& defaults,
                      archive::ByteSink& sink,
                      const OnBytes& on_bytes);

/// The bytes of a file, or the target of a symlink. Errors: unsupported for a directory; as the
/// readers and the sink.
Result<void>
save_content(BlockSource& source, const Cid& cid, archive::ByteSink& sink, const OnBytes& on_bytes);

} // namespace ic::exporter
