// From `submit` to the result, as a client of a running worker sees it: signed invocation out,
// receipt back. Each job runs (a nonce of its own) and is journaled as always: one commit when it
// is accepted and granted, one when it has finished, both synced to the disk before they are told.
// Beside it, interleaved, what the disk alone takes for two synced appends of a page.
// Run: bench/run submit_latency

#include "bench/support/home.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>

namespace {

using namespace ic;
using namespace ic::bench;

constexpr int warm_up = 50;
constexpr int rounds = 500;

/// A file that grows by synced pages.
class SyncedFile {
public:
    explicit SyncedFile(const std::string& path)
        : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}

    void append() {
        static constexpr std::array<char, 4096> page{};
        if (::write(file_.get(), page.data(), page.size()) < 0 || ::fdatasync(file_.get()) != 0) {
            give_up("the disk fails");
        }
    }

private:
    UniqueFd file_;
};

} // namespace

int main() {
    Home home;
    home.start_worker();
    const Cid module = home.add_noop_module();
    transport::LocalClient client = home.connect();
    SyncedFile file(home.path() + "/appended");
    for (int round = 0; round < warm_up + rounds; ++round) {
        const job::SignedInvocation job = home.next_job(module);
        const double ours = microseconds([&] {
            submit(client, job);
            await_result(client);
        });
        const double theirs = microseconds([&] {
            file.append();
            file.append();
        });
        if (round >= warm_up) {
            print_sample("submit to result, one at a time", "us", ours);
            print_sample("two synced appends of 4 KiB", "us", theirs);
        }
    }
    return 0;
}
