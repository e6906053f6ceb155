#pragma once
/// Cluster: several real worker processes on one home, and a client of theirs.

#include "base/result.h"
#include "identity/key.h"
#include "job/invocation.h"
#include "job/message.h"
#include "support/process.h"
#include "transport/local/local_client.h"

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ic::system_test {

/// One line of the record that executors append to: `start|end job epoch pid boottime_ns`.
struct Execution {
    std::string job;
    std::string epoch;
    pid_t executor = 0;
    std::int64_t start_ns = 0;
    std::optional<std::int64_t> end_ns; ///< None if the executor was killed in it.
};

/// Threads: one.
class Cluster {
public:
    Cluster();
    /// Kills what is left.
    ~Cluster();
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    /// Starts a worker in a process group of its own and waits until others can find it.
    /// Its index.
    std::size_t start_worker(std::vector<std::string> flags = {});

    /// Starts `ipfs-compute submit WORDS...` and leaves it running; an index like a worker's. Alone
    /// on the bus, it coordinates its job itself.
    std::size_t start_submit(std::vector<std::string> words);

    pid_t pid(std::size_t worker) const { return workers_.at(worker); }

    /// SIGKILL to the worker's process alone (its children follow by themselves), and waits for it.
    void kill_worker(std::size_t worker);

    /// A signal to the worker's whole process group.
    void signal_group(std::size_t worker, int signal) const;

    /// What a worker has written to its standard error so far.
    std::string log(std::size_t worker) const;

    /// Runs `ipfs-compute WORDS...` on this home.
    testing_support::Finished run(std::vector<std::string> words) const;

    /// Every execution so far, in the order of their starts.
    std::vector<Execution> executions() const;

    const std::string& home() const { return home_; }

    const PrivateKey& key() const { return *key_; }

    /// Adds a module to the home's store. Its CID.
    Cid add_module(ByteView wasm) const;

private:
    testing_support::TemporaryFolder folder_;
    std::string home_;
    std::string record_;
    std::optional<PrivateKey> key_;
    std::map<std::size_t, pid_t> workers_;
    std::size_t started_ = 0;
};

/// A signed job: the module's `_start`, with this nonce (empty for none).
struct JobOptions {
    std::string nonce = {};
    job::Effects effects = job::Effects::pure;
    std::chrono::milliseconds wall_max = std::chrono::seconds{60};
    std::vector<std::string> arguments = {};
    const PrivateKey* submitter = nullptr; ///< Somebody else than the owner of the home.
};

job::SignedInvocation make_job(const PrivateKey& key, const Cid& module, const JobOptions& options);

/// A client on the bus that submits many jobs and collects their ends. A node that dies is replaced
/// by another, and what is not ended is submitted again.
class Client {
public:
    explicit Client(const Cluster& cluster) : cluster_(cluster) {}

    void submit(const job::SignedInvocation& job);

    /// Waits until every submitted job has ended, or for so long. Whether all have.
    bool wait_for_all(std::chrono::milliseconds time_max);

    /// Takes messages for so long.
    void take_for(std::chrono::milliseconds time);

    const std::map<Cid, job::Outcome>& outcomes() const { return outcomes_; }
    const std::map<Cid, job::Progress>& progress() const { return progress_; }
    std::size_t accepted() const { return accepted_.size(); }

private:
    void connect();
    void take(job::Message message);

    const Cluster& cluster_;
    std::optional<transport::LocalClient> connection_;
    std::map<Cid, Bytes> open_;
    std::map<Cid, bool> accepted_;
    std::map<Cid, job::Outcome> outcomes_;
    std::map<Cid, job::Progress> progress_;
};

/// For each job: how many executions it had, and whether any two of them overlapped (one that was
/// killed counts until its executor was seen dead, `killed_at`).
struct ExecutionCheck {
    std::size_t executions = 0;
    std::size_t jobs = 0;
    std::vector<std::string> overlaps; ///< Jobs.
};

ExecutionCheck check_executions(const std::vector<Execution>& executions);

/// Whether the process runs or could: a zombie that nobody has waited for does not.
bool is_alive(pid_t process);

/// `_start` that returns at once.
ByteView noop_module();
/// `_start` that never returns.
ByteView endless_module();

} // namespace ic::system_test
