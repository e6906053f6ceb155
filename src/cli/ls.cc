#include "base/text.h"
#include "cli/commands.h"
#include "unixfs/directory.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace ic::cli {
namespace {

/// A line of the listing, as `ipfs ls` has it: directories have no size and a slash.
struct Line {
    std::string cid;
    std::string size;
    std::string name;
};

std::string_view name_of(unixfs::EntryType type) {
    switch (type) {
    case unixfs::EntryType::file:
        return "file";
    case unixfs::EntryType::directory:
        return "directory";
    case unixfs::EntryType::symlink:
        return "symlink";
    }
    return "";
}

Result<void> print_json(Context& context, const unixfs::ListedEntry& listed) {
    const nlohmann::json json{{"name", listed.entry.name},
                              {"cid", listed.entry.cid.to_string()},
                              {"type", name_of(listed.stat.type)},
                              {"size", listed.stat.size}};
    return context.streams.print(
        json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

Result<void> print_lines(Context& context, const std::vector<Line>& lines) {
    std::size_t cid_width = 0, size_width = 0;
    for (const Line& line : lines) {
        cid_width = std::max(cid_width, line.cid.size());
        size_width = std::max(size_width, line.size.size());
    }
    for (const Line& line : lines) {
        TRY(context.streams.print(line.cid + std::string(cid_width - line.cid.size() + 1, ' ') +
                                  line.size + std::string(size_width - line.size.size() + 1, ' ') +
                                  line.name + "\n"));
    }
    return {};
}

Result<void> list_path(Context& context, BlockSource& source, const std::string& path) {
    const Cid cid = TRY(unixfs::resolve(source, path));
    const unixfs::Stat stat = TRY(unixfs::stat(source, cid));
    std::vector<Line> lines;
    const auto take = [&](const unixfs::ListedEntry& listed) -> Result<void> {
        if (context.json) {
            return print_json(context, listed);
        }
        const bool is_directory = listed.stat.type == unixfs::EntryType::directory;
        lines.push_back({listed.entry.cid.to_string(),
                         is_directory ? "-" : std::to_string(listed.stat.size),
                         printable(listed.entry.name) + (is_directory ? "/" : "")});
        return {};
    };
    if (stat.type == unixfs::EntryType::directory) {
        TRY(unixfs::list_with_types(source, cid, take));
    } else {
        TRY(take({.entry = {.name = path, .cid = cid, .tsize = 0}, .stat = stat}));
    }
    return print_lines(context, lines);
}

} // namespace

void add_ls(CLI::App& app, Context& context) {
    CLI::App* command = app.add_subcommand("ls", "List directories");
    auto paths = std::make_shared<std::vector<std::string>>(); // Kept by the action.
    command->add_option("PATH", *paths, "CIDs, or paths such as CID/dir")->required();
    context.add_json(*command);
    command->footer("Prints CID, size and name of each entry, as 'ipfs ls'.\n\n"
                    "Examples:\n  ipfs-compute ls CID\n  ipfs-compute ls --json CID/dir");
    context.on_run(*command, [&context, paths]() -> Result<int> {
        BlockStore& blocks = TRY(context.open_stores())->blocks();
        for (std::size_t index = 0; index < paths->size(); ++index) {
            const std::string& path = (*paths)[index];
            if (paths->size() > 1 && !context.json) {
                TRY(context.streams.print((index == 0 ? "" : "\n") + printable(path) + ":\n"));
            }
            if (Result<void> listed = list_path(context, blocks, path); !listed) {
                return std::move(listed).take_error().during(path);
            }
        }
        return 0;
    });
}

} // namespace ic::cli
