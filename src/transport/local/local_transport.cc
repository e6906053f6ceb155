#include "transport/local/local_transport.h"

#include "transport/local/seqpacket.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ic::transport {
namespace {

constexpr std::chrono::milliseconds dial_delay_min{50};
constexpr std::chrono::milliseconds dial_delay_max{2'000};
/// Ours: until the lock of a process whose pipe is closed is looked at again.
constexpr std::chrono::milliseconds lock_delay_min{1};
constexpr std::chrono::milliseconds lock_delay_max{64};
constexpr std::chrono::milliseconds accept_pause{100}; // When there are no descriptors left.
constexpr int socket_buffer_bytes = 1 << 20; // What is asked for; the kernel gives what it may.

} // namespace

/// One connection, from accept or connect on.
struct LocalTransport::Link {
    UniqueFd socket;
    FrameQueue out;
    std::optional<Peer> peer; ///< Since its hello.
    UniqueFd liveness;
    std::optional<job::Instance> dialed; ///< We connected, to this node.
    bool hello_sent = false;
    bool open = true;
    bool doomed = false; ///< To be cut off once the present call is over.
    bool dirty = false;  ///< Has something to flush.
    net::TimerId hello_timer;
    net::Watch reading; // After `socket`: a watch goes before its descriptor.
    net::Watch writing;
};

/// A node whose connection is lost and whose death is not proven yet.
struct LocalTransport::Fallen {
    Peer peer;
    UniqueFd liveness;
    net::TimerId silence;
    net::TimerId burial; ///< To look at its lock again.
    std::chrono::milliseconds burial_delay = lock_delay_min;
    net::Watch watch;
};

LocalTransport::LocalTransport(net::EventLoop& loop, LocalOptions options, BusDirectory folder)
    : loop_(loop)
    , options_(std::move(options))
    , folder_(std::move(folder))
    , buffer_(std::max(limits::datagram_bytes_max, limits::datagram_joined_bytes_max)) {}

Result<std::unique_ptr<LocalTransport>> LocalTransport::open(net::EventLoop& loop,
                                                             LocalOptions options) {
    BusDirectory folder = TRY(BusDirectory::open(options.folder));
    folder.sweep();
    std::unique_ptr<LocalTransport> self{
        new LocalTransport(loop, std::move(options), std::move(folder))};
    const job::Instance& instance = self->options_.self.instance;
    self->lock_ = TRY(self->folder_.take_lock(instance));
    self->published_ = true; // From here on there are names to take away.
    self->listener_ = TRY(self->folder_.listen(instance));
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
        return Error{Errc::unavailable, std::string("no liveness pipe: ") + std::strerror(errno)};
    }
    self->liveness_read_.reset(ends[0]);
    self->liveness_write_.reset(ends[1]);
    return self;
}

LocalTransport::~LocalTransport() {
    *alive_ = false;
    loop_.cancel(accept_again_);
    for (const auto& [instance, dialing] : dialing_) {
        loop_.cancel(dialing.retry);
    }
    for (const std::shared_ptr<Link>& link : links_) {
        loop_.cancel(link->hello_timer);
        flush(*link); // What was said last, as far as it goes without waiting.
    }
    for (const auto& [instance, fallen] : fallen_) {
        loop_.cancel(fallen->silence);
        loop_.cancel(fallen->burial);
    }
    if (published_) {
        folder_.remove(options_.self.instance);
    }
}

Result<void> LocalTransport::start(Events events) {
    events_ = std::move(events);
    TRY(watch_folder()); // Before the name is given: of two that start, one surely sees the other.
    TRY(folder_.publish(options_.self.instance));
    TRY(watch_listener());
    meet_everybody();
    return {};
}

Result<void> LocalTransport::watch_folder() {
    inotify_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    const std::string path = "/proc/self/fd/" + std::to_string(folder_.fd());
    if (!inotify_ || ::inotify_add_watch(inotify_.get(), path.c_str(), IN_MOVED_TO) < 0) {
        return Error{Errc::unavailable,
                     std::string("cannot watch the bus folder: ") + std::strerror(errno)};
    }
    inotify_watch_ = TRY(loop_.watch(inotify_.get(), net::Ready::to_read, [this] {
        alignas(inotify_event) std::array<char, 4096> events{};
        while (::read(inotify_.get(), events.data(), events.size()) > 0) {
        }
        meet_everybody(); // A scan instead of the names: nothing is missed if events overflow.
    }));
    return {};
}

bool LocalTransport::awaits_meeting(const job::Instance& node) const {
    // Of a pair the lower instance connects, so that there is one connection.
    if (!(options_.self.instance < node) || peers_.contains(node)) {
        return false;
    }
    return std::ranges::none_of(
        links_, [&node](const std::shared_ptr<Link>& link) { return link->dialed == node; });
}

void LocalTransport::meet_everybody() {
    for (const job::Instance& node : folder_.scan()) {
        if (awaits_meeting(node)) {
            dial(node);
        }
    }
}

void LocalTransport::dial(const job::Instance& node) {
    if (!awaits_meeting(node)) {
        return;
    }
    Result<UniqueFd> socket = folder_.connect(node);
    if (!socket) {
        if (folder_.is_dead(node)) {
            folder_.sweep();
            dialing_.erase(node);
        } else {
            dial_later(node);
        }
        return;
    }
    if (peer_user(socket->get()) != options_.user) {
        options_.note(log::Level::warning,
                      "the socket of node " + node.to_string() + " belongs to another user",
                      {{"peer", node.to_string()}});
        return;
    }
    const std::shared_ptr<Link> link = add_link(std::move(socket).take());
    if (!link) {
        dial_later(node);
        return;
    }
    link->dialed = node;
    if (Result<void> said = say_hello(*link, PeerKind::node); !said) {
        cut(link, said.error().message);
    }
}

void LocalTransport::dial_later(const job::Instance& node) {
    Dialing& dialing = dialing_[node];
    loop_.cancel(dialing.retry);
    dialing.delay = std::clamp(2 * dialing.delay, dial_delay_min, dial_delay_max);
    dialing.retry = loop_.after(dialing.delay, [this, node] { dial(node); });
}

Result<void> LocalTransport::watch_listener() {
    listener_watch_ =
        TRY(loop_.watch(listener_.get(), net::Ready::to_read, [this] { accept_waiting(); }));
    return {};
}

void LocalTransport::accept_later() {
    listener_watch_.reset();
    accept_again_ = loop_.after(accept_pause, [this] {
        if (!watch_listener()) {
            accept_later();
        }
    });
}

void LocalTransport::accept_waiting() {
    for (;;) {
        UniqueFd socket{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
        if (!socket) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
                // The connection stays due: without a pause the loop would spin.
                options_.note(log::Level::warning,
                              std::string("cannot accept: ") + std::strerror(errno));
                accept_later();
            }
            return;
        }
        if (peer_user(socket.get()) != options_.user) {
            options_.note(log::Level::warning, "refused a connection of another user");
            continue;
        }
        if (links_.size() - peers_.size() >= limits::strangers_max ||
            !add_link(std::move(socket))) {
            options_.note(log::Level::warning, "refused a connection: there are too many");
        }
    }
}

std::shared_ptr<LocalTransport::Link> LocalTransport::add_link(UniqueFd socket) {
    if (links_.size() >= limits::connections_max) {
        return nullptr;
    }
    ::setsockopt(
        socket.get(), SOL_SOCKET, SO_SNDBUF, &socket_buffer_bytes, sizeof socket_buffer_bytes);
    auto link = std::make_shared<Link>();
    link->socket = std::move(socket);
    // The watch is the link's own, so the link outlives the call; a shared pointer here would be a
    // cycle.
    Link* const raw = link.get();
    Result<net::Watch> watch = loop_.watch(raw->socket.get(), net::Ready::to_read, [this, raw] {
        for (const std::shared_ptr<Link>& known : links_) {
            if (known.get() == raw) {
                const std::shared_ptr<Link> kept = known;
                read_ready(kept);
                return;
            }
        }
    });
    if (!watch) {
        return nullptr;
    }
    link->reading = std::move(watch).take();
    link->hello_timer = loop_.after(limits::hello_time_max, [this, weak = std::weak_ptr(link)] {
        if (const std::shared_ptr<Link> late = weak.lock()) {
            cut(late, "it said no hello in time");
        }
    });
    links_.insert(link);
    return link;
}

Result<void> LocalTransport::say_hello(Link& link, PeerKind to) {
    // Only nodes have leases to wait for, so only they get the proof of death.
    const int pass = to == PeerKind::node ? liveness_read_.get() : -1;
    if (TRY(send_datagram(link.socket.get(), encode(options_.self), pass)) != Io::done) {
        return Error{Errc::unavailable, "it went before the hello"};
    }
    link.hello_sent = true;
    return {};
}

void LocalTransport::read_ready(const std::shared_ptr<Link>& link) {
    for (std::size_t turn = 0; turn < limits::datagrams_per_turn_max && link->open; ++turn) {
        Result<Received> received = receive_datagram(link->socket.get(), buffer_);
        if (!received) {
            cut(link, received.error().message);
            return;
        }
        Received datagram = std::move(received).take();
        if (datagram.io == Io::would_block) {
            return;
        }
        if (datagram.io == Io::closed) {
            drop(link);
            return;
        }
        if (!take_datagram(
                link, ByteView{buffer_}.first(datagram.size), std::move(datagram.passed))) {
            return;
        }
    }
}

bool LocalTransport::take_datagram(const std::shared_ptr<Link>& link,
                                   ByteView datagram,
                                   UniqueFd passed) {
    const std::shared_ptr<bool> alive = alive_; // An event may end this object.
    Result<void> taken =
        link->peer ? take_messages(link, datagram) : take_hello(link, datagram, std::move(passed));
    if (!*alive) {
        return false;
    }
    if (!taken) {
        cut(link, taken.error().message);
        return false;
    }
    return link->open;
}

Result<void>
LocalTransport::take_hello(const std::shared_ptr<Link>& link, ByteView datagram, UniqueFd passed) {
    const Hello hello = TRY(decode_hello(datagram));
    if (hello.instance == options_.self.instance) {
        return Error{Errc::refused, "it calls itself by this node's instance"};
    }
    if (link->dialed && (hello.kind != PeerKind::node || hello.instance != *link->dialed)) {
        return Error{Errc::refused, "it is not the node whose socket it has"};
    }
    if (hello.kind == PeerKind::node && !is_pipe_read_end(passed.get())) {
        return Error{Errc::malformed, "a node must pass the read end of its liveness pipe"};
    }
    // It may have died since: then that is what its hello, with the proof of it, leads to.
    const Result<void> said = link->hello_sent ? Result<void>() : say_hello(*link, hello.kind);
    loop_.cancel(link->hello_timer);
    const auto older = peers_.find(hello.instance);
    if (older != peers_.end()) {
        // It has connected anew before the end of the old connection came through.
        const std::shared_ptr<Link> replaced = older->second;
        replaced->peer.reset();
        peers_.erase(older);
        drop(replaced);
    }
    if (const auto fallen = fallen_.find(hello.instance); fallen != fallen_.end()) {
        loop_.cancel(fallen->second->silence);
        loop_.cancel(fallen->second->burial);
        fallen_.erase(fallen);
    }
    if (const auto dialing = dialing_.find(hello.instance); dialing != dialing_.end()) {
        loop_.cancel(dialing->second.retry);
        dialing_.erase(dialing);
    }
    link->liveness = std::move(passed);
    link->peer = Peer{.instance = hello.instance,
                      .kind = hello.kind,
                      .key = hello.key,
                      .same_user = true,
                      .name = hello.name};
    peers_.emplace(hello.instance, link);
    if (events_.on_peer) {
        events_.on_peer(*link->peer);
    }
    return said;
}

Result<void> LocalTransport::take_messages(const std::shared_ptr<Link>& link, ByteView datagram) {
    const std::shared_ptr<bool> alive = alive_;
    // Decoded before the first is handed over: a call may lead to the buffer's next use.
    std::vector<job::Message> messages;
    for (const ByteView frame : TRY(split_frames(datagram))) {
        messages.push_back(TRY(job::decode(frame)));
    }
    const Peer peer = *link->peer;
    for (job::Message& message : messages) {
        if (events_.on_message) {
            events_.on_message(peer, std::move(message));
        }
        if (!*alive || !link->open) {
            break;
        }
    }
    return {};
}

void LocalTransport::send(const job::Instance& to, const job::Message& message) {
    if (to == options_.self.instance) {
        loop_.post([this, alive = alive_, message] {
            if (*alive && events_.on_message) {
                events_.on_message(Peer{.instance = options_.self.instance,
                                        .kind = options_.self.kind,
                                        .key = options_.self.key,
                                        .same_user = true,
                                        .name = options_.self.name},
                                   message);
            }
        });
        return;
    }
    const auto peer = peers_.find(to);
    if (peer != peers_.end()) {
        queue(*peer->second, job::encode(message));
    }
}

void LocalTransport::announce(const job::Message& message) {
    const Bytes encoded = job::encode(message);
    for (const auto& [instance, link] : peers_) {
        if (link->peer->kind == PeerKind::node) {
            queue(*link, encoded);
        }
    }
}

std::vector<Peer> LocalTransport::peers() const {
    std::vector<Peer> all;
    all.reserve(peers_.size());
    for (const auto& [instance, link] : peers_) {
        all.push_back(*link->peer);
    }
    return all;
}

void LocalTransport::queue(Link& link, ByteView message) {
    if (link.doomed) {
        return;
    }
    if (message.size() > job::limits::message_bytes_max) {
        options_.note(log::Level::warning,
                      "a message to " + link.peer->name + " is too large and was not sent",
                      {{"peer", link.peer->instance.to_string()}});
        return;
    }
    link.out.push(message);
    if (link.out.bytes() > options_.peer_queue_bytes_max) {
        flush(link);
        link.doomed = link.doomed || link.out.bytes() > options_.peer_queue_bytes_max;
    }
    link.dirty = true;
    schedule_flush();
}

void LocalTransport::schedule_flush() {
    // Sent after the present batch of events: what one waking leads to shares datagrams.
    if (!std::exchange(flush_is_due_, true)) {
        loop_.post([this, alive = alive_] {
            if (*alive) {
                flush_all();
            }
        });
    }
}

void LocalTransport::flush_all() {
    flush_is_due_ = false;
    const std::vector<std::shared_ptr<Link>> links{links_.begin(), links_.end()};
    for (const std::shared_ptr<Link>& link : links) {
        if (!link->open || !std::exchange(link->dirty, false)) {
            continue;
        }
        flush(*link);
        if (link->doomed) {
            const std::shared_ptr<bool> alive = alive_;
            cut(link, "it does not read what it is sent");
            if (!*alive) {
                return;
            }
        }
    }
}

void LocalTransport::flush(Link& link) {
    while (!link.out.empty()) {
        const Result<Io> sent = send_datagram(link.socket.get(), link.out.front());
        if (!sent) {
            options_.note(log::Level::warning,
                          "sending to a peer failed: " + sent.error().message,
                          {{"error", std::string(name(sent.error().code))}});
            link.doomed = true;
            link.dirty = true;
            if (*alive_) {
                schedule_flush(); // Which cuts it off; not here, in the middle of whatever sends.
            }
            return;
        }
        if (*sent == Io::closed) {
            link.out.clear(); // Reading comes to the end by itself, after what it had sent.
            break;
        }
        if (*sent == Io::would_block) {
            if (!link.writing && *alive_) {
                Link* const raw = &link;
                Result<net::Watch> watch = loop_.watch(
                    link.socket.get(), net::Ready::to_write, [this, raw] { flush(*raw); });
                if (watch) {
                    link.writing = std::move(watch).take();
                } else { // Nobody would come back to what waits.
                    link.doomed = true;
                    link.dirty = true;
                    schedule_flush();
                }
            }
            return;
        }
        link.out.pop();
    }
    link.writing.reset();
}

void LocalTransport::cut(const std::shared_ptr<Link>& link, const std::string& why) {
    if (link->open) {
        options_.note(log::Level::warning,
                      "cut off " + (link->peer ? link->peer->name : std::string("a stranger")) +
                          ": " + why);
        drop(link);
    }
}

void LocalTransport::drop(const std::shared_ptr<Link>& link) {
    if (!std::exchange(link->open, false)) {
        return;
    }
    loop_.cancel(link->hello_timer);
    link->reading.reset();
    link->writing.reset();
    link->socket.reset();
    links_.erase(link);
    if (link->dialed) {
        dial_later(*link->dialed); // For a dead one the dial finds its lock free, and forgets it.
    }
    if (!link->peer) {
        return;
    }
    peers_.erase(link->peer->instance);
    if (link->peer->kind == PeerKind::node) {
        mourn(*link->peer, std::move(link->liveness));
    } else if (events_.on_gone) {
        events_.on_gone(*link->peer, Fate::silent);
    }
}

void LocalTransport::mourn(const Peer& peer, UniqueFd liveness) {
    auto fallen = std::make_unique<Fallen>();
    fallen->peer = peer;
    fallen->liveness = std::move(liveness);
    const int fd = fallen->liveness.get();
    const job::Instance instance = peer.instance;
    Fallen& entry = *(fallen_[instance] = std::move(fallen));
    if (all_writers_gone(fd)) {
        bury(instance);
        return;
    }
    entry.silence = loop_.after(options_.silent_after, [this, instance] {
        const auto found = fallen_.find(instance);
        if (found != fallen_.end() && events_.on_gone) {
            const Peer silent = found->second->peer;
            events_.on_gone(silent, Fate::silent);
        }
    });
    Result<net::Watch> watch = loop_.watch(fd, net::Ready::to_read, [this, instance, fd] {
        if (all_writers_gone(fd)) {
            bury(instance);
            return;
        }
        std::array<char, 256>
            noise{}; // Nobody has anything to write here; it must not keep us busy.
        while (::read(fd, noise.data(), noise.size()) > 0) {
        }
    });
    if (watch) {
        entry.watch = std::move(watch).take();
    }
}

void LocalTransport::bury(const job::Instance& instance) {
    const auto found = fallen_.find(instance);
    if (found == fallen_.end()) {
        return;
    }
    if (!folder_.is_dead(instance)) {
        // The kernel closes a dead process's files one by one: its lock may go after its pipe, and
        // whoever hears of the death asks for the lock.
        Fallen& waiting = *found->second;
        waiting.watch.reset();
        waiting.burial = loop_.after(waiting.burial_delay, [this, instance] { bury(instance); });
        waiting.burial_delay = std::min(2 * waiting.burial_delay, lock_delay_max);
        return;
    }
    const std::unique_ptr<Fallen> fallen = std::move(found->second);
    fallen_.erase(found);
    loop_.cancel(fallen->silence);
    fallen->watch.reset();
    folder_.sweep();
    if (events_.on_gone) {
        events_.on_gone(fallen->peer, Fate::dead);
    }
}

} // namespace ic::transport
