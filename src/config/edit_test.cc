#include "base/file.h"
#include "config/edit.h"
#include "config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace ic::config {
namespace {

using testing::HasSubstr;

class Edit : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "ic-edit-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        home_.path = pattern;
    }

    void TearDown() override { std::filesystem::remove_all(home_.path); }

    void write(const std::string& path, std::string_view text) {
        ASSERT_TRUE(write_file(path, bytes_of(text), 0600, IfExists::replace).ok());
    }

    std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(home_.path), {}));
    }

    Home home_;
};

TEST_F(Edit, PutsADraftInPlaceAndLeavesNothingBehind) {
    EXPECT_EQ(*read_config(home_), "");
    const std::string draft = make_draft(home_, "").take();
    EXPECT_TRUE(draft.ends_with(".toml"));
    EXPECT_EQ(std::filesystem::status(draft).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    write(draft, "kubo = \"off\" # here\n");
    EXPECT_TRUE(*take_draft(home_, draft, ""));
    EXPECT_EQ(*read_config(home_), "kubo = \"off\" # here\n");
    EXPECT_EQ(files(), 1U);
}

TEST_F(Edit, ChangesNothingWhereNothingWasWritten) {
    write(home_.config_file(), "# mine\n");
    const std::string draft = make_draft(home_, "# mine\n").take();
    EXPECT_FALSE(*take_draft(home_, draft, "# mine\n"));
    EXPECT_EQ(files(), 1U);
    const std::string gone = make_draft(home_, "# mine\n").take();
    std::filesystem::remove(gone);
    EXPECT_FALSE(*take_draft(home_, gone, "# mine\n")) << "an editor may have removed it";
}

TEST_F(Edit, KeepsWhatIsWrongAsideAndSaysWhere) {
    write(home_.config_file(), "# mine\n");
    const std::string draft = make_draft(home_, "# mine\n").take();
    write(draft, "# mine\nkubbo = \"off\"\n");
    const Result<bool> taken = take_draft(home_, draft, "# mine\n");
    ASSERT_FALSE(taken.ok());
    EXPECT_EQ(taken.error().code, Errc::malformed);
    EXPECT_THAT(taken.error().message, HasSubstr("what you wrote:2: unknown setting 'kubbo'"));
    EXPECT_THAT(taken.error().message, HasSubstr("kept in " + draft));
    EXPECT_EQ(*read_config(home_), "# mine\n");
    EXPECT_TRUE(std::filesystem::exists(draft));
    EXPECT_FALSE(drop_draft(draft, "# mine\n")) << "it says something";
    EXPECT_TRUE(drop_draft(draft, "# mine\nkubbo = \"off\"\n"));
    EXPECT_FALSE(std::filesystem::exists(draft));
}

TEST_F(Edit, OverwritesNoChangeOfSomebodyElse) {
    const std::string draft = make_draft(home_, "").take();
    write(draft, "kubo = \"off\"\n");
    ASSERT_TRUE(store_setting(home_, "worker.slots", "3").ok());
    const Result<bool> taken = take_draft(home_, draft, "");
    ASSERT_FALSE(taken.ok());
    EXPECT_EQ(taken.error().code, Errc::refused);
    EXPECT_THAT(*read_config(home_), HasSubstr("slots = 3"));
    EXPECT_TRUE(std::filesystem::exists(draft));
}

TEST_F(Edit, TakesNoFileBeyondTheBoundOfConfig) {
    const std::string draft = make_draft(home_, "").take();
    write(draft, std::string(limits::config_bytes_max, '#'));
    EXPECT_TRUE(take_draft(home_, draft, "").ok());
    const std::string larger = make_draft(home_, "").take();
    write(larger, std::string(limits::config_bytes_max + 1, '#'));
    EXPECT_EQ(take_draft(home_, larger, std::string(limits::config_bytes_max, '#')).error().code,
              Errc::too_large);
    EXPECT_TRUE(std::filesystem::exists(larger));
}

} // namespace
} // namespace ic::config
