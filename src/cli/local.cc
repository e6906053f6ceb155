#include "cli/local.h"

#include "config/settings.h"
#include "wiring/identity.h"
#include "wiring/trust.h"
#include "wiring/workshop.h"

#include <utility>

namespace ic::cli {
Result<std::unique_ptr<Local>> open_local(Context& context) {
    const std::string path = TRY(config::choose_home(context.home, config::process_environment));
    config::Home home = TRY(config::open_home(path));
    config::Settings settings =
        TRY(config::load_settings(home, config::process_environment, context.given_settings()))
            .values;
    PrivateKey key = TRY(wiring::open_identity(home));
    std::vector<PublicKey> trusted = TRY(wiring::load_trusted_keys(home, key.public_key()));
    std::unique_ptr<wiring::Stores> stores =
        TRY(wiring::Stores::open(home, settings, context.warn(), context.counts));
    const unixfs::Profile profile = TRY(unixfs::profile_named(settings.import_profile));
    std::optional<wiring::NetworkOptions> network = TRY(wiring::network_options(settings, trusted));
    if (network) {
        network->counts = context.counts;
    }
    std::unique_ptr<kubo::Rpc> kubo = TRY(wiring::open_kubo(network));
    return std::make_unique<Local>(Local{.home = std::move(home),
                                         .settings = std::move(settings),
                                         .key = std::move(key),
                                         .trusted = std::move(trusted),
                                         .stores = std::move(stores),
                                         .profile = profile,
                                         .network = std::move(network),
                                         .kubo = std::move(kubo)});
}

worker::OpenReader Local::open_reader() const {
    if (!stores->has_reader()) {
        return {};
    }
    return [&all = *stores](std::span<const std::string> providers, worker::Stop stop) {
        return all.reader(providers, std::move(stop));
    };
}

SubmissionParts parts_of(const Local& local) {
    return {.home = local.home.path,
            .key = local.key,
            .policy = wiring::default_policy(local.trusted),
            .store = local.store(),
            .source = local.source(),
            .open_reader = local.open_reader(),
            .software = wiring::software(),
            .network = local.network,
            .traces = nullptr};
}

} // namespace ic::cli
