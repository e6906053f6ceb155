#include "base/time.h"
#include "car/walk.h"
#include "cli/content_paths.h"
#include "cli/dag.h"
#include "cli/kubo_text.h"
#include "unixfs/dag_path.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>

namespace ic::cli {
namespace {

struct RootStat {
    std::string cid;
    std::uint64_t blocks = 0;
    std::uint64_t bytes = 0;
};

struct Summary {
    std::vector<RootStat> roots;
    std::uint64_t unique_blocks = 0;
    std::uint64_t total_bytes = 0;     ///< Each block once.
    std::uint64_t redundant_bytes = 0; ///< Each block once a root.

    std::uint64_t shared_bytes() const { return redundant_bytes - total_bytes; }

    /// In single precision and thereby the digits of Kubo.
    double ratio() const {
        return static_cast<double>(static_cast<float>(redundant_bytes) /
                                   static_cast<float>(total_bytes));
    }
};

/// The line that Kubo draws on standard error, ten times a second at most.
class StatProgress {
public:
    StatProgress(Streams& streams, bool is_wanted) : streams_(streams), is_wanted_(is_wanted) {}

    StatProgress(const StatProgress&) = delete;
    StatProgress& operator=(const StatProgress&) = delete;

    ~StatProgress() {
        if (is_wanted_) {
            streams_.note("\x1b[2K\r");
        }
    }

    void advance(std::uint64_t bytes) {
        ++blocks_;
        bytes_ += bytes;
        if (!is_wanted_ || now_since_boot() - drawn_ < std::chrono::milliseconds(100)) {
            return;
        }
        drawn_ = now_since_boot();
        streams_.note("Fetched/Processed " + std::to_string(blocks_) + " blocks, " +
                      std::to_string(bytes_) + " bytes (" + decimal_bytes(bytes_) + ")\r");
    }

private:
    Streams& streams_;
    bool is_wanted_;
    std::uint64_t blocks_ = 0;
    std::uint64_t bytes_ = 0;
    Instant drawn_ = now_since_boot();
};

Result<Cid> root_of(BlockSource& source, const std::string& path) {
    const unixfs::DagPlace place =
        TRY(unixfs::resolve_dag(source, TRY(unixfs::DagPath::parse(path))));
    if (!place.rest.empty()) {
        return Error{Errc::usage,
                     path + " is a value inside block " + place.cid.to_string() +
                         "; a DAG begins with a block"};
    }
    return place.cid;
}

Result<Summary>
measure(BlockSource& source, const std::vector<std::string>& paths, StatProgress& progress) {
    Summary summary;
    std::unordered_set<Cid> seen; // The walk of a root has its own; this is across roots.
    for (const std::string& path : paths) {
        const Cid root = TRY(root_of(source, path));
        RootStat stat{.cid = root.to_string()};
        car::Walk walk(source, root);
        while (const std::optional<Block> block = TRY(walk.next())) {
            const std::uint64_t bytes = block->data.size();
            ++stat.blocks;
            stat.bytes += bytes;
            summary.redundant_bytes += bytes;
            if (paths.size() == 1 || seen.insert(block->cid).second) {
                ++summary.unique_blocks;
                summary.total_bytes += bytes;
            }
            progress.advance(bytes);
        }
        summary.roots.push_back(std::move(stat));
    }
    return summary;
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text;
}

/// The table of `ipfs dag stat`.
std::string table(const Summary& summary) {
    constexpr std::size_t blocks_width = 15;
    std::string text = "\n" + padded("CID", summary.roots.front().cid.size()) + "\t" +
                       padded("Blocks", blocks_width) + "\tSize\n";
    for (const RootStat& root : summary.roots) {
        text += root.cid + "\t" + padded(std::to_string(root.blocks), blocks_width) + "\t" +
                std::to_string(root.bytes) + "\n";
    }
    std::array<char, 64> ratio{"NaN"}; // As Go prints the ratio of an empty block.
    if (summary.total_bytes != 0) {
        std::snprintf(ratio.data(), ratio.size(), "%f", summary.ratio());
    }
    const auto with_unit = [](std::uint64_t bytes) {
        return std::to_string(bytes) + " (" + decimal_bytes(bytes) + ")";
    };
    return text + "\nSummary\nTotal Size: " + with_unit(summary.total_bytes) +
           "\nUnique Blocks: " + std::to_string(summary.unique_blocks) +
           "\nShared Size: " + with_unit(summary.shared_bytes()) + "\nRatio: " + ratio.data() +
           "\n\n\n";
}

std::string json_text(const Summary& summary) {
    nlohmann::json roots = nlohmann::json::array();
    for (const RootStat& root : summary.roots) {
        roots.push_back({{"cid", root.cid}, {"blocks", root.blocks}, {"size", root.bytes}});
    }
    nlohmann::json json{
        {"dags", std::move(roots)},
        {"unique_blocks", summary.unique_blocks},
        {"total_size", summary.total_bytes},
        {"shared_size", summary.shared_bytes()},
        {"ratio", summary.total_bytes == 0 ? nlohmann::json{} : nlohmann::json(summary.ratio())}};
    return json.dump() + "\n";
}

struct StatOptions {
    std::vector<std::string> paths;
    bool progress = false;
    const Option* progress_flag = nullptr; ///< Given or not; lives as long as the program.
};

Result<int> stat(Context& context, const StatOptions& options) {
    const std::vector<std::string> paths = TRY(given_paths(options.paths));
    BlockStore& blocks = TRY(context.open_stores())->blocks();
    Result<Summary> summary = Error{Errc::internal, ""};
    {
        StatProgress progress(context.streams,
                              options.progress_flag->count() > 0
                                  ? options.progress
                                  : context.streams.err_is_terminal());
        summary = measure(blocks, paths, progress);
    }
    if (!summary) {
        return std::move(summary).take_error();
    }
    TRY(context.streams.print(context.json ? json_text(*summary) : table(*summary)));
    return 0;
}

} // namespace

void add_dag_stat(Command& dag, Context& context) {
    Command* command = dag.add_subcommand("stat", "Count the blocks and bytes of DAGs");
    auto options = std::make_shared<StatOptions>(); // Kept by the action.
    command->add_option("PATH", options->paths, "CIDs, or paths; none: lines of standard input");
    options->progress_flag = command->add_flag(
        "-p,--progress,!--no-progress", options->progress, "Say how far it is (at a terminal)");
    context.add_json(*command);
    context.add_gateways(*command);
    command->footer(
        "A block that comes twice in a DAG counts once. Shared is what several of the\n"
        "DAGs have.\n\n"
        "Examples:\n  ipfs-compute dag stat CID\n  ipfs-compute dag stat --json CID CID");
    context.on_run(*command, [&context, options] { return stat(context, *options); });
}

} // namespace ic::cli
