#pragma once
/// Endpoint: one end of the socket between the broker and a process of its own.

#include "base/result.h"
#include "base/unique_fd.h"
#include "executor/channel/message.h"

#include <sys/socket.h>

#include <algorithm>
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
/// takes 25 to 100 us, more than a small run. It is longer than that and a run together, so that a
/// pause of one side (an interrupt, a page fault) does not send the other to sleep as well.
inline constexpr std::chrono::microseconds receive_spin_max{200};

/// Ours: after so many waits in a row that were longer, looking is taken to be in vain.
inline constexpr int late_in_a_row_max = 8;
} // namespace limits

/// How to wait for a message.
enum class Patience : std::uint8_t {
    look,  ///< Look for a while, then sleep.
    sleep, ///< At once: where processors are scarce, looking takes one from who is to answer.
};

/// Remembers how long messages had to be waited for, and says whether to look for the next. One
/// late message does not change a habit: in a row of short runs, each side would sleep while the
/// other wakes, and several runs would take several times as long.
/// Threads: one at a time.
class WaitHabit {
public:
    /// Not before a message has come soon, nor after limits::late_in_a_row_max late ones.
    bool looks() const { return late_in_a_row_ < limits::late_in_a_row_max; }

    /// One came after `wait`, which may have the waiter's own waking in it.
    void came_after(std::chrono::nanoseconds wait) {
        late_in_a_row_ = wait < limits::receive_spin_max
                             ? 0
                             : std::min(late_in_a_row_ + 1, limits::late_in_a_row_max);
    }

private:
    int late_in_a_row_ = limits::late_in_a_row_max;
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

    /// Blocks until there is a message. By its WaitHabit it first looks for
    /// limits::receive_spin_max without sleeping, yielding its processor to whoever wants it: one
    /// that works back to back is not woken each time, and one with nothing to do sleeps. Errors:
    /// unavailable (the other end is gone), malformed, too_large, unsupported.
    Result<Received> receive();

    /// Of `receive` from here on; it looks until told otherwise.
    void set_patience(Patience patience) { patience_ = patience; }

    int socket() const { return socket_.get(); }

private:
    ssize_t wait_for_message(msghdr& header);

    UniqueFd socket_;
    Patience patience_ = Patience::look;
    WaitHabit habit_;
    Bytes outgoing_;
    std::unique_ptr<std::uint8_t[]> incoming_; // message_bytes_max; pages come when first used.
};

} // namespace ic::executor::channel
