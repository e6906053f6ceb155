// The side of ipfs-compute in bench/bacalhau.py: a worker of a home of its own, and a client of it.
//   bench_bacalhau_probe
// Prints a line with its home and the worker's process id. Then, for each line that it reads, the
// microseconds that it took:
//   one MODULE          a job, from submit to its receipt
//   burst MODULE COUNT  so many at once
// MODULE is the CID of one that is in the home; `_start` is called. Every job has a nonce.

#include "bench/support/home.h"
#include "multiformats/cid.h"

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace ic;
using namespace ic::bench;

/// Signed ahead, as what is beside it signs nothing; submitted and awaited.
double run(Home& home, transport::LocalClient& client, const Cid& module, std::size_t count) {
    std::vector<job::SignedInvocation> jobs;
    for (std::size_t number = 0; number < count; ++number) {
        jobs.push_back(home.next_job(module));
    }
    return microseconds([&] {
        for (const job::SignedInvocation& job : jobs) {
            submit(client, job);
        }
        for (std::size_t ended = 0; ended < count; ++ended) {
            await_result(client);
        }
    });
}

} // namespace

int main() {
    Home home;
    home.start_worker({"--slots", "2"});
    transport::LocalClient client = home.connect();
    std::cout << home.path() << ' ' << home.workers().front() << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string what;
        std::string module;
        std::size_t count = 1;
        words >> what >> module;
        if (what == "burst") {
            words >> count;
        }
        std::cout << run(home, client, must(Cid::parse(module)), count) << std::endl;
    }
    return 0;
}
