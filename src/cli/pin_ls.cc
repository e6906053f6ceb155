#include "base/text.h"
#include "blockstore/pinning.h"
#include "cli/pin_commands.h"
#include "unixfs/directory.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace ic::cli {
namespace {

struct PinLsOptions {
    std::vector<std::string> paths;
    std::string type = "all";
    std::string name; ///< Only pins whose name holds this.
    bool quiet = false;
    bool names = false;
    bool stream = false; ///< Output is always written as it is found.
};

/// One line of the listing.
struct Line {
    const Cid& cid;
    std::string type;
    const Pin* pin = nullptr; ///< None for what is pinned through another.
};

Result<void> print_line(Context& context, const PinLsOptions& options, const Line& line) {
    const bool with_name = options.names || !options.name.empty();
    if (context.json) {
        const bool expires = line.pin != nullptr && line.pin->expires_at;
        const nlohmann::json json{
            {"cid", line.cid.to_string()},
            {"type", line.type},
            {"name", line.pin != nullptr ? line.pin->name : ""},
            {"expires_at",
             expires ? nlohmann::json(line.pin->expires_at->value) : nlohmann::json()}};
        return context.streams.print(
            json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    }
    std::string text = line.cid.to_string();
    if (!options.quiet) {
        text += " " + line.type;
        if (with_name && line.pin != nullptr && !line.pin->name.empty()) {
            text += " " + printable(line.pin->name);
        }
    }
    return context.streams.print(text + "\n");
}

/// Kubo's order: recursive ones, then direct ones, then what they hold.
class Lister {
public:
    Lister(Context& context, const PinLsOptions& options, wiring::Stores& stores)
        : context_(context)
        , options_(options)
        , stores_(stores) {}

    Result<void> list_all(const std::string& scratch_folder) {
        if (options_.type == "all" || options_.type == "recursive") {
            TRY(list_kind(PinKind::recursive));
        }
        if (options_.type == "all" || options_.type == "direct") {
            TRY(list_kind(PinKind::direct));
        }
        if (options_.type == "all" || options_.type == "indirect") {
            TRY(list_indirect(scratch_folder));
        }
        return {};
    }

    /// Errors: not_found for the first path that is not pinned so.
    Result<void> list_paths(const std::string& scratch_folder) {
        std::vector<Cid> cids;
        for (const std::string& path : options_.paths) {
            cids.push_back(TRY(unixfs::resolve(stores_.blocks(), path)));
        }
        const std::unordered_map<Cid, Cid> through = TRY(find_indirect(cids, scratch_folder));
        for (std::size_t index = 0; index < cids.size(); ++index) {
            const Cid& cid = cids[index];
            const std::optional<Pin> pin = TRY(stores_.pins().find(cid));
            const auto indirect = through.find(cid);
            if (pin && (options_.type == "all" || options_.type == name(pin->kind))) {
                TRY(print_line(context_,
                               options_,
                               {.cid = cid, .type = std::string(name(pin->kind)), .pin = &*pin}));
            } else if (indirect != through.end()) {
                TRY(print_line(
                    context_,
                    options_,
                    {.cid = cid, .type = "indirect through " + indirect->second.to_string()}));
            } else {
                return Error{Errc::not_found, "path '" + options_.paths[index] + "' is not pinned"};
            }
        }
        return {};
    }

private:
    Result<void> list_kind(PinKind kind) {
        return stores_.pins().visit([&](const Pin& pin) -> Result<void> {
            if (pin.kind != kind || pin.name.find(options_.name) == std::string::npos) {
                return {};
            }
            return print_line(
                context_, options_, {.cid = pin.cid, .type = std::string(name(kind)), .pin = &pin});
        });
    }

    Result<void> list_indirect(const std::string& scratch_folder) {
        if (!options_.name.empty()) {
            return {}; // What is pinned through another has no name.
        }
        return visit_indirect(stores_.local(),
                              stores_.pins(),
                              scratch_folder,
                              [&](const Cid& cid, const Cid&) -> Result<void> {
                                  if (TRY(stores_.pins().find(cid))) {
                                      return {}; // Listed as what it is.
                                  }
                                  return print_line(
                                      context_, options_, {.cid = cid, .type = "indirect"});
                              });
    }

    /// Which of them are pinned through which other; looked for only where it matters.
    Result<std::unordered_map<Cid, Cid>> find_indirect(const std::vector<Cid>& cids,
                                                       const std::string& scratch_folder) {
        std::unordered_map<Cid, Cid> found;
        std::unordered_set<Cid> wanted;
        for (const Cid& cid : cids) {
            const std::optional<Pin> pin = TRY(stores_.pins().find(cid));
            const bool counts = options_.type == "indirect" ? !pin || pin->kind == PinKind::direct
                                                            : options_.type == "all" && !pin;
            if (counts) {
                wanted.insert(cid);
            }
        }
        if (wanted.empty()) {
            return found;
        }
        TRY(visit_indirect(stores_.local(),
                           stores_.pins(),
                           scratch_folder,
                           [&](const Cid& cid, const Cid& pin) -> Result<void> {
                               if (wanted.contains(cid)) {
                                   found.emplace(cid, pin);
                               }
                               return {};
                           }));
        return found;
    }

    Context& context_;
    const PinLsOptions& options_;
    wiring::Stores& stores_;
};

Result<int> pin_ls(Context& context, const PinLsOptions& options) {
    if (options.type != "all" && options.type != "recursive" && options.type != "direct" &&
        options.type != "indirect") {
        return Error{Errc::usage,
                     "invalid type '" + options.type +
                         "', must be one of {direct, indirect, recursive, all}"};
    }
    const std::string scratch_folder = TRY(context.open_home())->path;
    Lister lister(context, options, *TRY(context.open_stores()));
    TRY(options.paths.empty() ? lister.list_all(scratch_folder)
                              : lister.list_paths(scratch_folder));
    return 0;
}

} // namespace

void add_pin_ls(Command& pin, Context& context) {
    Command* command = pin.add_subcommand("ls", "List pins");
    auto options = std::make_shared<PinLsOptions>(); // Kept by the action.
    command->add_option("PATH", options->paths, "Only these; an error if one is not pinned");
    command->add_option("-t,--type", options->type, "direct, indirect, recursive or all")
        ->type_name("TYPE")
        ->capture_default_str();
    command->add_flag("-q,--quiet", options->quiet, "Print CIDs only");
    command->add_option("-n,--name", options->name, "Only pins whose name holds this")
        ->type_name("TEXT");
    command->add_flag("--names", options->names, "Print names too");
    command->add_flag("-s,--stream", options->stream, "As without: lines come as they are found");
    context.add_json(*command);
    command->footer("Without --type, what pinned content links to is listed too ('indirect'), for\n"
                    "which every block of it is looked at; --type=recursive is quick.\n\n"
                    "Examples:\n  ipfs-compute pin ls --type=recursive --names\n"
                    "  ipfs-compute pin ls CID");
    context.on_run(*command, [&context, options] { return pin_ls(context, *options); });
}

} // namespace ic::cli
