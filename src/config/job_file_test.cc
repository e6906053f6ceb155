#include "config/document.h"
#include "config/job_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace ic::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

using Fields = std::vector<GivenField>;

Result<Fields> json(std::string_view text) {
    return parse_job_file(text, "job.json", JobFileFormat::json);
}

Result<Fields> toml(std::string_view text) {
    return parse_job_file(text, "job.toml", JobFileFormat::toml);
}

std::string refusal(const Result<Fields>& read, Errc code = Errc::malformed) {
    EXPECT_FALSE(read.ok());
    EXPECT_EQ(read ? Errc::internal : read.error().code, code);
    return read ? "" : read.error().message;
}

TEST(JobFile, SaysTheSameInJsonAndToml) {
    const Result<Fields> from_json = json(R"({
        "$schema": "job-file.schema.json",
        "wasm_file": "x.wasm", "arg": ["one", "two=2"], "env": {"B": "2", "A": "a=b"},
        "memory": 65536, "output_size": "1MiB", "timeout": "5m", "retries": 0,
        "impure": true, "no_cache": false
    })");
    ASSERT_TRUE(from_json.ok()) << from_json.error().message;
    EXPECT_THAT(*from_json,
                ElementsAre(GivenField{"arg", {"one", "two=2"}},
                            GivenField{"env", {"A=a=b", "B=2"}},
                            GivenField{"impure", {"true"}},
                            GivenField{"memory", {"65536"}},
                            GivenField{"no_cache", {"false"}},
                            GivenField{"output_size", {"1MiB"}},
                            GivenField{"retries", {"0"}},
                            GivenField{"timeout", {"5m"}},
                            GivenField{"wasm_file", {"x.wasm"}}));
    const Result<Fields> from_toml = toml(R"(# A comment.
wasm_file = "x.wasm"
arg = ["one", "two=2"]
memory = 65536
output_size = "1MiB"
timeout = "5m"
retries = 0
impure = true
no_cache = false
[env]
B = "2"
A = "a=b"
)");
    ASSERT_TRUE(from_toml.ok()) << from_toml.error().message;
    EXPECT_EQ(*from_toml, *from_json);
    EXPECT_EQ(*json(print_job_file(*from_json)), *from_json);
}

TEST(JobFile, NamesTheLineOfAnUnknownFieldAndWhatWasMeant) {
    EXPECT_EQ(refusal(json("{\n  \"arg\": [\n \"a\"],\n  \"memry\": \"1MiB\"\n}")),
              "job.json:4: unknown field 'memry'; did you mean 'memory'?");
    EXPECT_EQ(refusal(toml("arg = [\n \"a\"]\n\nlabels = {}\n")),
              "job.toml:4: unknown field 'labels'; did you mean 'label'?");
    EXPECT_EQ(refusal(toml("args = []\n")),
              "job.toml:1: unknown field 'args'; did you mean 'arg'?");
    EXPECT_EQ(refusal(toml("[resources]\n")),
              "job.toml:1: unknown field 'resources'; 'ipfs-compute submit --job-file-schema' "
              "lists them");
    EXPECT_THAT(refusal(json("{\"a\\u001b\": 1}")), HasSubstr("'a\\x1b'"));
}

TEST(JobFile, TakesNoOtherTypes) {
    for (const JobField& field : job_fields()) {
        for (const char* value :
             {"null", "1.5", "-1", "{\"a\": 1}", "[1]", "[[]]", "\"a\\u0000\""}) {
            const std::string text =
                "{\n\"" + std::string(field.name) + "\": " + std::string(value) + "}";
            EXPECT_THAT(refusal(json(text)),
                        StartsWith("job.json:2: " + std::string(field.name) + " has to be "))
                << text;
        }
    }
    EXPECT_EQ(refusal(json("{\"fuel\": \"1000\"}")), "job.json:1: fuel has to be a whole number");
    EXPECT_EQ(refusal(json("{\"impure\": 1}")), "job.json:1: impure has to be true or false");
    EXPECT_EQ(refusal(toml("timeout = 30\n")),
              "job.toml:1: timeout has to be a time in quotes, such as \"30s\"");
    EXPECT_EQ(refusal(toml("env.A.B = \"c\"\n")),
              "job.toml:1: env has to be a table of texts, NAME = VALUE");
}

TEST(JobFile, TakesNoValuesThatAFlagWouldNotTake) {
    EXPECT_THAT(refusal(json("{\"timeout\": \"soon\"}")), StartsWith("job.json:1: timeout: "));
    EXPECT_THAT(refusal(json("{\"memory\": \"much\"}")), StartsWith("job.json:1: memory: "));
    EXPECT_EQ(refusal(json("{\"priority\": 10}")), "job.json:1: priority: is at most 9");
    EXPECT_EQ(refusal(json("{\"retries\": 101}")), "job.json:1: retries: is at most 100");
    EXPECT_EQ(refusal(json("{\"fuel\": 9007199254740992}")),
              "job.json:1: fuel: is at most 9007199254740991");
    EXPECT_EQ(refusal(json("{\"fuel\": 0}")),
              "job.json:1: fuel: is at least 1; leave it out for no limit");
    EXPECT_THAT(refusal(json("{\"env\": {\"A=B\": \"\"}}")), HasSubstr("env: has the name 'A=B'"));
    EXPECT_THAT(refusal(json("{\"label\": {\"\": \"x\"}}")), HasSubstr("which is empty"));
    EXPECT_THAT(refusal(json("{\"handler\": \"\"}")), HasSubstr("handler: is empty"));
}

TEST(JobFile, IsOneObjectWithoutRepetitionAndWithinItsBounds) {
    EXPECT_EQ(refusal(json("[]")), "job.json: has to be an object, { ... }");
    EXPECT_EQ(refusal(json("{\"fuel\": 1,\n\"fuel\": 2}")), "job.json:2: 'fuel' comes twice");
    EXPECT_THAT(refusal(json("{\"fuel\": 1\n")), StartsWith("job.json:2: "));
    EXPECT_THAT(refusal(json("{} {}")), StartsWith("job.json:1: "));
    EXPECT_THAT(refusal(json("")), StartsWith("job.json:1: "));
    EXPECT_THAT(refusal(toml("fuel = 1\nfuel = 2\n")), StartsWith("job.toml:2: "));
    const std::string deep(100'000, '[');
    EXPECT_THAT(refusal(json("{\"arg\":" + deep), Errc::too_large),
                HasSubstr("within one another"));
    const std::string blanks(limits::job_file_bytes_max - 1, ' ');
    EXPECT_TRUE(json("{" + blanks.substr(1) + "}").ok());
    refusal(json("{" + blanks + "}"), Errc::too_large);
    refusal(toml(blanks + "  "), Errc::too_large);
    std::string many = "{\"arg\": [\"\"";
    for (std::size_t count = 0; count < limits::json_parts_max; ++count) {
        many += ", \"\"";
    }
    refusal(json(many + "]}"), Errc::too_large);
}

TEST(JobFile, IsKnownByItsNameOrItsFirstLetter) {
    EXPECT_EQ(format_of_job_file("a.json", "fuel = 1"), JobFileFormat::json);
    EXPECT_EQ(format_of_job_file("a.toml", "{"), JobFileFormat::toml);
    EXPECT_EQ(format_of_job_file("a", "\n {"), JobFileFormat::json);
    EXPECT_EQ(format_of_job_file("a.job", "# {"), JobFileFormat::toml);
    EXPECT_EQ(format_of_job_file("a", ""), JobFileFormat::toml);
}

TEST(JobFile, FieldsAreInOrder) {
    EXPECT_TRUE(std::ranges::is_sorted(job_fields(), {}, &JobField::name));
}

} // namespace
} // namespace ic::config
