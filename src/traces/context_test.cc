#include "traces/context.h"
#include "traces/span.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace ic::traces {
namespace {

// The example of W3C Trace Context, section 3.2.2.5.
constexpr std::string_view example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Traceparent, ReadsAndWritesTheExampleOfItsSpecification) {
    const Result<TraceContext> context = parse_traceparent(example);
    ASSERT_TRUE(context.ok()) << context.error().message;
    EXPECT_EQ(context->trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    EXPECT_EQ(context->span.to_string(), "00f067aa0ba902b7");
    EXPECT_TRUE(context->is_sampled);
    EXPECT_EQ(to_traceparent(*context), example);
    std::string not_sampled(example);
    not_sampled.back() = '0';
    EXPECT_FALSE(parse_traceparent(not_sampled)->is_sampled);
    EXPECT_EQ(to_traceparent(*parse_traceparent(not_sampled)), not_sampled);
    not_sampled.back() = '3';
    EXPECT_TRUE(parse_traceparent(not_sampled)->is_sampled) << "other flags mean nothing yet";
}

TEST(Traceparent, RefusesEveryProperPrefix) {
    for (std::size_t size = 0; size < example.size(); ++size) {
        EXPECT_FALSE(parse_traceparent(example.substr(0, size)).ok()) << size;
    }
}

TEST(Traceparent, RefusesWhatTheSpecificationForbids) {
    for (const std::string_view bad : {
             "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
             "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
             "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
             "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
             "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
             "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
             "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
         }) {
        EXPECT_EQ(parse_traceparent(bad).error().code, Errc::malformed) << bad;
    }
}

TEST(Traceparent, ReadsALaterVersionAsFarAsItKnowsIt) {
    const std::string later = "cc" + std::string(example.substr(2));
    EXPECT_EQ(*parse_traceparent(later), *parse_traceparent(example));
    EXPECT_EQ(*parse_traceparent(later + "-more"), *parse_traceparent(example));
    const std::string longest =
        later + "-" + std::string(limits::traceparent_bytes_max - later.size() - 1, 'x');
    EXPECT_TRUE(parse_traceparent(longest).ok());
    EXPECT_EQ(parse_traceparent(longest + "x").error().code, Errc::too_large);
}

TEST(JobSpans, AreTheSameForAllWhoKnowTheJobAndDifferOtherwise) {
    Bytes digest(32);
    std::set<std::string> ids;
    for (std::uint8_t job = 0; job < 4; ++job) {
        digest.back() = static_cast<std::uint8_t>(job + 1);
        digest.front() = static_cast<std::uint8_t>(job + 1);
        ids.insert(job_span(digest).to_string());
        ids.insert(trace_of_job(digest).to_string());
        for (std::uint64_t incarnation = 0; incarnation < 4; ++incarnation) {
            for (std::uint64_t number = 0; number < 4; ++number) {
                ids.insert(lease_span(digest, incarnation, number).to_string());
            }
        }
    }
    EXPECT_EQ(ids.size(), 4U * (2 + 16));
    EXPECT_EQ(lease_span(digest, 7, 1), lease_span(digest, 7, 1));
    const Bytes zeros(32);
    EXPECT_EQ(job_span(zeros).to_string(), "0000000000000001") << "none is all zero";
}

// Written by hand after opentelemetry-proto, examples/trace.json.
TEST(OtlpRequest, IsWhatTheJsonEncodingSays) {
    const TraceContext context = *parse_traceparent(example);
    const std::vector<Span> spans{
        {.trace = context.trace,
         .id = job_span(Bytes(32)),
         .parent = context.span,
         .name = "job",
         .kind = SpanKind::server,
         .start = 1,
         .end = 18'446'744'073'709'551'615U,
         .attributes = {{"job", "bafy\"1"}, {"attempts", std::uint64_t{2}}}},
        {.trace = context.trace, .id = context.span, .name = "run", .error = "trap: no"}};
    EXPECT_EQ(
        otlp_request(spans, {{"service.name", "ipfs-compute"}}),
        R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":)"
        R"({"stringValue":"ipfs-compute"}}]},"scopeSpans":[{"scope":{"name":"ipfs-compute"},)"
        R"("spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"0000000000000001",)"
        R"("parentSpanId":"00f067aa0ba902b7","name":"job","kind":2,"startTimeUnixNano":"1",)"
        R"("endTimeUnixNano":"18446744073709551615","attributes":[{"key":"job","value":)"
        R"({"stringValue":"bafy\"1"}},{"key":"attempts","value":{"intValue":"2"}}],)"
        R"("status":{"code":1}},{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736",)"
        R"("spanId":"00f067aa0ba902b7","name":"run","kind":1,"startTimeUnixNano":"0",)"
        R"("endTimeUnixNano":"0","attributes":[],"status":{"code":2,"message":"trap: no"}}]}]}]})");
}

} // namespace
} // namespace ic::traces
