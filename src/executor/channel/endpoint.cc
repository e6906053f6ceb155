#include "executor/channel/endpoint.h"

#include "base/time.h"

#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace ic::executor::channel {
namespace {

constexpr std::size_t control_bytes = CMSG_SPACE(sizeof(int) * limits::descriptors_max);

Error broken(const char* what) {
    return Error{Errc::unavailable, std::string(what) + ": " + std::strerror(errno)};
}

/// Takes over every descriptor in the control part, also of messages that are then refused.
std::vector<UniqueFd> take_descriptors(msghdr& header) {
    std::vector<UniqueFd> descriptors;
    for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr;
         part = CMSG_NXTHDR(&header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t index = 0; index < count; ++index) {
            int descriptor = -1;
            std::memcpy(&descriptor, CMSG_DATA(part) + index * sizeof(int), sizeof(int));
            descriptors.emplace_back(descriptor);
        }
    }
    return descriptors;
}

} // namespace

Endpoint::Endpoint(UniqueFd socket)
    : socket_(std::move(socket))
    , incoming_(std::make_unique_for_overwrite<std::uint8_t[]>(limits::message_bytes_max)) {}

Result<std::pair<UniqueFd, UniqueFd>> Endpoint::socket_pair() {
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return broken("socketpair");
    }
    return std::pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<void> Endpoint::send(const Message& message, std::span<const int> descriptors) {
    assert(descriptors.size() <= limits::descriptors_max);
    TRY(encode(message, outgoing_));
    iovec part{.iov_base = outgoing_.data(), .iov_len = outgoing_.size()};
    alignas(cmsghdr) std::array<std::uint8_t, control_bytes> control{};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!descriptors.empty()) {
        header.msg_control = control.data();
        header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
    }
    ssize_t sent = -1;
    do {
        sent = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        return broken("sending to another process");
    }
    return {};
}

ssize_t Endpoint::wait_for_message(msghdr& header) {
    const Instant begin = now_since_boot();
    const msghdr asked = header; // The kernel writes to it also when there is nothing.
    ssize_t count = -1;
    bool sleep = !habit_.looks() || patience_ == Patience::sleep;
    for (;;) {
        count = ::recvmsg(socket_.get(), &header, MSG_CMSG_CLOEXEC | (sleep ? 0 : MSG_DONTWAIT));
        if (count >= 0 || (errno != EINTR && errno != EAGAIN)) {
            break;
        }
        header = asked;
        if (!sleep) {
            ::sched_yield();
            sleep = now_since_boot() - begin >= limits::receive_spin_max;
        }
    }
    habit_.came_after(now_since_boot() - begin);
    return count;
}

Result<Received> Endpoint::receive() {
    iovec part{.iov_base = incoming_.get(), .iov_len = limits::message_bytes_max};
    alignas(cmsghdr) std::array<std::uint8_t, control_bytes> control{};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t count = wait_for_message(header);
    if (count < 0) {
        return broken("receiving from another process");
    }
    std::vector<UniqueFd> descriptors = take_descriptors(header);
    if (count == 0) { // No message of ours is empty, so this is the end.
        return Error{Errc::unavailable, "the other process closed its channel"};
    }
    if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        return Error{Errc::too_large, "a channel message is beyond its limit"};
    }
    Message message = TRY(decode(ByteView{incoming_.get(), static_cast<std::size_t>(count)}));
    return Received{std::move(message), std::move(descriptors)};
}

} // namespace ic::executor::channel
