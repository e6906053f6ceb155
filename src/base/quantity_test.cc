#include "base/quantity.h"

#include <gtest/gtest.h>

namespace ic {
namespace {

using namespace std::chrono_literals;

TEST(Quantity, DurationsHaveUnitsAndABareNumberIsSeconds) {
    EXPECT_EQ(*parse_duration("500ms"), 500ms);
    EXPECT_EQ(*parse_duration("30s"), 30s);
    EXPECT_EQ(*parse_duration("30"), 30s);
    EXPECT_EQ(*parse_duration("5m"), 5min);
    EXPECT_EQ(*parse_duration("2h"), 2h);
    EXPECT_EQ(*parse_duration("7d"), 168h);
}

TEST(Quantity, WhatIsNoDurationIsAUsageErrorThatSaysTheForms) {
    for (const char* text : {"", "s", "-1s", "1.5s", "1 s", "1w", "1ss", "0x10"}) {
        const auto parsed = parse_duration(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, Errc::usage) << text;
        EXPECT_NE(parsed.error().message.find("500ms"), std::string::npos) << text;
    }
}

TEST(Quantity, BytesHaveBinaryAndDecimalUnits) {
    EXPECT_EQ(*parse_bytes("0"), 0U);
    EXPECT_EQ(*parse_bytes("64KiB"), 65'536U);
    EXPECT_EQ(*parse_bytes("64kB"), 64'000U);
    EXPECT_EQ(*parse_bytes("1GiB"), 1ULL << 30U);
    EXPECT_EQ(parse_bytes("64K").error().code, Errc::usage);
}

TEST(Quantity, TheLargestValueFitsAndOneMoreDoesNot) {
    EXPECT_EQ(*parse_bytes("9223372036854775807"), (1ULL << 63U) - 1);
    EXPECT_EQ(parse_bytes("9223372036854775808").error().code, Errc::too_large);
    EXPECT_EQ(parse_bytes("8388608TiB").error().code, Errc::too_large);
    EXPECT_EQ(parse_bytes("99999999999999999999999").error().code, Errc::too_large);
}

TEST(Quantity, DurationsAreShownWithThreeDigits) {
    EXPECT_EQ(human_duration(7us), "7 us");
    EXPECT_EQ(human_duration(1'840us), "1.84 ms");
    EXPECT_EQ(human_duration(12'300ms), "12.3 s");
    EXPECT_EQ(human_duration(185s), "3 min 5 s");
}

} // namespace
} // namespace ic
