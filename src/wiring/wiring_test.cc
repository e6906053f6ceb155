#include "base/file.h"
#include "config/home.h"
#include "wiring/identity.h"
#include "wiring/stores.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace ic::wiring {
namespace {

class Wiring : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "ic-wiring-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        home_.path = pattern;
    }

    void TearDown() override { std::filesystem::remove_all(home_.path); }

    config::Home home_;
};

TEST_F(Wiring, MakesAKeyOnceForItsOwnerAlone) {
    const Result<PrivateKey> made = open_identity(home_);
    ASSERT_TRUE(made.ok()) << made.error().message;
    const Result<PrivateKey> again = open_identity(home_);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(made->public_key(), again->public_key());
    using std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(home_.key_file()).permissions(),
              perms::owner_read | perms::owner_write);
}

TEST_F(Wiring, RefusesAKeyThatOthersMayRead) {
    ASSERT_TRUE(open_identity(home_).ok());
    std::filesystem::permissions(
        home_.key_file(), std::filesystem::perms::others_read, std::filesystem::perm_options::add);
    EXPECT_EQ(open_identity(home_).error().code, Errc::refused);
}

TEST_F(Wiring, NamesTheFileOfAKeyThatIsNone) {
    ASSERT_TRUE(write_file(home_.key_file(), bytes_of("nonsense"), 0600, IfExists::fail).ok());
    const Result<PrivateKey> key = open_identity(home_);
    EXPECT_EQ(key.error().code, Errc::malformed);
    EXPECT_TRUE(key.error().message.starts_with("reading " + home_.key_file()));
}

TEST_F(Wiring, VerifiesWhatTheStoreGives) {
    auto stores = std::move(Stores::open(home_, {})).take();
    const Cid cid = cid_of(Codec::raw, bytes_of("good"));
    ASSERT_TRUE(stores->local().put(cid, bytes_of("evil")).ok());
    EXPECT_EQ(stores->local().get(cid).error().code, Errc::hash_mismatch);
}

} // namespace
} // namespace ic::wiring
