#include "base/text.h"
#include "cli/commands.h"
#include "cli/local.h"
#include "log/line_writer.h"
#include "net/event_loop.h"
#include "wiring/node.h"
#include "wiring/publication.h"
#include "wiring/service_manager.h"
#include "wiring/workshop.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <thread>

namespace ic::cli {
namespace {

struct WorkerFlags {
    std::uint32_t slots = 0; ///< 0: not given.
    std::vector<std::string> allow_hosts;
    std::vector<std::string> private_addresses;
    std::string execution_record;
    bool require_isolation = false;
};

/// The flag, else the setting, else one a core.
std::uint32_t slots_of(const WorkerFlags& flags, const config::Settings& settings) {
    if (flags.slots != 0) {
        return flags.slots;
    }
    if (settings.worker_slots != 0) {
        return static_cast<std::uint32_t>(settings.worker_slots);
    }
    return std::max(1U, std::thread::hardware_concurrency());
}

Result<int> work(Context& context, const WorkerFlags& flags) {
    const std::unique_ptr<Local> local = TRY(open_local(context));
    const executor::channel::WallSet walls = TRY(
        wiring::required_walls(flags.require_isolation ? wiring::RequireIsolation::all
                                                       : wiring::RequireIsolation::as_configured,
                               local->settings.isolation_require));
    const std::unique_ptr<net::EventLoop> loop = TRY(net::EventLoop::open());
    job::Policy policy = wiring::default_policy(local->trusted);
    policy.hosts = flags.allow_hosts;

    wiring::NodeOptions options;
    options.home = local->home.path;
    options.self = {.key = local->key.public_key(), .instance = wiring::random_instance()};
    options.name = "worker " + std::to_string(::getpid());
    options.software = wiring::software();
    options.policy = policy;
    options.slots = slots_of(flags, local->settings);
    options.network = local->network;
    log::LineWriter log(STDERR_FILENO);
    options.on_log = [&log](const Cid& job, std::string_view line) {
        log.write(job.to_string() + " log: " + printable(line) + "\n");
    };
    options.note = [&log](const std::string& line) {
        log.write("ipfs-compute: " + printable(line) + "\n");
    };
    wiring::Publications publications([&local](std::span<const Cid> roots, kubo::Stop stop) {
        return wiring::publish(local->store(), *local->kubo, roots, std::move(stop));
    });
    const std::uint32_t slots = options.slots;
    const std::string short_name = options.self.instance.to_string().substr(0, 8);
    const std::unique_ptr<wiring::Node> node = TRY(wiring::Node::open(
        std::move(options), *loop, local->key, local->store(), [&](int liveness_fd) {
            wiring::WorkshopOptions workshop;
            workshop.modules_folder = local->home.modules();
            workshop.slots = slots;
            workshop.liveness_fd = liveness_fd;
            workshop.execution_record = flags.execution_record;
            workshop.private_addresses = flags.private_addresses;
            workshop.profile = local->profile;
            workshop.walls = walls;
            workshop.open_reader = local->open_reader();
            if (local->kubo) {
                workshop.publish = [&publications](std::span<const Cid> roots,
                                                   const worker::Stop& stop) {
                    return publications.publish(roots, stop);
                };
            }
            return wiring::Workshop::open(
                workshop, local->key, policy, local->store(), local->source());
        }));
    wiring::ServiceManager manager(*loop, config::process_environment);
    bool draining = false;
    const net::Watch signals = TRY(loop->on_signals({SIGINT, SIGTERM}, [&](int) {
        if (draining) {
            loop->stop();
            return;
        }
        draining = true;
        manager.stopping();
        log.write("ipfs-compute: finishing what runs; again stops it at once\n");
        node->drain([&loop] { loop->stop(); });
    }));
    TRY(node->start());
    log.write("ipfs-compute: worker " + short_name + " is ready, " + std::to_string(slots) +
              (slots == 1 ? " slot" : " slots") + ", as " + local->key.public_key().to_did() +
              "\n");
    manager.ready();
    loop->run();
    return 0;
}

} // namespace

void add_worker(Command& app, Context& context) {
    Command* command = app.add_subcommand("worker", "Offer this machine: run jobs until stopped");
    auto flags = std::make_shared<WorkerFlags>();
    command
        ->add_option("--slots",
                     flags->slots,
                     "Jobs at once (default: setting worker.slots, else one a core)")
        ->between(1, 256)
        ->type_name("N");
    command
        ->add_option("--allow-host",
                     flags->allow_hosts,
                     "A host that jobs may reach if they ask for it, HOST or HOST:PORT; * is any")
        ->type_name("HOST")
        ->expected(1)
        ->allow_extra_args(false)
        ->take_all();
    command
        ->add_option("--allow-private-address",
                     flags->private_addresses,
                     "A private address that requests may reach, ADDR or ADDR:PORT")
        ->type_name("ADDR")
        ->expected(1)
        ->allow_extra_args(false)
        ->take_all();
    command
        ->add_option("--execution-record",
                     flags->execution_record,
                     "Append a line to this file at each start and end of a run")
        ->type_name("FILE");
    command->add_flag("--require-isolation",
                      flags->require_isolation,
                      "Start only if every wall around guests can be raised; `doctor` shows them");
    context.add_gateways(*command);
    context.add_ipfs(*command);
    command->footer(
        "Runs jobs of keys in `ipfs-compute trust list`. The first SIGTERM or Ctrl-C lets what "
        "runs end;\nthe second stops it.\n\n"
        "Examples:\n"
        "  ipfs-compute worker\n"
        "  ipfs-compute worker --ipfs kubo\n"
        "  ipfs-compute worker --slots 4 --allow-host api.example.org\n"
        "  ipfs-compute worker --require-isolation");
    context.on_run(*command, [&context, flags] { return work(context, *flags); });
}

} // namespace ic::cli
