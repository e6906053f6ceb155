#include "base/text.h"
#include "blockstore/embedded/embedded_store.h"
#include "cli/commands.h"
#include "cli/kubo_text.h"
#include "cli/pin_commands.h"

#include <nlohmann/json.hpp>

#include <limits>
#include <memory>

namespace ic::cli {
namespace {

/// What Kubo prints where there is no maximum.
constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();
constexpr int store_version = 2; // docs/formats/store.md

struct RepoStatOptions {
    bool size_only = false;
    bool human = false;
};

Result<int> repo_stat(Context& context, const RepoStatOptions& options) {
    const std::string path = TRY(context.open_home())->path;
    const std::uint64_t quota = TRY(context.load_settings())->values.store_bytes_max;
    const RepoStat stat = TRY(TRY(context.open_stores())->embedded().repo_stat());
    if (context.json) {
        nlohmann::json json{{"repo_size", stat.disk_bytes},
                            {"storage_max", quota == 0 ? nlohmann::json() : nlohmann::json(quota)}};
        if (!options.size_only) {
            json["num_objects"] = stat.blocks;
            json["block_bytes"] = stat.block_bytes;
            json["repo_path"] = path;
            json["version"] = store_version;
        }
        TRY(context.streams.print(json.dump() + "\n"));
        return 0;
    }
    const auto size_text = [&](std::uint64_t bytes) {
        return options.human ? decimal_bytes(bytes) : std::to_string(bytes);
    };
    Table table(0);
    if (!options.size_only) {
        table.add({"NumObjects:", std::to_string(stat.blocks)});
    }
    table.add({"RepoSize:", size_text(stat.disk_bytes)});
    table.add({"StorageMax:", size_text(quota == 0 ? no_limit : quota)});
    if (!options.size_only) {
        table.add({"RepoPath:", printable(path)});
        table.add({"Version:", "ipfs-compute-store@" + std::to_string(store_version)});
    }
    TRY(context.streams.print(table.text()));
    return 0;
}

Result<int> repo_compact(Context& context) {
    const auto [before, after] = TRY(TRY(context.open_stores())->embedded().compact());
    if (context.json) {
        TRY(context.streams.print(
            nlohmann::json{{"bytes_before", before}, {"bytes_after", after}}.dump() + "\n"));
    } else {
        TRY(context.streams.print("tables: " + human_bytes(before) + " before, " +
                                  human_bytes(after) + " now\n"));
    }
    return 0;
}

} // namespace

void add_repo_stat(Command& repo, Context& context) {
    Command* command = repo.add_subcommand("stat", "Print how much the store holds and takes");
    auto options = std::make_shared<RepoStatOptions>(); // Kept by the action.
    command->add_flag("-s,--size-only", options->size_only, "Print RepoSize and StorageMax alone");
    command->add_flag("-H,--human", options->human, "Print sizes as 83 MB, 1.5 GB");
    context.add_json(*command);
    command->footer("RepoSize is what counts against the quota: pages in use and large blocks.\n\n"
                    "Examples:\n  ipfs-compute repo stat\n  ipfs-compute repo stat -s --human");
    context.on_run(*command, [&context, options] { return repo_stat(context, *options); });
}

void add_repo_compact(Command& repo, Context& context) {
    Command* command =
        repo.add_subcommand("compact", "Make the file of the tables as small as what is in it");
    context.add_json(*command);
    command->footer("Copies the tables without the pages that a collection left free. Needs room\n"
                    "for the copy, and that nothing else has the home open.\n\n"
                    "Examples:\n  ipfs-compute repo gc && ipfs-compute repo compact");
    context.on_run(*command, [&context] { return repo_compact(context); });
}

void add_repo(Command& app, Context& context) {
    Command* command = app.add_subcommand("repo", "Look after the block store");
    add_repo_stat(*command, context);
    add_repo_gc(*command, context);
    add_repo_verify(*command, context);
    add_repo_compact(*command, context);
}

} // namespace ic::cli
