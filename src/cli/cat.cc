#include "cli/commands.h"
#include "cli/content_paths.h"
#include "cli/progress.h"
#include "exporter/content.h"
#include "exporter/save.h"
#include "unixfs/directory.h"
#include "unixfs/file_reader.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

namespace ic::cli {
namespace {

/// As Kubo: smaller outputs show no progress.
constexpr std::uint64_t progress_bytes_min = std::uint64_t{8} << 20U;

struct CatFlags {
    std::vector<std::string> paths;
    std::int64_t offset = 0;
    std::int64_t length = 0;
    const Option* length_given = nullptr;
    ProgressFlag progress;
};

class OutputSink final : public archive::ByteSink {
public:
    explicit OutputSink(Streams& streams) : streams_(streams) {}

    Result<void> write(ByteView bytes) override { return streams_.print(text_of(bytes)); }

private:
    Streams& streams_;
};

/// What is printed of one file or symlink.
struct Part {
    Cid cid;
    unixfs::EntryType type = unixfs::EntryType::file;
    exporter::Range range;
};

/// Offset and length count over all files together. Every file is looked at before anything is
/// printed, so that a wrong path prints nothing.
Result<std::vector<Part>>
parts_of(BlockSource& source, const std::vector<std::string>& paths, exporter::Range range) {
    std::vector<Part> parts;
    for (const std::string& path : paths) {
        const auto found = [&]() -> Result<std::pair<Cid, unixfs::Stat>> {
            const Cid cid = TRY(unixfs::resolve(source, path));
            const unixfs::Stat stat = TRY(unixfs::stat(source, cid));
            if (stat.type == unixfs::EntryType::directory) {
                return Error{Errc::unsupported,
                             "this dag node is a directory; 'ipfs-compute ls' lists it"};
            }
            return std::pair{cid, stat};
        }();
        if (!found) {
            return Error(found.error()).during(path);
        }
        const auto& [cid, stat] = *found;
        if (range.offset > stat.size) {
            range.offset -= stat.size;
            continue;
        }
        const std::uint64_t bytes = std::min(range.bytes, stat.size - range.offset);
        parts.push_back({cid, stat.type, {.offset = range.offset, .bytes = bytes}});
        range = {.offset = 0, .bytes = range.bytes - bytes};
        if (range.bytes == 0) {
            break;
        }
    }
    return parts;
}

Result<void> print_part(BlockSource& source,
                        const Part& part,
                        OutputSink& sink,
                        const exporter::OnBytes& on_bytes) {
    if (part.type == unixfs::EntryType::symlink) {
        const std::string target = TRY(unixfs::read_link(source, part.cid));
        return sink.write(bytes_of(target).subspan(part.range.offset, part.range.bytes));
    }
    source.plan({.root = part.cid,
                 .scope = ReadPlan::Scope::entity,
                 .offset = part.range.offset,
                 .end = part.range.offset + part.range.bytes});
    unixfs::FileReader reader = TRY(unixfs::FileReader::open(source, part.cid));
    return exporter::copy_content(reader, part.range, sink, on_bytes);
}

Result<int> cat(Context& context, const CatFlags& flags) {
    if (flags.offset < 0 || flags.length < 0) {
        return Error{Errc::usage,
                     std::string("cannot specify negative ") +
                         (flags.offset < 0 ? "offset" : "length")};
    }
    exporter::Range range{.offset = static_cast<std::uint64_t>(flags.offset)};
    if (flags.length_given->count() != 0) {
        range.bytes = static_cast<std::uint64_t>(flags.length);
    }
    const std::vector<std::string> paths = TRY(given_paths(flags.paths));
    if (range.bytes == 0) {
        return 0;
    }
    ReadAhead source(TRY(context.open_stores())->blocks(), read_ahead_here());
    const std::vector<Part> parts = TRY(parts_of(source, paths, range));
    std::uint64_t total = 0;
    for (const Part& part : parts) {
        total += part.range.bytes;
    }
    context.streams.expect_much();
    OutputSink sink(context.streams);
    Progress progress(context.streams,
                      total,
                      total < progress_bytes_min ? ShowProgress::never : flags.progress.show());
    for (const Part& part : parts) {
        TRY(print_part(source, part, sink, [&](std::uint64_t bytes) { progress.advance(bytes); }));
    }
    return 0;
}

} // namespace

void add_cat(Command& app, Context& context) {
    Command* command = app.add_subcommand("cat", "Print files");
    auto flags = std::make_shared<CatFlags>(); // Kept by the action.
    command->add_option("PATH",
                        flags->paths,
                        "CIDs, or paths such as CID/dir/file; without any: of standard input");
    command->add_option("-o,--offset", flags->offset, "Byte offset to begin reading from")
        ->type_name("BYTES");
    flags->length_given =
        command->add_option("-l,--length", flags->length, "Maximum number of bytes to read")
            ->type_name("BYTES");
    flags->progress.add(*command);
    context.add_gateways(*command);
    command->footer("Examples:\n  ipfs-compute cat CID\n"
                    "  ipfs-compute cat CID/dir/file.txt\n"
                    "  ipfs-compute cat --offset 1000000 --length 100 CID/dir/file.txt\n"
                    "  ipfs-compute cat --gateway https://gateway.example CID");
    context.on_run(*command, [&context, flags] { return cat(context, *flags); });
}

} // namespace ic::cli
