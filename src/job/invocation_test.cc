#include "ipld/dag_cbor.h"
#include "job/envelope.h"
#include "job/invocation.h"
#include "job/provider.h"
#include "job/testing/samples.h"
#include "job/testing/vectors.h"
#include "multiformats/multibase.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace ic::job {
namespace {

using ipld::List;
using ipld::Map;
using ipld::Node;

SignedInvocation signed_sample() {
    return sign(testing::sample_invocation(), testing::sample_key(1)).take();
}

void set(Map& map, const std::string& key, Node value) {
    std::erase_if(map, [&key](const auto& entry) { return entry.first == key; });
    map.emplace_back(key, std::move(value));
}

void drop(Map& map, const std::string& key) {
    ASSERT_EQ(std::erase_if(map, [&key](const auto& entry) { return entry.first == key; }), 1U)
        << key;
}

using Change = std::function<void(Map&)>;

/// The sample's document with its payload changed and signed again.
Bytes document_with(const Change& change) {
    const Bytes document = signed_sample().document;
    const envelope::Opened opened = envelope::open(document, "ucan/inv@1.0.0").take();
    Map payload = *opened.payload().as<Map>();
    change(payload);
    return envelope::seal(envelope::signed_part("ucan/inv@1.0.0", payload), testing::sample_key(1));
}

/// The same with a map inside of the payload changed.
Bytes document_with(const std::vector<std::string>& path, const Change& change) {
    const std::function<void(Map&, std::size_t)> descend = [&](Map& map, std::size_t depth) {
        if (depth == path.size()) {
            change(map);
            return;
        }
        Map inner = *Node{map}.find(path[depth])->as<Map>();
        descend(inner, depth + 1);
        set(map, path[depth], inner);
    };
    return document_with([&](Map& payload) { descend(payload, 0); });
}

Errc code_of(const Bytes& document) {
    const Result<SignedInvocation> read = read_invocation(document);
    EXPECT_FALSE(read);
    return read ? Errc::internal : read.error().code;
}

std::string words_of(const Bytes& document) { return read_invocation(document).error().message; }

/// What `sign` says of the sample after `change`; nothing if it signs.
std::optional<Errc> sign_code(const std::function<void(Invocation&)>& change) {
    Invocation invocation = testing::sample_invocation();
    change(invocation);
    const Result<SignedInvocation> made = sign(invocation, testing::sample_key(1));
    return made ? std::nullopt : std::optional{made.error().code};
}

TEST(Invocation, ReadGivesBackWhatWasSigned) {
    const SignedInvocation made = signed_sample();
    const Result<SignedInvocation> read = read_invocation(made.document);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->invocation, testing::sample_invocation());
    EXPECT_EQ(read->cid, made.cid);
    EXPECT_EQ(read->cid, cid_of(Codec::dag_cbor, made.document));
    EXPECT_TRUE(verify_signature(*read));
}

TEST(Invocation, ReadGivesBackTheSmallestJob) {
    Invocation small;
    small.issuer = small.audience = testing::sample_key(1).public_key();
    const SignedInvocation made = sign(small, testing::sample_key(1)).take();
    const Result<SignedInvocation> read = read_invocation(made.document);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->invocation, small);
}

TEST(Invocation, SignsToTheGoldenBytes) {
    const std::string source = "src/job/testing/samples.cc through job::sign; docs/formats/job.md";
    const SignedInvocation made = signed_sample();
    EXPECT_TRUE(testing::matches_vector("invocation", made.document, source));
    const JobIds ids = ids_of(made);
    EXPECT_TRUE(testing::matches_vector("invocation-task", ids.task.bytes(), source));
    EXPECT_TRUE(testing::matches_vector("invocation-computation", ids.computation.bytes(), source));
    const std::string page = testing::read_text("docs/formats/job.md");
    EXPECT_TRUE(testing::shows_bytes(page, made.document));
    for (const Cid& cid : {ids.job, ids.task, ids.computation}) {
        EXPECT_NE(page.find(cid.to_string()), std::string::npos)
            << "docs/formats/job.md does not show " << cid.to_string();
    }
}

TEST(Invocation, SignsImportsToTheGoldenBytes) {
    const std::string source = "src/job/testing/samples.cc through job::sign; docs/formats/job.md";
    const Invocation invocation = testing::sample_linked_invocation();
    const SignedInvocation made = sign(invocation, testing::sample_key(1)).take();
    EXPECT_TRUE(testing::matches_vector("invocation-imports", made.document, source));
    const Cid computation = ids_of(made).computation;
    EXPECT_TRUE(
        testing::matches_vector("invocation-imports-computation", computation.bytes(), source));
    const std::string page = testing::read_text("docs/formats/job.md");
    EXPECT_TRUE(testing::shows_bytes(page, made.document));
    EXPECT_NE(page.find(computation.to_string()), std::string::npos) << computation.to_string();
    const Result<SignedInvocation> read = read_invocation(made.document);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->invocation, invocation);
}

TEST(Invocation, SignsProvidersToTheGoldenBytes) {
    Invocation invocation = testing::sample_linked_invocation();
    invocation.providers = testing::sample_providers();
    const SignedInvocation made = sign(invocation, testing::sample_key(1)).take();
    EXPECT_TRUE(testing::matches_vector(
        "invocation-providers", made.document, "src/job/testing/samples.cc through job::sign"));
    const Result<SignedInvocation> read = read_invocation(made.document);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->invocation, invocation);
    EXPECT_EQ(ids_of(made).computation,
              ids_of(sign(testing::sample_linked_invocation(), testing::sample_key(1)).take())
                  .computation)
        << "where blocks come from is no part of the work";
}

TEST(Invocation, RefusesProvidersThatAreNone) {
    Invocation invocation = testing::sample_linked_invocation();
    invocation.providers = {"/dns4/localhost/tcp/1/p2p/x"};
    EXPECT_FALSE(sign(invocation, testing::sample_key(1)).ok());
    invocation.providers.assign(limits::providers_max, testing::sample_providers().front());
    EXPECT_TRUE(sign(invocation, testing::sample_key(1)).ok());
    invocation.providers.push_back(testing::sample_providers().front());
    EXPECT_EQ(sign(invocation, testing::sample_key(1)).error().code, Errc::too_large);
}

TEST(Invocation, EnvelopeIsThatOfThePublishedUcan) {
    // ucan-wg/spec 0aeb1b2, fixtures/1.0.0/invocation.json, valid, "self signed"; its tag still
    // says rc.1, so it is opened under that name.
    const Bytes document = multibase::decode_bare(Base::base64,
                                                  "glhAUv3MZ6zkolZCY2CH7qdfIvjMlUTWsLwJ0YJSse71Y6CM"
                                                  "xWZiRmCmSQnzF/rWjxqeWibDsAdnwbgeU5ZdehR/"
                                                  "CqJhaEg0Ae0B7QETcXN1Y2FuL2ludkAxLjAuMC1yYy4xqGNj"
                                                  "bWRpL21zZy9zZW5kY2V4cPZjaWF0Gmj1e4BjaXNz"
                                                  "eDhkaWQ6a2V5Ono2TWtnR3lrTjlBUk5GakV6b3dWcTRtTFAy"
                                                  "a0w0TnN5QWFER1hlSkZRNXFFMWJmZ2NwcmaAY3N1"
                                                  "Yng4ZGlkOmtleTp6Nk1rZ0d5a045QVJORmpFem93VnE0bUxQ"
                                                  "MmtMNE5zeUFhREdYZUpGUTVxRTFiZmdkYXJnc6Bl"
                                                  "bm9uY2VQAQIDBAECAwQBAgMEAQIDBA")
                               .take();
    const Result<envelope::Opened> opened = envelope::open(document, "ucan/inv@1.0.0-rc.1");
    ASSERT_TRUE(opened) << opened.error().message;
    const PublicKey issuer =
        PublicKey::parse_did(*opened->payload().find("iss")->as<std::string>()).take();
    EXPECT_TRUE(envelope::verify(document, issuer));
    EXPECT_EQ(envelope::signed_part("ucan/inv@1.0.0-rc.1", *opened->payload().as<Map>()),
              copy_of(ByteView{document}.subspan(envelope::signed_part_at)));
    EXPECT_EQ(read_invocation(document).error().code, Errc::unsupported) << "another version";
}

TEST(Invocation, ReadRefusesEveryProperPrefix) {
    const Bytes document = signed_sample().document;
    for (std::size_t size = 0; size < document.size(); ++size) {
        EXPECT_FALSE(read_invocation(ByteView{document}.first(size))) << size;
    }
}

TEST(Invocation, VerifyRefusesAForgedSignatureAndAChangedPayload) {
    const SignedInvocation made = signed_sample();
    for (const std::size_t at : {envelope::head.size(), envelope::signed_part_at - 1}) {
        Bytes forged = made.document;
        forged[at] ^= 1;
        const Result<SignedInvocation> read = read_invocation(forged);
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(verify_signature(*read).error().code, Errc::refused);
        EXPECT_NE(read->cid, made.cid);
    }
    Invocation other = testing::sample_invocation();
    other.spec.arguments = {"--top", "11"};
    SignedInvocation swapped = sign(other, testing::sample_key(1)).take();
    std::copy_n(made.document.begin(), envelope::signed_part_at, swapped.document.begin());
    EXPECT_EQ(verify_signature(swapped).error().code, Errc::refused);
}

TEST(Invocation, AcceptanceRefusesAnotherAudienceAndAnExpiredJob) {
    const Invocation invocation = testing::sample_invocation();
    const PublicKey coordinator = testing::sample_key(2).public_key();
    const UnixSeconds end = *invocation.expires_at;
    EXPECT_TRUE(check_acceptance(invocation, coordinator, {end.value - 1}));
    EXPECT_EQ(check_acceptance(invocation, coordinator, end).error().code, Errc::expired);
    EXPECT_EQ(check_acceptance(invocation, testing::sample_key(3).public_key(), {0}).error().code,
              Errc::refused);
    Invocation endless = invocation;
    endless.expires_at.reset();
    EXPECT_TRUE(check_acceptance(endless, coordinator, {INT64_MAX}));
}

TEST(Invocation, ReadRefusesAnUnknownFieldOfArgsButIgnoresOneOfMeta) {
    const Change add = [](Map& map) { set(map, "later", std::uint64_t{1}); };
    for (const std::vector<std::string>& path :
         std::vector<std::vector<std::string>>{{}, {"args"}, {"args", "limits"}}) {
        const Bytes document = document_with(path, add);
        EXPECT_EQ(code_of(document), Errc::unsupported);
        EXPECT_NE(words_of(document).find("later"), std::string::npos) << words_of(document);
    }
    for (const std::vector<std::string>& path :
         std::vector<std::vector<std::string>>{{"meta"}, {"meta", "timeouts"}}) {
        const Result<SignedInvocation> read = read_invocation(document_with(path, add));
        ASSERT_TRUE(read) << read.error().message;
        EXPECT_EQ(read->invocation, testing::sample_invocation());
        EXPECT_TRUE(verify_signature(*read));
    }
}

// So that what was signed before they were there is still read, and to the same ids.
TEST(Invocation, LimitsThatCameLaterStandInItOnlyWhereTheyAreNotTheDefault) {
    const Bytes plain = signed_sample().document;
    EXPECT_EQ(text_of(plain).find("host_calls"), std::string_view::npos);
    EXPECT_EQ(text_of(plain).find("curls"), std::string_view::npos);
    Invocation invocation = testing::sample_invocation();
    invocation.spec.limits.host_calls_max = 7;
    invocation.spec.limits.curls_max = 3;
    const SignedInvocation made = sign(invocation, testing::sample_key(1)).take();
    const Result<SignedInvocation> read = read_invocation(made.document);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->invocation, invocation);
    const Limits defaults;
    EXPECT_EQ(code_of(document_with({"args", "limits"},
                                    [&](Map& map) { set(map, "curls", defaults.curls_max); })),
              Errc::malformed)
        << "a second form of the same job";
    for (const auto member : {&Limits::host_calls_max, &Limits::curls_max}) {
        const auto with = [member](std::uint64_t value) {
            return sign_code([&](Invocation& job) { job.spec.limits.*member = value; });
        };
        EXPECT_EQ(with(limits::integer_max), std::nullopt);
        EXPECT_EQ(with(limits::integer_max + 1), Errc::too_large);
    }
}

TEST(Invocation, WhatItAsksOfItsWorkerIsSignedAndNoPartOfTheComputation) {
    const Bytes plain = signed_sample().document;
    EXPECT_EQ(text_of(plain).find("requires"), std::string_view::npos);
    Invocation invocation = testing::sample_invocation();
    invocation.spec.constraints = parse_constraints("region in (us, eu), !spot, gpu").take();
    const SignedInvocation made = sign(invocation, testing::sample_key(1)).take();
    const Result<SignedInvocation> read = read_invocation(made.document);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->invocation, invocation);
    EXPECT_TRUE(testing::matches_vector("invocation-requires",
                                        made.document,
                                        "src/job/testing/samples.cc and this test's constraints "
                                        "through job::sign; docs/formats/job.md"));
    EXPECT_EQ(ids_of(made).computation, ids_of(signed_sample()).computation);
    EXPECT_NE(ids_of(made).task, ids_of(signed_sample()).task);

    const auto with = [](Node requirements) {
        return code_of(document_with(
            {"args"}, [&](Map& args) { set(args, "requires", std::move(requirements)); }));
    };
    EXPECT_EQ(with(Map{{"labels", List{}}}), Errc::malformed) << "a second form of none";
    EXPECT_EQ(with(Map{{"labels", List{"gpu", "!spot"}}}), Errc::malformed) << "not in order";
    EXPECT_EQ(with(Map{{"labels", List{"gpu", "gpu"}}}), Errc::malformed) << "twice";
    EXPECT_EQ(with(Map{{"labels", List{"a==b"}}}), Errc::malformed) << "a second form";
    EXPECT_EQ(with(Map{{"labels", List{"a b"}}}), Errc::malformed);
    EXPECT_EQ(with(Map{{"labels", List{Node{true}}}}), Errc::malformed);
    EXPECT_EQ(with(Map{}), Errc::malformed);
    EXPECT_EQ(with(Node{true}), Errc::malformed);
    EXPECT_EQ(with(Map{{"labels", List{"gpu"}}, {"later", Node{true}}}), Errc::unsupported);
}

TEST(Invocation, ReadTakesDefaultsForWhatMetaDoesNotSay) {
    const Result<SignedInvocation> read =
        read_invocation(document_with([](Map& payload) { drop(payload, "meta"); }));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->invocation.timeouts, StageTimeouts{});
    EXPECT_EQ(read->invocation.priority, 0U);
    EXPECT_TRUE(read->invocation.labels.empty());
}

TEST(Invocation, ReadRefusesEachMissingOrMistypedField) {
    for (const std::string key : {"iss", "sub", "aud", "cmd", "args", "prf", "nonce", "exp"}) {
        EXPECT_EQ(code_of(document_with([&](Map& payload) { drop(payload, key); })),
                  Errc::malformed)
            << key;
        EXPECT_EQ(code_of(document_with([&](Map& payload) { set(payload, key, -1.5); })),
                  Errc::malformed)
            << key;
    }
    for (const std::string key :
         {"abi", "env", "args", "hosts", "inputs", "limits", "module", "effects", "handler"}) {
        EXPECT_EQ(code_of(document_with({"args"}, [&](Map& args) { drop(args, key); })),
                  Errc::malformed)
            << key;
        EXPECT_EQ(code_of(document_with({"args"}, [&](Map& args) { set(args, key, -1.5); })),
                  Errc::malformed)
            << key;
    }
    EXPECT_EQ(
        code_of(document_with({"args", "limits"}, [](Map& limits) { drop(limits, "handles"); })),
        Errc::malformed);
    EXPECT_EQ(code_of(document_with({"args"}, [](Map& args) { set(args, "event", Node{}); })),
              Errc::malformed);
}

TEST(Invocation, ReadSaysUnsupportedToWhatLaterVersionsMayMean) {
    const auto with = [](const std::string& key, Node value) {
        return code_of(document_with([&](Map& payload) { set(payload, key, std::move(value)); }));
    };
    EXPECT_EQ(with("cmd", "/compute/run/docker"), Errc::unsupported);
    EXPECT_EQ(with("prf", List{testing::sample_cid(1)}), Errc::unsupported);
    EXPECT_EQ(with("sub", testing::sample_key(5).public_key().to_did()), Errc::unsupported);
    EXPECT_EQ(code_of(document_with({"args"}, [](Map& args) { set(args, "abi", "wasi-p2/1"); })),
              Errc::unsupported);
    EXPECT_EQ(code_of(document_with({"args"}, [](Map& args) { set(args, "effects", "some"); })),
              Errc::unsupported);
    Bytes other_header = signed_sample().document;
    other_header[envelope::signed_part_at + 4] ^= 1; // In the varsig header.
    EXPECT_EQ(code_of(other_header), Errc::unsupported);
}

TEST(Invocation, ReadRefusesASecondFormOfTheSameJob) {
    EXPECT_EQ(code_of(document_with([](Map& payload) { set(payload, "iat", Node{}); })),
              Errc::malformed)
        << "null is not the form of an absent time";
    Bytes trailing = signed_sample().document;
    trailing.push_back(0);
    EXPECT_EQ(code_of(trailing), Errc::malformed);
    // The environment's two keys in the other order: by name, as DAG-CBOR does not want it.
    Bytes unsorted = signed_sample().document;
    const std::string in_order = "aBa2bAAqlong before short";
    const std::string by_name = "bAAqlong before shortaBa2";
    const auto found =
        std::search(unsorted.begin(), unsorted.end(), in_order.begin(), in_order.end());
    ASSERT_NE(found, unsorted.end());
    std::copy(by_name.begin(), by_name.end(), found);
    EXPECT_EQ(code_of(unsorted), Errc::malformed);
}

TEST(Invocation, SignRefusesNamesThatRepeatOrAreOutOfOrder) {
    const auto lists = [](const std::vector<std::string>& names) {
        std::vector<std::optional<Errc>> codes;
        codes.push_back(sign_code([&](Invocation& job) {
            job.spec.environment.clear();
            for (const std::string& name : names) {
                job.spec.environment.emplace_back(name, "1");
            }
        }));
        codes.push_back(sign_code([&](Invocation& job) {
            job.spec.inputs.clear();
            for (const std::string& name : names) {
                job.spec.inputs.emplace_back(name, Cid{});
            }
        }));
        codes.push_back(sign_code([&](Invocation& job) {
            job.labels.clear();
            for (const std::string& name : names) {
                job.labels.emplace_back(name, "1");
            }
        }));
        return codes;
    };
    const std::vector<std::optional<Errc>> taken(3);
    const std::vector<std::optional<Errc>> refused(3, Errc::malformed);
    EXPECT_EQ(lists({"AA", "B"}), taken);
    EXPECT_EQ(lists({"B", "AA"}), refused);
    EXPECT_EQ(lists({"A", "A"}), refused);
    EXPECT_EQ(lists({""}), refused);
    EXPECT_EQ(lists({std::string("a\0b", 3)}), refused);
    EXPECT_EQ(lists({"\xff"}), refused);
    EXPECT_EQ(sign_code([](Invocation& job) { job.spec.allow_hosts = {"a", "a"}; }),
              Errc::malformed);
    EXPECT_EQ(sign_code([](Invocation& job) { job.spec.environment = {{"A=B", ""}}; }),
              Errc::malformed);
}

TEST(Invocation, SignRefusesImportsWithNamesThatAreNotTheirs) {
    const auto with = [](const std::vector<std::string>& names) {
        return sign_code([&](Invocation& job) {
            for (const std::string& name : names) {
                job.spec.imports.emplace_back(name, testing::sample_cid(1));
            }
        });
    };
    EXPECT_EQ(with({"a", "b"}), std::nullopt) << "one module under two names";
    EXPECT_EQ(with({"b", "a"}), Errc::malformed);
    EXPECT_EQ(with({"a", "a"}), Errc::malformed);
    EXPECT_EQ(with({""}), Errc::malformed);
    EXPECT_EQ(with({"a=b"}), Errc::malformed);
    EXPECT_EQ(with({"\xff"}), Errc::malformed);
    for (const std::string_view name : reserved_import_names) {
        EXPECT_EQ(with({std::string(name)}), Errc::malformed) << name;
        EXPECT_EQ(with({std::string(name) + "s"}), std::nullopt) << name;
    }
}

TEST(Invocation, SignTakesAsManyImportsAndAsLongANameAsAllowed) {
    const auto with = [](std::size_t count, std::size_t name_bytes) {
        return sign_code([&](Invocation& job) {
            for (std::size_t i = 0; i < count; ++i) {
                job.spec.imports.emplace_back(std::to_string(i) + std::string(name_bytes - 1, 'n'),
                                              testing::sample_cid(1));
            }
        });
    };
    EXPECT_EQ(with(limits::imports_max, limits::import_name_bytes_max), std::nullopt);
    EXPECT_EQ(with(limits::imports_max + 1, 2), Errc::too_large);
    EXPECT_EQ(with(1, limits::import_name_bytes_max + 1), Errc::too_large);
}

TEST(Invocation, ReadRefusesImportsOfAnotherForm) {
    const auto with = [](const Node& imports) {
        return code_of(document_with({"args"}, [&](Map& args) { set(args, "imports", imports); }));
    };
    EXPECT_EQ(with(Map{}), Errc::malformed) << "none is the absence of the field";
    EXPECT_EQ(with(Node{}), Errc::malformed);
    EXPECT_EQ(with(List{testing::sample_cid(1)}), Errc::malformed);
    EXPECT_EQ(with(Map{{"math", "text"}}), Errc::malformed);
    EXPECT_EQ(with(Map{{"env", testing::sample_cid(1)}}), Errc::malformed);
    Map many;
    for (std::size_t i = 0; i <= limits::imports_max; ++i) {
        many.emplace_back("m" + std::to_string(i), testing::sample_cid(1));
    }
    EXPECT_EQ(with(many), Errc::too_large);
    many.pop_back();
    EXPECT_TRUE(
        read_invocation(document_with({"args"}, [&](Map& args) { set(args, "imports", many); })));
}

TEST(Invocation, SignRefusesHostsOfAPureJobAndAnEmptyHandler) {
    EXPECT_EQ(sign_code([](Invocation& job) { job.spec.effects = Effects::pure; }),
              Errc::malformed);
    EXPECT_EQ(sign_code([](Invocation& job) { job.spec.handler = ""; }), Errc::malformed);
    EXPECT_EQ(sign_code([](Invocation& job) { job.spec.allow_hosts = {"two words"}; }),
              Errc::malformed);
}

TEST(Invocation, MaySayThatNothingIsTriedAgain) {
    const Result<SignedInvocation> read = read_invocation(document_with(
        {"meta", "timeouts"}, [](Map& timeouts) { set(timeouts, "attempts", std::uint64_t{0}); }));
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->invocation.timeouts.attempts_max, 0U);
}

// One entry a limit: what fills it, and what is one past it.
TEST(Invocation, SignTakesEachLimitAndRefusesOnePastIt) {
    using Fill = void (*)(Invocation&, std::size_t);
    const auto names = [](std::size_t count) {
        std::vector<std::string> list;
        for (std::size_t index = 0; index < count; ++index) {
            list.push_back("n" + std::to_string(1'000 + index));
        }
        return list;
    };
    static const auto name_list = names;
    const std::pair<std::size_t, Fill> limits_to_fill[] = {
        {limits::arguments_max,
         [](Invocation& job, std::size_t n) { job.spec.arguments.assign(n, "a"); }},
        {limits::environment_max,
         [](Invocation& job, std::size_t n) {
             job.spec.environment.clear();
             for (const std::string& name : name_list(n)) {
                 job.spec.environment.emplace_back(name, "");
             }
         }},
        {limits::inputs_max,
         [](Invocation& job, std::size_t n) {
             job.spec.inputs.clear();
             for (const std::string& name : name_list(n)) {
                 job.spec.inputs.emplace_back(name, Cid{});
             }
         }},
        {limits::allow_hosts_max,
         [](Invocation& job, std::size_t n) { job.spec.allow_hosts = name_list(n); }},
        {limits::labels_max,
         [](Invocation& job, std::size_t n) {
             job.labels.clear();
             for (const std::string& name : name_list(n)) {
                 job.labels.emplace_back(name, "");
             }
         }},
        {limits::text_bytes_max,
         [](Invocation& job, std::size_t n) { job.spec.arguments = {std::string(n, 'a')}; }},
        {limits::text_bytes_max,
         [](Invocation& job, std::size_t n) { job.labels = {{"a", std::string(n, 'a')}}; }},
        {limits::text_bytes_max,
         [](Invocation& job, std::size_t n) { job.spec.inputs = {{std::string(n, 'a'), {}}}; }},
        {limits::handler_bytes_max,
         [](Invocation& job, std::size_t n) { job.spec.handler = std::string(n, 'a'); }},
        {limits::nonce_bytes_max, [](Invocation& job, std::size_t n) { job.nonce.resize(n); }},
        {limits::traceparent_bytes_max,
         [](Invocation& job, std::size_t n) { job.traceparent = std::string(n, '0'); }},
        {limits::priority_max,
         [](Invocation& job, std::size_t n) { job.priority = static_cast<std::uint32_t>(n); }},
        {limits::attempts_max,
         [](Invocation& job, std::size_t n) {
             job.timeouts.attempts_max = static_cast<std::uint32_t>(n);
         }},
        {limits::duration_ms_max,
         [](Invocation& job, std::size_t n) { job.timeouts.total_ms_max = n; }},
        {limits::duration_ms_max,
         [](Invocation& job, std::size_t n) { job.spec.limits.wall_ms_max = n; }},
        {limits::integer_max, [](Invocation& job, std::size_t n) { job.spec.limits.fuel_max = n; }},
        {limits::integer_max,
         [](Invocation& job, std::size_t n) {
             job.expires_at = UnixSeconds{static_cast<std::int64_t>(n)};
         }},
    };
    int row = 0;
    for (const auto& [most, fill] : limits_to_fill) {
        EXPECT_EQ(sign_code([&](Invocation& job) { fill(job, most); }), std::nullopt) << row;
        EXPECT_EQ(sign_code([&](Invocation& job) { fill(job, most + 1); }), Errc::too_large) << row;
        ++row;
    }
}

TEST(Invocation, DocumentsOnePastTheirLimitAreRefused) {
    Invocation job = testing::sample_invocation();
    job.spec.arguments.assign(15, std::string(4'060, 'a'));
    job.spec.arguments.emplace_back();
    const std::size_t size = sign(job, testing::sample_key(1))->document.size();
    // Another head byte or two come with the longer text.
    job.spec.arguments.back() = std::string(limits::invocation_bytes_max - size - 2, 'a');
    const SignedInvocation largest = sign(job, testing::sample_key(1)).take();
    EXPECT_EQ(largest.document.size(), limits::invocation_bytes_max);
    EXPECT_TRUE(read_invocation(largest.document));
    job.spec.arguments.back() += 'a';
    EXPECT_EQ(sign(job, testing::sample_key(1)).error().code, Errc::too_large);
    EXPECT_EQ(code_of(Bytes(limits::invocation_bytes_max + 1)), Errc::too_large);
}

TEST(Invocation, ComputationNamesTheWorkAloneAndTheTaskTheRequestToo) {
    const JobIds ids = ids_of(signed_sample());
    const auto ids_with = [](const std::function<void(Invocation&)>& change) {
        Invocation job = testing::sample_invocation();
        change(job);
        const std::uint8_t signer =
            job.issuer == testing::sample_key(1).public_key() ? std::uint8_t{1} : std::uint8_t{7};
        return ids_of(sign(job, testing::sample_key(signer)).take());
    };
    const JobIds other_submitter =
        ids_with([](Invocation& job) { job.issuer = testing::sample_key(7).public_key(); });
    EXPECT_EQ(other_submitter.computation, ids.computation);
    EXPECT_NE(other_submitter.task, ids.task);
    const JobIds other_nonce = ids_with([](Invocation& job) { job.nonce = {}; });
    EXPECT_EQ(other_nonce.computation, ids.computation);
    EXPECT_NE(other_nonce.task, ids.task);
    const JobIds other_meta = ids_with([](Invocation& job) { job.priority = 1; });
    EXPECT_EQ(other_meta.task, ids.task);
    EXPECT_NE(other_meta.job, ids.job);
    const JobIds other_time = ids_with([](Invocation& job) { job.spec.limits.wall_ms_max = 1; });
    EXPECT_EQ(other_time.computation, ids.computation);
    for (const std::function<void(Invocation&)>& change :
         std::vector<std::function<void(Invocation&)>>{
             [](Invocation& job) { job.spec.module = testing::sample_cid(9); },
             [](Invocation& job) { job.spec.imports = {{"math", testing::sample_cid(9)}}; },
             [](Invocation& job) { job.spec.handler = "other"; },
             [](Invocation& job) { job.spec.arguments.pop_back(); },
             [](Invocation& job) { job.spec.environment.pop_back(); },
             [](Invocation& job) { job.spec.event.reset(); },
             [](Invocation& job) { job.spec.inputs.pop_back(); },
             [](Invocation& job) { ++job.spec.limits.memory_bytes_max; },
             [](Invocation& job) { ++job.spec.limits.table_elements_max; },
             [](Invocation& job) { ++job.spec.limits.output_bytes_max; }}) {
        EXPECT_NE(ids_with(change).computation, ids.computation);
    }
}

} // namespace
} // namespace ic::job
