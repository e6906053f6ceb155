#pragma once
/// Links: direct messages between nodes of different machines, each pair over one session
/// (docs/formats/session.md) that is carried by a WebSocket. A link is made when there is something
/// to say and closed when nothing was said for a while.

#include "log/entry.h"
#include "net/event_loop.h"
#include "net/web_socket.h"
#include "session/session.h"
#include "transport/contact.h"
#include "transport/transport.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ic::transport {

namespace limits {
/// Ours. Established ones, whoever dialled.
inline constexpr std::size_t links_max = 256;
/// Processes whose addresses are remembered; beyond it the one heard of longest ago is forgotten.
inline constexpr std::size_t contacts_max = 4'096;
/// What waits for a link that is being made. More is dropped: it is all hints.
inline constexpr std::size_t contact_queue_bytes_max = 1U << 20U;
} // namespace limits

/// Where sessions are taken, and the name that both ends must give.
inline constexpr std::string_view session_path = "/ipfs-compute/session/1";
inline constexpr std::string_view session_subprotocol = "ipfs-compute.1";

/// Says at which URL an address that is none (`/p2p/...`) can be dialled now. Calls back on
/// the loop's thread, at once or later.
using Resolve =
    std::function<void(const std::string& address, std::function<void(Result<std::string>)> done)>;

/// How much of a message that is given back the other end may have had.
enum class Delivery : std::uint8_t {
    none,
    unknown, ///< It went over a link on which nothing ever came.
};

struct LinksOptions {
    session::Self self;
    std::string listen; ///< `[::]:0`, `127.0.0.1:8586`; empty: nobody is let in.
    std::function<bool(const PublicKey&)> is_trusted;
    std::function<session::Entropy()> entropy;
    Resolve resolve{}; ///< Empty: such addresses are passed over.
    std::chrono::milliseconds idle_max{300'000};
    std::chrono::milliseconds handshake_time_max{10'000}; ///< From open to established.
    /// Before the next address of a contact is tried beside those that have not answered.
    std::chrono::milliseconds next_address_after{250};
    /// After all addresses of a contact have failed: first and longest pause.
    std::chrono::milliseconds redial_first{500};
    std::chrono::milliseconds redial_longest{30'000};
    /// Whoever closes a link so soon, and said nothing, did not let us in: as if it had failed.
    std::chrono::milliseconds refused_within{5'000};
    std::size_t links_max = limits::links_max;
    std::size_t contacts_max = limits::contacts_max;
    log::Sink note{};
    /// What has waited for a link that cannot be made, or went over one that was refused, in order.
    /// Empty: it is dropped.
    std::function<void(const job::Instance&, job::Message, Delivery)> undelivered{};
};

/// A peer is there from when its session is established (on_peer) until its link is closed
/// (on_gone, always silent: nothing proves more). Of two links to one process one stays.
/// Threads: the loop's. Lifetime: within the loop's and that of `self.key`.
class Links final : public Transport {
public:
    /// Errors: unavailable, malformed: the address to listen at.
    static Result<std::unique_ptr<Links>> open(net::EventLoop& loop, LinksOptions options);

    ~Links() override;

    /// Lets others in from here on. To be called once.
    void start(Events events);

    /// Where it listens; 0 if it does not.
    std::uint16_t port() const;

    /// Remembers where this process can be dialled. What is newer replaces what is older.
    void learn(Contact contact);

    /// Closes the links to those whom `LinksOptions::is_trusted` denies now.
    void drop_untrusted();

    bool has(const job::Instance& instance) const { return peers_.contains(instance); }

    bool knows(const job::Instance& instance) const { return targets_.contains(instance); }

    /// Where this process takes sessions, as far as it said so.
    std::vector<std::string> addresses_of(const job::Instance& instance) const;

    /// Whether `send` would drop what it is given: no link, and no address, or none that answered
    /// a moment ago.
    bool is_out_of_reach(const job::Instance& instance) const;

    /// Over the link; where there is none it is made first, if the contact is known.
    void send(const job::Instance& to, const job::Message& message) override;

    /// Over the links that there are.
    void announce(const job::Message& message) override;

    std::vector<Peer> peers() const override;

private:
    struct Link;
    struct Target;
    using Held = std::shared_ptr<Link>;

    /// One address of a process being tried, in one round of dialling it.
    struct Attempt {
        job::Instance instance;
        std::uint64_t round = 0;
    };

    Links(net::EventLoop& loop, LinksOptions options);

    void accept(std::unique_ptr<net::WebSocket> socket);
    void begin(const Held& link, session::Session session);
    net::WebSocketCallbacks callbacks_of(const Held& link);
    void take(const Held& link, ByteView message);
    void established(const Held& link);
    bool replaces(const Link& link, const Link& other) const;
    void reached(Link& link);
    void deliver(const Held& link, ByteView payload);
    void send_over(Link& link, ByteView payload);
    void send_first(Link& link, Bytes payload);
    void dial(Target& target);
    void dial_next(const job::Instance& instance);
    void dial_url(const Attempt& attempt, const Result<std::string>& url);
    Target* target_of(const Attempt& attempt);
    void give_back(const job::Instance& to, std::deque<Bytes> payloads, Delivery delivery);
    void attempt_failed(const Attempt& attempt, const std::string& why);
    void rest(Target& target, const std::string& why);
    bool is_unproven(const Link& link) const;
    void closed(const Held& link, const std::string& why);
    void drop(const Held& link, const std::string& why);
    void sweep();
    void forget_contacts();

    net::EventLoop& loop_;
    LinksOptions options_;
    Events events_;
    std::unique_ptr<net::WebSocketListener> listener_;
    std::set<Held> links_; ///< All, in whatever state.
    std::map<job::Instance, Held> peers_;
    std::map<job::Instance, std::unique_ptr<Target>> targets_;
    net::TimerId sweep_timer_;
    std::uint64_t learned_ = 0; ///< Counts, so that the oldest contact is known.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace ic::transport
