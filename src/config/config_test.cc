#include "base/file.h"
#include "config/home.h"
#include "config/settings.h"
#include "config/trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace ic::config {
namespace {

using testing::HasSubstr;

std::string no_variables(const char*) { return {}; }

class Config : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "ic-config-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& name, std::string_view text) {
        ASSERT_TRUE(write_file(folder_ + "/" + name, bytes_of(text), 0600, IfExists::replace).ok());
    }

    std::string read(const std::string& name) {
        return std::string(text_of(**read_file_if_exists(folder_ + "/" + name, 1U << 20U)));
    }

    std::string folder_;
};

TEST_F(Config, HomeIsMadeForItsUserAloneAndOpenedAgain) {
    const std::string path = folder_ + "/a/home";
    ASSERT_TRUE(open_home(path).ok());
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_all);
    EXPECT_EQ(open_home(path)->blocks(), path + "/blocks");
}

TEST_F(Config, HomeOfANewerVersionIsRefused) {
    write("format_version", "2\n");
    const Result<Home> home = open_home(folder_);
    ASSERT_FALSE(home.ok());
    EXPECT_EQ(home.error().code, Errc::unsupported);
    EXPECT_THAT(home.error().message, HasSubstr("says 2"));
}

TEST_F(Config, HomeIsTheFlagThenTheVariableThenTheUsersFolder) {
    EXPECT_EQ(*choose_home("/flag", [](const char*) -> std::string { return "/variable"; }),
              "/flag");
    EXPECT_EQ(*choose_home("", [](const char*) -> std::string { return "/variable"; }),
              "/variable");
    EXPECT_EQ(*choose_home("",
                           [](const char* name) -> std::string {
                               return std::string_view(name) == "HOME" ? "/u" : "";
                           }),
              "/u/.ipfs-compute");
    EXPECT_EQ(choose_home("", &no_variables).error().code, Errc::usage);
}

TEST(NetworkFileSystem, IsToldFromALocalOne) {
    EXPECT_TRUE(is_network_file_system(0x6969)) << "NFS, statfs(2)";
    EXPECT_FALSE(is_network_file_system(0xef53)) << "ext4, statfs(2)";
}

TEST_F(Config, LaterSourcesWinAndAreNamed) {
    write("config.toml", "# mine\nkubo = \"off\"\n\n[import]\nprofile = \"unixfs-v0-2015\"\n");
    const std::vector<std::string> flags{"worker.slots=4"};
    const Result<LoadedSettings> loaded = load_settings(
        Home{folder_},
        [](const char* name) -> std::string {
            return std::string_view(name) == "IPFS_COMPUTE_KUBO" ? "http://127.0.0.1:5009" : "";
        },
        flags);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    EXPECT_EQ(loaded->values.import_profile, "unixfs-v0-2015");
    EXPECT_EQ(loaded->values.kubo, "http://127.0.0.1:5009");
    EXPECT_EQ(loaded->values.worker_slots, 4U);
    EXPECT_THAT(
        loaded->effective,
        testing::IsSupersetOf({
            EffectiveSetting{"import.profile", "unixfs-v0-2015", folder_ + "/config.toml:5"},
            EffectiveSetting{"kubo", "http://127.0.0.1:5009", "IPFS_COMPUTE_KUBO"},
            EffectiveSetting{"worker.slots", "4", "--set"},
            EffectiveSetting{"store.bytes_max", "0", "default"},
        }));
}

TEST(ParseConfig, RefusesUnknownKeysWithTheirLineAndTheNearestKey) {
    const auto parsed = parse_config("\n[import]\nprofil = \"x\"\n", "c.toml");
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().message,
              "c.toml:3: unknown setting 'import.profil'; did you mean 'import.profile'?");
}

TEST(ParseConfig, RefusesWrongTypesAndValuesWithTheirLine) {
    EXPECT_EQ(parse_config("kubo = 5", "c").error().message, "c:1: kubo must be text in quotes");
    EXPECT_EQ(parse_config("kubo = [1]", "c").error().code, Errc::malformed);
    EXPECT_EQ(parse_config("\nkubo_timeout_ms = \"5\"", "c").error().message,
              "c:2: kubo_timeout_ms must be a whole number");
    EXPECT_EQ(parse_config("kubo_timeout_ms = 0", "c").error().code, Errc::malformed);
    EXPECT_EQ(parse_config("kubo_timeout_ms = 3600001", "c").error().code, Errc::malformed);
    EXPECT_EQ(parse_config("[store]\nbytes_max = -1", "c").error().code, Errc::malformed);
    EXPECT_THAT(parse_config("\n\nkubo = ", "c").error().message, HasSubstr("c:3: "));
}

TEST(ParseConfig, RefusesAFileOneByteBeyondTheLimit) {
    EXPECT_TRUE(parse_config(std::string(limits::config_bytes_max, '\n'), "c").ok());
    EXPECT_EQ(parse_config(std::string(limits::config_bytes_max + 1, '\n'), "c").error().code,
              Errc::too_large);
}

TEST(Assign, RefusesAValueOneByteBeyondTheLimit) {
    Settings settings;
    const std::string longest = "/" + std::string(limits::value_bytes_max - 1, 'x');
    EXPECT_TRUE(assign(settings, "kubo", longest).ok());
    EXPECT_EQ(assign(settings, "kubo", longest + "x").error().code, Errc::usage);
}

TEST(Assign, TakesPeerIdsEachOnce) {
    Settings settings;
    const auto takes = [&settings](const std::string& peers) {
        return assign(settings, "policy.unsigned_peers", peers).ok();
    };
    EXPECT_TRUE(takes(""));
    EXPECT_TRUE(takes("12D3KooWA Qmb  12D3KooWB"));
    EXPECT_FALSE(takes("12D3KooWA 12D3KooWA"));
    EXPECT_FALSE(takes("k51qzi5"));
    std::string most;
    for (int n = 0; n < 64; ++n) {
        most += "12D3KooW" + std::to_string(n) + " ";
    }
    EXPECT_TRUE(takes(most));
    EXPECT_FALSE(takes(most + "12D3KooW64"));
}

TEST(ParseConfig, TakesLettersBeyondAsciiInCommentsAndAsEscapes) {
    const auto parsed = parse_config("# caf\u00e9\nkubo = \"off\" # \u20ac\n", "c.toml");
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(parse_config("kubo = \"caf\u00e9\"\n", "c.toml").error().code, Errc::malformed);
    EXPECT_EQ(*with_setting("kubo = \"auto\" # \u20ac\n", "c", "kubo", "off"),
              "kubo = \"off\" # \u20ac\n");
    const std::vector<Trusted> trusted{{.did = "did:key:z6Mk", .name = "Ren\u00e9 \U0001f600"}};
    const auto again = parse_trust(print_trust(trusted), "trust.toml");
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(*again, trusted);
}

TEST(WithSetting, ChangesOneValueAndKeepsComments) {
    EXPECT_EQ(*with_setting("# top\nkubo = \"auto\" # why\n[import]\n", "c", "kubo", "off"),
              "# top\nkubo = \"off\" # why\n[import]\n");
    EXPECT_EQ(*with_setting("[store] # big\nbytes_max = 5\n", "c", "store.bytes_max", "12345"),
              "[store] # big\nbytes_max = 12345\n");
}

TEST(WithSetting, AddsWhatIsNotThereWhereItBelongs) {
    EXPECT_EQ(*with_setting("", "c", "kubo", "off"), "kubo = \"off\"\n");
    EXPECT_EQ(*with_setting("[import]\n", "c", "kubo", "off"), "kubo = \"off\"\n[import]\n");
    EXPECT_EQ(*with_setting("[import] # x\n", "c", "import.profile", "unixfs-v0-2015"),
              "[import] # x\nprofile = \"unixfs-v0-2015\"\n");
    EXPECT_EQ(*with_setting("kubo = \"off\"", "c", "worker.slots", "4"),
              "kubo = \"off\"\n\n[worker]\nslots = 4\n");
}

TEST(WithSetting, RefusesWhatTheFileCouldNotHold) {
    EXPECT_EQ(with_setting("", "c", "kub", "off").error().code, Errc::usage);
    EXPECT_EQ(with_setting("", "c", "kubo", "maybe").error().code, Errc::usage);
    EXPECT_EQ(with_setting("", "c", "kubo_timeout_ms", "5s").error().code, Errc::usage);
}

TEST_F(Config, StoreSettingMakesTheFile) {
    ASSERT_TRUE(store_setting(Home{folder_}, "kubo", "off").ok());
    EXPECT_EQ(read("config.toml"), "kubo = \"off\"\n");
}

TEST(Trust, PrintsWhatItParses) {
    const std::vector<Trusted> trusted{
        {"did:key:z6MkA", "alice \"a\"", {"/ip4/192.0.2.7/tcp/4001/p2p/12D3KooWA", "/dns/a/tcp/1"}},
        {"did:key:z6MkB", ""},
        {"did:key:z6MkC", "", {"/ip4/192.0.2.8/tcp/4001/p2p/12D3KooWC"}}};
    EXPECT_EQ(*parse_trust(print_trust(trusted), "t"), trusted);
    EXPECT_TRUE(parse_trust("", "t")->empty());
}

TEST(Trust, RefusesWhatIsTwiceUnknownOrNoDid) {
    const std::string entry = "[[trusted]]\ndid = \"did:key:z6MkA\"\n";
    EXPECT_EQ(parse_trust(entry + entry, "t").error().code, Errc::malformed);
    EXPECT_EQ(parse_trust(entry + "nam = \"x\"\n", "t").error().message,
              "t:3: unexpected 'trusted.0.nam'");
    EXPECT_EQ(parse_trust("[[trusted]]\nname = \"x\"\n", "t").error().code, Errc::malformed);
    EXPECT_EQ(parse_trust(entry + "[[trusted]]\nname = \"x\"\n", "t").error().code, Errc::malformed)
        << "a name without a did is not the name of the entry before";
    EXPECT_EQ(parse_trust("[[trusted]]\ndid = \"x\"\n", "t").error().code, Errc::malformed);
}

TEST(Trust, RefusesOneBeyondItsLimits) {
    const auto entries = [](std::size_t count) {
        std::vector<Trusted> trusted;
        for (std::size_t index = 0; index < count; ++index) {
            trusted.push_back({"did:key:" + std::to_string(index), ""});
        }
        return print_trust(trusted);
    };
    EXPECT_TRUE(parse_trust(entries(limits::trusted_max), "t").ok());
    EXPECT_EQ(parse_trust(entries(limits::trusted_max + 1), "t").error().code, Errc::malformed);
    const std::string name(limits::trusted_name_bytes_max, 'n');
    EXPECT_TRUE(parse_trust(print_trust({{"did:key:a", name}}), "t").ok());
    EXPECT_FALSE(parse_trust(print_trust({{"did:key:a", name + "n"}}), "t").ok());
}

TEST(Trust, HasItsMostAddressesAndNotOneMore) {
    const auto with = [](std::size_t count, std::size_t bytes) {
        const std::string address = "/" + std::string(bytes - 1, 'a');
        const std::vector<std::string> at(count, address);
        return parse_trust(print_trust({{"did:key:a", "", at}}), "t").ok();
    };
    EXPECT_TRUE(with(limits::trusted_addresses_max, limits::trusted_address_bytes_max));
    EXPECT_FALSE(with(limits::trusted_addresses_max + 1, 10));
    EXPECT_FALSE(with(1, limits::trusted_address_bytes_max + 1));
    EXPECT_EQ(parse_trust("[[trusted]]\nat = \"x\"\ndid = \"did:key:a\"\n", "t").error().code,
              Errc::malformed);
    EXPECT_EQ(parse_trust("[[trusted]]\nat = \"/x\"\n", "t").error().code, Errc::malformed)
        << "no did";
}

TEST(Trust, TakesAKeyInWithANameOfItsOwn) {
    const std::vector<Trusted> old{{"did:key:a", "host", {"/a"}}, {"did:key:b", "host 2"}};
    EXPECT_EQ(with_trusted(old, {"did:key:c", "host", {"/c"}}).back(),
              (Trusted{"did:key:c", "host 3", {"/c"}}));
    EXPECT_EQ(with_trusted(old, {"did:key:a", "", {}}), old);
    EXPECT_EQ(with_trusted(old, {"did:key:a", "other", {"/d"}}).front(),
              (Trusted{"did:key:a", "other", {"/d"}}));
    EXPECT_EQ(with_trusted(old, {"did:key:a", "host", {}}), old) << "its own name is not taken";
    const std::string longest(limits::trusted_name_bytes_max, 'n');
    const auto both = with_trusted({{"did:key:a", longest}}, {"did:key:b", longest});
    EXPECT_TRUE(parse_trust(print_trust(both), "t").ok());
}

} // namespace
} // namespace ic::config
