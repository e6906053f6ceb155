#include "executor/channel/wall_set.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace ic::executor::channel {
namespace {

TEST(WallSet, IsReadAsPeopleWriteIt) {
    EXPECT_EQ(WallSet::parse("none").take(), WallSet());
    EXPECT_EQ(WallSet::parse("").take(), WallSet());
    EXPECT_EQ(WallSet::parse("all").take(), WallSet::all());
    WallSet two;
    two.add(Wall::network);
    two.add(Wall::system_calls);
    EXPECT_EQ(WallSet::parse("system-calls network").take(), two);
    const Result<WallSet> none = WallSet::parse("network moat");
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, Errc::usage);
    EXPECT_NE(none.error().message.find("'moat'"), std::string::npos);
}

TEST(WallSet, HasEveryWallByItsName) {
    for (const Wall wall : all_walls) {
        EXPECT_TRUE(WallSet::parse(name(wall)).take().has(wall)) << name(wall);
        EXPECT_NE(remedy(wall), "") << name(wall);
    }
    EXPECT_EQ(WallSet(0xff), WallSet::all()) << "bits that mean nothing";
}

TEST(Walls, ThatAreRequiredAndMissingAreNamedEach) {
    EXPECT_TRUE(check_walls({}, WallSet::all()));
    const WallErrors errors{.network = EPERM, .view = EACCES, .landlock = ENOSYS};
    EXPECT_TRUE(check_walls(errors, WallSet()));
    EXPECT_TRUE(check_walls(errors, WallSet::parse("capabilities system-calls").take()));
    const Result<void> refused = check_walls(errors, WallSet::all());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::refused);
    EXPECT_NE(refused.error().message.find("network (Operation not permitted)"), std::string::npos);
    EXPECT_NE(refused.error().message.find("files (Permission denied)"), std::string::npos);
    EXPECT_EQ(refused.error().message.find("system-calls"), std::string::npos);
    EXPECT_NE(refused.error().message.find("sysctl"), std::string::npos) << "what to do";
}

TEST(Walls, AroundFilesStandWithEitherOfTheTwo) {
    const WallSet files = WallSet::parse("files").take();
    EXPECT_TRUE(check_walls({.view = EPERM}, files));
    EXPECT_TRUE(check_walls({.landlock = ENOSYS}, files));
    EXPECT_FALSE(check_walls({.view = EPERM, .landlock = ENOSYS}, files));
}

TEST(Walls, ThatAreCgroupsSayWhyInWordsOfTheirOwn) {
    const WallSet resources = WallSet::parse("resources").take();
    EXPECT_TRUE(check_walls({.network = EPERM}, resources));
    for (const int error : {ENODEV, EOPNOTSUPP, EACCES, EBUSY}) {
        const Result<void> refused = check_walls({.resources = error}, resources);
        ASSERT_FALSE(refused);
        EXPECT_NE(refused.error().message.find("cgroup"), std::string::npos)
            << refused.error().message;
    }
}

} // namespace
} // namespace ic::executor::channel
