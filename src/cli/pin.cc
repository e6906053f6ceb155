#include "cli/commands.h"
#include "cli/pin_commands.h"

#include <string>

namespace ic::cli {

void add_pin(Command& app, Context& context) {
    Command* command = app.add_subcommand("pin", "Say which content a collection must keep");
    add_pin_add(*command, context);
    add_pin_rm(*command, context);
    add_pin_ls(*command, context);
    add_pin_update(*command, context);
}

} // namespace ic::cli
