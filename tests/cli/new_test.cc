/// `new`: the project it makes builds as printed.

#include "cli/program.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

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

TEST(New, LeavesNothingBehindWhenThereIsNoRoom) {
    const Program program;
    // A limit of what a file may have: the first files of the project fit, the library does not.
    const Finished full = in_folder(
        program, "trap '' XFSZ; ulimit -f 4; exec " IC_PROGRAM " new --lang rust my-guest");
    EXPECT_EQ(full.status, 125) << full.err;
    EXPECT_NE(full.err.find("cannot write my-guest/"), std::string::npos) << full.err;
    EXPECT_FALSE(std::filesystem::exists(program.folder() + "/my-guest"));
    const Finished again = in_folder(program, "exec " IC_PROGRAM " new --lang rust my-guest");
    EXPECT_EQ(again.status, 0) << again.err;
}

TEST(New, BringsTheLibraryOfEachLanguageAsItIs) {
    const Program program;
    struct Language {
        std::string name;
        std::string build;
        std::vector<std::pair<std::string, std::string>> copies; // In the project, in guest/.
    };
    const std::vector<Language> languages{
        {"c",
         "clang --target=wasm32-wasi --sysroot=/usr -mexec-model=reactor -std=c11 -O2 -Wall -o "
         "a-c.wasm handler.c",
         {{"ipfs_compute.h", "c/ipfs_compute.h"}, {"handler.c", "c/template/handler.c"}}},
        {"go",
         "GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o a-go.wasm .",
         {{"ipfscompute/fs.go", "go/fs.go"},
          {"ipfscompute/internal/host/host_wasip1.go", "go/internal/host/host_wasip1.go"},
          {"ipfscompute/fetch/fetch.go", "go/fetch/fetch.go"}}},
        {"assemblyscript",
         "npm ci && npm run build",
         {{"ipfs-compute/assembly/index.ts", "assemblyscript/assembly/index.ts"},
          {"ipfs-compute/assembly/json.ts", "assemblyscript/assembly/json.ts"}}}};
    for (const Language& language : languages) {
        const std::string name = "a-" + language.name;
        const Finished made =
            in_folder(program, "exec " IC_PROGRAM " new --lang " + language.name + " " + name);
        EXPECT_EQ(made.status, 0) << made.err;
        EXPECT_EQ(made.out, "cd " + name + " && " + language.build + "\n");
        const std::string project = program.folder() + "/" + name;
        EXPECT_EQ(text_of_file(project + "/README.md").find("@"), std::string::npos);
        EXPECT_NE(text_of_file(project + "/README.md").find("# " + name), std::string::npos);
        for (const auto& [copy, original] : language.copies) {
            EXPECT_EQ(text_of_file(project + "/" + copy),
                      text_of_file(IC_ROOT "/guest/" + original))
                << copy;
        }
    }
    EXPECT_NE(text_of_file(program.folder() + "/a-go/go.mod").find("module example/a-go\n"),
              std::string::npos);
    EXPECT_NE(text_of_file(program.folder() + "/a-assemblyscript/asconfig.json")
                  .find("\"outFile\": \"a-assemblyscript.wasm\""),
              std::string::npos);
}

// A source that is added to a library and not to src/cli/CMakeLists.txt would be missed only by
// whoever needs it.
TEST(New, ForgetsNoSourceOfALibrary) {
    const Program program;
    for (const auto& [language, library, original, ending] :
         {std::array<std::string, 4>{"rust", "ipfs-compute/src", "rust/src", ".rs"},
          std::array<std::string, 4>{"go", "ipfscompute", "go", ".go"},
          std::array<std::string, 4>{
              "assemblyscript", "ipfs-compute/assembly", "assemblyscript/assembly", ".ts"}}) {
        in_folder(program, "exec " IC_PROGRAM " new --lang " + language + " x-" + language);
        const std::string folder = IC_ROOT "/guest/" + original;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            const std::string path = std::filesystem::relative(entry.path(), folder);
            if (!path.ends_with(ending) || path.ends_with("_test.go") ||
                path.starts_with("template/")) {
                continue;
            }
            EXPECT_EQ(
                text_of_file(program.folder() + "/x-" + language + "/" + library + "/" + path),
                text_of_file(entry.path()))
                << path << ": add it to src/cli/CMakeLists.txt";
        }
    }
}

TEST(New, SaysWhatIsMissingForALanguage) {
    const Program program;
    for (const auto& [language, said] : {std::pair<std::string, std::string>{"rust", "rustup"},
                                         {"c", "wasi-libc"},
                                         {"go", "Go 1.24"},
                                         {"assemblyscript", "Node 18"}}) {
        const Finished made = in_folder(
            program, "PATH=/nowhere exec " IC_PROGRAM " new --lang " + language + " m-" + language);
        EXPECT_EQ(made.status, 0) << made.err;
        EXPECT_NE(made.err.find("before that: "), std::string::npos) << made.err;
        EXPECT_NE(made.err.find(said), std::string::npos) << made.err;
    }
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
