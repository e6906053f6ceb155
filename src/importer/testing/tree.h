#pragma once
/// Tree: a folder of a test with files in it.

#include "base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ic::importer::testing_tree {

/// Goes with its content when the value goes.
class Tree {
public:
    Tree();
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    ~Tree();

    const std::string& path() const { return path_; }

    std::string at(std::string_view name) const { return path_ + "/" + std::string(name); }

    /// Makes the file and the folders it is in. Gives its path.
    std::string write(std::string_view name, std::string_view content) const;
    std::string make_folder(std::string_view name) const;
    std::string make_link(std::string_view name, std::string_view target) const;

    /// Sets the file's times, so that it is not younger than that.
    void make_old(std::string_view name, std::int64_t seconds_ago) const;

private:
    std::string path_;
};

/// `bytes` that look random, the same for each `seed`.
std::string noise(std::size_t bytes, std::uint32_t seed = 1);

} // namespace ic::importer::testing_tree
