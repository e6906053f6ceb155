/// Nodes of other versions, as the simulator has them speak.

#include "ipld/dag_cbor.h"
#include "job/testing/samples.h"
#include "job/testing/vectors.h"
#include "sim/dialect.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace ic::sim {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

const Dialect all_dialects[] = {Dialect::first, Dialect::current, Dialect::next};

std::vector<std::string> sorted(std::vector<std::string> names) {
    std::ranges::sort(names);
    return names;
}

/// The names of a message's fields.
std::vector<std::string> fields_of(ByteView bytes) {
    const Node node = dag_cbor::decode(bytes).take();
    std::vector<std::string> names;
    for (const auto& [name, value] : *(*node.as<List>())[2].as<Map>()) {
        names.push_back(name);
    }
    return sorted(names);
}

Bytes golden(std::string_view kind) {
    return job::testing::read_vector("messages/1/" + std::string(kind));
}

// The bytes that the first release wrote are kept for ever, every field in them.
TEST(Dialect, FirstHasTheFieldsOfTheGoldenBytes) {
    for (const FirstKind& kind : first_kinds()) {
        const Bytes bytes = golden(kind.name);
        ASSERT_FALSE(bytes.empty()) << kind.name;
        EXPECT_EQ(fields_of(ByteView{bytes}),
                  sorted(std::vector<std::string>(kind.fields.begin(), kind.fields.end())))
            << kind.name;
    }
}

TEST(Dialect, FirstWritesTheGoldenBytes) {
    Random random(1);
    for (const FirstKind& kind : first_kinds()) {
        const Bytes bytes = golden(kind.name);
        const Result<job::Message> read = heard(ByteView{bytes}, Dialect::current);
        ASSERT_TRUE(read) << kind.name;
        EXPECT_EQ(name(*read), kind.name);
        EXPECT_EQ(spoken(*read, Dialect::first, random), bytes) << kind.name;
    }
}

TEST(Dialect, NobodyMissesWhatOnlyTheNextVersionWrites) {
    Random random(2);
    for (const job::Message& message : job::testing::sample_messages()) {
        const bool is_first =
            std::ranges::count(first_kinds(), name(message), &FirstKind::name) > 0;
        const bool has_reason = std::holds_alternative<job::Decline>(message) ||
                                std::holds_alternative<job::HandBack>(message);
        for (int times = 0; times < 20; ++times) {
            const Bytes bytes = spoken(message, Dialect::next, random);
            EXPECT_GT(fields_of(ByteView{bytes}).size(),
                      fields_of(ByteView{encode(message)}).size());
            for (const Dialect dialect : all_dialects) {
                const Result<job::Message> read = heard(ByteView{bytes}, dialect);
                if (dialect == Dialect::first && !is_first) {
                    ASSERT_FALSE(read) << name(message);
                    EXPECT_EQ(read.error().code, Errc::unsupported) << name(message);
                } else if (!read) { // A reason that this reader cannot know.
                    EXPECT_EQ(read.error().code, Errc::unsupported) << name(message);
                    EXPECT_TRUE(has_reason && dialect != Dialect::next) << name(message);
                } else if (!has_reason) {
                    EXPECT_EQ(read->index(), message.index());
                }
            }
        }
    }
}

TEST(Dialect, NobodyKnowsAKindThatIsToCome) {
    Random random(3);
    for (const Dialect dialect : all_dialects) {
        const Bytes bytes = unheard_of(random);
        EXPECT_EQ(heard(ByteView{bytes}, dialect).error().code, Errc::unsupported);
    }
}

} // namespace
} // namespace ic::sim
