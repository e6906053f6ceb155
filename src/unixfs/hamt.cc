#include "unixfs/hamt.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <utility>

namespace ic::unixfs {
namespace {

constexpr std::uint64_t murmur3_x64_64 = 0x22; // multicodec
constexpr std::string_view hex_digits = "0123456789ABCDEF";

Error malformed(const char* message) { return {Errc::malformed, message}; }

// ---- MurmurHash3_x64_128

std::uint64_t little_endian(ByteView bytes) {
    std::uint64_t value = 0;
    for (std::size_t index = 0; index < bytes.size(); ++index) {
        value |= std::uint64_t{bytes[index]} << (8 * index);
    }
    return value;
}

std::uint64_t finalised(std::uint64_t value) {
    value ^= value >> 33U;
    value *= 0xff51afd7ed558ccdU;
    value ^= value >> 33U;
    value *= 0xc4ceb9fe1a85ec53U;
    value ^= value >> 33U;
    return value;
}

constexpr std::uint64_t murmur_c1 = 0x87c37b91114253d5U;
constexpr std::uint64_t murmur_c2 = 0x4cf5ad432745937fU;

std::uint64_t mixed_first(std::uint64_t word) {
    return std::rotl(word * murmur_c1, 31) * murmur_c2;
}

std::uint64_t mixed_second(std::uint64_t word) {
    return std::rotl(word * murmur_c2, 33) * murmur_c1;
}

// ---- Bucket numbers in names

unsigned bits_of(std::uint64_t fanout) { return static_cast<unsigned>(std::countr_zero(fanout)); }

/// Digits of the largest bucket number in upper-case hexadecimal; every bucket is written so wide.
std::size_t prefix_bytes(std::uint64_t fanout) { return (bits_of(fanout) + 3) / 4; }

std::string prefix_of(std::uint64_t bucket, std::uint64_t fanout) {
    std::string prefix;
    for (std::size_t left = prefix_bytes(fanout); left > 0; --left) {
        prefix.push_back(hex_digits[bucket >> (4 * (left - 1)) & 0xfU]);
    }
    return prefix;
}

std::optional<std::uint64_t> bucket_from(std::string_view prefix) {
    std::uint64_t bucket = 0;
    for (const char character : prefix) {
        const std::size_t digit = hex_digits.find(character);
        if (digit == std::string_view::npos) {
            return std::nullopt;
        }
        bucket = bucket << 4U | digit;
    }
    return bucket;
}

/// Bit `bucket` of a big-endian number; missing bytes are leading zeros.
bool is_set(ByteView bitfield, std::uint64_t bucket) {
    const std::size_t from_end = static_cast<std::size_t>(bucket / 8) + 1;
    return from_end <= bitfield.size() &&
           (bitfield[bitfield.size() - from_end] >> (bucket % 8) & 1U) != 0;
}

std::size_t bits_set(ByteView bitfield) {
    std::size_t count = 0;
    for (const std::uint8_t byte : bitfield) {
        count += static_cast<std::size_t>(std::popcount(byte));
    }
    return count;
}

// ---- Writing

/// A big-endian number, as wide as the largest fanout.
class Bitfield {
public:
    void set(std::uint64_t bucket) {
        bytes_[bytes_.size() - 1 - static_cast<std::size_t>(bucket / 8)] |=
            static_cast<std::uint8_t>(1U << (bucket % 8));
    }

    ByteView without_leading_zeros() const {
        const auto* const first =
            std::ranges::find_if(bytes_, [](std::uint8_t byte) { return byte != 0; });
        return {first, bytes_.end()};
    }

private:
    std::array<std::uint8_t, limits::shard_fanout_max / 8> bytes_{};
};

struct Writer {
    const Profile& profile;
    BlockSink& sink;

    Result<Written>
    shard(std::span<const ShardEntry> entries, std::size_t depth, const Metadata& metadata) const;
};

Result<Written> Writer::shard(std::span<const ShardEntry> entries,
                              std::size_t depth,
                              const Metadata& metadata) const {
    const std::uint64_t fanout = profile.shard_fanout;
    dag_pb::Node node;
    Bitfield bitfield;
    while (!entries.empty()) {
        const std::optional<std::uint64_t> bucket = bucket_of(entries.front().hash, depth, fanout);
        if (!bucket) {
            return Error{Errc::unsupported,
                         "two names of a directory have the same hash: '" +
                             std::string(entries.front().name) + "' and another"};
        }
        const auto end = std::ranges::find_if(entries, [&](const ShardEntry& entry) {
            return bucket_of(entry.hash, depth, fanout) != bucket;
        });
        const std::span<const ShardEntry> same{entries.begin(), end};
        entries = entries.subspan(same.size());

        bitfield.set(*bucket);
        dag_pb::Link link{.cid = same.front().cid,
                          .name = prefix_of(*bucket, fanout),
                          .tsize = same.front().tsize};
        if (same.size() == 1) {
            link.name += same.front().name;
        } else {
            const Written below = TRY(shard(same, depth + 1, {}));
            link.cid = below.cid;
            link.tsize = below.tsize;
        }
        node.links.push_back(std::move(link));
    }
    const Bytes message = encode_data({.type = DataType::hamt_shard,
                                       .data = bitfield.without_leading_zeros(),
                                       .hash_type = murmur3_x64_64,
                                       .fanout = fanout,
                                       .mode = metadata.mode,
                                       .mtime = metadata.mtime});
    node.data = message;
    return put_node(profile, sink, node);
}

} // namespace

std::uint64_t shard_hash(std::string_view name) {
    ByteView rest = bytes_of(name);
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    for (; rest.size() >= 16; rest = rest.subspan(16)) {
        first ^= mixed_first(little_endian(rest.first(8)));
        first = (std::rotl(first, 27) + second) * 5 + 0x52dce729U;
        second ^= mixed_second(little_endian(rest.subspan(8, 8)));
        second = (std::rotl(second, 31) + first) * 5 + 0x38495ab5U;
    }
    if (rest.size() > 8) {
        second ^= mixed_second(little_endian(rest.subspan(8)));
    }
    first ^= mixed_first(little_endian(rest.first(std::min<std::size_t>(rest.size(), 8))));
    first ^= name.size();
    second ^= name.size();
    first += second;
    second += first;
    return finalised(first) + finalised(second);
}

std::optional<std::uint64_t>
bucket_of(std::uint64_t hash, std::size_t depth, std::uint64_t fanout) {
    const unsigned bits = bits_of(fanout);
    if ((depth + 1) * bits > 64) {
        return std::nullopt;
    }
    return hash << (depth * bits) >> (64U - bits);
}

Result<Shard> decode_shard(const Data& data, std::vector<dag_pb::Link> links) {
    if (data.type != DataType::hamt_shard || !data.data || !data.hash_type || !data.fanout) {
        return malformed("a directory shard lacks bitfield, hash function or fanout");
    }
    if (*data.hash_type != murmur3_x64_64) {
        return Error{Errc::unsupported, "a directory shard with another hash than murmur3-x64-64"};
    }
    const std::uint64_t fanout = *data.fanout;
    if (!is_shard_fanout(fanout)) {
        return Error{Errc::unsupported, "a directory shard with a fanout that is not used"};
    }
    if (data.data->size() > fanout / 8 || bits_set(*data.data) != links.size()) {
        return malformed("a directory shard's bitfield does not fit its links");
    }
    Shard shard{.fanout = fanout};
    const std::size_t width = prefix_bytes(fanout);
    for (dag_pb::Link& link : links) {
        const std::optional<std::uint64_t> bucket =
            link.name.size() < width ? std::nullopt
                                     : bucket_from(std::string_view{link.name}.substr(0, width));
        if (!bucket || !is_set(*data.data, *bucket)) {
            return malformed("a directory shard's link names no bucket of its bitfield");
        }
        if (!shard.links.empty() && shard.links.back().bucket >= *bucket) {
            return malformed("a directory shard's links are not in the order of buckets");
        }
        link.name.erase(0, width);
        shard.links.push_back(
            {.bucket = *bucket,
             .kind = link.name.empty() ? ShardLink::Kind::shard : ShardLink::Kind::entry,
             .link = std::move(link)});
    }
    return shard;
}

Result<Written> write_shards(const Profile& profile,
                             BlockSink& sink,
                             std::span<const ShardEntry> entries,
                             const Metadata& metadata) {
    assert(is_shard_fanout(profile.shard_fanout));
    assert(std::ranges::is_sorted(entries, {}, &ShardEntry::hash));
    return Writer{profile, sink}.shard(entries, 0, metadata);
}

} // namespace ic::unixfs
