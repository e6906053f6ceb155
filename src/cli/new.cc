#include "base/file.h"
#include "cli/commands.h"
#include "cli/embedded.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace ic::cli {
namespace {

/// Ours; Cargo takes more, but the name becomes that of a folder and of a file.
constexpr std::size_t name_bytes_max = 64;

struct Options {
    std::string name;
    std::string language = "rust";
};

Result<void> check_name(const std::string& name) {
    constexpr std::array<std::string_view, 6> taken{
        "ipfs-compute", "ipfs_compute", "std", "core", "alloc", "test"};
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
                         " at most, and no name that Rust or this library has"};
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

/// What a new project needs and this machine has not, as a sentence with its remedy; empty if
/// nothing.
std::string missing_for_rust() {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe{
        ::popen("rustc --print target-libdir --target wasm32-wasip1 2>/dev/null", "r"), ::pclose};
    std::array<char, 4096> line{};
    if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) {
        return "Rust is missing: install it with rustup";
    }
    std::string folder = line.data();
    folder.erase(folder.find_last_not_of('\n') + 1);
    std::error_code ignored; // Not to be seen is not to be there.
    if (std::filesystem::exists(folder, ignored)) {
        return {};
    }
    return "Rust has no target wasm32-wasip1 here: rustup target add wasm32-wasip1 (Debian's own "
           "Rust has none; the example in C shows the other way)";
}

Result<int> create(Context& context, const Options& options) {
    TRY(check_name(options.name));
    std::error_code ignored;
    if (std::filesystem::exists(options.name, ignored)) {
        return Error{Errc::usage, "'" + options.name + "' is there already: choose another name"};
    }
    const std::string file = filled_in(options.name, "-", "_");
    for (const EmbeddedFile& embedded : rust_project()) {
        const std::string path = options.name + "/" + std::string(embedded.path);
        std::string text = filled_in(std::string(embedded.text), "@NAME@", options.name);
        text = filled_in(std::move(text), "@FILE@", file);
        TRY(make_folders(path.substr(0, path.rfind('/')), 0755));
        TRY(write_file(path, bytes_of(text), 0644, IfExists::fail));
    }
    TRY(context.streams.print("cd " + options.name +
                              " && cargo build --release --offline --target wasm32-wasip1\n"));
    const std::string missing = missing_for_rust();
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
    command->add_option("--lang", options->language, "Its language: rust")
        ->one_of({"rust"})
        ->capture_default_str();
    command->footer("Prints the command that builds it, which needs nothing from a registry.\n\n"
                    "Examples:\n  ipfs-compute new --lang rust hello");
    context.on_run(*command, [&context, options] { return create(context, *options); });
}

} // namespace ic::cli
