#include "net/testing/http_test_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

namespace ic::net::testing {

namespace {

class SocketPeer final : public Peer {
public:
    SocketPeer(UniqueFd socket, const std::atomic<bool>& ending)
        : socket_(std::move(socket))
        , ending_(ending) {}

    int socket() const { return socket_.get(); }

    bool send(std::string_view bytes) override {
        while (!bytes.empty()) {
            pollfd entry{.fd = socket_.get(), .events = POLLOUT, .revents = 0};
            if (ending_ || ::poll(&entry, 1, 10) < 0) {
                return false;
            }
            if ((entry.revents & POLLOUT) == 0) {
                continue;
            }
            const ssize_t size =
                ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (size < 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(size));
        }
        return true;
    }

    bool wait(std::chrono::milliseconds time) override {
        const auto end = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < end) {
            pollfd entry{.fd = socket_.get(), .events = POLLRDHUP, .revents = 0};
            if (ending_ || ::poll(&entry, 1, 10) != 0) {
                return false;
            }
        }
        return true;
    }

    void keep_open() override { stays_open_ = true; }

    bool takes_another() { return std::exchange(stays_open_, false); }

private:
    UniqueFd socket_;
    const std::atomic<bool>& ending_;
    bool stays_open_ = true; ///< For the first request.
};

} // namespace

HttpTestServer::HttpTestServer(Answer answer, const std::string& address)
    : answer_(std::move(answer)) {
    listen_at(address);
}

HttpTestServer::HttpTestServer(Conversation converse, const std::string& address)
    : converse_(std::move(converse)) {
    listen_at(address);
}

HttpTestServer::HttpTestServer(Conversation converse, std::uint16_t port)
    : converse_(std::move(converse)) {
    listen_at("127.0.0.1", port);
}

void HttpTestServer::listen_at(const std::string& address, std::uint16_t port) {
    sockaddr_storage where{};
    socklen_t size = 0;
    sockaddr_in four{};
    sockaddr_in6 six{};
    if (::inet_pton(AF_INET, address.c_str(), &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        size = sizeof four;
        std::memcpy(&where, &four, size);
    } else if (::inet_pton(AF_INET6, address.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        size = sizeof six;
        std::memcpy(&where, &six, size);
    } else {
        sockaddr_un file{};
        file.sun_family = AF_UNIX;
        address.copy(file.sun_path, sizeof file.sun_path - 1);
        size = sizeof file;
        std::memcpy(&where, &file, size);
    }
    listener_.reset(::socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int yes = 1;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&where), size) != 0 ||
        ::listen(listener_.get(), 16) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&where), &size) != 0) {
        std::perror("test server");
        std::abort();
    }
    std::memcpy(&four, &where, sizeof four); // The port is at the same place for both families.
    port_ = ntohs(four.sin_port);
    thread_ = std::thread([this] { serve(); });
}

HttpTestServer::~HttpTestServer() {
    ending_ = true;
    thread_.join();
    for (std::thread& conversation : conversations_) {
        conversation.join();
    }
}

std::string HttpTestServer::url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<SeenRequest> HttpTestServer::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

void HttpTestServer::serve() {
    while (!ending_) {
        pollfd entry{.fd = listener_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&entry, 1, 10) != 1) {
            continue;
        }
        UniqueFd socket{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
        if (!socket) {
            continue;
        }
        ++connections_;
        if (answer_) {
            serve_one(socket.get());
            continue;
        }
        conversations_.emplace_back(
            [this, peer = std::make_shared<SocketPeer>(std::move(socket), ending_)] {
                while (peer->takes_another()) {
                    if (const std::optional<SeenRequest> request = read_request(peer->socket())) {
                        converse_(*request, *peer);
                    }
                }
            });
    }
}

std::optional<SeenRequest> HttpTestServer::read_request(int socket) {
    const timeval patience{.tv_sec = 2, .tv_usec = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    std::string text;
    std::size_t need = std::string::npos;
    std::size_t head = 0;
    bool is_chunked = false;
    while (is_chunked ? !text.ends_with("0\r\n\r\n") : text.size() < need) {
        std::array<char, 4096> piece{};
        const ssize_t size = ::recv(socket, piece.data(), piece.size(), 0);
        if (size <= 0) {
            return std::nullopt;
        }
        text.append(piece.data(), static_cast<std::size_t>(size));
        const std::size_t end = text.find("\r\n\r\n");
        if (need == std::string::npos && end != std::string::npos) {
            head = end + 4;
            is_chunked = text.find("Transfer-Encoding: chunked") < end;
            const std::size_t length = text.find("Content-Length: ");
            need =
                head + (length < end ? std::strtoul(text.c_str() + length + 16, nullptr, 10) : 0);
        }
    }
    const SeenRequest request{.head = text.substr(0, head), .body = text.substr(head)};
    {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
    }
    return request;
}

void HttpTestServer::serve_one(int socket) {
    const std::optional<SeenRequest> request = read_request(socket);
    if (!request) {
        return;
    }
    const std::string answer = answer_(*request);
    for (std::size_t sent = 0; sent < answer.size() && !ending_;) {
        const ssize_t size =
            ::send(socket, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (size <= 0) {
            return;
        }
        sent += static_cast<std::size_t>(size);
    }
}

std::string unchunked(std::string_view body) {
    std::string bytes;
    while (!body.empty()) {
        const std::size_t line = body.find("\r\n");
        const std::size_t size =
            std::strtoul(std::string(body.substr(0, line)).c_str(), nullptr, 16);
        bytes.append(body.substr(line + 2, size));
        body.remove_prefix(line + 2 + size + 2);
    }
    return bytes;
}

std::string answer_of(int status, const std::string& headers, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) + " Told\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
           body;
}

} // namespace ic::net::testing
