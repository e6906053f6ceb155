#include "archive/gzip_writer.h"
#include "base/file.h"
#include "base/unique_fd.h"
#include "cli/commands.h"
#include "cli/content_paths.h"
#include "cli/progress.h"
#include "exporter/new_file.h"
#include "exporter/save.h"
#include "unixfs/directory.h"
#include "unixfs/load_node.h"

#include <fcntl.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <numeric>
#include <optional>
#include <utility>

namespace ic::cli {
namespace {

struct GetFlags {
    std::string path;
    std::string output;
    bool archive = false;
    bool compress = false;
    int level = archive::limits::gzip_level_default;
    ProgressFlag progress;

    bool as_one_file() const { return archive || compress; }
};

/// What there is to save, for the progress: of a directory all of its blocks, as it claims.
Result<std::uint64_t> bytes_of_dag(BlockSource& source, const Cid& cid) {
    const unixfs::Stat stat = TRY(unixfs::stat(source, cid));
    if (stat.type != unixfs::EntryType::directory) {
        return stat.size;
    }
    const unixfs::LoadedNode node = TRY(unixfs::load_node(source, cid));
    return std::accumulate(node.links.begin(),
                           node.links.end(),
                           std::uint64_t{0},
                           [](std::uint64_t sum, auto& link) { return sum + link.tsize; });
}

/// Where it goes, named as Kubo names it.
std::string place_of(const GetFlags& flags) {
    std::string place = flags.output.empty() ? last_name(flags.path) : flags.output;
    if (flags.archive && !place.ends_with(".tar") && !place.ends_with(".tar.gz")) {
        place += ".tar";
    }
    if (flags.compress && !place.ends_with(".gz")) {
        place += ".gz";
    }
    return place;
}

/// Into a file that takes its place when it is whole.
Result<void> save_as_one_file(BlockSource& source,
                              const GetFlags& flags,
                              const exporter::Saved& saved,
                              const std::string& place,
                              const exporter::OnBytes& on_bytes) {
    const std::size_t slash = place.rfind('/');
    const std::string above = slash == std::string::npos ? "." : place.substr(0, slash + 1);
    const UniqueFd folder(::open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) {
        return system_error("cannot open folder", above, errno);
    }
    const std::string name = slash == std::string::npos ? place : place.substr(slash + 1);
    exporter::NewFile file = TRY(exporter::NewFile::open(folder, name, place));
    exporter::FdSink written(file.fd(), place);
    std::unique_ptr<archive::GzipWriter> gzip;
    if (flags.compress) {
        gzip = TRY(archive::GzipWriter::open(written, flags.level));
    }
    archive::ByteSink& sink = gzip ? static_cast<archive::ByteSink&>(*gzip) : written;
    if (flags.archive) {
        const exporter::ArchiveDefaults defaults{.now = {.seconds = now_unix().value}};
        TRY(exporter::save_tar(source, saved, defaults, sink, on_bytes));
    } else {
        TRY(exporter::save_content(source, saved.cid, sink, on_bytes));
    }
    if (gzip) {
        TRY(gzip->finish());
    }
    return file.commit();
}

Result<int> get(Context& context, GetFlags flags) {
    if (flags.compress && (flags.level < archive::limits::gzip_level_min ||
                           flags.level > archive::limits::gzip_level_max)) {
        return Error{Errc::usage, "compression level must be between 1 and 9"};
    }
    const std::vector<std::string> paths =
        TRY(given_paths(flags.path.empty() ? std::vector<std::string>{} : std::vector{flags.path}));
    if (paths.size() > 1) {
        return Error{Errc::usage, "get takes one PATH"};
    }
    flags.path = paths.front();
    ReadAhead source(TRY(context.open_stores())->blocks(), read_ahead_here());
    const exporter::Saved saved{.cid = TRY(unixfs::resolve(source, flags.path)),
                                .name = last_name(flags.path)};
    source.plan({.root = saved.cid, .scope = ReadPlan::Scope::all});
    const std::uint64_t total = TRY(bytes_of_dag(source, saved.cid));
    const std::string place = place_of(flags);
    if (!context.json) {
        TRY(context.streams.print(
            (flags.as_one_file() ? "Saving archive to " : "Saving file(s) to ") + place + "\n"));
        TRY(context.streams.flush());
    }
    Progress progress(context.streams, total, flags.progress.show());
    std::uint64_t bytes = 0;
    const exporter::OnBytes on_bytes = [&](std::uint64_t more) {
        bytes += more;
        progress.advance(more);
    };
    if (flags.as_one_file()) {
        TRY(save_as_one_file(source, flags, saved, place, on_bytes));
    } else if (place != "/dev/null") { // As Kubo: nothing is saved.
        TRY(exporter::save_files(source, saved, place, on_bytes));
    }
    if (context.json) {
        const nlohmann::json json{
            {"cid", saved.cid.to_string()}, {"path", place}, {"bytes", bytes}};
        TRY(context.streams.print(
            json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"));
    }
    return 0;
}

} // namespace

void add_get(Command& app, Context& context) {
    Command* command = app.add_subcommand("get", "Save a file or a directory");
    auto flags = std::make_shared<GetFlags>(); // Kept by the action.
    command->add_option("PATH", flags->path, "A CID, or a path such as CID/dir");
    command->add_option("-o,--output", flags->output, "Where to (the last name of PATH)")
        ->type_name("PLACE");
    command->add_flag("-a,--archive", flags->archive, "Save a tar archive");
    command->add_flag("-C,--compress", flags->compress, "Compress with gzip: a file, or with -a");
    command->add_option("-l,--compression-level", flags->level, "From 1, fast, to 9, small (6)")
        ->type_name("LEVEL");
    flags->progress.add(*command);
    context.add_json(*command);
    context.add_gateways(*command);
    command->footer("Files of the same name are replaced, folders are merged; links are not "
                    "followed.\n\n"
                    "Examples:\n  ipfs-compute get CID -o corpus\n"
                    "  ipfs-compute get CID/dir/file\n"
                    "  ipfs-compute get -a -C CID -o corpus.tar.gz");
    context.on_run(*command, [&context, flags] { return get(context, *flags); });
}

} // namespace ic::cli
