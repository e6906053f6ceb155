#include "traces/context.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <span>

namespace ic::traces {
namespace {

std::optional<std::uint8_t> digit_of(char letter) {
    if (letter >= '0' && letter <= '9') {
        return static_cast<std::uint8_t>(letter - '0');
    }
    if (letter >= 'a' && letter <= 'f') { // Lower case alone: section 3.2.2.
        return static_cast<std::uint8_t>(letter - 'a' + 10);
    }
    return std::nullopt;
}

/// `text` has two digits a byte. False if one is none.
bool read_hex(std::string_view text, std::span<std::uint8_t> into) {
    for (std::size_t at = 0; at < into.size(); ++at) {
        const auto high = digit_of(text[2 * at]);
        const auto low = digit_of(text[2 * at + 1]);
        if (!high || !low) {
            return false;
        }
        into[at] = static_cast<std::uint8_t>(*high << 4U | *low);
    }
    return true;
}

template <std::size_t size>
bool is_zero(const std::array<std::uint8_t, size>& bytes) {
    return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

/// An id of these bytes; none is all zero.
template <class Id>
Id id_of(ByteView bytes) {
    Id id;
    std::ranges::copy(bytes.first(id.bytes.size()), id.bytes.begin());
    if (is_zero(id.bytes)) {
        id.bytes.back() = 1;
    }
    return id;
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): near numbers become far ones.
std::uint64_t mixed(std::uint64_t number) {
    number = (number ^ (number >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    number = (number ^ (number >> 27U)) * 0x94d049bb133111ebULL;
    return number ^ (number >> 31U);
}

} // namespace

Result<TraceContext> parse_traceparent(std::string_view text) {
    const auto wrong = [&](std::string_view what) {
        return Error{Errc::malformed, "traceparent " + std::string(what)};
    };
    if (text.size() > limits::traceparent_bytes_max) {
        return Error{Errc::too_large, "traceparent has too many bytes"};
    }
    if (text.size() < limits::traceparent_bytes || text[2] != '-' || text[35] != '-' ||
        text[52] != '-') {
        return wrong("is not VERSION-TRACE-SPAN-FLAGS");
    }
    std::array<std::uint8_t, 1> version{};
    std::array<std::uint8_t, 1> flags{};
    TraceContext context;
    if (!read_hex(text.substr(0, 2), version) || !read_hex(text.substr(3), context.trace.bytes) ||
        !read_hex(text.substr(36), context.span.bytes) || !read_hex(text.substr(53), flags)) {
        return wrong("has what is no lower-case hex digit");
    }
    const std::string_view rest = text.substr(limits::traceparent_bytes);
    const bool is_longer = !rest.empty();
    if (version[0] == 0xff || (is_longer && (version[0] == 0 || rest.front() != '-'))) {
        return wrong("is of no version that there is");
    }
    if (is_zero(context.trace.bytes) || is_zero(context.span.bytes)) {
        return wrong("has an id that is all zero");
    }
    context.is_sampled = (flags[0] & 0x01U) != 0;
    return context;
}

std::string to_traceparent(const TraceContext& context) {
    return "00-" + context.trace.to_string() + "-" + context.span.to_string() +
           (context.is_sampled ? "-01" : "-00");
}

TraceId trace_of_job(ByteView digest) {
    assert(digest.size() >= sizeof(TraceId));
    return id_of<TraceId>(digest);
}

SpanId job_span(ByteView digest) {
    assert(digest.size() >= sizeof(TraceId));
    return id_of<SpanId>(digest.last(sizeof(SpanId)));
}

SpanId lease_span(ByteView digest, std::uint64_t incarnation, std::uint64_t number) {
    SpanId id = job_span(digest);
    std::uint64_t mask = mixed(mixed(incarnation + 0x9e3779b97f4a7c15ULL) ^ number);
    for (std::uint8_t& byte : id.bytes) {
        byte = static_cast<std::uint8_t>(byte ^ (mask & 0xffU));
        mask >>= 8U;
    }
    return id_of<SpanId>(id.bytes);
}

} // namespace ic::traces
