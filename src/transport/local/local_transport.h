#pragma once
/// LocalTransport: a node's place on the bus, the unix sockets between the processes of one home.
/// Wire format and files: docs/formats/bus.md.

#include "log/entry.h"
#include "net/event_loop.h"
#include "transport/local/bus_directory.h"
#include "transport/local/frames.h"
#include "transport/local/hello.h"
#include "transport/transport.h"

#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace ic::transport {

namespace limits {
/// What may wait for one peer that does not read; beyond it the peer is cut off. Ours: some
/// hundreds of the largest messages, seconds of a busy node.
inline constexpr std::size_t peer_queue_bytes_max = 16U << 20U;
/// Peers and strangers at once.
inline constexpr std::size_t connections_max = 1024;
/// Connections that have not said hello yet.
inline constexpr std::size_t strangers_max = 128;
/// How long a connection may take to say hello.
inline constexpr std::chrono::milliseconds hello_time_max{5'000};
/// Datagrams read from one peer before the others have their turn.
inline constexpr std::size_t datagrams_per_turn_max = 32;
} // namespace limits

/// What a node needs to join.
struct LocalOptions {
    std::filesystem::path folder; ///< `<home>/bus`.
    Hello self;                   ///< `kind` is node.
    /// After the loss of a connection: how long the proof of death is waited for before the peer
    /// is reported as silent.
    std::chrono::milliseconds silent_after{50};
    /// The user whose processes are let in.
    uid_t user = ::geteuid();
    std::size_t peer_queue_bytes_max = limits::peer_queue_bytes_max;
    log::Sink note; ///< Who was refused or cut off, and why.
};

/// Meets every other node of the home (one connection a pair) and lets clients in. A message to
/// this node itself comes back through the loop; announcements do not.
///
/// Each node passes its peers the read end of its liveness pipe. Children that run guests must
/// inherit the write end (`liveness_fd`): its end of file, and nothing else, makes Fate::dead. A
/// peer that was reported silent may still be reported dead later, or come back through `on_peer`.
/// A client that goes is reported silent: nothing proves more.
///
/// Threads: the loop's. Lifetime: the loop's at least.
class LocalTransport final : public Transport {
public:
    /// Takes the lock file and makes the socket; nobody finds it yet.
    /// Errors: refused (the folder is not ours alone), unavailable.
    static Result<std::unique_ptr<LocalTransport>> open(net::EventLoop& loop, LocalOptions options);

    ~LocalTransport() override;

    /// Lets others in and goes to meet those that are there. To be called once.
    Result<void> start(Events events);

    /// The write end of the liveness pipe, close-on-exec: to be handed on, as another number, to
    /// every process that may run a guest. Lifetime: as this object.
    int liveness_fd() const { return liveness_write_.get(); }

    /// Whether the kernel proves that this process of the home is gone, whoever asks.
    bool is_dead(const job::Instance& instance) const { return folder_.is_dead(instance); }

    bool has(const job::Instance& instance) const { return peers_.contains(instance); }

    void send(const job::Instance& to, const job::Message& message) override;
    void announce(const job::Message& message) override;
    std::vector<Peer> peers() const override;

private:
    struct Link;
    struct Fallen;
    struct Dialing {
        net::TimerId retry;
        std::chrono::milliseconds delay{};
    };

    LocalTransport(net::EventLoop& loop, LocalOptions options, BusDirectory folder);

    Result<void> watch_folder();
    void meet_everybody();
    void dial(const job::Instance& node);
    void dial_later(const job::Instance& node);
    Result<void> watch_listener();
    void accept_later();
    void accept_waiting();
    std::shared_ptr<Link> add_link(UniqueFd socket);
    Result<void> say_hello(Link& link, PeerKind to);
    void read_ready(const std::shared_ptr<Link>& link);
    /// Whether the link goes on.
    bool take_datagram(const std::shared_ptr<Link>& link, ByteView datagram, UniqueFd passed);
    Result<void> take_hello(const std::shared_ptr<Link>& link, ByteView datagram, UniqueFd passed);
    Result<void> take_messages(const std::shared_ptr<Link>& link, ByteView datagram);
    void queue(Link& link, ByteView message);
    void schedule_flush();
    void flush_all();
    void flush(Link& link);
    void cut(const std::shared_ptr<Link>& link, const std::string& why);
    void drop(const std::shared_ptr<Link>& link);
    void mourn(const Peer& peer, UniqueFd liveness);
    void bury(const job::Instance& instance);
    bool awaits_meeting(const job::Instance& node) const;

    net::EventLoop& loop_;
    LocalOptions options_;
    Events events_;
    BusDirectory folder_;
    UniqueFd lock_;
    UniqueFd listener_;
    UniqueFd inotify_;
    UniqueFd liveness_read_;
    UniqueFd liveness_write_;
    net::Watch listener_watch_;
    net::Watch inotify_watch_;
    net::TimerId accept_again_;
    bool published_ = false;
    bool flush_is_due_ = false;
    Bytes buffer_; ///< Of one datagram being read.

    std::set<std::shared_ptr<Link>> links_; ///< All; shared with the call that is using one.
    std::map<job::Instance, std::shared_ptr<Link>> peers_;
    std::map<job::Instance, Dialing> dialing_;
    std::map<job::Instance, std::unique_ptr<Fallen>> fallen_;
    /// What work posted to the loop looks at first: this object may be gone by then.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace ic::transport
