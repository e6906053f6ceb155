#include "cli/worker_list.h"

#include "base/quantity.h"
#include "base/text.h"
#include "base/time.h"
#include "transport/local/local_client.h"
#include "wiring/identity.h"
#include "wiring/workshop.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ic::cli {
namespace {

using namespace std::chrono_literals;

/// For the whole answer.
constexpr auto answer_time_max = 5s;

std::uint32_t running(const job::Advert& advert) {
    return advert.slots - std::min(advert.slots, advert.slots_free);
}

nlohmann::json to_json(const job::KnownWorker& worker) {
    const job::Advert& advert = worker.advert;
    nlohmann::json labels = nlohmann::json::object();
    for (const auto& [key, value] : advert.labels) {
        labels[key] = value;
    }
    return {
        {"did", advert.worker.key.to_did()},
        {"instance", advert.worker.instance.to_string()},
        {"slots", advert.slots},
        {"running", running(advert)},
        {"labels", labels},
        {"software", advert.software},
        {"features", advert.features},
        {"store_bytes", advert.store_bytes ? nlohmann::json(*advert.store_bytes) : nullptr},
        {"via", std::string(name(worker.route))},
        {"addresses", worker.addresses},
        {"heard_ms_ago", worker.heard_ago.count()},
        {"trusted", worker.trusted},
    };
}

std::string line_of(const job::KnownWorker& worker) {
    const job::Advert& advert = worker.advert;
    std::string text =
        advert.worker.key.to_did() + "  " + advert.worker.instance.to_string().substr(0, 8) + "  ";
    text += advert.slots == 0
                ? "takes no jobs"
                : std::to_string(running(advert)) + "/" + std::to_string(advert.slots) + " running";
    text += "  " + std::string(name(worker.route)) + ", heard " + human_duration(worker.heard_ago) +
            " ago";
    text += "  " + printable(advert.software);
    if (!advert.labels.empty()) {
        text += "  " + job::to_string(advert.labels);
    }
    if (!worker.trusted) {
        text += "  not trusted";
    }
    return text + "\n";
}

Result<transport::LocalClient> connect(Context& context) {
    const config::Home* home = TRY(context.open_home());
    transport::Hello self;
    self.instance = wiring::random_instance();
    self.kind = transport::PeerKind::client;
    self.key = TRY(wiring::open_identity(*home)).public_key();
    self.name = "client " + std::to_string(::getpid());
    self.software = wiring::software();
    Result<transport::LocalClient> client =
        transport::LocalClient::connect(home->path + "/bus", self, answer_time_max);
    if (!client && client.error().code == Errc::not_found) {
        return Error{Errc::not_found,
                     "no node is running here that could have heard of workers; start one with "
                     "`ipfs-compute worker`"};
    }
    return client;
}

Result<std::vector<job::KnownWorker>> ask(transport::LocalClient& client) {
    const Instant until = now_since_boot() + answer_time_max;
    TRY(client.send(job::KnownWorkersQuery{}, answer_time_max));
    std::vector<job::KnownWorker> all;
    while (now_since_boot() < until) {
        std::optional<job::Message> message = TRY(client.receive(100ms));
        auto* const answer = message ? std::get_if<job::KnownWorkers>(&*message) : nullptr;
        if (answer == nullptr) {
            continue;
        }
        std::ranges::move(answer->workers, std::back_inserter(all));
        if (answer->left == 0) {
            return all;
        }
    }
    return Error{
        Errc::unavailable,
        "the node did not answer within 5 s; `ipfs-compute doctor` looks at what is wrong"};
}

Result<int> list(Context& context, bool all) {
    transport::LocalClient client = TRY(connect(context));
    for (const job::KnownWorker& worker : TRY(ask(client))) {
        if (all || (worker.trusted && worker.advert.slots > 0)) {
            TRY(context.streams.print(
                context.json ? to_json(worker).dump(
                                   -1, ' ', false, nlohmann::json::error_handler_t::replace) +
                                   "\n"
                             : line_of(worker)));
        }
    }
    return 0;
}

} // namespace

void add_worker_list(Command& worker, Context& context) {
    Command* command = worker.add_subcommand("list", "List the workers that a node here knows of");
    auto all = std::make_shared<bool>(false);
    command->add_flag("--all", *all, "Also those that are not trusted, or take no jobs now");
    context.add_json(*command);
    command->footer("Asks a node of this home; what it says, workers have said of themselves.\n\n"
                    "Examples:\n  ipfs-compute worker list\n"
                    "  ipfs-compute worker list --all --json");
    context.on_run(*command, [&context, all] { return list(context, *all); });
}

} // namespace ic::cli
