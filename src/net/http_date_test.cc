#include "net/http_date.h"

#include <gtest/gtest.h>

namespace ic::net {
namespace {

TEST(HttpDate, IsAsTheSpecificationHasIt) {
    EXPECT_EQ(http_date({784'111'777}), "Sun, 06 Nov 1994 08:49:37 GMT"); // RFC 9110, 5.6.7.
    EXPECT_EQ(http_date({0}), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(http_date({1'709'251'199}), "Thu, 29 Feb 2024 23:59:59 GMT");
    EXPECT_EQ(http_date({253'402'300'799}), "Fri, 31 Dec 9999 23:59:59 GMT");
}

} // namespace
} // namespace ic::net
