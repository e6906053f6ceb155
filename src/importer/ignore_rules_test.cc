#include "importer/ignore_rules.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace ic::importer {
namespace {

IgnoreRules rules_of(std::initializer_list<std::string_view> lines) {
    IgnoreRules rules;
    for (const std::string_view line : lines) {
        EXPECT_TRUE(rules.add(line).ok()) << line;
    }
    return rules;
}

bool leaves_out(std::string_view rule, std::string_view name) {
    return rules_of({rule}).matches(name);
}

// What the patterns mean to boxo v0.42.1 (files.Filter, which reads them with go-gitignore).
TEST(IgnoreRules, CompareWithWholeNames) {
    EXPECT_TRUE(leaves_out("foo", "foo"));
    EXPECT_FALSE(leaves_out("foo", "fooo"));
    EXPECT_FALSE(leaves_out("foo", "ofoo"));
    EXPECT_TRUE(leaves_out("/foo", "foo"));
    EXPECT_TRUE(leaves_out("**/foo", "foo"));
    EXPECT_TRUE(leaves_out("/**/foo", "foo"));
    EXPECT_TRUE(leaves_out("foo/**", "foo"));
    EXPECT_TRUE(leaves_out("a.b", "a.b"));
    EXPECT_FALSE(leaves_out("a.b", "axb")) << "a dot stands for itself";
}

TEST(IgnoreRules, KnowStarsAndClasses) {
    EXPECT_TRUE(leaves_out("*.js", "a.js"));
    EXPECT_TRUE(leaves_out("*.js", ".js"));
    EXPECT_FALSE(leaves_out("*.js", "a.jsa"));
    EXPECT_TRUE(leaves_out("*", "anything at all\n"));
    EXPECT_TRUE(leaves_out("**", "x"));
    EXPECT_TRUE(leaves_out("a*b*c", "aXbbYbc"));
    EXPECT_FALSE(leaves_out("a*b*c", "aXbbYb"));
    EXPECT_TRUE(leaves_out("file[0-9]", "file7"));
    EXPECT_FALSE(leaves_out("file[0-9]", "filex"));
    EXPECT_FALSE(leaves_out("file[^0-9]", "file7"));
    EXPECT_TRUE(leaves_out("file[^0-9]", "file\xc3\xa9")) << "one letter of two bytes";
    EXPECT_TRUE(leaves_out("[!a]", "!")) << "'!' in a class stands for itself";
    EXPECT_TRUE(leaves_out("[a-]", "-"));
}

TEST(IgnoreRules, TakeQuestionMarksAsTheyAre) {
    EXPECT_TRUE(leaves_out(".*.sw?", ".a.sw?"));
    EXPECT_FALSE(leaves_out(".*.sw?", ".a.swp"));
}

TEST(IgnoreRules, LetTheLastRuleThatMatchesDecide) {
    const IgnoreRules rules = rules_of({"*.js", R"(!\*.js)", "!a#b.js"});
    EXPECT_TRUE(rules.matches("abc.js"));
    EXPECT_FALSE(rules.matches("*.js"));
    EXPECT_FALSE(rules.matches("a#b.js"));
    EXPECT_TRUE(rules_of({"a", "!a", "a"}).matches("a"));
    EXPECT_FALSE(rules_of({"!a"}).matches("a"));
}

TEST(IgnoreRules, SkipCommentsAndBlanks) {
    EXPECT_FALSE(leaves_out("#abc", "#abc"));
    EXPECT_TRUE(leaves_out(R"(\#abc)", "#abc"));
    EXPECT_TRUE(leaves_out("  abc \r", "abc"));
    EXPECT_FALSE(leaves_out("   ", " "));
    EXPECT_TRUE(leaves_out("!#abc", "abc") == false);
}

TEST(IgnoreRules, SayWhichRulesCanMatchNothing) {
    IgnoreRules rules;
    for (const char* line : {"foo/", "a/b", "/a/b", "a/**/b", "foo/**/", "/**", "**/"}) {
        const Result<bool> can_match = rules.add(line);
        ASSERT_TRUE(can_match.ok()) << line;
        EXPECT_FALSE(*can_match) << line;
    }
    EXPECT_FALSE(rules.matches("foo"));
    EXPECT_FALSE(rules.matches("b"));
    std::vector<std::string> useless;
    ASSERT_TRUE(rules.add_lines("a\nbuild/\n\nc", useless).ok());
    EXPECT_EQ(useless, std::vector<std::string>{"build/"});
    EXPECT_TRUE(rules.matches("c"));
}

TEST(IgnoreRules, RefuseWhatWouldMeanSomethingElseInKubo) {
    for (const char* line : {"c++",
                             "a(b",
                             "a|b",
                             "{x}",
                             "a$",
                             "[",
                             "[]",
                             "[z-a]",
                             "[a*]",
                             "a\\",
                             "\\d",
                             "[\xc3\xa9]",
                             "a]"}) {
        IgnoreRules rules;
        EXPECT_EQ(rules.add(line).error().code, Errc::malformed) << line;
    }
    EXPECT_TRUE(leaves_out(R"(c\+\+)", "c++"));
    IgnoreRules rules;
    std::vector<std::string> useless;
    const Result<void> refused = rules.add_lines("good\nb+d\n", useless);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().message,
              "line 2: ignore rule 'b+d': '+' needs a '\\' in front of it");
}

TEST(IgnoreRules, RefuseARuleOneByteTooLong) {
    IgnoreRules rules;
    EXPECT_TRUE(rules.add(std::string(limits::ignore_rule_bytes_max, 'a')).ok());
    EXPECT_EQ(rules.add(std::string(limits::ignore_rule_bytes_max + 1, 'a')).error().code,
              Errc::too_large);
}

TEST(IgnoreRules, AreFastWithManyStars) {
    std::string rule, name(255, 'a');
    for (int star = 0; star < 100; ++star) {
        rule += "*a";
    }
    EXPECT_FALSE(leaves_out(rule + "b", name));
}

} // namespace
} // namespace ic::importer
