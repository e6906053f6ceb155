#include "executor/channel/endpoint.h"
#include "executor/channel/testing/messages.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>

namespace ic::executor::channel {
namespace {

class EndpointPair : public ::testing::Test {
protected:
    void SetUp() override {
        auto sockets = Endpoint::socket_pair();
        ASSERT_TRUE(sockets);
        auto [left, right] = std::move(sockets).take();
        left_.emplace(std::move(left));
        right_.emplace(std::move(right));
    }

    std::optional<Endpoint> left_;
    std::optional<Endpoint> right_;
};

using namespace std::chrono_literals;

TEST(WaitHabit, ANewOneSleepsUntilAMessageCameSoon) {
    WaitHabit habit;
    EXPECT_FALSE(habit.looks());
    habit.came_after(limits::receive_spin_max);
    EXPECT_FALSE(habit.looks());
    habit.came_after(limits::receive_spin_max - 1ns);
    EXPECT_TRUE(habit.looks());
}

TEST(WaitHabit, OnlyLateMessagesInARowPutItToSleep) {
    WaitHabit habit;
    habit.came_after(0ns);
    for (int round = 0; round < 3; ++round) {
        for (int late = 1; late < limits::late_in_a_row_max; ++late) {
            habit.came_after(1h);
            EXPECT_TRUE(habit.looks()) << late << " late";
        }
        habit.came_after(1us); // What was late before counts no longer.
    }
    for (int late = 0; late < limits::late_in_a_row_max; ++late) {
        EXPECT_TRUE(habit.looks()) << late << " late";
        habit.came_after(1h);
    }
    EXPECT_FALSE(habit.looks());
    habit.came_after(1h);
    EXPECT_FALSE(habit.looks());
    habit.came_after(1us);
    EXPECT_TRUE(habit.looks()) << "one that came soon is enough";
}

TEST_F(EndpointPair, MessagesArriveWholeAndInOrder) {
    const std::vector<Message> all = testing::one_of_each();
    for (const Message& message : all) {
        ASSERT_TRUE(left_->send(message));
    }
    for (const Message& message : all) {
        const Result<Received> received = right_->receive();
        ASSERT_TRUE(received);
        EXPECT_EQ(received->message, message);
        EXPECT_TRUE(received->descriptors.empty());
    }
}

TEST_F(EndpointPair, TheLargestMessageArrives) {
    Start start;
    start.task.spec.arguments.assign(30, std::string(4096, 'x'));
    ASSERT_TRUE(left_->send(start));
    const Result<Received> received = right_->receive();
    ASSERT_TRUE(received);
    EXPECT_EQ(received->message, Message(start));
}

TEST_F(EndpointPair, DescriptorsArriveCloseOnExec) {
    const UniqueFd memory(::memfd_create("test", MFD_CLOEXEC));
    ASSERT_EQ(::write(memory.get(), "seven", 5), 5);
    const std::array lent{memory.get()};
    ASSERT_TRUE(left_->send(Load{.module = 1}, lent));
    Result<Received> received = right_->receive();
    ASSERT_TRUE(received);
    ASSERT_EQ(received->descriptors.size(), 1U);
    struct stat status{};
    ASSERT_EQ(::fstat(received->descriptors[0].get(), &status), 0);
    EXPECT_EQ(status.st_size, 5);
    EXPECT_NE(::fcntl(received->descriptors[0].get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(EndpointPair, ReceiveSaysUnavailableWhenTheOtherEndIsGone) {
    left_.reset();
    EXPECT_EQ(right_->receive().error().code, Errc::unavailable);
    EXPECT_EQ(right_->send(Ready{}).error().code, Errc::unavailable);
}

TEST_F(EndpointPair, ReceiveRefusesAPacketBeyondTheLimit) {
    const Bytes large(limits::message_bytes_max + 1, 1);
    ASSERT_EQ(::send(left_->socket(), large.data(), large.size(), 0),
              static_cast<ssize_t>(large.size()));
    EXPECT_EQ(right_->receive().error().code, Errc::too_large);
}

TEST_F(EndpointPair, ReceiveRefusesMoreDescriptorsThanAllowedAndLeaksNone) {
    const int before = ::dup(0);
    ::close(before);
    std::array<std::uint8_t, CMSG_SPACE(sizeof(int) * 3)> control{};
    const std::array<int, 3> descriptors{0, 0, 0};
    const Bytes bytes{1, 6, 0, 0, 0, 0};
    iovec part{.iov_base = const_cast<std::uint8_t*>(bytes.data()), .iov_len = bytes.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(descriptors));
    std::copy(descriptors.begin(), descriptors.end(), reinterpret_cast<int*>(CMSG_DATA(rights)));
    ASSERT_GT(::sendmsg(left_->socket(), &header, 0), 0);
    EXPECT_FALSE(right_->receive());
    const int after = ::dup(0);
    ::close(after);
    EXPECT_EQ(after, before) << "the lowest free descriptor number";
}

} // namespace
} // namespace ic::executor::channel
