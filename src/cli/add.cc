#include "base/file.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "unixfs/directory_builder.h"
#include "unixfs/file_builder.h"

#include <dirent.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

namespace ic::cli {
namespace {

constexpr std::size_t read_bytes = std::size_t{4} << 20U;
/// Lines are printed after what they name is durable; so many are kept until then.
constexpr std::size_t unprinted_lines_max = 512;

struct AddOptions {
    std::vector<std::string> paths;
    bool recursive = false;
    bool quiet = false;
    bool quieter = false;
    bool only_hash = false;
    bool hidden = false;
    std::string profile;
};

struct DirectoryCloser {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

std::string base_name(std::string path) {
    while (path.size() > 1 && path.back() == '/') {
        path.pop_back();
    }
    return path.substr(path.rfind('/') + 1);
}

/// The names in a folder, sorted, without "." and "..".
Result<std::vector<std::string>> names_in(const UniqueFd& folder, const std::string& path) {
    const int copy = ::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    std::unique_ptr<DIR, DirectoryCloser> directory(copy < 0 ? nullptr : ::fdopendir(copy));
    if (!directory) {
        return system_error("cannot read folder", path, errno);
    }
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") {
            names.push_back(name);
        }
    }
    if (errno != 0) {
        return system_error("cannot read folder", path, errno);
    }
    std::ranges::sort(names);
    return names;
}

/// Adds files and folders, printing a line for each.
class Adder {
public:
    Adder(Context& context, const AddOptions& options, unixfs::Profile profile, BlockStore* store)
        : context_(context)
        , options_(options)
        , profile_(profile)
        , store_(store)
        , buffer_(read_bytes) {}

    Result<void> add_path(const std::string& path) {
        UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
        if (!file) {
            return cannot_open(path);
        }
        const std::string name = base_name(path);
        progress_.emplace(context_.streams,
                          context_.streams.err_is_terminal() ? bytes_of_path(file, path) : 0);
        const unixfs::Entry entry = TRY(add_open(file, path, name));
        progress_.reset();
        last_ = entry.cid.to_string();
        return print_waiting();
    }

    Result<void> add_input() {
        progress_.emplace(context_.streams, 0);
        const unixfs::Entry entry =
            TRY(add_content(UniqueFd(::dup(STDIN_FILENO)), "standard input"));
        progress_.reset();
        last_ = entry.cid.to_string();
        TRY(line(last_, entry)); // Without a name of its own it is called by its CID, as in Kubo.
        return print_waiting();
    }

    /// What `-Q` prints.
    Result<void> finish() {
        if (options_.quieter && !last_.empty()) {
            return context_.streams.print(last_ + "\n");
        }
        return {};
    }

private:
    static Error cannot_open(const std::string& path) {
        if (errno == ELOOP) {
            return {Errc::unsupported,
                    path + " is a symbolic link; links are not added, name what it leads to"};
        }
        return system_error("cannot open", path, errno);
    }

    BlockSink& sink() { return store_ == nullptr ? static_cast<BlockSink&>(nothing_) : *store_; }

    bool is_skipped(const std::string& name) const {
        return !options_.hidden && name.starts_with(".");
    }

    /// For the progress line only; what cannot be read here is reported when it is added.
    std::uint64_t bytes_of_path(const UniqueFd& file, const std::string& path) {
        struct stat status{};
        if (::fstat(file.get(), &status) != 0) {
            return 0;
        }
        if (!S_ISDIR(status.st_mode)) {
            return static_cast<std::uint64_t>(status.st_size);
        }
        std::uint64_t bytes = 0;
        const Result<std::vector<std::string>> names = names_in(file, path);
        for (const std::string& name : names ? *names : std::vector<std::string>{}) {
            const UniqueFd child(
                ::openat(file.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
            bytes += child && !is_skipped(name) ? bytes_of_path(child, path + "/" + name) : 0;
        }
        return bytes;
    }

    Result<unixfs::Entry>
    add_open(UniqueFd& file, const std::string& path, const std::string& name) {
        struct stat status{};
        if (::fstat(file.get(), &status) != 0) {
            return system_error("cannot look at", path, errno);
        }
        std::optional<unixfs::Entry> entry;
        if (S_ISDIR(status.st_mode)) {
            if (!options_.recursive) {
                return Error{Errc::usage, path + " is a folder; add it with -r"};
            }
            entry = TRY(add_folder(file, path, name));
        } else if (S_ISREG(status.st_mode)) {
            entry = TRY(add_content(std::move(file), path));
        } else {
            return Error{Errc::unsupported,
                         path + " is neither a file nor a folder; pipe it into 'ipfs-compute add'"};
        }
        TRY(line(name, *entry));
        return std::move(*entry);
    }

    Result<unixfs::Entry>
    add_folder(const UniqueFd& folder, const std::string& path, const std::string& name) {
        unixfs::DirectoryBuilder builder(profile_, sink());
        for (const std::string& child : TRY(names_in(folder, path))) {
            if (is_skipped(child)) {
                continue;
            }
            const std::string child_path = path + "/" + child;
            UniqueFd file(::openat(
                folder.get(), child.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
            if (!file) {
                return cannot_open(child_path);
            }
            const unixfs::Entry entry = TRY(add_open(file, child_path, name + "/" + child));
            TRY(builder.add(child, entry));
        }
        return builder.finish();
    }

    Result<unixfs::Entry> add_content(const UniqueFd file, const std::string& path) {
        unixfs::FileBuilder builder(profile_, sink());
        for (;;) {
            std::size_t filled = 0; // Whole pieces, also from a pipe: the builder need not copy.
            while (filled < buffer_.size()) {
                const ssize_t count =
                    ::read(file.get(), buffer_.data() + filled, buffer_.size() - filled);
                if (count < 0 && errno == EINTR) {
                    continue;
                }
                if (count < 0) {
                    return system_error("cannot read", path, errno);
                }
                if (count == 0) {
                    break;
                }
                filled += static_cast<std::size_t>(count);
            }
            TRY(builder.write(ByteView{buffer_}.first(filled)));
            progress_->advance(filled);
            if (filled < buffer_.size()) {
                return builder.finish();
            }
        }
    }

    Result<void> line(const std::string& name, const unixfs::Entry& entry) {
        const std::string cid = entry.cid.to_string();
        if (options_.quieter) {
            return {};
        }
        if (context_.json) {
            waiting_.push_back(
                nlohmann::json{{"name", name}, {"cid", cid}, {"bytes", entry.tsize}}.dump(
                    -1, ' ', false, nlohmann::json::error_handler_t::replace) +
                "\n");
        } else {
            waiting_.push_back(options_.quiet ? cid + "\n"
                                              : "added " + cid + " " + printable(name) + "\n");
        }
        return waiting_.size() < unprinted_lines_max ? Result<void>{} : print_waiting();
    }

    Result<void> print_waiting() {
        if (store_ != nullptr) {
            TRY(store_->sync());
        }
        if (progress_ && !waiting_.empty()) {
            progress_->clear();
        }
        for (const std::string& text : std::exchange(waiting_, {})) {
            TRY(context_.streams.print(text));
        }
        return {};
    }

    Context& context_;
    const AddOptions& options_;
    const unixfs::Profile profile_;
    BlockStore* store_; ///< None with --only-hash.
    NullSink nothing_;
    Bytes buffer_;
    std::optional<Progress> progress_;
    std::vector<std::string> waiting_;
    std::string last_;
};

Result<int> add(Context& context, const AddOptions& options) {
    const std::string name = options.profile.empty()
                                 ? TRY(context.load_settings())->values.import_profile
                                 : options.profile;
    const Result<unixfs::Profile> named = unixfs::profile_named(name);
    if (!named) {
        return Error{Errc::usage, "--profile: " + named.error().message};
    }
    const unixfs::Profile& profile = *named;
    BlockStore* store = options.only_hash ? nullptr : &TRY(context.open_stores())->local();
    Adder adder(context, options, profile, store);
    if (options.paths.empty()) {
        TRY(adder.add_input());
    }
    for (const std::string& path : options.paths) {
        TRY(path == "-" ? adder.add_input() : adder.add_path(path));
    }
    TRY(adder.finish());
    return 0;
}

} // namespace

void add_add(CLI::App& app, Context& context) {
    CLI::App* command = app.add_subcommand("add", "Add files to the store and print their CIDs");
    auto options = std::make_shared<AddOptions>(); // Kept by the action.
    command->add_option("PATH", options->paths, "Files and folders; '-' or none: standard input");
    command->add_flag("-r,--recursive", options->recursive, "Add folders with all they hold");
    command->add_flag("-q,--quiet", options->quiet, "Print CIDs only");
    command->add_flag("-Q,--quieter", options->quieter, "Print the last CID only");
    command->add_flag("-n,--only-hash", options->only_hash, "Compute CIDs, store nothing");
    command->add_flag(
        "-H,--hidden", options->hidden, "Also what starts with a dot, inside folders");
    command
        ->add_option(
            "--profile", options->profile, "unixfs-v1-2025 or unixfs-v0-2015 (import.profile)")
        ->type_name("NAME");
    context.add_json(*command);
    command->footer(
        "The CIDs are those of 'ipfs add' with Kubo's profile unixfs-v1-2025. A plain\n"
        "'ipfs add' gives others; --profile unixfs-v0-2015 gives the same ones as it.\n\n"
        "Examples:\n"
        "  ipfs-compute add module.wasm\n"
        "  ipfs-compute add -r -Q corpus\n"
        "  echo hello | ipfs-compute add -Q");
    context.on_run(*command, [&context, options] { return add(context, *options); });
}

} // namespace ic::cli
