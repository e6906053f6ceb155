#include "lease/testing/machines.h"
#include "lease/worker_table.h"

#include <gtest/gtest.h>

namespace ic::lease {
namespace {

using namespace std::chrono_literals;
using namespace testing;

job::WorkerRef numbered(std::uint32_t number) {
    job::WorkerRef worker = worker_ref(7);
    for (std::size_t index = 0; index < 4; ++index) {
        const auto part = static_cast<std::uint8_t>(number >> (8 * index));
        worker.instance.bytes[index] = part;
        worker.key.bytes[index] = part;
    }
    return worker;
}

job::Advert advert_of(const job::WorkerRef& worker, std::uint32_t slots = 1) {
    return {.worker = worker,
            .slots = slots,
            .slots_free = slots,
            .software = "test",
            .labels = {},
            .features = {},
            .store_bytes = {},
            .again_within = 10'000ms};
}

/// All of them, from however many messages.
std::vector<job::KnownWorker> known(WorkerTable& table, Instant now) {
    std::vector<job::KnownWorker> all;
    for (job::KnownWorkers& answer :
         table.answers([](const job::Instance&) { return Reached{}; }, now)) {
        all.insert(all.end(), answer.workers.begin(), answer.workers.end());
    }
    return all;
}

TEST(WorkerTable, KnowsWhoWasHeardUntilItMissesItsAdverts) {
    WorkerTable table;
    table.hear(advert_of(worker_ref(2)), Trust::trusted, at(0));
    table.hear(advert_of(worker_ref(3), 4), Trust::stranger, at(5'000));
    std::vector<job::KnownWorker> all = known(table, at(6'000));
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].advert.worker, worker_ref(2));
    EXPECT_EQ(all[0].heard_ago, 6'000ms);
    EXPECT_TRUE(all[0].trusted);
    EXPECT_EQ(all[1].advert.slots, 4U);
    EXPECT_FALSE(all[1].trusted);
    EXPECT_EQ(known(table, at(29'999)).size(), 2U);
    all = known(table, at(30'000));
    ASSERT_EQ(all.size(), 1U) << "three adverts have not come";
    EXPECT_EQ(all[0].advert.worker, worker_ref(3));
    table.forget(instance(3));
    EXPECT_TRUE(known(table, at(30'000)).empty());
}

TEST(WorkerTable, KeepsWhoPromisesNothingForAWhileAndBelievesNoPromiseWithoutBounds) {
    WorkerTable table;
    job::Advert silent = advert_of(worker_ref(2));
    silent.again_within.reset();
    job::Advert never = advert_of(worker_ref(3));
    never.again_within = 366 * 24h;
    job::Advert always = advert_of(worker_ref(4));
    always.again_within = 0ms;
    for (const job::Advert& each : {silent, never, always}) {
        table.hear(each, Trust::trusted, at(0));
    }
    EXPECT_EQ(known(table, at(2'999)).size(), 3U);
    EXPECT_EQ(known(table, at(3'000)).size(), 2U);
    EXPECT_EQ(known(table, at(300'000)).size(), 1U);
    EXPECT_EQ(known(table, at(3 * 3'600'000)).size(), 0U);
}

TEST(WorkerTable, ForgetsTheOneHeardLongestAgoBeyondEachBound) {
    WorkerTableOptions options;
    options.workers_max = 8;
    options.workers_per_key_max = 3;
    options.strangers_max = 2;
    WorkerTable table(options);
    for (std::uint32_t number = 0; number < 8; ++number) {
        table.hear(advert_of(numbered(number)), Trust::trusted, at(number));
    }
    EXPECT_EQ(table.size(), 8U);
    table.hear(advert_of(numbered(100)), Trust::trusted, at(10));
    EXPECT_EQ(table.size(), 8U);
    EXPECT_EQ(known(table, at(11)).front().advert.worker, numbered(1)) << "the oldest is gone";

    for (std::uint32_t number = 200; number < 210; ++number) {
        table.hear(advert_of(numbered(number)), Trust::stranger, at(number));
    }
    std::size_t strangers = 0;
    for (const job::KnownWorker& one : known(table, at(210))) {
        strangers += one.trusted ? 0U : 1U;
    }
    EXPECT_EQ(strangers, 2U);

    WorkerTable of_one_key(options);
    for (std::uint32_t number = 0; number < 10; ++number) {
        job::WorkerRef worker = numbered(number);
        worker.key = worker_ref(1).key;
        of_one_key.hear(advert_of(worker), Trust::trusted, at(number));
    }
    EXPECT_EQ(of_one_key.size(), 3U);
}

TEST(WorkerTable, LetsNoStrangerBearTheNameOfAnother) {
    WorkerTable table;
    table.hear(advert_of(worker_ref(2)), Trust::trusted, at(0));
    job::WorkerRef thief = worker_ref(3);
    thief.instance = instance(2);
    table.hear(advert_of(thief, 9), Trust::stranger, at(1));
    const auto all = known(table, at(2));
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].advert.worker, worker_ref(2));
}

TEST(WorkerTable, SaysHowLargeALargeNetworkIsAndNothingOfASmallOne) {
    const auto size_of = [](std::uint32_t workers, std::int64_t seconds) {
        WorkerTable table;
        for (std::int64_t ms = 0; ms <= seconds * 1'000; ms += 5'000) {
            for (std::uint32_t number = 0; number < workers; ++number) {
                table.hear(advert_of(numbered(number)), Trust::trusted, at(ms));
            }
            table.time(at(ms));
        }
        return table.network_size();
    };
    EXPECT_EQ(size_of(63, 600), 0U) << "all bid, as where nothing is known";
    EXPECT_EQ(size_of(64, 600), 64U);
    EXPECT_EQ(size_of(1'000, 600), 1'000U);
    EXPECT_EQ(size_of(1'000, 0), 250U) << "smoothed";

    WorkerTable table;
    for (std::uint32_t number = 0; number < 1'000; ++number) {
        table.hear(advert_of(numbered(number), number % 2), Trust::trusted, at(0));
        job::Advert other = advert_of(numbered(10'000 + number));
        table.hear(other, Trust::stranger, at(0));
    }
    for (int count = 0; count < 100; ++count) {
        table.time(at(1));
    }
    EXPECT_EQ(table.network_size(), 500U) << "strangers and drained ones do not count";
    for (std::int64_t ms = 40'000; ms < 600'000; ms += 5'000) {
        table.time(at(ms));
    }
    EXPECT_EQ(table.network_size(), 0U) << "all are silent";
}

TEST(WorkerTable, AnswersInMessagesThatFit) {
    WorkerTable table;
    EXPECT_EQ(table.answers([](const job::Instance&) { return Reached{}; }, at(0)),
              std::vector<job::KnownWorkers>(1))
        << "one that says that there is none";
    job::Advert fat = advert_of(worker_ref(2));
    fat.software = std::string(job::limits::text_bytes_max, 's');
    for (std::size_t count = 0; count < job::limits::worker_labels_max; ++count) {
        fat.labels.emplace_back("k" + std::to_string(100 + count), std::string(60, 'v'));
    }
    fat.features.assign(job::limits::features_max,
                        std::string(job::limits::feature_bytes_max, 'f'));
    fat.store_bytes = UINT64_MAX;
    for (std::uint32_t number = 0; number < 30; ++number) {
        fat.worker = numbered(number);
        table.hear(fat, Trust::trusted, at(0));
    }
    const auto everywhere = [](const job::Instance&) {
        return Reached{.route = job::Route::topic,
                       .addresses = std::vector<std::string>(
                           20, std::string(job::limits::known_worker_address_bytes_max, 'a'))};
    };
    const std::vector<job::KnownWorkers> answers = table.answers(everywhere, at(1));
    ASSERT_EQ(answers.size(), 3U);
    EXPECT_EQ(answers[0].left, 18U);
    EXPECT_EQ(answers[1].left, 6U);
    EXPECT_EQ(answers[2].left, 0U);
    for (const job::KnownWorkers& answer : answers) {
        const Bytes bytes = job::encode(answer);
        EXPECT_LE(bytes.size(), job::limits::message_bytes_max);
        EXPECT_EQ(job::decode(bytes).take(), job::Message{answer});
    }
    EXPECT_EQ(answers[0].workers[0].advert.software.size(), job::limits::advert_software_bytes_max);
}

} // namespace
} // namespace ic::lease
