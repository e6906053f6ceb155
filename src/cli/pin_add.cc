#include "base/quantity.h"
#include "base/text.h"
#include "base/time.h"
#include "blockstore/pinning.h"
#include "cli/content_paths.h"
#include "cli/pin_commands.h"
#include "unixfs/directory.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <memory>
#include <optional>

namespace ic::cli {
namespace {

struct PinAddOptions {
    std::vector<std::string> paths;
    bool recursive = true;
    std::string name;
    std::string expire_in;
    std::string expire_at;
    bool progress = false;
};

Result<std::optional<UnixSeconds>> expiry_of(const PinAddOptions& options) {
    if (!options.expire_in.empty() && !options.expire_at.empty()) {
        return Error{Errc::usage, "give --expire-in or --expire-at, not both"};
    }
    if (!options.expire_in.empty()) {
        const std::chrono::milliseconds in = TRY(parse_duration(options.expire_in));
        return std::optional{UnixSeconds{now_unix().value + (in.count() + 999) / 1000}};
    }
    if (options.expire_at.empty()) {
        return std::optional<UnixSeconds>{};
    }
    UnixSeconds at;
    const std::string& text = options.expire_at;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), at.value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return Error{Errc::usage,
                     "--expire-at wants seconds since 1970 (date -d 'next year' +%s), not '" +
                         text + "'"};
    }
    if (at <= now_unix()) {
        return Error{Errc::usage, "--expire-at " + text + " is over already"};
    }
    return std::optional{at};
}

Result<void> print_pinned(Context& context, const Pin& pin) {
    if (context.json) {
        const nlohmann::json json{
            {"cid", pin.cid.to_string()},
            {"type", name(pin.kind)},
            {"name", pin.name},
            {"expires_at",
             pin.expires_at ? nlohmann::json(pin.expires_at->value) : nlohmann::json()}};
        return context.streams.print(
            json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    }
    return context.streams.print(
        "pinned " + pin.cid.to_string() +
        (pin.kind == PinKind::recursive ? " recursively\n" : " directly\n"));
}

Result<int> pin_add(Context& context, const PinAddOptions& options) {
    const std::optional<UnixSeconds> expires_at = TRY(expiry_of(options));
    if (options.name.size() > limits::pin_name_bytes_max) {
        return Error{Errc::usage,
                     "pin name is " + std::to_string(options.name.size()) + " bytes (max " +
                         std::to_string(limits::pin_name_bytes_max) + " bytes)"};
    }
    const std::vector<std::string> paths = TRY(given_paths(options.paths));
    wiring::Stores& stores = *TRY(context.open_stores());
    PinningOptions pinning{.scratch_folder = TRY(context.open_home())->path, .on_progress = {}};
    if (options.progress) {
        pinning.on_progress = [&context](std::uint64_t blocks, std::uint64_t bytes) {
            if (blocks % 256 == 0) {
                context.streams.note("Fetched/Processed " + std::to_string(blocks) + " nodes (" +
                                     human_bytes(bytes) + ")\r");
            }
        };
    }
    for (const std::string& path : paths) {
        const Cid cid = TRY(unixfs::resolve(stores.blocks(), path));
        const Pin pin{.cid = cid,
                      .kind = options.recursive ? PinKind::recursive : PinKind::direct,
                      .name = options.name,
                      .expires_at = expires_at};
        if (Result<void> pinned = pin_whole(stores.blocks(), stores.pins(), pin, pinning);
            !pinned) {
            return std::move(pinned).take_error().during("pin");
        }
        TRY(print_pinned(context, pin));
    }
    return 0;
}

} // namespace

void add_pin_add(Command& pin, Context& context) {
    Command* command = pin.add_subcommand("add", "Pin content, so that no collection takes it");
    auto options = std::make_shared<PinAddOptions>(); // Kept by the action.
    command->add_option("PATH",
                        options->paths,
                        "CIDs, or paths such as CID/dir; none: lines of "
                        "standard input");
    command->add_flag(
        "-r,--recursive", options->recursive, "With all it links to; =false: one block");
    command->add_option("-n,--name", options->name, "A name, of 255 bytes at most")
        ->type_name("NAME");
    command->add_option("--expire-in", options->expire_in, "Keep it that long: 12h, 30d")
        ->type_name("DURATION");
    command->add_option("--expire-at", options->expire_at, "Keep it until then")
        ->type_name("UNIXTIME");
    command->add_flag("--progress", options->progress, "Say how far the walk is");
    context.add_json(*command);
    command->footer(
        "Looks at every block first: one that is not here is fetched where it can be, and if it\n"
        "cannot, nothing is pinned. A second pin of a CID takes the place of the first.\n\n"
        "Examples:\n"
        "  ipfs-compute pin add CID\n"
        "  ipfs-compute pin add --name corpus --expire-in 30d CID\n"
        "  ipfs-compute pin add --recursive=false CID");
    context.on_run(*command, [&context, options] { return pin_add(context, *options); });
}

} // namespace ic::cli
