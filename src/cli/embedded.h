#pragma once
/// Text files that are compiled into the program (cmake/embed.cmake).

#include <span>
#include <string_view>

namespace ic::cli {

struct EmbeddedFile {
    std::string_view path; ///< Where it goes, with '/'.
    std::string_view text;
};

/// A Rust project for `new`: @NAME@ and @FILE@ in files of the outer folder stand for the project's
/// name and for the name that Cargo gives its module.
std::span<const EmbeddedFile> rust_project();

} // namespace ic::cli
