#pragma once
/// Walk: the files, folders and links below paths of this machine, in the order in which they are
/// added.

#include "base/result.h"
#include "base/unique_fd.h"
#include "importer/ignore_rules.h"

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ic::importer {

namespace limits {
/// Ours: folders within folders. Each is an open descriptor while what is in it is added.
inline constexpr std::size_t folder_depth_max = 512;
} // namespace limits

/// What happens to folders that are named.
enum class Folders : std::uint8_t { refused, taken };
/// What happens to names that begin with a dot, inside folders.
enum class HiddenNames : std::uint8_t { skipped, taken };
/// What happens to folders without content, but for those that are named.
enum class EmptyFolders : std::uint8_t { taken, skipped };

/// What happens to symbolic links.
enum class Symlinks : std::uint8_t {
    kept,           ///< Each is added as what it is.
    followed_named, ///< Those among the paths are followed; those in folders are kept.
    followed,       ///< All are followed, wherever they lead.
};

/// What is added, as a person names it.
struct WalkRequest {
    std::vector<std::string> paths{}; ///< "-" is standard input.
    std::string stdin_name{};         ///< What standard input is called; may be empty.
    Folders folders = Folders::refused;
    HiddenNames hidden = HiddenNames::skipped;
    EmptyFolders empty_folders = EmptyFolders::taken;
    Symlinks symlinks = Symlinks::kept;
    IgnoreRules ignore{};
    /// All of it in one directory, which has no name.
    enum class Wrap : std::uint8_t { no, yes } wrap = Wrap::no;
};

/// Where a walk begins.
struct Root {
    std::string path; ///< Empty: standard input.
    std::string name; ///< How it is called in a directory around it, and in what is printed.
};

/// What is said of a device, a socket or a pipe that cannot be added.
Error cannot_add(const std::string& path, mode_t mode);

/// One root for each path, sorted by name, no path twice, as Kubo takes them: "." is called after
/// the folder, a link that is followed after what it leads to.
/// Everything is looked at before anything is added.
/// Errors: usage (a folder where those are refused; two paths with one name in different folders);
///         unsupported for what is no file, folder, link or pipe, and for http addresses;
///         as `system_error`.
Result<std::vector<Root>> roots_of(const WalkRequest& request);

/// One step of a walk. A folder begins, its content follows, and it ends.
struct Step {
    enum class Kind : std::uint8_t {
        folder_begins,
        folder_ends,
        file,    ///< To be opened: `name` in `folder`.
        stream,  ///< Standard input or a named pipe: to be read as it is.
        symlink, ///< With its target.
    };

    Kind kind = Kind::file;
    std::string name{};  ///< In the folder around it; may be empty for standard input.
    std::string shown{}; ///< From the root on: "tree/sub/file".
    std::string path{};  ///< For messages, and from where the process stands.
    std::string target{};
    struct stat status{}; ///< All zero of standard input and of what wraps.
    /// Where it is; none: at `path`. Open as long as anybody holds it.
    std::shared_ptr<const UniqueFd> folder{};
};

/// Walks roots one after the other, each depth first, names in the order of their bytes. Folders
/// are opened one below the other, never by a path, and links are not followed unless asked, so
/// nobody who renames things meanwhile can lead it elsewhere.
/// Threads: one at a time. Memory: the names of the folders that are open.
class Walk {
public:
    /// Lifetime: `request` outlives it.
    Walk(const WalkRequest& request, std::vector<Root> roots);

    /// Nothing at the end. Errors: unsupported for devices, sockets and pipes inside folders, and
    /// for links that lead back to a folder around them; too_large beyond
    /// `limits::folder_depth_max`; as `system_error`. After an error only destroy it.
    Result<std::optional<Step>> next();

    /// A file of a step, open for reading. Errors: unsupported if it has become something else;
    /// as `system_error`.
    Result<UniqueFd> open(const Step& step) const;

private:
    struct Level {
        std::shared_ptr<const UniqueFd> folder;
        Step step; ///< What it began with.
        std::vector<std::string> names;
        std::size_t next = 0;
    };

    Result<std::optional<Step>> step_to_root(const Root& root);
    Result<std::optional<Step>> step_into(Step step);
    Result<Step> step_of_link(Step step) const;
    Result<std::optional<Step>> enter(Step step);
    Result<std::vector<std::string>> names_in(const UniqueFd& folder,
                                              const std::string& path) const;
    bool follows() const { return request_.symlinks == Symlinks::followed; }

    const WalkRequest& request_;
    std::vector<Root> roots_;
    std::size_t next_root_ = 0;
    std::vector<Level> levels_;
    bool wrapper_begun_ = false;
    bool wrapper_ended_ = false;
};

} // namespace ic::importer
