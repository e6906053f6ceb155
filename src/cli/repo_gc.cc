#include "base/text.h"
#include "base/time.h"
#include "blockstore/embedded/embedded_store.h"
#include "cli/pin_commands.h"
#include "wiring/collection.h"

#include <nlohmann/json.hpp>

#include <memory>

namespace ic::cli {
namespace {

struct RepoGcOptions {
    bool quiet = false;
    bool silent = false;
    bool stream_errors = false;
    bool dry_run = false;
};

/// What a collection says while it runs.
class Reporter {
public:
    Reporter(Context& context, const RepoGcOptions& options)
        : context_(context)
        , options_(options) {}

    void expired(const Pin& pin) {
        if (context_.json) {
            keep(context_.streams.print(
                nlohmann::json{{"expired", pin.cid.to_string()}, {"name", pin.name}}.dump(
                    -1, ' ', false, nlohmann::json::error_handler_t::replace) +
                "\n"));
        } else if (!options_.silent && !options_.quiet) {
            clear();
            context_.streams.note("pin of " + pin.cid.to_string() +
                                  (pin.name.empty() ? "" : " (" + printable(pin.name) + ")") +
                                  (options_.dry_run ? " is expired\n" : " is expired: dropped\n"));
        }
    }

    void problem(const Cid& cid, const Error& error) {
        const std::string text =
            "could not retrieve links for " + cid.to_string() + ": " + printable(error.message);
        if (context_.json) {
            keep(context_.streams.print(nlohmann::json{{"error", text}}.dump() + "\n"));
        } else if (options_.stream_errors && !options_.silent) {
            keep(context_.streams.print("Error: " + text + "\n"));
        } else {
            clear();
            context_.streams.note(text + "\n");
        }
    }

    Result<void> removed(const Cid& cid) {
        if (context_.json) {
            return context_.streams.print(nlohmann::json{{"removed", cid.to_string()}}.dump() +
                                          "\n");
        }
        if (options_.silent) {
            return {};
        }
        return context_.streams.print((options_.quiet     ? ""
                                       : options_.dry_run ? "would remove "
                                                          : "removed ") +
                                      cid.to_string() + "\n");
    }

    void progress(std::uint64_t marked, std::uint64_t swept, std::uint64_t blocks) {
        if (!context_.streams.err_is_terminal() || options_.silent ||
            now_since_boot() - drawn_ < std::chrono::milliseconds(100)) {
            return;
        }
        drawn_ = now_since_boot();
        is_drawn_ = true;
        context_.streams.note("\r\x1b[K" +
                              (swept == 0 ? std::to_string(marked) + " blocks are needed"
                                          : std::to_string(swept) + " of " +
                                                std::to_string(blocks) + " blocks looked at"));
    }

    /// Errors: what went wrong with the output meanwhile.
    Result<void> finish(const Collected& collected) {
        clear();
        TRY(std::move(output_));
        if (context_.json) {
            return context_.streams.print(nlohmann::json{{"blocks", collected.blocks},
                                                         {"bytes", collected.bytes},
                                                         {"kept", collected.kept},
                                                         {"dry_run", options_.dry_run}}
                                              .dump() +
                                          "\n");
        }
        return {};
    }

    void clear() {
        if (is_drawn_) {
            context_.streams.note("\r\x1b[K");
            is_drawn_ = false;
        }
    }

private:
    void keep(Result<void> printed) {
        if (output_) {
            output_ = std::move(printed);
        }
    }

    Context& context_;
    const RepoGcOptions& options_;
    Result<void> output_;
    Instant drawn_;
    bool is_drawn_ = false;
};

Result<int> repo_gc(Context& context, const RepoGcOptions& options) {
    const config::Home& home = *TRY(context.open_home());
    const config::Settings& settings = TRY(context.load_settings())->values;
    EmbeddedStore& store = TRY(context.open_stores())->embedded();
    Reporter reporter(context, options);
    const UnixSeconds now = now_unix();
    const CollectOptions collection{
        .now = now,
        .roots = TRY(wiring::roots_of_jobs(home, settings, now)),
        .mode = options.dry_run ? CollectOptions::Mode::dry_run : CollectOptions::Mode::remove,
        .scratch_folder = home.path,
        .on_expired = [&](const Pin& pin) { reporter.expired(pin); },
        .on_error = [&](const Cid& cid, const Error& error) { reporter.problem(cid, error); },
        .on_removed = [&](const Cid& cid) { return reporter.removed(cid); },
        .on_progress = [&](std::uint64_t marked,
                           std::uint64_t swept,
                           std::uint64_t blocks) { reporter.progress(marked, swept, blocks); },
    };
    Result<Collected> collected = store.collect(collection);
    reporter.clear();
    TRY(reporter.finish(TRY(std::move(collected))));
    return 0;
}

} // namespace

void add_repo_gc(Command& repo, Context& context) {
    Command* command = repo.add_subcommand("gc", "Remove the blocks that no pin and no job needs");
    auto options = std::make_shared<RepoGcOptions>(); // Kept by the action.
    command->add_flag("-q,--quiet", options->quiet, "Print CIDs only");
    command->add_flag("--silent", options->silent, "Print nothing");
    command->add_flag(
        "--stream-errors", options->stream_errors, "Print errors among the lines of the output");
    command->add_flag("--dry-run", options->dry_run, "Say what would go, remove nothing");
    context.add_json(*command);
    command->footer(
        "Kept are: what pins name, what open jobs read, what jobs that ended within\n"
        "store.keep_results read and wrote, and what any process is adding right now. Workers and\n"
        "adds may run meanwhile. Pins that are expired are dropped first.\n\n"
        "Examples:\n  ipfs-compute repo gc --dry-run\n  ipfs-compute repo gc -q | wc -l");
    context.on_run(*command, [&context, options] { return repo_gc(context, *options); });
}

} // namespace ic::cli
