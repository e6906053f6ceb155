#include "base/file.h"
#include "base/unique_fd.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "unixfs/directory.h"
#include "unixfs/file_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <utility>

namespace ic::cli {
namespace {

/// Ours: folders within folders. Deeper trees are not written by people.
constexpr std::size_t depth_max = 256;

/// Writes files and folders. Every name is made new, relative to an open folder and without
/// following links, so nothing that is there can be overwritten or lead elsewhere; names themselves
/// have been checked by the reader of directories.
class Writer {
public:
    Writer(BlockSource& source, Progress& progress) : source_(source), progress_(progress) {}

    Result<void> write(const UniqueFd& folder,
                       const std::string& name,
                       const Cid& cid,
                       const std::string& path) {
        const unixfs::Stat stat = TRY(unixfs::stat(source_, cid));
        switch (stat.type) {
        case unixfs::EntryType::file:
            return write_file(folder, name, cid, path);
        case unixfs::EntryType::directory:
            return write_folder(folder, name, cid, path);
        case unixfs::EntryType::symlink:
            break;
        }
        const std::string target = TRY(unixfs::read_link(source_, cid));
        if (::symlinkat(target.c_str(), folder.get(), name.c_str()) != 0) {
            return cannot_make(path);
        }
        return {};
    }

private:
    static Error cannot_make(const std::string& path) {
        if (errno == EEXIST) {
            return {Errc::refused, path + " exists already; name another place with -o"};
        }
        return system_error("cannot make", path, errno);
    }

    Result<void> write_file(const UniqueFd& folder,
                            const std::string& name,
                            const Cid& cid,
                            const std::string& path) {
        const UniqueFd file(::openat(folder.get(),
                                     name.c_str(),
                                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                     0666));
        if (!file) {
            return cannot_make(path);
        }
        Result<void> written = copy(file, cid, path);
        if (!written) { // A part of a file must not pass for the whole.
            ::unlinkat(folder.get(), name.c_str(), 0);
        }
        return written;
    }

    Result<void> copy(const UniqueFd& file, const Cid& cid, const std::string& path) {
        unixfs::FileReader reader = TRY(unixfs::FileReader::open(source_, cid));
        for (std::uint64_t offset = 0; offset < reader.size();) {
            const LentBytes piece = TRY(reader.lend_at(offset));
            for (ByteView left = piece.view(); !left.empty();) {
                const ssize_t count = ::write(file.get(), left.data(), left.size());
                if (count < 0 && errno != EINTR) {
                    return system_error("cannot write", path, errno);
                }
                left = left.subspan(static_cast<std::size_t>(count < 0 ? 0 : count));
            }
            offset += piece.size();
            progress_.advance(piece.size());
        }
        return {};
    }

    Result<void> write_folder(const UniqueFd& parent,
                              const std::string& name,
                              const Cid& cid,
                              const std::string& path) {
        if (depth_ == depth_max) {
            return Error{Errc::too_large, path + ": folders are nested too deeply"};
        }
        if (::mkdirat(parent.get(), name.c_str(), 0777) != 0) {
            return cannot_make(path);
        }
        const UniqueFd folder(
            ::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!folder) {
            return system_error("cannot open", path, errno);
        }
        ++depth_;
        Result<void> listed = unixfs::list(source_, cid, [&](const unixfs::DirectoryEntry& entry) {
            return write(folder, entry.name, entry.cid, path + "/" + entry.name);
        });
        --depth_;
        return listed;
    }

    BlockSource& source_;
    Progress& progress_;
    std::size_t depth_ = 0;
};

Result<int> get(Context& context, const std::string& path, std::string place) {
    const unixfs::ContentPath content = TRY(unixfs::ContentPath::parse(path));
    if (place.empty()) {
        place = content.names.empty() ? content.root.to_string() : content.names.back();
    }
    while (place.size() > 1 && place.back() == '/') {
        place.pop_back();
    }
    const std::size_t slash = place.rfind('/');
    const std::string above = slash == std::string::npos ? "." : place.substr(0, slash + 1);
    const UniqueFd folder(::open(above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) {
        return system_error("cannot open folder", above, errno);
    }
    BlockStore& blocks = TRY(context.open_stores())->blocks();
    const Cid cid = TRY(unixfs::resolve(blocks, content));
    const unixfs::Stat stat = TRY(unixfs::stat(blocks, cid));
    {
        Progress progress(context.streams, stat.size);
        Writer writer(blocks, progress);
        TRY(writer.write(
            folder, place.substr(slash == std::string::npos ? 0 : slash + 1), cid, place));
    }
    context.streams.note("Saved as " + place + "\n");
    return 0;
}

} // namespace

void add_get(CLI::App& app, Context& context) {
    CLI::App* command = app.add_subcommand("get", "Save a file or a directory");
    struct Options {
        std::string path, place;
    };
    auto options = std::make_shared<Options>(); // Kept by the action.
    command->add_option("PATH", options->path, "A CID, or a path such as CID/dir")->required();
    command->add_option("-o,--output", options->place, "Where to (the last name of PATH)")
        ->type_name("PLACE");
    command->footer("Never overwrites what is there.\n\n"
                    "Examples:\n  ipfs-compute get CID -o corpus\n  ipfs-compute get CID/dir/file");
    context.on_run(*command,
                   [&context, options] { return get(context, options->path, options->place); });
}

} // namespace ic::cli
