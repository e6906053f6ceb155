#include "importer/stat_cache.h"

#include "base/file.h"
#include "multiformats/multihash.h"

#include <algorithm>
#include <cassert>
#include <string_view>

namespace ic::importer {
namespace {

constexpr std::string_view magic = "ipfs-compute add cache\n";
constexpr std::uint8_t format_version = 1;
constexpr std::size_t checksum_bytes = 32;

void append_number(Bytes& out, std::uint64_t number) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
        out.push_back(static_cast<std::uint8_t>(number >> shift));
    }
}

Error ends_early() { return {Errc::malformed, "the cache ends early"}; }

Result<ByteView> take_bytes(ByteView& input, std::size_t count) {
    if (input.size() < count) {
        return ends_early();
    }
    const ByteView taken = input.first(count);
    input = input.subspan(count);
    return taken;
}

Result<std::uint64_t> take_number(ByteView& input) {
    const ByteView bytes = TRY(take_bytes(input, 8));
    std::uint64_t number = 0;
    for (std::size_t index = 0; index < 8; ++index) {
        number |= std::uint64_t{bytes[index]} << (8 * index);
    }
    return number;
}

std::int64_t as_signed(std::uint64_t number) { return static_cast<std::int64_t>(number); }

std::uint64_t as_unsigned(std::int64_t number) { return static_cast<std::uint64_t>(number); }

void append_entry(Bytes& out, const CacheEntry& entry) {
    const FileState& state = entry.state;
    append_number(out, state.device);
    append_number(out, state.inode);
    out.insert(out.end(), state.fingerprint.begin(), state.fingerprint.end());
    append_number(out, state.size);
    append_number(out, as_unsigned(state.modified_ns));
    append_number(out, as_unsigned(state.changed_ns));
    append_number(out, entry.met);
    append_number(out, entry.root.tsize);
    append_number(out, entry.root.file_size);
    const ByteView cid = entry.root.cid.bytes();
    out.push_back(static_cast<std::uint8_t>(cid.size()));
    out.insert(out.end(), cid.begin(), cid.end());
}

Result<CacheEntry> take_entry(ByteView& input) {
    CacheEntry entry;
    FileState& state = entry.state;
    state.device = TRY(take_number(input));
    state.inode = TRY(take_number(input));
    std::ranges::copy(TRY(take_bytes(input, state.fingerprint.size())), state.fingerprint.begin());
    state.size = TRY(take_number(input));
    state.modified_ns = as_signed(TRY(take_number(input)));
    state.changed_ns = as_signed(TRY(take_number(input)));
    entry.met = TRY(take_number(input));
    entry.root.tsize = TRY(take_number(input));
    entry.root.file_size = TRY(take_number(input));
    const std::size_t cid_bytes = TRY(take_bytes(input, 1)).front();
    entry.root.cid = TRY(Cid::from_bytes(TRY(take_bytes(input, cid_bytes))));
    return entry;
}

auto order_of(const FileState& state) {
    return std::tie(state.device, state.inode, state.fingerprint);
}

void append_size(std::string& text, std::uint64_t number) { text += std::to_string(number) + ","; }

std::int64_t nanoseconds_of(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

} // namespace

Fingerprint fingerprint_of(const unixfs::ImportOptions& options) {
    // A new choice makes these names too few, and has to be written down below.
    const auto& [profile, given, takes_mode, takes_mtime] = options;
    const auto& [cid_version,
                 hash,
                 chunker,
                 leaves,
                 layout,
                 links_max,
                 directory_size,
                 shard_above_bytes,
                 directory_links_max,
                 shard_fanout,
                 inline_bytes_max] = profile;
    const auto& [kind, bytes_min, bytes_average, bytes_max] = chunker;
    std::string text = "1:"; // Of this list of choices.
    for (const std::uint64_t number : {static_cast<std::uint64_t>(cid_version),
                                       static_cast<std::uint64_t>(hash),
                                       static_cast<std::uint64_t>(kind),
                                       std::uint64_t{bytes_min},
                                       std::uint64_t{bytes_average},
                                       std::uint64_t{bytes_max},
                                       static_cast<std::uint64_t>(leaves),
                                       static_cast<std::uint64_t>(layout),
                                       std::uint64_t{links_max},
                                       static_cast<std::uint64_t>(directory_size),
                                       std::uint64_t{shard_above_bytes},
                                       std::uint64_t{directory_links_max},
                                       std::uint64_t{shard_fanout},
                                       std::uint64_t{inline_bytes_max ? *inline_bytes_max + 1 : 0},
                                       std::uint64_t{given.mode ? *given.mode + 1ULL : 0ULL},
                                       std::uint64_t{given.mtime ? 1U : 0U},
                                       as_unsigned(given.mtime ? given.mtime->seconds : 0),
                                       std::uint64_t{given.mtime ? given.mtime->nanoseconds : 0},
                                       std::uint64_t{takes_mode ? 1U : 0U},
                                       std::uint64_t{takes_mtime ? 1U : 0U}}) {
        append_size(text, number);
    }
    const Sha256Digest digest = sha2_256(bytes_of(text));
    Fingerprint fingerprint;
    std::copy_n(digest.begin(), fingerprint.size(), fingerprint.begin());
    return fingerprint;
}

FileState FileState::of(const struct stat& status, const Fingerprint& fingerprint) {
    return {.device = status.st_dev,
            .inode = status.st_ino,
            .fingerprint = fingerprint,
            .size = static_cast<std::uint64_t>(status.st_size),
            .modified_ns = nanoseconds_of(status.st_mtim),
            .changed_ns = nanoseconds_of(status.st_ctim)};
}

Bytes encode_cache(const CacheContent& content) {
    assert(content.entries.size() <= limits::cache_entries_max);
    Bytes out = copy_of(bytes_of(magic));
    out.push_back(format_version);
    append_number(out, content.runs);
    append_number(out, content.entries.size());
    for (const CacheEntry& entry : content.entries) {
        append_entry(out, entry);
    }
    const Sha256Digest checksum = sha2_256(out);
    out.insert(out.end(), checksum.begin(), checksum.end());
    return out;
}

Result<CacheContent> decode_cache(ByteView input) {
    if (input.size() < magic.size() + 1 || text_of(input.first(magic.size())) != magic) {
        return Error{Errc::malformed, "this is no cache of 'add'"};
    }
    if (input[magic.size()] != format_version) {
        return Error{Errc::unsupported, "the cache is of another version"};
    }
    if (input.size() < magic.size() + 1 + checksum_bytes) {
        return ends_early();
    }
    const ByteView signed_part = input.first(input.size() - checksum_bytes);
    if (!std::ranges::equal(sha2_256(signed_part), input.last(checksum_bytes))) {
        return Error{Errc::malformed, "the cache is damaged: its checksum does not match"};
    }
    ByteView rest = signed_part.subspan(magic.size() + 1);
    CacheContent content;
    content.runs = TRY(take_number(rest));
    const std::uint64_t count = TRY(take_number(rest));
    if (count > limits::cache_entries_max) {
        return Error{Errc::too_large, "the cache has too many entries"};
    }
    for (std::uint64_t index = 0; index < count; ++index) {
        CacheEntry entry = TRY(take_entry(rest));
        const bool is_in_order = content.entries.empty() ||
                                 order_of(content.entries.back().state) < order_of(entry.state);
        if (!is_in_order || entry.met > content.runs) {
            return Error{Errc::malformed, "the entries of the cache are not in order"};
        }
        content.entries.push_back(std::move(entry));
    }
    if (!rest.empty()) {
        return Error{Errc::malformed, "the cache goes on behind its last entry"};
    }
    return content;
}

StatCache::Key StatCache::Key::of(const FileState& state) {
    return {.device = state.device, .inode = state.inode, .fingerprint = state.fingerprint};
}

Result<StatCache> StatCache::load(std::string path) {
    StatCache cache(std::move(path));
    const Result<std::optional<Bytes>> bytes =
        read_file_if_exists(cache.path_, limits::cache_bytes_max);
    if (!bytes && bytes.error().code != Errc::too_large) {
        return bytes.error();
    }
    if (!bytes || !*bytes) {
        return cache;
    }
    Result<CacheContent> content = decode_cache(**bytes);
    if (!content) {
        return cache;
    }
    cache.run_ = content->runs + 1;
    for (const CacheEntry& entry : content->entries) {
        cache.entries_.emplace_hint(cache.entries_.end(), Key::of(entry.state), entry);
    }
    return cache;
}

std::optional<unixfs::Entry> StatCache::find(const FileState& state) {
    const std::lock_guard lock(*mutex_);
    const auto found = entries_.find(Key::of(state));
    if (found == entries_.end() || found->second.state != state) {
        return std::nullopt;
    }
    found->second.met = run_;
    return found->second.root;
}

void StatCache::remember(const FileState& state, const unixfs::Entry& root, std::int64_t seen_ns) {
    const std::lock_guard lock(*mutex_);
    is_changed_ = true;
    // A time from the future cannot be told from one that a clock which was set back will reach.
    if (std::max(state.modified_ns, state.changed_ns) > seen_ns - racy_nanoseconds) {
        entries_.erase(Key::of(state));
        return;
    }
    entries_.insert_or_assign(Key::of(state),
                              CacheEntry{.state = state, .met = run_, .root = root});
}

void StatCache::forget(const FileState& state) {
    const std::lock_guard lock(*mutex_);
    is_changed_ = entries_.erase(Key::of(state)) != 0 || is_changed_;
}

Result<void> StatCache::save() {
    const std::lock_guard lock(*mutex_);
    if (!is_changed_) {
        return {};
    }
    CacheContent content{.runs = run_, .entries = {}};
    for (const auto& [key, entry] : entries_) {
        content.entries.push_back(entry);
    }
    if (content.entries.size() > limits::cache_entries_max) {
        const auto newest_end = content.entries.begin() + limits::cache_entries_max;
        std::ranges::nth_element(
            content.entries, newest_end, std::ranges::greater{}, &CacheEntry::met);
        content.entries.erase(newest_end, content.entries.end());
        std::ranges::sort(
            content.entries, {}, [](const CacheEntry& entry) { return order_of(entry.state); });
    }
    TRY(write_file(path_, encode_cache(content), 0600, IfExists::replace));
    is_changed_ = false;
    return {};
}

} // namespace ic::importer
