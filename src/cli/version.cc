#include "cli/commands.h"

#include <nlohmann/json.hpp>

namespace ic::cli {

void add_version(Command& app, Context& context) {
    Command* command = app.add_subcommand("version", "Print the version of this program");
    command->footer("Examples:\n  ipfs-compute version\n  ipfs-compute version --json");
    context.add_json(*command);
    app.version_flag("--version", "ipfs-compute " IC_VERSION, "Print the version");
    context.on_run(*command, [&context]() -> Result<int> {
        if (context.json) {
            TRY(context.streams.print(nlohmann::json{{"version", IC_VERSION}}.dump() + "\n"));
        } else {
            TRY(context.streams.print("ipfs-compute " IC_VERSION "\n"));
        }
        return 0;
    });
}

} // namespace ic::cli
