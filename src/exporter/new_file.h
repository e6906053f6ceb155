#pragma once
/// NewFile: a file that takes its place when it is complete, and not before.

#include "base/result.h"
#include "base/unique_fd.h"

#include <string>

namespace ic::exporter {

/// What is written lies under a name of its own in the same folder until `commit`; what had the
/// name before is there until then. Whatever else happens, nothing is left. Links are not followed,
/// neither the name's own nor any while it is written. Threads: one. Lifetime: the folder outlives
/// it.
class NewFile {
public:
    /// In `folder` (an open directory), to become `name`; `path` is for messages. Its mode is what
    /// the umask leaves of 0666. Errors: as `system_error`.
    static Result<NewFile> open(const UniqueFd& folder, std::string name, std::string path);

    NewFile(NewFile&& other) noexcept;
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile();

    int fd() const { return fd_.get(); }

    /// Takes the name, and the place of a file, a symlink or an empty folder that has it.
    /// Errors: refused for a folder with something in it; as `system_error`.
    Result<void> commit();

private:
    NewFile(const UniqueFd& folder, std::string name, std::string path);

    int folder_;
    std::string name_;
    std::string path_;
    std::string waiting_name_; ///< Empty once there is nothing to take away.
    UniqueFd fd_;
};

/// As `NewFile`, for a symlink. Errors: as `NewFile::open` and `NewFile::commit`.
Result<void> make_symlink(const UniqueFd& folder,
                          const std::string& name,
                          const std::string& path,
                          const std::string& target);

} // namespace ic::exporter
