#pragma once
/// AddFlags: the flags of `add`, which are those of `ipfs add`, and what they ask for.

#include "base/result.h"
#include "cli/command_line.h"
#include "importer/walk.h"
#include "unixfs/import_options.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ic::cli {

/// As given on the command line. Made by `add_flags_of`.
struct AddFlags {
    /// A flag that takes `=false` too, and may be left alone.
    struct OnOff {
        bool value = false;
        const Option* option = nullptr;

        bool is_given() const { return option != nullptr && option->count() > 0; }
        unixfs::Switch as_switch() const;
    };

    std::vector<std::string> paths;
    bool recursive = false, hidden = false, wrap = false, empty_dirs = true;
    bool dereference_args = false, dereference_symlinks = false;
    std::vector<std::string> ignore;
    std::string ignore_rules_path, stdin_name;

    bool quiet = false, quieter = false, silent = false;
    OnOff progress;

    bool only_hash = false, fscache = false;
    OnOff pin;
    std::optional<std::string> pin_name, to_files;
    std::vector<OnOff> announcing;

    std::string profile;
    unixfs::ImportFlags import{};
    OnOff raw_leaves, trickle, inline_blocks, preserve_mode, preserve_mtime, nocopy;
    std::optional<std::uint64_t> mode, mtime_nsecs;
    std::optional<std::int64_t> mtime;

    bool pins() const { return !only_hash && (!pin.is_given() || pin.value); }
};

/// Offers every flag, in groups. The flags live as long as `command` and its action.
std::shared_ptr<AddFlags> add_flags_of(Command& command);

/// What is wrong with the flags together, by Kubo's rules, apart from those of `import_options`.
/// Errors: usage; unsupported for what has no meaning here.
Result<void> check(const AddFlags& flags);

/// Errors: usage, as `unixfs::import_options`.
Result<unixfs::ImportOptions> import_options_of(const AddFlags& flags, const std::string& profile);

/// Reads the file of rules too. `useless`: rules that can match nothing.
/// Errors: usage for a rule that is none; as `read_file_if_exists`.
Result<importer::WalkRequest> walk_request_of(const AddFlags& flags,
                                              std::vector<std::string>& useless);

} // namespace ic::cli
