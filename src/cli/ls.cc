#include "cli/commands.h"
#include "cli/content_paths.h"
#include "cli/kubo_text.h"
#include "unixfs/directory.h"
#include "unixfs/load_node.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

namespace ic::cli {
namespace {

struct LsFlags {
    std::vector<std::string> paths;
    bool headers = false;
    bool resolve_type = true;
    bool size = true;
    bool stream = false;
    bool long_format = false;

    bool looks_at_entries() const { return resolve_type || size; }
};

/// A line of the listing. What was not looked at has no `stat`.
struct Listed {
    unixfs::DirectoryEntry entry;
    std::optional<unixfs::Stat> stat;
    std::string target;    ///< Of a symlink.
    std::size_t place = 0; ///< In the stored order.
};

nlohmann::json json_of(const Listed& listed) {
    nlohmann::json json{{"name", listed.entry.name},
                        {"cid", listed.entry.cid.to_string()},
                        {"type", nullptr},
                        {"size", listed.stat ? listed.stat->size : 0},
                        {"target", nullptr},
                        {"mode", nullptr},
                        {"mtime", nullptr},
                        {"mtime_nsecs", nullptr}};
    if (!listed.stat) {
        return json;
    }
    switch (listed.stat->type) {
    case unixfs::EntryType::file:
        json["type"] = "file";
        break;
    case unixfs::EntryType::directory:
        json["type"] = "directory";
        break;
    case unixfs::EntryType::symlink:
        json["type"] = "symlink";
        json["target"] = listed.target;
        break;
    }
    const unixfs::Metadata& metadata = listed.stat->metadata;
    if (metadata.mode) {
        json["mode"] = *metadata.mode;
    }
    if (metadata.mtime) {
        json["mtime"] = metadata.mtime->seconds;
        json["mtime_nsecs"] = metadata.mtime->nanoseconds;
    }
    return json;
}

/// The entry as Kubo knows it: a raw block is a file of the size that its link claims; what is
/// neither that nor UnixFS has no type and no size.
Result<Listed>
look_at(BlockSource& source, const unixfs::DirectoryEntry& entry, const LsFlags& flags) {
    Listed listed{.entry = entry, .stat = std::nullopt, .target = {}, .place = 0};
    if (entry.cid.codec() == Codec::raw) {
        listed.stat = unixfs::Stat{.type = unixfs::EntryType::file, .size = entry.tsize};
    } else if (entry.cid.codec() == Codec::dag_pb && flags.looks_at_entries()) {
        listed.stat = TRY(unixfs::stat(source, entry.cid));
        if (listed.stat->type == unixfs::EntryType::symlink) {
            listed.target = TRY(unixfs::read_link(source, entry.cid));
        }
    }
    return listed;
}

/// The entries of a directory; of a file, as Kubo has it, the blocks that it links to.
Result<void> visit_entries(BlockSource& source, const Cid& cid, const unixfs::EntryVisitor& visit) {
    if (cid.codec() == Codec::raw) {
        return {};
    }
    const unixfs::Stat stat = TRY(unixfs::stat(source, cid));
    if (stat.type == unixfs::EntryType::directory) {
        return unixfs::list(source, cid, visit);
    }
    const unixfs::LoadedNode node = TRY(unixfs::load_node(source, cid));
    for (const dag_pb::Link& link : node.links) {
        TRY(visit({.name = link.name, .cid = link.cid, .tsize = link.tsize}));
    }
    return {};
}

class Lister {
public:
    Lister(Context& context, BlockSource& source, const LsFlags& flags)
        : context_(context)
        , source_(source)
        , flags_(flags)
        , now_(now_unix())
        , table_(width_min()) {}

    Result<void> list(const std::string& path) {
        const Cid cid = TRY(unixfs::resolve(source_, path));
        source_.plan({.root = cid, .scope = ReadPlan::Scope::entity});
        std::vector<Listed> listing;
        TRY(visit_entries(source_, cid, [&](const unixfs::DirectoryEntry& entry) -> Result<void> {
            Listed listed = TRY(look_at(source_, entry, flags_));
            if (flags_.stream) {
                begin_object(path);
                return print_now(listed);
            }
            listed.place = listing.size();
            listing.push_back(std::move(listed));
            return {};
        }));
        if (!flags_.stream) { // A stream says nothing of what is empty.
            begin_object(path);
        }
        std::ranges::sort(listing, {}, [](const Listed& listed) {
            return std::tie(listed.entry.name, listed.place);
        });
        for (const Listed& listed : listing) {
            TRY(print(listed));
        }
        return {};
    }

    Result<void> finish() { return context_.streams.print(table_.text()); }

private:
    /// A stream cannot know how wide its columns will be.
    std::size_t width_min() const { return flags_.stream ? 10 : 1; }

    void begin_object(const std::string& path) {
        if (path == last_path_ || context_.json) {
            return;
        }
        if (flags_.paths.size() > 1) {
            if (!last_path_.empty()) {
                table_.add({""});
            }
            table_.add({path + ":"});
        }
        if (flags_.headers) {
            std::vector<std::string> cells{"Hash", "Name"};
            if (flags_.long_format) {
                cells = {"Mode", "Hash", "ModTime", "Name"};
            }
            if (flags_.size) {
                cells.insert(cells.begin() + (flags_.long_format ? 2 : 1), "Size");
            }
            table_.add(std::move(cells));
        }
        last_path_ = path;
    }

    Result<void> print(const Listed& listed) {
        if (context_.json) {
            return context_.streams.print(
                json_of(listed).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                "\n");
        }
        const unixfs::Stat stat = listed.stat.value_or(unixfs::Stat{});
        const bool is_directory = stat.type == unixfs::EntryType::directory;
        std::vector<std::string> cells;
        if (flags_.long_format) {
            cells.push_back(mode_text(stat));
        }
        cells.push_back(listed.entry.cid.to_string());
        if (flags_.size) {
            cells.push_back(is_directory ? "-" : std::to_string(stat.size));
        }
        if (flags_.long_format) {
            cells.push_back(time_text(stat.metadata.mtime, now_));
        }
        cells.push_back(escaped_name(listed.entry.name) + (is_directory ? "/" : ""));
        table_.add(std::move(cells));
        return {};
    }

    Result<void> print_now(const Listed& listed) {
        TRY(print(listed));
        TRY(context_.streams.print(std::exchange(table_, Table(width_min())).text()));
        return context_.streams.flush();
    }

    Context& context_;
    BlockSource& source_;
    const LsFlags& flags_;
    const UnixSeconds now_;
    Table table_;
    std::string last_path_;
};

Result<int> ls(Context& context, LsFlags flags) {
    flags.paths = TRY(given_paths(std::move(flags.paths)));
    BlockStore& blocks = TRY(context.open_stores())->blocks();
    Lister lister(context, blocks, flags);
    for (const std::string& path : flags.paths) {
        if (Result<void> listed = lister.list(path); !listed) {
            return std::move(listed).take_error().during(path);
        }
    }
    TRY(lister.finish());
    return 0;
}

} // namespace

void add_ls(Command& app, Context& context) {
    Command* command = app.add_subcommand("ls", "List directories");
    auto flags = std::make_shared<LsFlags>(); // Kept by the action.
    command->add_option(
        "PATH", flags->paths, "CIDs, or paths such as CID/dir; without any: of standard input");
    command->add_flag("-v,--headers", flags->headers, "Print what the columns are");
    command->add_flag("--resolve-type",
                      flags->resolve_type,
                      "Look what each entry is; on unless --resolve-type=false");
    command->add_flag(
        "--size", flags->size, "Print how large each file is; on unless --size=false");
    command->add_flag("-s,--stream", flags->stream, "Print entries as they come, in stored order");
    command->add_flag("-l,--long", flags->long_format, "Print modes and times where they are kept");
    context.add_json(*command);
    context.add_gateways(*command);
    command->footer("Prints CID, size and name of each entry, as 'ipfs ls'.\n\n"
                    "Examples:\n  ipfs-compute ls CID\n  ipfs-compute ls -l CID/dir\n"
                    "  ipfs-compute ls --json CID/dir");
    context.on_run(*command, [&context, flags] { return ls(context, *flags); });
}

} // namespace ic::cli
