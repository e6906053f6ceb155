#include "coordinator/journal.h"
#include "job/testing/samples.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace ic::coordinator {
namespace {

using namespace std::chrono_literals;
using job::testing::sample_instance;
using job::testing::sample_invocation;
using job::testing::sample_key;

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::int64_t accepted_wall_ms = 500 * hour_ms;
constexpr std::int64_t accepted_boot_ms = 3 * hour_ms;

Bytes document() { return job::sign(sample_invocation(), sample_key(1))->document; }

/// Accepted in the boot "this".
ledger::AdoptedJob adopted() {
    ledger::AdoptedJob job;
    job.invocation = document();
    job.row.accepted_at = {accepted_wall_ms};
    job.accepted_since_boot = ledger::BootMillis{.boot_id = "this", .value = accepted_boot_ms};
    return job;
}

/// So long after the job was accepted, by each clock.
Moment after(std::int64_t boot_ms, std::int64_t wall_ms, std::string boot_id = "this") {
    return {.since_boot = {std::chrono::milliseconds{accepted_boot_ms + boot_ms}},
            .wall = {accepted_wall_ms + wall_ms},
            .boot_id = std::move(boot_id)};
}

std::chrono::nanoseconds age(const ledger::AdoptedJob& job, const Moment& now) {
    const Result<lease::RecoveredJob> recovered =
        recovered_of(job, [](const job::Instance&) { return false; }, now);
    EXPECT_TRUE(recovered) << recovered.error().message;
    return now.since_boot - recovered->accepted_at;
}

TEST(Journal, AStepOfTheWallClockDoesNotAgeAJobOfThisBoot) {
    EXPECT_EQ(age(adopted(), after(5'000, 5'000)), 5s);
    EXPECT_EQ(age(adopted(), after(5'000, 2 * hour_ms)), 5s);
    EXPECT_EQ(age(adopted(), after(5'000, -2 * hour_ms)), 5s);
}

TEST(Journal, AJobOfAnotherBootIsAsOldAsTheWallClockSays) {
    EXPECT_EQ(age(adopted(), after(-3 * hour_ms, 7'000, "next")), 7s);
    EXPECT_EQ(age(adopted(), after(hour_ms, 7'000, "next")), 7s);
}

TEST(Journal, WithoutABootTheWallClockCounts) {
    EXPECT_EQ(age(adopted(), after(5'000, 7'000, "")), 7s);
    ledger::AdoptedJob older = adopted();
    older.accepted_since_boot.reset();
    EXPECT_EQ(age(older, after(5'000, 7'000)), 7s);
    EXPECT_EQ(age(older, after(5'000, 7'000, "")), 7s) << "two that are not known are not one";
}

TEST(Journal, AnAgeIsNeverNegativeAndNeverBeyondTheMost) {
    using Numbers = std::numeric_limits<std::int64_t>;
    const Moment now = after(5'000, 5'000);
    const Moment other = after(5'000, 5'000, "next");
    ledger::AdoptedJob job = adopted();
    for (const std::int64_t later : {accepted_boot_ms + 5'001, Numbers::max()}) {
        job.accepted_since_boot->value = later;
        EXPECT_EQ(age(job, now), 0s) << later;
    }
    for (const std::int64_t later : {accepted_wall_ms + 5'001, Numbers::max()}) {
        job.row.accepted_at = {later};
        EXPECT_EQ(age(job, other), 0s) << later;
    }
    constexpr std::chrono::milliseconds most = limits::adopted_age_max;
    job.row.accepted_at = {other.wall.value - most.count()};
    EXPECT_EQ(age(job, other), most);
    for (const std::int64_t earlier : {other.wall.value - most.count() - 1, Numbers::min()}) {
        job.row.accepted_at = {earlier};
        EXPECT_EQ(age(job, other), most) << earlier;
    }
    job.accepted_since_boot->value = Numbers::min();
    EXPECT_EQ(age(job, now), most);
}

/// Of an acceptance at `at`.
std::optional<ledger::BootMillis> written(const Moment& at) {
    const Result<job::SignedInvocation> invocation = job::read_invocation(document());
    EXPECT_TRUE(invocation);
    const std::vector<lease::Record> records{
        lease::AcceptedRecord{entry_of(*invocation, job::JobIds{}, {})}};
    const std::vector<ledger::Record> made = to_ledger(
        records,
        sample_instance(1),
        [](const Cid&) { return nullptr; },
        [](const Cid&) { return std::nullopt; },
        at);
    EXPECT_EQ(made.size(), 1U);
    const auto& accepted = std::get<ledger::JobAccepted>(made.front());
    EXPECT_EQ(accepted.at, at.wall);
    return accepted.at_since_boot;
}

TEST(Journal, WritesWhenAJobWasAcceptedByTheClockSinceBoot) {
    const Moment at{.since_boot = {1'234'999us}, .wall = {77}, .boot_id = "this"};
    EXPECT_EQ(written(at), (ledger::BootMillis{.boot_id = "this", .value = 1'234}));
    EXPECT_EQ(written({.since_boot = {1s}, .wall = {77}, .boot_id = ""}), std::nullopt);
}

} // namespace
} // namespace ic::coordinator
