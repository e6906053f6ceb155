#include "car/writer.h"
#include "net/testing/http_test_server.h"
#include "wiring/receipts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ic::wiring {
namespace {

using namespace std::chrono_literals;
using net::testing::answer_of;
using net::testing::HttpTestServer;
using net::testing::SeenRequest;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;

Block document(std::size_t number, std::size_t bytes = 100) {
    Bytes data(bytes, static_cast<std::uint8_t>(number >> 8U));
    data.front() = static_cast<std::uint8_t>(number);
    const Cid cid = cid_of(Codec::dag_cbor, data);
    return {cid, LentBytes::of(std::move(data))};
}

class ReceiptsTest : public ::testing::Test {
protected:
    /// A Kubo that is there or is not, and that pins, or does not.
    std::string answer(const SeenRequest& request) {
        if (!is_there) {
            return answer_of(503, "", "starting");
        }
        if (request.line().find("dag/import") != std::string::npos) {
            return answer_of(200, "", R"({"Stats":{"BlockCount":1,"BlockBytesCount":1}})");
        }
        if (refuses) {
            return answer_of(403, "", "denied");
        }
        if (collections > 0) {
            --collections;
            return answer_of(500, "", R"({"Message":"block was not found locally","Code":0})");
        }
        std::string pins;
        const std::string line = request.line();
        for (std::size_t at = line.find("arg="); at != std::string::npos;
             at = line.find("arg=", at + 1)) {
            const std::string cid = line.substr(at + 4, line.find_first_of("& ", at) - at - 4);
            pins += (pins.empty() ? "\"" : ",\"") + cid + "\"";
        }
        return answer_of(200, "", R"({"Pins":[)" + pins + "]}");
    }

    std::atomic<bool> is_there{true};
    std::atomic<bool> refuses{false};
    std::atomic<int> collections{0}; ///< Between an import and its pin.
    HttpTestServer server{[this](const SeenRequest& request) { return answer(request); }};

    std::unique_ptr<kubo::Rpc> open() {
        kubo::RpcOptions options;
        options.address = server.url("");
        options.retry.attempts_max = 1;
        options.breaker.failures_max = 1'000'000;
        return std::move(kubo::Rpc::open(options)).take();
    }

    Receipts::HandedOn on_handed_on() {
        return [this](std::span<const Cid> cids) {
            const std::lock_guard lock(mutex);
            handed_on.insert(handed_on.end(), cids.begin(), cids.end());
        };
    }

    static void until(const std::function<bool()>& holds) {
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (!holds() && std::chrono::steady_clock::now() < end) {
            std::this_thread::sleep_for(1ms);
        }
        EXPECT_TRUE(holds());
    }

    /// Requests of this command so far.
    std::vector<SeenRequest> asked(const std::string& command) {
        std::vector<SeenRequest> found;
        for (const SeenRequest& request : server.requests()) {
            if (request.line().find(command) != std::string::npos) {
                found.push_back(request);
            }
        }
        return found;
    }

    std::mutex mutex;
    std::vector<Cid> handed_on;
    std::unique_ptr<kubo::Rpc> rpc = open();
};

TEST_F(ReceiptsTest, GoTogetherAsTheirBytesUnderOnePin) {
    const std::vector documents{document(1), document(2), document(3)};
    {
        Receipts receipts(*rpc, on_handed_on(), {.gather_time = 1h, .end_time_max = 60s});
        receipts.add({documents[0], documents[1]});
        receipts.add({documents[2]});
    } // What waits goes at the end.
    ASSERT_EQ(asked("dag/import").size(), 1U);
    ASSERT_EQ(asked("pin/add").size(), 1U);
    const SeenRequest import = asked("dag/import").front();
    EXPECT_THAT(import.line(), HasSubstr("pin-roots=false"));
    const std::string sent = net::testing::unchunked(import.body);
    std::vector<Cid> cids;
    for (const Block& one : documents) {
        const Bytes head = car::section_head(one.cid, one.data.size());
        EXPECT_THAT(sent,
                    HasSubstr(std::string(text_of(head)) + std::string(text_of(one.data.view()))));
        cids.push_back(one.cid);
    }
    EXPECT_THAT(asked("pin/add").front().line(),
                HasSubstr("name=ipfs-compute-receipt&offline=true"));
    EXPECT_THAT(handed_on, UnorderedElementsAreArray(cids));
}

TEST_F(ReceiptsTest, WaitUntilKuboIsThereAgain) {
    is_there = false;
    Receipts receipts(*rpc, on_handed_on(), {.gather_time = 1ms, .rest_time = 1ms});
    receipts.add({document(1)});
    until([&] { return asked("dag/import").size() >= 2; });
    EXPECT_EQ(receipts.counts().handed_on, 0U);
    is_there = true;
    until([&] { return receipts.counts().handed_on == 1; });
    EXPECT_EQ(receipts.counts().refused + receipts.counts().dropped, 0U);
}

TEST_F(ReceiptsTest, AreNotSentAgainWhereKuboDoesNotWantThem) {
    refuses = true;
    std::atomic<int> notes{0};
    const log::Sink note(log::Level::warning, [&notes](const log::Entry&) { ++notes; });
    Receipts receipts(*rpc, on_handed_on(), {.gather_time = 1ms, .note = note});
    receipts.add({document(1), document(2)});
    until([&] { return receipts.counts().refused == 2; });
    EXPECT_EQ(notes, 1);
    refuses = false;
    receipts.add({document(3)});
    until([&] { return receipts.counts().handed_on == 1; });
    EXPECT_EQ(asked("dag/import").size(), 2U);
}

TEST_F(ReceiptsTest, AreImportedAgainWhereACollectionTookThemBeforeTheyWerePinned) {
    collections = 1;
    Receipts receipts(*rpc, on_handed_on(), {.gather_time = 1ms});
    receipts.add({document(1), document(2)});
    until([&] { return receipts.counts().handed_on + receipts.counts().refused == 2; });
    EXPECT_EQ(receipts.counts().handed_on, 2U);
    EXPECT_EQ(asked("dag/import").size(), 2U);
}

TEST_F(ReceiptsTest, AreNotImportedForEverWhereTheyAreNeverThere) {
    collections = 1'000;
    Receipts receipts(*rpc, on_handed_on(), {.gather_time = 1ms});
    receipts.add({document(1), document(2)});
    until([&] { return receipts.counts().refused == 2; });
    EXPECT_EQ(asked("dag/import").size(), 3U);
}

TEST_F(ReceiptsTest, GoInTheEndThoughOthersKeepComing) {
    Receipts receipts(*rpc, on_handed_on(), {.gather_time = 10ms, .patience = 200ms});
    const auto began = std::chrono::steady_clock::now();
    std::size_t number = 0;
    while (receipts.counts().handed_on == 0 && std::chrono::steady_clock::now() < began + 60s) {
        receipts.add({document(++number % 1'000)});
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_GT(receipts.counts().handed_on, 0U);
}

TEST_F(ReceiptsTest, NoMoreGoAtOnceThanMay) {
    Receipts receipts(*rpc, on_handed_on(), {.gather_time = 1ms});
    std::vector<Block> many;
    for (std::size_t number = 0; number < limits::receipts_in_request_max + 1; ++number) {
        many.push_back(document(number));
    }
    receipts.add(many);
    until([&] { return receipts.counts().handed_on == many.size(); });
    EXPECT_EQ(asked("dag/import").size(), 2U);
}

TEST_F(ReceiptsTest, NoMoreWaitThanMay) {
    is_there = false;
    std::atomic<int> notes{0};
    const log::Sink note(log::Level::warning, [&notes](const log::Entry&) { ++notes; });
    Receipts receipts(*rpc, on_handed_on(), {.gather_time = 1h, .end_time_max = 0ms, .note = note});
    std::vector<Block> many;
    for (std::size_t number = 0; number < limits::receipts_waiting_max + 10; ++number) {
        many.push_back(document(number));
    }
    receipts.add(many);
    EXPECT_EQ(receipts.counts().dropped, 10U);
    EXPECT_EQ(notes, 1);
}

TEST_F(ReceiptsTest, NoMoreBytesWaitThanMay) {
    is_there = false;
    Receipts receipts(*rpc, on_handed_on(), {.gather_time = 1h, .end_time_max = 0ms});
    constexpr std::size_t each = 1U << 20U;
    for (std::size_t number = 0; number < limits::receipt_bytes_waiting_max / each; ++number) {
        receipts.add({document(number, each)});
    }
    EXPECT_EQ(receipts.counts().dropped, 0U);
    receipts.add({document(100, each)});
    EXPECT_EQ(receipts.counts().dropped, 1U);
}

} // namespace
} // namespace ic::wiring
