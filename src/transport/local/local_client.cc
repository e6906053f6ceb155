#include "transport/local/local_client.h"

#include "base/time.h"
#include "transport/local/bus_directory.h"
#include "transport/local/frames.h"
#include "transport/local/seqpacket.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <random>

namespace ic::transport {
namespace {

using std::chrono::milliseconds;

enum class Waited : std::uint8_t { ready, timed_out, interrupted };

Waited wait_for(int fd, short events, Instant until) {
    const auto left = std::chrono::ceil<milliseconds>(until - now_since_boot());
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    const auto span = std::clamp<milliseconds::rep>(left.count(), 0, 3'600'000);
    const int count = ::poll(&entry, 1, static_cast<int>(span));
    if (count < 0) {
        return Waited::interrupted;
    }
    return count == 0 ? Waited::timed_out : Waited::ready;
}

Error gone() { return Error{Errc::unavailable, "the node is gone"}; }

Result<Hello> shake_hands(int socket, const Hello& self, Instant until) {
    if (TRY(send_datagram(socket, encode(self))) != Io::done) {
        return gone();
    }
    Bytes buffer(limits::datagram_bytes_max);
    for (;;) {
        const Received received = TRY(receive_datagram(socket, buffer));
        if (received.io == Io::closed) {
            return gone();
        }
        if (received.io == Io::done) {
            return decode_hello(ByteView{buffer}.first(received.size));
        }
        if (wait_for(socket, POLLIN, until) == Waited::timed_out) {
            return Error{Errc::unavailable, "the node does not answer"};
        }
    }
}

} // namespace

Result<LocalClient>
LocalClient::connect(const std::filesystem::path& folder, const Hello& self, milliseconds timeout) {
    const BusDirectory bus = TRY(BusDirectory::open_existing(folder));
    std::vector<job::Instance> nodes = bus.scan();
    std::ranges::shuffle(nodes, std::mt19937{std::random_device{}()});
    Error last{Errc::not_found, "no node is running here"};
    for (const job::Instance& node : nodes) {
        if (bus.is_dead(node)) {
            continue;
        }
        Result<UniqueFd> socket = bus.connect(node);
        if (!socket) {
            last = std::move(socket).take_error();
            continue;
        }
        if (peer_user(socket->get()) != ::geteuid()) {
            last = Error{Errc::refused, "the node belongs to another user"};
            continue;
        }
        const Instant until = now_since_boot() + timeout / static_cast<long>(nodes.size());
        const Result<Hello> hello = shake_hands(socket->get(), self, until);
        if (!hello || hello->kind != PeerKind::node || hello->instance != node) {
            last = hello ? Error{Errc::malformed, "a peer is not what its socket says"}
                         : hello.error();
            continue;
        }
        return LocalClient{std::move(socket).take(),
                           Peer{.instance = hello->instance,
                                .kind = hello->kind,
                                .key = hello->key,
                                .same_user = true,
                                .name = hello->name}};
    }
    return last;
}

Result<void> LocalClient::send(const job::Message& message, milliseconds timeout) {
    const Bytes encoded = job::encode(message);
    if (encoded.size() > job::limits::message_bytes_max) {
        return Error{Errc::too_large, "the message is larger than the bus takes"};
    }
    FrameQueue queue;
    queue.push(encoded);
    const Instant until = now_since_boot() + timeout;
    for (;;) {
        const Io io = TRY(send_datagram(socket_.get(), queue.front()));
        if (io == Io::done) {
            return {};
        }
        if (io == Io::closed) {
            return gone();
        }
        if (wait_for(socket_.get(), POLLOUT, until) == Waited::timed_out) {
            return Error{Errc::unavailable, "the node does not read"};
        }
    }
}

Result<std::optional<job::Message>> LocalClient::receive(milliseconds timeout) {
    const Instant until = now_since_boot() + timeout;
    while (waiting_.empty()) {
        Bytes buffer(limits::datagram_bytes_max);
        const Received received = TRY(receive_datagram(socket_.get(), buffer));
        if (received.io == Io::closed) {
            return gone();
        }
        if (received.io == Io::would_block) {
            if (wait_for(socket_.get(), POLLIN, until) != Waited::ready) {
                return std::optional<job::Message>{};
            }
            continue;
        }
        for (const ByteView frame : TRY(split_frames(ByteView{buffer}.first(received.size)))) {
            waiting_.push_back(TRY(job::decode(frame)));
        }
    }
    std::optional<job::Message> next = std::move(waiting_.front());
    waiting_.pop_front();
    return next;
}

} // namespace ic::transport
