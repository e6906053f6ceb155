#include "wiring/network.h"

#include "base/time.h"
#include "job/invocation.h"
#include "kubo/node.h"
#include "kubo/publisher.h"
#include "kubo/streams.h"
#include "kubo/subscription.h"
#include "net/own_addresses.h"
#include "transport/http/links.h"
#include "wiring/asker.h"
#include "wiring/kubo_dialler.h"
#include "wiring/network_settings.h"
#include "wiring/providers.h"
#include "wiring/repeated_question.h"
#include "wiring/trust.h"
#include "wiring/workshop.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace ic::wiring {

using namespace std::chrono_literals;

namespace {

/// Ours: how often a Kubo that did not say who it is, or was not asked since too much waits, is
/// asked again, and one that did.
constexpr auto reach_retry = 2s;
constexpr auto reach_refresh = 120s;
/// Ours: who spoke to us over the topic, has no link to us and was not heard for so long has gone
/// away as far as we can tell. Whoever answers for leases is heard each second.
constexpr auto topic_silence_max = 4s;
constexpr auto topic_silence_look = 1s;
constexpr std::string_view stream_protocol = "/x/ipfs-compute/session/1/";

const std::string forward_url = "http://127.0.0.1:";

/// Of the URL of a forward.
std::string multiaddr_of(const std::string& url) {
    return "/ip4/127.0.0.1/tcp/" + url.substr(forward_url.size());
}

/// What the asker finds out of Kubo.
struct KuboReach {
    kubo::NodeId node;
    bool has_streams = false;
};

} // namespace

struct Network::Impl {
    Impl(net::EventLoop& l, NetworkOptions o, NetworkSelf s, log::Sink n)
        : loop(l)
        , options(std::move(o))
        , self(std::move(s))
        , note(std::move(n)) {}

    ~Impl() {
        *alive = false;
        loop.cancel(show_timer);
        loop.cancel(silence_timer);
        ending = true; // What is being asked ends soon.
    }

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    net::EventLoop& loop;
    const NetworkOptions options;
    const NetworkSelf self;
    const log::Sink note;
    transport::Events events{};
    OnStranger on_stranger{};
    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
    std::atomic<bool> ending{false};

    std::shared_ptr<kubo::Rpc> rpc{};
    Providers providers{[this]() -> Result<std::shared_ptr<kubo::Rpc>> { return rpc; }};
    std::unique_ptr<transport::Links> links{};
    std::unique_ptr<transport::Topic> topic{};
    std::unique_ptr<kubo::Publisher> publisher{};
    std::unique_ptr<kubo::Subscription> subscription{};
    std::unique_ptr<transport::UnsignedTopic> unsigned_topic{}; ///< Null: not listened to.
    std::unique_ptr<kubo::Subscription> unsigned_subscription{};
    std::unique_ptr<Asker> asker{};
    std::unique_ptr<RepeatedQuestion> reach_question{};
    std::unique_ptr<KuboDialler> kubo_dialler{};

    struct Speaker {
        PublicKey key;
        Instant heard_at;
    };

    net::TimerId show_timer{};
    net::TimerId silence_timer{};
    std::map<job::Instance, Speaker> speakers{}; ///< To us, over the topic alone; and when last.
    std::optional<std::string> own_peer{};
    std::map<std::string, std::string> forwards{}; ///< Streams of Kubo: address to URL.

    void post(std::function<void()> work) {
        loop.post([is_alive = alive, work = std::move(work)] {
            if (*is_alive) {
                work();
            }
        });
    }

    TrustedKeys trusted{options.trusted};
    void tell(const kubo::SubscriptionState& state, bool is_gone) const {
        if (state.is_up()) {
            note(log::Level::info,
                 "listening to other nodes through Kubo at " + rpc->address(),
                 {{"address", rpc->address()}});
            return;
        }
        note(log::Level::warning,
             (is_gone ? "no jobs are taken while Kubo is not there: "
                      : "not listening to other nodes: ") +
                 state.down->message,
             {{"address", rpc->address()}, {"error", std::string(name(state.down->code))}});
    }

    // --- how this process can be reached ---

    /// Asks Kubo who it is, has it hand streams on, and tells the others; from now on, again and
    /// again.
    void begin_asking_reach() {
        reach_question = std::make_unique<RepeatedQuestion>(
            loop,
            *asker,
            [this,
             protocol = std::string(stream_protocol) + self.worker.instance.to_string(),
             port = links->port()]() -> RepeatedQuestion::FollowUp {
                return [this, protocol, reach = find_reach(protocol, port)] {
                    if (reach) {
                        reached(*reach, protocol);
                    }
                    return std::chrono::milliseconds(reach ? reach_refresh : reach_retry);
                };
            },
            reach_retry);
        reach_question->ask();
    }

    /// On the asker's thread.
    Result<KuboReach> find_reach(const std::string& protocol, std::uint16_t port) {
        KuboReach reach;
        reach.node = TRY(kubo::id(*rpc));
        const Result<kubo::NodeConfig> config = kubo::node_config(*rpc);
        if (config && config->has_streams) {
            // One that is there already is as good; one of a Kubo before is gone with it.
            const Result<std::vector<kubo::StreamTunnel>> tunnels = kubo::streams_list(*rpc);
            reach.has_streams =
                tunnels && std::ranges::any_of(*tunnels, [&](const kubo::StreamTunnel& tunnel) {
                    return tunnel.protocol == protocol;
                });
            if (tunnels) {
                close_abandoned(*tunnels);
            }
            if (!reach.has_streams) {
                reach.has_streams =
                    kubo::streams_listen(
                        *rpc, protocol, "/ip4/127.0.0.1/tcp/" + std::to_string(port))
                        .ok();
            }
        }
        return reach;
    }

    /// A process that was killed leaves its listener in Kubo. On the asker's thread.
    void close_abandoned(const std::vector<kubo::StreamTunnel>& tunnels) {
        constexpr std::string_view here = "/ip4/127.0.0.1/tcp/";
        for (const kubo::StreamTunnel& tunnel : tunnels) {
            const std::string_view target = tunnel.target;
            if (!tunnel.protocol.starts_with(stream_protocol) || !target.starts_with(here)) {
                continue;
            }
            std::uint16_t port = 0;
            const std::string_view digits = target.substr(here.size());
            const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), port);
            if (read.ec == std::errc{} && !net::is_listened_at(port)) {
                static_cast<void>(kubo::streams_close(
                    *rpc, {.protocol = tunnel.protocol, .target = tunnel.target}));
            }
        }
    }

    /// What leads to processes that nothing is said to any more: each keeps a port of Kubo's. The
    /// next message makes it anew.
    void close_unused_forwards() {
        std::set<std::string> used;
        for (const transport::Peer& peer : links->peers()) {
            used.insert(std::string(stream_protocol) + peer.instance.to_string());
        }
        for (auto at = forwards.begin(); at != forwards.end();) {
            const std::string protocol = at->first.substr(at->first.find(stream_protocol));
            if (used.contains(protocol) ||
                !asker->ask([this, protocol, listen = multiaddr_of(at->second)] {
                    static_cast<void>(
                        kubo::streams_close(*rpc, {.protocol = protocol, .listen = listen}));
                })) {
                ++at;
            } else {
                at = forwards.erase(at);
            }
        }
    }

    void reached(const KuboReach& reach, const std::string& protocol) {
        transport::Reach said{.at = advertised_urls(options, links->port()),
                              .providers = provider_addresses(reach.node)};
        if (reach.has_streams) {
            said.at.push_back("/p2p/" + reach.node.peer_id + protocol);
        }
        const bool first = !own_peer;
        own_peer = reach.node.peer_id;
        topic->reach(std::move(said));
        if (first) {
            topic->show();
        }
        close_unused_forwards();
    }

    void show_later() {
        // Not all at once, if all were started at once.
        const auto jitter = std::chrono::milliseconds(
            rpc->random() % static_cast<std::uint64_t>(options.show_every.count() / 4 + 1));
        show_timer = loop.after(options.show_every - jitter, [this] {
            topic->show();
            show_later();
        });
    }

    // --- what is heard ---

    static transport::Peer peer(const job::Instance& instance, const PublicKey& key) {
        return {.instance = instance,
                .kind = transport::PeerKind::node,
                .key = key,
                .same_user = false,
                .name = "node " + instance.to_string().substr(0, 8)};
    }

    void heard(transport::Heard heard) {
        const transport::Peer from = peer(heard.from.instance, heard.from.key);
        if (heard.for_us_alone && !links->has(from.instance)) {
            speakers.insert_or_assign(from.instance, Speaker{from.key, now_since_boot()});
        }
        links->learn(std::move(heard.from));
        dial_swarm(heard.providers);
        for (job::Message& message : heard.messages) {
            events.on_message(from, std::move(message));
        }
    }

    /// Its own adverts alone, and nothing is done about them.
    void heard_stranger(const transport::Heard& heard) const {
        for (const job::Message& message : heard.messages) {
            const auto* advert = std::get_if<job::Advert>(&message);
            if (advert != nullptr && on_stranger &&
                advert->worker == job::WorkerRef{heard.from.key, heard.from.instance}) {
                on_stranger(*advert);
            }
        }
    }

    /// No link ends where there was none: that a coordinator is gone shows in its silence. Then
    /// renewals and receipts go to all, and so to whoever adopts its jobs.
    void look_for_silence() {
        const Instant now = now_since_boot();
        std::vector<transport::Peer> silent;
        for (const auto& [instance, speaker] : speakers) {
            if (now - speaker.heard_at > topic_silence_max) {
                silent.push_back(peer(instance, speaker.key));
            }
        }
        for (const transport::Peer& one : silent) {
            speakers.erase(one.instance);
            if (!links->has(one.instance)) {
                events.on_gone(one, transport::Fate::silent);
            }
        }
        silence_timer = loop.after(topic_silence_look, [this] { look_for_silence(); });
    }

    /// Connects our Kubo to theirs, so that blocks come without a search.
    void dial_swarm(const std::vector<std::string>& named) {
        const std::string peer = named.empty() ? std::string() : peer_of(named.front());
        if (!peer.empty() && peer != own_peer && providers.is_due(peer)) {
            asker->ask([this, named] {
                providers.dial_now(named, [this]() -> std::optional<Error> {
                    return ending ? std::optional(Error{Errc::cancelled, "this process is ending"})
                                  : std::nullopt;
                });
            });
        }
    }

    /// Where a stream of Kubo (`/p2p/<peer id>/x/...`) can be dialled: a port of our own Kubo's.
    void resolve(const std::string& address, std::function<void(Result<std::string>)> done) {
        if (const auto at = forwards.find(address); at != forwards.end()) {
            done(at->second);
            return;
        }
        const bool asked = asker->ask([this, address, done] {
            Result<std::string> url = forward(address);
            post([this, address, done, url = std::move(url)] {
                if (url) {
                    forwards.insert_or_assign(address, *url);
                }
                done(url);
            });
        });
        if (!asked) {
            done(Error{Errc::unavailable, "too many questions to Kubo are waiting"});
        }
    }

    /// On the asker's thread.
    Result<std::string> forward(const std::string& address) {
        constexpr std::string_view prefix = "/p2p/";
        const std::size_t at = address.find(stream_protocol);
        if (!address.starts_with(prefix) || at == std::string::npos) {
            return Error{Errc::unsupported, "'" + address + "' is no address of a session"};
        }
        const std::string url = forward_url + std::to_string(TRY(net::free_port()));
        TRY(kubo::streams_forward(*rpc,
                                  {.protocol = address.substr(at),
                                   .listen = multiaddr_of(url),
                                   .target = address.substr(0, at)}));
        return url;
    }

    /// On a topic of their own, which another program may fill: what is lost there is lost.
    void listen_for_unsigned_jobs() {
        if (!unsigned_topic) {
            return;
        }
        kubo::SubscriptionOptions listening;
        listening.topic = std::string(transport::unsigned_topic_name);
        listening.on_message = [this](const kubo::PubsubMessage& message) {
            unsigned_topic->hear(message);
        };
        listening.on_state = [this](const kubo::SubscriptionState& state) {
            if (state.is_up()) {
                post([this] {
                    note(log::Level::info,
                         "listening for unsigned jobs, of Kubo peers that are named: " +
                             std::to_string(options.unsigned_peers.size()));
                });
            }
        };
        unsigned_subscription = std::make_unique<kubo::Subscription>(*rpc, std::move(listening));
    }

    // --- sending ---

    void send(const job::Instance& to, const job::Message& message) {
        if (links->has(to) || !links->is_out_of_reach(to)) {
            links->send(to, message);
        } else {
            send_over_topic(to, message);
        }
    }

    /// Over everybody, where pubsub may lose it. A job with effects is not run that way: its grant
    /// comes back as if the worker had said no.
    void send_over_topic(const job::Instance& to, const job::Message& message) {
        if (const auto* grant = std::get_if<job::Grant>(&message); grant && has_effects(*grant)) {
            hand_back(*grant);
            return;
        }
        topic->send(to, message);
    }

    /// What may have arrived and has effects must not be granted to another meanwhile: nothing is
    /// said of it until its lease is over.
    void
    send_again(const job::Instance& to, const job::Message& message, transport::Delivery delivery) {
        const auto* grant = std::get_if<job::Grant>(&message);
        if (delivery == transport::Delivery::none || !grant || !has_effects(*grant)) {
            send_over_topic(to, message);
        }
    }

    static bool has_effects(const job::Grant& grant) {
        const Result<job::SignedInvocation> invocation = job::read_invocation(grant.invocation);
        return !invocation || invocation->invocation.spec.effects != job::Effects::pure;
    }

    void hand_back(const job::Grant& grant) {
        post([this, grant] {
            const transport::Peer from{.instance = grant.worker.instance,
                                       .kind = transport::PeerKind::node,
                                       .key = grant.worker.key,
                                       .same_user = false,
                                       .name = "node out of reach"};
            events.on_message(
                from,
                job::HandBack{.worker = grant.worker,
                              .lease = grant.lease,
                              .reason = Errc::unavailable,
                              .message = "it cannot be reached directly, and the job has effects"});
        });
    }
};

Network::Network(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Network::~Network() = default;

Result<std::unique_ptr<Network>>
Network::open(net::EventLoop& loop, NetworkOptions options, NetworkSelf self, log::Sink note) {
    auto made = std::make_unique<Impl>(loop, std::move(options), std::move(self), std::move(note));
    Impl* const impl = made.get();
    kubo::RpcOptions rpc;
    rpc.address = impl->options.kubo_api;
    rpc.token = impl->options.kubo_token;
    rpc.shared_breaker = impl->options.kubo_breaker;
    rpc.stop = [impl]() -> std::optional<Error> {
        if (impl->ending) {
            return Error{Errc::cancelled, "this process is ending"};
        }
        return std::nullopt;
    };
    rpc.on_attempt = counting(impl->options.counts);
    impl->rpc = TRY(kubo::Rpc::open(std::move(rpc)));
    transport::LinksOptions links;
    links.self = {.instance = impl->self.worker.instance,
                  .key = impl->self.key,
                  .name = impl->self.name,
                  .software = impl->self.software};
    // Kubo's streams come by way of a port too, which nobody else is told of.
    links.listen = impl->options.listen.empty() ? "127.0.0.1:0" : impl->options.listen;
    links.is_trusted = [impl](const PublicKey& key) { return impl->trusted.contains(key); };
    links.entropy = &random_entropy;
    links.resolve = [impl](const std::string& address,
                           std::function<void(Result<std::string>)> done) {
        impl->resolve(address, std::move(done));
    };
    links.note = impl->note;
    links.undelivered =
        [impl](const job::Instance& to, const job::Message& message, transport::Delivery delivery) {
            impl->send_again(to, message, delivery);
        };
    impl->links = TRY(transport::Links::open(loop, std::move(links)));
    impl->topic = std::make_unique<transport::Topic>(
        loop,
        transport::TopicOptions{
            .self = impl->self.worker.instance,
            .key = impl->self.key,
            .is_trusted = [impl](const PublicKey& key) { return impl->trusted.contains(key); },
            .publish =
                [impl](Bytes packet) {
                    if (impl->publisher) {
                        static_cast<void>(impl->publisher->publish(
                            std::string(transport::topic_name), std::move(packet)));
                    }
                },
            .on_heard = [impl](transport::Heard heard) { impl->heard(std::move(heard)); },
            .on_stranger = [impl](const transport::Heard& heard) { impl->heard_stranger(heard); }});
    return std::unique_ptr<Network>(new Network(std::move(made)));
}

void Network::start(transport::Events events, std::function<void(KuboState)> on_kubo) {
    Impl* const impl = impl_.get();
    impl->events = events;
    impl->links->start(std::move(events));
    impl->asker = std::make_unique<Asker>();
    impl->kubo_dialler = std::make_unique<KuboDialler>(impl->loop, *impl->rpc);
    kubo::PublisherOptions publishing;
    publishing.lock_folder = impl->options.lock_folder;
    impl->publisher = std::make_unique<kubo::Publisher>(*impl->rpc, std::move(publishing));
    kubo::SubscriptionOptions listening;
    listening.topic = std::string(transport::topic_name);
    listening.on_message = [impl](const kubo::PubsubMessage& message) {
        impl->topic->hear(message);
    };
    listening.on_state = [impl,
                          on_kubo = std::move(on_kubo)](const kubo::SubscriptionState& state) {
        impl->post([impl, state, on_kubo] {
            // One that is there and has no pubsub still serves the jobs of this home.
            const bool is_gone = !state.is_up() && state.down->code == Errc::unavailable;
            impl->tell(state, is_gone);
            if (state.is_up()) {
                impl->forwards.clear(); // It may be another Kubo, or have forgotten.
                impl->reach_question->ask();
                impl->kubo_dialler->start_over();
            }
            on_kubo(is_gone ? KuboState::gone : KuboState::there);
        });
    };
    impl->subscription = std::make_unique<kubo::Subscription>(*impl->rpc, std::move(listening));
    impl->listen_for_unsigned_jobs();
    impl->begin_asking_reach();
    impl->show_later();
    impl->look_for_silence();
}

void Network::on_unsigned(std::function<void(transport::HeardUnsigned)> on_job) {
    if (!impl_->options.unsigned_peers.empty()) {
        impl_->unsigned_topic = std::make_unique<transport::UnsignedTopic>(
            impl_->loop,
            transport::UnsignedTopicOptions{.peers = impl_->options.unsigned_peers,
                                            .on_job = std::move(on_job),
                                            .note = impl_->note});
    }
}

void Network::send(const job::Instance& to, const job::Message& message) {
    impl_->send(to, message);
}

void Network::announce(const job::Message& message) {
    impl_->links->announce(message);
    impl_->topic->announce(message);
}

std::vector<transport::Peer> Network::peers() const { return impl_->links->peers(); }

void Network::trust(std::vector<PublicKey> keys) {
    impl_->trusted.replace(std::move(keys));
    impl_->links->drop_untrusted();
}

void Network::keep_connected(std::vector<std::vector<std::string>> kubos) {
    impl_->kubo_dialler->keep_connected(std::move(kubos));
}

void Network::on_stranger(OnStranger on_stranger) { impl_->on_stranger = std::move(on_stranger); }

bool Network::has(const job::Instance& instance) const { return impl_->links->has(instance); }

std::vector<std::string> Network::addresses_of(const job::Instance& instance) const {
    return impl_->links->addresses_of(instance);
}

transport::Topic::Counters Network::topic_counters() const { return impl_->topic->counters(); }

} // namespace ic::wiring
