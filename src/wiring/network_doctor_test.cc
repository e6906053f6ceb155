#include "net/testing/http_test_server.h"
#include "net/web_socket.h"
#include "wiring/network_doctor.h"
#include "wiring/network_settings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>

namespace ic::wiring {
namespace {

using net::testing::answer_of;
using net::testing::HttpTestServer;
using net::testing::SeenRequest;

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

const Check& check_named(const std::vector<Check>& checks, const std::string& what) {
    static const Check none;
    const auto found = std::ranges::find(checks, what, &Check::what);
    EXPECT_NE(found, checks.end()) << "no check of " << what;
    return found == checks.end() ? none : *found;
}

/// A Kubo 0.43 that is as it should be, and gives other answers where it is told to.
class NetworkDoctor : public ::testing::Test {
protected:
    NetworkDoctor() {
        EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
        answers_ = {
            {"version", answer_of(200, "", R"({"Version":"0.43.0"})")},
            {"id", answer_of(200, "", R"({"ID":"12D3Peer","Addresses":[]})")},
            {"pubsub/peers", answer_of(200, "", R"({"Strings":["12D3A","12D3B"]})")},
            {"config?arg=Addresses.Gateway",
             answer_of(200, "", R"({"Key":"x","Value":"/ip4/127.0.0.1/tcp/8080"})")},
            {"config?arg=", answer_of(200, "", R"({"Key":"x","Value":true})")},
        };
        options_.kubo_api = server_.url("");
        options_.listen = "127.0.0.1:0";
        options_.advertise = {"http://192.0.2.7:8586"};
        options_.lock_folder = folder_;
    }

    ~NetworkDoctor() override { std::filesystem::remove_all(folder_); }

    NetworkDoctor(const NetworkDoctor&) = delete;
    NetworkDoctor& operator=(const NetworkDoctor&) = delete;

    /// The answer to the longest beginning of the command that one is known for.
    std::string answer(const SeenRequest& request) {
        const std::lock_guard lock(mutex_);
        const std::string line = request.line();
        const std::string command = line.substr(std::string("POST /api/v0/").size());
        for (auto at = answers_.rbegin(); at != answers_.rend(); ++at) {
            if (command.starts_with(at->first)) {
                return at->second;
            }
        }
        return answer_of(400, "", R"({"Message":"argument is required"})");
    }

    void answer_with(const std::string& command, std::string answer) {
        const std::lock_guard lock(mutex_);
        answers_[command] = std::move(answer);
    }

    std::vector<Check> look(HomeFacts home = {.trusted_others = 1}) const {
        return examine_network(options_, home);
    }

    std::string folder_ = testing::TempDir() + "ic-network-doctor-XXXXXX";
    std::mutex mutex_;
    std::map<std::string, std::string> answers_;
    NetworkOptions options_;
    HttpTestServer server_{[this](const SeenRequest& request) { return answer(request); }};
};

TEST_F(NetworkDoctor, FindsAKuboThatIsSetUpInOrder) {
    const std::vector<Check> checks = look();
    for (const char* what : {"kubo", "pubsub", "streams", "publishing", "links"}) {
        const Check& check = check_named(checks, what);
        EXPECT_EQ(check.verdict, Verdict::ok) << what << ": " << check.found;
    }
    EXPECT_EQ(checks.size(), 5U) << "of a token there is nothing to say";
    EXPECT_TRUE(contains(check_named(checks, "pubsub").found, "2 other Kubos"));
    EXPECT_TRUE(contains(check_named(checks, "links").found, "http://192.0.2.7:8586"));
    EXPECT_TRUE(std::filesystem::exists(folder_ + "/pubsub-12D3Peer.lock"));
}

TEST_F(NetworkDoctor, FailsWithoutAKuboAndLooksAtTheLinksAllTheSame) {
    answer_with("version", answer_of(200, "", "<html>"));
    const std::vector<Check> checks = look();
    ASSERT_EQ(checks.size(), 2U);
    EXPECT_EQ(checks[0].what, "kubo");
    EXPECT_EQ(checks[0].verdict, Verdict::fail);
    EXPECT_NE(checks[0].remedy, "");
    EXPECT_EQ(checks[1].what, "links");
}

TEST_F(NetworkDoctor, SaysWhatToTypeWherePubsubIsOff) {
    answer_with("pubsub/peers",
                answer_of(500,
                          "",
                          R"({"Message":"experimental pubsub feature not enabled, run daemon )"
                          R"(with --enable-pubsub-experiment to use","Code":0,"Type":"error"})"));
    const Check pubsub = check_named(look(), "pubsub");
    EXPECT_EQ(pubsub.verdict, Verdict::fail);
    EXPECT_EQ(pubsub.error, Errc::unsupported) << pubsub.found;
    EXPECT_TRUE(contains(pubsub.remedy, "ipfs config --json Pubsub.Enabled true"));
}

TEST_F(NetworkDoctor, WarnsWhereNobodyWouldBeHeard) {
    const Check strangers = check_named(look({.trusted_others = 0}), "pubsub");
    EXPECT_EQ(strangers.verdict, Verdict::warn);
    EXPECT_TRUE(contains(strangers.remedy, "ipfs-compute trust add DID"));
    answer_with("pubsub/peers", answer_of(200, "", R"({"Strings":null})"));
    const Check alone = check_named(look(), "pubsub");
    EXPECT_EQ(alone.verdict, Verdict::warn);
    EXPECT_TRUE(contains(alone.remedy, "ipfs swarm connect")) << alone.remedy;
}

TEST_F(NetworkDoctor, NamesThePathsThatATokenLacks) {
    options_.kubo_token = "bearer:some";
    EXPECT_EQ(check_named(look(), "token").verdict, Verdict::ok);
    answer_with("dag/import", answer_of(403, "", "403 - Forbidden"));
    answer_with("swarm/connect", answer_of(403, "", "403 - Forbidden"));
    const Check token = check_named(look(), "token");
    EXPECT_EQ(token.error, Errc::refused);
    EXPECT_TRUE(contains(token.found, "/api/v0/dag/import, /api/v0/swarm/connect")) << token.found;
    EXPECT_FALSE(contains(token.found, "pubsub"));
}

TEST_F(NetworkDoctor, FailsOnAKuboThatWantsAToken) {
    answer_with("version", answer_of(403, "", "403 - Forbidden"));
    const Check kubo = check_named(look(), "kubo");
    EXPECT_EQ(kubo.error, Errc::refused);
    EXPECT_TRUE(contains(kubo.remedy, "config set kubo_token")) << kubo.remedy;
}

TEST_F(NetworkDoctor, WarnsWhereStreamsAreOff) {
    answer_with("config?arg=Experimental", answer_of(200, "", R"({"Key":"x","Value":false})"));
    const Check streams = check_named(look(), "streams");
    EXPECT_EQ(streams.verdict, Verdict::warn);
    EXPECT_TRUE(contains(streams.remedy, "Experimental.Libp2pStreamMounting true"));
}

TEST_F(NetworkDoctor, WarnsOfAFolderInWhichNoLockCanBe) {
    std::filesystem::create_directory(folder_ + "/pubsub-12D3Peer.lock"); // Not even for root.
    EXPECT_EQ(check_named(look(), "publishing").verdict, Verdict::warn);
}

TEST_F(NetworkDoctor, FailsOnAPortThatSomebodyElseHas) {
    const auto loop = net::EventLoop::open().take();
    const auto taken =
        net::WebSocketListener::open(
            *loop, "127.0.0.1:0", net::WebListenerOptions{}, net::WebListenerCallbacks{})
            .take();
    options_.listen = "127.0.0.1:" + std::to_string(taken->port());
    const Check links = check_named(look(), "links");
    EXPECT_EQ(links.verdict, Verdict::fail);
    EXPECT_TRUE(contains(links.remedy, "config set network.listen")) << links.remedy;
    const HomeFacts running{.trusted_others = 1, .has_nodes = true};
    EXPECT_EQ(check_named(look(running), "links").verdict, Verdict::ok) << "a worker of this home";
    options_.listen = "nowhere";
    EXPECT_EQ(check_named(look(running), "links").error, Errc::malformed);
}

TEST(NetworkJudgement, KnowsTheVersionsThatWereTried) {
    for (const char* tried : {"0.39.0", "0.43.0", "0.41.0-rc1"}) {
        EXPECT_EQ(judge_kubo_version(tried, "x").verdict, Verdict::ok) << tried;
    }
    for (const char* other : {"0.38.2", "0.44.0", "1.40.0", "0.", "0.40", "0.4294967336.1", ""}) {
        EXPECT_EQ(judge_kubo_version(other, "x").verdict, Verdict::warn) << other;
    }
}

TEST(NetworkJudgement, SaysHowAKuboIsStartedThatDoesNotAnswer) {
    const Check silent = judge_kubo_silence({Errc::unavailable, "nobody answers"});
    EXPECT_EQ(silent.verdict, Verdict::fail) << "unlike a Kubo that is for blocks alone";
    EXPECT_TRUE(contains(silent.remedy, "ipfs daemon")) << silent.remedy;
}

TEST(NetworkJudgement, WarnsOfUrlsThatLeadToThisMachineAlone) {
    for (const char* here : {"http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1"}) {
        EXPECT_EQ(judge_links({here}).verdict, Verdict::warn) << here;
    }
    EXPECT_EQ(judge_links({}).verdict, Verdict::warn);
    EXPECT_EQ(judge_links({"http://127.0.0.1:1", "http://10.0.0.1:1"}).verdict, Verdict::ok);
}

TEST(AdvertisedUrls, AreThoseOfTheSettingsElseOfWhereItListens) {
    NetworkOptions options;
    options.listen = "10.1.2.3:0";
    EXPECT_EQ(advertised_urls(options, 86), std::vector<std::string>{"http://10.1.2.3:86"});
    EXPECT_TRUE(advertised_urls(options, 0).empty()) << "it does not listen";
    options.advertise = {"http://a.example:1"};
    EXPECT_EQ(advertised_urls(options, 0), options.advertise);
}

} // namespace
} // namespace ic::wiring
