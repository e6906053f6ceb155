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

/// Ends at once, well, and has written something; or ends with what adding a file came to.
class Scribe final : public executor::Executor {
public:
    executor::Outcome run(const executor::Task& /*task*/,
                          const executor::Permit& /*permit*/,
                          executor::Host& host) override {
        ++runs;
        executor::Outcome outcome;
        if (!is_adding) {
            outcome.output = {'h', 'i'};
            return outcome;
        }
        const std::unique_ptr<executor::Adder> adder = host.add().take();
        EXPECT_TRUE(adder->write(outcome.output));
        if (const Result<Cid> cid = adder->finish(); !cid) {
            outcome.ending.error = cid.error().code;
        }
        return outcome;
    }

    int runs = 0;
    bool is_adding = false;
};

/// A disk that takes nothing.
class FullStore final : public BlockStore {
public:
    Result<LentBytes> get(const Cid& /*cid*/) override { return why; }
    Result<void> put(const Cid& /*cid*/, ByteView /*data*/) override { return why; }
    Result<bool> has(const Cid& /*cid*/) override { return false; }
    Result<void> sync() override { return why; }
    Result<StoreStat> stat() override { return why; }
    Result<std::unique_ptr<WriteSession>> begin_session() override { return why; }

    Error why{Errc::refused, "the disk is read-only"};
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
        return run_on(store, publish_ms_max, publish);
    }

    FinishedRun run_on(BlockStore& disk, std::uint64_t publish_ms_max, const Publish& publish) {
        const RunParts parts{.executor = scribe,
                             .source = disk,
                             .store = disk,
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
    EXPECT_EQ(finished.ending.error, Errc::unavailable) << "another machine may succeed";
    EXPECT_FALSE(finished.is_kept);
}

// Of a disk that became read-only the job had its end: "refused".
TEST_F(RunJob, LeavesAJobToOthersWhenItsResultsCannotBeKept) {
    FullStore disk;
    for (const Errc code : {Errc::refused, Errc::storage_full, Errc::internal}) {
        for (const bool is_adding : {false, true}) {
            disk.why.code = code;
            scribe.is_adding = is_adding;
            const FinishedRun finished = run_on(disk, 50, {});
            ASSERT_TRUE(finished.ending.error);
            EXPECT_TRUE(may_retry(*finished.ending.error)) << name(*finished.ending.error);
            EXPECT_FALSE(finished.is_kept);
        }
    }
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
    EXPECT_TRUE(finished.is_kept) << "that is no fault of this machine";
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
