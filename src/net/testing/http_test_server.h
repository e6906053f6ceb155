#pragma once
/// HttpTestServer: a loopback HTTP/1.1 server that answers as it is told. For tests.

#include "base/unique_fd.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace ic::net::testing {

/// What came: the head up to its empty line, and a body of Content-Length bytes, or one in chunks
/// as it was sent.
struct SeenRequest {
    std::string head;
    std::string body;

    /// "GET /path HTTP/1.1"
    std::string line() const { return head.substr(0, head.find("\r\n")); }
};

/// The connection that an answer is written to, piece by piece.
class Peer {
public:
    virtual ~Peer() = default;
    /// False once the other side, or the server, has gone.
    virtual bool send(std::string_view bytes) = 0;
    /// Waits; false if one of them went meanwhile.
    virtual bool wait(std::chrono::milliseconds time) = 0;
    /// Reads another request of this connection afterwards, instead of closing it.
    virtual void keep_open() = 0;
};

/// Each connection is read once, answered once with what `answer` returns (the very bytes), and
/// closed. Threads: `answer` is called on the server's.
class HttpTestServer {
public:
    using Answer = std::function<std::string(const SeenRequest&)>;
    using Conversation = std::function<void(const SeenRequest&, Peer&)>;

    /// On 127.0.0.1, or `address` (IPv4 or IPv6 text), at a port of the kernel's choice; or at a
    /// new socket, if `address` is an absolute path.
    explicit HttpTestServer(Answer answer, const std::string& address = "127.0.0.1");

    /// Answers as it likes and as long as it likes. Threads: `converse` is called on one a
    /// connection.
    explicit HttpTestServer(Conversation converse, const std::string& address = "127.0.0.1");
    HttpTestServer(const HttpTestServer&) = delete;
    HttpTestServer& operator=(const HttpTestServer&) = delete;
    ~HttpTestServer();

    std::uint16_t port() const { return port_; }

    /// Listens at the port of one that is gone: a server that comes back.
    HttpTestServer(Conversation converse, std::uint16_t port);

    /// "http://127.0.0.1:PORT" and this path.
    std::string url(const std::string& path = "/") const;

    /// Connections accepted, whether or not they asked anything.
    std::size_t connections() const { return connections_; }

    std::vector<SeenRequest> requests() const;

private:
    void listen_at(const std::string& address, std::uint16_t port = 0);
    void serve();
    void serve_one(int socket);
    std::optional<SeenRequest> read_request(int socket);

    Answer answer_;
    Conversation converse_;
    UniqueFd listener_;
    std::uint16_t port_ = 0;
    std::atomic<bool> ending_{false};
    std::atomic<std::size_t> connections_{0};
    mutable std::mutex mutex_;
    std::vector<SeenRequest> requests_;
    std::vector<std::thread> conversations_;
    std::thread thread_; // Last: it uses all of the above.
};

/// The bytes of a body that came in chunks.
std::string unchunked(std::string_view body);

/// An answer with Content-Length. `headers`: lines, each ended.
std::string answer_of(int status, const std::string& headers, const std::string& body);

} // namespace ic::net::testing
