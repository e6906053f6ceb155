#include "traces/span.h"

#include "base/json_text.h"

namespace ic::traces {
namespace {

void append_attributes(std::string& out, std::span<const Attribute> attributes) {
    out += "[";
    for (const Attribute& attribute : attributes) {
        out += &attribute == attributes.data() ? R"({"key":)" : R"(,{"key":)";
        append_json_string(out, attribute.key);
        if (const auto* const number = std::get_if<std::uint64_t>(&attribute.value)) {
            out += R"(,"value":{"intValue":")" + std::to_string(*number) + R"("}})";
        } else {
            out += R"(,"value":{"stringValue":)";
            append_json_string(out, std::get<std::string>(attribute.value));
            out += "}}";
        }
    }
    out += "]";
}

void append_span(std::string& out, const Span& span) {
    // Status codes: OK is 1, ERROR is 2.
    out += R"({"traceId":")" + span.trace.to_string() + R"(","spanId":")" + span.id.to_string();
    if (span.parent) {
        out += R"(","parentSpanId":")" + span.parent->to_string();
    }
    out += R"(","name":)";
    append_json_string(out, span.name);
    out += R"(,"kind":)" + std::to_string(static_cast<int>(span.kind));
    out += R"(,"startTimeUnixNano":")" + std::to_string(span.start);
    out += R"(","endTimeUnixNano":")" + std::to_string(span.end) + R"(","attributes":)";
    append_attributes(out, span.attributes);
    if (span.error) {
        out += R"(,"status":{"code":2,"message":)";
        append_json_string(out, *span.error);
        out += "}}";
    } else {
        out += R"(,"status":{"code":1}})";
    }
}

} // namespace

std::string otlp_request(std::span<const Span> spans, const Resource& resource) {
    std::string out = R"({"resourceSpans":[{"resource":{"attributes":)";
    append_attributes(out, resource);
    out += R"(},"scopeSpans":[{"scope":{"name":"ipfs-compute"},"spans":[)";
    for (const Span& span : spans) {
        out += &span == spans.data() ? "" : ",";
        append_span(out, span);
    }
    return out + "]}]}]}";
}

} // namespace ic::traces
