#include "job/labels.h"

#include <gtest/gtest.h>

#include <optional>

namespace ic::job {
namespace {

std::string written(std::string_view text) {
    const Result<std::vector<Constraint>> read = parse_constraints(text);
    EXPECT_TRUE(read) << text << ": " << (read ? "" : read.error().message);
    return read ? to_string(*read) : "";
}

std::optional<Errc> refusal(std::string_view text) {
    const Result<std::vector<Constraint>> read = parse_constraints(text);
    return read ? std::nullopt : std::optional{read.error().code};
}

// The operators of kubernetes.io, "Labels and Selectors".
TEST(Constraint, IsReadAsPeopleWriteItAndWrittenInOneWay) {
    EXPECT_EQ(written("region=eu"), "region=eu");
    EXPECT_EQ(written(" region == eu "), "region=eu");
    EXPECT_EQ(written("region != eu"), "region!=eu");
    EXPECT_EQ(written("gpu"), "gpu");
    EXPECT_EQ(written("! gpu"), "!gpu");
    EXPECT_EQ(written("region in(us , eu,us)"), "region in (eu,us)");
    EXPECT_EQ(written("region in (eu)"), "region=eu");
    EXPECT_EQ(written("region notin (b,a)"), "region notin (a,b)");
    EXPECT_EQ(written("note="), "note=");
    EXPECT_EQ(written("example.org/gpu-model=a_1.0"), "example.org/gpu-model=a_1.0");
    EXPECT_EQ(written("z=1,a in (x,y),!b,z=1"), "!b, a in (x,y), z=1") << "in order, each once";
}

TEST(Constraint, ThatIsWrongIsRefused) {
    for (const char* text :
         {"",      ",",      "a,",     "=b",      "!",         "!!a",          "!a=b",      "a b",
          "a>1",   "a gt 1", "a in b", "a in (b", "a in (b))", "a inside (b)", "a(b)",      "a=b=c",
          "a=b c", "-a",     "a-",     "a=-b",    "a\nb",      "\xc3\xa4=b",   "a=\xc3\xa4"}) {
        EXPECT_EQ(refusal(text), Errc::malformed) << text;
    }
    const std::string message = parse_constraint("mem gt 3").error().message;
    EXPECT_NE(message.find("'mem gt 3' is no constraint"), std::string::npos) << message;
    EXPECT_NE(message.find("KEY in (A,B)"), std::string::npos) << "names what there is";
}

TEST(Constraint, HasBounds) {
    const std::string key(limits::label_key_bytes_max, 'k');
    const std::string value(limits::label_value_bytes_max, 'v');
    EXPECT_EQ(refusal(key + "=" + value), std::nullopt);
    EXPECT_EQ(refusal(key + "k"), Errc::too_large);
    EXPECT_EQ(refusal("k=" + value + "v"), Errc::too_large);
    std::string values = "v0";
    std::string all = "k0";
    for (std::size_t count = 1; count < limits::constraint_values_max; ++count) {
        values += ",v" + std::to_string(count);
    }
    for (std::size_t count = 1; count < limits::constraints_max; ++count) {
        all += ",k" + std::to_string(count);
    }
    EXPECT_EQ(refusal("k in (" + values + ")"), std::nullopt);
    EXPECT_EQ(refusal("k in (" + values + ",more)"), Errc::too_large);
    EXPECT_EQ(refusal(all), std::nullopt);
    EXPECT_EQ(refusal(all + ",more"), Errc::too_large);
    std::vector<Constraint> many = parse_constraints(all).take();
    EXPECT_TRUE(check_constraints(many));
    many.push_back({.key = "z", .operation = LabelOperator::exists, .values = {}});
    EXPECT_EQ(check_constraints(many).error().code, Errc::too_large);
}

TEST(Constraint, HoldsAsKubernetesHasIt) {
    const WorkerLabels labels{{"gpu", ""}, {"region", "eu"}};
    const auto holds_here = [&](std::string_view text) {
        return holds(parse_constraint(text).take(), labels);
    };
    for (const char* text : {"region=eu",
                             "region in (eu,us)",
                             "region!=us",
                             "region notin (us,asia)",
                             "gpu",
                             "gpu=",
                             "!spot",
                             "spot!=yes",
                             "spot notin (yes,perhaps)"}) {
        EXPECT_TRUE(holds_here(text)) << text;
    }
    for (const char* text : {"region=us",
                             "region in (us,asia)",
                             "region!=eu",
                             "region notin (eu,us)",
                             "spot",
                             "spot=",
                             "!gpu",
                             "Region=eu"}) {
        EXPECT_FALSE(holds_here(text)) << text;
    }
}

TEST(Constraint, ThatDoesNotHoldIsNamedWithWhatIsThereAndTheRemedy) {
    const WorkerLabels labels{{"region", "us"}};
    EXPECT_TRUE(fits({}, labels));
    EXPECT_TRUE(fits(parse_constraints("region=us").take(), labels));
    const auto words = [&](std::string_view text, const WorkerLabels& of) {
        const Result<void> fine = fits(parse_constraints(text).take(), of);
        EXPECT_FALSE(fine) << text;
        EXPECT_EQ(fine.error().code, Errc::refused);
        return fine.error().message;
    };
    EXPECT_EQ(words("region=eu", labels),
              "constraint: the job asks for region=eu, this worker has region=us; start a worker "
              "with --label region=eu");
    EXPECT_EQ(words("gpu", {}),
              "constraint: the job asks for gpu, this worker has no labels; start a worker with "
              "--label gpu=VALUE");
    EXPECT_NE(words("!region", labels).find("without the label region"), std::string::npos);
    EXPECT_NE(words("region notin (eu,us)", labels).find("none of eu,us"), std::string::npos);
}

TEST(WorkerLabels, AreReadFromWordsInAnyOrder) {
    const std::vector<std::string> words{"region=eu", "gpu="};
    EXPECT_EQ(parse_worker_labels(words).take(), (WorkerLabels{{"gpu", ""}, {"region", "eu"}}));
    const auto code = [](const std::string& first, const std::string& second) {
        return parse_worker_labels(std::vector{first, second}).error().code;
    };
    EXPECT_EQ(code("a=1", "a=2"), Errc::usage);
    EXPECT_EQ(code("a=1", "b"), Errc::usage);
    EXPECT_EQ(code("a=1", "=b"), Errc::malformed);
    EXPECT_EQ(code("a=1", "b c=d"), Errc::malformed);
    EXPECT_EQ(code("a=1", "b=c=d"), Errc::malformed);
}

TEST(WorkerLabels, HaveBounds) {
    WorkerLabels labels;
    for (std::size_t count = 0; count < limits::worker_labels_max; ++count) {
        labels.emplace_back("k" + std::to_string(100 + count), "v");
    }
    EXPECT_TRUE(check_worker_labels(labels));
    labels.emplace_back("z", "v");
    EXPECT_EQ(check_worker_labels(labels).error().code, Errc::too_large);
    const std::string value(limits::label_value_bytes_max, 'v');
    EXPECT_TRUE(check_worker_labels({{"a", value}}));
    EXPECT_EQ(check_worker_labels({{"a", value + "v"}}).error().code, Errc::too_large);
    EXPECT_EQ(check_worker_labels({{"b", ""}, {"a", ""}}).error().code, Errc::malformed);

    // 32 x 64 bytes are just allowed.
    const std::size_t each = limits::worker_labels_bytes_max / limits::worker_labels_max;
    labels.clear();
    for (std::size_t count = 0; count < limits::worker_labels_max; ++count) {
        labels.emplace_back("k" + std::to_string(100 + count), std::string(each - 4, 'v'));
    }
    EXPECT_TRUE(check_worker_labels(labels));
    labels.back().second += "v";
    EXPECT_EQ(check_worker_labels(labels).error().code, Errc::too_large);
}

} // namespace
} // namespace ic::job
