#pragma once
/// Text files that are compiled into the program (cmake/embed.cmake).

#include <span>
#include <string_view>

namespace ic::cli {

struct EmbeddedFile {
    std::string_view path; ///< Where it goes, with '/'.
    std::string_view text;
};

/// Projects for `new`, a language each: @NAME@ and @FILE@ stand for the project's name and for the
/// name that Cargo gives its module.
std::span<const EmbeddedFile> rust_project();
std::span<const EmbeddedFile> c_project();
std::span<const EmbeddedFile> go_project();
std::span<const EmbeddedFile> assemblyscript_project();

/// Schemas of files that people write.
std::span<const EmbeddedFile> job_file_schemas();

} // namespace ic::cli
