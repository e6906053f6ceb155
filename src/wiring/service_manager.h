#pragma once
/// ServiceManager: tells systemd, or whoever speaks as it does, how this process is.
/// Source: sd_notify(3) and sd_watchdog_enabled(3); one datagram a state, without their library.

#include "base/unique_fd.h"
#include "config/home.h"
#include "net/event_loop.h"

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace ic::wiring {

/// Half of the time after which the manager takes `process` for hung (WATCHDOG_USEC, WATCHDOG_PID);
/// nothing where it does not look.
std::optional<std::chrono::microseconds> watchdog_interval(config::Environment environment,
                                                           ::pid_t process);

/// Where NOTIFY_SOCKET is not set, nobody is told anything. What cannot be told is lost: a service
/// does its work without its manager. Threads: the loop's. Lifetime: within the loop's.
class ServiceManager {
public:
    ServiceManager(net::EventLoop& loop, config::Environment environment);
    ServiceManager(const ServiceManager&) = delete;
    ServiceManager& operator=(const ServiceManager&) = delete;
    ~ServiceManager();

    /// It is ready; from here on, as often as the manager wants it, that the loop is alive.
    void ready();

    /// It ends when it is done.
    void stopping();

private:
    void tell(std::string_view state) const;
    void beat();

    net::EventLoop& loop_;
    const std::string address_; ///< A path, or @ and an abstract name; empty: nobody.
    const std::optional<std::chrono::microseconds> interval_;
    UniqueFd socket_;
    net::TimerId timer_{};
};

} // namespace ic::wiring
