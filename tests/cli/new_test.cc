/// `new`: the project it makes builds as printed.

#include "cli/program.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

using ic::testing_support::Finished;
using ic::testing_support::Program;
using ic::testing_support::run_process;

/// The program is started in the folder of the test: `new` makes its project where it is.
Finished in_folder(const Program& program, const std::string& command) {
    return run_process({"/bin/bash", "-c", "cd '" + program.folder() + "' && " + command});
}

std::string text_of_file(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(New, FillsInTheNameAndBringsTheLibrary) {
    const Program program;
    const Finished made = in_folder(program, "exec " IC_PROGRAM " new --lang rust my-guest");
    EXPECT_EQ(made.status, 0) << made.err;
    EXPECT_EQ(made.out, "cd my-guest && cargo build --release --offline --target wasm32-wasip1\n");
    const std::string project = program.folder() + "/my-guest";
    EXPECT_NE(text_of_file(project + "/Cargo.toml").find("name = \"my-guest\""), std::string::npos);
    EXPECT_NE(text_of_file(project + "/README.md").find("release/my_guest.wasm"),
              std::string::npos);
    EXPECT_EQ(text_of_file(project + "/ipfs-compute/src/lib.rs"),
              text_of_file(IC_ROOT "/guest/rust/src/lib.rs"));
}

TEST(New, RefusesAFolderThatIsThere) {
    const Program program;
    std::filesystem::create_directory(program.folder() + "/there");
    const Finished refused = in_folder(program, "exec " IC_PROGRAM " new --lang rust there");
    EXPECT_EQ(refused.status, 120);
    EXPECT_TRUE(std::filesystem::is_empty(program.folder() + "/there"));
}

TEST(New, RefusesNamesThatCannotBeProjectsAndOtherLanguages) {
    const Program program;
    const std::string too_long(65, 'a');
    for (const std::string& name : {std::string("../up"),
                                    std::string("Big"),
                                    std::string("9lives"),
                                    std::string("ipfs-compute"),
                                    std::string("''"),
                                    too_long}) {
        const Finished refused = in_folder(program, "exec " IC_PROGRAM " new --lang rust " + name);
        EXPECT_EQ(refused.status, 120) << name << refused.err;
    }
    EXPECT_EQ(in_folder(program, "exec " IC_PROGRAM " new --lang cobol x").status, 120);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(program.folder()), {}), 0);
}

// tools/lib.sh finds Rust as the build does, also under a home without one.
TEST(New, BuildsWithThePrintedCommandOffline) {
    const Program program;
    const Finished built = in_folder(program,
                                     ". " IC_ROOT "/tools/lib.sh && if have_wasi_target; then "
                                     "command=$(" IC_PROGRAM " new --lang rust hello) && "
                                     "eval \"$command\" 2>&1 && test -s "
                                     "target/wasm32-wasip1/release/hello.wasm && echo built; "
                                     "else echo no target; fi");
    EXPECT_EQ(built.status, 0) << built.out << built.err;
    if (built.out.find("no target") != std::string::npos) {
        GTEST_SKIP() << "Rust has no wasm32-wasip1 here: rustup target add wasm32-wasip1";
    }
    EXPECT_NE(built.out.find("built"), std::string::npos) << built.out;
}

} // namespace
