#pragma once
/// FaultyTransport: another transport with what can go wrong on the way, by a seed.

#include "transport/transport.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <vector>

namespace ic::testing_transport {

/// Shares of 1, each for itself, of the messages that are sent. An announcement is one message:
/// what happens to it happens for all.
struct Faults {
    double dropped = 0;
    double doubled = 0;
    double late = 0;    ///< By up to `late_max`, so that others overtake it.
    double corrupt = 0; ///< A byte of it is changed: no transport passes that on.
    /// The connection to whom it is for goes: `silent`, and nothing either way until it is back.
    double disconnecting = 0;
    std::chrono::milliseconds late_max{100};
    std::chrono::milliseconds away{200};
};

struct FaultyOptions {
    Faults faults;
    std::uint64_t seed = 0;
    /// Has work done later, on the loop's thread, never from within the call.
    std::function<void(std::chrono::milliseconds delay, std::function<void()> work)> after;
};

/// Stands before `over`'s transport and behind its events: the faults are of what is sent, and with
/// one at each end of all that passes. Without faults nothing shows of it.
/// Threads: the loop's.
class FaultyTransport final : public transport::Transport {
public:
    struct Counters {
        std::uint64_t sent = 0; ///< Asked for.
        std::uint64_t dropped = 0;
        std::uint64_t doubled = 0;
        std::uint64_t late = 0;
        std::uint64_t corrupt = 0;
        std::uint64_t disconnected = 0;
    };

    FaultyTransport(FaultyOptions options, transport::Events heard);
    FaultyTransport(const FaultyTransport&) = delete;
    FaultyTransport& operator=(const FaultyTransport&) = delete;
    ~FaultyTransport() override;

    /// What the inner transport is to be given. Lifetime: as this.
    transport::Events events();

    /// The inner transport; before anything is sent. It goes before this does.
    void over(transport::Transport& inner) { inner_ = &inner; }

    /// From here on.
    void faults(const Faults& faults) { options_.faults = faults; }

    void send(const job::Instance& to, const job::Message& message) override;
    void announce(const job::Message& message) override;
    std::vector<transport::Peer> peers() const override;

    const Counters& counters() const { return counters_; }

private:
    bool happens(double share);
    void pass(const job::Message& message, const std::function<void(const job::Message&)>& on);
    void disconnect(const job::Instance& instance);
    void after(std::chrono::milliseconds delay, std::function<void()> work);

    FaultyOptions options_;
    const transport::Events heard_;
    transport::Transport* inner_ = nullptr;
    std::mt19937_64 random_;
    std::set<job::Instance> away_;
    Counters counters_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace ic::testing_transport
