#include "worker/chronicle.h"

#include "job/ending_name.h"

namespace ic::worker {

void Chronicle::began(const job::LeaseRef& lease, const job::Instance& coordinator) {
    if (note_.wants(log::Level::debug)) {
        note_(log::Level::debug,
              "run begins",
              {{"job", lease.job.to_string()},
               {"epoch", lease.epoch.to_string()},
               {"peer", coordinator.to_string()}});
    }
}

void Chronicle::ended(const RunReport& report) {
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
    if (note_.wants(log::Level::debug)) {
        note_(log::Level::debug,
              "job declined: " + error.message,
              {{"job", job.to_string()}, {"error", std::string(name(error.code))}});
    }
}

} // namespace ic::worker
