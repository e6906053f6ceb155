#include "unixfs/import_options.h"

#include <algorithm>
#include <utility>

namespace ic::unixfs {
namespace {

/// Kubo's links a node where a number makes no sense (boxo, DefaultLinksPerBlock).
constexpr std::size_t links_where_none_are_given = 174;
/// What Go takes for no time at all: the first second of the year 1.
constexpr std::int64_t go_zero_time_seconds = -62'135'596'800;

Error malformed(std::string message) { return {Errc::malformed, std::move(message)}; }

Error refused(const char* message) { return {Errc::refused, message}; }

/// A profile and which of its choices stand against flags that imply others.
struct Base {
    Profile profile{};
    bool decides_version = true;
    bool decides_leaves = true;
};

Result<Base> base_named(std::string_view name) {
    if (name == "none") {
        return Base{.profile = unixfs_v0_2015, .decides_version = false, .decides_leaves = false};
    }
    return Base{.profile = TRY(profile_named(name))};
}

Result<HashCode> hash_named(std::string_view text) {
    std::string name(text);
    std::ranges::transform(name, name.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    if (name == "sha2-256") {
        return HashCode::sha2_256;
    }
    if (name == "sha2-512") {
        return HashCode::sha2_512;
    }
    if (name == "blake3") {
        return HashCode::blake3;
    }
    return Error{Errc::unsupported,
                 "hash function '" + name + "' is not here: there are sha2-256, sha2-512, blake3"};
}

Result<void> set_numbers(Profile& profile, const ImportFlags& flags) {
    if (flags.file_links_max) {
        if (*flags.file_links_max == 1) { // Kubo never ends.
            return malformed("--max-file-links must be at least 2: nodes of one link lead nowhere");
        }
        profile.links_max = *flags.file_links_max <= 0
                                ? links_where_none_are_given
                                : static_cast<std::size_t>(*flags.file_links_max);
    }
    if (flags.directory_links_max) {
        profile.directory_links_max = static_cast<std::size_t>(
            std::max<std::int64_t>(*flags.directory_links_max, 0)); // 0 is no limit.
    }
    if (flags.shard_fanout) {
        if (*flags.shard_fanout < 0 ||
            !is_shard_fanout(static_cast<std::uint64_t>(*flags.shard_fanout))) {
            return malformed("--max-hamt-fanout must be a power of 2, between 8 and 1024 (got " +
                             std::to_string(*flags.shard_fanout) + ")");
        }
        profile.shard_fanout = static_cast<std::uint64_t>(*flags.shard_fanout);
    }
    if (flags.inline_blocks == Switch::on) {
        if (flags.inline_limit > static_cast<std::int64_t>(limits::inline_bytes_max)) {
            return Error{Errc::too_large,
                         "--inline-limit " + std::to_string(flags.inline_limit) +
                             " is more than the 128 bytes that a CID may carry"};
        }
        if (flags.inline_limit >= 0) {
            profile.inline_bytes_max = static_cast<std::size_t>(flags.inline_limit);
        }
    }
    return {};
}

/// The metadata that the flags themselves give.
Result<Metadata> given_metadata(const ImportFlags& flags) {
    Metadata given;
    if (flags.mode != 0) {
        // Go keeps set-user, set-group and sticky at bits of its own.
        const std::uint64_t special = (flags.mode >> 12U & 06000U) | (flags.mode >> 11U & 01000U);
        given.mode = static_cast<std::uint32_t>((flags.mode & 0777U) | special);
    }
    if (flags.mtime == 0) {
        if (flags.mtime_nsecs != 0) {
            return malformed("--mtime-nsecs means nothing without --mtime");
        }
        return given;
    }
    if (flags.mtime_nsecs > limits::nanoseconds_max) {
        return malformed("--mtime-nsecs must be in the range 1 to 999999999");
    }
    if (flags.mtime != go_zero_time_seconds || flags.mtime_nsecs != 0) {
        given.mtime = UnixTime{.seconds = flags.mtime,
                               .nanoseconds = static_cast<std::uint32_t>(flags.mtime_nsecs)};
    }
    return given;
}

bool keeps_metadata(const ImportFlags& flags) {
    return flags.preserve_mode == Switch::on || flags.preserve_mtime == Switch::on ||
           flags.mode != 0 || flags.mtime != 0;
}

/// Version and leaves, in Kubo's order: metadata switches raw leaves off, nocopy on, a hash brings
/// version 1, and that raw leaves where nothing else was said.
Result<void> set_version_and_leaves(const Base& base, Profile& profile, const ImportFlags& flags) {
    Switch raw = flags.raw_leaves;
    if (raw == Switch::unset && base.decides_leaves) {
        raw = base.profile.leaves == Leaves::raw ? Switch::on : Switch::off;
    }
    if (keeps_metadata(flags)) {
        if (raw == Switch::on) {
            return refused("raw leaves have no room for a mode or a time: give --raw-leaves=false");
        }
        raw = Switch::off;
    }
    if (flags.nocopy == Switch::on) {
        if (raw == Switch::off) {
            return refused("--nocopy needs --raw-leaves, which excludes modes and times");
        }
        raw = Switch::on;
    }
    std::optional<std::int64_t> version = flags.cid_version;
    if (!version && base.decides_version) {
        version = base.profile.cid_version;
    }
    if (version && *version > 1) {
        return malformed("unknown CID version " + std::to_string(*version) + ": there are 0 and 1");
    }
    if (version && *version < 0) { // As in Kubo, no choice at all.
        version.reset();
    }
    if (profile.hash != HashCode::sha2_256 && version == 0) {
        return refused("CIDs of version 0 are of sha2-256 alone: give --cid-version=1");
    }
    profile.cid_version =
        static_cast<int>(version.value_or(profile.hash == HashCode::sha2_256 ? 0 : 1));
    if (raw == Switch::unset) {
        raw = profile.cid_version == 1 ? Switch::on : Switch::off;
    }
    profile.leaves = raw == Switch::on ? Leaves::raw : Leaves::dag_pb;
    return {};
}

} // namespace

Metadata ImportOptions::metadata_of(const Metadata& found) const {
    return {.mode = takes_mode ? found.mode : given.mode,
            .mtime = takes_mtime ? found.mtime : given.mtime};
}

Result<ImportOptions> import_options(std::string_view name, const ImportFlags& flags) {
    const Base base = TRY(base_named(name));
    ImportOptions options{.profile = base.profile};
    Profile& profile = options.profile;
    if (flags.hash && !flags.hash->empty()) {
        profile.hash = TRY(hash_named(*flags.hash));
    }
    if (flags.chunker && !flags.chunker->empty()) {
        profile.chunker = TRY(ChunkerSpec::parse(*flags.chunker));
    }
    if (flags.trickle != Switch::unset) {
        profile.layout = flags.trickle == Switch::on ? Layout::trickle : Layout::balanced;
    }
    TRY(set_numbers(profile, flags));
    options.given = TRY(given_metadata(flags));
    TRY(set_version_and_leaves(base, profile, flags));
    options.takes_mode = flags.preserve_mode == Switch::on && flags.mode == 0;
    options.takes_mtime = flags.preserve_mtime == Switch::on && !options.given.mtime;
    return options;
}

} // namespace ic::unixfs
