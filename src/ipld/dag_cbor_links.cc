#include "ipld/dag_cbor.h"

namespace ic::dag_cbor {
namespace {

Error malformed(const char* message) { return {Errc::malformed, message}; }

/// RFC 8949 section 3: the major types, and the lows of a head that say how wide its argument is.
enum Major : std::uint8_t { positive, negative, byte_text, utf8_text, list, map, tag, simple };
constexpr unsigned one_byte_follows = 24;
constexpr unsigned eight_bytes_follow = 27;
constexpr std::uint64_t link_tag = 42;

struct Head {
    Major major;
    std::uint64_t argument; ///< Of `simple`, the bits of a float too.
};

Result<ByteView> take_run(ByteView& input, std::uint64_t size) {
    if (size > input.size()) {
        return malformed("dag-cbor ends early");
    }
    const ByteView run = input.first(static_cast<std::size_t>(size));
    input = input.subspan(run.size());
    return run;
}

Result<Head> take_head(ByteView& input) {
    const std::uint8_t first = TRY(take_run(input, 1)).front();
    const auto major = static_cast<Major>(first >> 5U);
    const unsigned low = first & 0x1fU;
    if (low < one_byte_follows) {
        return Head{major, low};
    }
    if (low > eight_bytes_follow) {
        return malformed("dag-cbor has no indefinite lengths and no reserved heads");
    }
    std::uint64_t argument = 0;
    for (const std::uint8_t byte :
         TRY(take_run(input, std::uint64_t{1} << (low - one_byte_follows)))) {
        argument = argument << 8U | byte;
    }
    return Head{major, argument};
}

Result<Cid> take_link(ByteView& input, std::uint64_t tag_number) {
    if (tag_number != link_tag) {
        return malformed("dag-cbor has no tag but 42");
    }
    const Head head = TRY(take_head(input));
    if (head.major != byte_text) {
        return malformed("a dag-cbor link holds bytes");
    }
    const ByteView bytes = TRY(take_run(input, head.argument));
    if (bytes.empty() || bytes.front() != 0) {
        return malformed("a dag-cbor link starts with a zero byte");
    }
    return Cid::from_bytes(bytes.subspan(1));
}

} // namespace

/// Without recursion: `open` has, for each list and map that is not at its end, the number of
/// values that are still to come. Every value takes a byte, so a large claim ends at the input's.
Result<std::vector<Cid>> links(ByteView input) {
    std::vector<Cid> found;
    std::vector<std::uint64_t> open{1};
    while (!open.empty()) {
        if (open.back() == 0) {
            open.pop_back();
            continue;
        }
        --open.back();
        const Head head = TRY(take_head(input));
        switch (head.major) {
        case byte_text:
        case utf8_text:
            TRY(take_run(input, head.argument));
            break;
        case tag:
            found.push_back(TRY(take_link(input, head.argument)));
            break;
        case list:
        case map:
            if (open.size() > limits::scan_depth_max) {
                return Error{Errc::too_large, "dag-cbor is nested more than 1024 deep"};
            }
            if (head.argument > input.size()) {
                return malformed("dag-cbor ends early");
            }
            open.push_back(head.major == map ? 2 * head.argument : head.argument);
            break;
        case positive:
        case negative:
        case simple:
            break;
        }
    }
    if (!input.empty()) {
        return malformed("bytes are left over after the dag-cbor value");
    }
    return found;
}

} // namespace ic::dag_cbor
