#include "base/file.h"
#include "base/text.h"
#include "blockstore/embedded/embedded_store.h"
#include "cli/add_flags.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "importer/importer.h"

#include <nlohmann/json.hpp>

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace ic::cli {
namespace {

/// Prints what was added, and how far it is.
class Report {
public:
    Report(Context& context, const AddFlags& flags, const importer::WalkRequest& request)
        : context_(context)
        , flags_(flags) {
        if (context.streams.err_is_terminal() && !flags.quiet && !flags.quieter && !flags.silent &&
            (!flags.progress.is_given() || flags.progress.value)) {
            progress_.emplace(context.streams, 0);
            counter_ = std::jthread([this, &request](std::stop_token stop) {
                total_bytes_ = importer::count_bytes(request, std::move(stop)).value_or(0);
            });
        }
    }

    void advance(std::uint64_t bytes) {
        if (progress_) {
            progress_->set_total(total_bytes_);
            progress_->advance(bytes);
        }
    }

    Result<void> added(const importer::Added& added) {
        last_ = added.cid.to_string();
        if (flags_.quieter || flags_.silent) {
            return {};
        }
        if (progress_) {
            progress_->clear();
        }
        if (context_.json) {
            return context_.streams.print(
                nlohmann::json{{"name", added.name}, {"cid", last_}, {"bytes", added.tsize}}.dump(
                    -1, ' ', false, nlohmann::json::error_handler_t::replace) +
                "\n");
        }
        return context_.streams.print(flags_.quiet ? last_ + "\n"
                                                   : "added " + last_ + " " +
                                                         kubo_printable(added.name) + "\n");
    }

    /// What `-Q` prints.
    Result<void> finish() {
        progress_.reset();
        return flags_.quieter && !flags_.silent ? context_.streams.print(last_ + "\n")
                                                : Result<void>{};
    }

private:
    Context& context_;
    const AddFlags& flags_;
    std::optional<Progress> progress_;
    std::atomic<std::uint64_t> total_bytes_ = 0; ///< 0: not known yet.
    std::string last_;
    std::jthread counter_; ///< Last, so that it ends before what it writes to.
};

/// Leaves blocks in the files that they are in.
class ReferTo final : public importer::InPlace {
public:
    explicit ReferTo(EmbeddedStore& store, std::string folder)
        : store_(store)
        , folder_(std::move(folder)) {}

    Result<void>
    refer(const Cid& cid, ByteView data, const std::string& path, std::uint64_t offset) override {
        return store_.refer(cid, data, path.starts_with('/') ? path : folder_ + "/" + path, offset);
    }

private:
    EmbeddedStore& store_;
    const std::string folder_; ///< Of this process.
};

Result<std::string> working_folder() {
    std::error_code error;
    std::string folder = std::filesystem::current_path(error);
    if (error) {
        return system_error("cannot find out about", "the working folder", error.value());
    }
    return folder;
}

Result<int> add(Context& context, const AddFlags& flags) {
    TRY(check(flags));
    const std::string profile =
        flags.profile.empty() ? TRY(context.load_settings())->values.import_profile : flags.profile;
    const unixfs::ImportOptions options = TRY(import_options_of(flags, profile));
    std::vector<std::string> useless;
    const importer::WalkRequest request = TRY(walk_request_of(flags, useless));
    for (const std::string& rule : useless) {
        context.streams.note("note: the ignore rule '" + printable(rule) +
                             "' matches nothing: rules are compared with names, not paths\n");
    }
    importer::Destination destination;
    std::optional<importer::StatCache> cache;
    std::optional<ReferTo> in_place;
    if (!flags.only_hash) {
        wiring::Stores* const stores = TRY(context.open_stores());
        destination.store = &stores->local();
        destination.pins = flags.pins() ? &stores->pins() : nullptr;
        destination.pin_name = flags.pin_name.value_or("");
        if (flags.nocopy.value) {
            in_place.emplace(stores->embedded(), TRY(working_folder()));
            destination.in_place = &*in_place;
        }
        if (flags.fscache) {
            cache = TRY(importer::StatCache::load(TRY(context.open_home())->add_cache_file()));
            destination.cache = &*cache;
        }
    }
    Report report(context, flags, request);
    Result<void> done = importer::import_files(
        request,
        options,
        destination,
        importer::default_threads(),
        {.added = [&](const importer::Added& added) { return report.added(added); },
         .progress = [&](std::uint64_t bytes) { report.advance(bytes); }});
    if (cache) { // Also when it failed in the middle: what is remembered is looked for when met.
        Result<void> saved = cache->save();
        TRY(done ? std::move(saved) : std::move(done));
    }
    TRY(std::move(done));
    TRY(report.finish());
    return 0;
}

} // namespace

void add_add(Command& app, Context& context) {
    Command* command = app.add_subcommand("add", "Add files to the store and print their CIDs");
    const std::shared_ptr<AddFlags> flags = add_flags_of(*command); // Kept by the action.
    context.add_json(*command);
    command->footer(
        "The flags are those of 'ipfs add', and so are the CIDs, with Kubo's profile\n"
        "unixfs-v1-2025. A plain 'ipfs add' gives others; --profile none gives the same.\n\n"
        "Examples:\n"
        "  ipfs-compute add module.wasm\n"
        "  ipfs-compute add -r -Q corpus\n"
        "  ipfs-compute add -r --fscache --pin-name=photos --ignore='*.tmp' photos\n"
        "  ipfs-compute add -w --cid-version=0 a.txt b.txt\n"
        "  echo hello | ipfs-compute add -Q");
    context.on_run(*command, [&context, flags] { return add(context, *flags); });
}

} // namespace ic::cli
