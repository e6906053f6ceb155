/// Guests that mean harm, through `run` and through `submit` and a worker: each ends within its
/// limit with the right name, and what comes after it is right.

#include "cli/desk.h"
#include "executor/wasm/testing/compile_bomb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace ic::cli_test {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

/// What a quiet machine needs beyond a limit is recorded beside it (`over_limit_ms`, from the
/// process's start to its end; 200 ms is the promise). This much is added for machines that are
/// shared: a guest that is not stopped takes for ever, a bomb half a minute.
constexpr auto promise = 200ms;
constexpr auto slack = 10s;

struct Hostile {
    const char* name;
    std::vector<std::string> words; ///< Behind `run` or `submit`; KIT, START and BOMB are files.
    const char* error;
    int status;
    const char* says;
    std::chrono::milliseconds limit; ///< When it must be over; of what ends by itself: 0.
};

std::vector<std::string> kit(const char* handler, std::vector<std::string> more) {
    more.insert(more.begin(), {"--wasm-file", "KIT", "--handler", handler});
    return more;
}

std::vector<Hostile> hostile_guests() {
    const std::vector<std::string> half{"--timeout", "500ms"};
    return {
        {"Loop", kit("loop", half), "limit-wall-time", 123, "--timeout", 500ms},
        {"LoopInStart",
         {"--wasm-file", "START", "--handler", "run", "--timeout", "500ms"},
         "limit-wall-time",
         123,
         "--timeout",
         500ms},
        {"Fuel", kit("loop", {"--fuel", "1000000"}), "limit-fuel", 123, "raise --fuel", 0ms},
        {"Grow", kit("grow", {"--memory", "8MiB"}), "limit-memory", 123, "8388608", 0ms},
        {"GrowToTheDefault", kit("grow", {}), "limit-memory", 123, "268435456", 0ms},
        {"Recurse", kit("recurse", {}), "trap-stack", 122, "stack", 0ms},
        {"FloodOutput", kit("flood_output", {}), "limit-output", 123, "16777216", 0ms},
        {"FloodLog", kit("flood_log", {}), "limit-log", 123, "1048576", 0ms},
        {"LeakHandles", kit("leak_handles", {}), "limit-handles", 123, "64", 0ms},
        {"SleepVirtually", kit("sleep", half), "limit-wall-time", 123, "--timeout", 500ms},
        {"SleepForReal",
         kit("sleep", {"--impure", "--timeout", "500ms"}),
         "limit-wall-time",
         123,
         "--timeout",
         500ms},
        {"CompileBombInTime",
         {"--wasm-file", "BOMB", "--handler", "run", "--compile-timeout", "1s"},
         "compile-timeout",
         123,
         "--compile-timeout",
         1000ms},
    };
}

class Guests : public ::testing::TestWithParam<Hostile> {
protected:
    std::vector<std::string> words(const std::string& command) const {
        std::vector<std::string> words = GetParam().words;
        words.insert(words.begin(), {command, "-q"});
        for (std::string& word : words) {
            if (word == "KIT") {
                word = desk_.kit_file();
            } else if (word == "START") {
                word = desk_.wasm("start", R"((module (func $spin (loop $again (br $again)))
                    (start $spin) (func (export "run"))))");
            } else if (word == "BOMB") {
                const Bytes bomb = executor::wasm::compile_bomb();
                word = desk_.file("bomb.wasm", text_of(ByteView{bomb}));
            }
        }
        return words;
    }

    void expect_it_ends(const std::string& command) {
        const Timed ended = desk_.timed(words(command));
        const Hostile& hostile = GetParam();
        EXPECT_THAT(expect_error(ended.finished, hostile.status, hostile.error),
                    HasSubstr(hostile.says));
        const auto over = ended.took - hostile.limit;
        RecordProperty(command + "_over_limit_ms", std::to_string(over.count()));
        EXPECT_LT(over, promise + slack);
        EXPECT_GE(over, 0ms) << "before its time";
    }

    Desk desk_;
};

TEST_P(Guests, EndInRun) {
    expect_it_ends("run");
    EXPECT_EQ(desk_(desk_.kit("run", "_start", {"-q"})).out, "hello\n");
}

TEST_P(Guests, EndInAWorkerWhoseNextJobIsRight) {
    const auto worker = desk_.start_worker({"--slots", "1"});
    expect_it_ends("submit");
    const Finished next = desk_(desk_.kit("submit", "_start", {"-q"}));
    EXPECT_EQ(next.out, "hello\n");
    EXPECT_EQ(next.err, "");
}

INSTANTIATE_TEST_SUITE_P(Hostile,
                         Guests,
                         ::testing::ValuesIn(hostile_guests()),
                         [](const auto& guest) { return std::string(guest.param.name); });

// What a flood wrote up to its limit is kept and shown.
TEST(Flood, IsShownUpToItsLimit) {
    const Desk desk;
    const Finished ran = desk(desk.kit("run", "flood_output", {"-q"}));
    EXPECT_EQ(ran.out.size(), std::size_t{16} << 20U);
}

} // namespace
} // namespace ic::cli_test
