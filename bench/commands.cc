// Whole commands, from posix_spawn to their exit: `submit` to a worker that is running, `run`
// without one, and `version`, which does nothing. Beside them /bin/true, which is what a process
// costs here.
// Run: bench/run commands

#include "bench/support/home.h"

#include <string>
#include <vector>

namespace {

using namespace ic;
using namespace ic::bench;

constexpr int warm_up = 5;
constexpr int rounds = 100;

double milliseconds(const std::vector<std::string>& words,
                    const std::vector<std::string>& environment) {
    return microseconds([&] { run_to_end(words, environment); }) / 1000;
}

} // namespace

int main() {
    Home home;
    home.start_worker();
    const std::string module = home.add_noop_module().to_string();
    for (int round = -warm_up; round < rounds; ++round) {
        const std::string nonce = "round " + std::to_string(round + warm_up);
        const auto job = [&](const std::string& command) {
            return std::vector<std::string>{home.program(),
                                            command,
                                            "--handler",
                                            "_start",
                                            "--wasm-cid",
                                            module,
                                            "--nonce",
                                            nonce};
        };
        const double submit = milliseconds(job("submit"), home.environment());
        const double nothing = milliseconds({"/bin/true"}, {});
        const double version = milliseconds({home.program(), "version"}, home.environment());
        const double here = milliseconds(job("run"), home.environment());
        if (round >= 0) {
            print_sample("ipfs-compute submit", "ms", submit);
            print_sample("ipfs-compute run", "ms", here);
            print_sample("ipfs-compute version", "ms", version);
            print_sample("/bin/true", "ms", nothing);
        }
    }
    return 0;
}
