#include "base/file.h"
#include "base/unique_fd.h"
#include "blockstore/pinning.h"
#include "car_store/import.h"
#include "cli/dag.h"
#include "cli/progress.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

namespace ic::cli {
namespace {

struct ImportOptions {
    std::vector<std::string> paths;
    bool pin_roots = true;
    const Option* pin_roots_flag = nullptr; ///< Lives as long as the program.
    bool local_only = false;
    bool silent = false;
    bool stats = false;
    bool progress = true;
};

/// An open CAR and how it is called.
struct Input {
    UniqueFd file;
    std::string name;
};

Result<Input> open_input(const std::string& path) {
    if (path == "-") {
        return Input{UniqueFd(::dup(STDIN_FILENO)), "standard input"};
    }
    Input input{UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), path};
    if (!input.file) {
        return system_error("cannot open", path, errno);
    }
    return input;
}

/// 0 for what is no plain file.
std::uint64_t bytes_of_file(const UniqueFd& file) {
    struct stat status{};
    const bool is_known = ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode);
    return is_known ? static_cast<std::uint64_t>(status.st_size) : 0;
}

class Importer {
public:
    Importer(Context& context, const ImportOptions& options, wiring::Stores& stores)
        : context_(context)
        , options_(options)
        , stores_(stores) {}

    /// What was put stays, whatever happens.
    Result<void> import_file(const std::string& path) {
        const Input input = TRY(open_input(path));
        std::optional<Progress> progress;
        car_store::ImportOptions import_options{};
        if (options_.progress && !options_.silent) {
            progress.emplace(context_.streams, bytes_of_file(input.file));
            import_options.progress = [&progress](std::uint64_t bytes) {
                progress->advance(bytes);
            };
        }
        const auto read = [&input](std::span<std::uint8_t> into) -> Result<std::size_t> {
            ssize_t count = -1;
            do {
                count = ::read(input.file.get(), into.data(), into.size());
            } while (count < 0 && errno == EINTR);
            return count < 0 ? Result<std::size_t>(system_error("cannot read", input.name, errno))
                             : static_cast<std::size_t>(count);
        };
        car_store::Imported imported;
        Result<void> result =
            car_store::import_car(read, stores_.local(), import_options, imported);
        progress.reset();
        const Result<void> synced = stores_.local().sync();
        if (!result) {
            return how_to_go_on(std::move(result).take_error().during(input.name), imported);
        }
        TRY(Result<void>(synced));
        blocks_ += imported.blocks;
        bytes_ += imported.bytes;
        for (const Cid& root : imported.roots) {
            if (std::ranges::find(roots_, root) == roots_.end()) {
                roots_.push_back(root);
            }
        }
        return {};
    }

    /// After all files, so that a DAG may lie in several. All are tried; the first failure is told.
    Result<void> pin_roots() {
        Result<void> first;
        for (const Cid& root : roots_) {
            Result<void> pinned = pin(root);
            TRY(say_pinned(root, pinned));
            if (!pinned && first) {
                first = Error{pinned.error().code,
                              "pinning root \"" + root.to_string() +
                                  "\" FAILED: " + pinned.error().message};
            }
        }
        return first;
    }

    Result<void> say_stats() {
        if (context_.json) {
            return say(nlohmann::json{{"blocks", blocks_}, {"bytes", bytes_}}.dump());
        }
        return say("Imported " + std::to_string(blocks_) + " blocks (" + std::to_string(bytes_) +
                   " bytes)");
    }

private:
    static Error how_to_go_on(Error error, const car_store::Imported& imported) {
        if (imported.blocks > 0) {
            error.message += "; the " + std::to_string(imported.blocks) + " blocks of its first " +
                             std::to_string(imported.whole_bytes) +
                             " bytes are kept: import a whole CAR again, what is here is not "
                             "written twice";
        }
        return error;
    }

    /// Looks nowhere else for what is missing, as Kubo.
    Result<void> pin(const Cid& root) {
        return pin_whole(stores_.local(),
                         stores_.pins(),
                         {.cid = root, .kind = PinKind::recursive},
                         {.scratch_folder = TRY(context_.open_home())->path, .on_progress = {}});
    }

    Result<void> say_pinned(const Cid& root, const Result<void>& pinned) {
        if (context_.json) {
            nlohmann::json json{{"root", root.to_string()}, {"pin_error", nullptr}};
            if (!pinned) {
                json["pin_error"] = pinned.error().message;
            }
            return say(json.dump());
        }
        return pinned ? say("Pinned root\t" + root.to_string() + "\tsuccess") : Result<void>{};
    }

    Result<void> say(const std::string& line) {
        return options_.silent ? Result<void>{} : context_.streams.print(line + "\n");
    }

    Context& context_;
    const ImportOptions& options_;
    wiring::Stores& stores_;
    std::vector<Cid> roots_;
    std::uint64_t blocks_ = 0;
    std::uint64_t bytes_ = 0;
};

Result<int> import_all(Context& context, const ImportOptions& options) {
    const bool asks_to_pin = options.pin_roots_flag->count() > 0 && options.pin_roots;
    if (options.local_only && asks_to_pin) {
        return Error{Errc::usage,
                     "--local-only implies --pin-roots=false and cannot be combined with "
                     "--pin-roots=true; please drop one of them"};
    }
    wiring::Stores* stores = TRY(context.open_stores());
    const std::unique_ptr<WriteSession> session = TRY(stores->local().begin_session());
    Importer importer(context, options, *stores);
    if (options.paths.empty()) {
        TRY(importer.import_file("-"));
    }
    for (const std::string& path : options.paths) {
        TRY(importer.import_file(path));
    }
    if (options.pin_roots && !options.local_only) {
        TRY(importer.pin_roots());
    }
    if (options.stats) {
        TRY(importer.say_stats());
    }
    return 0;
}

} // namespace

void add_dag_import(Command& dag, Context& context) {
    Command* command = dag.add_subcommand("import", "Store the blocks of CARs and pin their roots");
    auto options = std::make_shared<ImportOptions>(); // Kept by the action.
    command->add_option(
        "FILE", options->paths, "CARs, version 1 or 2; '-' or none: standard input");
    options->pin_roots_flag = command->add_flag(
        "--pin-roots,!--no-pin-roots", options->pin_roots, "Pin the roots (the default)");
    command->add_flag("--local-only", options->local_only, "The CARs are partial; pins nothing");
    command->add_flag("--silent", options->silent, "Print nothing");
    command->add_flag("--stats", options->stats, "Print how much was imported");
    command->add_flag(
        "-p,--progress,!--no-progress", options->progress, "Say how far it is (at a terminal)");
    context.add_json(*command);
    command->footer(
        "Every block is checked against its CID. A root is pinned if all that it links to is\n"
        "here, after the last file. A CAR that ends early keeps what came whole: import it again\n"
        "when you have more of it.\n\n"
        "Examples:\n"
        "  ipfs-compute dag import dag.car\n"
        "  ipfs-compute dag import --stats part1.car part2.car\n"
        "  ipfs dag export CID | ipfs-compute dag import --pin-roots=false");
    context.on_run(*command, [&context, options] { return import_all(context, *options); });
}

} // namespace ic::cli
