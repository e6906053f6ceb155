#include "cli/add_flags.h"

#include "base/file.h"

#include <utility>

namespace ic::cli {
namespace {

constexpr const char* in_group = "What is added";
constexpr const char* out_group = "What is printed";
constexpr const char* keep_group = "What is kept";
constexpr const char* cid_group = "What decides the CID (defaults: of the profile)";
constexpr const char* metadata_group = "Mode and time (leaves are dag-pb then)";

void add_on_off(Command& command,
                AddFlags::OnOff& flag,
                const std::string& names,
                const std::string& help,
                const char* group) {
    flag.option = command.add_flag(names, flag.value, help)->group(group);
}

void add_input_flags(Command& command, AddFlags& flags) {
    command.add_option("PATH", flags.paths, "Files and folders; '-' or none: standard input");
    command.add_flag("-r,--recursive", flags.recursive, "Folders with all they hold")
        ->group(in_group);
    command.add_flag("-H,--hidden", flags.hidden, "Also what starts with a dot, inside folders")
        ->group(in_group);
    command.add_option("--ignore", flags.ignore, "Leave out names that match; may be repeated")
        ->type_name("RULE")
        ->expected(1)
        ->allow_extra_args(false)
        ->take_all()
        ->group(in_group);
    command.add_option("--ignore-rules-path", flags.ignore_rules_path, "A file of such rules")
        ->type_name("FILE")
        ->group(in_group);
    command.add_flag("-E,--empty-dirs", flags.empty_dirs, "Empty folders too (true)")
        ->group(in_group);
    command
        .add_flag("--dereference-symlinks",
                  flags.dereference_symlinks,
                  "Add what links lead to, wherever that is")
        ->group(in_group);
    command
        .add_flag("--dereference-args", flags.dereference_args, "The same for named paths alone")
        ->group(in_group);
    command.add_flag("-w,--wrap-with-directory", flags.wrap, "All of it in one directory")
        ->group(in_group);
    command.add_option("--stdin-name", flags.stdin_name, "What standard input is called")
        ->type_name("NAME")
        ->group(in_group);
}

void add_output_flags(Command& command, AddFlags& flags) {
    command.add_flag("-q,--quiet", flags.quiet, "CIDs only")->group(out_group);
    command.add_flag("-Q,--quieter", flags.quieter, "The last CID only")->group(out_group);
    command.add_flag("--silent", flags.silent, "Nothing")->group(out_group);
    add_on_off(
        command, flags.progress, "-p,--progress", "How far it is, at a terminal (true)", out_group);
}

void add_store_flags(Command& command, AddFlags& flags) {
    command.add_flag("-n,--only-hash", flags.only_hash, "Compute CIDs, store nothing")
        ->group(keep_group);
    add_on_off(
        command, flags.pin, "--pin", "Keep it when the store is cleaned up (true)", keep_group);
    command.add_option("--pin-name", flags.pin_name, "A name for the pin")
        ->type_name("NAME")
        ->group(keep_group);
    command
        .add_flag("--fscache", flags.fscache, "Do not read files that were added and not changed")
        ->group(keep_group);
    add_on_off(command,
               flags.nocopy,
               "--nocopy",
               "Leave the data in the files, store where it is",
               keep_group);
    command.add_option("--to-files", flags.to_files, "Refused: there is no such file system here")
        ->type_name("PATH")
        ->group(keep_group);
    flags.announcing.resize(3);
    std::size_t index = 0;
    for (const char* name : {"--fast-provide-root", "--fast-provide-dag", "--fast-provide-wait"}) {
        add_on_off(command, flags.announcing[index++], name, "Of Kubo", ""); // "": not in the help.
    }
}

void add_cid_flags(Command& command, AddFlags& flags) {
    unixfs::ImportFlags& import = flags.import;
    command
        .add_option("--profile",
                    flags.profile,
                    "unixfs-v1-2025, unixfs-v0-2015, or none: Kubo's without one (import.profile)")
        ->type_name("NAME")
        ->group(cid_group);
    command.add_option("--cid-version", import.cid_version, "0 or 1")
        ->type_name("N")
        ->group(cid_group);
    command.add_option("--hash", import.hash, "sha2-256, sha2-512 or blake3; the last two need v1")
        ->type_name("NAME")
        ->group(cid_group);
    add_on_off(command, flags.raw_leaves, "--raw-leaves", "Leaves are bare bytes", cid_group);
    command
        .add_option("-s,--chunker", import.chunker, "size-BYTES, rabin-MIN-AVERAGE-MAX or buzhash")
        ->type_name("SPEC")
        ->group(cid_group);
    add_on_off(command, flags.trickle, "-t,--trickle", "The trickle layout", cid_group);
    command.add_option("--max-file-links", import.file_links_max, "Links of a file's node")
        ->type_name("N")
        ->group(cid_group);
    command
        .add_option("--max-directory-links",
                    import.directory_links_max,
                    "Entries of a directory's node; 0: any")
        ->type_name("N")
        ->group(cid_group);
    command.add_option("--max-hamt-fanout", import.shard_fanout, "Buckets of a sharded directory")
        ->type_name("N")
        ->group(cid_group);
    add_on_off(
        command, flags.inline_blocks, "--inline", "Small blocks become part of CIDs", cid_group);
    command.add_option("--inline-limit", import.inline_limit, "How small, in bytes (32)")
        ->type_name("N")
        ->group(cid_group);
}

void add_metadata_flags(Command& command, AddFlags& flags) {
    add_on_off(
        command, flags.preserve_mode, "--preserve-mode", "Keep the files' modes", metadata_group);
    add_on_off(
        command, flags.preserve_mtime, "--preserve-mtime", "Keep the files' times", metadata_group);
    command.add_option("--mode", flags.mode, "One mode for all, such as 0644")
        ->type_name("MODE")
        ->group(metadata_group);
    command.add_option("--mtime", flags.mtime, "One time for all, seconds since 1970")
        ->type_name("S")
        ->group(metadata_group);
    command.add_option("--mtime-nsecs", flags.mtime_nsecs, "And nanoseconds")
        ->type_name("NS")
        ->group(metadata_group);
}

Error usage(std::string message) { return {Errc::usage, std::move(message)}; }

} // namespace

unixfs::Switch AddFlags::OnOff::as_switch() const {
    if (!is_given()) {
        return unixfs::Switch::unset;
    }
    return value ? unixfs::Switch::on : unixfs::Switch::off;
}

std::shared_ptr<AddFlags> add_flags_of(Command& command) {
    auto flags = std::make_shared<AddFlags>();
    add_input_flags(command, *flags);
    add_output_flags(command, *flags);
    add_store_flags(command, *flags);
    add_cid_flags(command, *flags);
    add_metadata_flags(command, *flags);
    return flags;
}

Result<void> check(const AddFlags& flags) {
    if (flags.to_files) {
        return Error{Errc::unsupported,
                     "--to-files: there is no mutable file system here; keep what is added by "
                     "name with --pin-name"};
    }
    for (const AddFlags::OnOff& flag : flags.announcing) {
        if (flag.value) {
            return Error{Errc::unsupported,
                         flag.option->name() +
                             ": nothing is announced to a network from here; leave it out"};
        }
    }
    if (flags.pin_name && !flags.pins()) {
        return usage(flags.only_hash ? "--pin-name and --only-hash exclude each other: nothing is "
                                       "pinned"
                                     : "--pin-name needs --pin");
    }
    if (flags.stdin_name.find('/') != std::string::npos) {
        return usage("--stdin-name is one name, without '/'");
    }
    return {};
}

Result<unixfs::ImportOptions> import_options_of(const AddFlags& flags, const std::string& profile) {
    unixfs::ImportFlags import = flags.import;
    import.raw_leaves = flags.raw_leaves.as_switch();
    import.trickle = flags.trickle.as_switch();
    import.inline_blocks = flags.inline_blocks.as_switch();
    import.preserve_mode = flags.preserve_mode.as_switch();
    import.preserve_mtime = flags.preserve_mtime.as_switch();
    import.nocopy = flags.nocopy.as_switch();
    import.mode = flags.mode.value_or(0);
    import.mtime = flags.mtime.value_or(0);
    import.mtime_nsecs = flags.mtime_nsecs.value_or(0);
    Result<unixfs::ImportOptions> options = unixfs::import_options(profile, import);
    if (!options) {
        return usage(options.error().message);
    }
    return options;
}

Result<importer::WalkRequest> walk_request_of(const AddFlags& flags,
                                              std::vector<std::string>& useless) {
    using namespace importer;
    WalkRequest request;
    request.paths = flags.paths.empty() ? std::vector<std::string>{"-"} : flags.paths;
    request.stdin_name = flags.stdin_name;
    request.folders = flags.recursive ? Folders::taken : Folders::refused;
    request.hidden = flags.hidden ? HiddenNames::taken : HiddenNames::skipped;
    request.empty_folders = flags.empty_dirs ? EmptyFolders::taken : EmptyFolders::skipped;
    request.symlinks = flags.dereference_symlinks ? Symlinks::followed
                       : flags.dereference_args   ? Symlinks::followed_named
                                                  : Symlinks::kept;
    request.wrap = flags.wrap ? WalkRequest::Wrap::yes : WalkRequest::Wrap::no;
    if (!flags.ignore_rules_path.empty()) {
        const std::optional<Bytes> text = TRY(
            read_file_if_exists(flags.ignore_rules_path, importer::limits::ignore_file_bytes_max));
        if (!text) {
            return usage("--ignore-rules-path: there is no file " + flags.ignore_rules_path);
        }
        const Result<void> read = request.ignore.add_lines(text_of(*text), useless);
        if (!read) {
            return usage(flags.ignore_rules_path + ": " + read.error().message);
        }
    }
    for (const std::string& rule : flags.ignore) {
        const Result<bool> can_match = request.ignore.add(rule);
        if (!can_match) {
            return usage("--ignore: " + can_match.error().message);
        }
        if (!*can_match) {
            useless.push_back(rule);
        }
    }
    return request;
}

} // namespace ic::cli
