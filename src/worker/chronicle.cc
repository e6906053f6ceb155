#include "worker/chronicle.h"

#include "job/ending_name.h"

#include <chrono>
#include <string_view>

namespace ic::worker {

using metrics::Metric;
using std::chrono::microseconds;

namespace {

std::string_view span_name(job::Stage stage) {
    switch (stage) {
    case job::Stage::fetching:
        return "fetch";
    case job::Stage::compiling:
        return "compile";
    case job::Stage::running:
        return "run";
    case job::Stage::publishing:
        return "publish";
    default:
        return "other"; // No run is at one of them.
    }
}

} // namespace

void Chronicle::began(const job::LeaseRef& lease, const job::Instance& coordinator) {
    if (note_.wants(log::Level::debug)) {
        note_(log::Level::debug,
              "run begins",
              {{"job", lease.job.to_string()},
               {"epoch", lease.epoch.to_string()},
               {"peer", coordinator.to_string()}});
    }
}

void Chronicle::count(const RunReport& report) {
    const job::Usage& usage = report.usage;
    counts_->number(Metric::runs_ended, job::name_of(report.ending)).add();
    counts_->number(Metric::guest_cpu).add(usage.cpu_us);
    counts_->durations(Metric::stage, "claim").observe(report.began - report.granted);
    const auto stage = [this](std::string_view name, std::uint64_t us) {
        // One that is not there did not last no time: a module in the cache is not fetched.
        if (us != 0) {
            counts_->durations(Metric::stage, name).observe(microseconds(us));
        }
    };
    stage("fetch", usage.fetch_us);
    stage("compile", usage.compile_us);
    stage("run", usage.run_us);
    stage("publish", usage.publish_us);
}

void Chronicle::trace(const RunReport& report) {
    const ByteView digest = report.lease.job.digest();
    if (digest.size() < sizeof(traces::TraceId)) {
        return; // No job has such a name: whoever granted it was told no.
    }
    traces::TraceId trace = traces::trace_of_job(digest);
    if (report.traceparent) {
        const auto context = traces::parse_traceparent(*report.traceparent);
        if (context && !context->is_sampled) {
            return;
        }
        trace = context ? context->trace : trace;
    }
    const job::Epoch& epoch = report.lease.epoch;
    const auto add = [&](std::string_view name, Instant start, Instant end, bool is_last) {
        traces::Span span{.trace = trace,
                          .id = traces_->new_span_id(),
                          .parent = traces::lease_span(digest, epoch.incarnation, epoch.n),
                          .name = std::string(name),
                          .start = traces::unix_of(start),
                          .end = traces::unix_of(end),
                          .attributes = {{"ipfs_compute.job", report.lease.job.to_string()},
                                         {"ipfs_compute.epoch", epoch.to_string()}}};
        if (is_last) {
            const std::string ending(job::name_of(report.ending));
            span.attributes.push_back({"ipfs_compute.ending", ending});
            span.error = report.ending.ok() ? std::nullopt : std::optional(ending);
        }
        traces_->add(std::move(span));
    };
    add("claim", report.granted, report.began, report.stages.empty());
    for (std::size_t at = 0; at < report.stages.size(); ++at) {
        const bool is_last = at + 1 == report.stages.size();
        add(span_name(report.stages[at].stage),
            report.stages[at].at,
            is_last ? report.ended : report.stages[at + 1].at,
            is_last);
    }
}

void Chronicle::ended(const RunReport& report) {
    if (traces_ != nullptr) {
        trace(report);
    }
    if (counts_ != nullptr) {
        count(report);
    }
    if (note_.wants(log::Level::debug)) {
        note_(log::Level::debug,
              report.ending.message.empty() ? "run ended" : "run ended: " + report.ending.message,
              {{"job", report.lease.job.to_string()},
               {"epoch", report.lease.epoch.to_string()},
               {"ending", std::string(job::name_of(report.ending))},
               {"fetch_us", report.usage.fetch_us},
               {"compile_us", report.usage.compile_us},
               {"run_us", report.usage.run_us},
               {"publish_us", report.usage.publish_us}});
    }
}

void Chronicle::declined(const Cid& job, const Error& error) {
    metrics::count(counts_, Metric::announcements_declined, name(error.code));
    if (note_.wants(log::Level::debug)) {
        note_(log::Level::debug,
              "job declined: " + error.message,
              {{"job", job.to_string()}, {"error", std::string(name(error.code))}});
    }
}

} // namespace ic::worker
