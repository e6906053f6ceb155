// What the calls ask and how they read the answers of Kubo 0.43; tests/kubo asks a real one.
#include "kubo/block.h"
#include "kubo/dag.h"
#include "kubo/key.h"
#include "kubo/node.h"
#include "kubo/pin.h"
#include "kubo/routing.h"
#include "kubo/streams.h"
#include "net/testing/http_test_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>

namespace ic::kubo {
namespace {

using namespace std::chrono_literals;
using net::testing::answer_of;
using net::testing::HttpTestServer;
using net::testing::SeenRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Cid cid = cid_of(Codec::raw, bytes_of("block"));
const std::string text = cid.to_string();

std::string failure(const std::string& message) {
    return answer_of(500, "", R"({"Message":")" + message + R"(","Code":0,"Type":"error"})");
}

/// A Kubo that gives `answer_` to everything.
class CallsTest : public ::testing::Test {
protected:
    void answers(const std::string& body) { answer_with(answer_of(200, "", body)); }

    void answer_with(std::string answer) {
        const std::lock_guard lock(mutex_);
        answer_ = std::move(answer);
    }

    /// Of the last request, without the version of HTTP.
    std::string asked() const {
        const std::string line = server_.requests().back().line();
        return line.substr(0, line.rfind(' '));
    }

    static std::unique_ptr<Rpc> open(const std::string& address) {
        RpcOptions options;
        options.address = address;
        options.retry.attempts_max = 1;
        return std::move(Rpc::open(options)).take();
    }

    std::mutex mutex_;
    std::string answer_;
    HttpTestServer server_{[this](const SeenRequest&) {
        const std::lock_guard lock(mutex_);
        return answer_;
    }};
    std::unique_ptr<Rpc> owner_ = open(server_.url(""));
    Rpc& rpc_ = *owner_;
};

TEST_F(CallsTest, IdToleratesAKuboThatSaysLess) {
    answers(R"({"ID":"12D3Peer","Addresses":["/ip4/1.2.3.4/tcp/1"],"AgentVersion":"kubo/0.43.0/",)"
            R"("PublicKey":"x","Protocols":null})");
    EXPECT_THAT(id(rpc_)->addresses, ElementsAre("/ip4/1.2.3.4/tcp/1"));
    EXPECT_EQ(id(rpc_)->agent_version, "kubo/0.43.0/");
    EXPECT_EQ(asked(), "POST /api/v0/id");
    answers(R"({"ID":"12D3Peer","Addresses":null})");
    EXPECT_EQ(id(rpc_)->peer_id, "12D3Peer");
}

TEST_F(CallsTest, ConfigTakesWhatIsNotSetForOff) {
    answers(R"({"Key":"x","Value":true})");
    EXPECT_EQ(node_config(rpc_).error().code, Errc::malformed); // A gateway that is no address.
    answers(R"({"Key":"x","Value":null})");
    EXPECT_FALSE(node_config(rpc_)->has_pubsub);
    answers(R"({"Key":"x","Value":["/ip4/127.0.0.1/tcp/8080","/unix/x"]})");
    EXPECT_THAT(node_config(rpc_)->gateways, ElementsAre("/ip4/127.0.0.1/tcp/8080", "/unix/x"));
    answer_with(failure(R"(failed to get config value: \"Pubsub.Enabled not found\")"));
    EXPECT_TRUE(node_config(rpc_)->gateways.empty());
    answer_with(failure("disk on fire"));
    EXPECT_EQ(node_config(rpc_).error().code, Errc::unavailable);
}

TEST_F(CallsTest, SwarmPeersReadsPairs) {
    answers(R"({"Peers":[{"Addr":"/ip4/1.2.3.4/tcp/1","Peer":"12D3Peer","Latency":"1ms"}]})");
    EXPECT_EQ(swarm_peers(rpc_)->at(0).peer_id, "12D3Peer");
    answers(R"({"Peers":null})");
    EXPECT_TRUE(swarm_peers(rpc_)->empty());
    for (const char* body : {R"({"Peers":7})", R"({"Peers":[7]})", R"({"Peers":[{"Peer":"x"}]})"}) {
        answers(body);
        EXPECT_EQ(swarm_peers(rpc_).error().code, Errc::malformed) << body;
    }
}

TEST_F(CallsTest, BlockGetStaysHereOrSearchesForSoLong) {
    answers("block");
    EXPECT_TRUE(block_get(rpc_, cid, Reach::local()).ok());
    EXPECT_EQ(asked(), "POST /api/v0/block/get?arg=" + text + "&offline=true&timeout=30000ms");
    EXPECT_TRUE(block_get(rpc_, cid, Reach::network(1500ms)).ok());
    EXPECT_EQ(asked(), "POST /api/v0/block/get?arg=" + text + "&timeout=1500ms");
}

TEST_F(CallsTest, BlockPutComparesWhatItBecame) {
    answers(R"({"Key":")" + text + R"(","Size":5})");
    EXPECT_TRUE(block_put(rpc_, cid, bytes_of("block")).ok());
    EXPECT_EQ(asked(), "POST /api/v0/block/put?cid-codec=raw&mhtype=sha2-256&pin=false");
    const Cid other = cid_of(Codec::raw, bytes_of("other"));
    EXPECT_EQ(block_put(rpc_, other, bytes_of("block")).error().code, Errc::hash_mismatch);
    answers(R"({"Key":"nothing"})");
    EXPECT_EQ(block_put(rpc_, cid, bytes_of("block")).error().code, Errc::malformed);
    EXPECT_EQ(block_put(rpc_, cid, Bytes(limits::block_bytes_max + 1)).error().code,
              Errc::too_large);
}

TEST_F(CallsTest, BlockSizeTellsAbsentFromBroken) {
    answers(R"({"Key":")" + text + R"(","Size":5})");
    EXPECT_EQ(*block_size(rpc_, cid), 5U);
    answer_with(failure("block was not found locally (offline): ipld: could not find " + text));
    EXPECT_EQ(*block_size(rpc_, cid), std::nullopt);
    answer_with(failure("disk on fire"));
    EXPECT_EQ(block_size(rpc_, cid).error().code, Errc::cid_unavailable);
}

DagImport car(std::vector<Cid> roots) {
    return {.car = [sent = false](std::span<std::uint8_t> into) mutable -> Result<std::size_t> {
                const std::string_view bytes = sent ? "" : "a car";
                std::copy(bytes.begin(), bytes.end(), into.begin());
                sent = true;
                return bytes.size();
            },
            .roots = std::move(roots)};
}

std::string root_line(const std::string& root, const std::string& error) {
    return R"({"Root":{"Cid":{"/":")" + root + R"("},"PinErrorMsg":")" + error + "\"}}\n";
}

TEST_F(CallsTest, ImportStreamsTheCarAndChecksItsRoots) {
    answers(root_line(text, "") + R"({"Stats":{"BlockCount":7,"BlockBytesCount":900}})" + "\n");
    const Result<ImportedDag> imported = dag_import(rpc_, car({cid}));
    ASSERT_TRUE(imported.ok()) << imported.error().message;
    EXPECT_EQ(imported->blocks, 7U);
    EXPECT_EQ(imported->bytes, 900U);
    EXPECT_EQ(asked(), "POST /api/v0/dag/import?pin-roots=true&stats=true");
    const std::string body = net::testing::unchunked(server_.requests().back().body);
    EXPECT_THAT(body, HasSubstr("name=\"file\""));
    EXPECT_THAT(body, HasSubstr("\r\n\r\na car\r\n--ic-"));
    const Cid other = cid_of(Codec::raw, bytes_of("other"));
    EXPECT_THAT(dag_import(rpc_, car({cid, other})).error().message,
                HasSubstr(other.to_string() + " is not pinned: Kubo did not name it"));
    EXPECT_TRUE(dag_import(rpc_, car({})).ok());
    EXPECT_EQ(asked(), "POST /api/v0/dag/import?pin-roots=false&stats=true");
}

TEST_F(CallsTest, ImportNamesWhatWentWrong) {
    answers(root_line(text, "ipld: could not find x"));
    const auto missing = dag_import(rpc_, car({cid}));
    EXPECT_EQ(missing.error().code, Errc::cid_unavailable);
    EXPECT_THAT(missing.error().message, HasSubstr("is not pinned: ipld: could not find x"));
    answer_with(failure("import failed: mismatch in content integrity, expected: a, got: b"));
    EXPECT_EQ(dag_import(rpc_, car({cid})).error().code, Errc::hash_mismatch);
    answer_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "0\r\nX-Stream-Error: import failed: mismatch in content integrity\r\n\r\n");
    EXPECT_EQ(dag_import(rpc_, car({cid})).error().code, Errc::hash_mismatch);
    for (const char* line : {"<html>", R"({"Root":7})", R"({"Root":{"Cid":{"/":"no"}}})"}) {
        answers(line);
        EXPECT_EQ(dag_import(rpc_, car({cid})).error().code, Errc::malformed) << line;
    }
    DagImport broken = car({cid});
    broken.car = [](std::span<std::uint8_t>) -> Result<std::size_t> {
        return Error{Errc::storage_full, "the source broke"};
    };
    EXPECT_EQ(dag_import(rpc_, broken).error().code, Errc::storage_full);
}

TEST_F(CallsTest, ExportSaysInTheEndThatABlockIsMissing) {
    answer_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\ncar\r\n0\r\nX-Stream-Error: block was not found locally\r\n\r\n");
    auto answer = dag_export(rpc_, cid, Reach::local());
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(asked(),
              "POST /api/v0/dag/export?arg=" + text +
                  "&progress=false&offline=true&timeout=30000ms");
    EXPECT_EQ((*answer)->read_all(100).error().code, Errc::cid_unavailable);
}

TEST_F(CallsTest, PinsAreAddedAskedForAndRemoved) {
    answers(R"({"Pins":[")" + text + R"("]})");
    EXPECT_TRUE(pin_add(rpc_, cid, "job 1", Reach::local()).ok());
    EXPECT_THAT(asked(), HasSubstr("pin/add?arg=" + text + "&name=job%201&offline=true"));
    EXPECT_TRUE(pin_remove(rpc_, cid).ok());
    answers(R"({"Pins":[]})");
    EXPECT_EQ(pin_add(rpc_, cid, "", Reach::local()).error().code, Errc::malformed);
    answers(R"({"Keys":{")" + text + R"(":{"Type":"recursive","Name":"job 1"}}})");
    EXPECT_EQ((*pin_of(rpc_, cid))->name, "job 1");
    answers(R"({"Keys":{")" + text + R"(":{"Type":"recursive"}}})");
    EXPECT_EQ((*pin_of(rpc_, cid))->type, "recursive");
    answer_with(failure("path '" + text + "' is not pinned"));
    EXPECT_EQ(*pin_of(rpc_, cid) ? 1 : 0, 0);
    answer_with(failure("not pinned or pinned indirectly"));
    EXPECT_EQ(pin_remove(rpc_, cid).error().code, Errc::not_found);
    EXPECT_EQ(pin_of(rpc_, cid).error().code, Errc::not_found);
}

TEST_F(CallsTest, ListsPinsOneAfterTheOther) {
    answers(R"({"Cid":")" + text + R"(","Type":"recursive","Name":"job 1"})" + "\n" +
            R"({"Cid":"bafkqaaa","Type":"recursive"})" + "\n");
    std::string seen;
    const auto note = [&seen](const Cid& pinned, const Pin& pin) -> Result<void> {
        seen += pinned.to_string() + " " + pin.type + " " + pin.name + "\n";
        return {};
    };
    EXPECT_TRUE(pin_each(rpc_, note).ok());
    EXPECT_EQ(asked(), "POST /api/v0/pin/ls?type=recursive&names=true&stream=true");
    EXPECT_EQ(seen, text + " recursive job 1\nbafkqaaa recursive \n");
    const auto refuse = [](const Cid&, const Pin&) -> Result<void> {
        return Error{Errc::storage_full, "no more"};
    };
    EXPECT_EQ(pin_each(rpc_, refuse).error().code, Errc::storage_full);
    answers(R"({"Cid":"no","Type":"recursive"})");
    EXPECT_EQ(pin_each(rpc_, note).error().code, Errc::malformed);
}

constexpr const char* provider_line =
    R"({"Extra":"","ID":"","Responses":[{"Addrs":["/ip4/1.2.3.4/tcp/1"],)"
    R"("ID":"12D3Peer"}],"Type":4})"
    "\n";

TEST_F(CallsTest, FindsEachProviderOnce) {
    answers(std::string(R"({"ID":"12D3Asked","Responses":null,"Type":0})") + "\n" + provider_line +
            provider_line);
    const auto found = routing_find_providers(rpc_, cid, {.providers_max = 3, .time_max = 2s});
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->at(0).peer_id, "12D3Peer");
    EXPECT_THAT(found->at(0).addresses, ElementsAre("/ip4/1.2.3.4/tcp/1"));
    EXPECT_EQ(asked(),
              "POST /api/v0/routing/findprovs?arg=" + text + "&timeout=2000ms&num-providers=3");
}

TEST_F(CallsTest, GivesTheProvidersThatWereFoundInTime) {
    const std::string line = provider_line;
    answer_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5d\r\n" + line +
                "\r\n0\r\nX-Stream-Error: context deadline exceeded\r\n\r\n");
    ASSERT_EQ(line.size(), 0x5dU);
    EXPECT_EQ(routing_find_providers(rpc_, cid, {})->size(), 1U);
    answer_with("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + line); // The connection broke.
    EXPECT_EQ(routing_find_providers(rpc_, cid, {}).error().code, Errc::unavailable);
}

TEST_F(CallsTest, FindsAPeerOrSaysThatItDidNot) {
    answers(R"({"Responses":[{"Addrs":["/ip4/1.2.3.4/tcp/1"],"ID":"12D3Peer"}],"Type":2})");
    EXPECT_EQ(routing_find_peer(rpc_, "12D3Peer", 2s)->addresses.size(), 1U);
    EXPECT_EQ(routing_find_peer(rpc_, "12D3Other", 2s).error().code, Errc::not_found);
    answer_with(failure("routing: not found"));
    EXPECT_EQ(routing_find_peer(rpc_, "12D3Peer", 2s).error().code, Errc::not_found);
}

TEST_F(CallsTest, ProvideTellsItsOwnFailureFromThatOfAPeer) {
    answers(R"({"ID":"12D3Asked","Type":3,"Extra":"dial backoff"})");
    EXPECT_TRUE(routing_provide(rpc_, cid, 2s).ok());
    answers(R"({"ID":"","Type":3,"Extra":"no peers"})");
    EXPECT_THAT(routing_provide(rpc_, cid, 2s).error().message, HasSubstr("no peers"));
}

TEST_F(CallsTest, TunnelsAreMadeListedAndClosed) {
    answers("");
    EXPECT_TRUE(streams_listen(rpc_, "/x/job", "/ip4/127.0.0.1/tcp/9").ok());
    EXPECT_EQ(asked(), "POST /api/v0/p2p/listen?arg=%2Fx%2Fjob&arg=%2Fip4%2F127.0.0.1%2Ftcp%2F9");
    answers(
        R"({"Listeners":[{"Protocol":"/x/job","ListenAddress":"/p2p/A","TargetAddress":"/b"}]})");
    EXPECT_THAT(
        *streams_list(rpc_),
        ElementsAre(StreamTunnel{.protocol = "/x/job", .listen = "/p2p/A", .target = "/b"}));
    answers("2\n");
    EXPECT_EQ(*streams_close(rpc_, {.protocol = "/x/job"}), 2U);
    EXPECT_EQ(asked(), "POST /api/v0/p2p/close?protocol=%2Fx%2Fjob");
    answer_with(failure("libp2p stream mounting not enabled"));
    const auto off = streams_list(rpc_);
    EXPECT_EQ(off.error().code, Errc::unsupported);
    EXPECT_THAT(off.error().message, HasSubstr("Experimental.Libp2pStreamMounting true"));
}

TEST_F(CallsTest, SignsWithTheKeyOfThePeer) {
    answers(R"({"Key":{"Name":"self","Id":"k51"},"Signature":"uAQID"})");
    EXPECT_EQ(*sign_as_peer(rpc_, bytes_of("text")), (Bytes{1, 2, 3}));
    EXPECT_EQ(asked(), "POST /api/v0/key/sign?key=self");
    answers(R"({"Signature":"AQID"})");
    EXPECT_EQ(sign_as_peer(rpc_, bytes_of("text")).error().code, Errc::malformed);
    EXPECT_EQ(sign_as_peer(rpc_, Bytes(limits::signed_bytes_max + 1)).error().code,
              Errc::too_large);
}

} // namespace
} // namespace ic::kubo
