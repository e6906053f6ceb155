#pragma once
/// ImportFlags and ImportOptions: the flags of `ipfs add` that decide a CID, and what follows from
/// them together.
/// Source: Kubo 0.43, `core/commands/add.go` and `core/coreiface/options/unixfs.go`.

#include "base/result.h"
#include "unixfs/metadata.h"
#include "unixfs/profile.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ic::unixfs {

/// A switch that may be left alone, so that something else decides.
enum class Switch : std::uint8_t { unset, off, on };

/// As given on a command line; nothing and `unset` mean that the flag is not there. Numbers are as
/// wide as Kubo takes them: `import_options` says what is wrong with one.
struct ImportFlags {
    std::optional<std::int64_t> cid_version{};
    std::optional<std::string> hash{};    ///< A name of the multicodec table; case is ignored.
    std::optional<std::string> chunker{}; ///< As `ChunkerSpec::parse` reads it.
    Switch raw_leaves = Switch::unset;
    Switch trickle = Switch::unset;
    std::optional<std::int64_t> file_links_max{};
    std::optional<std::int64_t> directory_links_max{};
    std::optional<std::int64_t> shard_fanout{};
    Switch inline_blocks = Switch::unset;
    std::int64_t inline_limit = 32; ///< Means something with `inline_blocks` alone.
    /// As Kubo takes --mode: low 9 bits are permissions. (Go's own bits for set-user, set-group and
    /// sticky, 1 << 23, 22 and 20, are the only way to those.) 0 is the same as no flag.
    std::uint64_t mode = 0;
    std::int64_t mtime = 0;        ///< Seconds; 0 is the same as no flag.
    std::uint64_t mtime_nsecs = 0; ///< Needs `mtime`.
    Switch preserve_mode = Switch::unset;
    Switch preserve_mtime = Switch::unset;
    Switch nocopy = Switch::unset; ///< Leaves stay in the file: they have to be raw.
};

/// What to build with, free of contradictions.
struct ImportOptions {
    Profile profile{};
    Metadata given{};         ///< For everything that is added.
    bool takes_mode = false;  ///< Instead: what the file system says (--preserve-mode).
    bool takes_mtime = false; ///< Instead: what the file system says (--preserve-mtime).

    /// The metadata of something on which the file system says `found`.
    Metadata metadata_of(const Metadata& found) const;
};

/// The profile `name` with `flags` over it, by Kubo's rules: a hash other than sha2-256 needs
/// version 1; mode and mtime need DAG-PB leaves, and so on. There are the names of `profile_named`,
/// which are Kubo's profiles, whose every choice counts as made: then --cid-version=1 alone keeps
/// DAG-PB leaves. And there is "none", Kubo without a profile: as unixfs-v0-2015, but version 1
/// brings raw leaves, and another hash version 1.
/// Errors: unsupported (profile, hash function), malformed and too_large (values); refused for
///         flags that exclude each other.
Result<ImportOptions> import_options(std::string_view name, const ImportFlags& flags);

} // namespace ic::unixfs
