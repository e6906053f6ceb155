#pragma once
/// LocalClient: a command's connection to one node of its home.

#include "base/result.h"
#include "base/unique_fd.h"
#include "job/message.h"
#include "transport/local/hello.h"
#include "transport/transport.h"

#include <chrono>
#include <deque>
#include <filesystem>
#include <optional>

namespace ic::transport {

/// Waits where a node must not: for commands that have nothing else to do.
/// Threads: one.
class LocalClient {
public:
    /// Connects to a node that answers, taken at random. `self.kind` is client.
    /// Errors: not_found (no node is running here), refused (another user's folder),
    /// unavailable (nodes are there, and none answers in this time).
    static Result<LocalClient> connect(const std::filesystem::path& folder,
                                       const Hello& self,
                                       std::chrono::milliseconds timeout);

    /// The node at the other end.
    const Peer& node() const { return node_; }

    /// Waits until the node takes it. Errors: unavailable (the node is gone, or has not read for
    /// this long), too_large.
    Result<void> send(const job::Message& message, std::chrono::milliseconds timeout);

    /// The next message; nothing after this time, or when a signal came.
    /// Errors: unavailable (the node is gone: connect to another and watch the job there),
    /// malformed.
    Result<std::optional<job::Message>> receive(std::chrono::milliseconds timeout);

    /// For poll: readable when `receive` has something, unless it holds some already.
    int fd() const { return socket_.get(); }

private:
    LocalClient(UniqueFd socket, Peer node) : socket_(std::move(socket)), node_(std::move(node)) {}

    UniqueFd socket_;
    Peer node_;
    std::deque<job::Message> waiting_; ///< The rest of a datagram.
};

} // namespace ic::transport
