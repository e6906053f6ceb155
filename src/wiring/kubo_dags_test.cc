/// A Kubo that lies, stalls or has no gateway: its readers get their blocks all the same, and
/// nothing else.

#include "blockstore/gateway/testing/gateway_double.h"
#include "blockstore/memory_store.h"
#include "wiring/kubo_dags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;
using gateway::testing::car_of;
using gateway::testing::GatewayDouble;
using gateway::testing::head_of;
using gateway::testing::make_file;
using gateway::testing::TestFile;
using net::testing::answer_of;
using net::testing::HttpTestServer;
using net::testing::Peer;
using net::testing::SeenRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The API of a Kubo that has `blocks`, and tells of `gateway`.
class ApiDouble {
public:
    ApiDouble(const MemoryBlocks& blocks, std::string gateway)
        : blocks_(blocks)
        , gateway_(std::move(gateway))
        , server_([this](const SeenRequest& request) { return answer(request); }) {}

    std::string url() const { return server_.url(""); }

    /// "config", "dag/export", ..., in the order in which they came.
    std::vector<std::string> commands() const {
        std::vector<std::string> commands;
        for (const SeenRequest& request : server_.requests()) {
            const std::string line = request.line();
            const std::size_t begin = line.find("/api/v0/") + 8;
            commands.push_back(line.substr(begin, line.find('?') - begin));
        }
        return commands;
    }

    std::size_t count(const std::string& command) const {
        return static_cast<std::size_t>(std::ranges::count(commands(), command));
    }

private:
    std::string answer(const SeenRequest& request) {
        const std::string line = request.line();
        if (line.find("/config?") != std::string::npos) {
            return answer_of(200, "", R"({"Key":"Addresses.Gateway","Value":")" + gateway_ + "\"}");
        }
        const std::size_t begin = line.find("arg=") + 4;
        const Result<Cid> cid =
            Cid::parse(line.substr(begin, line.find_first_of("& ", begin) - begin));
        const std::lock_guard lock(mutex_);
        if (!cid || !blocks_.get(*cid)) {
            return answer_of(500, "", R"({"Message":"ipld: could not find it","Type":"error"})");
        }
        return answer_of(200,
                         "",
                         line.find("/dag/export?") != std::string::npos
                             ? car_of(blocks_, *cid)
                             : std::string(text_of(blocks_.get(*cid)->view())));
    }

    MemoryBlocks blocks_;
    const std::string gateway_;
    std::mutex mutex_;
    HttpTestServer server_;
};

std::string multiaddr_of(const std::string& url) {
    return "/ip4/127.0.0.1/tcp/" + url.substr(url.rfind(':') + 1);
}

class KuboDagsTest : public ::testing::Test {
protected:
    /// Reads all of `file` through `api`.
    void read(const ApiDouble& api, const std::string& setting = "auto") {
        kubo_.emplace(
            KuboOptions{.find_api = [url = api.url()]() -> Result<std::string> { return url; }});
        dags_.emplace(local_,
                      *kubo_,
                      providers_,
                      KuboDagsOptions{
                          .gateway = setting,
                          .block_time_max = 20s,
                          .warn = [this](std::string_view line) { warnings_.emplace_back(line); }});
        const std::unique_ptr<BlockSource> reader = dags_->reader({}, {});
        const Result<LentBytes> root = reader->get(file_.root);
        ASSERT_TRUE(root.ok()) << root.error().message;
        for (const Cid& leaf : file_.leaves) {
            const Result<LentBytes> block = reader->get(leaf);
            ASSERT_TRUE(block.ok()) << block.error().message;
        }
        EXPECT_EQ(local_.stat()->blocks, 1 + file_.leaves.size());
    }

    const car_store::DagReaderCounts& counts() const { return dags_->counts(); }

    MemoryBlocks blocks_;
    const TestFile file_ = make_file(blocks_, 30, 5'000);
    MemoryStore local_;
    std::vector<std::string> warnings_;
    std::optional<KuboSource> kubo_;
    Providers providers_{[this] { return kubo_->rpc(); }};
    std::optional<KuboDags> dags_;
};

TEST_F(KuboDagsTest, AsksTheGatewayThatTheConfigNames) {
    const GatewayDouble gateway(blocks_);
    const ApiDouble api(blocks_, multiaddr_of(gateway.url()));
    read(api);
    EXPECT_THAT(gateway.requests(),
                ElementsAre("/ipfs/" + file_.root.to_string() + "?format=car&dag-scope=all"));
    EXPECT_THAT(api.commands(), ElementsAre("config")) << "31 blocks, two requests";
    EXPECT_EQ(counts().failed, 0U);
}

TEST_F(KuboDagsTest, AsksTheGatewayThatASettingNames) {
    const GatewayDouble gateway(blocks_);
    const ApiDouble api(blocks_, "/ip4/127.0.0.1/tcp/1");
    read(api, gateway.url());
    EXPECT_EQ(gateway.requests().size(), 1U);
    EXPECT_TRUE(api.commands().empty());
}

TEST_F(KuboDagsTest, AsksTheApiWhereThereIsNoGateway) {
    const ApiDouble api(blocks_, "/ip4/127.0.0.1/tcp/0");
    read(api);
    EXPECT_THAT(api.commands(), ElementsAre("config", "dag/export"));
}

TEST_F(KuboDagsTest, AsksTheApiIfTheGatewayIsOff) {
    const GatewayDouble gateway(blocks_);
    const ApiDouble api(blocks_, multiaddr_of(gateway.url()));
    read(api, "off");
    EXPECT_THAT(api.commands(), ElementsAre("dag/export"));
    EXPECT_TRUE(gateway.requests().empty());
}

TEST_F(KuboDagsTest, AGatewayThatIsNotThereCostsOneRequest) {
    std::string gone;
    {
        const GatewayDouble gateway(blocks_);
        gone = multiaddr_of(gateway.url());
    }
    const ApiDouble api(blocks_, gone);
    read(api);
    EXPECT_THAT(api.commands(), ElementsAre("config", "dag/export"));
    EXPECT_EQ(counts().failed, 1U);
}

/// What stands at the gateway's port instead of an honest one.
struct Fault {
    std::string name;
    std::function<void(MemoryBlocks&, const TestFile&, Peer&)> answer;
    bool is_dropped = false; ///< It has lied, rather than failed.
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

std::string car_head() { return head_of("application/vnd.ipld.car; version=1"); }

const std::vector<Fault> faults{
    {"Status500",
     [](MemoryBlocks&, const TestFile&, Peer& peer) {
         peer.send(answer_of(500, "", "out of order"));
     }},
    {"Status504",
     [](MemoryBlocks&, const TestFile&, Peer& peer) { peer.send(answer_of(504, "", "")); }},
    {"APage",
     [](MemoryBlocks&, const TestFile&, Peer& peer) {
         peer.send(answer_of(200, "Content-Type: text/html\r\n", "<html>Sign in</html>"));
     }},
    {"HalfABody",
     [](MemoryBlocks& blocks, const TestFile& file, Peer& peer) {
         const std::string car = car_of(blocks, file.root);
         peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(car.size()) + "\r\n\r\n" +
                   car.substr(0, car.size() / 2));
     }},
    {"AnotherRoot",
     [](MemoryBlocks& blocks, const TestFile&, Peer& peer) {
         const TestFile other = make_file(blocks, 2, 99);
         peer.send(car_head() + car_of(blocks, other.root));
     },
     true},
    {"ADamagedBlock",
     [](MemoryBlocks& blocks, const TestFile& file, Peer& peer) {
         std::string car = car_of(blocks, file.root);
         car.back() ^= 1;
         peer.send(car_head() + car);
     },
     true},
    {"AnEndlessBody",
     [](MemoryBlocks&, const TestFile&, Peer& peer) {
         peer.send(car_head());
         while (peer.send(std::string(100'000, '\0'))) {
         }
     },
     true},
};

class FaultyGateway : public KuboDagsTest, public ::testing::WithParamInterface<Fault> {};

TEST_P(FaultyGateway, IsCountedAndTheApiStandsIn) {
    MemoryBlocks known = blocks_;
    std::mutex mutex;
    const GatewayDouble gateway(blocks_, [&](const SeenRequest&, Peer& peer) {
        const std::lock_guard lock(mutex);
        GetParam().answer(known, file_, peer);
        return true;
    });
    const ApiDouble api(blocks_, multiaddr_of(gateway.url()));
    read(api);
    EXPECT_GE(counts().failed, 1U);
    EXPECT_GE(api.count("dag/export") + api.count("block/get"), 1U);
    EXPECT_EQ(warnings_.size(), GetParam().is_dropped ? 1U : 0U);
    for (const std::string& warning : warnings_) {
        EXPECT_THAT(warning,
                    HasSubstr("Kubo's gateway at " + gateway.url() + " is not asked any more: "));
    }
}

INSTANTIATE_TEST_SUITE_P(All, FaultyGateway, ::testing::ValuesIn(faults), [](const auto& fault) {
    return fault.param.name;
});

TEST_F(KuboDagsTest, WhatNobodyHasIsUnavailableAndMayBeTriedAgain) {
    const ApiDouble api(MemoryBlocks{}, "/ip4/127.0.0.1/tcp/0");
    kubo_.emplace(
        KuboOptions{.find_api = [url = api.url()]() -> Result<std::string> { return url; }});
    dags_.emplace(local_, *kubo_, providers_, KuboDagsOptions{.block_time_max = 20s});
    const std::unique_ptr<BlockSource> reader = dags_->reader({}, {});
    for (const Cid& cid : {file_.root, file_.leaves.front()}) {
        const Result<LentBytes> block = reader->get(cid);
        ASSERT_FALSE(block.ok());
        EXPECT_EQ(block.error().code, Errc::cid_unavailable);
        EXPECT_TRUE(may_retry(block.error().code));
        EXPECT_THAT(block.error().message, HasSubstr(cid.to_string()));
    }
}

TEST_F(KuboDagsTest, AStopEndsAWaitForAKuboThatSearchesForEver) {
    HttpTestServer server([](const SeenRequest&, Peer& peer) { peer.wait(1h); });
    kubo_.emplace(
        KuboOptions{.find_api = [url = server.url("")]() -> Result<std::string> { return url; }});
    dags_.emplace(
        local_, *kubo_, providers_, KuboDagsOptions{.gateway = "off", .block_time_max = 1h});
    const Instant until = now_since_boot() + 300ms;
    const std::unique_ptr<BlockSource> reader =
        dags_->reader({}, [until]() -> std::optional<Error> {
            return now_since_boot() < until
                       ? std::nullopt
                       : std::optional(Error{Errc::fetch_timeout, "the fetch stage is over"});
        });
    EXPECT_EQ(reader->get(file_.root).error().code, Errc::cid_unavailable);
    EXPECT_EQ(reader->get(file_.leaves.front()).error().code, Errc::cid_unavailable);
}

} // namespace
} // namespace ic::wiring
