/// The program: its commands, in the order of its help.

#include "cli/commands.h"
#include "cli/frame.h"
#include "cli/standard_descriptors.h"
#include "executor/wasm/executor_main.h"

#include <string_view>

int main(int count, char** arguments) {
    // The processes that the broker starts from this very program: they parse nothing.
    const std::string_view first = count > 1 ? arguments[1] : "";
    if (first == "internal-executor") {
        return ic::executor::wasm::run_executor(arguments[count - 1]);
    }
    if (first == "internal-compiler") {
        return ic::executor::wasm::run_compiler(arguments[count - 1]);
    }
    ic::cli::hold_standard_descriptors();
    return ic::cli::run(count, arguments, [](ic::cli::Command& app, ic::cli::Context& context) {
        add_init(app, context);
        add_add(app, context);
        add_cat(app, context);
        add_ls(app, context);
        add_get(app, context);
        add_block(app, context);
        add_dag(app, context);
        add_cid(app, context);
        add_pin(app, context);
        add_repo(app, context);
        add_id(app, context);
        add_trust(app, context);
        add_pair(app, context);
        add_config(app, context);
        add_completion(app, context);
        add_man(app, context);
        add_new(app, context);
        add_module(app, context);
        add_submit(app, context);
        add_run(app, context);
        add_worker(app, context);
        add_job(app, context);
        add_doctor(app, context);
        add_simulate(app, context);
        add_version(app, context);
    });
}
