#include "session/testing/nodes.h"
#include "transport/http/links.h"
#include "transport/testing/contract.h"

#include <set>

namespace ic::testing_transport {
namespace {

using namespace std::chrono_literals;

class HttpWorld;

/// On a loop of its own, so that it alone can stand still.
class HttpNode final : public Member {
public:
    HttpNode(HttpWorld& world, std::uint8_t number);
    HttpNode(const HttpNode&) = delete;
    HttpNode& operator=(const HttpNode&) = delete;
    ~HttpNode() override;

    void turn() { loop_->run_for(1ms); }

    Transport& way() override { return *links_; }

    Peer self() const override {
        return {.instance = instance_,
                .kind = PeerKind::node,
                .key = key_.public_key(),
                .same_user = false,
                .name = {}};
    }

    transport::Contact contact() const {
        return {.instance = instance_,
                .key = key_.public_key(),
                .at = {"http://127.0.0.1:" + std::to_string(links_->port())}};
    }

    void learn(const transport::Contact& contact) { links_->learn(contact); }

private:
    HttpWorld& world_;
    const PrivateKey key_;
    const job::Instance instance_;
    std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
    std::unique_ptr<transport::Links> links_;
};

class HttpWorld final : public World {
public:
    Promises promises() const override { return {.cuts_off = true}; }

    std::unique_ptr<Member> join(std::uint8_t number, PeerKind kind) override {
        EXPECT_EQ(kind, PeerKind::node);
        auto node = std::make_unique<HttpNode>(*this, number);
        for (HttpNode* const other : members_) {
            other->learn(node->contact()); // Of itself it learns nothing.
            node->learn(other->contact());
        }
        return node;
    }

    void turn() override {
        const std::set<HttpNode*> all = members_;
        for (HttpNode* const member : all) {
            if (!stalled_.contains(member)) {
                member->turn();
            }
        }
    }

    void stall(Member& member) override { stalled_.insert(&member); }

    void enter(HttpNode& member) { members_.insert(&member); }

    void leave(HttpNode& member) { members_.erase(&member); }

    /// Never twice: of the sessions of all.
    std::uint8_t entropy() { return next_entropy_++; }

private:
    std::set<HttpNode*> members_;
    std::set<Member*> stalled_;
    std::uint8_t next_entropy_ = 0;
};

HttpNode::HttpNode(HttpWorld& world, std::uint8_t number)
    : world_(world)
    , key_(session::testing::key_of(number))
    , instance_(session::testing::instance_of(number)) {
    transport::LinksOptions options;
    options.self = {.instance = instance_,
                    .key = &key_,
                    .name = "node " + std::to_string(number),
                    .software = "test"};
    options.listen = "127.0.0.1:0";
    options.is_trusted = [](const PublicKey& /*key*/) { return true; };
    options.entropy = [&world] { return session::testing::entropy_of(world.entropy()); };
    options.redial_first = 50ms;
    links_ = transport::Links::open(*loop_, std::move(options)).take();
    links_->start(seen.events());
    world_.enter(*this);
}

HttpNode::~HttpNode() { world_.leave(*this); }

std::unique_ptr<World> make_http() { return std::make_unique<HttpWorld>(); }

INSTANTIATE_TEST_SUITE_P(Http, TransportContract, testing::ValuesIn(contract_on(&make_http)));
INSTANTIATE_TEST_SUITE_P(Http, PeersContract, testing::ValuesIn(contract_on(&make_http)));
INSTANTIATE_TEST_SUITE_P(Http, CutsOffContract, testing::ValuesIn(contract_on(&make_http)));

} // namespace
} // namespace ic::testing_transport
