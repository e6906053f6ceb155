/// `run --trace`, `--coredump`, `--profile`, and what a trap shows.

#include "cli/desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace ic::cli_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

constexpr std::string_view trapping = R"((module
  (import "env" "ipfsComputeLog" (func $log (param i32 i32) (result i64)))
  (memory (export "memory") 1)
  (data (i32.const 0) "remember")
  (func $give_up (drop (call $log (i32.const 0) (i32.const 8))) (unreachable))
  (func (export "_start") (call $give_up))))";

TEST(Trace, ShowsEachHostCallOnStandardError) {
    const Desk desk;
    const Finished ran = desk(desk.kit("run", "_start", {"--trace"}));
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(ran.out, "hello\n") << "standard output is the guest's alone";
    EXPECT_THAT(ran.err, AllOf(HasSubstr(" fd_write(1, "), HasSubstr(" = success, 6 bytes, ")));
}

TEST(Trace, WritesLinesOfJsonToAFile) {
    const Desk desk;
    const std::string file = desk.file("trace.jsonl", "old");
    const Finished ran = desk(desk.kit("run", "_start", {"--trace=" + file}));
    EXPECT_EQ(ran.status, 0) << ran.err;
    EXPECT_THAT(ran.err, Not(HasSubstr("fd_write")));
    const nlohmann::json line = json_of(content_of(file));
    EXPECT_EQ(line["call"], "fd_write");
    EXPECT_EQ(line["bytes"], 6);
}

TEST(Trace, ThatCannotBeWrittenIsSaidBeforeTheRun) {
    const Desk desk;
    const Finished ran = desk(desk.kit("run", "_start", {"--trace=/nowhere/trace"}));
    EXPECT_NE(ran.status, 0);
    EXPECT_EQ(ran.out, "");
    EXPECT_THAT(ran.err, HasSubstr("/nowhere/trace"));
}

TEST(CoreDump, IsWrittenWhereTheGuestTraps) {
    const Desk desk;
    const std::string file = desk.program().folder() + "/core";
    const Finished ran =
        desk({"run", "--wasm-file", desk.wasm("t.wasm", trapping), "--trace", "--coredump", file});
    EXPECT_THAT(expect_error(ran, 122, "trap-unreachable"), HasSubstr(" in give_up @0x"));
    EXPECT_THAT(ran.err, HasSubstr("ipfsComputeLog(0, 8) \"remember\" = 0, 8 bytes"));
    EXPECT_THAT(ran.err, HasSubstr("core dump " + file));
    EXPECT_THAT(content_of(file),
                AllOf(StartsWith(std::string_view("\0asm", 4)),
                      HasSubstr("corestack"),
                      HasSubstr("remember")));
    // It is a module itself, which shows as one.
    const Finished shown = desk({"module", "inspect", "--no-compile", file});
    EXPECT_THAT(shown.out, HasSubstr("corestack")) << shown.err;
}

TEST(CoreDump, OfAGuestThatEndsWellIsNotWritten) {
    const Desk desk;
    const std::string file = desk.program().folder() + "/core";
    const Finished ran = desk(desk.kit("run", "_start", {"--coredump", file}));
    EXPECT_EQ(ran.status, 0);
    EXPECT_THAT(ran.err, HasSubstr("core dump not written"));
    EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(CoreDump, ThatCannotBeWrittenIsSaidBesideTheGuestsFailure) {
    const Desk desk;
    const std::string module = desk.wasm("t.wasm", trapping);
    for (const auto& [file, cause] :
         {std::pair{"/nowhere/core", "No such file"}, std::pair{"/dev/full", "No space left"}}) {
        const Finished ran = desk({"run", "--wasm-file", module, "--coredump", file});
        expect_error(ran, 122, "trap-unreachable");
        EXPECT_THAT(line_after(ran.err, "core dump not written: "),
                    AllOf(HasSubstr(file), HasSubstr(cause)));
    }
    EXPECT_TRUE(std::filesystem::exists("/dev/full")) << "no file of ours";
    // Each for itself: one that can be written is.
    const std::string file = desk.program().folder() + "/profile.json";
    const Finished both =
        desk({"run", "--wasm-file", module, "--coredump", "/nowhere/core", "--profile", file});
    EXPECT_THAT(both.err, HasSubstr("core dump not written: "));
    EXPECT_THAT(both.err, HasSubstr("profile " + file));
    // Of a guest that ends well it is what ends the command.
    const Finished full = desk(desk.kit("run", "_start", {"--profile", "/dev/full"}));
    expect_error(full, 125, "storage-full");
    EXPECT_THAT(full.err, Not(HasSubstr("profile not written"))) << "once is enough";
}

TEST(CoreDump, OfWhichThereIsNoRoomLeavesNoFile) {
    const Desk desk;
    const std::string file = desk.program().folder() + "/core";
    const std::string module = desk.wasm("large.wasm", R"((module (memory (export "memory") 1024)
        (func (export "_start")
          (memory.fill (i32.const 0) (i32.const 1) (i32.const 67108864)) (unreachable))))");
    const Finished ran = testing_support::run_process(
        {"/usr/bin/env",
         "IPFS_COMPUTE_PATH=" + desk.program().home(),
         "/bin/bash",
         "-c",
         "trap '' XFSZ; ulimit -Sf 49152; exec " IC_PROGRAM " run --wasm-file '" + module +
             "' --coredump '" + file + "'"});
    expect_error(ran, 122, "trap-unreachable");
    EXPECT_THAT(line_after(ran.err, "core dump not written: "), HasSubstr("File too large"));
    EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(Profile, IsWrittenInTheFormOfFirefoxProfiler) {
    const Desk desk;
    const std::string file = desk.program().folder() + "/profile.json";
    const Finished ran = desk({"run",
                               "--wasm-file",
                               desk.wasm("s.wasm",
                                         R"((module (func $spin (loop (br 0)))
                                            (func (export "_start") (call $spin))))"),
                               "--timeout",
                               "300ms",
                               "--profile",
                               file});
    expect_error(ran, 123, "limit-wall-time");
    const nlohmann::json profile = json_of(content_of(file));
    EXPECT_GT(profile["threads"][0]["samples"]["length"].get<int>(), 5);
    EXPECT_THAT(content_of(file), HasSubstr("spin"));
}

TEST(Trap, IsShownWithItsPlaceByJobDescribe) {
    const Desk desk;
    const auto worker = desk.start_worker();
    const Finished ran = desk({"submit", "--wasm-file", desk.wasm("t.wasm", trapping), "--json"});
    EXPECT_EQ(ran.status, 122);
    const std::string job = json_of(ran.out)["job"];
    EXPECT_THAT(desk({"job", "describe", job}).out,
                HasSubstr("trap-unreachable: the guest executed `unreachable` in give_up @0x"));
}

} // namespace
} // namespace ic::cli_test
