#include "base/file.h"
#include "cli/commands.h"
#include "cli/embedded.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ic::cli {
namespace {

/// Ours; Cargo takes more, but the name becomes that of a folder and of a file.
constexpr std::size_t name_bytes_max = 64;

struct Options {
    std::string name;
    std::string language = "rust";
};

Result<void> check_name(const std::string& name) {
    // What a language or a library has itself.
    constexpr std::array<std::string_view, 8> taken{"ipfs-compute",
                                                    "ipfs_compute",
                                                    "std",
                                                    "core",
                                                    "alloc",
                                                    "test",
                                                    "assemblyscript",
                                                    "node_modules"};
    const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (name.empty() || name.size() > name_bytes_max || !is_plain || name.front() < 'a' ||
        std::find(taken.begin(), taken.end(), name) != taken.end()) {
        return Error{Errc::usage,
                     "'" + name +
                         "' cannot be a project's name: use a small letter, then small letters, "
                         "digits, '-' and '_', " +
                         std::to_string(name_bytes_max) +
                         " at most, and no name that a language or this library has"};
    }
    return {};
}

std::string filled_in(std::string text, std::string_view mark, std::string_view value) {
    for (std::size_t at = text.find(mark); at != std::string::npos;
         at = text.find(mark, at + value.size())) {
        text.replace(at, mark.size(), value);
    }
    return text;
}

/// Something a build needs.
struct Need {
    const char* check; ///< For the shell; succeeds where it is there.
    const char* remedy;
};

struct Language {
    const char* name;
    std::span<const EmbeddedFile> (*project)();
    const char* build; ///< With @NAME@.
    std::vector<Need> needs;
};

const std::vector<Language>& languages() {
    static const std::vector<Language> all{
        {.name = "rust",
         .project = rust_project,
         .build = "cargo build --release --offline --target wasm32-wasip1",
         .needs = {{"rustc --version", "Rust is missing: install it with rustup"},
                   {"test -d \"$(rustc --print target-libdir --target wasm32-wasip1)\"",
                    "Rust has no target wasm32-wasip1 here: rustup target add wasm32-wasip1 "
                    "(Debian's own Rust has none)"}}},
        {.name = "c",
         .project = c_project,
         .build = "clang --target=wasm32-wasi --sysroot=/usr -mexec-model=reactor -std=c11 -O2 "
                  "-Wall -o @NAME@.wasm handler.c",
         .needs = {{"clang --version && wasm-ld --version && "
                    "test -e /usr/include/wasm32-wasi/stdio.h && test -e \"$(clang "
                    "--target=wasm32-wasi --rtlib=compiler-rt -print-libgcc-file-name)\"",
                    "no clang that builds for wasm32-wasi: apt-get install "
                    "--no-install-recommends clang lld wasi-libc libclang-rt-14-dev-wasm32"}}},
        {.name = "go",
         .project = go_project,
         .build = "GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o @NAME@.wasm .",
         .needs = {{"case $(GOTOOLCHAIN=local go env GOVERSION) in go1.2[4-9]*|go1.[3-9][0-9]*) ;; "
                    "*) false ;; esac",
                    "Go 1.24 or later is missing (Debian 12 has an older one)"}}},
        {.name = "assemblyscript",
         .project = assemblyscript_project,
         .build = "npm ci && npm run build",
         .needs = {{"command -v npm && node -e "
                    "'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)'",
                    "Node 18 or later with npm is missing: apt-get install "
                    "--no-install-recommends nodejs npm"}}}};
    return all;
}

std::vector<std::string> language_names() {
    std::vector<std::string> names;
    for (const Language& language : languages()) {
        names.emplace_back(language.name);
    }
    return names;
}

bool succeeds(const std::string& command) {
    const int status = std::system(("{ " + command + "; } </dev/null >/dev/null 2>&1").c_str());
    return status == 0;
}

/// What a new project needs and this machine has not, with its remedy; empty if nothing.
std::string missing_for(const Language& language) {
    for (const Need& need : language.needs) {
        if (!succeeds(need.check)) {
            return need.remedy;
        }
    }
    return {};
}

/// Its files, in the folder of its name.
Result<void> make_project(const Language& language, const std::string& name) {
    const std::string file = filled_in(name, "-", "_");
    for (const EmbeddedFile& embedded : language.project()) {
        const std::string path = name + "/" + std::string(embedded.path);
        std::string text = filled_in(std::string(embedded.text), "@NAME@", name);
        text = filled_in(std::move(text), "@FILE@", file);
        TRY(make_folders(path.substr(0, path.rfind('/')), 0755));
        TRY(write_file(path, bytes_of(text), 0644, IfExists::fail));
    }
    return {};
}

Result<int> create(Context& context, const Options& options) {
    TRY(check_name(options.name));
    std::error_code ignored;
    if (std::filesystem::exists(options.name, ignored)) {
        return Error{Errc::usage, "'" + options.name + "' is there already: choose another name"};
    }
    const auto chosen =
        std::find_if(languages().begin(), languages().end(), [&options](const Language& language) {
            return options.language == language.name;
        });
    assert(chosen != languages().end()); // The option takes no others.
    if (Result<void> made = make_project(*chosen, options.name); !made) {
        // It was not there before; what is left of it would be in the way of the next try.
        std::filesystem::remove_all(options.name, ignored);
        return std::move(made).take_error();
    }
    TRY(context.streams.print("cd " + options.name + " && " +
                              filled_in(chosen->build, "@NAME@", options.name) + "\n"));
    const std::string missing = missing_for(*chosen);
    if (!missing.empty()) {
        context.streams.note("before that: " + missing + "\n");
    }
    return 0;
}

} // namespace

void add_new(Command& app, Context& context) {
    Command* command = app.add_subcommand("new", "Make a project for a guest module");
    const auto options = std::make_shared<Options>();
    command->add_option("name", options->name, "Its name and folder")->required();
    command->add_option("--lang", options->language, "Its language")
        ->one_of(language_names())
        ->capture_default_str();
    command->footer("Prints the command that builds it. In rust, c and go it needs nothing from a "
                    "registry.\n\n"
                    "Examples:\n  ipfs-compute new --lang rust hello\n"
                    "  ipfs-compute new --lang go hello");
    context.on_run(*command, [&context, options] { return create(context, *options); });
}

} // namespace ic::cli
