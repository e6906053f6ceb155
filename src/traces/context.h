#pragma once
/// TraceContext: which trace something belongs to, and where in it. Pure.
/// Source: W3C Trace Context (Recommendation of 23 November 2021), "traceparent Header".

#include "base/bytes.h"
#include "base/result.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ic::traces {

/// Never all zero.
struct TraceId {
    std::array<std::uint8_t, 16> bytes{};

    friend bool operator==(const TraceId&, const TraceId&) = default;

    std::string to_string() const { return to_hex(ByteView{bytes}); }
};

/// Never all zero.
struct SpanId {
    std::array<std::uint8_t, 8> bytes{};

    friend bool operator==(const SpanId&, const SpanId&) = default;

    std::string to_string() const { return to_hex(ByteView{bytes}); }
};

struct TraceContext {
    TraceId trace;
    SpanId span; ///< The parent of what is done next.
    bool is_sampled = true;

    friend bool operator==(const TraceContext&, const TraceContext&) = default;
};

namespace limits {
/// Of version 00; what a later version adds is not read.
inline constexpr std::size_t traceparent_bytes = 55;
/// Ours, of any version.
inline constexpr std::size_t traceparent_bytes_max = 128;
} // namespace limits

/// A later version is read as far as version 00 goes, as its specification asks for. Errors:
/// malformed (also for ids that are all zero), too_large. Inverse: `to_traceparent`, of version 00.
Result<TraceContext> parse_traceparent(std::string_view text);

/// "00-TRACE-SPAN-FLAGS".
std::string to_traceparent(const TraceContext& context);

/// The context of a job that carries none: everybody who knows the job's digest (at least 16 bytes)
/// makes the same one. Its span is `job_span`.
TraceId trace_of_job(ByteView digest);

/// The span of a job at whoever coordinates it, and of a lease of it: not random, so that nobody
/// has to be told.
SpanId job_span(ByteView digest);
SpanId lease_span(ByteView digest, std::uint64_t incarnation, std::uint64_t number);

} // namespace ic::traces
