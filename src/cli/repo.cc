#include "base/text.h"
#include "blockstore/embedded/embedded_store.h"
#include "cli/commands.h"
#include "cli/pin_commands.h"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
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

/// "83 MB", "1.5 GB": in units of 1000, as Kubo's --human.
std::string kubo_bytes(std::uint64_t bytes) {
    constexpr std::array<const char*, 7> units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 10) {
        return std::to_string(bytes) + " B";
    }
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; value >= 1000 && unit + 1 < units.size(); ++unit) {
        value /= 1000;
    }
    const double tenths = static_cast<double>(static_cast<std::uint64_t>(value * 10 + 0.5)) / 10;
    std::array<char, 32> text{};
    std::snprintf(
        text.data(), text.size(), tenths < 10 ? "%.1f %s" : "%.0f %s", tenths, units[unit]);
    return text.data();
}

/// Names and values in two columns.
std::string table(const std::vector<std::pair<std::string, std::string>>& rows) {
    std::size_t width = 0;
    for (const auto& [name, value] : rows) {
        width = std::max(width, name.size());
    }
    std::string text;
    for (const auto& [name, value] : rows) {
        text += name + ":" + std::string(width - name.size() + 1, ' ') + value + "\n";
    }
    return text;
}

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
        return options.human ? kubo_bytes(bytes) : std::to_string(bytes);
    };
    std::vector<std::pair<std::string, std::string>> rows;
    if (!options.size_only) {
        rows.emplace_back("NumObjects", std::to_string(stat.blocks));
    }
    rows.emplace_back("RepoSize", size_text(stat.disk_bytes));
    rows.emplace_back("StorageMax", size_text(quota == 0 ? no_limit : quota));
    if (!options.size_only) {
        rows.emplace_back("RepoPath", printable(path));
        rows.emplace_back("Version", "ipfs-compute-store@" + std::to_string(store_version));
    }
    TRY(context.streams.print(table(rows)));
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
