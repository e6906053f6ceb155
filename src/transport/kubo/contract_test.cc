#include "job/testing/samples.h"
#include "kubo/publisher.h"
#include "kubo/pubsub.h"
#include "kubo/subscription.h"
#include "transport/kubo/topic.h"
#include "transport/testing/contract.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>

namespace ic::testing_transport {
namespace {

using namespace std::chrono_literals;

/// A topic by the interface of a transport. Of a topic nobody knows who listens.
class TopicMember final : public Member, private Transport {
public:
    TopicMember(net::EventLoop& loop, std::uint8_t number, std::function<void(Bytes)> publish)
        : key_(job::testing::sample_key(number))
        , events_(seen.events())
        , topic_(loop,
                 {.self = job::testing::sample_instance(number),
                  .key = &key_,
                  .is_trusted = [](const PublicKey& /*key*/) { return true; },
                  .publish = std::move(publish),
                  .on_heard = [this](transport::Heard heard) { take(std::move(heard)); }})
        , instance_(job::testing::sample_instance(number)) {}

    /// What must end before the topic does.
    std::shared_ptr<void> wire;

    transport::Topic& topic() { return topic_; }

    Transport& way() override { return *this; }

    Peer self() const override {
        return {.instance = instance_,
                .kind = PeerKind::node,
                .key = key_.public_key(),
                .same_user = false,
                .name = {}};
    }

    void send(const job::Instance& to, const job::Message& message) override {
        topic_.send(to, message);
    }

    void announce(const job::Message& message) override { topic_.announce(message); }

    std::vector<Peer> peers() const override { return {}; }

    ~TopicMember() override { wire.reset(); }

    TopicMember(const TopicMember&) = delete;
    TopicMember& operator=(const TopicMember&) = delete;

private:
    void take(transport::Heard heard) {
        const Peer from{.instance = heard.from.instance,
                        .kind = PeerKind::node,
                        .key = heard.from.key,
                        .same_user = false,
                        .name = {}};
        for (job::Message& message : heard.messages) {
            events_.on_message(from, std::move(message));
        }
    }

    const PrivateKey key_;
    const Events events_;
    transport::Topic topic_;
    const job::Instance instance_;
};

/// Packets go from each to all, as pubsub does it, the sender included.
class WireWorld final : public World {
public:
    Promises promises() const override { return {.has_peers = false}; }

    std::unique_ptr<Member> join(std::uint8_t number, PeerKind /*kind*/) override {
        auto member = std::make_unique<TopicMember>(
            *loop_, number, [this, number](const Bytes& packet) { publish(number, packet); });
        transport::Topic* const topic = &member->topic();
        topics_[number] = topic;
        member->wire = std::shared_ptr<void>(
            topic, [this, number](void* /*topic*/) { topics_.erase(number); });
        return member;
    }

    void turn() override { loop_->run_for(1ms); }

private:
    void publish(std::uint8_t from, const Bytes& packet) {
        for (const auto& [number, topic] : topics_) {
            topic->hear({.from = "12D3KooWPeer" + std::to_string(from),
                         .data = packet,
                         .seqno = {++count_}});
        }
    }

    std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
    std::map<std::uint8_t, transport::Topic*> topics_;
    std::uint8_t count_ = 0;
};

std::unique_ptr<World> make_wire() { return std::make_unique<WireWorld>(); }

INSTANTIATE_TEST_SUITE_P(Wire, TransportContract, testing::ValuesIn(contract_on(&make_wire)));

/// The APIs of Kubos that are connected, which tests/kubo/transport_test.py has started.
std::vector<std::string> kubo_apis() {
    std::vector<std::string> apis;
    const char* const given = std::getenv("IC_TEST_KUBO_APIS");
    std::istringstream words(given == nullptr ? "" : given);
    for (std::string api; words >> api;) {
        apis.push_back(api);
    }
    return apis;
}

std::unique_ptr<kubo::Rpc> open_rpc(const std::string& api) {
    kubo::RpcOptions options;
    options.address = api;
    return kubo::Rpc::open(std::move(options)).take();
}

/// Members at real Kubos, in turns. Destroyed in reverse: who listens ends before who speaks.
struct RealWire {
    std::unique_ptr<kubo::Rpc> rpc;
    std::unique_ptr<kubo::Publisher> publisher;
    std::atomic<bool> is_up{false};
    std::unique_ptr<kubo::Subscription> subscription;
};

class KuboWorld final : public World {
public:
    KuboWorld() {
        for (const std::string& api : kubo_apis()) {
            keepers_.push_back(listen(api, [](const kubo::PubsubMessage& /*message*/) {}));
        }
        // Each has to know that the others listen: pubsub keeps nothing for later.
        EXPECT_TRUE(until([this] {
            return std::ranges::all_of(keepers_, [this](const std::shared_ptr<RealWire>& one) {
                const Result<std::vector<std::string>> peers =
                    kubo::pubsub_peers(*one->rpc, transport::topic_name);
                return peers && peers->size() + 1 >= keepers_.size();
            });
        }));
    }

    Promises promises() const override { return {.has_peers = false, .may_lose = true}; }

    std::unique_ptr<Member> join(std::uint8_t number, PeerKind /*kind*/) override {
        const std::vector<std::string> apis = kubo_apis();
        auto wire = std::make_shared<std::shared_ptr<RealWire>>();
        auto member = std::make_unique<TopicMember>(*loop_, number, [wire](Bytes packet) {
            EXPECT_TRUE(
                (*wire)->publisher->publish(std::string(transport::topic_name), std::move(packet)));
        });
        transport::Topic* const topic = &member->topic();
        *wire = listen(apis[number % apis.size()],
                       [topic](const kubo::PubsubMessage& message) { topic->hear(message); });
        EXPECT_TRUE(until([&wire] { return (*wire)->is_up.load(); }));
        member->wire = std::shared_ptr<void>(nullptr, [wire](void* /*nothing*/) { wire->reset(); });
        return member;
    }

    void turn() override { loop_->run_for(5ms); }

private:
    static std::shared_ptr<RealWire> listen(const std::string& api,
                                            std::function<void(kubo::PubsubMessage)> on_message) {
        auto wire = std::make_shared<RealWire>();
        wire->rpc = open_rpc(api);
        kubo::PublisherOptions publishing;
        publishing.lock_folder = std::filesystem::temp_directory_path().string();
        wire->publisher = std::make_unique<kubo::Publisher>(*wire->rpc, std::move(publishing));
        kubo::SubscriptionOptions listening;
        listening.topic = std::string(transport::topic_name);
        listening.on_message = std::move(on_message);
        listening.on_state = [raw = wire.get()](const kubo::SubscriptionState& state) {
            raw->is_up = state.is_up();
        };
        wire->subscription = std::make_unique<kubo::Subscription>(*wire->rpc, std::move(listening));
        return wire;
    }

    std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
    std::vector<std::shared_ptr<RealWire>> keepers_;
};

std::unique_ptr<World> make_kubo() { return std::make_unique<KuboWorld>(); }

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TransportContract);
INSTANTIATE_TEST_SUITE_P(Kubo,
                         TransportContract,
                         testing::ValuesIn(kubo_apis().empty() ? std::vector<MakeWorld>{}
                                                               : contract_on(&make_kubo)));

} // namespace
} // namespace ic::testing_transport
