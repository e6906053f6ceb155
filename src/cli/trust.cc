#include "config/trust.h"

#include "base/text.h"
#include "cli/commands.h"
#include "identity/key.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace ic::cli {
namespace {

using config::Trusted;

/// The canonical did of a did:key or a peer ID.
Result<std::string> did_of(const std::string& text) {
    const bool is_did = text.starts_with("did:");
    if (!is_did && !text.starts_with("12D3KooW")) {
        return Error{Errc::usage,
                     "'" + text +
                         "' is no key: one is written did:key:z6Mk... or 12D3KooW..., as "
                         "'ipfs-compute id' prints it"};
    }
    return TRY(is_did ? PublicKey::parse_did(text) : PublicKey::parse_peer_id(text)).to_did();
}

Result<int> list(Context& context) {
    const std::vector<Trusted> trusted =
        TRY(config::load_trust(TRY(context.open_home())->trust_file()));
    for (const Trusted& entry : trusted) {
        if (context.json) {
            const nlohmann::json name =
                entry.name.empty() ? nlohmann::json() : nlohmann::json(entry.name);
            const nlohmann::json json{{"did", entry.did}, {"name", name}, {"at", entry.at}};
            TRY(context.streams.print(
                json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"));
        } else {
            TRY(context.streams.print(
                entry.did + (entry.name.empty() ? "" : "  " + printable(entry.name)) + "\n"));
        }
    }
    return 0;
}

Result<int> add(Context& context, const std::string& key, const std::string& name) {
    const std::string file = TRY(context.open_home())->trust_file();
    std::vector<Trusted> trusted = TRY(config::load_trust(file));
    const std::string did = TRY(did_of(key));
    const auto same_did = std::ranges::find(trusted, did, &Trusted::did);
    if (same_did != trusted.end()) {
        same_did->name = name.empty() ? same_did->name : name;
    } else {
        trusted.push_back({did, name});
    }
    TRY(config::store_trust(file, trusted));
    return 0;
}

Result<int> remove(Context& context, const std::string& key) {
    const std::string file = TRY(context.open_home())->trust_file();
    std::vector<Trusted> trusted = TRY(config::load_trust(file));
    const Result<std::string> did = did_of(key);
    const auto is_meant = [&](const Trusted& entry) {
        return entry.name == key || (did && entry.did == *did);
    };
    if (std::erase_if(trusted, is_meant) == 0) {
        return Error{Errc::not_found,
                     "'" + key + "' is not trusted; 'ipfs-compute trust list' shows who is"};
    }
    TRY(config::store_trust(file, trusted));
    return 0;
}

} // namespace

void add_trust(Command& app, Context& context) {
    Command* command = app.add_subcommand("trust", "Say whose jobs and answers are accepted");
    Command* list_command = command->add_subcommand("list", "Print the trusted keys");
    context.add_json(*list_command);
    list_command->footer("One's own key is trusted without being listed.\n\n"
                         "Examples:\n  ipfs-compute trust list");
    context.on_run(*list_command, [&context] { return list(context); });

    struct Options {
        std::string key, name;
    };
    auto options = std::make_shared<Options>(); // Kept by the actions.
    Command* add_command = command->add_subcommand("add", "Trust a key");
    add_command->add_option("DID", options->key, "did:key:..., or a peer ID")->required();
    add_command->add_option("--name", options->name, "What to call it")->type_name("NAME");
    add_command->footer("Examples:\n  ipfs-compute trust add --name alice did:key:z6Mk...");
    context.on_run(*add_command,
                   [&context, options] { return add(context, options->key, options->name); });

    Command* remove_command = command->add_subcommand("rm", "Trust a key no longer");
    remove_command->add_option("KEY", options->key, "A did, a peer ID or a name")->required();
    remove_command->footer("Examples:\n  ipfs-compute trust rm alice");
    context.on_run(*remove_command, [&context, options] { return remove(context, options->key); });
}

} // namespace ic::cli
