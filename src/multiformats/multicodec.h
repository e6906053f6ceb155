#pragma once
/// The names of codecs, hash functions and bases, as people write them.
/// Source: multiformats/multicodec, table.csv, as go-multicodec v0.10.0 has it (Kubo 0.43): what is
/// tagged `ipld` or `serialization`; go-multibase v0.2.0 for the bases.

#include "multiformats/cid.h"
#include "multiformats/multibase.h"

#include <optional>
#include <string>
#include <string_view>

namespace ic {

/// "dag-cbor"; "Code(9999)" for a number that has no name here. Inverse: `codec_named`.
std::string name_of(Codec codec);
/// By name or by number ("0x71", "113"); nothing for what is not in the table.
std::optional<Codec> codec_named(std::string_view text);

/// "sha2-256". Inverse: `hash_named`.
std::string_view name_of(HashCode hash);
/// By name or by number, of the functions that this project computes.
std::optional<HashCode> hash_named(std::string_view text);

/// "base32". Inverse: `base_named`.
std::string_view name_of(Base base);
std::optional<Base> base_named(std::string_view name);

} // namespace ic
