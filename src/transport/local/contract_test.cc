#include "transport/local/local_client.h"
#include "transport/local/local_transport.h"
#include "transport/testing/contract.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <set>

namespace ic::testing_transport {
namespace {

using namespace std::chrono_literals;

class LocalWorld;

transport::Hello hello(std::uint8_t number, PeerKind kind) {
    transport::Hello said;
    said.instance.bytes.fill(number);
    said.kind = kind;
    said.key.bytes.fill(number);
    said.name = "member " + std::to_string(number);
    said.software = "test";
    return said;
}

Peer peer_of(const transport::Hello& hello) {
    return {.instance = hello.instance,
            .kind = hello.kind,
            .key = hello.key,
            .same_user = true,
            .name = hello.name};
}

/// A member, and what it does when it is its turn.
class LocalMember : public Member {
public:
    LocalMember(LocalWorld& world, transport::Hello said);
    LocalMember(const LocalMember&) = delete;
    LocalMember& operator=(const LocalMember&) = delete;
    ~LocalMember() override;

    virtual void turn() = 0;

    Peer self() const override { return peer_of(hello_); }

protected:
    LocalWorld& world_;
    const transport::Hello hello_;
};

class LocalWorld final : public World {
public:
    LocalWorld() {
        std::string name = (std::filesystem::temp_directory_path() / "bus-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
    }

    LocalWorld(const LocalWorld&) = delete;
    LocalWorld& operator=(const LocalWorld&) = delete;

    ~LocalWorld() override {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }

    Promises promises() const override {
        return {.has_clients = true, .tells_death = true, .cuts_off = true, .meets_unasked = true};
    }

    std::unique_ptr<Member> join(std::uint8_t number, PeerKind kind) override;

    void turn() override {
        const std::set<LocalMember*> all = members_;
        for (LocalMember* const member : all) {
            if (!stalled_.contains(member)) {
                member->turn();
            }
        }
    }

    void stall(Member& member) override { stalled_.insert(&member); }

    std::filesystem::path bus() const { return root_ / "bus"; }

    void enter(LocalMember& member) { members_.insert(&member); }

    void leave(LocalMember& member) { members_.erase(&member); }

private:
    std::filesystem::path root_;
    std::set<LocalMember*> members_;
    std::set<Member*> stalled_;
};

LocalMember::LocalMember(LocalWorld& world, transport::Hello said)
    : world_(world)
    , hello_(std::move(said)) {
    world_.enter(*this);
}

LocalMember::~LocalMember() { world_.leave(*this); }

/// On a loop of its own, so that it alone can stand still.
class LocalNode final : public LocalMember {
public:
    LocalNode(LocalWorld& world, std::uint8_t number)
        : LocalMember(world, hello(number, PeerKind::node)) {
        transport::LocalOptions options;
        options.folder = world.bus();
        options.self = hello_;
        transport_ = transport::LocalTransport::open(*loop_, std::move(options)).take();
        EXPECT_TRUE(transport_->start(seen.events()));
    }

    void turn() override { loop_->run_for(1ms); }

    Transport& way() override { return *transport_; }

private:
    std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
    std::unique_ptr<transport::LocalTransport> transport_;
};

/// A command's connection, by the interface of a transport.
class LocalClientMember final : public LocalMember, private Transport {
public:
    LocalClientMember(LocalWorld& world, std::uint8_t number)
        : LocalMember(world, hello(number, PeerKind::client)) {
        std::future<Result<transport::LocalClient>> connecting =
            std::async(std::launch::async, [this] {
                return transport::LocalClient::connect(world_.bus(), hello_, 60s);
            });
        while (connecting.wait_for(0s) != std::future_status::ready) {
            world_.turn();
        }
        client_.emplace(connecting.get().take());
        events_ = seen.events();
    }

    void turn() override {
        if (!client_) {
            return; // Still connecting.
        }
        if (!has_met_) {
            has_met_ = true;
            events_.on_peer(client_->node());
        }
        Result<std::optional<job::Message>> received = client_->receive(1ms);
        if (std::optional<job::Message> message =
                received ? std::move(received).take() : std::nullopt) {
            events_.on_message(client_->node(), std::move(*message));
        }
    }

    Transport& way() override { return *this; }

    void send(const job::Instance& to, const job::Message& message) override {
        if (to == client_->node().instance) {
            EXPECT_TRUE(client_->send(message, 60s));
        }
    }

    void announce(const job::Message& message) override { send(client_->node().instance, message); }

    std::vector<Peer> peers() const override { return {client_->node()}; }

private:
    std::optional<transport::LocalClient> client_;
    Events events_;
    bool has_met_ = false;
};

std::unique_ptr<Member> LocalWorld::join(std::uint8_t number, PeerKind kind) {
    if (kind == PeerKind::node) {
        return std::make_unique<LocalNode>(*this, number);
    }
    return std::make_unique<LocalClientMember>(*this, number);
}

std::unique_ptr<World> make_local() { return std::make_unique<LocalWorld>(); }

INSTANTIATE_TEST_SUITE_P(Local, TransportContract, testing::ValuesIn(contract_on(&make_local)));
INSTANTIATE_TEST_SUITE_P(Local, PeersContract, testing::ValuesIn(contract_on(&make_local)));
INSTANTIATE_TEST_SUITE_P(Local, ClientsContract, testing::ValuesIn(contract_on(&make_local)));
INSTANTIATE_TEST_SUITE_P(Local, CutsOffContract, testing::ValuesIn(contract_on(&make_local)));

} // namespace
} // namespace ic::testing_transport
