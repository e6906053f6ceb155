#include "base/boot.h"

#include <gtest/gtest.h>

namespace ic {
namespace {

// Source: random(4).
TEST(Boot, HasOneIdThatIsAUuid) {
    const Result<std::string> id = boot_id();
    ASSERT_TRUE(id) << id.error().message;
    EXPECT_EQ(id->size(), 36U);
    EXPECT_EQ(id->find_first_not_of("0123456789abcdef-"), std::string::npos) << *id;
    const Result<std::string> again = boot_id();
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, *id);
}

} // namespace
} // namespace ic
