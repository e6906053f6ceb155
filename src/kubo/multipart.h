#pragma once
/// A multipart/form-data body of one part, as Kubo takes data and files. Inside this folder alone.
/// Source: RFC 7578.

#include "base/bytes.h"
#include "kubo/rpc.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ic::kubo {

/// What stands around the part's bytes. A boundary of 128 random bits is not among them.
struct Multipart {
    std::string content_type;
    std::string before;
    std::string after;
};

Multipart multipart(std::string_view part, std::uint64_t random, std::uint64_t more_random);

/// The whole body.
Bytes framed(const Multipart& frame, ByteView data);

/// The whole body, of what `produce` gives.
Producer framed(const Multipart& frame, Producer produce);

/// What may stand in a query as it is stays; the rest as %XX. Source: RFC 3986 section 2.3.
std::string percent_encoded(std::string_view text);

} // namespace ic::kubo
