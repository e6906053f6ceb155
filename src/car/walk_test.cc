#include "car/walk.h"
#include "ipld/dag_cbor.h"
#include "ipld/dag_pb.h"
#include "ipld/testing/memory_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace ic::car {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

/// What the walk gives, or the error at its end.
struct Walked {
    std::vector<Cid> cids;
    Result<void> result;
    std::uint64_t missing = 0;
};

Walked walk(BlockSource& source, const Cid& root, WalkOptions options = {}) {
    Walk walk(source, root, options);
    Walked walked;
    const auto run = [&]() -> Result<void> {
        while (const std::optional<Block> block = TRY(walk.next())) {
            walked.cids.push_back(block->cid);
        }
        return {};
    };
    walked.result = run();
    walked.missing = walk.missing_blocks();
    return walked;
}

class CarWalk : public ::testing::Test {
protected:
    Cid raw(std::string_view text) { return blocks_.add(Codec::raw, bytes_of(text)); }

    Cid cbor(const Node& node) { return blocks_.add(Codec::dag_cbor, dag_cbor::encode(node)); }

    Cid pb(std::initializer_list<Cid> links) {
        dag_pb::Node node;
        for (const Cid& link : links) {
            node.links.push_back({.cid = link});
        }
        return blocks_.add(Codec::dag_pb, dag_pb::encode(node));
    }

    MemoryBlocks blocks_;
};

TEST_F(CarWalk, GoesDepthFirstInTheOrderOfLinksAndGivesEachBlockOnce) {
    const Cid a = raw("a"), b = raw("b"), c = raw("c");
    const Cid left = pb({b, a, b});
    const Cid right = cbor(Map{{"x", List{a, c}}, {"y", left}});
    const Cid root = pb({left, right, c, left});
    const Walked walked = walk(blocks_, root);
    ASSERT_TRUE(walked.result.ok());
    EXPECT_EQ(walked.cids, (std::vector<Cid>{root, left, b, a, right, c}));
}

// So does Kubo: its walk remembers links, not blocks.
TEST_F(CarWalk, GivesABlockAgainUnderAnotherCid) {
    const Cid v0 = Cid::v0(cid_of(Codec::dag_pb, {}).digest());
    const Cid v1 = blocks_.add(Codec::dag_pb, {});
    ASSERT_TRUE(blocks_.put(v0, {}).ok());
    const Cid root = pb({v0, v1, v0});
    EXPECT_EQ(walk(blocks_, root).cids, (std::vector<Cid>{root, v0, v1}));
}

TEST_F(CarWalk, GivesIdentityBlocksOrLeavesThemOutWithWhatIsBelow) {
    const Cid leaf = raw("leaf");
    const Bytes inner = dag_cbor::encode(List{leaf});
    const Cid identity = Cid::v1(Codec::dag_cbor, HashCode::identity, inner);
    const Cid root = cbor(List{identity});
    EXPECT_EQ(walk(blocks_, root).cids, (std::vector<Cid>{root, identity, leaf}));
    EXPECT_EQ(walk(blocks_, root, {.identity = IdentityBlocks::left_out}).cids,
              (std::vector<Cid>{root, leaf}));
}

TEST_F(CarWalk, EndsAtABlockThatIsMissingOrGoesOnWithoutIt) {
    const Cid missing = cid_of(Codec::dag_pb, bytes_of("missing"));
    const Cid leaf = raw("leaf");
    const Cid root = pb({missing, leaf});
    const Walked failed = walk(blocks_, root);
    ASSERT_FALSE(failed.result.ok());
    EXPECT_EQ(failed.result.error().code, Errc::not_found);
    EXPECT_EQ(failed.cids, std::vector<Cid>{root});
    const Walked went_on = walk(blocks_, root, {.missing = MissingBlocks::leave_out});
    ASSERT_TRUE(went_on.result.ok());
    EXPECT_EQ(went_on.cids, (std::vector<Cid>{root, leaf}));
    EXPECT_EQ(went_on.missing, 1U);
}

TEST_F(CarWalk, NamesABlockWhoseLinksCannotBeRead) {
    const Cid bad = blocks_.add(Codec::dag_cbor, bytes_of("\xff"));
    const Walked walked = walk(blocks_, pb({bad}));
    EXPECT_EQ(walked.cids.size(), 2U) << "it was given: its bytes are what its CID says";
    ASSERT_FALSE(walked.result.ok());
    EXPECT_NE(walked.result.error().message.find(bad.to_string()), std::string::npos);
    const Cid unknown = blocks_.add(Codec{0x78}, bytes_of("git"));
    EXPECT_EQ(walk(blocks_, unknown).result.error().code, Errc::unsupported);
}

/// Keeps what it is told of the future.
class Foreseeing final : public BlockSource {
public:
    explicit Foreseeing(BlockSource& inner) : inner_(inner) {}

    Result<LentBytes> get(const Cid& cid) override { return inner_.get(cid); }

    std::size_t foresight_blocks() const override { return 2; }

    void expect(const Cid&, std::span<const UpcomingBlock> soon) override {
        expected.clear();
        std::ranges::transform(soon, std::back_inserter(expected), &UpcomingBlock::cid);
    }

    std::vector<Cid> expected;

private:
    BlockSource& inner_;
};

TEST_F(CarWalk, TellsTheSourceWhatComesNext) {
    const Cid a = raw("a"), b = raw("b"), c = raw("c");
    const Cid inner = pb({a, b});
    const Cid root = pb({inner, c, c});
    Foreseeing source(blocks_);
    Walk walk(source, root);
    ASSERT_TRUE(walk.next().ok());
    EXPECT_EQ(source.expected, (std::vector<Cid>{inner, c}));
    ASSERT_TRUE(walk.next().ok());
    EXPECT_EQ(source.expected, (std::vector<Cid>{a, b}));
    ASSERT_TRUE(walk.next().ok());
    EXPECT_EQ(source.expected, (std::vector<Cid>{b, c}));
}

TEST_F(CarWalk, IsAsDeepAsTheDagWithoutRecursion) {
    constexpr std::size_t depth = 100'000;
    Cid cid = raw("leaf");
    for (std::size_t level = 0; level < depth; ++level) {
        cid = cbor(List{cid});
    }
    const Walked walked = walk(blocks_, cid);
    ASSERT_TRUE(walked.result.ok());
    EXPECT_EQ(walked.cids.size(), depth + 1);
}

TEST_F(CarWalk, TakesABlockOfAHundredThousandLinks) {
    constexpr std::size_t width = 100'000;
    List links;
    std::vector<Cid> expected;
    for (std::size_t index = 0; index < width; ++index) {
        const std::string text = std::to_string(index);
        const Cid cid = Cid::v1(Codec::raw, HashCode::identity, bytes_of(text));
        links.emplace_back(cid);
        expected.push_back(cid);
    }
    const Cid root = cbor(links);
    expected.insert(expected.begin(), root);
    const Walked walked = walk(blocks_, root);
    ASSERT_TRUE(walked.result.ok()) << walked.result.error().message;
    EXPECT_EQ(walked.cids, expected);
}

/// A chain of blocks each of which also links to many others: the links that wait would be
/// `depth * width`.
TEST_F(CarWalk, ReadsABlockAgainRatherThanKeepAllItsLinks) {
    constexpr std::size_t width = 30'000;
    constexpr std::size_t depth = 12;
    static_assert(width * depth > limits::waiting_links_max);
    std::vector<Cid> order;
    Cid cid = raw("bottom");
    for (std::size_t level = 0; level < depth; ++level) {
        List links{cid};
        for (std::size_t index = 0; index < width; ++index) {
            const std::string text = std::to_string(level) + "/" + std::to_string(index);
            links.emplace_back(Cid::v1(Codec::raw, HashCode::identity, bytes_of(text)));
        }
        cid = cbor(links);
    }
    const Walked walked = walk(blocks_, cid);
    ASSERT_TRUE(walked.result.ok()) << walked.result.error().message;
    EXPECT_EQ(walked.cids.size(), depth * (width + 1) + 1);
    EXPECT_EQ(text_of(walked.cids[depth + 1].digest()), "0/0")
        << "the deepest block's own come first";
    EXPECT_EQ(text_of(walked.cids.back().digest()), std::to_string(depth - 1) + "/29999");
    EXPECT_GT(blocks_.gets, depth + 1) << "some were read again";
    EXPECT_LE(blocks_.gets, 2 * depth + 1) << "once each";
}

} // namespace
} // namespace ic::car
