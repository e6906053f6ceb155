/// Reading from honest gateways, and from ones that fail as networks do.

#include "blockstore/caching_store.h"
#include "blockstore/gateway/gateway_source.h"
#include "blockstore/gateway/testing/gateway_double.h"
#include "blockstore/memory_store.h"
#include "unixfs/directory.h"
#include "unixfs/file_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

namespace ic {
namespace {

using namespace std::chrono_literals;
using gateway::testing::car_of;
using gateway::testing::GatewayDouble;
using gateway::testing::head_of;
using gateway::testing::make_directory;
using gateway::testing::make_file;
using gateway::testing::TestFile;
using net::testing::answer_of;
using net::testing::Peer;
using net::testing::SeenRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A store behind which gateways stand.
struct Reader {
    explicit Reader(std::vector<std::string> urls, std::chrono::milliseconds next_after = 5s)
        : gateways(local,
                   {.urls = std::move(urls),
                    .times = {.connect_max = 2s,
                              .head_max = 2s,
                              .rate_floor = {.bytes = 1024, .time = 500ms}},
                    .next_after = next_after})
        , store(local, gateways) {}

    Result<std::string> read(const Cid& cid, std::uint64_t offset = 0) {
        store.plan({.root = cid, .scope = ReadPlan::Scope::entity, .offset = offset});
        return read_on(cid, offset);
    }

    Result<std::string> read_on(const Cid& cid, std::uint64_t offset = 0) {
        unixfs::FileReader file = TRY(unixfs::FileReader::open(store, cid));
        std::string content;
        while (offset < file.size()) {
            const LentBytes piece = TRY(file.lend_at(offset));
            content += text_of(piece.view());
            offset += piece.size();
        }
        return content;
    }

    MemoryStore local;
    GatewaySource gateways;
    CachingStore store;
};

TEST(GatewaySource, GivesABlockByItsCid) {
    MemoryBlocks blocks;
    const Cid cid = blocks.add(Codec::raw, bytes_of("block"));
    const GatewayDouble gateway(blocks);
    Reader reader({gateway.url()});
    EXPECT_EQ(text_of(reader.store.get(cid)->view()), "block");
    EXPECT_TRUE(*reader.local.has(cid));
    EXPECT_THAT(gateway.requests(), ElementsAre("/ipfs/" + cid.to_string() + "?format=raw"));
}

TEST(GatewaySource, ReadsAFileAsOneCar) {
    MemoryBlocks blocks;
    const TestFile file = make_file(blocks, 50, 10'000);
    const GatewayDouble gateway(blocks);
    Reader reader({gateway.url()});
    EXPECT_TRUE(*reader.read(file.root) == file.content);
    EXPECT_THAT(gateway.requests(),
                ElementsAre("/ipfs/" + file.root.to_string() + "?format=car&dag-scope=entity"));
    EXPECT_EQ(reader.local.stat()->blocks, 51U);
}

TEST(GatewaySource, ReadsATreeAsOneCar) {
    MemoryBlocks blocks;
    const std::vector<TestFile> files{make_file(blocks, 3, 1000), make_file(blocks, 5, 1000)};
    const Cid root = make_directory(blocks, files);
    const GatewayDouble gateway(blocks);
    Reader reader({gateway.url()});
    reader.store.plan({.root = root, .scope = ReadPlan::Scope::all});
    std::string content;
    ASSERT_TRUE(
        unixfs::list(reader.store, root, [&](const unixfs::DirectoryEntry& entry) -> Result<void> {
            content += TRY(reader.read_on(entry.cid));
            return Result<void>{};
        }).ok());
    EXPECT_TRUE(content == files[0].content + files[1].content);
    EXPECT_THAT(gateway.requests(),
                ElementsAre("/ipfs/" + root.to_string() + "?format=car&dag-scope=all"));
}

TEST(GatewaySource, AsksForTheRangeThatIsRead) {
    MemoryBlocks blocks;
    const TestFile file = make_file(blocks, 10, 1000);
    const GatewayDouble gateway(blocks);
    Reader reader({gateway.url()});
    reader.store.plan({.root = file.root, .offset = 2500, .end = 7000});
    EXPECT_TRUE(reader.store.get(file.root).ok());
    EXPECT_THAT(gateway.requests(),
                ElementsAre("/ipfs/" + file.root.to_string() +
                            "?format=car&dag-scope=entity&entity-bytes=2500:6999"));
}

TEST(GatewaySource, GoesOnWhereACarWasCut) {
    MemoryBlocks blocks;
    const TestFile file = make_file(blocks, 20, 10'000);
    std::atomic<int> answers{0};
    std::string car = car_of(blocks, file.root);
    const GatewayDouble gateway(blocks, [&](const SeenRequest&, Peer& peer) {
        if (answers++ != 0) {
            return false;
        }
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.ipld.car\r\nContent-Length: " +
                  std::to_string(car.size()) + "\r\n\r\n" + car.substr(0, car.size() / 2));
        return true;
    });
    Reader reader({gateway.url()});
    const Result<std::string> content = reader.read(file.root);
    ASSERT_TRUE(content.ok()) << content.error().message;
    EXPECT_TRUE(*content == file.content);
    ASSERT_EQ(gateway.requests().size(), 2U);
    const std::string again = gateway.requests()[1];
    const std::string wanted =
        "/ipfs/" + file.root.to_string() + "?format=car&dag-scope=entity&entity-bytes=";
    ASSERT_TRUE(again.starts_with(wanted)) << again;
    const auto offset = std::stoul(again.substr(wanted.size()));
    EXPECT_GT(offset, file.content.size() / 2 - 20'000) << "what is here is not asked for again";
    EXPECT_LE(offset, file.content.size() / 2);
}

TEST(GatewaySource, SkipsWhatIsHere) {
    MemoryBlocks blocks;
    const TestFile file = make_file(blocks, 10, 1000);
    const GatewayDouble gateway(blocks);
    Reader reader({gateway.url()});
    ASSERT_TRUE(reader.local.put(file.root, blocks.get(file.root)->view()).ok());
    for (std::size_t leaf = 0; leaf < 9; ++leaf) {
        ASSERT_TRUE(
            reader.local.put(file.leaves[leaf], blocks.get(file.leaves[leaf])->view()).ok());
    }
    EXPECT_TRUE(*reader.read(file.root) == file.content);
    EXPECT_THAT(gateway.requests(),
                ElementsAre("/ipfs/" + file.leaves[9].to_string() + "?format=raw"));
}

TEST(GatewaySource, AsksTheNextWhenTheFirstIsSlow) {
    MemoryBlocks blocks;
    const Cid cid = blocks.add(Codec::raw, bytes_of("block"));
    const GatewayDouble slow(blocks, [](const SeenRequest&, Peer& peer) {
        peer.wait(10s);
        return true;
    });
    const GatewayDouble good(blocks);
    const auto began = std::chrono::steady_clock::now();
    {
        Reader reader({slow.url(), good.url()}, 50ms);
        EXPECT_EQ(text_of(reader.store.get(cid)->view()), "block");
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, 9s) << "before the first one's time";
}

TEST(GatewaySource, AsksTheNextAtOnceWhenOneFails) {
    MemoryBlocks blocks;
    const Cid cid = blocks.add(Codec::raw, bytes_of("block"));
    const GatewayDouble without(MemoryBlocks{});
    const GatewayDouble good(blocks);
    Reader reader({without.url(), good.url()}, 60s);
    EXPECT_EQ(text_of(reader.store.get(cid)->view()), "block");
}

TEST(GatewaySource, AsksOnceMoreWhenAConnectionBreaks) {
    MemoryBlocks blocks;
    const Cid cid = blocks.add(Codec::raw, bytes_of("block"));
    std::atomic<int> answers{0};
    const GatewayDouble gateway(blocks, [&](const SeenRequest&, Peer&) { return answers++ == 0; });
    Reader reader({gateway.url()});
    EXPECT_EQ(text_of(reader.store.get(cid)->view()), "block");
    EXPECT_EQ(gateway.requests().size(), 2U);
}

TEST(GatewaySource, AsksTheFastestFirst) {
    MemoryBlocks blocks;
    std::vector<Cid> cids;
    for (int number = 0; number < 6; ++number) {
        cids.push_back(blocks.add(Codec::raw, bytes_of(std::to_string(number))));
    }
    const GatewayDouble slow(blocks, [](const SeenRequest&, Peer& peer) {
        peer.wait(100ms);
        return false;
    });
    const GatewayDouble fast(blocks);
    Reader reader({slow.url(), fast.url()});
    for (const Cid& cid : cids) {
        ASSERT_TRUE(reader.store.get(cid).ok());
    }
    EXPECT_EQ(slow.requests().size(), 1U);
    EXPECT_EQ(fast.requests().size(), 5U);
}

TEST(GatewaySource, AsksForBlocksWhereNoCarsAreServed) {
    MemoryBlocks blocks;
    const TestFile file = make_file(blocks, 5, 1000);
    const GatewayDouble gateway(blocks, [](const SeenRequest& request, Peer& peer) {
        if (request.line().find("format=car") == std::string::npos) {
            return false;
        }
        peer.send(answer_of(406, "", "no"));
        return true;
    });
    Reader reader({gateway.url()});
    EXPECT_TRUE(*reader.read(file.root) == file.content);
    EXPECT_EQ(gateway.requests().size(), 1U + 6U) << "CARs are asked for once";
}

Instant time_now{};

TEST(GatewaySource, LeavesAGatewayAloneThatAsksForIt) {
    const Cid cid = cid_of(Codec::raw, bytes_of("block"));
    MemoryBlocks blocks;
    blocks.add(Codec::raw, bytes_of("block"));
    std::atomic<bool> is_busy{true};
    const GatewayDouble gateway(blocks, [&](const SeenRequest&, Peer& peer) {
        if (is_busy) {
            peer.send(answer_of(429, "Retry-After: 20\r\n", ""));
        }
        return is_busy.load();
    });
    MemoryStore local;
    GatewaySource source(local, {.urls = {gateway.url()}, .now = [] { return time_now; }});
    EXPECT_THAT(source.get(cid).error().message,
                HasSubstr(gateway.url() + ": it answers with HTTP status 429, and is left alone"));
    is_busy = false;
    EXPECT_FALSE(source.get(cid).ok());
    EXPECT_EQ(gateway.requests().size(), 1U);
    time_now = time_now + 20s;
    EXPECT_TRUE(source.get(cid).ok());
}

TEST(GatewaySource, SaysWhoWasAskedAndWhatWasWrong) {
    const Cid cid = cid_of(Codec::raw, bytes_of("block"));
    std::string nobody;
    {
        const GatewayDouble gone(MemoryBlocks{});
        nobody = gone.url();
    }
    const GatewayDouble without(MemoryBlocks{});
    MemoryStore local;
    GatewaySource source(local, {.urls = {nobody, without.url()}});
    const Error error = source.get(cid).error();
    EXPECT_EQ(error.code, Errc::cid_unavailable);
    EXPECT_THAT(error.message,
                HasSubstr("block " + cid.to_string() +
                          " is not in this store, and no gateway gives it: " + nobody));
    EXPECT_THAT(error.message, HasSubstr(without.url() + ": it answers with HTTP status 404"));
    EXPECT_THAT(error.message, HasSubstr("--gateway"));
}

TEST(GatewaySource, ServesSeveralThreads) {
    MemoryBlocks blocks;
    const TestFile file = make_file(blocks, 40, 1000);
    const GatewayDouble one(blocks), two(blocks);
    Reader reader({one.url(), two.url()}, 10ms);
    reader.store.plan({.root = file.root});
    std::vector<std::thread> threads;
    std::atomic<int> right{0};
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&] { right += *reader.read_on(file.root) == file.content ? 1 : 0; });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(right, 4);
}

TEST(GatewayUrl, IsAWebAddressWithoutAnythingBehindIt) {
    using gateway::gateway_url;
    EXPECT_EQ(*gateway_url("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
    EXPECT_EQ(*gateway_url("https://example.org/prefix//"), "https://example.org/prefix");
    for (const char* wrong : {"",
                              "ftp://x",
                              "http://",
                              "https:///",
                              "x",
                              "http://a?b",
                              "http://a#b",
                              "http://a b",
                              "http://me@a",
                              "http://\x80"}) {
        EXPECT_EQ(gateway_url(wrong).error().code, Errc::usage) << wrong;
    }
}

} // namespace
} // namespace ic
