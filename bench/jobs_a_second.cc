// Jobs a second: one client keeps a window of jobs in flight, each with a nonce of its own, so that
// each runs, is journaled and gets a signed receipt. One worker, one with more slots than there are
// cores (so that more jobs share a synced commit), then four workers on the same home.
// Beside it: a process for each job, and raw Wasmtime that only runs the module.
// Run: bench/run jobs_a_second

#include "bench/support/home.h"
#include "bench/support/raw_wasmtime.h"

#include <string>
#include <vector>

namespace {

using namespace ic;
using namespace ic::bench;

constexpr std::size_t window = 256;
constexpr std::size_t jobs_a_round = 1000;
constexpr int rounds = 10;
constexpr std::size_t processes_a_round = 200;

double a_second(std::size_t count, const std::function<void()>& body) {
    return static_cast<double>(count) * 1e6 / microseconds(body);
}

/// Signed ahead: what a client's own key costs is not the node's.
std::vector<job::SignedInvocation> next_jobs(Home& home, const Cid& module) {
    std::vector<job::SignedInvocation> jobs;
    for (std::size_t index = 0; index < jobs_a_round; ++index) {
        jobs.push_back(home.next_job(module));
    }
    return jobs;
}

void run_all(transport::LocalClient& client, const std::vector<job::SignedInvocation>& jobs) {
    std::size_t ended = 0;
    for (std::size_t sent = 0; sent < jobs.size(); ++sent) {
        if (sent - ended == window) {
            await_result(client);
            ++ended;
        }
        submit(client, jobs[sent]);
    }
    for (; ended < jobs.size(); ++ended) {
        await_result(client);
    }
}

void measure(int workers, const std::string& slots, RawWasmtime& raw) {
    Home home;
    for (int worker = 0; worker < workers; ++worker) {
        home.start_worker({"--slots", slots});
    }
    const Cid module = home.add_noop_module();
    transport::LocalClient client = home.connect();
    run_all(client, next_jobs(home, module)); // Not counted.
    const std::string label = "jobs, " + std::to_string(workers) +
                              (workers == 1 ? " worker with " : " workers with ") + slots +
                              " slots";
    for (int round = 0; round < rounds; ++round) {
        const auto jobs = next_jobs(home, module);
        print_sample(label, "1/s", a_second(jobs.size(), [&] { run_all(client, jobs); }));
        print_sample("/bin/true, a process each", "1/s", a_second(processes_a_round, [&] {
                         for (std::size_t index = 0; index < processes_a_round; ++index) {
                             run_to_end({"/bin/true"});
                         }
                     }));
        print_sample("raw Wasmtime, runs alone, one thread", "1/s", a_second(jobs_a_round, [&] {
                         for (std::size_t index = 0; index < jobs_a_round; ++index) {
                             raw.run();
                         }
                     }));
    }
}

} // namespace

int main() {
    RawWasmtime raw(noop_module());
    measure(1, "2", raw);
    measure(1, "8", raw);
    measure(4, "2", raw);
    return 0;
}
