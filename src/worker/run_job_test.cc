#include "base/time.h"
#include "blockstore/memory_store.h"
#include "job/invocation.h"
#include "worker/lease_permit.h"
#include "worker/run_job.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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
        if (asks_for) {
            host.stage(job::Stage::running);
            if (fetches_again) {
                host.stage(job::Stage::fetching);
            }
            const Result<LentBytes> block = host.get(*asks_for);
            outcome.ending.error = block ? Errc::internal : block.error().code;
            return outcome;
        }
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
    std::optional<Cid> asks_for{}; ///< While it runs, or
    bool fetches_again = false;    ///< for its module, which turned out to be unusable.
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

/// One that protects nothing from collections, for a moment.
class UnguardedStore final : public BlockStore {
public:
    Result<LentBytes> get(const Cid& cid) override { return blocks.get(cid); }
    Result<void> put(const Cid& cid, ByteView data) override { return blocks.put(cid, data); }
    Result<bool> has(const Cid& cid) override { return blocks.has(cid); }
    Result<void> sync() override { return blocks.sync(); }
    Result<StoreStat> stat() override { return blocks.stat(); }
    Result<std::unique_ptr<WriteSession>> begin_session() override {
        return Error{Errc::unavailable, "no descriptor is left"};
    }

    MemoryStore blocks;
};

class Nobody final : public RunObserver {
public:
    void stage(job::Stage /*stage*/) override {}
    void log(std::string_view /*line*/) override {}
    void output(job::Stream /*stream*/, std::uint64_t /*offset*/, ByteView /*data*/) override {}
    void trace(std::string_view /*line*/) override {}
    void dump(executor::Dump /*kind*/, ByteView /*piece*/) override {}
};

/// Gives nothing until it is stopped.
class Nothing final : public BlockSource {
public:
    Nothing(Stop stop, std::vector<Cid>& asked) : stop_(std::move(stop)), asked_(asked) {}

    Result<LentBytes> get(const Cid& cid) override {
        asked_.push_back(cid);
        for (;;) {
            if (std::optional<Error> error = stop_()) {
                return std::move(*error);
            }
            std::this_thread::sleep_for(1ms);
        }
    }

private:
    Stop stop_;
    std::vector<Cid>& asked_;
};

class RunJob : public ::testing::Test {
protected:
    FinishedRun run(std::uint64_t publish_ms_max, const Publish& publish) {
        job::StageTimeouts timeouts;
        timeouts.publish_ms_max = publish_ms_max;
        return run_on(store, timeouts, publish, {}, {});
    }

    FinishedRun run_on(BlockStore& disk, std::uint64_t publish_ms_max, const Publish& publish) {
        job::StageTimeouts timeouts;
        timeouts.publish_ms_max = publish_ms_max;
        return run_on(disk, timeouts, publish, {}, {});
    }

    FinishedRun run(const job::StageTimeouts& timeouts,
                    const Publish& publish,
                    const OpenReader& open_reader,
                    job::JobSpec spec) {
        return run_on(store, timeouts, publish, open_reader, std::move(spec));
    }

    FinishedRun run_on(BlockStore& disk,
                       const job::StageTimeouts& timeouts,
                       const Publish& publish,
                       const OpenReader& open_reader,
                       job::JobSpec spec) {
        const RunParts parts{.executor = scribe,
                             .source = disk,
                             .store = disk,
                             .curl = {},
                             .publish = publish,
                             .open_reader = open_reader};
        Nobody nobody;
        const Cid cid = cid_of(Codec::raw, ByteView{});
        const job::JobIds ids{.job = cid, .task = cid, .computation = cid};
        spec.module = cid;
        job::Invocation invocation;
        invocation.spec = std::move(spec);
        invocation.timeouts = timeouts;
        invocation.providers = providers;
        return run_job(parts, invocation, ids, {.job = cid, .epoch = {}}, permit, nobody);
    }

    const std::vector<std::string> providers{"/ip4/8.8.8.8/tcp/1/p2p/x"};
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
TEST_F(RunJob, GivesTheCidsThatEveryNodeGives) {
    const FinishedRun finished = run(1000, {});
    EXPECT_EQ(finished.output, cid_of(Codec::raw, bytes_of("hi"))) << "unixfs-v1-2025";
}

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

TEST_F(RunJob, LeavesAJobToOthersWhenACollectionCouldTakeItsResults) {
    UnguardedStore disk;
    const FinishedRun finished = run_on(disk, 1000, {});
    EXPECT_EQ(finished.ending.error, Errc::unavailable);
    EXPECT_NE(finished.ending.message.find("no descriptor is left"), std::string::npos)
        << finished.ending.message;
    EXPECT_FALSE(finished.is_kept);
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

class Fetching : public RunJob {
protected:
    FinishedRun fetch_and_run(job::JobSpec spec, std::uint64_t fetch_ms_max) {
        job::StageTimeouts timeouts;
        timeouts.fetch_ms_max = fetch_ms_max;
        const OpenReader nothing = [this](std::span<const std::string> dialled,
                                          Stop stop) -> std::unique_ptr<BlockSource> {
            EXPECT_EQ(std::vector<std::string>(dialled.begin(), dialled.end()), providers);
            return std::make_unique<Nothing>(std::move(stop), asked);
        };
        return run(timeouts, {}, nothing, std::move(spec));
    }

    const Cid absent = cid_of(Codec::raw, bytes_of("nobody has it"));
    std::vector<Cid> asked;
};

TEST_F(Fetching, EndsWithItsStageAndNamesWhatWasMissing) {
    job::JobSpec spec;
    spec.inputs = {{"corpus", absent}};
    const FinishedRun finished = fetch_and_run(spec, 50);
    EXPECT_EQ(finished.ending.error, Errc::fetch_timeout);
    EXPECT_TRUE(may_retry(*finished.ending.error));
    EXPECT_NE(finished.ending.message.find("input corpus"), std::string::npos);
    EXPECT_NE(finished.ending.message.find("50 ms: raise --fetch-timeout"), std::string::npos);
    EXPECT_EQ(scribe.runs, 0) << "a guest must not start without its input";
    EXPECT_GE(finished.usage.fetch_us, 50'000U);
}

TEST_F(Fetching, EndsWithTheLease) {
    permit.stop(Errc::cancelled);
    job::JobSpec spec;
    spec.event = absent;
    EXPECT_EQ(fetch_and_run(spec, 3'600'000).ending.error, Errc::cancelled);
    EXPECT_EQ(scribe.runs, 0);
}

// A guest that waits for what nobody gives is stopped by then; so is who waits on its behalf.
TEST_F(Fetching, EndsWithTheTimeOfTheRun) {
    scribe.asks_for = absent;
    job::JobSpec spec;
    spec.limits.wall_ms_max = 50;
    EXPECT_EQ(fetch_and_run(spec, 3'600'000).ending.error, Errc::limit_wall_time);
    EXPECT_EQ(asked.size(), 1U);
}

TEST_F(Fetching, OnceMoreIsNoTimeOfTheRun) {
    scribe.asks_for = absent;
    scribe.fetches_again = true;
    job::JobSpec spec;
    spec.limits.wall_ms_max = 10;
    EXPECT_EQ(fetch_and_run(spec, 200).ending.error, Errc::fetch_timeout);
}

TEST_F(Fetching, AsksForNothingThatIsHereOrStandsInItsCid) {
    const Cid here = cid_of(Codec::raw, bytes_of("here"));
    ASSERT_TRUE(store.put(here, bytes_of("here")).ok());
    job::JobSpec spec;
    spec.event = Cid::v1(Codec::raw, HashCode::identity, bytes_of("itself"));
    spec.inputs = {{"a", here}};
    EXPECT_TRUE(fetch_and_run(spec, 50).ending.ok());
    EXPECT_TRUE(asked.empty());
    EXPECT_EQ(scribe.runs, 1);
}

} // namespace
} // namespace ic::worker
