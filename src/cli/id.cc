#include "cli/commands.h"
#include "wiring/identity.h"

#include <nlohmann/json.hpp>

namespace ic::cli {
namespace {

Result<void> print_identity(Context& context) {
    const PrivateKey key = TRY(wiring::open_identity(*TRY(context.open_home())));
    const std::string did = key.public_key().to_did(), peer_id = key.public_key().to_peer_id();
    if (context.json) {
        return context.streams.print(nlohmann::json{{"did", did}, {"peer_id", peer_id}}.dump() +
                                     "\n");
    }
    return context.streams.print("did      " + did + "\npeer id  " + peer_id + "\n");
}

} // namespace

void add_id(Command& app, Context& context) {
    Command* command = app.add_subcommand("id", "Print the names of this node's key");
    context.add_json(*command);
    command->footer("Others trust this node by its did: ipfs-compute trust add DID\n\n"
                    "Examples:\n  ipfs-compute id\n  ipfs-compute id --json");
    context.on_run(*command, [&context]() -> Result<int> {
        TRY(print_identity(context));
        return 0;
    });
}

void add_init(Command& app, Context& context) {
    Command* command = app.add_subcommand("init", "Make the home folder and the key of this node");
    context.add_json(*command);
    command->footer(
        "Not needed: the first command that wants them makes them too. Changes nothing\n"
        "that is there.\n\n"
        "Examples:\n  ipfs-compute init\n  ipfs-compute init --home /srv/ic");
    context.on_run(*command, [&context]() -> Result<int> {
        const config::Home* home = TRY(context.open_home());
        if (!context.json) {
            TRY(context.streams.print("home     " + home->path + "\n"));
        }
        TRY(print_identity(context));
        TRY(context.open_stores());
        return 0;
    });
}

} // namespace ic::cli
