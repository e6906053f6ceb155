#pragma once
/// What runs are made of, put together: the pool of executors, the store, curl.

#include "base/result.h"
#include "base/unique_fd.h"
#include "blockstore/blockstore.h"
#include "executor/channel/wall_set.h"
#include "identity/key.h"
#include "ipld/block.h"
#include "job/policy.h"
#include "lease/worker.h"
#include "metrics/registry.h"
#include "session/session.h"
#include "worker/broker_host.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ic::wiring {

struct WorkshopOptions {
    std::string modules_folder;
    std::uint32_t slots = 1;
    bool process_per_submitter = false; ///< An executor process runs jobs of one submitter alone.
    std::uint64_t runs_per_process_max = 10'000; ///< Then a new executor takes its place.
    int liveness_fd = -1;
    std::string execution_record; ///< Appended to by executors; empty for none. For tests.
    std::vector<std::string> private_addresses; ///< `ADDR` or `ADDR:PORT` that curl may open.
    executor::Debugging debugging;              ///< Of every run; nothing where jobs of others run.
    worker::Publish publish{};                  ///< Empty: results stay in the store.
    worker::OpenReader open_reader{};           ///< Empty: runs read from the source.
    metrics::Registry* counts = nullptr;        ///< Null: nobody counts. Outlives the workshop.
    std::function<std::vector<std::string>()> own_providers{};          ///< As RunParts has it.
    std::function<void(std::vector<Block> documents)> keep_documents{}; ///< As RunParts has it.
    executor::channel::WallSet
        walls{}; ///< Executors and compilers without one of these run nothing.
};

/// The walls that this process can raise around executors and compilers, and whether its cgroup
/// lets it limit them together. Requires: no second thread yet (it tries them in a child). Errors:
/// as channel::try_walls.
Result<executor::channel::WallErrors> try_walls();

/// `--require-isolation` was not given, or was.
enum class RequireIsolation : std::uint8_t { as_configured, all };

/// The walls that have to stand: all of them, or those of the setting `isolation.require`.
/// Requires: no second thread yet (it tries them in a child). Errors: refused, naming each that
/// this machine does not allow; usage.
Result<executor::channel::WallSet> required_walls(RequireIsolation require,
                                                  const std::string& setting);

/// Owns the executors and lends them, with the rest, to a worker or to `run`.
/// Threads: as its parts. Lifetime: longer than every run.
class Workshop {
public:
    /// Starts the executors, in a cgroup of their own where this process may make one.
    /// Errors: as the pool; usage (an address that is none); refused (no cgroup can be made, and
    /// `walls` asks for it).
    static Result<std::unique_ptr<Workshop>> open(const WorkshopOptions& options,
                                                  const PrivateKey& key,
                                                  const job::Policy& policy,
                                                  BlockStore& store,
                                                  BlockSource& source);

    ~Workshop();

    const worker::RunParts& parts() const;

private:
    struct Impl;
    explicit Workshop(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// Nonces from the kernel's random numbers.
class KernelNonces final : public lease::NonceSource {
public:
    job::Nonce next() override;
};

/// Random bytes for one session.
session::Entropy random_entropy();

/// A random name for this process.
job::Instance random_instance();

/// "ipfs-compute/0.1.0 wasmtime/48.0.8": what receipts and adverts say.
std::string software();

/// What a worker of this node takes by default: jobs of these keys, each limit at the node's
/// maximum, no hosts. docs/limits.md has the maxima.
job::Policy default_policy(std::vector<PublicKey> submitters);

} // namespace ic::wiring
