/// Two homes on this machine, paired as people and as programs do it.

#include "cli/program.h"
#include "support/running.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using ic::testing_support::Finished;
using ic::testing_support::HowToRun;
using ic::testing_support::Program;
using ic::testing_support::Running;
using ::testing::HasSubstr;
using ::testing::Not;

HowToRun in_home_of(const Program& program) {
    HowToRun how;
    how.environment = {"IPFS_COMPUTE_PATH=" + program.home(),
                       "IPFS_PATH=" + program.folder() + "/no-kubo"};
    return how;
}

/// The text between the first `before` and the next `after`; empty if there is none.
std::string between(const std::string& text, const std::string& before, const std::string& after) {
    const std::size_t begin = text.find(before);
    if (begin == std::string::npos) {
        return {};
    }
    const std::size_t from = begin + before.size();
    const std::size_t end = text.find(after, from);
    return end == std::string::npos ? std::string{} : text.substr(from, end - from);
}

std::string did_of(const Program& program) {
    return between(program({"id", "--json"}).out, "\"did\":\"", "\"");
}

/// `pair` with what it says so far.
class Invitation {
public:
    explicit Invitation(const Program& program, std::vector<std::string> more = {})
        : running_(words(std::move(more)), in_home_of(program)) {}

    /// The n-th code, from 1 on.
    std::string code(std::size_t number) {
        EXPECT_TRUE(running_.wait_for_out("\"code\"", number)) << running_.err();
        std::string rest = running_.out();
        for (std::size_t skipped = 1; skipped < number; ++skipped) {
            rest = rest.substr(rest.find("\"code\"") + 1);
        }
        return between(rest.substr(rest.find("\"code\"")), "\"code\":\"", "\"");
    }

    std::string url() {
        code(1);
        return "http://127.0.0.1:" + between(running_.out(), "http://127.0.0.1:", "\"");
    }

    Finished finish() { return running_.finish(); }

private:
    static std::vector<std::string> words(std::vector<std::string> more) {
        std::vector<std::string> all{IC_PROGRAM, "pair", "--json", "--listen", "127.0.0.1:0"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    Running running_;
};

TEST(Pair, HasEachTrustTheOther) {
    const Program one;
    const Program two;
    Invitation invitation(one, {"--name", "attic"});
    const Finished joined = two({"pair", invitation.code(1), invitation.url(), "--name", "cellar"});
    EXPECT_EQ(joined.status, 0) << joined.err;
    EXPECT_EQ(joined.out, "paired with " + did_of(one) + "  cellar\n");
    const Finished invited = invitation.finish();
    EXPECT_EQ(invited.status, 0) << invited.err;
    EXPECT_THAT(invited.out, HasSubstr("\"did\":\"" + did_of(two) + "\",\"name\":\"attic\""));
    EXPECT_EQ(one({"trust", "list"}).out, did_of(two) + "  attic\n");
    EXPECT_EQ(two({"trust", "list"}).out, did_of(one) + "  cellar\n");
}

TEST(Pair, CallsTheOtherByItsMachineUnlessItIsToldAName) {
    const Program one;
    const Program two;
    Invitation invitation(one);
    // As somebody types it.
    std::string typed = invitation.code(1);
    for (char& letter : typed) {
        letter = letter == '-' ? ' ' : static_cast<char>(std::tolower(letter));
    }
    const Finished joined = two({"pair", typed, invitation.url(), "--json"});
    EXPECT_EQ(joined.status, 0) << joined.err;
    EXPECT_EQ(invitation.finish().status, 0);
    EXPECT_THAT(joined.out, Not(HasSubstr("\"name\":null"))) << "machines have names";
    // Again: the same two, and no second entry.
    Invitation again(one);
    EXPECT_EQ(two({"pair", again.code(1), again.url(), "--name", "cellar"}).status, 0);
    EXPECT_EQ(again.finish().status, 0);
    EXPECT_EQ(one({"trust", "list", "--json"}).out.find("did:key:"),
              one({"trust", "list", "--json"}).out.rfind("did:key:"));
    // And once more: a name that was given is not replaced by the machine's.
    Invitation third(one);
    EXPECT_EQ(two({"pair", third.code(1), third.url()}).out,
              "paired with " + did_of(one) + "  cellar\n");
    EXPECT_EQ(third.finish().status, 0);
}

TEST(Pair, TrustsNobodyWithAnotherCode) {
    const Program one;
    const Program two;
    Invitation invitation(one);
    std::string wrong = invitation.code(1);
    wrong.back() = wrong.back() == '0' ? '1' : '0';
    const Finished joined = two({"pair", wrong, invitation.url()});
    EXPECT_EQ(joined.status, 126) << joined.err;
    EXPECT_THAT(joined.err, HasSubstr("the code is not the same at both ends"));
    EXPECT_EQ(two({"trust", "list"}).out, "");
    // The one that was tried is spent; the next is shown.
    const Finished spent = two({"pair", invitation.code(1), invitation.url()});
    EXPECT_NE(spent.status, 0);
    const Finished next = two({"pair", invitation.code(3), invitation.url()});
    EXPECT_EQ(next.status, 0) << next.err;
    EXPECT_EQ(invitation.finish().status, 0);
}

TEST(Pair, TakesACodeThatAProgramGivesToBoth) {
    const Program one;
    const Program two;
    Invitation invitation(one, {"--code", "7zk-q2m", "--yes"});
    EXPECT_EQ(invitation.code(1), "7ZK-Q2M");
    const Finished joined = two({"pair", "7ZKQ2M", invitation.url()});
    EXPECT_EQ(joined.status, 0) << joined.err;
    EXPECT_EQ(invitation.finish().status, 0);
    const Finished unsure = one({"pair", "--code", "7ZK-Q2M", "--listen", "127.0.0.1:0"});
    EXPECT_EQ(unsure.status, 120) << unsure.err;
    EXPECT_THAT(unsure.err, HasSubstr("--yes"));
}

TEST(Pair, SaysWhatIsMissing) {
    const Program program;
    EXPECT_THAT(program({"pair", "K7Q-2MX"}).err, HasSubstr("pair CODE ADDRESS"));
    EXPECT_THAT(program({"pair", "K7Q", "127.0.0.1:1"}).err, HasSubstr("six letters"));
    EXPECT_THAT(program({"pair", "--name", std::string(65, 'n')}).err, HasSubstr("64 bytes"));
    EXPECT_THAT(program({"pair", "K7Q-2MX", "127.0.0.1:1", "--valid", "1s"}).err,
                HasSubstr("the machine that shows the code"));
    const Finished nobody = program({"pair", "K7Q-2MX", "127.0.0.1:1"});
    EXPECT_EQ(nobody.status, 125) << nobody.err;
    EXPECT_THAT(nobody.err, HasSubstr("http://127.0.0.1:1"));
    const Finished late = program({"pair", "--listen", "127.0.0.1:0", "--valid", "100ms"});
    EXPECT_NE(late.status, 0);
    EXPECT_THAT(late.err, HasSubstr("nobody came"));
}

} // namespace
