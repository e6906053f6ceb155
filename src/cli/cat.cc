#include "cli/commands.h"
#include "unixfs/directory.h"
#include "unixfs/file_reader.h"

#include <memory>
#include <utility>

namespace ic::cli {
namespace {

Result<void> print_file(Context& context, BlockSource& source, const std::string& path) {
    const Cid cid = TRY(unixfs::resolve(source, path));
    unixfs::FileReader reader = TRY(unixfs::FileReader::open(source, cid));
    for (std::uint64_t offset = 0; offset < reader.size();) {
        const LentBytes piece = TRY(reader.lend_at(offset));
        TRY(context.streams.print(text_of(piece.view())));
        offset += piece.size();
    }
    return {};
}

} // namespace

void add_cat(CLI::App& app, Context& context) {
    CLI::App* command = app.add_subcommand("cat", "Print files");
    auto paths = std::make_shared<std::vector<std::string>>(); // Kept by the action.
    command->add_option("PATH", *paths, "CIDs, or paths such as CID/dir/file")->required();
    command->footer("Examples:\n  ipfs-compute cat CID\n  ipfs-compute cat CID/dir/file.txt");
    context.on_run(*command, [&context, paths]() -> Result<int> {
        BlockStore& blocks = TRY(context.open_stores())->blocks();
        for (const std::string& path : *paths) {
            if (Result<void> printed = print_file(context, blocks, path); !printed) {
                return std::move(printed).take_error().during(path);
            }
        }
        return 0;
    });
}

} // namespace ic::cli
