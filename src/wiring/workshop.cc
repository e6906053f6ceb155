#include "wiring/workshop.h"

#include "base/file.h"
#include "executor/channel/walls.h"
#include "executor/process/cgroup.h"
#include "executor/process/pool.h"
#include "executor/wasm/engine.h"
#include "wiring/curl.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace ic::wiring {
namespace {

void fill_random(std::uint8_t* into, std::size_t size) {
    // Up to 256 bytes come whole once the kernel's pool is filled at boot (getrandom(2)).
    static_cast<void>(::getrandom(into, size, 0));
}

/// Of the whole machine, in bytes.
std::uint64_t machine_memory() {
    return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
           static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Ours. Connections, artifacts and files take a descriptor each; the usual limit of 1,024 is for
/// programs that call select(2). Executors and compilers have a limit of their own.
constexpr rlim_t open_files_wanted = 65'536;

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < open_files_wanted) {
        limit.rlim_cur = std::min(limit.rlim_max, open_files_wanted);
        ::setrlimit(RLIMIT_NOFILE, &limit); // If not, it goes on with what there is.
    }
}

} // namespace

struct Workshop::Impl {
    UniqueFd record;
    std::unique_ptr<executor::process::CgroupFiles> cgroup_files =
        executor::process::kernel_cgroup_files();
    std::unique_ptr<executor::process::Cgroup> group; // Empty when the executors are gone.
    std::unique_ptr<executor::Executor> executor;
    std::unique_ptr<worker::RunParts> parts;
};

Workshop::Workshop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Workshop::~Workshop() = default;

const worker::RunParts& Workshop::parts() const { return *impl_->parts; }

Result<std::unique_ptr<Workshop>> Workshop::open(const WorkshopOptions& options,
                                                 const PrivateKey& key,
                                                 const job::Policy& policy,
                                                 BlockStore& store,
                                                 BlockSource& source) {
    raise_descriptor_limit();
    auto impl = std::make_unique<Impl>();
    if (!options.execution_record.empty()) {
        impl->record = UniqueFd(::open(
            options.execution_record.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        if (!impl->record) {
            return system_error("cannot open", options.execution_record, errno);
        }
    }
    Result<std::unique_ptr<executor::process::Cgroup>> group =
        executor::process::Cgroup::open(*impl->cgroup_files,
                                        {.broker = ::getpid(),
                                         .slots = options.slots,
                                         .cores = std::max(1U, std::thread::hardware_concurrency()),
                                         .machine_memory_bytes = machine_memory()});
    if (group) {
        impl->group = std::move(group).take();
    } else if (options.walls.has(executor::channel::Wall::resources)) {
        return std::move(group).take_error();
    }
    executor::process::PoolOptions pool;
    pool.group = impl->group.get();
    pool.slots = options.slots;
    pool.sharing = options.process_per_submitter ? executor::process::Sharing::owner
                                                 : executor::process::Sharing::all;
    pool.runs_per_process_max = options.runs_per_process_max;
    pool.artifacts_folder = options.modules_folder;
    pool.artifact_key = key.derive("artifact-mac/1");
    pool.fingerprint = executor::wasm::engine_fingerprint(executor::wasm::Metering::none);
    pool.fingerprint_fuel = executor::wasm::engine_fingerprint(executor::wasm::Metering::fuel);
    pool.liveness = options.liveness_fd;
    pool.record = impl->record.get();
    pool.debugging = options.debugging;
    pool.walls = options.walls;
    pool.counts = options.counts;
    impl->executor = TRY(executor::process::open_pool(pool));
    impl->parts = std::make_unique<worker::RunParts>(worker::RunParts{
        .executor = *impl->executor,
        .source = source,
        .store = store,
        .curl = TRY(guest_curl(policy, options.private_addresses)),
        .publish = options.publish,
        .open_reader = options.open_reader,
        .own_providers = options.own_providers,
        .keep_documents = options.keep_documents,
    });
    return std::unique_ptr<Workshop>(new Workshop(std::move(impl)));
}

Result<executor::channel::WallErrors> try_walls() {
    executor::channel::WallErrors errors = TRY(executor::channel::try_walls());
    errors.resources =
        executor::process::look_at_group(*executor::process::kernel_cgroup_files(), ::getpid())
            .error;
    return errors;
}

Result<executor::channel::WallSet> required_walls(RequireIsolation require,
                                                  const std::string& setting) {
    using executor::channel::WallSet;
    const WallSet required =
        require == RequireIsolation::all ? WallSet::all() : TRY(WallSet::parse(setting));
    if (required != WallSet()) {
        TRY(executor::channel::check_walls(TRY(try_walls()), required));
    }
    return required;
}

job::Nonce KernelNonces::next() {
    job::Nonce nonce;
    fill_random(nonce.bytes.data(), nonce.bytes.size());
    return nonce;
}

session::Entropy random_entropy() {
    session::Entropy entropy;
    fill_random(entropy.bytes.data(), entropy.bytes.size());
    return entropy;
}

job::Instance random_instance() {
    job::Instance instance;
    fill_random(instance.bytes.data(), instance.bytes.size());
    return instance;
}

std::string software() { return "ipfs-compute/" IC_VERSION " wasmtime/48.0.8"; }

job::Policy default_policy(std::vector<PublicKey> submitters) {
    job::Policy policy;
    policy.submitters = std::move(submitters);
    job::Limits& maxima = policy.maxima;
    maxima.compile_ms_max = 120'000;
    maxima.compile_memory_bytes_max = 4ULL << 30U;
    maxima.memory_bytes_max = 4ULL << 30U;
    maxima.table_elements_max = 1'000'000;
    maxima.wall_ms_max = 24ULL * 3600 * 1000;
    maxima.output_bytes_max = 256ULL << 20U;
    maxima.log_bytes_max = 64ULL << 20U;
    maxima.add_bytes_max = 1ULL << 40U;
    maxima.handles_max = 1024;
    maxima.host_calls_max = 1'000'000'000'000;
    maxima.curls_max = 64;
    return policy;
}

} // namespace ic::wiring
