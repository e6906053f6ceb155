/// Gateways that lie, stall, and never end: each costs bounded memory and time, is named, and does
/// not keep the next one from serving.

#include "blockstore/caching_store.h"
#include "blockstore/gateway/gateway_source.h"
#include "blockstore/gateway/testing/gateway_double.h"
#include "blockstore/memory_store.h"
#include "car/writer.h"
#include "ipld/dag_pb.h"
#include "unixfs/data.h"
#include "unixfs/file_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <ostream>

namespace ic {
namespace {

using namespace std::chrono_literals;
using gateway::testing::car_of;
using gateway::testing::GatewayDouble;
using gateway::testing::head_of;
using gateway::testing::make_file;
using gateway::testing::TestFile;
using net::testing::answer_of;
using net::testing::Peer;
using net::testing::SeenRequest;
using ::testing::HasSubstr;

/// What every evil one knows: the file that is asked for.
struct Target {
    MemoryBlocks blocks;
    TestFile file = make_file(blocks, 30, 20'000);
};

std::string car_head() { return head_of("application/vnd.ipld.car; version=1"); }

std::string raw_head() { return head_of("application/vnd.ipld.raw"); }

bool asks_for_car(const SeenRequest& request) {
    return request.line().find("format=car") != std::string::npos;
}

std::string head_for(const SeenRequest& request) {
    return asks_for_car(request) ? car_head() : raw_head();
}

std::string section(const Cid& cid, std::string_view data) {
    return std::string(text_of(car::section_head(cid, data.size()))) + std::string(data);
}

std::string header_of(const Cid& root) {
    const std::vector<Cid> roots{root};
    return std::string(text_of(car::encode_header(roots)));
}

std::string bytes_of_block(Target& target, const Cid& cid) {
    return std::string(text_of(target.blocks.get(cid)->view()));
}

enum class Fate { dropped, kept };

/// One way to be evil.
struct Evil {
    std::string name;
    std::function<void(Target&, const SeenRequest&, Peer&)> answer;
    Fate fate = Fate::dropped; ///< A failure that an honest one may have too does not drop it.
    std::string says;          ///< A part of what is said of it.
};

void PrintTo(const Evil& evil, std::ostream* out) { *out << evil.name; }

/// Answers a request for a CAR so, and any other with what is not the block.
template <class MakeCar>
std::function<void(Target&, const SeenRequest&, Peer&)> with_car(MakeCar make) {
    return [make](Target& target, const SeenRequest& request, Peer& peer) {
        peer.send(head_for(request) + (asks_for_car(request) ? make(target) : "something else"));
    };
}

const std::vector<Evil> evils{
    {"WrongBytes",
     [](Target&, const SeenRequest& request, Peer& peer) {
         peer.send(head_for(request) + std::string(5000, 'x'));
     },
     Fate::dropped,
     ""},
    {"WrongBytesInALaterBlock",
     with_car([](Target& target) {
         std::string car = car_of(target.blocks, target.file.root);
         car[car.size() / 2] ^= 1;
         return car;
     }),
     Fate::dropped,
     "not what the hash names"},
    {"ShortBody",
     [](Target& target, const SeenRequest& request, Peer& peer) {
         const std::string whole = asks_for_car(request) ? car_of(target.blocks, target.file.root)
                                                         : bytes_of_block(target, target.file.root);
         peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(whole.size()) +
                   "\r\n\r\n" + whole.substr(0, 100));
     },
     Fate::kept,
     "failed"},
    {"SlowDrip",
     [](Target& target, const SeenRequest& request, Peer& peer) {
         peer.send(head_for(request));
         const std::string car = car_of(target.blocks, target.file.root);
         for (const char byte : car) {
             if (!peer.send({&byte, 1}) || !peer.wait(20ms)) {
                 return;
             }
         }
     },
     Fate::kept,
     "too slow"},
    {"SilentForEver",
     [](Target&, const SeenRequest&, Peer& peer) { peer.wait(1h); },
     Fate::kept,
     "no answer within"},
    {"EndlessZeros",
     [](Target&, const SeenRequest& request, Peer& peer) {
         peer.send(head_for(request));
         while (peer.send(std::string(100'000, '\0'))) {
         }
     },
     Fate::dropped,
     ""},
    {"EndlessAfterTheRoot",
     [](Target& target, const SeenRequest& request, Peer& peer) {
         peer.send(head_for(request) + header_of(target.file.root) +
                   section(target.file.root, bytes_of_block(target, target.file.root)));
         const std::string junk(100'000, 'j');
         const std::string block = section(cid_of(Codec::raw, bytes_of(junk)), junk);
         while (peer.send(block)) {
         }
     },
     Fate::dropped,
     "which was not asked for"},
    {"EndlessRepetition",
     [](Target& target, const SeenRequest& request, Peer& peer) {
         const std::string root =
             section(target.file.root, bytes_of_block(target, target.file.root));
         peer.send(head_for(request) + header_of(target.file.root));
         while (peer.send(root)) {
         }
     },
     Fate::dropped,
     ""},
    {"EndlessRedirects",
     [](Target&, const SeenRequest& request, Peer& peer) {
         const std::string line = request.line();
         const std::size_t begin = line.find(' ') + 1;
         peer.send(answer_of(
             302, "Location: " + line.substr(begin, line.rfind(' ') - begin) + "\r\n", ""));
     },
     Fate::dropped,
     "redirects"},
    {"RedirectInside",
     [](Target&, const SeenRequest&, Peer& peer) {
         peer.send(answer_of(302, "Location: http://127.0.0.2:1/\r\n", ""));
     },
     Fate::dropped,
     "127.0.0.2"},
    {"RedirectToAnotherScheme",
     [](Target&, const SeenRequest&, Peer& peer) {
         peer.send(answer_of(302, "Location: file:///etc/passwd\r\n", ""));
     },
     Fate::dropped,
     "not http"},
    {"EndlessHeaders",
     [](Target&, const SeenRequest&, Peer& peer) {
         peer.send("HTTP/1.1 200 OK\r\n");
         while (peer.send("X-More: " + std::string(1000, 'x') + "\r\n")) {
         }
     },
     Fate::dropped,
     "headers"},
    {"OversizeBlock",
     [](Target& target, const SeenRequest& request, Peer& peer) {
         const std::string large(limits::block_bytes_max + 1, 'x');
         peer.send(head_for(request) +
                   (asks_for_car(request) ? header_of(target.file.root) +
                                                section(cid_of(Codec::raw, bytes_of(large)), large)
                                          : large));
     },
     Fate::dropped,
     ""},
    {"OversizeCarHeader",
     with_car(
         [](Target&) { return std::string("\xff\xff\xff\xff\x0f") + std::string(100'000, 'x'); }),
     Fate::dropped,
     ""},
    {"UnrelatedBlocks",
     with_car([](Target& target) {
         const std::string other = "right hash, wrong place";
         return header_of(target.file.root) + section(cid_of(Codec::raw, bytes_of(other)), other);
     }),
     Fate::dropped,
     "which was not asked for"},
    {"RightHashWrongCodec",
     with_car([](Target& target) {
         const std::string bytes = bytes_of_block(target, target.file.root);
         return header_of(target.file.root) + section(cid_of(Codec::raw, bytes_of(bytes)), bytes);
     }),
     Fate::dropped,
     "which was not asked for"},
    {"SelfLinkingGarbage",
     with_car([](Target& target) {
         const dag_pb::Node node{.links = {{.cid = target.file.root}}, .data = std::nullopt};
         return header_of(target.file.root) +
                section(target.file.root, text_of(dag_pb::encode(node)));
     }),
     Fate::dropped,
     "not what the hash names"},
    {"EmptyCar",
     with_car([](Target& target) { return header_of(target.file.root); }),
     Fate::dropped, // For what it then gives as a block.
     ""},
    {"MissingBlocks",
     [](Target& target, const SeenRequest& request, Peer& peer) {
         if (!asks_for_car(request)) {
             peer.send(answer_of(404, "", ""));
             return;
         }
         MemoryBlocks some = target.blocks;
         some.blocks.erase(target.file.leaves[7]);
         peer.send(car_head() + car_of(some, target.file.root));
     },
     Fate::kept,
     "its CAR does not have the block"},
    {"Html",
     [](Target&, const SeenRequest&, Peer& peer) {
         peer.send(answer_of(200, "Content-Type: text/html; charset=utf-8\r\n", "<html>Hello"));
     },
     Fate::kept,
     "text/html"},
    {"Status404",
     [](Target&, const SeenRequest&, Peer& peer) { peer.send(answer_of(404, "", "")); },
     Fate::kept,
     "404"},
    {"Status429",
     [](Target&, const SeenRequest&, Peer& peer) {
         peer.send(answer_of(429, "Retry-After: 99999999999\r\n", ""));
     },
     Fate::kept,
     "429"},
    {"Status500",
     [](Target&, const SeenRequest&, Peer& peer) { peer.send(answer_of(500, "", "")); },
     Fate::kept,
     "500"},
    {"NoHttp",
     [](Target&, const SeenRequest&, Peer& peer) { peer.send("SSH-2.0-OpenSSH_9.2\r\n"); },
     Fate::kept,
     ""},
    {"Nothing", [](Target&, const SeenRequest&, Peer&) {}, Fate::kept, ""},
};

class EvilGateway : public ::testing::TestWithParam<Evil> {
protected:
    std::unique_ptr<GatewayDouble> evil() {
        return std::make_unique<GatewayDouble>(
            target_.blocks, [target = target_](const SeenRequest& request, Peer& peer) {
                Target own = target; // Requests may come at once.
                GetParam().answer(own, request, peer);
                return true;
            });
    }

    GatewayOptions options(std::vector<std::string> urls) {
        return {.urls = std::move(urls),
                .times = {.connect_max = 2s,
                          .head_max = 500ms,
                          .rate_floor = {.bytes = 1024, .time = 500ms}},
                .next_after = 60s, // So that the evil one has its say.
                .on_dropped = [this](const std::string& url, const std::string& why) {
                    const std::lock_guard lock(mutex_);
                    dropped_.push_back(url + ": " + why);
                }};
    }

    /// Reads the file.
    Result<std::string> read(BlockSource& source) {
        source.plan({.root = target_.file.root});
        unixfs::FileReader file = TRY(unixfs::FileReader::open(source, target_.file.root));
        std::string content;
        while (content.size() < file.size()) {
            content += text_of(TRY(file.lend_at(content.size())).view());
        }
        return content;
    }

    Target target_;
    std::mutex mutex_;
    std::vector<std::string> dropped_;
};

TEST_P(EvilGateway, AloneIsNamedAndCostsLittle) {
    const std::unique_ptr<GatewayDouble> evil = this->evil();
    const auto began = std::chrono::steady_clock::now();
    {
        MemoryStore local;
        GatewaySource gateways(local, options({evil->url()}));
        CachingStore store(local, gateways);
        const Result<std::string> content = read(store);
        ASSERT_FALSE(content.ok());
        EXPECT_EQ(content.error().code, Errc::cid_unavailable) << content.error().message;
        EXPECT_THAT(content.error().message, HasSubstr(evil->url() + ": "));
        EXPECT_THAT(content.error().message, HasSubstr(GetParam().says));
        EXPECT_LE(local.stat()->bytes, target_.file.content.size() + 100'000)
            << "nothing is kept that was not asked for";
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
    EXPECT_EQ(dropped_.size(), GetParam().fate == Fate::dropped ? 1U : 0U);
}

TEST_P(EvilGateway, DoesNotKeepAGoodOneFromServing) {
    const std::unique_ptr<GatewayDouble> evil = this->evil();
    const GatewayDouble good(target_.blocks);
    const auto began = std::chrono::steady_clock::now();
    {
        MemoryStore local;
        GatewaySource gateways(local, options({evil->url(), good.url()}));
        CachingStore store(local, gateways);
        const Result<std::string> content = read(store);
        ASSERT_TRUE(content.ok()) << content.error().message;
        EXPECT_TRUE(*content == target_.file.content);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, 10s);
    for (const std::string& dropped : dropped_) {
        EXPECT_TRUE(dropped.starts_with(evil->url())) << dropped;
    }
}

INSTANTIATE_TEST_SUITE_P(All, EvilGateway, ::testing::ValuesIn(evils), [](const auto& evil) {
    return evil.param.name;
});

/// A CAR in memory.
class Pieces final : public car::ByteStream {
public:
    explicit Pieces(std::string bytes) : bytes_(std::move(bytes)) {}

    Result<std::size_t> read(std::span<std::uint8_t> into) override {
        const std::size_t count = std::min(into.size(), bytes_.size() - at_);
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), count, into.begin());
        at_ += count;
        return count;
    }

private:
    std::string bytes_;
    std::size_t at_ = 0;
};

bool nothing_is_here(const Cid&) { return false; }

/// Takes blocks until the end or an error.
Result<std::size_t> count_blocks(car::DagStream& stream) {
    for (std::size_t count = 0;; ++count) {
        if (!TRY(stream.next())) {
            return count;
        }
    }
}

// A chain as deep as a CAR can name at little cost: depth alone is no reason to refuse a stream,
// and it costs nothing here, since only the links that wait are held.
TEST(DagStream, TakesADeepChainWithOneLinkWaiting) {
    MemoryBlocks blocks;
    Cid root = blocks.add(Codec::raw, bytes_of("end"));
    constexpr std::size_t depth = 5000;
    for (std::size_t level = 0; level < depth; ++level) {
        const dag_pb::Node node{.links = {{.cid = root}}, .data = std::nullopt};
        root = blocks.add(Codec::dag_pb, dag_pb::encode(node));
    }
    car::DagStream stream(std::make_unique<Pieces>(car_of(blocks, root)), root, nothing_is_here);
    EXPECT_EQ(*count_blocks(stream), depth + 1);
}

// The reader of such a chain as a file gives up at its own limit, long before the end.
TEST(DagStream, ADeepFileEndsAtTheReadersLimit) {
    MemoryBlocks blocks;
    Cid root = blocks.add(Codec::raw, bytes_of("x"));
    for (std::size_t level = 0; level < 1000; ++level) {
        const unixfs::Data data{.type = unixfs::DataType::file, .file_size = 1, .block_sizes = {1}};
        const Bytes message = unixfs::encode_data(data);
        root = blocks.add(Codec::dag_pb,
                          dag_pb::encode({.links = {{.cid = root}}, .data = ByteView{message}}));
    }
    const GatewayDouble gateway(blocks);
    MemoryStore local;
    GatewaySource source(local, {.urls = {gateway.url()}});
    CachingStore store(local, source);
    store.plan({.root = root});
    unixfs::FileReader file = std::move(unixfs::FileReader::open(store, root)).take();
    EXPECT_EQ(file.lend_at(0).error().code, Errc::too_large);
    EXPECT_LE(local.stat()->blocks, unixfs::limits::file_depth_max + 1);
}

TEST(DagStream, StopsOneLinkPastTheLimit) {
    // Nodes of as many links as one block holds, until more wait than may.
    constexpr std::size_t links_of_one = 40'000;
    const auto wide = [](std::size_t number, std::size_t links) {
        dag_pb::Node node;
        for (std::size_t link = 0; link < links; ++link) {
            std::array<std::uint8_t, 32> digest{};
            std::memcpy(digest.data(), &number, sizeof number);
            std::memcpy(digest.data() + 8, &link, sizeof link);
            node.links.push_back({.cid = Cid::v1(Codec::raw, HashCode::sha2_256, digest)});
        }
        return dag_pb::encode(node);
    };
    // The links that wait once the root and its wide nodes have come: all of the wide ones'.
    const auto blocks_before_the_limit = [&](std::size_t more) {
        constexpr std::size_t nodes = car::limits::awaited_blocks_max / links_of_one + 1;
        dag_pb::Node root;
        std::vector<Bytes> wides;
        std::size_t left = car::limits::awaited_blocks_max + more;
        for (std::size_t number = 0; number < nodes; ++number) {
            wides.push_back(wide(number, std::min(left, links_of_one)));
            left -= std::min(left, links_of_one);
            root.links.push_back({.cid = cid_of(Codec::dag_pb, wides.back())});
        }
        const Bytes top = dag_pb::encode(root);
        const Cid cid = cid_of(Codec::dag_pb, top);
        std::string car = header_of(cid) + section(cid, text_of(top));
        for (const Bytes& node : wides) {
            car += section(cid_of(Codec::dag_pb, node), text_of(node));
        }
        car::DagStream stream(std::make_unique<Pieces>(std::move(car)), cid, nothing_is_here);
        return count_blocks(stream);
    };
    EXPECT_TRUE(blocks_before_the_limit(0).ok());
    EXPECT_EQ(blocks_before_the_limit(1).error().code, Errc::unsupported);
}

TEST(DagStream, PassesOverWhatIsHereAlready) {
    Target target;
    std::string car = header_of(target.file.root);
    const std::string root = section(target.file.root, bytes_of_block(target, target.file.root));
    car += root + root + root;
    car::DagStream stream(
        std::make_unique<Pieces>(car), target.file.root, [](const Cid&) { return true; });
    EXPECT_EQ(*count_blocks(stream), 1U);
}

TEST(DagStream, ReportsAnEndInTheMiddleAsACut) {
    Target target;
    const std::string car = car_of(target.blocks, target.file.root);
    for (const std::size_t bytes :
         {std::size_t{0}, std::size_t{1}, car.size() / 2, car.size() - 1}) {
        car::DagStream stream(
            std::make_unique<Pieces>(car.substr(0, bytes)), target.file.root, nothing_is_here);
        EXPECT_EQ(count_blocks(stream).error().code, Errc::unavailable) << bytes;
    }
}

} // namespace
} // namespace ic
