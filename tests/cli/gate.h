#pragma once
/// Gate: a server that a guest asks and that answers when the test says so: the run goes on then,
/// and not before.

#include "cli/desk.h"
#include "net/testing/http_test_server.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace ic::cli_test {

/// Threads: the server's besides its own.
class Gate {
public:
    Gate()
        : server_([this](const net::testing::SeenRequest&) {
            std::unique_lock lock(mutex_);
            asked_ = true;
            changed_.notify_all();
            changed_.wait(lock, [this] { return open_; });
            return net::testing::answer_of(200, "", "through\n");
        }) {}

    ~Gate() { open(); }

    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    /// Waits for the guest; false after 30 s.
    bool wait_for_guest() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds{30}, [this] { return asked_; });
    }

    /// Connections so far.
    std::size_t requests() const { return server_.connections(); }

    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

    /// "127.0.0.1:PORT"
    std::string host() const { return "127.0.0.1:" + std::to_string(server_.port()); }

    /// What a worker needs so that guests may ask.
    std::vector<std::string> worker_flags(std::vector<std::string> more = {}) const {
        more.insert(more.end(), {"--allow-host", host(), "--allow-private-address", host()});
        return more;
    }

    /// A job of guests/kit.wat that comes to the gate.
    std::vector<std::string> job(const Desk& desk,
                                 const std::string& command,
                                 const std::vector<std::string>& more = {}) const {
        std::vector<std::string> words =
            desk.kit(command, "begin_and_fetch", {"--allow-host", host()});
        words.insert(words.end(), {"--event", desk.file("request", server_.url())});
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool asked_ = false;
    bool open_ = false;
    net::testing::HttpTestServer server_; // Last: its thread uses all of the above.
};

} // namespace ic::cli_test
