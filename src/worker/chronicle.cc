#include "worker/chronicle.h"

#include "job/ending_name.h"

#include <chrono>
#include <string_view>

namespace ic::worker {

using metrics::Metric;
using std::chrono::microseconds;

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

void Chronicle::ended(const RunReport& report) {
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
