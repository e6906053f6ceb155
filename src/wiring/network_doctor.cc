#include "wiring/network_doctor.h"

#include "base/quantity.h"
#include "base/text.h"
#include "base/time.h"
#include "kubo/publish_lock.h"
#include "kubo/pubsub.h"
#include "net/event_loop.h"
#include "net/web_socket.h"
#include "transport/kubo/topic.h"
#include "wiring/network_settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;

/// How long a Kubo may take for one answer.
constexpr auto answer_time_max = 2s;
/// What this program is tried with (src/kubo/README.md): 0.39 to 0.43.
constexpr std::uint32_t kubo_minor_first = 39;
constexpr std::uint32_t kubo_minor_last = 43;

constexpr const char* token_remedy =
    "give the token those paths: ipfs config --json API.Authorizations ...; and tell it: "
    "ipfs-compute config set kubo_token bearer:TOKEN";

/// What a node cannot do without (network.cc, publication.cc, blockstore/kubo), beside what is
/// asked here anyway. Without an argument Kubo looks at the token, and then at most lists
/// something.
constexpr std::array<std::string_view, 6> commands_with_arguments{
    "pubsub/pub", "pubsub/sub", "pubsub/peers", "block/get", "dag/import", "swarm/connect"};

Check check_of(std::string what, Verdict verdict, std::string found, std::string remedy) {
    return {.what = std::move(what),
            .verdict = verdict,
            .found = std::move(found),
            .remedy = std::move(remedy),
            .error = std::nullopt};
}

Check fail_of(std::string what, const Error& error, std::string remedy) {
    return {.what = std::move(what),
            .verdict = Verdict::fail,
            .found = error.message,
            .remedy = std::move(remedy),
            .error = error.code};
}

std::string count_of(std::size_t count, const std::string& one) {
    return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

/// The y of "0.y.z"; nothing for another form.
std::optional<std::uint32_t> minor_of(std::string_view version) {
    constexpr std::string_view major = "0.";
    std::uint32_t minor = 0;
    if (!version.starts_with(major)) {
        return std::nullopt;
    }
    const char* const begin = version.data() + major.size();
    const char* const end = version.data() + version.size();
    const auto [stop, error] = std::from_chars(begin, end, minor);
    const bool is_whole = error == std::errc{} && stop != end && *stop == '.';
    return is_whole ? std::optional(minor) : std::nullopt;
}

std::vector<std::string> refused_commands(kubo::Rpc& rpc) {
    std::vector<std::string> refused;
    for (const std::string_view command : commands_with_arguments) {
        const Result<Bytes> answer = rpc.call({.command = command});
        if (!answer && answer.error().code == Errc::refused) {
            refused.emplace_back(command);
        }
    }
    return refused;
}

/// Whether this process, and so a node of this user, could take its turn among the publishers.
Check look_at_lock(const std::string& folder, const std::string& peer_id) {
    const Result<kubo::PublishLock> lock = kubo::PublishLock::open(folder, peer_id);
    if (lock) {
        return check_of("publishing", Verdict::ok, "nodes take turns by a lock in " + folder, "");
    }
    return check_of("publishing",
                    Verdict::warn,
                    lock.error().message +
                        ": nodes of this machine do not take turns, and some of what they "
                        "announce is lost",
                    "look at " + folder + "; run all nodes of this machine as one user");
}

void look_at_kubo(const NetworkOptions& options,
                  const HomeFacts& home,
                  std::vector<Check>& checks) {
    kubo::RpcOptions how;
    how.address = options.kubo_api;
    how.token = options.kubo_token;
    how.total_time_max = answer_time_max;
    how.connect_time_max = answer_time_max;
    how.retry.attempts_max = 1;
    Result<std::unique_ptr<kubo::Rpc>> opened = kubo::Rpc::open(std::move(how));
    if (!opened) {
        checks.push_back(fail_of("kubo",
                                 opened.error(),
                                 "ipfs-compute config set kubo auto, or kubo_token bearer:TOKEN"));
        return;
    }
    kubo::Rpc& rpc = **opened;
    const Instant start = now_since_boot();
    const Result<std::string> version = kubo::version(rpc);
    if (!version) {
        checks.push_back(judge_kubo_silence(version.error()));
        return;
    }
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(now_since_boot() - start);
    checks.push_back(judge_kubo_version(*version, rpc.address() + " in " + human_duration(took)));
    if (!options.kubo_token.empty()) {
        checks.push_back(judge_token(refused_commands(rpc)));
    }
    checks.push_back(
        judge_pubsub(kubo::pubsub_peers(rpc, transport::topic_name), home.trusted_others));
    checks.push_back(judge_streams(kubo::node_config(rpc)));
    const Result<kubo::NodeId> node = kubo::id(rpc);
    if (!node) {
        checks.push_back(
            fail_of("publishing",
                    node.error(),
                    node.error().code == Errc::refused ? token_remedy : "restart that Kubo"));
        return;
    }
    checks.push_back(look_at_lock(options.lock_folder, node->peer_id));
}

/// Listens as a node would, for a moment.
Check look_at_links(const NetworkOptions& options, const HomeFacts& home) {
    if (options.listen.empty()) {
        return check_of("links",
                        Verdict::ok,
                        "none are taken (network.listen = off); this machine makes them",
                        "");
    }
    const std::string remedy = "ipfs-compute config set network.listen auto";
    const Result<std::unique_ptr<net::EventLoop>> loop = net::EventLoop::open();
    if (!loop) {
        return fail_of("links", loop.error(), "look at the limits: ulimit -n");
    }
    const auto listener = net::WebSocketListener::open(
        **loop, options.listen, net::WebListenerOptions{}, net::WebListenerCallbacks{});
    if (!listener) {
        if (home.has_nodes && listener.error().code == Errc::unavailable) {
            return check_of("links",
                            Verdict::ok,
                            listener.error().message + ": a node of this home has it, or should",
                            "");
        }
        return fail_of("links", listener.error(), remedy);
    }
    return judge_links(advertised_urls(options, (*listener)->port()));
}

} // namespace

std::vector<Check> examine_network(const NetworkOptions& options, const HomeFacts& home) {
    std::vector<Check> checks;
    look_at_kubo(options, home, checks);
    checks.push_back(look_at_links(options, home));
    return checks;
}

Check judge_kubo_version(std::string_view version, const std::string& where) {
    std::string found = printable(version) + " answered at " + where;
    const std::optional<std::uint32_t> minor = minor_of(version);
    if (minor && *minor >= kubo_minor_first && *minor <= kubo_minor_last) {
        return check_of("kubo", Verdict::ok, std::move(found), "");
    }
    const std::string range =
        "0." + std::to_string(kubo_minor_first) + " to 0." + std::to_string(kubo_minor_last);
    return check_of("kubo",
                    Verdict::warn,
                    found + "; this program was tried with " + range,
                    "install one of these");
}

Check judge_kubo_silence(const Error& error) {
    if (error.code == Errc::refused) {
        return fail_of("kubo", error, token_remedy);
    }
    return fail_of("kubo",
                   error,
                   error.code == Errc::unavailable
                       ? "ipfs daemon; or name another: ipfs-compute config set kubo URL"
                       : "ipfs-compute config set kubo auto");
}

Check judge_pubsub(const Result<std::vector<std::string>>& peers, std::size_t trusted_others) {
    if (!peers && peers.error().code == Errc::unsupported) {
        return fail_of("pubsub",
                       {Errc::unsupported, "off in this Kubo: nodes cannot hear of each other"},
                       "ipfs config --json Pubsub.Enabled true, and restart that Kubo");
    }
    if (!peers) {
        return fail_of("pubsub",
                       peers.error(),
                       peers.error().code == Errc::refused ? token_remedy : "restart that Kubo");
    }
    const std::string topic(transport::topic_name);
    if (trusted_others == 0) {
        return check_of("pubsub",
                        Verdict::warn,
                        "on, but no other key is trusted, so nobody on " + topic + " is heard",
                        "on both machines: ipfs-compute trust add DID, as `ipfs-compute id` of "
                        "the other prints it");
    }
    if (peers->empty()) {
        return check_of("pubsub",
                        Verdict::warn,
                        "on, but no peer of this Kubo listens to " + topic,
                        "start `ipfs-compute worker --ipfs kubo` on another machine, and connect "
                        "the Kubos: ipfs swarm connect ADDRESS");
    }
    return check_of("pubsub",
                    Verdict::ok,
                    "on; " + count_of(peers->size(), "other Kubo") + " on " + topic + ", " +
                        count_of(trusted_others, "other key") + " trusted",
                    "");
}

Check judge_streams(const Result<kubo::NodeConfig>& config) {
    const std::string needed = "where two machines cannot reach each other directly, jobs with "
                               "effects do not run";
    if (!config) {
        return check_of("streams",
                        Verdict::warn,
                        config.error().message + ": not known whether they are on; if not, " +
                            needed,
                        config.error().code == Errc::refused ? token_remedy : "look at that Kubo");
    }
    if (!config->has_streams) {
        return check_of("streams",
                        Verdict::warn,
                        "off in this Kubo: " + needed,
                        "ipfs config --json Experimental.Libp2pStreamMounting true, and restart "
                        "that Kubo");
    }
    return check_of("streams", Verdict::ok, "on, for machines that are not reached directly", "");
}

Check judge_token(const std::vector<std::string>& refused) {
    if (refused.empty()) {
        return check_of("token", Verdict::ok, "allows what nodes ask", "");
    }
    std::string paths;
    for (const std::string& command : refused) {
        paths += (paths.empty() ? "/api/v0/" : ", /api/v0/") + command;
    }
    return fail_of("token", {Errc::refused, "its AllowedPaths lack " + paths}, token_remedy);
}

Check judge_links(const std::vector<std::string>& urls) {
    const auto is_here = [](const std::string& url) {
        return url.starts_with("http://127.") || url.starts_with("http://[::1]") ||
               url.starts_with("http://localhost");
    };
    std::string listed;
    for (const std::string& url : urls) {
        listed += (listed.empty() ? "" : " ") + url;
    }
    if (std::ranges::all_of(urls, is_here)) {
        return check_of("links",
                        Verdict::warn,
                        urls.empty()
                            ? "this machine has no address that others could be told"
                            : "others would be told " + listed + ", which is this machine alone",
                        "ipfs-compute config set network.advertise URL, or network.listen "
                        "ADDRESS:PORT");
    }
    return check_of("links", Verdict::ok, "others are told " + listed, "");
}

} // namespace ic::wiring
