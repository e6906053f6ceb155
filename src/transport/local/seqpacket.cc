#include "transport/local/seqpacket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace ic::transport {
namespace {

// Room for more than the one descriptor that is allowed, so that others can be seen and closed.
constexpr std::size_t passed_fds_max = 8;

struct Control {
    alignas(cmsghdr) std::array<unsigned char, CMSG_SPACE(sizeof(int) * passed_fds_max)> bytes{};
};

// Takes every descriptor that came along, so that none leaks; says how many there were.
std::size_t take_passed(msghdr& message, UniqueFd& first) {
    std::size_t count = 0;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t fds = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t index = 0; index < fds; ++index) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(part) + index * sizeof(int), sizeof fd);
            UniqueFd owned{fd};
            if (count++ == 0) {
                first = std::move(owned);
            }
        }
    }
    return count;
}

} // namespace

Result<Io> send_datagram(int socket, ByteView datagram, int pass) {
    iovec part{const_cast<std::uint8_t*>(datagram.data()), datagram.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    Control control;
    if (pass >= 0) {
        message.msg_control = control.bytes.data();
        message.msg_controllen = CMSG_SPACE(sizeof(int));
        cmsghdr* const head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(head), &pass, sizeof pass);
    }
    for (;;) {
        if (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
            return Io::done;
        }
        switch (errno) {
        case EINTR:
            continue;
        case EAGAIN:
        case ENOBUFS:
            return Io::would_block;
        case EPIPE:
        case ECONNRESET:
        case ENOTCONN:
            return Io::closed;
        case EMSGSIZE:
            return Error{Errc::too_large, "a datagram of the bus is too large"};
        default:
            return Error{Errc::internal, std::string("sending failed: ") + std::strerror(errno)};
        }
    }
}

Result<Received> receive_datagram(int socket, std::span<std::uint8_t> buffer) {
    for (;;) {
        iovec part{buffer.data(), buffer.size()};
        Control control;
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.bytes.data();
        message.msg_controllen = control.bytes.size();
        const ssize_t size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (size < 0) {
            // A reset is said once, before what the other end had sent: go on reading.
            if (errno == EINTR || errno == ECONNRESET) {
                continue;
            }
            if (errno == EAGAIN) {
                return Received{.io = Io::would_block, .size = 0, .passed = {}};
            }
            return Error{Errc::internal, std::string("receiving failed: ") + std::strerror(errno)};
        }
        Received received;
        const std::size_t passed = take_passed(message, received.passed);
        if (size == 0) {
            received.io = Io::closed;
            return received;
        }
        if ((message.msg_flags & MSG_TRUNC) != 0) {
            return Error{Errc::too_large, "a datagram is too large"};
        }
        if (passed > 1 || (message.msg_flags & MSG_CTRUNC) != 0) {
            return Error{Errc::malformed, "more than one descriptor was passed"};
        }
        received.size = static_cast<std::size_t>(size);
        return received;
    }
}

std::optional<uid_t> peer_user(int socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return std::nullopt;
    }
    return credentials.uid;
}

bool is_pipe_read_end(int fd) {
    struct stat status{};
    return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode) &&
           (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
}

bool all_writers_gone(int pipe_read_end) {
    pollfd entry{.fd = pipe_read_end, .events = 0, .revents = 0};
    return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLHUP) != 0;
}

} // namespace ic::transport
