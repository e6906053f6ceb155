#pragma once
/// Datagrams over connected unix sockets (SOCK_SEQPACKET): sending, receiving, passing descriptors.

#include "base/bytes.h"
#include "base/result.h"
#include "base/unique_fd.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>

namespace ic::transport {

/// What became of one call that does not wait.
enum class Io : std::uint8_t {
    done,
    would_block,
    closed, ///< The other end is gone, and all that it sent has been read.
};

struct Received {
    Io io = Io::done;
    std::size_t size = 0;
    UniqueFd passed; ///< A descriptor that came along; more than one counts as malformed.
};

/// Sends one datagram, with `pass` (if not -1) beside it, without waiting.
/// Errors: internal (an error that is not the other end's doing), too_large.
Result<Io> send_datagram(int socket, ByteView datagram, int pass = -1);

/// Receives one datagram without waiting.
/// Errors: too_large (longer than the buffer), malformed (descriptors that nobody asked for),
/// internal.
Result<Received> receive_datagram(int socket, std::span<std::uint8_t> buffer);

/// The user of the process at the other end, as the kernel knows it (SO_PEERCRED).
std::optional<uid_t> peer_user(int socket);

/// Whether this is the read end of a pipe, as it must be to prove a peer's death.
bool is_pipe_read_end(int fd);

/// Whether the kernel has closed the last write end of this pipe.
bool all_writers_gone(int pipe_read_end);

} // namespace ic::transport
