#include "base/quantity.h"
#include "base/text.h"
#include "cli/commands.h"
#include "config/trust.h"
#include "job/text.h"
#include "net/own_addresses.h"
#include "net/own_networks.h"
#include "wiring/identity.h"
#include "wiring/network_settings.h"
#include "wiring/pairing.h"
#include "wiring/providers.h"
#include "wiring/workshop.h"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <array>
#include <memory>
#include <utility>

namespace ic::cli {
namespace {

/// Ours: shown of this machine.
constexpr std::size_t addresses_shown_max = 4;

struct PairFlags {
    std::string code;    ///< Empty: this end shows one.
    std::string address; ///< Of the end that shows it.
    std::string fixed_code;
    std::string name;
    std::string listen;
    std::string valid;
    bool yes = false;
};

std::string printed(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// What others are to call this machine.
std::string own_name() {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) {
        return {};
    }
    return job::fit_text(name.data(), session::limits::pair_name_bytes_max);
}

/// Where others dial our Kubo, if nodes are connected through one.
Result<std::vector<std::string>> kubo_addresses(Context& context) {
    const std::shared_ptr<kubo::Rpc> kubo = TRY(
        wiring::open_kubo(TRY(wiring::network_options(TRY(context.load_settings())->values, {}))));
    if (!kubo) {
        return std::vector<std::string>{};
    }
    wiring::Providers providers([&]() -> Result<std::shared_ptr<kubo::Rpc>> { return kubo; });
    std::vector<std::string> addresses = providers.own();
    if (addresses.empty()) {
        context.warn()(
            "the other machine is not told where Kubo is: Kubo does not answer, or has no "
            "address that others can dial; `ipfs-compute doctor --ipfs kubo` says more");
    }
    return addresses;
}

/// The list of a home, with who was met in it.
Result<config::Trusted>
keep(const std::string& file, const wiring::Paired& paired, const std::string& name) {
    const std::string did = paired.key.to_did();
    std::vector<config::Trusted> before = TRY(config::load_trust(file));
    const auto known = std::ranges::find(before, did, &config::Trusted::did);
    std::string called = name;
    if (called.empty() && (known == before.end() || known->name.empty())) {
        called =
            job::fit_text(printable(paired.other.name), config::limits::trusted_name_bytes_max);
    }
    const std::vector<config::Trusted> trusted = config::with_trusted(
        std::move(before),
        {.did = did,
         .name = std::move(called),
         // The other is trusted with jobs, not with a look at who answers within this network.
         .at = wiring::dialable(paired.other.at, net::own_networks())});
    TRY(config::store_trust(file, trusted));
    return *std::ranges::find(trusted, did, &config::Trusted::did);
}

Result<void> print_paired(Context& context, const config::Trusted& other) {
    if (context.json) {
        const nlohmann::json name =
            other.name.empty() ? nlohmann::json() : nlohmann::json(other.name);
        return context.streams.print(
            printed({{"did", other.did}, {"name", name}, {"at", other.at}}));
    }
    TRY(context.streams.print("paired with " + other.did +
                              (other.name.empty() ? "" : "  " + printable(other.name)) + "\n"));
    TRY(context.streams.flush());
    context.streams.note(
        "each trusts the other's key now, see `ipfs-compute trust list`; nodes that "
        "run take it up within seconds\n");
    return {};
}

std::vector<std::string> own_urls(const std::string& listen, std::uint16_t port) {
    const std::string_view host = std::string_view(listen).substr(0, listen.rfind(':'));
    const std::string colon_port = ":" + std::to_string(port);
    if (!listen.empty() && host != "[::]" && host != "0.0.0.0") {
        return {"http://" + std::string(host) + colon_port};
    }
    std::vector<std::string> urls;
    for (const std::string& address : net::own_addresses(addresses_shown_max)) {
        urls.push_back("http://" + address + colon_port);
    }
    return urls;
}

Result<void> show_code(Context& context,
                       const PairFlags& flags,
                       const session::PairCode& code,
                       std::uint16_t port) {
    const std::vector<std::string> urls = own_urls(flags.listen, port);
    if (context.json) {
        TRY(context.streams.print(printed({{"code", code.to_string()}, {"at", urls}})));
        return context.streams.flush();
    }
    std::string text =
        "code  " + code.to_string() + ", for one try; on the other machine, one of\n";
    for (const std::string& url : urls) {
        text += "    ipfs-compute pair " + code.to_string() + " " + url + "\n";
    }
    context.streams.note(text);
    return {};
}

Result<wiring::InviteOptions> invitation(Context& context, const PairFlags& flags) {
    wiring::InviteOptions options;
    options.listen = flags.listen;
    if (!flags.valid.empty()) {
        Result<std::chrono::milliseconds> valid = parse_duration(flags.valid);
        if (!valid) {
            return std::move(valid).take_error().during("--valid");
        }
        options.invitation.valid = *valid;
    }
    if (!flags.fixed_code.empty()) {
        if (!flags.yes) {
            return Error{Errc::usage,
                         "--code is for programs, which draw one at random and use it once: say "
                         "--yes if that is so"};
        }
        options.code = TRY(session::PairCode::parse(flags.fixed_code));
        options.invitation.codes_max = 1;
    }
    options.on_code = [&context, &flags](const session::PairCode& code, std::uint16_t port) {
        return show_code(context, flags, code, port);
    };
    options.note = log::Sink(log::Level::info, [&context](const log::Entry& entry) {
        context.streams.note("ipfs-compute: " + printable(entry.message) + "\n");
    });
    return options;
}

Result<wiring::Paired>
meet(Context& context, const PairFlags& flags, net::EventLoop& loop, const wiring::PairSelf& self) {
    if (flags.code.empty()) {
        return wiring::invite_to_pair(loop, self, TRY(invitation(context, flags)));
    }
    if (!(flags.listen.empty() && flags.valid.empty() && flags.fixed_code.empty())) {
        return Error{
            Errc::usage,
            "--listen, --valid and --code are for the machine that shows the code, not for "
            "the one that is told it"};
    }
    if (flags.address.empty()) {
        return Error{Errc::usage,
                     "where is the machine that shows the code? It says so beside it: "
                     "ipfs-compute pair CODE ADDRESS"};
    }
    const session::PairCode code = TRY(session::PairCode::parse(flags.code));
    return wiring::join_by_code(loop, self, code, {wiring::pair_url(flags.address)});
}

Result<int> pair(Context& context, const PairFlags& flags) {
    // Later the other machine would trust this one already.
    if (flags.name.size() > config::limits::trusted_name_bytes_max) {
        return Error{Errc::usage,
                     "--name: a name has at most " +
                         std::to_string(config::limits::trusted_name_bytes_max) + " bytes"};
    }
    const config::Home* const home = TRY(context.open_home());
    const PrivateKey key = TRY(wiring::open_identity(*home));
    const std::unique_ptr<net::EventLoop> loop = TRY(net::EventLoop::open());
    std::optional<config::Trusted> other;
    wiring::PairSelf self;
    self.key = &key;
    self.software = wiring::software();
    self.introduction.name = own_name();
    self.introduction.at = TRY(kubo_addresses(context));
    self.keep = [&](const wiring::Paired& paired) -> Result<void> {
        other = TRY(keep(home->trust_file(), paired, flags.name));
        return {};
    };
    TRY(meet(context, flags, *loop, self));
    TRY(print_paired(context, *other));
    return 0;
}

} // namespace

void add_pair(Command& app, Context& context) {
    Command* command =
        app.add_subcommand("pair", "Have two machines trust each other, by a short code");
    auto flags = std::make_shared<PairFlags>();
    command->add_option(
        "CODE", flags->code, "What the other machine shows; none: this one shows it");
    command->add_option(
        "ADDRESS", flags->address, "Where the other machine is: HOST, HOST:PORT or a URL");
    command->add_option("--name", flags->name, "What to call the other machine")->type_name("NAME");
    command
        ->add_option("--listen",
                     flags->listen,
                     "Where the other is let in, ADDRESS:PORT (default: all addresses, port 8587)")
        ->type_name("ADDRESS");
    command->add_option("--valid", flags->valid, "How long the code holds (default 10m)")
        ->type_name("TIME");
    command
        ->add_option("--code",
                     flags->fixed_code,
                     "The code to be shown, for programs that give it to both; with --yes")
        ->type_name("CODE");
    command->add_flag("--yes", flags->yes, "The code of --code is random, and used this once");
    context.add_json(*command);
    context.add_ipfs(*command);
    command->footer("Six letters are enough: each is good for one try, and a wrong one shows.\n\n"
                    "Examples:\n"
                    "  ipfs-compute pair\n"
                    "  ipfs-compute pair K7Q-2MX 192.0.2.7\n"
                    "  ipfs-compute pair K7Q-2MX http://192.0.2.7:8587 --name attic");
    context.on_run(*command, [&context, flags] { return pair(context, *flags); });
}

} // namespace ic::cli
