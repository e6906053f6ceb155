#include "cli/commands.h"
#include "cli/local.h"
#include "cli/worker_list.h"
#include "log/logger.h"
#include "metrics/registry.h"
#include "net/event_loop.h"
#include "wiring/announcer.h"
#include "wiring/metrics_endpoint.h"
#include "wiring/node.h"
#include "wiring/publication.h"
#include "wiring/receipts.h"
#include "wiring/service_manager.h"
#include "wiring/tracing.h"
#include "wiring/workshop.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>

namespace ic::cli {
namespace {

struct WorkerFlags {
    std::uint32_t slots = 0; ///< 0: not given.
    std::vector<std::string> labels;
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

wiring::NodeOptions node_options(Context& context, const WorkerFlags& flags, const Local& local) {
    wiring::NodeOptions options;
    options.home = local.home.path;
    options.self = {.key = local.key.public_key(), .instance = wiring::random_instance()};
    options.name = "worker " + std::to_string(::getpid());
    options.software = wiring::software();
    options.policy = wiring::default_policy(local.trusted);
    options.policy.hosts = flags.allow_hosts;
    options.slots = slots_of(flags, local.settings);
    options.network = local.network;
    options.counts = context.counts;
    options.note = context.open_log().sink();
    options.on_log = [log = options.note](const Cid& job, std::string_view line) {
        const std::array fields{log::Field{"job", job.to_string()}};
        log.tell({.source = log::Source::guest, .message = line, .fields = fields});
    };
    return options;
}

wiring::WorkshopOptions
workshop_options(Context& context, const WorkerFlags& flags, const Local& local) {
    wiring::WorkshopOptions workshop;
    workshop.modules_folder = local.home.modules();
    workshop.slots = slots_of(flags, local.settings);
    workshop.process_per_submitter = local.settings.isolation_processes == "submitter";
    workshop.execution_record = flags.execution_record;
    workshop.private_addresses = flags.private_addresses;
    workshop.open_reader = local.open_reader();
    workshop.counts = context.counts;
    return workshop;
}

/// Null if nobody is to be told. Lifetime: within that of the node and of what is counted.
Result<std::unique_ptr<wiring::MetricsEndpoint>>
open_metrics(Context& context, net::EventLoop& loop, const wiring::Node& node, const Local& local) {
    const std::string address = wiring::metrics_address(local.settings.metrics_listen);
    if (address.empty()) {
        return std::unique_ptr<wiring::MetricsEndpoint>();
    }
    metrics::Registry& counts = *context.counts;
    const log::Logger& logger = context.open_log();
    counts.on_scrape([&counts, &node, &local, &logger] {
        wiring::refresh(counts, node, local.home);
        counts.number(metrics::Metric::log_lines_dropped).set(logger.lines_dropped());
    });
    auto endpoint = TRY(wiring::MetricsEndpoint::open(loop, address, counts));
    const std::string host = address.substr(0, address.rfind(':'));
    const std::string url = "http://" + host + ":" + std::to_string(endpoint->port()) + "/metrics";
    if (wiring::is_open_to_others(address)) {
        context.open_log().sink()(log::Level::warning,
                                  "metrics are at " + url +
                                      ", for whoever reaches this machine there",
                                  {{"address", url}});
    } else {
        context.open_log().sink()(log::Level::info, "metrics are at " + url, {{"address", url}});
    }
    return endpoint;
}

/// How results and receipts get into this node's Kubo, and the network hears of them. Lifetime: of
/// `local`; it outlives all runs.
class ToKubo {
public:
    ToKubo(const Local& local, log::Sink note) : local_(local) {
        if (local.kubo) {
            announcer_ = std::make_unique<wiring::Announcer>(*local.kubo);
            receipts_ = std::make_unique<wiring::Receipts>(
                *local.kubo,
                // Nobody needs a receipt as soon as the result that it is about.
                [this](std::span<const Cid> cids) { announcer_->add_behind(cids); },
                wiring::ReceiptsOptions{.note = std::move(note)});
        }
    }

    /// Requires: there is a Kubo.
    worker::Publish publish() {
        return [this](std::span<const Cid> roots, const worker::Stop& stop) {
            return publications_.publish(roots, stop);
        };
    }

    /// As worker::RunParts has it. Requires: there is a Kubo.
    std::function<void(std::vector<Block>)> keep_documents() {
        return [this](std::vector<Block> documents) { receipts_->add(std::move(documents)); };
    }

private:
    Result<void> hand_on(std::span<const Cid> roots, kubo::Stop stop) {
        TRY(wiring::publish(local_.store(), *local_.kubo, roots, std::move(stop)));
        announcer_->add(roots);
        return {};
    }

    const Local& local_;
    std::unique_ptr<wiring::Announcer> announcer_; ///< Null without a Kubo; so is
    std::unique_ptr<wiring::Receipts> receipts_;   ///< this, which uses that one.
    wiring::Publications publications_{[this](std::span<const Cid> roots, kubo::Stop stop) {
        return hand_on(roots, std::move(stop));
    }};
};

/// Those of the setting, and of the flags; of one key the flag's.
Result<job::WorkerLabels> labels_of(const WorkerFlags& flags, const config::Settings& settings) {
    const auto wrong = [](const std::string& where, const Error& error) {
        return Error{Errc::usage, where + ": " + error.message};
    };
    Result<job::WorkerLabels> given = job::parse_worker_labels(flags.labels);
    if (!given) {
        return wrong("--label", given.error());
    }
    std::istringstream words(settings.worker_labels);
    const std::vector<std::string> configured{std::istream_iterator<std::string>(words), {}};
    const Result<job::WorkerLabels> from_settings = job::parse_worker_labels(configured);
    if (!from_settings) {
        return wrong("setting worker.labels", from_settings.error());
    }
    job::WorkerLabels labels = std::move(given).take();
    for (const auto& label : *from_settings) {
        if (std::ranges::none_of(labels,
                                 [&](const auto& one) { return one.first == label.first; })) {
            labels.push_back(label);
        }
    }
    std::ranges::sort(labels);
    if (const Result<void> fine = job::check_worker_labels(labels); !fine) {
        return wrong("--label and setting worker.labels", fine.error());
    }
    return labels;
}

Result<int> work(Context& context, const WorkerFlags& flags) {
    TRY(context.plan_log());
    std::optional<metrics::Registry> counts; // Longer than whatever counts.
    if (TRY(context.load_settings())->values.metrics_listen != "off") {
        context.counts = &counts.emplace();
    }
    const std::unique_ptr<Local> local = TRY(open_local(context));
    job::WorkerLabels labels = TRY(labels_of(flags, local->settings));
    const executor::channel::WallSet walls = TRY(
        wiring::required_walls(flags.require_isolation ? wiring::RequireIsolation::all
                                                       : wiring::RequireIsolation::as_configured,
                               local->settings.isolation_require));
    const std::unique_ptr<net::EventLoop> loop = TRY(net::EventLoop::open());
    const std::unique_ptr<traces::Exporter> exporter = TRY(wiring::open_traces(
        local->settings, config::process_environment, "worker", context.counts));
    wiring::NodeOptions options = node_options(context, flags, *local);
    options.labels = std::move(labels);
    options.traces = exporter.get();
    const job::Policy policy = options.policy;
    ToKubo to_kubo(*local, options.note);
    const std::uint32_t slots = options.slots;
    const std::string instance = options.self.instance.to_string();
    const log::Sink log = options.note;
    const std::unique_ptr<wiring::Node> node = TRY(wiring::Node::open(
        std::move(options), *loop, local->key, local->store(), [&](int liveness_fd) {
            wiring::WorkshopOptions workshop = workshop_options(context, flags, *local);
            workshop.liveness_fd = liveness_fd;
            workshop.walls = walls;
            if (local->kubo) {
                workshop.own_providers = [&local] { return local->stores->own_providers(); };
                workshop.publish = to_kubo.publish();
                workshop.keep_documents = to_kubo.keep_documents();
            }
            return wiring::Workshop::open(
                workshop, local->key, policy, local->store(), local->source());
        }));
    const std::unique_ptr<wiring::MetricsEndpoint> endpoint =
        TRY(open_metrics(context, *loop, *node, *local));
    wiring::ServiceManager manager(*loop, config::process_environment);
    bool draining = false;
    const net::Watch signals = TRY(loop->on_signals({SIGINT, SIGTERM}, [&](int) {
        if (draining) {
            loop->stop();
            return;
        }
        draining = true;
        manager.stopping();
        log(log::Level::info, "finishing what runs; again stops it at once");
        node->drain([&loop] { loop->stop(); });
    }));
    TRY(node->start());
    log(log::Level::info,
        "worker " + instance.substr(0, 8) + " is ready, " + std::to_string(slots) +
            (slots == 1 ? " slot" : " slots") + ", as " + local->key.public_key().to_did(),
        {{"worker", instance},
         {"slots", std::uint64_t{slots}},
         {"key", local->key.public_key().to_did()}});
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
        ->add_option("--label",
                     flags->labels,
                     "What jobs may ask for with --constraint, such as region=eu; again for more "
                     "(beside those of setting worker.labels)")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->allow_extra_args(false)
        ->take_all();
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
    context.add_log(*command);
    context.add_traces(*command);
    command
        ->add_option("--metrics-listen",
                     context.metrics_listen,
                     "Answer Prometheus at PORT of 127.0.0.1 or at ADDRESS:PORT (default: setting "
                     "metrics.listen, off)")
        ->type_name("ADDRESS");
    command->footer(
        "Runs jobs of keys in `ipfs-compute trust list`. The first SIGTERM or Ctrl-C lets what "
        "runs end;\nthe second stops it.\n\n"
        "Examples:\n"
        "  ipfs-compute worker\n"
        "  ipfs-compute worker --ipfs kubo\n"
        "  ipfs-compute worker --slots 4 --allow-host api.example.org\n"
        "  ipfs-compute worker --label region=eu --label gpu=a100\n"
        "  ipfs-compute worker --require-isolation\n"
        "  ipfs-compute worker --log-format json --log-level debug\n"
        "  ipfs-compute worker --metrics-listen 9464");
    add_worker_list(*command, context);
    context.on_run(*command, [&context, flags] { return work(context, *flags); });
}

} // namespace ic::cli
