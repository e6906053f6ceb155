#pragma once
/// Endpoint: one end of the socket between the broker and a process of its own.

#include "base/result.h"
#include "base/unique_fd.h"
#include "executor/channel/message.h"

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace ic::executor::channel {

namespace limits {
/// Ours: descriptors that come with one message.
inline constexpr std::size_t descriptors_max = 2;
} // namespace limits

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

    /// Blocks until there is a message. Errors: unavailable (the other end is gone), malformed,
    /// too_large, unsupported.
    Result<Received> receive();

    int socket() const { return socket_.get(); }

private:
    UniqueFd socket_;
    Bytes outgoing_;
    std::unique_ptr<std::uint8_t[]> incoming_; // message_bytes_max; pages come when first used.
};

} // namespace ic::executor::channel
