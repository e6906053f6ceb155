#include "base/time.h"
#include "blockstore/memory_store.h"
#include "job/invocation.h"
#include "worker/lease_permit.h"
#include "worker/run_job.h"

#include <gtest/gtest.h>

#include <functional>

namespace ic::worker {
namespace {

using namespace std::chrono_literals;

/// Ends at once, well, and has written something.
class Scribe final : public executor::Executor {
public:
    executor::Outcome run(const executor::Task& /*task*/,
                          const executor::Permit& /*permit*/,
                          executor::Host& /*host*/) override {
        ++runs;
        executor::Outcome outcome;
        outcome.output = {'h', 'i'};
        return outcome;
    }

    int runs = 0;
};

class Nobody final : public RunObserver {
public:
    void stage(job::Stage /*stage*/) override {}
    void log(std::string_view /*line*/) override {}
    void output(job::Stream /*stream*/, std::uint64_t /*offset*/, ByteView /*data*/) override {}
    void trace(std::string_view /*line*/) override {}
    void dump(executor::Dump /*kind*/, ByteView /*piece*/) override {}
};

class RunJob : public ::testing::Test {
protected:
    FinishedRun run(std::uint64_t publish_ms_max, const Publish& publish) {
        const RunParts parts{.executor = scribe,
                             .source = store,
                             .store = store,
                             .profile = {},
                             .curl = {},
                             .publish = publish};
        job::StageTimeouts timeouts;
        timeouts.publish_ms_max = publish_ms_max;
        Nobody nobody;
        const Cid cid = cid_of(Codec::raw, ByteView{});
        const job::JobIds ids{.job = cid, .task = cid, .computation = cid};
        job::JobSpec spec;
        spec.module = cid;
        return run_job(parts, spec, timeouts, ids, {.job = cid, .epoch = {}}, permit, nobody);
    }

    MemoryStore store;
    Scribe scribe;
    LeasePermit permit{now_since_boot() + 60s};
};

const Error no_kubo{Errc::unavailable, "no Kubo"};

TEST_F(RunJob, HandsItsResultsOnOnceTheNetworkIsThereAgain) {
    int calls = 0;
    const FinishedRun finished =
        run(60'000, [&](std::span<const Cid> cids, const Stop& /*stop*/) -> Result<void> {
            EXPECT_EQ(cids.size(), 1U);
            return ++calls < 3 ? Result<void>(no_kubo) : Result<void>();
        });
    EXPECT_EQ(calls, 3);
    EXPECT_EQ(scribe.runs, 1);
    EXPECT_TRUE(finished.ending.ok()) << finished.ending.message;
}

TEST_F(RunJob, GivesUpAtItsTimeoutAndSaysWhatWasMissing) {
    const FinishedRun finished =
        run(50, [](std::span<const Cid> /*cids*/, const Stop& /*stop*/) { return no_kubo; });
    EXPECT_EQ(finished.ending.error, Errc::publish_timeout);
    EXPECT_NE(finished.ending.message.find("no Kubo"), std::string::npos);
}

TEST_F(RunJob, DoesNotTryAgainWhatCannotSucceed) {
    int calls = 0;
    const FinishedRun finished =
        run(60'000, [&](std::span<const Cid> /*cids*/, const Stop& /*stop*/) {
            ++calls;
            return Error{Errc::refused, "no token"};
        });
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(finished.ending.error, Errc::refused);
}

TEST_F(RunJob, StopsHandingOnWhenItsLeaseIsLost) {
    const FinishedRun finished =
        run(60'000, [&](std::span<const Cid> /*cids*/, const Stop& stop) -> Result<void> {
            EXPECT_FALSE(stop());
            permit.stop(Errc::lease_lost);
            EXPECT_EQ(stop()->code, Errc::lease_lost) << "a call that hangs is told";
            return no_kubo;
        });
    EXPECT_EQ(finished.ending.error, Errc::lease_lost);
}

TEST_F(RunJob, HandsNothingOnWhenItWasStopped) {
    permit.stop(Errc::cancelled);
    int calls = 0;
    run(60'000, [&](std::span<const Cid> /*cids*/, const Stop& /*stop*/) -> Result<void> {
        ++calls;
        return {};
    });
    EXPECT_EQ(calls, 0);
}

} // namespace
} // namespace ic::worker
