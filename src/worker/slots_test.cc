#include "worker/slots.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace ic::worker {
namespace {

TEST(Slots, RunAsManyTasksAtOnceAsThereAreSlots) {
    Slots slots(3);
    std::latch all_running(3); // Passed only if three tasks are in it together.
    std::latch done(3);
    for (int index = 0; index < 3; ++index) {
        slots.start([&] {
            all_running.arrive_and_wait();
            done.count_down();
        });
    }
    done.wait();
    EXPECT_EQ(slots.count(), 3U);
}

TEST(Slots, TheDestructorWaitsForWhatRuns) {
    std::atomic<bool> finished = false;
    std::latch begun(1);
    {
        Slots slots(1);
        slots.start([&] {
            begun.count_down();
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            finished = true;
        });
        begun.wait();
    }
    EXPECT_TRUE(finished);
}

} // namespace
} // namespace ic::worker
