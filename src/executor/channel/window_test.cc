#include "executor/channel/window.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace ic::executor::channel {
namespace {

TEST(Window, BothSidesSeeTheSameBytes) {
    Result<Window> broker = Window::create();
    ASSERT_TRUE(broker);
    Result<Window> executor = Window::attach(UniqueFd(::dup(broker->descriptor())));
    ASSERT_TRUE(executor);

    broker->to_executor().back() = 42;
    EXPECT_EQ(executor->to_executor().back(), 42);
    executor->to_broker().front() = 43;
    EXPECT_EQ(broker->to_broker().front(), 43);
    broker->allow(Instant{std::chrono::nanoseconds{5}}, Errc::cancelled);
    EXPECT_EQ(executor->control().lease_until_ns.load(), 5);
    EXPECT_EQ(executor->control().stop_reason.load(), static_cast<std::uint32_t>(Errc::cancelled));
    broker->allow(Instant::never(), {});
    EXPECT_EQ(executor->control().stop_reason.load(), 0U);
}

// A window cut off behind the broker's back would be a bus error in the broker.
TEST(Window, NobodyCanResizeIt) {
    Result<Window> broker = Window::create();
    ASSERT_TRUE(broker);
    EXPECT_NE(::ftruncate(broker->descriptor(), 0), 0);
    EXPECT_NE(::fcntl(broker->descriptor(), F_ADD_SEALS, F_SEAL_WRITE), 0);
}

TEST(Window, AttachRefusesMemoryWithoutSealsOrOfAnotherSize) {
    EXPECT_EQ(Window::attach(UniqueFd(::memfd_create("test", MFD_CLOEXEC))).error().code,
              Errc::malformed);
    Result<Window> whole = Window::create();
    ASSERT_TRUE(whole);
    const UniqueFd open(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    ASSERT_EQ(::ftruncate(open.get(), ::lseek(whole->descriptor(), 0, SEEK_END)), 0);
    EXPECT_EQ(Window::attach(UniqueFd(::dup(open.get()))).error().code, Errc::malformed);
}

} // namespace
} // namespace ic::executor::channel
