#include "cli/content_paths.h"

#include "base/file.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <thread>

namespace ic::cli {
namespace {

/// Ours: of paths on standard input.
constexpr std::size_t input_bytes_max = std::size_t{16} << 20U;

} // namespace

Result<std::vector<std::string>> given_paths(std::vector<std::string> paths) {
    const Error missing{Errc::usage, "PATH is required: name a CID, or a path such as CID/file"};
    if (!paths.empty()) {
        return paths;
    }
    if (::isatty(STDIN_FILENO) == 1) {
        return missing;
    }
    const std::optional<Bytes> input = TRY(read_file_if_exists("/dev/stdin", input_bytes_max));
    std::istringstream lines(input ? std::string(text_of(*input)) : std::string());
    for (std::string line; std::getline(lines, line);) {
        if (line.ends_with('\r')) {
            line.pop_back();
        }
        if (!line.empty()) {
            paths.push_back(std::move(line));
        }
    }
    if (paths.empty()) {
        return missing;
    }
    return paths;
}

std::string last_name(std::string_view path) {
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    return std::string(path.substr(path.find_last_of('/') + 1));
}

ReadAheadOptions read_ahead_here() {
    constexpr unsigned threads_max = 3; // Beyond that the output is what is waited for.
    return {.threads = std::clamp(std::thread::hardware_concurrency(), 2U, threads_max + 1) - 1};
}

} // namespace ic::cli
