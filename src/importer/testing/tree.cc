#include "importer/testing/tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>

namespace ic::importer::testing_tree {

namespace fs = std::filesystem;

Tree::Tree() {
    std::string pattern = testing::TempDir() + "ic-tree-XXXXXX";
    path_ = fs::canonical(::mkdtemp(pattern.data()));
}

Tree::~Tree() {
    std::error_code ignored; // A test that took rights away has given them back.
    fs::remove_all(path_, ignored);
}

std::string Tree::write(std::string_view name, std::string_view content) const {
    const std::string path = at(name);
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
}

std::string Tree::make_folder(std::string_view name) const {
    fs::create_directories(at(name));
    return at(name);
}

std::string Tree::make_link(std::string_view name, std::string_view target) const {
    fs::create_symlink(target, at(name));
    return at(name);
}

void Tree::make_old(std::string_view name, std::int64_t seconds_ago) const {
    const timespec when{.tv_sec = std::time(nullptr) - seconds_ago, .tv_nsec = 0};
    const timespec times[2] = {when, when};
    EXPECT_EQ(::utimensat(AT_FDCWD, at(name).c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

std::string noise(std::size_t bytes, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::string text(bytes, '\0');
    for (char& letter : text) {
        letter = static_cast<char>(random());
    }
    return text;
}

} // namespace ic::importer::testing_tree
