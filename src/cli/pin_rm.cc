#include "blockstore/pinning.h"
#include "cli/content_paths.h"
#include "cli/pin_commands.h"
#include "unixfs/directory.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>

namespace ic::cli {
namespace {

struct PinRmOptions {
    std::vector<std::string> paths;
    bool recursive = true;
};

Result<void> unpin(Pins& pins, const Cid& cid, bool recursive) {
    if (!recursive) {
        const std::optional<Pin> pin = TRY(pins.find(cid));
        if (pin && pin->kind == PinKind::recursive) {
            return Error{Errc::refused, cid.to_string() + " is pinned recursively"};
        }
    }
    return pins.remove(cid);
}

Result<int> pin_rm(Context& context, const PinRmOptions& options) {
    const std::vector<std::string> paths = TRY(given_paths(options.paths));
    wiring::Stores& stores = *TRY(context.open_stores());
    std::vector<Cid> cids;
    for (const std::string& path : paths) {
        cids.push_back(TRY(unixfs::resolve(stores.blocks(), path)));
        TRY(unpin(stores.pins(), cids.back(), options.recursive));
    }
    for (const Cid& cid : cids) {
        TRY(context.streams.print(context.json
                                      ? nlohmann::json{{"cid", cid.to_string()}}.dump() + "\n"
                                      : "unpinned " + cid.to_string() + "\n"));
    }
    return 0;
}

struct PinUpdateOptions {
    std::string from;
    std::string to;
};

Result<int> pin_update(Context& context, const PinUpdateOptions& options) {
    wiring::Stores& stores = *TRY(context.open_stores());
    const Cid from = TRY(unixfs::resolve(stores.blocks(), options.from));
    const Cid to = TRY(unixfs::resolve(stores.blocks(), options.to));
    TRY(update_pin(stores.blocks(),
                   stores.pins(),
                   from,
                   to,
                   {.scratch_folder = TRY(context.open_home())->path, .on_progress = {}}));
    TRY(context.streams.print(
        context.json
            ? nlohmann::json{{"from", from.to_string()}, {"to", to.to_string()}}.dump() + "\n"
            : "updated " + from.to_string() + " to " + to.to_string() + "\n"));
    return 0;
}

} // namespace

void add_pin_rm(Command& pin, Context& context) {
    Command* command = pin.add_subcommand("rm", "Remove pins; a collection may take the content");
    auto options = std::make_shared<PinRmOptions>(); // Kept by the action.
    command->add_option("PATH",
                        options->paths,
                        "CIDs, or paths such as CID/dir; none: lines of "
                        "standard input");
    command->add_flag("-r,--recursive", options->recursive, "=false: direct pins alone");
    context.add_json(*command);
    command->footer("Examples:\n  ipfs-compute pin rm CID");
    context.on_run(*command, [&context, options] { return pin_rm(context, *options); });
}

void add_pin_update(Command& pin, Context& context) {
    Command* command = pin.add_subcommand("update", "Pin one thing in the place of another");
    auto options = std::make_shared<PinUpdateOptions>(); // Kept by the action.
    command->add_option("FROM", options->from, "What is pinned recursively now")->required();
    command->add_option("TO", options->to, "What is to be pinned")->required();
    context.add_json(*command);
    command->footer("The name and the expiry stay. Both happen at once or not at all.\n\n"
                    "Examples:\n  ipfs-compute pin update CID_OF_YESTERDAY CID_OF_TODAY");
    context.on_run(*command, [&context, options] { return pin_update(context, *options); });
}

} // namespace ic::cli
