#include "base/file.h"
#include "base/unique_fd.h"
#include "car/writer.h"
#include "car_store/output.h"
#include "cli/content_paths.h"
#include "cli/dag.h"
#include "cli/progress.h"
#include "unixfs/dag_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

namespace ic::cli {
namespace {

struct ExportOptions {
    std::string path;
    std::string output;
    bool resume = false;
    std::uint64_t resume_from = 0;
    bool local_only = false;
    bool progress = true;
};

/// Where the CAR goes, and what of it is there already.
struct Target {
    UniqueFd file; ///< None: standard output.
    car_store::OutputOptions options{};

    int fd() const { return file ? file.get() : STDOUT_FILENO; }
};

Result<Target> open_file(const ExportOptions& options) {
    const int flags = O_RDWR | O_CLOEXEC | (options.resume ? 0 : O_CREAT | O_EXCL);
    Target target{.file = UniqueFd(::open(options.output.c_str(), flags, 0666)),
                  .options = {.name = options.output}};
    if (!target.file && errno == EEXIST) {
        return Error{Errc::refused,
                     options.output + " exists already; --resume goes on where its export ended"};
    }
    if (!target.file) {
        return system_error("cannot open", options.output, errno);
    }
    struct stat status{};
    if (::fstat(target.file.get(), &status) != 0) {
        return system_error("cannot look at", options.output, errno);
    }
    target.options.there_bytes = static_cast<std::uint64_t>(status.st_size);
    target.options.there_fd = target.file.get();
    if (::lseek(target.file.get(), 0, SEEK_END) < 0) {
        return system_error("cannot go on in", options.output, errno);
    }
    return target;
}

Result<Target> open_target(const Context& context, const ExportOptions& options) {
    if (!options.output.empty()) {
        if (options.resume_from != 0) {
            return Error{Errc::usage, "--resume-from is for standard output; with -o use --resume"};
        }
        return open_file(options);
    }
    if (options.resume) {
        return Error{Errc::usage, "--resume needs the file that is to go on: -o FILE"};
    }
    if (context.streams.out_is_terminal()) {
        return Error{Errc::usage, "a CAR is nothing for a terminal; use -o FILE, or > FILE"};
    }
    return Target{.file = {},
                  .options = {.name = "standard output", .there_bytes = options.resume_from}};
}

/// The root is looked up before anything is written or a file is made.
Result<Cid> root_of(BlockSource& source, const std::string& path) {
    const unixfs::DagPlace place =
        TRY(unixfs::resolve_dag(source, TRY(unixfs::DagPath::parse(path))));
    if (!place.rest.empty()) {
        return Error{Errc::usage,
                     path + " is a value inside block " + place.cid.to_string() +
                         "; a CAR begins with a block"};
    }
    TRY(fetch(source, place.cid));
    return place.cid;
}

Result<car::Written>
write(Context& context, const ExportOptions& options, BlockSource& source, Target& target) {
    const Cid root = TRY(root_of(source, options.path));
    std::optional<Progress> progress;
    if (options.progress) {
        progress.emplace(context.streams, 0);
        target.options.progress = [&progress](std::uint64_t bytes) { progress->advance(bytes); };
    }
    // A partial CAR is written as Kubo's walk does it, which leaves out identity blocks too.
    const car::WalkOptions walk = options.local_only
                                      ? car::WalkOptions{.identity = car::IdentityBlocks::left_out,
                                                         .missing = car::MissingBlocks::leave_out}
                                      : car::WalkOptions{};
    car_store::FileOutput output(target.fd(), target.options);
    source.plan({.root = root, .scope = ReadPlan::Scope::all});
    const car::Written written = TRY(car::write_dag(source, root, walk, output));
    TRY(output.finish());
    return written;
}

Result<int> export_dag(Context& context, const ExportOptions& options) {
    wiring::Stores* stores = TRY(context.open_stores());
    BlockStore& store = options.local_only ? stores->local() : stores->blocks();
    ReadAhead source(store, read_ahead_here());
    Target target = TRY(open_target(context, options));
    Result<car::Written> written = write(context, options, source, target);
    if (!written) {
        Error error = std::move(written).take_error().during(options.path);
        if (!options.output.empty() && error.code != Errc::refused) {
            error.message += "; --resume goes on where " + options.output + " ends";
        }
        return error;
    }
    if (written->missing_blocks > 0) {
        context.streams.note(std::to_string(written->missing_blocks) +
                             " blocks are not here and were left out, with all below them\n");
    }
    return 0;
}

} // namespace

void add_dag_export(Command& dag, Context& context) {
    Command* command = dag.add_subcommand("export", "Write a DAG as a CAR");
    auto options = std::make_shared<ExportOptions>(); // Kept by the action.
    command->add_option("PATH", options->path, "A CID, or a path such as CID/dir")->required();
    command->add_option("-o,--output", options->output, "Write to a new file")->type_name("FILE");
    command->add_flag("--resume", options->resume, "Go on in the file of -o, after comparing it");
    command
        ->add_option(
            "--resume-from", options->resume_from, "Leave out so many bytes at the beginning")
        ->type_name("BYTES");
    command->add_flag("--local-only", options->local_only, "Leave out what is not on this machine");
    command->add_flag(
        "-p,--progress,!--no-progress", options->progress, "Say how far it is (at a terminal)");
    context.add_gateways(*command);
    command->footer(
        "The CAR is byte for byte that of 'ipfs dag export'. It is the same each time, so an\n"
        "export can go on where one ended.\n\n"
        "Examples:\n"
        "  ipfs-compute dag export CID > dag.car\n"
        "  ipfs-compute dag export -o dag.car CID\n"
        "  ipfs-compute dag export -o dag.car --resume CID\n"
        "  ssh HOST ipfs-compute dag export CID --resume-from $(stat -c %s dag.car) >> dag.car");
    context.on_run(*command, [&context, options] { return export_dag(context, *options); });
}

} // namespace ic::cli
