/// Every job runs once, whatever dies: real workers, real executors, one home. What counts is the
/// record that executors append to, and what clients were told.

#include "job/receipt.h"
#include "system/cluster.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <set>
#include <thread>

namespace ic::system_test {

using namespace std::chrono_literals;

namespace {

/// `IC_LONG=1` asks for the full numbers; the usual run has fewer of the same.
bool is_long() { return std::getenv("IC_LONG") != nullptr; }

void expect_success(const job::Outcome& outcome) {
    ASSERT_TRUE(outcome.receipt) << outcome.message;
    const auto receipt = job::read_receipt(*outcome.receipt);
    ASSERT_TRUE(receipt) << receipt.error().message;
    EXPECT_TRUE(job::verify_signature(*receipt));
    EXPECT_TRUE(receipt->receipt.ending.ok()) << receipt->receipt.ending.message;
}

TEST(Grant, AThousandJobsOnFourWorkersAreAThousandExecutions) {
    Cluster cluster;
    for (int index = 0; index < 4; ++index) {
        cluster.start_worker();
    }
    const Cid module = cluster.add_module(noop_module());
    Client client(cluster);
    constexpr std::size_t jobs = 1000;
    for (std::size_t index = 0; index < jobs; ++index) {
        client.submit(make_job(cluster.key(), module, {.nonce = "job " + std::to_string(index)}));
    }
    ASSERT_TRUE(client.wait_for_all(120s)) << client.outcomes().size();
    EXPECT_EQ(client.outcomes().size(), jobs);
    for (const auto& [job, outcome] : client.outcomes()) {
        expect_success(outcome);
    }
    const ExecutionCheck check = check_executions(cluster.executions());
    EXPECT_EQ(check.executions, jobs);
    EXPECT_EQ(check.jobs, jobs);
    EXPECT_TRUE(check.overlaps.empty());
}

TEST(Grant, TheSameSubmissionTwiceIsOneJob) {
    Cluster cluster;
    cluster.start_worker();
    const Cid module = cluster.add_module(noop_module());
    const job::SignedInvocation job = make_job(cluster.key(), module, {.nonce = "once"});
    Client first(cluster);
    Client second(cluster);
    first.submit(job);
    second.submit(job);
    ASSERT_TRUE(first.wait_for_all(20s));
    ASSERT_TRUE(second.wait_for_all(20s));
    EXPECT_EQ(check_executions(cluster.executions()).executions, 1U);
}

TEST(Grant, AJobHandedToSeveralNodesAtOnceIsCoordinatedByOne) {
    Cluster cluster;
    for (int index = 0; index < 4; ++index) {
        cluster.start_worker({"--slots", "1"});
    }
    const Cid module = cluster.add_module(noop_module());
    std::vector<std::unique_ptr<Client>> clients; // Each meets one of the nodes, by chance.
    for (int index = 0; index < 6; ++index) {
        clients.push_back(std::make_unique<Client>(cluster));
    }
    constexpr std::size_t jobs = 60;
    for (std::size_t index = 0; index < jobs; ++index) {
        const job::SignedInvocation job =
            make_job(cluster.key(), module, {.nonce = "shared " + std::to_string(index)});
        for (const auto& client : clients) {
            client->submit(job);
        }
    }
    for (const auto& client : clients) {
        ASSERT_TRUE(client->wait_for_all(60s)) << client->outcomes().size();
        for (const auto& [job, outcome] : client->outcomes()) {
            expect_success(outcome);
        }
    }
    EXPECT_EQ(check_executions(cluster.executions()).executions, jobs);
}

TEST(Grant, ShortJobsTakenAheadDoNotWaitBehindALongOne) {
    Cluster cluster;
    cluster.start_worker({"--slots", "1"});
    cluster.start_worker({"--slots", "1"});
    const Cid noop = cluster.add_module(noop_module());
    const Cid endless = cluster.add_module(endless_module());
    Client client(cluster);
    std::size_t submitted = 0;
    const auto submit_short = [&](std::size_t count) {
        for (std::size_t index = 0; index < count; ++index) {
            client.submit(
                make_job(cluster.key(), noop, {.nonce = "short " + std::to_string(submitted++)}));
        }
    };
    submit_short(200); // Now both workers take jobs ahead of their slots.
    ASSERT_TRUE(client.wait_for_all(30s));
    submit_short(5);
    client.submit(make_job(cluster.key(), endless, {.nonce = "long", .wall_max = 3600s}));
    submit_short(100);
    const Instant until = now_since_boot() + 20s;
    while (client.outcomes().size() < submitted && now_since_boot() < until) {
        client.take_for(20ms);
    }
    EXPECT_EQ(client.outcomes().size(), submitted) << "all but the long one have ended";
    EXPECT_TRUE(check_executions(cluster.executions()).overlaps.empty());
}

TEST(Grant, AnEarlierReceiptAnswersAPureJobWithoutANonce) {
    Cluster cluster;
    cluster.start_worker();
    const Cid module = cluster.add_module(noop_module());
    for (int index = 0; index < 2; ++index) {
        Client client(cluster);
        // Another label makes another job of the same computation.
        client.submit(make_job(cluster.key(), module, {.wall_max = 60s + index * 1s}));
        ASSERT_TRUE(client.wait_for_all(20s));
        EXPECT_EQ(client.outcomes().begin()->second.from_memo, index == 1);
    }
    EXPECT_EQ(check_executions(cluster.executions()).executions, 1U);
}

/// Which worker's log tells of the executor that runs the only open execution.
std::optional<std::size_t>
worker_of(const Cluster& cluster, const std::vector<std::size_t>& workers, pid_t executor) {
    // The executor's parent is its broker.
    std::string stat = "/proc/" + std::to_string(executor) + "/stat";
    FILE* file = std::fopen(stat.c_str(), "r");
    if (file == nullptr) {
        return std::nullopt;
    }
    int parent = 0;
    const int got = std::fscanf(file, "%*d %*s %*c %d", &parent);
    std::fclose(file);
    for (const std::size_t worker : workers) {
        if (got == 1 && cluster.pid(worker) == parent) {
            return worker;
        }
    }
    return std::nullopt;
}

/// The execution that has begun after `seen` others and still runs.
std::optional<Execution>
wait_for_execution(const Cluster& cluster, std::size_t seen, std::chrono::milliseconds time_max) {
    const Instant until = now_since_boot() + time_max;
    while (now_since_boot() < until) {
        const std::vector<Execution> all = cluster.executions();
        if (all.size() > seen) {
            return all.back();
        }
        ::usleep(2000);
    }
    return std::nullopt;
}

TEST(Failover, AKilledWorkersJobRunsElsewhereWithinTwoSeconds) {
    Cluster cluster;
    std::vector<std::size_t> workers;
    for (int index = 0; index < 3; ++index) {
        workers.push_back(cluster.start_worker());
    }
    const Cid module = cluster.add_module(endless_module());
    Client client(cluster);
    std::size_t jobs = 0;
    const auto submit_another = [&] {
        const job::SignedInvocation job =
            make_job(cluster.key(),
                     module,
                     {.nonce = "survivor " + std::to_string(jobs++), .wall_max = 3600s});
        client.submit(job);
        client.take_for(300ms);
        return job.cid;
    };
    Cid job = submit_another();

    const int kills = is_long() ? 100 : 15;
    constexpr int kills_per_job = 50; // A job has a hundred attempts at the most.
    std::chrono::nanoseconds longest{};
    std::size_t seen = 0;
    for (int kill = 0; kill < kills; ++kill) {
        if (kill > 0 && kill % kills_per_job == 0) {
            ASSERT_EQ(cluster.run({"job", "cancel", job.to_string()}).status, 0);
            seen = cluster.executions().size();
            job = submit_another();
        }
        const auto running = wait_for_execution(cluster, seen, 10s);
        ASSERT_TRUE(running) << "kill " << kill;
        const auto worker = worker_of(cluster, workers, running->executor);
        ASSERT_TRUE(worker);
        const Instant killed = now_since_boot();
        cluster.kill_worker(*worker);
        const auto next = wait_for_execution(cluster, ++seen, 10s);
        ASSERT_TRUE(next) << "after kill " << kill;
        longest = std::max(longest, std::chrono::nanoseconds{next->start_ns} - killed.since_boot);
        EXPECT_FALSE(is_alive(running->executor)) << "the dead worker's guest still runs";
        std::erase(workers, *worker);
        workers.push_back(cluster.start_worker());
        client.take_for(1ms);
    }
    EXPECT_LE(longest, 3500ms) << "no lease is waited out";
    RecordProperty("failover_ms_max", static_cast<int>(longest / 1ms));
    const ExecutionCheck check = check_executions(cluster.executions());
    EXPECT_EQ(check.jobs, jobs);
    EXPECT_LE(check.executions, static_cast<std::size_t>(kills) + jobs);
    EXPECT_TRUE(check.overlaps.empty());
    EXPECT_LT(client.outcomes().size(), jobs) << "the last job goes on";
}

TEST(Failover, JobsUnderKillsAreAllFinishedAndNoneTwiceAtOnce) {
    Cluster cluster;
    std::vector<std::size_t> workers;
    for (int index = 0; index < 4; ++index) {
        workers.push_back(cluster.start_worker());
    }
    const Cid module = cluster.add_module(noop_module());
    Client client(cluster);
    const int rounds = is_long() ? 40 : 8;
    std::size_t submitted = 0;
    for (int round = 0; round < rounds; ++round) {
        for (int index = 0; index < 25; ++index) {
            client.submit(
                make_job(cluster.key(), module, {.nonce = "job " + std::to_string(submitted)}));
            ++submitted;
        }
        const std::size_t victim = workers[static_cast<std::size_t>(round) % workers.size()];
        cluster.kill_worker(victim);
        std::erase(workers, victim);
        workers.push_back(cluster.start_worker());
    }
    ASSERT_TRUE(client.wait_for_all(120s)) << client.outcomes().size() << " of " << submitted;
    for (const auto& [job, outcome] : client.outcomes()) {
        expect_success(outcome);
    }
    const ExecutionCheck check = check_executions(cluster.executions());
    EXPECT_EQ(check.jobs, submitted);
    EXPECT_TRUE(check.overlaps.empty());
}

/// When the first execution ended, once its process group was woken at `woken`.
std::optional<std::chrono::nanoseconds> first_end_after(const Cluster& cluster, Instant woken) {
    while (now_since_boot() < woken + 5s) {
        if (const auto ended = cluster.executions().front().end_ns) {
            return std::chrono::nanoseconds{*ended} - woken.since_boot;
        }
        ::usleep(2000);
    }
    return std::nullopt;
}

TEST(Pause, AStoppedWorkersGuestDoesNotGoOnAndAnotherWorkerHasTheJob) {
    Cluster cluster;
    const Cid module = cluster.add_module(endless_module());
    // The coordinator is a process of its own: submit, alone when it starts.
    const std::size_t submit = cluster.start_submit(
        {"--wasm-cid", module.to_string(), "--impure", "--nonce", "paused", "--timeout", "1h"});
    const std::vector<std::size_t> workers{cluster.start_worker(), cluster.start_worker()};
    const auto first = wait_for_execution(cluster, 0, 10s);
    ASSERT_TRUE(first) << cluster.log(submit);
    const auto worker = worker_of(cluster, workers, first->executor);
    ASSERT_TRUE(worker);

    cluster.signal_group(*worker, SIGSTOP);
    const auto second = wait_for_execution(cluster, 1, 15s);
    ASSERT_TRUE(second) << "nobody else has it after lease and fence";
    EXPECT_NE(second->executor, first->executor);
    const Instant woken = now_since_boot();
    cluster.signal_group(*worker, SIGCONT);
    const auto ended = first_end_after(cluster, woken);
    ASSERT_TRUE(ended) << "the woken guest goes on";
    RecordProperty("ended_ms", static_cast<int>(*ended / 1ms));
    EXPECT_TRUE(is_alive(cluster.pid(submit))) << "the woken worker's receipt was taken";
    EXPECT_EQ(cluster.executions().size(), 2U);
}

TEST(Pause, AStoppedCoordinatorsOwnGuestDoesNotGoOnEither) {
    Cluster cluster;
    const std::size_t worker = cluster.start_worker();
    const Cid module = cluster.add_module(endless_module());
    Client client(cluster);
    client.submit(
        make_job(cluster.key(),
                 module,
                 {.nonce = "paused", .effects = job::Effects::impure, .wall_max = 3600s}));
    client.take_for(300ms);
    ASSERT_TRUE(wait_for_execution(cluster, 0, 10s));
    cluster.signal_group(worker, SIGSTOP);
    std::this_thread::sleep_for(3500ms); // Longer than the lease of 3 s: that is the point.
    const Instant woken = now_since_boot();
    cluster.signal_group(worker, SIGCONT);
    const auto ended = first_end_after(cluster, woken);
    ASSERT_TRUE(ended) << "the woken guest goes on";
    RecordProperty("ended_ms", static_cast<int>(*ended / 1ms));
    // The coordinator grants it again once it may.
    const auto second = wait_for_execution(cluster, 1, 15s);
    ASSERT_TRUE(second);
    EXPECT_TRUE(check_executions(cluster.executions()).overlaps.empty());
    EXPECT_TRUE(client.outcomes().empty());
}

TEST(Survival, AKilledSubmitsJobIsFinished) {
    Cluster cluster;
    cluster.start_worker();
    const Cid module = cluster.add_module(noop_module());
    // Detached: the submitter is gone as soon as the job is accepted.
    const auto submitted = cluster.run({"submit",
                                        "--wasm-cid",
                                        module.to_string(),
                                        "--handler",
                                        "_start",
                                        "--nonce",
                                        "orphan",
                                        "--detach"});
    ASSERT_EQ(submitted.status, 0) << submitted.err;
    const std::string job = submitted.out.substr(0, submitted.out.find('\n'));
    const auto waited = cluster.run({"job", "wait", job});
    EXPECT_EQ(waited.status, 0) << waited.err;
}

/// The job that a started `submit` has said.
std::string job_in(const std::string& log) {
    const std::size_t begin = log.find("job bafy") + 4;
    return log.substr(begin, log.find('\n', begin) - begin);
}

TEST(Survival, AKilledCoordinatorsJobGoesOnWhereItRuns) {
    Cluster cluster;
    const Cid module = cluster.add_module(endless_module());
    const std::size_t submit = cluster.start_submit(
        {"--wasm-cid", module.to_string(), "--impure", "--nonce", "inherited", "--timeout", "5s"});
    const std::string job = job_in(cluster.log(submit));
    cluster.start_worker({"--slots", "1"});
    cluster.start_worker({"--slots", "1"});
    ASSERT_TRUE(wait_for_execution(cluster, 0, 10s));
    cluster.kill_worker(submit); // SIGKILL, to the one process that coordinates.
    const auto waited = cluster.run({"job", "wait", job});
    EXPECT_EQ(waited.status, 123) << waited.err;
    EXPECT_NE(waited.err.find("limit-wall-time"), std::string::npos) << waited.err;
    EXPECT_EQ(cluster.executions().size(), 1U) << "its lease was renewed with the adopter";
}

TEST(Survival, AJobWithoutAWorkerWaitsInTheLedgerAndIsAdopted) {
    Cluster cluster;
    const Cid module = cluster.add_module(noop_module());
    const auto submitted = cluster.run({"submit",
                                        "--wasm-cid",
                                        module.to_string(),
                                        "--handler",
                                        "_start",
                                        "--nonce",
                                        "early",
                                        "--detach"});
    ASSERT_EQ(submitted.status, 0) << submitted.err;
    cluster.start_worker();
    const std::string job = submitted.out.substr(0, submitted.out.find('\n'));
    const auto waited = cluster.run({"job", "wait", job});
    EXPECT_EQ(waited.status, 0) << waited.err;
    EXPECT_EQ(check_executions(cluster.executions()).executions, 1U);
}

/// Until a worker has said it, half a minute at most.
bool says(const Cluster& cluster, std::size_t worker, const std::string& words) {
    const Instant end = now_since_boot() + 30s;
    while (cluster.log(worker).find(words) == std::string::npos) {
        if (now_since_boot() > end) {
            return false;
        }
        std::this_thread::sleep_for(20ms);
    }
    return true;
}

TEST(Trust, ThatIsGivenAndTakenBackHoldsForAWorkerThatRuns) {
    Cluster cluster;
    const std::size_t worker = cluster.start_worker();
    const Cid module = cluster.add_module(noop_module());
    const PrivateKey stranger = PrivateKey::from_seed(std::array<std::uint8_t, 32>{7}).take();
    const auto job_of = [&](const char* nonce) {
        return make_job(cluster.key(), module, {.nonce = nonce, .submitter = &stranger});
    };
    Client client(cluster);
    const auto reason_of = [&](const job::SignedInvocation& job) {
        client.submit(job);
        EXPECT_TRUE(client.wait_for_all(30s));
        return client.outcomes().at(job.cid).error;
    };
    EXPECT_EQ(reason_of(job_of("not yet")), Errc::refused);

    const std::string did = stranger.public_key().to_did();
    EXPECT_EQ(cluster.run({"trust", "add", did}).status, 0);
    ASSERT_TRUE(says(cluster, worker, "of 1 other are taken now")) << cluster.log(worker);
    const job::SignedInvocation taken = job_of("now");
    client.submit(taken);
    ASSERT_TRUE(client.wait_for_all(30s));
    expect_success(client.outcomes().at(taken.cid));

    EXPECT_EQ(cluster.run({"trust", "rm", did}).status, 0);
    ASSERT_TRUE(says(cluster, worker, "of 0 others are taken now")) << cluster.log(worker);
    EXPECT_EQ(reason_of(job_of("no longer")), Errc::refused);
}

/// The executor process of each job, for jobs of these submitters one after the other.
std::vector<pid_t> executors_of(const std::vector<std::string>& flags,
                                const std::vector<int>& submitters) {
    Cluster cluster;
    const PrivateKey stranger = PrivateKey::from_seed(std::array<std::uint8_t, 32>{7}).take();
    EXPECT_EQ(cluster.run({"trust", "add", stranger.public_key().to_did()}).status, 0);
    cluster.start_worker(flags);
    const Cid module = cluster.add_module(noop_module());
    Client client(cluster);
    for (std::size_t number = 0; number < submitters.size(); ++number) {
        const job::SignedInvocation job =
            make_job(cluster.key(),
                     module,
                     {.nonce = std::to_string(number),
                      .submitter = submitters[number] == 0 ? nullptr : &stranger});
        client.submit(job);
        EXPECT_TRUE(client.wait_for_all(30s));
        expect_success(client.outcomes().at(job.cid));
    }
    std::vector<pid_t> executors;
    for (const Execution& execution : cluster.executions()) {
        executors.push_back(execution.executor);
    }
    EXPECT_EQ(executors.size(), submitters.size());
    executors.resize(submitters.size());
    return executors;
}

TEST(Isolation, ByProcessOfSubmittersIsThereIfItIsAskedFor) {
    const std::vector<pid_t> shared = executors_of({"--slots", "1"}, {0, 1, 0});
    EXPECT_EQ(shared, std::vector<pid_t>(3, shared[0]));
    const std::vector<pid_t> apart =
        executors_of({"--slots", "1", "--set", "isolation.processes=submitter"}, {0, 0, 1, 1, 0});
    EXPECT_EQ(apart[1], apart[0]);
    EXPECT_NE(apart[2], apart[0]);
    EXPECT_EQ(apart[3], apart[2]);
    EXPECT_NE(apart[4], apart[2]);
    EXPECT_NE(apart[4], apart[0]) << "that one is gone";
}

} // namespace
} // namespace ic::system_test
