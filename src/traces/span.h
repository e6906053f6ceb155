#pragma once
/// Span: a piece of work with its times, and how it is told to a collector. Pure.
/// Source: opentelemetry-proto 1.x, trace.proto, in the JSON encoding of OTLP 1.x ("JSON Protobuf
/// Encoding"): ids as hex, 64-bit numbers as text.

#include "traces/context.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ic::traces {

/// The numbers of SpanKind.
enum class SpanKind : std::uint8_t { internal = 1, server = 2, client = 3 };

struct Attribute {
    std::string key;
    std::variant<std::string, std::uint64_t> value;
};

/// Nanoseconds since 1970-01-01 UTC, by this machine's clock.
using UnixNanoseconds = std::uint64_t;

struct Span {
    TraceId trace{};
    SpanId id{};
    std::optional<SpanId> parent{};
    std::string name{};
    SpanKind kind = SpanKind::internal;
    UnixNanoseconds start = 0;
    UnixNanoseconds end = 0;
    std::vector<Attribute> attributes{};
    std::optional<std::string> error{}; ///< It failed, and why; a line for people.
};

/// Who tells it: attributes of the resource.
using Resource = std::vector<Attribute>;

/// One ExportTraceServiceRequest.
std::string otlp_request(std::span<const Span> spans, const Resource& resource);

} // namespace ic::traces
