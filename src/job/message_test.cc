#include "ipld/dag_cbor.h"
#include "job/message.h"
#include "job/spec.h"
#include "job/testing/samples.h"
#include "job/testing/vectors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace ic::job {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

/// The message's bytes with its fields changed.
template <class Change>
Bytes changed(const Message& message, Change change) {
    const Node node = dag_cbor::decode(encode(message)).take();
    List list = *node.as<List>();
    Map fields = *list[2].as<Map>();
    change(fields);
    list[2] = Node{fields};
    return dag_cbor::encode(Node{list});
}

void set(Map& fields, const std::string& key, Node value) {
    std::erase_if(fields, [&key](const auto& entry) { return entry.first == key; });
    fields.emplace_back(key, std::move(value));
}

/// With their first fields, and with those that came later.
std::vector<Message> all_samples() {
    std::vector<Message> all = testing::sample_messages();
    for (testing::NamedMessage& later : testing::sample_messages_with_later_fields()) {
        all.push_back(std::move(later.message));
    }
    return all;
}

TEST(Message, DecodeGivesBackEveryKind) {
    for (const Message& message : all_samples()) {
        const Result<Message> decoded = decode(encode(message));
        ASSERT_TRUE(decoded) << name(message) << ": " << decoded.error().message;
        EXPECT_EQ(*decoded, message) << name(message);
    }
}

TEST(Message, DecodeGivesBackEveryKindWithoutItsOptionalFields) {
    const Cid job = testing::sample_cid(1);
    Announce announce;
    announce.job = job;
    Bid standing;
    Progress progress{.job = job, .stage = 1, .attempt = 0, .worker = std::nullopt, .detail = ""};
    Outcome outcome;
    for (const Message& message : {Message{announce},
                                   Message{standing},
                                   Message{progress},
                                   Message{outcome},
                                   Message{Renew{}},
                                   Message{RenewAnswer{}}}) {
        const Result<Message> decoded = decode(encode(message));
        ASSERT_TRUE(decoded) << name(message) << ": " << decoded.error().message;
        EXPECT_EQ(*decoded, message) << name(message);
    }
}

TEST(Message, SamplesHoldEveryKindOnce) {
    std::set<std::string_view> names;
    for (const Message& message : testing::sample_messages()) {
        names.insert(name(message));
    }
    EXPECT_EQ(names.size(), std::variant_size_v<Message>);
}

// These files are kept for ever: a later program must read what this one wrote.
TEST(Message, EncodesToTheGoldenBytesOfVersion1) {
    for (const Message& message : testing::sample_messages()) {
        EXPECT_TRUE(testing::matches_vector("messages/1/" + std::string(name(message)),
                                            encode(message),
                                            "src/job/testing/samples.cc through job::encode, "
                                            "version 1 of docs/formats/messages.md"))
            << name(message);
    }
}

// What a kind got later is left out where there is none of it, so the bytes above stay what they
// are.
TEST(Message, EncodesLaterFieldsToGoldenBytesOfTheirOwn) {
    for (const testing::NamedMessage& sample : testing::sample_messages_with_later_fields()) {
        EXPECT_TRUE(testing::matches_vector("messages/1/" + sample.name,
                                            encode(sample.message),
                                            "src/job/testing/samples.cc through job::encode, "
                                            "version 1 of docs/formats/messages.md"))
            << sample.name;
    }
}

TEST(Message, PageListsEveryKindWithItsFields) {
    const std::string page = testing::read_text("docs/formats/messages.md");
    std::map<std::size_t, std::set<std::string>> names; // Of the fields, and "" for the kind's.
    std::map<std::size_t, std::string> lines;
    for (const Message& message : all_samples()) {
        const std::string start = "| " + std::to_string(message.index() + 1) + " | `" +
                                  std::string(name(message)) + "` | ";
        const std::size_t row = page.find(start);
        ASSERT_NE(row, std::string::npos) << start;
        const std::string line = page.substr(row, page.find('\n', row) - row);
        const Node node = dag_cbor::decode(encode(message)).take();
        const Map& fields = *(*node.as<List>())[2].as<Map>();
        for (const auto& field : fields) {
            EXPECT_NE(line.find("`" + field.first + "` "), std::string::npos)
                << line << " lacks " << field.first;
        }
        names[message.index()].insert("");
        for (const auto& field : fields) {
            names[message.index()].insert(field.first);
        }
        lines[message.index()] = line;
    }
    for (const auto& [kind, line] : lines) {
        // The name and each field stand between two marks.
        EXPECT_EQ(std::ranges::count(line, '`'),
                  static_cast<std::ptrdiff_t>(2 * names[kind].size()))
            << line;
    }
}

TEST(Message, DecodeRefusesEveryProperPrefix) {
    for (const Message& message : all_samples()) {
        const Bytes bytes = encode(message);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            EXPECT_FALSE(decode(ByteView{bytes}.first(size))) << name(message) << " " << size;
        }
    }
}

TEST(Message, DecodeRefusesAMissingOrWrongFieldAndNamesIt) {
    for (const Message& message : all_samples()) {
        const Node node = dag_cbor::decode(encode(message)).take();
        const Map& all = *(*node.as<List>())[2].as<Map>();
        for (const auto& entry : all) {
            const Result<Message> wrong = decode(
                changed(message, [&entry](Map& fields) { set(fields, entry.first, Node{-1.5}); }));
            ASSERT_FALSE(wrong) << name(message) << " " << entry.first;
            EXPECT_EQ(wrong.error().code, Errc::malformed);
            EXPECT_NE(wrong.error().message.find(entry.first), std::string::npos)
                << wrong.error().message;
        }
    }
    const Result<Message> missing = decode(changed(Accepted{}, [](Map& fields) {
        std::erase_if(fields, [](const auto& entry) { return entry.first == "known"; });
    }));
    EXPECT_EQ(missing.error().message, "accepted: known is missing");
}

TEST(Message, DecodeIgnoresFieldsItDoesNotKnow) {
    for (const Message& message : all_samples()) {
        const Result<Message> decoded =
            decode(changed(message, [](Map& fields) { set(fields, "later", Node{true}); }));
        ASSERT_TRUE(decoded) << decoded.error().message;
        EXPECT_EQ(*decoded, message);
    }
}

TEST(Message, DecodeSaysUnsupportedToAnotherMajorOrKind) {
    const std::uint64_t after_last = std::variant_size_v<Message> + 1;
    for (const List& list : {List{std::uint64_t{2}, std::uint64_t{1}, Map{}},
                             List{std::uint64_t{2}},
                             List{std::uint64_t{0}, std::uint64_t{1}, Map{}},
                             List{std::uint64_t{1}, std::uint64_t{0}, Map{}},
                             List{std::uint64_t{1}, after_last, Map{}}}) {
        EXPECT_EQ(decode(dag_cbor::encode(Node{list})).error().code, Errc::unsupported);
    }
    EXPECT_EQ(decode(dag_cbor::encode(Node{List{std::uint64_t{1}, std::uint64_t{1}}})).error().code,
              Errc::malformed);
}

TEST(Message, DecodeSaysUnsupportedToNumbersBeyondItsRegistries) {
    const auto with = [](const Message& message, const std::string& key, std::uint64_t number) {
        return decode(changed(message, [&](Map& fields) { set(fields, key, Node{number}); }))
            .error()
            .code;
    };
    EXPECT_EQ(with(Rejected{}, "reason", 0), Errc::unsupported);
    EXPECT_EQ(with(Rejected{}, "reason", 49), Errc::unsupported);
    EXPECT_EQ(with(ReceiptAnswer{}, "fate", 5), Errc::unsupported);
    EXPECT_EQ(with(Output{}, "stream", 4), Errc::unsupported);
    EXPECT_EQ(with(StageReport{.worker = {}, .lease = {}, .stage = 1}, "stage", 9),
              Errc::unsupported);
}

TEST(Message, DecodeRefusesOnePastEachLimit) {
    const auto code = [](const Message& message, const std::string& key, Node value) {
        const Result<Message> decoded =
            decode(changed(message, [&](Map& fields) { set(fields, key, value); }));
        return decoded ? std::optional<Errc>{} : decoded.error().code;
    };
    EXPECT_EQ(code(Submit{}, "doc", Bytes(limits::invocation_bytes_max)), std::nullopt);
    EXPECT_EQ(code(Submit{}, "doc", Bytes(limits::invocation_bytes_max + 1)), Errc::too_large);
    EXPECT_EQ(code(ReceiptMessage{}, "doc", Bytes(limits::receipt_bytes_max)), std::nullopt);
    EXPECT_EQ(code(ReceiptMessage{}, "doc", Bytes(limits::receipt_bytes_max + 1)), Errc::too_large);
    EXPECT_EQ(code(Output{}, "data", Bytes(limits::output_piece_bytes_max)), std::nullopt);
    EXPECT_EQ(code(Output{}, "data", Bytes(limits::output_piece_bytes_max + 1)), Errc::too_large);
    EXPECT_EQ(code(Rejected{}, "text", std::string(limits::text_bytes_max, 'a')), std::nullopt);
    EXPECT_EQ(code(Rejected{}, "text", std::string(limits::text_bytes_max + 1, 'a')),
              Errc::too_large);
    EXPECT_EQ(code(Grant{}, "ms", limits::duration_ms_max), std::nullopt);
    EXPECT_EQ(code(Grant{}, "ms", limits::duration_ms_max + 1), Errc::malformed);
    EXPECT_EQ(code(Advert{}, "slots", std::uint64_t{UINT32_MAX} + 1), Errc::malformed);

    const Node lease = List{Cid{}, std::uint64_t{1}, std::uint64_t{1}};
    EXPECT_EQ(code(Renew{}, "leases", List(limits::leases_per_message_max, lease)), std::nullopt);
    EXPECT_EQ(code(Renew{}, "leases", List(limits::leases_per_message_max + 1, lease)),
              Errc::too_large);
    RenewAnswer full;
    full.lost.resize(1);
    EXPECT_EQ(code(full, "renewed", List(limits::leases_per_message_max - 1, lease)), std::nullopt);
    EXPECT_EQ(code(full, "renewed", List(limits::leases_per_message_max, lease)), Errc::too_large);

    EXPECT_EQ(decode(Bytes(limits::message_bytes_max + 1)).error().code, Errc::too_large);
}

TEST(Message, DecodeRefusesLabelsAndConstraintsOnePastEachLimit) {
    const auto code = [](const Message& message, const std::string& key, Node value) {
        const Result<Message> decoded =
            decode(changed(message, [&](Map& fields) { set(fields, key, value); }));
        return decoded ? std::optional<Errc>{} : decoded.error().code;
    };
    Map labels;
    List constraints;
    for (std::size_t count = 0; count < limits::worker_labels_max; ++count) {
        labels.emplace_back("k" + std::to_string(count), "v");
        constraints.emplace_back("k" + std::to_string(count));
    }
    EXPECT_EQ(code(Advert{}, "labels", labels), std::nullopt);
    EXPECT_EQ(code(Announce{}, "requires", constraints), std::nullopt);
    labels.emplace_back("one-more", "v");
    constraints.emplace_back("one-more");
    EXPECT_EQ(code(Advert{}, "labels", labels), Errc::too_large);
    EXPECT_EQ(code(Announce{}, "requires", constraints), Errc::too_large);
    EXPECT_EQ(code(Advert{}, "labels", Map{{"a b", "v"}}), Errc::malformed);
    EXPECT_EQ(code(Advert{}, "labels", Map{{"a", Node{true}}}), Errc::malformed);
    EXPECT_EQ(code(Announce{}, "requires", List{"a == b"}), Errc::malformed) << "a second form";
    EXPECT_EQ(code(Announce{}, "requires", List{Node{true}}), Errc::malformed);
}

TEST(Message, LargestRenewalFitsOneMessage) {
    Renew renew;
    renew.leases.assign(limits::leases_per_message_max,
                        {testing::sample_cid(1), {UINT64_MAX, UINT64_MAX}});
    EXPECT_LE(encode(renew).size(), limits::message_bytes_max);
}

TEST(Message, EncodeMakesWordsForPeopleFit) {
    Rejected rejected;
    rejected.message = "bad \xff" + std::string(limits::text_bytes_max, 'a') + "\xc3\xa4";
    const Message decoded = decode(encode(rejected)).take();
    const std::string& text = std::get<Rejected>(decoded).message;
    EXPECT_EQ(text.size(), limits::text_bytes_max);
    EXPECT_TRUE(text.starts_with("bad ?aaa"));
}

TEST(Stage, EveryStageHasAName) {
    EXPECT_EQ(name(Stage::accepted), "accepted");
    EXPECT_EQ(name(Stage::finished), "finished");
}

} // namespace
} // namespace ic::job
