/// For cids_test.py: reads cases, one a line, and prints for each the CID that this project gives,
/// or "refused: " and why it gives none. A case is four words between tabs:
///
///     PROFILE  FLAGS  PATH  RANGE
///
/// PROFILE as `import_options` knows it; FLAGS as the query of Kubo's RPC (`chunker=size-7&inline=
/// true`); RANGE `-` for the file or folder, `FROM:SIZE` for a part of the file, `names` for a
/// folder of files "x" with the names that the file holds, one a line.

#include "unixfs/directory_builder.h"
#include "unixfs/file_builder.h"
#include "unixfs/import_options.h"
#include "unixfs/symlink.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace ic;

std::vector<std::string> split(std::string_view text, char at) {
    std::vector<std::string> words;
    for (;;) {
        const std::size_t end = text.find(at);
        words.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) {
            return words;
        }
        text.remove_prefix(end + 1);
    }
}

template <class Number>
Number number_of(std::string_view text) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) {
        std::cerr << "'" << text << "' is no number\n";
        std::exit(1);
    }
    return number;
}

unixfs::ImportFlags flags_of(const std::string& query) {
    unixfs::ImportFlags flags;
    for (const std::string& flag : split(query, '&')) {
        const std::size_t equals = flag.find('=');
        const std::string name = flag.substr(0, equals);
        const std::string value = equals == std::string::npos ? "" : flag.substr(equals + 1);
        const unixfs::Switch given = value == "true" ? unixfs::Switch::on : unixfs::Switch::off;
        if (name == "cid-version") {
            flags.cid_version = number_of<std::int64_t>(value);
        } else if (name == "hash") {
            flags.hash = value;
        } else if (name == "chunker") {
            flags.chunker = value;
        } else if (name == "raw-leaves") {
            flags.raw_leaves = given;
        } else if (name == "trickle") {
            flags.trickle = given;
        } else if (name == "max-file-links") {
            flags.file_links_max = number_of<std::int64_t>(value);
        } else if (name == "max-directory-links") {
            flags.directory_links_max = number_of<std::int64_t>(value);
        } else if (name == "max-hamt-fanout") {
            flags.shard_fanout = number_of<std::int64_t>(value);
        } else if (name == "inline") {
            flags.inline_blocks = given;
        } else if (name == "inline-limit") {
            flags.inline_limit = number_of<std::int64_t>(value);
        } else if (name == "mode") {
            flags.mode = number_of<std::uint64_t>(value);
        } else if (name == "mtime") {
            flags.mtime = number_of<std::int64_t>(value);
        } else if (name == "mtime-nsecs") {
            flags.mtime_nsecs = number_of<std::uint64_t>(value);
        } else if (name == "preserve-mode") {
            flags.preserve_mode = given;
        } else if (name == "preserve-mtime") {
            flags.preserve_mtime = given;
        } else if (!name.empty()) {
            std::cerr << "unknown flag '" << name << "'\n";
            std::exit(1);
        }
    }
    return flags;
}

struct Range {
    std::uint64_t from = 0;
    std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
};

Range range_of(const std::string& text) {
    if (text == "-") {
        return {};
    }
    const std::vector<std::string> words = split(text, ':');
    return {.from = number_of<std::uint64_t>(words.at(0)),
            .bytes = number_of<std::uint64_t>(words.at(1))};
}

/// What the file system says.
unixfs::Metadata metadata_of(const fs::path& path) {
    struct stat found{};
    if (::lstat(path.c_str(), &found) != 0) {
        std::cerr << "cannot stat " << path << "\n";
        std::exit(1);
    }
    return {.mode = found.st_mode & unixfs::limits::mode_max,
            .mtime =
                unixfs::UnixTime{.seconds = found.st_mtim.tv_sec,
                                 .nanoseconds = static_cast<std::uint32_t>(found.st_mtim.tv_nsec)}};
}

class Builder {
public:
    explicit Builder(const unixfs::ImportOptions& options) : options_(options) {}

    Result<unixfs::Entry> build(const fs::path& path, const Range& range) {
        if (fs::is_symlink(path)) {
            return unixfs::put_symlink(
                options_.profile, sink_, fs::read_symlink(path).string(), metadata(path));
        }
        if (!fs::is_directory(path)) {
            return build_file(path, range);
        }
        unixfs::DirectoryBuilder builder(options_.profile, sink_, metadata(path));
        for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
            const unixfs::Entry child = TRY(build(entry.path(), {}));
            TRY(builder.add(entry.path().filename(), child));
        }
        return builder.finish();
    }

    Result<unixfs::Entry> build_names(const fs::path& path) {
        unixfs::FileBuilder file(options_.profile, sink_, options_.metadata_of({}));
        TRY(file.write(bytes_of("x")));
        const unixfs::Entry x = TRY(file.finish());
        unixfs::DirectoryBuilder builder(options_.profile, sink_, options_.metadata_of({}));
        std::ifstream names(path);
        for (std::string name; std::getline(names, name);) {
            TRY(builder.add(name, x));
        }
        return builder.finish();
    }

private:
    unixfs::Metadata metadata(const fs::path& path) const {
        return options_.metadata_of(metadata_of(path));
    }

    Result<unixfs::Entry> build_file(const fs::path& path, Range range) {
        unixfs::FileBuilder builder(options_.profile, sink_, metadata(path));
        std::ifstream file(path, std::ios::binary);
        file.seekg(static_cast<std::streamoff>(range.from));
        while (range.bytes > 0) {
            const auto wanted = std::min<std::uint64_t>(range.bytes, piece_.size());
            file.read(piece_.data(), static_cast<std::streamsize>(wanted));
            const auto count = static_cast<std::size_t>(file.gcount());
            if (count == 0) {
                break;
            }
            TRY(builder.write(bytes_of(std::string_view{piece_.data(), count})));
            range.bytes -= count;
        }
        return builder.finish();
    }

    const unixfs::ImportOptions& options_;
    NullSink sink_;
    // No divisor of a chunk, so that chunks are put together from pieces too.
    std::vector<char> piece_ = std::vector<char>(700'001);
};

Result<unixfs::Entry> answer(const std::vector<std::string>& words) {
    const unixfs::ImportOptions options =
        TRY(unixfs::import_options(words.at(0), flags_of(words.at(1))));
    Builder builder(options);
    return words.at(3) == "names" ? builder.build_names(words.at(2))
                                  : builder.build(words.at(2), range_of(words.at(3)));
}

} // namespace

int main() {
    for (std::string line; std::getline(std::cin, line);) {
        const Result<unixfs::Entry> entry = answer(split(line, '\t'));
        std::cout << (entry.ok() ? entry->cid.to_string() : "refused: " + entry.error().message)
                  << std::endl;
    }
    return 0;
}
