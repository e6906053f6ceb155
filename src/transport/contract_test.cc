#include "transport/in_process.h"
#include "transport/testing/contract.h"
#include "transport/testing/faulty_transport.h"

#include <deque>
#include <utility>

namespace ic::testing_transport {
namespace {

/// Work that waits to be done, as of a loop.
class Posted {
public:
    void post(std::function<void()> one) { work_.push_back(std::move(one)); }

    void run() {
        while (!work_.empty()) {
            const std::function<void()> one = std::move(work_.front());
            work_.pop_front();
            one();
        }
    }

private:
    std::deque<std::function<void()>> work_;
};

class InProcessMember final : public Member {
public:
    InProcessMember(transport::InProcessNetwork& network, Peer self)
        : self_(std::move(self))
        , transport_(network.join(self_, seen.events())) {}

    Transport& way() override { return *transport_; }

    Peer self() const override { return self_; }

private:
    const Peer self_;
    std::unique_ptr<Transport> transport_;
};

Peer peer_of(std::uint8_t number, PeerKind kind) {
    Peer peer;
    peer.instance.bytes.fill(number);
    peer.key.bytes.fill(number);
    peer.kind = kind;
    return peer;
}

class InProcessWorld : public World {
public:
    Promises promises() const override {
        return {.has_clients = true, .tells_death = true, .meets_unasked = true};
    }

    std::unique_ptr<Member> join(std::uint8_t number, PeerKind kind) override {
        return std::make_unique<InProcessMember>(network_, peer_of(number, kind));
    }

    void turn() override { posted_.run(); }

protected:
    Posted posted_;
    transport::InProcessNetwork network_{
        [this](std::function<void()> one) { posted_.post(std::move(one)); }};
};

/// The same with faults between, all of them switched off: it must not be seen.
class FaultlessWorld final : public InProcessWorld {
public:
    std::unique_ptr<Member> join(std::uint8_t number, PeerKind kind) override {
        class Wrapped final : public Member {
        public:
            Wrapped(transport::InProcessNetwork& network, Peer self, FaultyOptions options)
                : self_(std::move(self))
                , faulty_(std::move(options), seen.events())
                , inner_(network.join(self_, faulty_.events())) {
                faulty_.over(*inner_);
            }

            Transport& way() override { return faulty_; }

            Peer self() const override { return self_; }

        private:
            const Peer self_;
            FaultyTransport faulty_;
            std::unique_ptr<Transport> inner_; // Goes first: it may call until then.
        };
        return std::make_unique<Wrapped>(
            network_,
            peer_of(number, kind),
            FaultyOptions{
                .faults = {},
                .seed = number,
                .after = [this](std::chrono::milliseconds /*delay*/, std::function<void()> work) {
                    posted_.post(std::move(work));
                }});
    }
};

std::unique_ptr<World> make_in_process() { return std::make_unique<InProcessWorld>(); }

std::unique_ptr<World> make_faultless() { return std::make_unique<FaultlessWorld>(); }

INSTANTIATE_TEST_SUITE_P(InProcess,
                         TransportContract,
                         testing::ValuesIn(contract_on(&make_in_process)));
INSTANTIATE_TEST_SUITE_P(InProcess,
                         PeersContract,
                         testing::ValuesIn(contract_on(&make_in_process)));
INSTANTIATE_TEST_SUITE_P(InProcess,
                         ClientsContract,
                         testing::ValuesIn(contract_on(&make_in_process)));
INSTANTIATE_TEST_SUITE_P(Faultless,
                         TransportContract,
                         testing::ValuesIn(contract_on(&make_faultless)));
INSTANTIATE_TEST_SUITE_P(Faultless, PeersContract, testing::ValuesIn(contract_on(&make_faultless)));
INSTANTIATE_TEST_SUITE_P(Faultless,
                         ClientsContract,
                         testing::ValuesIn(contract_on(&make_faultless)));

} // namespace
} // namespace ic::testing_transport
