/// A real Kubo daemon, offline and on loopback: what `ipfs add` put there simply works.

#include "cli/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace ic::cli_test {
namespace {

/// In a home of its own, which goes with the desk.
class Kubo {
public:
    Kubo(const Desk& desk, std::string program)
        : program_(std::move(program))
        , home_(desk.program().folder() + "/kubo") {
        std::filesystem::create_directories(home_);
        how_.environment = {"IPFS_PATH=" + home_};
        ipfs({"init", "--profile=test"});
        ipfs({"config", "--json", "Addresses.API", R"("/ip4/127.0.0.1/tcp/0")"});
        ipfs({"config", "--json", "Addresses.Gateway", R"("/ip4/127.0.0.1/tcp/0")"});
        ipfs({"config", "--json", "Addresses.Swarm", "[]"});
        ipfs({"config", "--json", "AutoConf.Enabled", "false"});
        daemon_ = std::make_unique<Running>(
            std::vector<std::string>{program_, "daemon", "--offline"}, how_);
        EXPECT_TRUE(daemon_->wait_for_out("Daemon is ready")) << daemon_->err();
    }

    std::string ipfs(std::vector<std::string> words) const {
        words.insert(words.begin(), program_);
        const Finished finished = testing_support::run_process(words, how_);
        EXPECT_EQ(finished.status, 0) << words[1] << ": " << finished.err;
        return finished.out.substr(0, finished.out.find('\n'));
    }

    /// For those who are to find it.
    const HowToRun& how() const { return how_; }

private:
    std::string program_;
    std::string home_;
    HowToRun how_;
    std::unique_ptr<Running> daemon_;
};

TEST(KuboDaemon, AModuleAddedThereIsSubmittedByItsCid) {
    const Finished built = testing_support::run_process({IC_ROOT "/tools/kubo", "--if-built"});
    if (built.status != 0) {
        GTEST_SKIP() << "Kubo is not built here: tools/kubo builds it";
    }
    const Desk desk;
    const Kubo kubo(desk, built.out.substr(0, built.out.find('\n')));
    const std::string module = kubo.ipfs({"add", "--quiet", desk.kit_file()});
    EXPECT_THAT(module, ::testing::StartsWith("Qm")) << "as a plain `ipfs add` names it";
    const std::string text = kubo.ipfs(
        {"add", "--quiet", "--cid-version=1", desk.file("text", std::string(600'000, 't'))});

    const auto worker = desk.start({"worker"}, kubo.how());
    ASSERT_TRUE(worker->wait_for_err(" is ready, ")) << worker->err();
    const Finished submitted = desk({"submit", "--wasm-cid", module}, kubo.how());
    EXPECT_EQ(submitted.status, 0) << submitted.err;
    EXPECT_EQ(submitted.out, "hello\n");
    // A guest reads from there too, and so does `run`.
    const std::vector<std::string> get{
        "--wasm-cid", module, "--handler", "get", "--event", desk.file("path", text)};
    for (const char* command : {"submit", "run"}) {
        std::vector<std::string> words{command};
        words.insert(words.end(), get.begin(), get.end());
        EXPECT_EQ(desk(words, kubo.how()).out.size(), 600'000U) << command;
    }
}

} // namespace
} // namespace ic::cli_test
