#include "wiring/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>

namespace ic::wiring {
namespace {

/// A whole decimal number above zero.
std::optional<std::uint32_t> number_of(const std::string& text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_whole = error == std::errc{} && end == text.data() + text.size();
    return is_whole && number > 0 ? std::optional(number) : std::nullopt;
}

} // namespace

std::optional<std::chrono::microseconds> watchdog_interval(config::Environment environment,
                                                           ::pid_t process) {
    const std::string meant = environment("WATCHDOG_PID");
    if (!meant.empty() && meant != std::to_string(process)) {
        return std::nullopt;
    }
    const std::optional<std::uint32_t> time = number_of(environment("WATCHDOG_USEC"));
    return time ? std::optional(std::chrono::microseconds(std::max(*time / 2, 1U))) : std::nullopt;
}

ServiceManager::ServiceManager(net::EventLoop& loop, config::Environment environment)
    : loop_(loop)
    , address_(environment("NOTIFY_SOCKET"))
    , interval_(watchdog_interval(environment, ::getpid())) {
    if (!address_.empty()) {
        socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    }
}

ServiceManager::~ServiceManager() { loop_.cancel(timer_); }

void ServiceManager::ready() {
    tell("READY=1");
    if (socket_ && interval_) {
        beat();
    }
}

void ServiceManager::stopping() { tell("STOPPING=1"); }

void ServiceManager::beat() {
    tell("WATCHDOG=1");
    timer_ = loop_.after(*interval_, [this] { beat(); });
}

void ServiceManager::tell(std::string_view state) const {
    ::sockaddr_un to{};
    if (!socket_ || address_.size() >= sizeof to.sun_path) {
        return;
    }
    to.sun_family = AF_UNIX;
    std::ranges::copy(address_, std::begin(to.sun_path));
    if (address_.front() == '@') {
        to.sun_path[0] = '\0'; // The kernel's mark of an abstract name, which has no end.
    }
    const std::size_t size =
        offsetof(::sockaddr_un, sun_path) + address_.size() + (address_.front() == '@' ? 0U : 1U);
    static_cast<void>(::sendto(socket_.get(),
                               state.data(),
                               state.size(),
                               MSG_NOSIGNAL,
                               reinterpret_cast<const ::sockaddr*>(&to),
                               static_cast<::socklen_t>(size)));
}

} // namespace ic::wiring
