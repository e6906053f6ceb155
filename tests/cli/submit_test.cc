/// `submit` and `worker`: the line from command to receipt through real processes.

#include "cli/desk.h"
#include "cli/gate.h"
#include "identity/key.h"
#include "job/invocation.h"
#include "job/message.h"
#include "transport/local/bus_directory.h"
#include "transport/local/local_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <string>
#include <thread>

namespace ic::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST(Submit, PrintsWhatTheGuestWroteAndNothingElse) {
    const Desk desk;
    const auto worker = desk.start_worker();
    const std::string bytes = "\0\xff\x80\r\n\x1b[2J\n\0"s;
    const Finished binary =
        desk(desk.kit("submit", "echo", {"--event", desk.file("event", bytes)}));
    EXPECT_EQ(binary.status, 0) << binary.err;
    EXPECT_EQ(binary.out, bytes);
    EXPECT_THAT(line_after(binary.err, "job "), StartsWith("bafyrei"));
    EXPECT_THAT(line_after(binary.err, "output "), StartsWith("bafk"));
    EXPECT_THAT(line_after(binary.err, "receipt "), HasSubstr(", signed by did:key:z6Mk"));
    EXPECT_EQ(desk(desk.kit("submit", "answer")).out, "-9007199254740993\n");
    const Finished quiet = desk(desk.kit("submit", "exit", {"-q", "--", "3"}));
    EXPECT_EQ(quiet.status, 3);
    EXPECT_EQ(quiet.out + quiet.err, "");
    EXPECT_EQ(desk(desk.kit("submit", "exit", {"--", "120"})).status, 119);
}

TEST(Submit, AnswersTheSameWorkFromItsReceiptUnlessAskedNotTo) {
    const Desk desk;
    const auto worker = desk.start_worker();
    const auto from_memo = [&desk](const std::vector<std::string>& more) {
        std::vector<std::string> words = desk.kit("submit", "_start", {"--json"});
        words.insert(words.end(), more.begin(), more.end());
        const nlohmann::json document = json_of(desk(words).out);
        EXPECT_EQ(document["stdout"], "hello\n");
        return document["from_memo"].get<bool>();
    };
    EXPECT_FALSE(from_memo({}));
    EXPECT_TRUE(from_memo({"--label", "again=1"}));
    EXPECT_FALSE(from_memo({"--no-cache", "--label", "again=2"}));
    EXPECT_FALSE(from_memo({"--nonce", "mine"}));
    EXPECT_FALSE(from_memo({"--nonce", "random"}));
    EXPECT_FALSE(from_memo({"--impure"}));
    EXPECT_FALSE(from_memo({"--arg", "other"})) << "other work";
    const Finished told = desk(desk.kit("submit", "_start", {"--label", "again=3"}));
    EXPECT_THAT(told.err, HasSubstr("(answered from an earlier run)"));
}

TEST(Submit, WaitsForAWorkerThatComesLater) {
    const Desk desk;
    const auto submit = desk.start(desk.kit("submit", "_start"));
    ASSERT_TRUE(submit->wait_for_err("no worker is running here; start one with")) << submit->err();
    const auto worker = desk.start_worker();
    const Finished finished = submit->finish();
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(finished.out, "hello\n");
}

/// A node that is about to end, slowly: it takes connections and lets go of them, then takes none,
/// then lets go of its lock too, which says that it is dead.
class EndingNode {
public:
    explicit EndingNode(const std::string& home)
        : bus_(transport::BusDirectory::open(home + "/bus").take())
        , lock_(bus_.take_lock(self_).take())
        , listener_(bus_.listen(self_).take()) {
        EXPECT_TRUE(bus_.publish(self_));
        thread_ = std::jthread([this] { end(); });
    }

    bool was_asked() const { return asked_; }

private:
    void end() {
        pollfd entry{.fd = listener_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&entry, 1, 20'000) == 1) {
            asked_ = true;
            UniqueFd(::accept(listener_.get(), nullptr, nullptr)).reset();
        }
        std::this_thread::sleep_for(200ms);
        listener_.reset();
        std::this_thread::sleep_for(200ms);
        lock_.reset();
    }

    const job::Instance self_{.bytes = {1, 2, 3}};
    transport::BusDirectory bus_;
    UniqueFd lock_;
    UniqueFd listener_;
    std::atomic<bool> asked_{false};
    std::jthread thread_;
};

TEST(Submit, GoesOnAloneWhenTheOnlyNodeIsJustEnding) {
    const Desk desk;
    ASSERT_EQ(desk({"id"}).status, 0);
    const EndingNode ending(desk.program().home());
    const auto submit = desk.start(desk.kit("submit", "_start"));
    ASSERT_TRUE(submit->wait_for_err("no worker is running here; start one with")) << submit->err();
    EXPECT_TRUE(ending.was_asked());
    const auto worker = desk.start_worker();
    const Finished finished = submit->finish();
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(finished.out, "hello\n");
}

TEST(Submit, LeavesADetachedJobThatCanBeWaitedForAndRead) {
    const Desk desk;
    const Finished left = desk(desk.kit("submit", "say", {"--detach", "-q"}));
    ASSERT_EQ(left.status, 0) << left.err;
    EXPECT_EQ(left.err, "");
    const std::string job = left.out.substr(0, left.out.find('\n'));
    EXPECT_EQ(left.out, job + "\n") << "the CID and nothing else";
    const Finished early = desk({"job", "get", job});
    EXPECT_THAT(expect_error(early, 125, "unavailable"), HasSubstr("ipfs-compute job wait"));

    const auto worker = desk.start_worker();
    const Finished waited = desk({"job", "wait", job});
    EXPECT_EQ(waited.status, 0) << waited.err;
    EXPECT_EQ(waited.out, "to output\n");
    EXPECT_EQ(desk({"job", "get", job}).out, "to output\n");
    EXPECT_EQ(desk({"job", "logs", job}).out, "to the log\nto errors\n");
    EXPECT_EQ(desk({"job", "wait", job, "--json"}).status, 0);

    const Finished json = desk(desk.kit("submit", "trap", {"--detach", "--json"}));
    EXPECT_EQ(json_of(json.out)["known_before"], false);
    const std::string trap = json_of(json.out)["job"];
    expect_error(desk({"job", "wait", trap}), 122, "trap-unreachable");
}

TEST(Submit, ShowsOutputWhileItRunsOnlyWhenFollowing) {
    const Desk desk;
    for (const bool follows : {true, false}) {
        Gate gate;
        const auto worker = desk.start_worker(gate.worker_flags());
        const auto submit = desk.start(
            gate.job(desk, "submit", {follows ? "--follow" : "--no-cache", "--nonce", "random"}));
        ASSERT_TRUE(submit->wait_for_err("log: begun\n")) << submit->err();
        ASSERT_TRUE(gate.wait_for_guest());
        if (follows) {
            EXPECT_TRUE(submit->wait_for_out("begun\n"));
        } else {
            EXPECT_EQ(submit->out(), "");
        }
        gate.open();
        const Finished finished = submit->finish();
        EXPECT_EQ(finished.status, 0) << finished.err;
        EXPECT_THAT(finished.out, StartsWith("begun\n{"));
        EXPECT_TRUE(finished.out.ends_with("}\nthrough\n")) << finished.out;
        EXPECT_EQ(finished.out.find("begun", 1), std::string::npos) << "once";
    }
}

TEST(Submit, ShowsALogLineOnceAndAtOnceHereAndAtTheWorker) {
    const Desk desk;
    Gate gate;
    const auto worker = desk.start_worker(gate.worker_flags());
    const auto submit = desk.start(gate.job(desk, "submit"));
    ASSERT_TRUE(worker->wait_for_err(" log: begun\n")) << worker->err();
    ASSERT_TRUE(submit->wait_for_err("log: begun\n")) << submit->err();
    gate.open();
    const Finished finished = submit->finish();
    EXPECT_EQ(finished.status, 0) << finished.err;
    const std::string job = line_after(finished.err, "job ");
    EXPECT_EQ(finished.err.find("log: begun"), finished.err.rfind("log: begun"));
    EXPECT_EQ(worker->err().find("begun"), worker->err().rfind("begun"));
    EXPECT_THAT(worker->err(), HasSubstr(job + " log: begun\n"));
    // A guest that logs and ends at once is shown all the same.
    const Finished quick = desk(desk.kit("submit", "say", {"-q"}));
    EXPECT_EQ(quick.err, "log: to the log\nto errors\n");
    EXPECT_TRUE(worker->wait_for_err(" log: to the log\n"));
}

TEST(Submit, CancelsOnCtrlCAndTheGuestStops) {
    const Desk desk;
    const auto worker = desk.start_worker({"--slots", "1"});
    const auto submit = desk.start(desk.kit("submit", "begin_and_loop"));
    ASSERT_TRUE(submit->wait_for_err("log: begun\n")) << submit->err();
    submit->signal_group(SIGINT);
    const Finished cancelled = submit->finish();
    expect_error(cancelled, 126, "cancelled");
    EXPECT_THAT(cancelled.err, HasSubstr("cancelling; Ctrl-C again leaves at once\n"));
    const std::string job = line_after(cancelled.err, "job ");
    EXPECT_EQ(json_of(desk({"job", "describe", job, "--json"}).out)["state"], "cancelled");
    EXPECT_EQ(desk(desk.kit("submit", "_start")).out, "hello\n") << "the only slot is free again";
}

TEST(Submit, CancelsAJobThatWaitsForAWorkerOnCtrlC) {
    const Desk desk;
    const auto submit = desk.start(desk.kit("submit", "_start"));
    ASSERT_TRUE(submit->wait_for_err("no worker is running here")) << submit->err();
    ASSERT_TRUE(submit->wait_for_err("job baf")) << submit->err();
    submit->signal(SIGINT);
    expect_error(submit->finish(), 126, "cancelled");
}

TEST(Submit, LeavesAtTheSecondCtrlC) {
    const Desk desk;
    const auto worker = desk.start_worker();
    const auto submit = desk.start(desk.kit("submit", "begin_and_loop"));
    ASSERT_TRUE(submit->wait_for_err("log: begun\n")) << submit->err();
    worker->signal_group(SIGSTOP); // Nobody can answer.
    submit->signal(SIGINT);
    ASSERT_TRUE(submit->wait_for_err("cancelling")) << submit->err();
    submit->signal(SIGINT);
    const Finished left = submit->finish();
    EXPECT_THAT(expect_error(left, 126, "cancelled"), HasSubstr("the cancel was asked for"));
    worker->signal_group(SIGCONT);
    expect_error(desk({"job", "wait", line_after(left.err, "job ")}), 126, "cancelled");
}

TEST(Submit, TellsTheSameJsonWhateverTheEnding) {
    const Desk desk;
    const auto worker = desk.start_worker();
    const Finished success = desk(desk.kit("submit", "answer", {"--json"}));
    EXPECT_EQ(success.status, 0) << success.err;
    const nlohmann::json good = json_of(success.out);
    EXPECT_EQ(good["value"], -9007199254740993);
    EXPECT_EQ(good["ok"], true);
    EXPECT_EQ(good["attempts"], 1);

    const Finished trap = desk(desk.kit("submit", "trap", {"--json"}));
    expect_error(trap, 122, "trap-unreachable");
    const Finished limit = desk(desk.kit("submit", "grow", {"--json", "--memory", "2MiB"}));
    expect_error(limit, 123, "limit-memory");
    const Finished rejected = desk(desk.kit("submit", "_start", {"--json", "--memory", "8GiB"}));
    EXPECT_THAT(expect_error(rejected, 126, "refused"), HasSubstr("submit with a lower --memory"));
    const std::vector<std::pair<const Finished*, std::string>> others{
        {&trap, "trap-unreachable"}, {&limit, "limit-memory"}, {&rejected, "refused"}};
    for (const auto& [other, error] : others) {
        const nlohmann::json document = json_of(other->out);
        EXPECT_EQ(document["ok"], false);
        EXPECT_EQ(document["error"], error);
        EXPECT_EQ(document.size(), good.size()) << document;
        for (const auto& [key, value] : good.items()) {
            EXPECT_TRUE(document.contains(key)) << key;
        }
    }
}

TEST(Submit, SaysThatAModuleIsNowhereToBeHad) {
    const Desk desk;
    const auto worker = desk.start_worker();
    const std::string cid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
    const Timed missing = desk.timed({"submit", "--wasm-cid", cid, "--total-timeout", "3s"});
    const std::string says = expect_error(missing.finished, 124, "cid-unavailable");
    EXPECT_THAT(says, HasSubstr(cid));
    EXPECT_THAT(says, HasSubstr("ipfs-compute add"));
    EXPECT_LT(missing.took, 20s);
    const Finished handler = desk(desk.kit("submit", "handler"));
    EXPECT_THAT(expect_error(handler, 121, "handler-missing"), HasSubstr("echo_and_answer"));
}

TEST(Submit, EndsAtTheTotalTimeoutWhateverTheJobDoes) {
    const Desk desk;
    const Timed nobody = desk.timed(desk.kit("submit", "_start", {"--total-timeout", "500ms"}));
    EXPECT_EQ(nobody.finished.status, 125);
    EXPECT_GE(nobody.took, 500ms);
    EXPECT_LT(nobody.took, 20s);
    const auto worker = desk.start_worker();
    const Timed loop = desk.timed(desk.kit("submit", "loop", {"--total-timeout", "700ms"}));
    EXPECT_THAT(expect_error(loop.finished, 125, "total-timeout"), HasSubstr("700 ms"));
    EXPECT_GE(loop.took, 700ms);
    EXPECT_LT(loop.took, 20s);
    EXPECT_EQ(desk(desk.kit("submit", "_start")).out, "hello\n");
}

TEST(Submit, AJobReachesOnlyWhatItAndTheWorkerName) {
    const Desk desk;
    Gate gate;
    gate.open();
    {
        const auto closed = desk.start_worker();
        EXPECT_THAT(expect_error(desk(gate.job(desk, "submit")), 126, "refused"),
                    HasSubstr("start the worker with --allow-host " + gate.host()));
    }
    {
        // The host is allowed, its address is private: error number 9 is `refused`.
        const auto host_only = desk.start_worker({"--allow-host", "*"});
        const Finished refused = desk(gate.job(desk, "submit", {"--json"}));
        EXPECT_EQ(json_of(refused.out)["value"], -9) << refused.err;
        EXPECT_EQ(gate.requests(), 0U);
    }
    {
        const auto both = desk.start_worker(gate.worker_flags());
        EXPECT_THAT(desk(gate.job(desk, "submit", {"--nonce", "open"})).out,
                    HasSubstr("}\nthrough\n"));
        // What the job does not name stays closed.
        const std::string request = desk.file("localhost", "http://localhost:1/");
        const Finished other =
            desk(desk.kit("submit", "fetch", {"--allow-host", gate.host(), "--event", request}));
        EXPECT_EQ(other.out, "-9\n") << other.err;
        const Finished pure = desk(desk.kit("submit", "fetch", {"--event", request}));
        EXPECT_EQ(pure.out, "-9\n") << "a pure job reaches nothing";
    }
}

TEST(Submit, TheWorkerThatAllowsTheHostRunsItWhereAnotherDoesNot) {
    const Desk desk;
    Gate gate;
    gate.open();
    const auto closed = desk.start_worker();
    const auto open = desk.start_worker(gate.worker_flags());
    for (const char* nonce : {"1", "2", "3", "4"}) { // Each connects to one of the two.
        const Finished ran = desk(gate.job(desk, "submit", {"--nonce", nonce}));
        EXPECT_EQ(ran.status, 0) << ran.err;
        EXPECT_THAT(ran.out, HasSubstr("through\n"));
    }
    EXPECT_THAT(closed->err(), Not(HasSubstr("begun")));
}

// As another user's `submit` does it: signed by its own key, for this node.
TEST(Worker, RefusesAnIssuerItDoesNotTrustAndSaysHowTo) {
    const Desk desk;
    const auto worker = desk.start_worker();
    const std::string bus = desk.program().home() + "/bus";
    const Bytes seed(32, 7);
    const PrivateKey stranger = PrivateKey::from_seed(seed).take();
    transport::Hello self;
    self.kind = transport::PeerKind::client;
    self.key = stranger.public_key();
    self.name = "a stranger's submit";
    self.software = "test";
    self.instance.bytes[0] = 1;
    Result<transport::LocalClient> connected = transport::LocalClient::connect(bus, self, 5s);
    ASSERT_TRUE(connected) << connected.error().message;
    transport::LocalClient client = std::move(connected).take();
    job::Invocation invocation;
    invocation.issuer = stranger.public_key();
    invocation.audience = client.node().key;
    invocation.spec.module = *Cid::parse("bafkqaaa");
    const auto signed_invocation = job::sign(invocation, stranger);
    ASSERT_TRUE(signed_invocation);
    const job::Submit submit{
        .invocation = signed_invocation->document, .use_memo = true, .follow = true};
    ASSERT_TRUE(client.send(submit, 5s));
    Result<std::optional<job::Message>> answer = client.receive(5s);
    ASSERT_TRUE(answer && *answer);
    const auto* rejected = std::get_if<job::Rejected>(&**answer);
    ASSERT_NE(rejected, nullptr);
    EXPECT_EQ(rejected->reason, Errc::refused);
    EXPECT_THAT(rejected->message,
                HasSubstr("ipfs-compute trust add " + stranger.public_key().to_did()));
}

TEST(Worker, FinishesWhatRunsOnTheFirstSignalAndTakesNothingNew) {
    const Desk desk;
    Gate gate;
    const auto worker = desk.start_worker(gate.worker_flags({"--slots", "2"}));
    const auto submit = desk.start(gate.job(desk, "submit"));
    ASSERT_TRUE(gate.wait_for_guest()) << submit->err();
    worker->signal_group(SIGINT); // Ctrl-C reaches its executors too: they go on.
    ASSERT_TRUE(worker->wait_for_err("finishing what runs; again stops it at once\n"));
    gate.open();
    const Finished finished = submit->finish();
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_THAT(finished.out, HasSubstr("through\n"));
    const Finished ended = worker->finish();
    EXPECT_EQ(ended.status, 0) << ended.err;
    const std::string job = line_after(finished.err, "job ");
    const nlohmann::json described = json_of(desk({"job", "describe", job, "--json"}).out);
    EXPECT_EQ(described["state"], "finished");
    EXPECT_EQ(described["attempts"], 1);
}

TEST(Worker, LeavesAtOnceOnTheSecondSignalAndTheJobRunsElsewhere) {
    const Desk desk;
    Gate gate;
    auto worker = desk.start_worker(gate.worker_flags());
    const auto submit = desk.start(gate.job(desk, "submit"));
    ASSERT_TRUE(gate.wait_for_guest()) << submit->err();
    worker->signal(SIGTERM);
    ASSERT_TRUE(worker->wait_for_err("again stops it at once\n"));
    worker->signal(SIGTERM);
    const Finished ended = worker->finish();
    EXPECT_EQ(ended.status, 0) << ended.err;
    gate.open();
    const auto next = desk.start_worker(gate.worker_flags());
    const Finished finished = submit->finish();
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_THAT(finished.out, HasSubstr("through\n"));
}

TEST(Worker, SaysWhatItIsInOneLineAndRefusesWordsItDoesNotKnow) {
    const Desk desk;
    const auto worker = desk.start_worker({"--slots", "3"});
    EXPECT_THAT(worker->err(),
                ::testing::MatchesRegex("ipfs-compute: worker [0-9a-f]{8} is ready, 3 slots, as "
                                        "did:key:z6Mk[0-9A-Za-z]+\n"));
    worker->signal(SIGTERM);
    EXPECT_EQ(worker->finish().status, 0) << "idle: it leaves at the first";
    EXPECT_THAT(expect_error(desk({"worker", "now"}), 120, "usage"), HasSubstr("'now'"));
    EXPECT_THAT(expect_error(desk({"worker", "--slots", "0"}), 120, "usage"), HasSubstr("--slots"));
    expect_error(desk({"worker", "--allow-host", "a b"}), 120, "usage");
    expect_error(desk({"worker", "--allow-private-address", "x"}), 120, "usage");
}

} // namespace
} // namespace ic::cli_test
