/// For cids_test.py: reads paths, one a line, and prints for each the CIDs that this project gives
/// the file or folder: profile unixfs-v0-2015, a space, profile unixfs-v1-2025.

#include "unixfs/directory_builder.h"
#include "unixfs/file_builder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using namespace ic;

Result<unixfs::Entry> build_file(const unixfs::Profile& profile, const fs::path& path) {
    NullSink sink;
    unixfs::FileBuilder builder(profile, sink);
    std::ifstream file(path, std::ios::binary);
    // No divisor of a chunk, so that chunks are put together from pieces too.
    std::vector<char> piece(700'001);
    while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) ||
           file.gcount() > 0) {
        const std::string_view text{piece.data(), static_cast<std::size_t>(file.gcount())};
        TRY(builder.write(bytes_of(text)));
    }
    return builder.finish();
}

Result<unixfs::Entry> build(const unixfs::Profile& profile, const fs::path& path) {
    if (!fs::is_directory(path)) {
        return build_file(profile, path);
    }
    NullSink sink;
    unixfs::DirectoryBuilder builder(profile, sink);
    for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
        const unixfs::Entry child = TRY(build(profile, entry.path()));
        TRY(builder.add(entry.path().filename(), child));
    }
    return builder.finish();
}

} // namespace

int main() {
    for (std::string path; std::getline(std::cin, path);) {
        for (const unixfs::Profile& profile : {unixfs::unixfs_v0_2015, unixfs::unixfs_v1_2025}) {
            const Result<unixfs::Entry> entry = build(profile, path);
            if (!entry.ok()) {
                std::cerr << path << ": " << entry.error().message << "\n";
                return 1;
            }
            std::cout << entry->cid.to_string() << (profile == unixfs::unixfs_v1_2025 ? "\n" : " ");
        }
    }
    return 0;
}
