#pragma once
/// Home: a temporary home with real worker processes, and a client of theirs. For benchmarks: what
/// fails ends the program with a line that says what.

#include "base/result.h"
#include "base/unique_fd.h"
#include "identity/key.h"
#include "job/invocation.h"
#include "job/message.h"
#include "support/process.h"
#include "transport/local/local_client.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ic::bench {

using Clock = std::chrono::steady_clock;

/// Ends the program.
[[noreturn]] void give_up(const std::string& why);

template <class T>
T must(Result<T> result) {
    if (!result) {
        give_up(result.error().message);
    }
    return std::move(result).take();
}

inline void must(Result<void> result) {
    if (!result) {
        give_up(result.error().message);
    }
}

/// One line for bench/run.
void print_sample(const std::string& what, const char* unit, double value);

/// Runs `body`; how long it took.
double microseconds(const std::function<void()>& body);

/// `_start` that returns at once.
ByteView noop_module();

/// Starts a program whose output nobody sees. Its process id.
pid_t start(const std::vector<std::string>& words, const std::vector<std::string>& environment);

/// Starts a program and waits until it has exited. It must succeed.
void run_to_end(const std::vector<std::string>& words,
                const std::vector<std::string>& environment = {});

/// Threads: one. Workers are killed and the folder is removed when it goes.
class Home {
public:
    /// In the file system of the temporary folder, which decides what a synced commit costs.
    Home();
    ~Home();
    Home(const Home&) = delete;
    Home& operator=(const Home&) = delete;

    /// Starts `ipfs-compute worker FLAGS...` and waits until it has said that it is ready. How long
    /// that took, in milliseconds.
    double start_worker(const std::vector<std::string>& flags = {});

    /// A client of one of the workers, taken at random.
    transport::LocalClient connect();

    /// Adds a module whose `_start` returns at once, and runs it once. Its CID.
    Cid add_noop_module();

    /// A signed job: `_start` of the module, with a nonce that no other job has.
    job::SignedInvocation next_job(const Cid& module);

    /// What a program of this home is started with.
    const std::vector<std::string>& environment() const { return environment_; }

    const std::string& path() const { return path_; }
    const std::string& program() const { return program_; }
    const std::vector<pid_t>& workers() const { return workers_; }

private:
    /// The home's own, made by its first worker.
    const PrivateKey& key();

    testing_support::TemporaryFolder folder_;
    std::string path_;
    std::string program_;
    std::vector<std::string> environment_;
    std::optional<PrivateKey> key_;
    std::vector<pid_t> workers_;
    std::vector<UniqueFd> words_; ///< Of the workers: one that cannot write ends.
    std::uint64_t last_nonce_ = 0;
    std::uint8_t last_client_ = 0;
};

/// Sends a job.
void submit(transport::LocalClient& client, const job::SignedInvocation& job);

/// Waits for the next end of a job, which must be a success.
void await_result(transport::LocalClient& client);

} // namespace ic::bench
