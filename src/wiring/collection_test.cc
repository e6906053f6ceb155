#include "job/invocation.h"
#include "job/testing/samples.h"
#include "ledger/ledger.h"
#include "wiring/collection.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <future>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ic::wiring {
namespace {

using job::testing::sample_cid;
using job::testing::sample_key;
using testing::UnorderedElementsAre;

constexpr std::int64_t day_ms = 24LL * 3600 * 1000;
/// The real one: the ledger itself forgets what ended 30 days ago.
const std::int64_t now_ms = ledger::now_unix_millis().value / 1000 * 1000;

/// A home with a ledger in it.
class Collecting : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "ic-collecting-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        home_.path = pattern;
    }

    void TearDown() override { std::filesystem::remove_all(home_.path); }

    static void write(ledger::LedgerWriter& writer, std::vector<ledger::Record> records) {
        std::promise<bool> written;
        writer.submit(std::move(records), [&](Result<void> done) { written.set_value(done.ok()); });
        ASSERT_TRUE(written.get_future().get());
    }

    /// A job that reads module n alone.
    static ledger::JobAccepted accepted(std::uint8_t number, std::int64_t at_ms) {
        job::Invocation invocation = job::testing::sample_invocation();
        invocation.spec.module = sample_cid(number);
        invocation.spec.event.reset();
        invocation.spec.inputs.clear();
        const job::SignedInvocation document =
            std::move(job::sign(invocation, sample_key(1))).take();
        return {.ids = job::ids_of(document),
                .submitter = sample_key(1).public_key(),
                .owner = job::testing::sample_instance(7),
                .invocation = document.document,
                .labels = {},
                .priority = 0,
                .at = {at_ms}};
    }

    /// Its end, with an output of this number and no more.
    static ledger::JobFinished
    finished(const ledger::JobAccepted& job, std::uint8_t output, std::int64_t at_ms) {
        job::Receipt receipt = job::testing::sample_receipt();
        receipt.job = job.ids.job;
        receipt.output = sample_cid(output);
        receipt.errors.reset();
        receipt.log.reset();
        const job::SignedReceipt document = std::move(job::sign(receipt, sample_key(3))).take();
        return {.job = job.ids.job,
                .computation = job.ids.computation,
                .receipt_cid = document.cid,
                .receipt = document.document,
                .epoch = {1, 1},
                .worker = {.key = sample_key(3).public_key(),
                           .instance = job::testing::sample_instance(8)},
                .error = std::nullopt,
                .message = {},
                .memoizable = true,
                .from_memo = false,
                .at = {at_ms}};
    }

    std::vector<std::string> roots(const std::string& kept) {
        config::Settings settings;
        settings.store_keep_results = kept;
        const Result<VisitRoots> visit = roots_of_jobs(home_, settings, {now_ms / 1000});
        EXPECT_TRUE(visit.ok());
        std::vector<std::string> found;
        const Result<void> visited = (*visit)([&](const Root& root) -> Result<void> {
            EXPECT_EQ(root.reach, Root::Reach::found);
            found.push_back(root.cid.to_string());
            return {};
        });
        EXPECT_TRUE(visited.ok()) << (visited ? "" : visited.error().message);
        return found;
    }

    static std::string text(std::uint8_t number) { return sample_cid(number).to_string(); }

    config::Home home_;
};

TEST_F(Collecting, NeedsNoLedger) { EXPECT_THAT(roots("7d"), UnorderedElementsAre()); }

TEST_F(Collecting, KeepsWhatOpenAndLatelyEndedJobsReadAndWrote) {
    {
        const auto writer = std::move(ledger::LedgerWriter::open(home_.ledger_file())).take();
        const auto open = accepted(1, now_ms - 20 * day_ms);
        const auto late = accepted(2, now_ms - 9 * day_ms), old = accepted(3, now_ms - 9 * day_ms);
        write(*writer, {open, late, old});
        write(*writer,
              {finished(late, 12, now_ms - 6 * day_ms), finished(old, 13, now_ms - 8 * day_ms)});
    }
    EXPECT_THAT(roots("7d"), UnorderedElementsAre(text(1), text(2), text(12)));
    EXPECT_THAT(roots("9d"), UnorderedElementsAre(text(1), text(2), text(12), text(3), text(13)));
    EXPECT_THAT(roots("1h"), UnorderedElementsAre(text(1))) << "open jobs whatever their age";
    EXPECT_EQ(roots("100000d").size(), 5U) << "longer than there has been time";
}

TEST_F(Collecting, KeepsAnOldReceiptThatAnsweredALateJob) {
    {
        const auto writer = std::move(ledger::LedgerWriter::open(home_.ledger_file())).take();
        const auto old = accepted(1, now_ms - 20 * day_ms);
        write(*writer, {old});
        write(*writer, {finished(old, 11, now_ms - 19 * day_ms)});
        ledger::JobAccepted again = accepted(1, now_ms - day_ms);
        again.ids.job = sample_cid(200); // Another request for the same work.
        write(*writer, {again});
        ledger::JobFinished answered = finished(old, 11, now_ms - day_ms);
        answered.job = again.ids.job;
        answered.from_memo = true;
        write(*writer, {answered});
    }
    const std::vector<std::string> found = roots("7d");
    EXPECT_EQ(std::set(found.begin(), found.end()), (std::set{text(1), text(11)}));
}

TEST_F(Collecting, RefusesARetentionThatIsNone) {
    config::Settings settings;
    settings.store_keep_results = "soon";
    EXPECT_EQ(roots_of_jobs(home_, settings, {}).error().code, Errc::usage);
    EXPECT_EQ(config::assign(settings, "store.keep_results", "soon").error().code, Errc::usage);
    EXPECT_TRUE(config::assign(settings, "store.keep_results", "12h").ok());
}

} // namespace
} // namespace ic::wiring
