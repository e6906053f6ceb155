#pragma once
/// DAG-PB: nodes of named links and some bytes; what UnixFS files and directories are made of.
/// Format: https://ipld.io/specs/codecs/dag-pb/spec/

#include "base/bytes.h"
#include "base/result.h"
#include "multiformats/cid.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ic::dag_pb {

namespace limits {
/// Ours: a block of 2 MiB holds fewer links of SHA-256 CIDs than this; bounds a decoded node to
/// some 8 MiB.
inline constexpr std::size_t links_max = std::size_t{1} << 16U;
} // namespace limits

struct Link {
    Cid cid{};
    std::string name{};      ///< Any bytes; empty for the parts of a file.
    std::uint64_t tsize = 0; ///< Bytes of the target's block and of all below it, as claimed.

    friend bool operator==(const Link&, const Link&) = default;
};

/// Whether bytes that were read are the ones that `encode` writes.
enum class Form : std::uint8_t { canonical, tolerated };

struct Node {
    std::vector<Link> links{};
    /// Nothing and empty are different. Lifetime: of the bytes it was decoded from.
    std::optional<ByteView> data{};
};

struct Decoded {
    Node node{};
    Form form = Form::canonical;
};

/// Links, each with hash, name and size, then the data if there is any. Keeps the order of links:
/// the format wants directories sorted by the bytes of the name, which is up to the caller.
/// Requires: sizes < 2^63. Inverse: `decode`.
Bytes encode(const Node& node);

/// Bytes of `encode`'s output that one such link takes.
std::size_t encoded_link_bytes(std::size_t cid_bytes, std::size_t name_bytes, std::uint64_t tsize);

/// Reads exactly one node. Tolerates what go-codec-dagpb does: data before the links (as early
/// versions of Kubo wrote it), links without name or size, and links in any order.
/// Errors: malformed (fields unknown, twice or in another order, a link without a hash), too_large
///         (links, varints), unsupported (hash function of a link).
Result<Decoded> decode(ByteView input);

} // namespace ic::dag_pb
