#include "job/envelope.h"
#include "job/provider.h"
#include "job/receipt.h"
#include "job/spec.h"
#include "job/testing/samples.h"
#include "job/testing/vectors.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>

namespace ic::job {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

constexpr std::string_view tag = "ipfs-compute/receipt@1";

SignedReceipt signed_sample() {
    return sign(testing::sample_receipt(), testing::sample_key(3)).take();
}

void set(Map& map, const std::string& key, std::optional<Node> value) {
    std::erase_if(map, [&key](const auto& entry) { return entry.first == key; });
    if (value) {
        map.emplace_back(key, *std::move(value));
    }
}

/// The sample with one field set (or dropped), at the top or in the map `inside`.
Bytes document_with(const std::string& inside, const std::string& key, std::optional<Node> value) {
    const Bytes document = signed_sample().document;
    const envelope::Opened opened = envelope::open(document, tag).take();
    Map payload = *opened.payload().as<Map>();
    if (inside.empty()) {
        set(payload, key, std::move(value));
    } else {
        Map inner = *Node{payload}.find(inside)->as<Map>();
        set(inner, key, std::move(value));
        set(payload, inside, Node{inner});
    }
    return envelope::seal(envelope::signed_part(tag, payload), testing::sample_key(3));
}

std::optional<Errc>
code_with(const std::string& inside, const std::string& key, std::optional<Node> value) {
    const Result<SignedReceipt> read = read_receipt(document_with(inside, key, std::move(value)));
    return read ? std::nullopt : std::optional{read.error().code};
}

TEST(Receipt, ReadGivesBackWhatWasSigned) {
    const SignedReceipt made = signed_sample();
    const Result<SignedReceipt> read = read_receipt(made.document);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->receipt, testing::sample_receipt());
    EXPECT_EQ(read->cid, made.cid);
    EXPECT_TRUE(verify_signature(*read));
}

TEST(Receipt, ReadGivesBackASuccessWithoutOutputs) {
    Receipt receipt;
    receipt.worker = testing::sample_key(3).public_key();
    receipt.ending.value = INT64_MIN;
    receipt.ending.exit_status = INT32_MIN;
    receipt.epoch = {UINT64_MAX, UINT64_MAX};
    receipt.usage.fuel = UINT64_MAX;
    const SignedReceipt made = sign(receipt, testing::sample_key(3)).take();
    const Result<SignedReceipt> read = read_receipt(made.document);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->receipt, receipt);
}

TEST(Receipt, SignsToTheGoldenBytes) {
    const SignedReceipt made = signed_sample();
    EXPECT_TRUE(testing::matches_vector(
        "receipt",
        made.document,
        "src/job/testing/samples.cc through job::sign; docs/formats/receipt.md"));
    const std::string page = testing::read_text("docs/formats/receipt.md");
    EXPECT_TRUE(testing::shows_bytes(page, made.document));
    EXPECT_NE(page.find(made.cid.to_string()), std::string::npos)
        << "docs/formats/receipt.md does not show " << made.cid.to_string();
}

TEST(Receipt, SignsProvidersToTheGoldenBytes) {
    Receipt receipt = testing::sample_receipt();
    receipt.providers = testing::sample_providers();
    const SignedReceipt made = sign(receipt, testing::sample_key(3)).take();
    EXPECT_TRUE(testing::matches_vector(
        "receipt-providers", made.document, "src/job/testing/samples.cc through job::sign"));
    const Result<SignedReceipt> read = read_receipt(made.document);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->receipt, receipt);
    EXPECT_TRUE(verify_signature(*read));
}

TEST(Receipt, RefusesProvidersThatAreNone) {
    const Node one{testing::sample_providers().front()};
    EXPECT_EQ(code_with("", "providers", Node{List{Node{"/dns4/x/tcp/1/p2p/y"}}}),
              Errc::unsupported);
    EXPECT_EQ(code_with("", "providers", Node{List{Node{true}}}), Errc::malformed);
    EXPECT_EQ(code_with("", "providers", Node{true}), Errc::malformed);
    EXPECT_EQ(code_with("", "providers", Node{List{}}), Errc::malformed)
        << "there is one way to name none";
    EXPECT_EQ(code_with("", "providers", Node{List(limits::providers_max, one)}), std::nullopt);
    EXPECT_EQ(code_with("", "providers", Node{List(limits::providers_max + 1, one)}),
              Errc::too_large);
}

TEST(Receipt, ReadRefusesEveryProperPrefix) {
    const Bytes document = signed_sample().document;
    for (std::size_t size = 0; size < document.size(); ++size) {
        EXPECT_FALSE(read_receipt(ByteView{document}.first(size))) << size;
    }
}

TEST(Receipt, VerifyRefusesAForgedSignatureAndAnotherWorkersName) {
    Bytes forged = signed_sample().document;
    forged[envelope::head.size()] ^= 1;
    EXPECT_EQ(verify_signature(read_receipt(forged).take()).error().code, Errc::refused);
    const Bytes renamed =
        document_with("", "iss", Node{testing::sample_key(4).public_key().to_did()});
    EXPECT_EQ(verify_signature(read_receipt(renamed).take()).error().code, Errc::refused);
}

TEST(Receipt, ReadIgnoresFieldsItDoesNotKnowAndKeepsTheirBytes) {
    for (const char* inside : {"", "usage", "ending"}) {
        const Bytes document = document_with(inside, "later", Node{true});
        const Result<SignedReceipt> read = read_receipt(document);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->receipt, testing::sample_receipt());
        EXPECT_EQ(read->document, document);
        EXPECT_TRUE(verify_signature(*read));
    }
}

TEST(Receipt, ReadRefusesEachMissingOrMistypedField) {
    for (const char* key : {"iss",
                            "job",
                            "task",
                            "epoch",
                            "usage",
                            "ending",
                            "finished",
                            "instance",
                            "software",
                            "computation"}) {
        EXPECT_EQ(code_with("", key, std::nullopt), Errc::malformed) << key;
        EXPECT_EQ(code_with("", key, Node{-1.5}), Errc::malformed) << key;
    }
    for (const char* key : {"log", "errors", "output", "kept_until"}) {
        EXPECT_EQ(code_with("", key, std::nullopt), std::nullopt) << key;
        EXPECT_EQ(code_with("", key, Node{-1.5}), Errc::malformed) << key;
    }
    for (const char* key : {"exit", "message"}) {
        EXPECT_EQ(code_with("ending", key, std::nullopt), Errc::malformed) << key;
    }
    EXPECT_EQ(code_with("usage", "fuel", std::nullopt), Errc::malformed);
    EXPECT_EQ(code_with("", "epoch", List{std::uint64_t{1}}), Errc::malformed);
    EXPECT_EQ(code_with("", "instance", Bytes(15)), Errc::malformed);
}

TEST(Receipt, ReadRefusesOnePastEachLimit) {
    EXPECT_EQ(code_with("ending", "message", std::string(limits::ending_message_bytes_max, 'a')),
              std::nullopt);
    EXPECT_EQ(
        code_with("ending", "message", std::string(limits::ending_message_bytes_max + 1, 'a')),
        Errc::too_large);
    EXPECT_EQ(code_with("", "software", std::string(limits::software_bytes_max, 'a')),
              std::nullopt);
    EXPECT_EQ(code_with("", "software", std::string(limits::software_bytes_max + 1, 'a')),
              Errc::too_large);
    EXPECT_EQ(code_with("", "finished", limits::integer_max), std::nullopt);
    EXPECT_EQ(code_with("", "finished", limits::integer_max + 1), Errc::too_large);
    EXPECT_EQ(code_with("ending", "exit", std::uint64_t{1} << 31U), Errc::malformed);
    EXPECT_EQ(code_with("ending", "exit", -(std::int64_t{1} << 31) - 1), Errc::malformed);
    EXPECT_EQ(code_with("ending", "value", std::uint64_t{1} << 63U), Errc::malformed);
    EXPECT_EQ(code_with("ending", "error", std::uint64_t{48}), std::nullopt);
    EXPECT_EQ(code_with("ending", "error", std::uint64_t{49}), Errc::unsupported);
    EXPECT_EQ(read_receipt(Bytes(limits::receipt_bytes_max + 1)).error().code, Errc::too_large);
}

TEST(Receipt, SignMakesTheMessageFitRatherThanLoseTheEnding) {
    Receipt receipt = testing::sample_receipt();
    receipt.ending.message = "\xff" + std::string(limits::ending_message_bytes_max, 'a');
    const SignedReceipt made = sign(receipt, testing::sample_key(3)).take();
    EXPECT_EQ(made.receipt.ending.message,
              "?" + std::string(limits::ending_message_bytes_max - 1, 'a'));
    EXPECT_EQ(read_receipt(made.document)->receipt, made.receipt);
}

TEST(Receipt, OfAnotherVersionIsUnsupportedAndOfAnotherKindMalformed) {
    const auto code = [](std::string_view other) {
        return read_receipt(
                   envelope::seal(envelope::signed_part(other, Map{}), testing::sample_key(3)))
            .error()
            .code;
    };
    EXPECT_EQ(code("ipfs-compute/receipt@2"), Errc::unsupported);
    EXPECT_EQ(code("ucan/inv@1.0.0"), Errc::malformed);
}

TEST(Memo, KeepsWhatTheComputationItselfDecided) {
    EXPECT_TRUE(is_memoizable({}));
    EXPECT_TRUE(is_memoizable({.error = {}, .message = "", .exit_status = 3, .value = {}}));
    const std::set<Errc> decided{Errc::trap_unreachable,
                                 Errc::trap_memory,
                                 Errc::trap_table,
                                 Errc::trap_call,
                                 Errc::trap_arithmetic};
    for (std::uint64_t number = 1; errc_of(number); ++number) {
        const Errc error = *errc_of(number);
        Ending ending;
        ending.error = error;
        EXPECT_EQ(is_memoizable(ending), decided.contains(error)) << name(error);
    }
}

} // namespace
} // namespace ic::job
