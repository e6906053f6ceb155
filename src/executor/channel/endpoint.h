#pragma once
/// Endpoint: one end of the socket between the broker and a process of its own.

#include "base/result.h"
#include "base/unique_fd.h"
#include "executor/channel/message.h"

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace ic::executor::channel {

namespace limits {
/// Ours: descriptors that come with one message.
inline constexpr std::size_t descriptors_max = 2;

/// Ours: how long `receive` looks again and again before it sleeps. Waking a sleeping processor
/// takes some 25 us, more than a small run; beyond twice that looking costs more than it saves.
inline constexpr std::chrono::microseconds receive_spin_max{50};
} // namespace limits

/// How to wait for a message.
enum class Patience : std::uint8_t {
    look,  ///< Look for a while, then sleep.
    sleep, ///< At once: where processors are scarce, looking takes one from who is to answer.
};

/// A message with the descriptors that came with it, close-on-exec.
struct Received {
    Message message;
    std::vector<UniqueFd> descriptors;
};

/// Sends and receives whole messages over a SOCK_SEQPACKET socket.
/// Threads: one at a time.
class Endpoint {
public:
    explicit Endpoint(UniqueFd socket);

    /// Two connected sockets, close-on-exec: ours and the one for the other process.
    static Result<std::pair<UniqueFd, UniqueFd>> socket_pair();

    /// Blocks while the other end has not read enough. Lends `descriptors` for the call.
    /// Errors: too_large, unavailable (the other end is gone).
    Result<void> send(const Message& message, std::span<const int> descriptors = {});

    /// Blocks until there is a message. Where the one before came at once it first looks for
    /// limits::receive_spin_max without sleeping, yielding its processor to whoever wants it: an
    /// idle process never spins, and one that works back to back is not woken each time. Errors:
    /// unavailable (the other end is gone), malformed, too_large, unsupported.
    Result<Received> receive();

    /// Of `receive` from here on; it looks until told otherwise.
    void set_patience(Patience patience) { patience_ = patience; }

    int socket() const { return socket_.get(); }

private:
    ssize_t wait_for_message(msghdr& header);

    UniqueFd socket_;
    Patience patience_ = Patience::look;
    bool came_at_once_ = false; // The last message that was waited for.
    Bytes outgoing_;
    std::unique_ptr<std::uint8_t[]> incoming_; // message_bytes_max; pages come when first used.
};

} // namespace ic::executor::channel
