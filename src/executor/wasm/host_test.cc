// The ipfsCompute functions as a guest calls them.

#include "executor/wasm/host.h"
#include "executor/wasm/host_errors.h"
#include "executor/wasm/limits.h"
#include "executor/wasm/testing/guests.h"
#include "unixfs/directory_builder.h"
#include "unixfs/file_builder.h"
#include "unixfs/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace ic::executor::wasm {
namespace {

using testing::HasSubstr;

/// A module whose memory holds `text` at 1024 and whose `run` has this body.
std::string
guest(std::string_view body, std::string_view text = "", std::string_view module = "env") {
    std::string wat = "(module ";
    const auto import = [&](std::string_view name, std::string_view parameters) {
        wat.append("(import \"").append(module).append("\" \"ipfsCompute").append(name);
        wat.append("\" (func $").append(name).append(" ").append(parameters);
        wat.append(" (result i64)))\n");
    };
    import("Log", "(param i32 i32)");
    import("Get", "(param i32 i32)");
    import("Ls", "(param i32 i32)");
    import("Add", "(param i32 i32)");
    import("Curl", "(param i32 i32)");
    import("Read", "(param i64 i32 i32)");
    import("ReadAt", "(param i64 i64 i32 i32)");
    import("Close", "(param i64)");
    import("AddOpen", "");
    import("Write", "(param i64 i32 i32)");
    import("AddFinish", "(param i64)");
    import("AbiVersion", "");
    wat.append(R"((import "wasi_snapshot_preview1" "fd_write"
        (func $fd_write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 2)
      (data (i32.const 1024) ")");
    for (const char c : text) {
        wat.append("\\").append(to_hex(bytes_of({&c, 1})));
    }
    wat.append(R"(")
      ;; Prints all that a handle gives, 7 bytes at a time.
      (func $cat (param $handle i64) (local $count i64)
        (block $end (loop $again
          (local.set $count (call $Read (local.get $handle) (i32.const 4096) (i32.const 7)))
          (br_if $end (i64.le_s (local.get $count) (i64.const 0)))
          (i32.store (i32.const 0) (i32.const 4096))
          (i32.store (i32.const 4) (i32.wrap_i64 (local.get $count)))
          (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
          (br $again))))
      (func (export "run") (result i64) (local $h i64)
)");
    wat.append(body).append("))");
    return wat;
}

/// `(call $Name (i32.const 1024) (i32.const length))`.
std::string with_text(std::string_view function, std::string_view text) {
    return "(call $" + std::string(function) + " (i32.const 1024) (i32.const " +
           std::to_string(text.size()) + "))";
}

Outcome run_with_text(Services& services,
                      std::string_view function,
                      std::string_view text,
                      const Task& task = small_task()) {
    return run_wat(guest(with_text(function, text), text), task, services);
}

std::int64_t number(HostError error) { return negative(error); }

TEST(Host, SaysItsVersion) {
    EXPECT_EQ(run_wat(guest("(call $AbiVersion)")).ending.value, abi_version);
}

TEST(Host, IsThereUnderBothNames) {
    EXPECT_EQ(run_wat(guest("(call $AbiVersion)", "", "ipfs_compute")).ending.value, abi_version);
}

TEST(Host, GetReadsAFileToItsEnd) {
    MemoryServices services;
    const std::string cid = services.put_raw("what the file says").to_string();
    const Outcome outcome = run_wat(guest("(local.set $h " + with_text("Get", cid) +
                                              ")(call $cat (local.get $h))"
                                              "(call $Close (local.get $h))",
                                          cid),
                                    small_task(),
                                    services);
    EXPECT_EQ(text_of(outcome.output), "what the file says") << outcome.ending.message;
    EXPECT_EQ(outcome.ending.value, 0);
    EXPECT_GE(outcome.usage.bytes_read, 18U);
}

TEST(Host, ReadAtReadsAnywhereAndNothingBeyondTheEnd) {
    MemoryServices services;
    const std::string cid = services.put_raw("0123456789").to_string();
    const std::string wat =
        guest("(local.set $h " + with_text("Get", cid) +
                  ")"
                  "(i64.add (i64.mul (call $ReadAt (local.get $h) (i64.const 8) (i32.const 4096)"
                  "(i32.const 100)) (i64.const 1000))"
                  "(call $ReadAt (local.get $h) (i64.const 10) (i32.const 4096) (i32.const 100)))",
              cid);
    EXPECT_EQ(run_wat(wat, small_task(), services).ending.value, 2000);
}

TEST(Host, LsGivesOneObjectALine) {
    MemoryServices services;
    unixfs::DirectoryBuilder builder({}, services);
    const Cid file = services.put_raw("abc");
    ASSERT_TRUE(builder.add("a \"name\"", {.cid = file, .tsize = 3, .file_size = 3}).ok());
    const auto root = builder.finish();
    ASSERT_TRUE(root.ok());
    const std::string cid = root->cid.to_string();
    const Outcome outcome = run_wat(guest("(local.set $h " + with_text("Ls", cid) +
                                              ")(call $cat (local.get $h))"
                                              "(local.get $h)",
                                          cid),
                                    small_task(),
                                    services);
    EXPECT_EQ(text_of(outcome.output),
              R"({"name":"a \"name\"","cid":")" + file.to_string() +
                  "\",\"type\":\"file\",\"size\":3}\n");
    const std::string path = "/ipfs/" + cid + "/a \"name\"";
    EXPECT_GT(run_with_text(services, "Get", path).ending.value, 0);
    EXPECT_EQ(run_with_text(services, "Get", cid + "/other").ending.value,
              number(HostError::not_found));
    EXPECT_EQ(run_with_text(services, "Get", cid).ending.value, number(HostError::not_a_file));
    EXPECT_EQ(run_with_text(services, "Ls", file.to_string()).ending.value,
              number(HostError::not_a_directory));
    for (const char* const function : {"Get", "Ls"}) {
        EXPECT_EQ(run_with_text(services, function, file.to_string() + "/below").ending.value,
                  number(HostError::not_a_directory))
            << function;
        EXPECT_EQ(run_with_text(services, function, path + "/below").ending.value,
                  number(HostError::not_a_directory))
            << function;
    }
}

// A directory of dag-cbor among files is a directory all the same.
TEST(Host, LsShowsWhatItDoesNotKnow) {
    MemoryServices services;
    const Cid other = cid_of(Codec::dag_cbor, bytes_of("\x80"));
    ASSERT_TRUE(services.put(other, bytes_of("\x80")));
    unixfs::DirectoryBuilder builder(unixfs::unixfs_v1_2025, services);
    ASSERT_TRUE(builder.add("data", {.cid = other, .tsize = 1, .file_size = 0}));
    const std::string cid = builder.finish().take().cid.to_string();
    const Outcome outcome =
        run_wat(guest("(call $cat " + with_text("Ls", cid) + ")(i64.const 0)", cid),
                small_task(),
                services);
    EXPECT_EQ(text_of(outcome.output),
              R"({"name":"data","cid":")" + other.to_string() + R"(","type":"unknown","size":0})" +
                  "\n");
}

/// A directory, in one node, whose listing has so many bytes: of names with control characters,
/// each of which is six bytes of text, and of some with letters for the rest.
Cid directory_listed_in(MemoryServices& services, std::size_t bytes) {
    const Cid empty = services.put_raw("");
    const std::size_t bare =
        std::string_view(R"({"name":"","cid":"","type":"file","size":0})").size() + 1 +
        empty.to_string().size();
    constexpr std::size_t controls = 160, digits = 8, letters_max = 200;
    unixfs::DirectoryBuilder builder({.shard_above_bytes = 0, .directory_links_max = 0},
                                     services); // However large.
    std::size_t number = 10'000'000;
    const auto add = [&](char letter, std::size_t count) {
        EXPECT_TRUE(builder.add(std::to_string(number++) + std::string(count, letter),
                                {.cid = empty, .tsize = 0, .file_size = 0}));
    };
    const std::size_t full = bare + digits + 6 * controls;
    for (; bytes >= 2 * full; bytes -= full) {
        add('\x01', controls);
    }
    for (std::size_t lines = bytes / (bare + digits + letters_max) + 1; lines > 0; --lines) {
        const std::size_t share = bytes / lines;
        add('x', share - bare - digits);
        bytes -= share;
    }
    return builder.finish().take().cid;
}

// Text that is no listing counts too, and takes no room that is not there.
TEST(Host, LsHoldsTheBoundOfAllListings) {
    MemoryServices services;
    constexpr std::size_t each = limits::listing_bytes_max / 2;
    constexpr auto fit = static_cast<int>(limits::listings_bytes_max / each);
    const std::string cid = directory_listed_in(services, each).to_string();
    const auto last_of = [&](int listings) {
        std::string body;
        for (int count = 0; count < listings; ++count) {
            body += "(local.set $h " + with_text("Ls", cid) + ")";
            body += count + 1 == fit ? "(drop (call $Add (i32.const 1024) (i32.const 1)))" : "";
        }
        return run_wat(guest(body + "(local.get $h)", cid), small_task(), services).ending.value;
    };
    EXPECT_EQ(last_of(fit), fit) << "the handle of the last: just as much as there may be";
    for (const int beyond : {fit + 1, fit + 2}) {
        EXPECT_EQ(last_of(beyond), number(HostError::too_large)) << beyond;
    }
}

TEST(Host, AddGivesTheCidToRead) {
    MemoryServices services;
    const Outcome outcome =
        run_wat(guest("(call $cat " + with_text("Add", "result") + ")(i64.const 0)", "result"),
                small_task(),
                services);
    EXPECT_EQ(text_of(outcome.output), cid_of(Codec::raw, bytes_of("result")).to_string());
    EXPECT_EQ(outcome.usage.bytes_added, 6U);
}

TEST(Host, AddsInPieces) {
    MemoryServices services;
    const Outcome outcome =
        run_wat(guest("(local.set $h (call $AddOpen))"
                      "(drop (call $Write (local.get $h) (i32.const 1024) (i32.const 3)))"
                      "(drop (call $Write (local.get $h) (i32.const 1027) (i32.const 3)))"
                      "(call $cat (call $AddFinish (local.get $h)))"
                      "(call $Write (local.get $h) (i32.const 1024) (i32.const 1))",
                      "result"),
                small_task(),
                services);
    EXPECT_EQ(text_of(outcome.output), cid_of(Codec::raw, bytes_of("result")).to_string());
    EXPECT_EQ(outcome.ending.value, number(HostError::bad_handle)) << "a finished handle is gone";
    EXPECT_TRUE(services.adding.empty());
}

TEST(Host, ForgetsWhatAGuestLeavesOpen) {
    MemoryServices services;
    run_wat(guest("(call $AddOpen)"), small_task(), services);
    EXPECT_TRUE(services.adding.empty());
    Task task = small_task();
    task.spec.effects = job::Effects::impure;
    EXPECT_GT(run_with_text(services, "Curl", "http://x/", task).ending.value, 0);
    EXPECT_TRUE(services.bodies.empty());
}

TEST(Host, NeverUsesAHandleTwice) {
    const Outcome outcome = run_wat(guest("(local.set $h (call $AddOpen))"
                                          "(drop (call $Close (local.get $h)))"
                                          "(i64.sub (call $AddOpen) (local.get $h))"));
    EXPECT_EQ(outcome.ending.value, 1);
}

TEST(Host, CurlGivesHeadThenBody) {
    MemoryServices services;
    Task task = small_task();
    task.spec.effects = job::Effects::impure;
    const Outcome outcome = run_wat(
        guest("(call $cat " + with_text("Curl", "http://x/") + ")(i64.const 0)", "http://x/"),
        task,
        services);
    EXPECT_EQ(text_of(outcome.output), "{\"status\":200}\nbody");
    EXPECT_THAT(services.requests, testing::ElementsAre("http://x/"));
}

TEST(Host, CurlIsRefusedToAPureGuestBeforeAnythingIsAsked) {
    MemoryServices services;
    EXPECT_EQ(run_with_text(services, "Curl", "http://x/").ending.value,
              number(HostError::refused));
    EXPECT_TRUE(services.requests.empty());
}

TEST(Host, CurlTellsAnImpureGuestWhatTheNetworkSaid) {
    Task task = small_task();
    task.spec.effects = job::Effects::impure;
    MemoryServices services;
    const auto answer = [&](Errc fault) {
        services.curl_fault = fault;
        return run_with_text(services, "Curl", "http://x/", task).ending;
    };
    EXPECT_EQ(answer(Errc::refused).value, number(HostError::refused));
    EXPECT_EQ(answer(Errc::malformed).value, number(HostError::invalid));
    EXPECT_EQ(answer(Errc::unavailable).value, number(HostError::network));
    EXPECT_EQ(answer(Errc::internal).error, Errc::internal);
}

TEST(Host, ABlockThatCannotBeHadEndsTheRunAndIsNeverShown) {
    MemoryServices services;
    const std::string cid = cid_of(Codec::raw, bytes_of("nobody has this")).to_string();
    const Outcome outcome = run_with_text(services, "Get", cid);
    EXPECT_EQ(outcome.ending.error, Errc::cid_unavailable);
    EXPECT_FALSE(outcome.ending.value.has_value());
    EXPECT_THAT(outcome.ending.message, HasSubstr(cid));
    for (const Errc fault : {Errc::hash_mismatch, Errc::unavailable, Errc::internal}) {
        services.block_fault = fault;
        EXPECT_EQ(run_with_text(services, "Get", cid).ending.error, fault);
    }
    services.block_fault = Errc::not_found;
    EXPECT_EQ(run_with_text(services, "Get", cid).ending.error, Errc::cid_unavailable);
}

TEST(Host, TellsTheGuestWhatIsWrongWithItsPath) {
    MemoryServices services;
    EXPECT_EQ(run_with_text(services, "Get", "no cid").ending.value, number(HostError::invalid));
    EXPECT_EQ(run_with_text(services, "Get", std::string(5000, 'a')).ending.value,
              number(HostError::too_large));
    EXPECT_EQ(services.block_calls, 0U);
}

TEST(Host, ReadsIdentityCidsWithoutAsking) {
    MemoryServices services;
    const std::string cid = Cid::v1(Codec::raw, HashCode::identity, bytes_of("inline")).to_string();
    const Outcome outcome =
        run_wat(guest("(call $cat " + with_text("Get", cid) + ")(i64.const 0)", cid),
                small_task(),
                services);
    EXPECT_EQ(text_of(outcome.output), "inline");
    EXPECT_EQ(services.block_calls, 0U);
}

// Each pointer argument at the borders of a memory of two pages (131072 bytes).
TEST(Host, AnswersBadPointersWithTheirNumber) {
    MemoryServices services;
    const std::string cid = services.put_raw("0123456789").to_string();
    Task task = small_task();
    task.spec.effects = job::Effects::impure;
    const std::vector<std::pair<const char*, const char*>> bad{
        {"131072", "1"}, {"131071", "2"}, {"-1", "1"}, {"0", "-1"}, {"-1", "-1"}, {"1", "131072"}};
    for (const auto& [address, size] : bad) {
        const std::string place =
            "(i32.const " + std::string(address) + ") (i32.const " + size + ")";
        std::vector<std::string> calls{"(call $Read (local.get $h) " + place + ")",
                                       "(call $ReadAt (local.get $h) (i64.const 0) " + place + ")",
                                       "(call $Write (call $AddOpen) " + place + ")"};
        for (const char* function : {"Log", "Get", "Ls", "Add", "Curl"}) {
            calls.push_back("(call $" + std::string(function) + " " + place + ")");
        }
        for (const std::string& call : calls) {
            const Outcome outcome = run_wat(
                guest("(local.set $h " + with_text("Get", cid) + ")" + call, cid), task, services);
            EXPECT_EQ(outcome.ending.value, number(HostError::bad_pointer)) << call;
        }
    }
}

TEST(Host, TakesTheVeryLastByteOfMemory) {
    const Outcome outcome = run_wat(guest("(drop (call $Log (i32.const 131071) (i32.const 1)))"
                                          "(call $Log (i32.const 131072) (i32.const 0))"));
    EXPECT_EQ(outcome.ending.value, 0);
    EXPECT_EQ(outcome.log.size(), 3U) << "a line of one byte and an empty one";
}

TEST(Host, AnswersBadHandlesAndOffsets) {
    for (const char* call :
         {"(call $Read (i64.const 77) (i32.const 0) (i32.const 1))",
          "(call $ReadAt (i64.const -1) (i64.const 0) (i32.const 0) (i32.const 1))",
          "(call $Close (i64.const 0))",
          "(call $AddFinish (i64.const 9223372036854775807))",
          "(call $Write (i64.const 1) (i32.const 0) (i32.const 1))",
          "(call $Read (call $AddOpen) (i32.const 0) (i32.const 1))"}) {
        EXPECT_EQ(run_wat(guest(call)).ending.value, number(HostError::bad_handle)) << call;
    }
    EXPECT_EQ(run_wat(guest("(call $ReadAt (i64.const 1) (i64.const -1) (i32.const 0)"
                            "(i32.const 1))"))
                  .ending.value,
              number(HostError::invalid));
}

TEST(Host, LogsLinesThatAreWholeInTheOutcome) {
    const Outcome outcome = run_wat(guest(with_text("Log", "one\ntwo\n"), "one\ntwo\n"));
    EXPECT_EQ(text_of(outcome.log), "one\ntwo\n");
}

TEST(Host, AMillionLinesDoNotCrossAMillionTimes) {
    MemoryServices services;
    Task task = small_task();
    task.spec.limits.log_bytes_max = 4U << 20U;
    task.spec.limits.wall_ms_max = 60'000;
    const Outcome outcome =
        run_wat(guest("(local.set $h (i64.const 1000000)) (loop $again"
                      "(drop (call $Log (i32.const 1024) (i32.const 1)))"
                      "(local.set $h (i64.sub (local.get $h) (i64.const 1)))"
                      "(br_if $again (i64.ne (local.get $h) (i64.const 0)))) (i64.const 0)",
                      "x"),
                task,
                services);
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
    EXPECT_EQ(outcome.log.size(), 2'000'000U);
    // A piece holds 32768 of these lines, and a beat comes every 10 ms.
    EXPECT_LE(services.log_calls, 10'000U);
    EXPECT_TRUE(text_of(outcome.log).starts_with(services.log_seen))
        << "what crossed is the front of what the outcome has";
}

TEST(Host, ALineCrossesWhileTheGuestRunsOn) {
    MemoryServices services;
    const Outcome outcome = run_wat(
        guest("(drop " + with_text("Log", "early") + ") (loop $again (br $again)) (i64.const 0)",
              "early"),
        hasty_task(),
        services);
    EXPECT_EQ(outcome.ending.error, Errc::limit_wall_time);
    EXPECT_EQ(services.log_seen, "early\n");
}

TEST(Host, AnExceptionBecomesAnEndingAndTheEngineLives) {
    MemoryServices services;
    services.throws = true;
    const std::string cid = cid_of(Codec::raw, bytes_of("x")).to_string();
    const Outcome outcome = run_with_text(services, "Get", cid);
    EXPECT_EQ(outcome.ending.error, Errc::internal);
    EXPECT_THAT(outcome.ending.message, HasSubstr("a library threw"));
    EXPECT_EQ(run_wat(guest("(call $AbiVersion)")).ending.value, abi_version);
}

TEST(Host, WritesJsonStringsThatParse) {
    EXPECT_EQ(json_string("a\"\n"), R"("a\"\n")");
    EXPECT_EQ(json_string("\xff"), "\"\xEF\xBF\xBD\"");
}

} // namespace
} // namespace ic::executor::wasm
