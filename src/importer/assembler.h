#pragma once
/// Assembler: jobs that are done, in order; directories, roots and lines out.

#include "base/result.h"
#include "importer/job.h"
#include "ipld/block.h"
#include "unixfs/directory_builder.h"
#include "unixfs/file_dag.h"
#include "unixfs/import_options.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ic::importer {

/// Something that was added, as it is reported.
struct Added {
    std::string name; ///< From its root on: "tree/sub/file"; empty for what wraps.
    Cid cid;
    std::uint64_t tsize = 0; ///< Bytes of all its blocks.

    friend bool operator==(const Added&, const Added&) = default;
};

/// Threads: one at a time. Lifetime: all that it is given outlives it.
class Assembler {
public:
    struct Events {
        /// A file or link is complete, in the order of the walk; the folders of a root follow when
        /// it is, each behind those in it: as Kubo prints them.
        std::function<Result<void>(Added)> added;
        /// A root is complete, after its last `added`.
        std::function<Result<void>(const unixfs::Entry&)> root;
        /// A file was read in this state and is that.
        std::function<void(const Seen&, const unixfs::Entry&)> read;
    };

    Assembler(const unixfs::ImportOptions& options, BlockSink& sink, Events events);

    /// Errors: the sink's; of the events; unavailable for a file that changed while it was read.
    Result<void> take(Job& job);

private:
    Result<void> take_piece(Job& job);
    Result<void> end_folder(const Step& step);
    Result<void> add_file(const Step& step, const unixfs::Entry& entry);
    Result<void> link(const std::string& name, const unixfs::Entry& entry);

    const unixfs::ImportOptions& options_;
    BlockSink& sink_;
    const Events events_;
    std::optional<unixfs::FileDag> dag_;            ///< Of the file whose pieces come.
    std::vector<unixfs::DirectoryBuilder> folders_; ///< From the root down.
    std::vector<Added> waiting_folders_;            ///< Complete, but their root is not.
};

} // namespace ic::importer
