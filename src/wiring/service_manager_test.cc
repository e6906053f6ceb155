#include "wiring/service_manager.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <vector>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;

std::map<std::string, std::string>& variables() {
    static std::map<std::string, std::string> all;
    return all;
}

std::string environment(const char* name) { return variables()[name]; }

/// The manager's end: a socket in a folder, or of an abstract name.
class ServiceManagerTest : public ::testing::Test {
protected:
    ServiceManagerTest() {
        EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
        variables().clear();
    }

    ~ServiceManagerTest() override { std::filesystem::remove_all(folder_); }

    ServiceManagerTest(const ServiceManagerTest&) = delete;
    ServiceManagerTest& operator=(const ServiceManagerTest&) = delete;

    void listen(const std::string& name) {
        socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        ::sockaddr_un at{};
        at.sun_family = AF_UNIX;
        ASSERT_LT(name.size(), sizeof at.sun_path);
        std::ranges::copy(name, std::begin(at.sun_path));
        const auto size = static_cast<::socklen_t>(offsetof(::sockaddr_un, sun_path) + name.size());
        if (name.front() == '@') {
            at.sun_path[0] = '\0';
        }
        ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<const ::sockaddr*>(&at), size), 0) << name;
        variables()["NOTIFY_SOCKET"] = name;
    }

    /// What was told since the last call.
    std::vector<std::string> told() const {
        std::vector<std::string> all;
        std::array<char, 64> text{};
        for (;;) {
            const ::ssize_t size = ::recv(socket_.get(), text.data(), text.size(), 0);
            if (size < 0) {
                return all;
            }
            all.emplace_back(text.data(), static_cast<std::size_t>(size));
        }
    }

    std::string folder_ = testing::TempDir() + "ic-service-XXXXXX";
    UniqueFd socket_;
    std::unique_ptr<net::EventLoop> loop_ = net::EventLoop::open().take();
};

TEST_F(ServiceManagerTest, IsToldWhenTheServiceIsReadyAndWhenItStops) {
    for (const std::string& name : {folder_ + "/notify", "@" + folder_}) {
        listen(name);
        ServiceManager manager(*loop_, &environment);
        EXPECT_TRUE(told().empty());
        manager.ready();
        EXPECT_EQ(told(), std::vector<std::string>{"READY=1"}) << "no watchdog was asked for";
        manager.stopping();
        EXPECT_EQ(told(), std::vector<std::string>{"STOPPING=1"});
    }
}

TEST_F(ServiceManagerTest, IsToldAgainAndAgainThatTheLoopIsAlive) {
    listen(folder_ + "/notify");
    variables()["WATCHDOG_USEC"] = "2000";
    ServiceManager manager(*loop_, &environment);
    manager.ready();
    EXPECT_EQ(told(), (std::vector<std::string>{"READY=1", "WATCHDOG=1"}));
    std::size_t beats = 0;
    const net::Watch watch =
        loop_
            ->watch(socket_.get(),
                    net::Ready::to_read,
                    [&] {
                        beats += static_cast<std::size_t>(std::ranges::count(told(), "WATCHDOG=1"));
                        if (beats >= 3) {
                            loop_->stop();
                        }
                    })
            .take();
    loop_->run_for(30s);
    EXPECT_GE(beats, 3U);
}

TEST_F(ServiceManagerTest, ThatIsNotThereChangesNothing) {
    ServiceManager nobody(*loop_, &environment);
    nobody.ready();
    variables()["NOTIFY_SOCKET"] = folder_ + "/gone";
    ServiceManager gone(*loop_, &environment);
    gone.ready();
    listen(folder_ + "/notify");
    variables()["NOTIFY_SOCKET"] = folder_ + "/notify" + std::string(200, 'x'); // Beyond sun_path.
    ServiceManager beyond(*loop_, &environment);
    beyond.ready();
    EXPECT_TRUE(told().empty());
}

TEST_F(ServiceManagerTest, WatchesTheProcessThatItNamesAlone) {
    variables()["WATCHDOG_USEC"] = "30000000";
    EXPECT_EQ(watchdog_interval(&environment, 7), 15s);
    variables()["WATCHDOG_PID"] = "7";
    EXPECT_EQ(watchdog_interval(&environment, 7), 15s);
    EXPECT_EQ(watchdog_interval(&environment, 8), std::nullopt);
    for (const char* none : {"", "0", "-1", "5s", "99999999999"}) {
        variables()["WATCHDOG_USEC"] = none;
        EXPECT_EQ(watchdog_interval(&environment, 7), std::nullopt) << none;
    }
}

} // namespace
} // namespace ic::wiring
