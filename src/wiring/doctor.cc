#include "wiring/doctor.h"

#include "base/quantity.h"
#include "base/text.h"
#include "base/time.h"
#include "blockstore/gateway/gateway.h"
#include "config/settings.h"
#include "config/trust.h"
#include "executor/channel/system_calls.h"
#include "executor/channel/walls.h"
#include "kubo/api_address.h"
#include "kubo/client.h"
#include "ledger/ledger.h"
#include "transport/local/bus_directory.h"
#include "transport/local/local_client.h"
#include "wiring/identity.h"
#include "wiring/network_doctor.h"
#include "wiring/network_settings.h"
#include "wiring/stores.h"
#include "wiring/workshop.h"
#include "worker/broker_host.h"
#include "worker/lease_permit.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <sstream>
#include <utility>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;

/// How long a node on the bus may take to answer a hello.
constexpr auto answer_time_max = 1s;
/// How long the module that does nothing may run, and be compiled.
constexpr std::uint64_t no_op_ms_max = 10'000;
/// A clock before this day is wrong: the program is younger.
constexpr std::chrono::sys_seconds released =
    std::chrono::sys_days{std::chrono::year{2026} / std::chrono::January / 1};

/// `(module (func (export "_start")))`, in the binary format of WebAssembly 1.0.
constexpr std::array<std::uint8_t, 36> no_op_module{
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, // Magic number and version.
    0x01, 0x04, 0x01, 0x60, 0x00, 0x00,             // Type 0: () -> ().
    0x03, 0x02, 0x01, 0x00,                         // Function 0 is of type 0.
    0x07, 0x0a, 0x01, 0x06, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0x00, 0x00, // "_start" is it.
    0x0a, 0x04, 0x01, 0x02, 0x00, 0x0b,                                     // Its body: end.
};

Check ok(std::string what, std::string found) {
    return {.what = std::move(what),
            .verdict = Verdict::ok,
            .found = std::move(found),
            .remedy = {},
            .error = std::nullopt};
}

Check warn(std::string what, std::string found, std::string remedy) {
    return {.what = std::move(what),
            .verdict = Verdict::warn,
            .found = std::move(found),
            .remedy = std::move(remedy),
            .error = std::nullopt};
}

Check fail(std::string what, Errc code, std::string found, std::string remedy) {
    return {.what = std::move(what),
            .verdict = Verdict::fail,
            .found = std::move(found),
            .remedy = std::move(remedy),
            .error = code};
}

Check fail(std::string what, const Error& error, std::string remedy) {
    return fail(std::move(what), error.code, error.message, std::move(remedy));
}

std::string since(Instant start) {
    return human_duration(
        std::chrono::duration_cast<std::chrono::microseconds>(now_since_boot() - start));
}

std::string count_of(std::uint64_t count, const std::string& one) {
    return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

/// What one look finds is what the next one needs.
class Examination {
public:
    Examination(const std::string& path,
                config::Environment environment,
                const std::vector<std::string>& settings)
        : path_(path)
        , environment_(environment)
        , flags_(settings) {}

    std::vector<Check> all() {
        // First: it forks, and there are no other threads yet.
        const Result<executor::channel::WallErrors> walls = try_walls();
        look_at_home();
        if (!home_) {
            return std::move(checks_);
        }
        look_at_config();
        look_at_identity();
        look_at_store();
        look_at_ledger();
        look_at_bus();
        look_at_executors();
        look_at_gateways();
        look_at_network();
        look_at_isolation(walls);
        checks_.push_back(judge_clock(
            std::chrono::sys_seconds{std::chrono::seconds{now_unix().value}}, newest_job_));
        look_at_disk();
        return std::move(checks_);
    }

private:
    void look_at_home() {
        Result<config::Home> home = config::open_home(path_);
        if (!home) {
            checks_.push_back(fail("home",
                                   home.error(),
                                   "set IPFS_COMPUTE_PATH to a folder of yours on a local disk"));
            return;
        }
        home_ = std::move(home).take();
        struct stat status{};
        if (::stat(path_.c_str(), &status) != 0) {
            checks_.push_back(
                fail("home", Errc::unavailable, path_ + ": " + std::strerror(errno), "look at it"));
            return;
        }
        if (::access(path_.c_str(), W_OK) != 0) {
            const int error = errno;
            const std::string way = error == EROFS
                                        ? "mount its disk for writing: mount -o remount,rw"
                                        : "chmod 700 " + path_;
            checks_.push_back(fail("home",
                                   Errc::unavailable,
                                   path_ + " cannot be written: " + std::strerror(error),
                                   way + ", or choose another: --home PATH"));
            return;
        }
        checks_.push_back(judge_home(path_, status.st_mode & 07777U, status.st_uid, ::geteuid()));
    }

    void look_at_config() {
        Result<config::LoadedSettings> loaded = config::load_settings(*home_, environment_, flags_);
        if (!loaded) {
            const bool by_flags = config::load_settings(*home_, environment_, {}).ok();
            checks_.push_back(fail("config",
                                   loaded.error(),
                                   by_flags ? "change what the command line sets (--set, --ipfs)"
                                            : "edit " + home_->config_file()));
            return;
        }
        std::size_t changed = 0;
        for (const config::EffectiveSetting& setting : loaded->effective) {
            changed += setting.source == "default" ? 0U : 1U;
        }
        settings_ = loaded->values;
        checks_.push_back(ok("config",
                             count_of(loaded->effective.size(), "setting") + ", " +
                                 std::to_string(changed) + " of them not at the default"));
        const auto trusted = config::load_trust(home_->trust_file());
        if (!trusted) {
            checks_.push_back(fail("trust", trusted.error(), "edit " + home_->trust_file()));
            return;
        }
        trusted_others_ = trusted->size();
        checks_.push_back(
            ok("trust",
               "jobs of this key" + (trusted->empty()
                                         ? std::string(" alone")
                                         : " and of " + count_of(trusted->size(), "other"))));
    }

    void look_at_identity() {
        Result<PrivateKey> key = open_identity(*home_);
        if (!key) {
            const bool open_to_others = key.error().code == Errc::refused;
            checks_.push_back(fail("identity",
                                   key.error(),
                                   open_to_others ? "chmod 600 " + home_->key_file()
                                                  : "put back a copy of " + home_->key_file()));
            return;
        }
        key_ = std::make_unique<PrivateKey>(std::move(key).take());
        checks_.push_back(ok("identity", key_->public_key().to_did()));
    }

    /// Keeps the module that does nothing: a write that has to reach the disk.
    void look_at_store() {
        Result<std::unique_ptr<Stores>> stores = Stores::open(*home_, settings_);
        if (!stores) {
            checks_.push_back(fail("store", stores.error(), "look at " + home_->blocks()));
            return;
        }
        stores_ = std::move(stores).take();
        BlockStore& store = stores_->local();
        const Instant start = now_since_boot();
        module_ = cid_of(Codec::raw, no_op_module);
        const Result<bool> was_here = store.has(module_);
        Result<void> kept = store.put(module_, no_op_module);
        if (kept) {
            kept = store.sync();
        }
        if (!kept) {
            checks_.push_back(fail("store", kept.error(), "make room, or look at the disk"));
            return;
        }
        const bool is_new = was_here && !*was_here;
        const std::string kept_text = is_new ? "; one was on the disk in " + since(start) : "";
        const Result<StoreStat> stat = store.stat();
        if (!stat) {
            checks_.push_back(fail("store", stat.error(), "look at " + home_->blocks()));
            return;
        }
        store_works_ = true;
        checks_.push_back(ok("store",
                             count_of(stat->blocks, "block") + ", " + human_bytes(stat->bytes) +
                                 ", format 1" + kept_text));
    }

    void look_at_ledger() {
        Result<ledger::LedgerReader> opened = ledger::LedgerReader::open(home_->ledger_file());
        if (!opened && opened.error().code == Errc::not_found) {
            checks_.push_back(ok("ledger", "none yet: no job was submitted here"));
            return;
        }
        if (!opened) {
            checks_.push_back(fail("ledger",
                                   opened.error(),
                                   "move " + home_->ledger_file() +
                                       "* aside to begin a new one; open jobs are lost with it"));
            return;
        }
        ledger::LedgerReader reader = std::move(opened).take();
        ledger::JobFilter filter;
        filter.limit = 1;
        const Result<std::vector<ledger::JobRow>> newest = reader.list(filter);
        filter.state = ledger::JobState::open;
        filter.limit = ledger::limits::list_page_max;
        const Result<std::vector<ledger::JobRow>> open = reader.list(filter);
        if (!newest || !open) {
            checks_.push_back(fail("ledger",
                                   newest ? open.error() : newest.error(),
                                   "look at " + home_->ledger_file()));
            return;
        }
        if (!newest->empty()) {
            newest_job_ = std::chrono::floor<std::chrono::seconds>(
                std::chrono::sys_time<std::chrono::milliseconds>{
                    std::chrono::milliseconds{newest->front().accepted_at.value}});
        }
        open_jobs_ = open->size();
        checks_.push_back(ok("ledger",
                             open_jobs_ == ledger::limits::list_page_max
                                 ? std::to_string(open_jobs_) + " or more jobs are open"
                                 : count_of(open_jobs_, "open job")));
    }

    void look_at_bus() {
        const Result<transport::BusDirectory> bus =
            transport::BusDirectory::open_existing(home_->bus());
        if (!bus && bus.error().code != Errc::not_found) {
            checks_.push_back(fail("bus", bus.error(), "chmod 700 " + home_->bus()));
            return;
        }
        std::uint64_t alive = 0;
        if (bus) {
            for (const job::Instance& node : bus->scan()) {
                alive += bus->is_dead(node) ? 0U : 1U;
            }
        }
        has_nodes_ = alive != 0;
        if (!has_nodes_) {
            const std::string waiting =
                open_jobs_ == 0 ? "" : ", and " + count_of(open_jobs_, "job") + " to run";
            checks_.push_back(warn(
                "workers", "no node of this home is running" + waiting, "ipfs-compute worker"));
            return;
        }
        if (!key_) {
            return;
        }
        transport::Hello self;
        self.instance = random_instance();
        self.kind = transport::PeerKind::client;
        self.key = key_->public_key();
        self.name = "doctor " + std::to_string(::getpid());
        self.software = software();
        const Instant start = now_since_boot();
        const auto client = transport::LocalClient::connect(home_->bus(), self, answer_time_max);
        if (!client) {
            checks_.push_back(fail("workers",
                                   client.error(),
                                   "look for a stopped process (`ps -C ipfs-compute`) and "
                                   "continue or kill it"));
            return;
        }
        checks_.push_back(ok("workers",
                             count_of(alive, "node") + " of this home " +
                                 (alive == 1 ? "is" : "are") + " running; " +
                                 printable(client->node().name) + " answered in " + since(start)));
    }

    void look_at_executors() {
        if (!key_ || !store_works_) {
            return;
        }
        WorkshopOptions options;
        options.modules_folder = home_->modules();
        const std::string remedy = "run `ipfs-compute doctor` from a shell without resource limits "
                                   "(ulimit -a), and look at " +
                                   home_->modules();
        const Instant start = now_since_boot();
        Result<std::unique_ptr<Workshop>> workshop =
            Workshop::open(options,
                           *key_,
                           default_policy({key_->public_key()}),
                           stores_->local(),
                           stores_->local());
        if (!workshop) {
            checks_.push_back(fail("executor", workshop.error(), remedy));
            return;
        }
        if (const std::optional<Error> error = run_no_op(**workshop)) {
            checks_.push_back(fail("executor", *error, remedy));
            return;
        }
        const std::string first = since(start);
        const Instant again = now_since_boot();
        if (const std::optional<Error> error = run_no_op(**workshop)) {
            checks_.push_back(fail("executor", *error, remedy));
            return;
        }
        checks_.push_back(ok("executor",
                             "started one and ran a module in " + first + ", once more in " +
                                 since(again) + "; " + software()));
    }

    /// The error of its ending, if it is one.
    std::optional<Error> run_no_op(const Workshop& workshop) const {
        /// Nobody looks on.
        class Silent final : public worker::RunObserver {
        public:
            void stage(job::Stage) override {}

            void log(std::string_view) override {}

            void output(job::Stream, std::uint64_t, ByteView) override {}

            void trace(std::string_view) override {}

            void dump(executor::Dump, ByteView) override {}
        };

        executor::Task task;
        task.lease.job = module_;
        task.spec.module = module_;
        task.spec.limits.compile_ms_max = no_op_ms_max;
        task.spec.limits.wall_ms_max = no_op_ms_max;
        const worker::LeasePermit permit(Instant::never());
        Silent observer;
        worker::BrokerHost host(workshop.parts(), permit, observer, {});
        const job::Ending ending = workshop.parts().executor.run(task, permit, host).ending;
        if (!ending.error) {
            return std::nullopt;
        }
        return Error{Errc::internal, std::string(ic::name(*ending.error)) + ": " + ending.message};
    }

    void look_at_gateways() {
        std::istringstream words(settings_.gateways);
        for (std::string word; words >> word;) {
            const Instant start = now_since_boot();
            const Result<std::string> url = gateway::gateway_url(word);
            const Result<void> answered =
                url ? gateway::probe(*url, answer_time_max) : Result<void>(url.error());
            checks_.push_back(answered
                                  ? ok("gateway", *url + " answered in " + since(start))
                                  : warn("gateway",
                                         word + ": " + answered.error().message,
                                         "name another: ipfs-compute config set gateways URL"));
        }
    }

    void look_at_network() {
        if (settings_.ipfs != "kubo") {
            checks_.push_back(ok("network", "this machine alone (ipfs = embedded)"));
            look_at_kubo();
            return;
        }
        const Result<std::optional<NetworkOptions>> options = network_options(settings_, {});
        if (!options) {
            checks_.push_back(
                fail("network", options.error(), "ipfs-compute config set kubo auto"));
            return;
        }
        for (Check& check : examine_network(
                 **options, {.trusted_others = trusted_others_, .has_nodes = has_nodes_})) {
            checks_.push_back(std::move(check));
        }
    }

    /// Nobody needs one: what is not on this machine cannot be had without.
    void look_at_kubo() {
        if (settings_.kubo == "off") {
            checks_.push_back(ok("kubo", "not asked for blocks (kubo = off)"));
            return;
        }
        const Result<std::string> url =
            settings_.kubo == "auto"
                ? kubo::find_api(environment_("IPFS_PATH"), environment_("HOME"))
                : kubo::api_url(settings_.kubo);
        if (!url) {
            checks_.push_back(
                warn("kubo", url.error().message, "ipfs-compute config set kubo off"));
            return;
        }
        const Instant start = now_since_boot();
        const Result<std::string> version = kubo::version(*url, answer_time_max);
        if (version) {
            checks_.push_back(
                ok("kubo", *version + " answered at " + *url + " in " + since(start)));
        } else if (settings_.kubo == "auto" && version.error().code == Errc::unavailable) {
            checks_.push_back(ok("kubo", "none at " + *url + "; blocks are those of this machine"));
        } else {
            checks_.push_back(warn(
                "kubo", version.error().message, "start it, or: ipfs-compute config set kubo off"));
        }
    }

    void look_at_isolation(const Result<executor::channel::WallErrors>& walls) {
        if (!walls) {
            checks_.push_back(fail("isolation", walls.error(), "look at the limits: ulimit -a"));
            return;
        }
        const Result<executor::channel::WallSet> required =
            executor::channel::WallSet::parse(settings_.isolation_require);
        checks_.push_back(
            judge_isolation(*walls, required ? *required : executor::channel::WallSet()));
    }

    void look_at_disk() {
        struct statvfs status{};
        if (::statvfs(path_.c_str(), &status) == 0) {
            checks_.push_back(judge_disk(path_, std::uint64_t{status.f_bavail} * status.f_frsize));
        }
    }

    const std::string& path_;
    config::Environment environment_;
    const std::vector<std::string>& flags_;
    std::vector<Check> checks_;

    std::optional<config::Home> home_;
    config::Settings settings_;
    std::unique_ptr<PrivateKey> key_;
    std::unique_ptr<Stores> stores_;
    bool store_works_ = false;
    Cid module_;
    std::size_t trusted_others_ = 0;
    bool has_nodes_ = false;
    std::size_t open_jobs_ = 0;
    std::optional<std::chrono::sys_seconds> newest_job_;
};

} // namespace

std::string_view name(Verdict verdict) {
    switch (verdict) {
    case Verdict::ok:
        return "ok";
    case Verdict::warn:
        return "warn";
    case Verdict::fail:
        return "fail";
    }
    return "";
}

std::vector<Check> examine(const std::string& home_path,
                           config::Environment environment,
                           const std::vector<std::string>& settings) {
    return Examination(home_path, environment, settings).all();
}

Check judge_disk(const std::string& path, std::uint64_t free_bytes) {
    std::string found = human_bytes(free_bytes) + " free at " + path;
    if (free_bytes < limits::disk_bytes_full) {
        return fail("disk",
                    Errc::storage_full,
                    std::move(found),
                    "make room, or move the home: IPFS_COMPUTE_PATH");
    }
    if (free_bytes < limits::disk_bytes_low) {
        return warn("disk", std::move(found), "make room soon");
    }
    return ok("disk", std::move(found));
}

Check judge_clock(std::chrono::sys_seconds now,
                  std::optional<std::chrono::sys_seconds> newest_job) {
    if (now < released) {
        return fail("clock",
                    Errc::unavailable,
                    "the clock is before this program's release, so what it signs is expired",
                    "set the clock: timedatectl set-ntp true");
    }
    if (newest_job && *newest_job > now + limits::clock_skew_max) {
        return warn("clock",
                    "the ledger's newest job is " +
                        human_duration(std::chrono::microseconds(*newest_job - now)) +
                        " in the future: the clock was set back",
                    "set the clock: timedatectl set-ntp true");
    }
    return ok("clock", "plausible; leases do not depend on it");
}

Check judge_home(const std::string& path,
                 std::uint32_t mode,
                 std::uint32_t owner,
                 std::uint32_t user) {
    if (owner != user) {
        return fail("home",
                    Errc::refused,
                    path + " belongs to user " + std::to_string(owner) + ", this is user " +
                        std::to_string(user),
                    "use that user, or another home: --home PATH");
    }
    if ((mode & 077U) != 0) {
        return warn("home", path + " is open to other users", "chmod 700 " + path);
    }
    return ok("home", path + ", on this machine, for its owner alone");
}

Check judge_isolation(const executor::channel::WallErrors& errors,
                      executor::channel::WallSet required) {
    using executor::channel::Wall;
    std::string found = "executors have no key, no store, no new privileges, no core dumps";
    const auto tell = [&](Wall wall, std::string_view with, std::string_view without) {
        if (errors.of(wall) != 0) {
            found.append(", but ").append(without).append(" (").append(errors.why(wall));
            found.append(")");
        } else {
            found.append(", ").append(with);
        }
    };
    tell(Wall::network, "no network", "the network of this machine");
    const bool both = errors.view == 0 && errors.landlock == 0;
    tell(Wall::files,
         both               ? "no files (an empty root; Landlock)"
         : errors.view == 0 ? "no files (an empty root)"
                            : "no files (Landlock; no empty root)",
         "the files of their user");
    tell(Wall::capabilities, "no capabilities", "capabilities");
    tell(Wall::system_calls,
         "only the system calls they need",
         "every system call of their user: no seccomp filter");
    tell(Wall::resources,
         "no more memory and threads together than their cgroup's",
         "no common bound on their memory and threads");
    std::string remedies;
    for (const Wall wall : executor::channel::all_walls) {
        if (errors.of(wall) != 0) {
            remedies.append(remedies.empty() ? "" : "; ").append(name(wall)).append(": ");
            remedies.append(remedy(wall));
        }
    }
    if (remedies.empty()) {
        return ok("isolation", found);
    }
    if (!executor::channel::check_walls(errors, required)) {
        return fail("isolation", Errc::refused, std::move(found), remedies);
    }
    return warn("isolation", found, remedies);
}

} // namespace ic::wiring
