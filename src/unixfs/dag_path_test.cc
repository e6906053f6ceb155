#include "ipld/dag_cbor.h"
#include "ipld/dag_json.h"
#include "ipld/dag_pb.h"
#include "ipld/testing/memory_blocks.h"
#include "unixfs/dag_path.h"
#include "unixfs/directory_builder.h"

#include <gtest/gtest.h>

#include <string>

namespace ic::unixfs {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

class DagPaths : public ::testing::Test {
protected:
    Cid cbor(const Node& node) { return blocks_.add(Codec::dag_cbor, dag_cbor::encode(node)); }

    std::string resolved(const std::string& path) {
        const Result<DagPath> parsed = DagPath::parse(path);
        if (!parsed) {
            return parsed.error().message;
        }
        const Result<DagPlace> place = resolve_dag(blocks_, *parsed);
        return place ? place->to_string() : place.error().message;
    }

    std::string value(const std::string& path) {
        const Result<DagPlace> place = resolve_dag(blocks_, *DagPath::parse(path));
        if (!place) {
            return place.error().message;
        }
        const Result<Node> node = load_dag(blocks_, *place);
        return node ? std::string(text_of(*dag_json::encode(*node))) : node.error().message;
    }

    MemoryBlocks blocks_;
    const Cid leaf_ = blocks_.add(Codec::raw, bytes_of("leaf"));
    const Cid inner_ = cbor(Map{{"list", List{1UL, Map{{"deep", "x"}}}}, {"leaf", leaf_}});
    const Cid root_ = cbor(Map{{"inner", inner_}, {"0", List{inner_}}, {"value", true}});
};

TEST_F(DagPaths, FollowKeysIndicesAndLinks) {
    const std::string root = root_.to_string();
    EXPECT_EQ(resolved(root), root);
    EXPECT_EQ(resolved(root + "/value"), root + "/value");
    EXPECT_EQ(resolved(root + "/inner"), inner_.to_string());
    EXPECT_EQ(resolved("/ipfs/" + root + "/0/0/list/1/deep"), inner_.to_string() + "/list/1/deep");
    EXPECT_EQ(resolved("/ipld/" + root + "/inner/leaf"), leaf_.to_string());
    EXPECT_EQ(value(root + "/inner/list/1"), R"({"deep":"x"})");
    EXPECT_EQ(value(root + "/value"), "true");
    EXPECT_EQ(value(root + "/inner/leaf"), R"({"/":{"bytes":"bGVhZg"}})");
}

TEST_F(DagPaths, NameWhatLeadsNowhere) {
    const std::string root = root_.to_string();
    const std::string under = "' under " + inner_.to_string();
    EXPECT_EQ(resolved(root + "/none"), "no link named 'none' under " + root);
    for (const char* name : {"none", "list/2", "list/x", "list/-1", "list/01x", "list/1/deep/er"}) {
        const std::string last = std::string(name).substr(std::string(name).rfind('/') + 1);
        EXPECT_EQ(resolved(root + "/inner/" + name), "no link named '" + last + under);
    }
    EXPECT_EQ(resolved(root + "/inner/leaf/x"), "no link named 'x' under " + leaf_.to_string());
}

TEST_F(DagPaths, GoByEntriesThroughDirectoriesAndByFieldsThroughNodes) {
    DirectoryBuilder builder(unixfs_v1_2025, blocks_);
    ASSERT_TRUE(builder.add("name", {.cid = leaf_, .tsize = 4}).ok());
    ASSERT_TRUE(builder.add("Links", {.cid = inner_, .tsize = 4}).ok());
    const std::string directory = builder.finish()->cid.to_string();
    EXPECT_EQ(resolved(directory + "/name"), leaf_.to_string());
    EXPECT_EQ(resolved(directory + "/Links/list/0"), inner_.to_string() + "/list/0");
    EXPECT_EQ(resolved("/ipld/" + directory + "/Links/1/Hash"), leaf_.to_string());
    EXPECT_EQ(value("/ipld/" + directory + "/Links/1/Name"), "\"name\"");
    EXPECT_EQ(value("/ipld/" + directory + "/Links/1/Tsize"), "4");
}

TEST_F(DagPaths, GoByLinksThroughDagPbThatIsNoUnixFs) {
    const Cid node = blocks_.add(
        Codec::dag_pb, dag_pb::encode({.links = {{.cid = leaf_, .name = "a"}}, .data = {}}));
    EXPECT_EQ(resolved(node.to_string() + "/a"), leaf_.to_string());
    EXPECT_EQ(resolved(node.to_string() + "/b"), "no link named 'b' under " + node.to_string());
}

} // namespace
} // namespace ic::unixfs
