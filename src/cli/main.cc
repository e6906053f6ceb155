/// The program: its commands, in the order of its help.

#include "cli/commands.h"
#include "cli/frame.h"

int main(int count, char** arguments) {
    return ic::cli::run(count, arguments, [](CLI::App& app, ic::cli::Context& context) {
        add_new(app, context);
        add_version(app, context);
    });
}
