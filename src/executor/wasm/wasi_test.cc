// WASI preview 1 as guests call it, and what a program compiled from C makes of it.

#include "executor/wasm/guest_clock.h"
#include "executor/wasm/testing/guests.h"
#include "executor/wasm/wasi.h"
#include "unixfs/file_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace ic::executor::wasm {
namespace {

using testing::HasSubstr;

constexpr int badf = 8;
constexpr int fault = 21;
constexpr int inval = 28;
constexpr int notsup = 58;
constexpr int spipe = 70;
constexpr int notcapable = 76;

struct Signature {
    const char* name;
    const char* parameters;
};

// Source: WebAssembly/WASI, legacy/preview1/docs.md; every function but proc_exit gives an errno.
const std::vector<Signature> functions{
    {"args_get", "i32 i32"},
    {"args_sizes_get", "i32 i32"},
    {"environ_get", "i32 i32"},
    {"environ_sizes_get", "i32 i32"},
    {"clock_res_get", "i32 i32"},
    {"clock_time_get", "i32 i64 i32"},
    {"fd_advise", "i32 i64 i64 i32"},
    {"fd_allocate", "i32 i64 i64"},
    {"fd_close", "i32"},
    {"fd_datasync", "i32"},
    {"fd_fdstat_get", "i32 i32"},
    {"fd_fdstat_set_flags", "i32 i32"},
    {"fd_fdstat_set_rights", "i32 i64 i64"},
    {"fd_filestat_get", "i32 i32"},
    {"fd_filestat_set_size", "i32 i64"},
    {"fd_filestat_set_times", "i32 i64 i64 i32"},
    {"fd_pread", "i32 i32 i32 i64 i32"},
    {"fd_prestat_get", "i32 i32"},
    {"fd_prestat_dir_name", "i32 i32 i32"},
    {"fd_pwrite", "i32 i32 i32 i64 i32"},
    {"fd_read", "i32 i32 i32 i32"},
    {"fd_readdir", "i32 i32 i32 i64 i32"},
    {"fd_renumber", "i32 i32"},
    {"fd_seek", "i32 i64 i32 i32"},
    {"fd_sync", "i32"},
    {"fd_tell", "i32 i32"},
    {"fd_write", "i32 i32 i32 i32"},
    {"path_create_directory", "i32 i32 i32"},
    {"path_filestat_get", "i32 i32 i32 i32 i32"},
    {"path_filestat_set_times", "i32 i32 i32 i32 i64 i64 i32"},
    {"path_link", "i32 i32 i32 i32 i32 i32 i32"},
    {"path_open", "i32 i32 i32 i32 i32 i64 i64 i32 i32"},
    {"path_readlink", "i32 i32 i32 i32 i32 i32"},
    {"path_remove_directory", "i32 i32 i32"},
    {"path_rename", "i32 i32 i32 i32 i32 i32"},
    {"path_symlink", "i32 i32 i32 i32 i32"},
    {"path_unlink_file", "i32 i32 i32"},
    {"poll_oneoff", "i32 i32 i32 i32"},
    {"proc_raise", "i32"},
    {"sched_yield", ""},
    {"random_get", "i32 i32"},
    {"sock_accept", "i32 i32 i32"},
    {"sock_recv", "i32 i32 i32 i32 i32 i32"},
    {"sock_send", "i32 i32 i32 i32 i32"},
    {"sock_shutdown", "i32 i32"},
};

/// A module with one page of memory and every function of WASI as `$name`.
std::string guest(std::string_view body, std::string_view result = "(result i32)") {
    std::string wat = "(module (import \"wasi_snapshot_preview1\" \"proc_exit\""
                      "(func $proc_exit (param i32)))\n";
    for (const Signature& function : functions) {
        wat.append("(import \"wasi_snapshot_preview1\" \"").append(function.name);
        wat.append("\" (func $").append(function.name).append(" (param ");
        wat.append(function.parameters).append(") (result i32)))\n");
    }
    wat.append("(memory (export \"memory\") 1)\n(func (export \"run\") ").append(result);
    return wat.append(body).append("))");
}

std::int64_t value_of(std::string_view body, const Task& task = small_task()) {
    const Outcome outcome = run_wat(guest(body), task);
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message << "\n" << body;
    return outcome.ending.value.value_or(-1);
}

TEST(Wasi, GivesEveryFunctionOfPreviewOne) {
    EXPECT_EQ(functions.size() + 1, wasi_functions); // And proc_exit.
    EXPECT_EQ(value_of("(i32.const 5)"), 5) << "instantiation needs all of them";
}

// Each function with a pointer, at the border of a memory of one page (65536 bytes).
TEST(Wasi, AnswersBadPointersWithFault) {
    for (const char* call : {
             "(call $args_get (i32.const 65535) (i32.const 0))",
             "(call $args_get (i32.const 0) (i32.const 65534))",
             "(call $args_sizes_get (i32.const 65533) (i32.const 0))",
             "(call $args_sizes_get (i32.const 0) (i32.const -1))",
             "(call $environ_sizes_get (i32.const 0) (i32.const 65533))",
             "(call $clock_res_get (i32.const 0) (i32.const 65529))",
             "(call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 65529))",
             "(call $fd_fdstat_get (i32.const 1) (i32.const 65513))",
             "(call $fd_filestat_get (i32.const 0) (i32.const 65473))",
             "(call $fd_read (i32.const 0) (i32.const 65529) (i32.const 1) (i32.const 0))",
             "(call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 65533))",
             "(call $fd_pread (i32.const 0) (i32.const -8) (i32.const 1) (i64.const 0) (i32.const "
             "0))",
             "(call $fd_write (i32.const 1) (i32.const 65529) (i32.const 1) (i32.const 0))",
             "(call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 65533))",
             "(call $fd_seek (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 65529))",
             "(call $fd_tell (i32.const 0) (i32.const -1))",
             "(call $poll_oneoff (i32.const 65489) (i32.const 0) (i32.const 1) (i32.const 0))",
             "(call $poll_oneoff (i32.const 0) (i32.const 65505) (i32.const 1) (i32.const 0))",
             "(call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 65533))",
             "(call $random_get (i32.const 65535) (i32.const 2))",
             "(call $random_get (i32.const -1) (i32.const -1))",
         }) {
        EXPECT_EQ(value_of(call), fault) << call;
    }
    // A buffer whose own address is bad.
    EXPECT_EQ(value_of("(i32.store (i32.const 0) (i32.const 65535)) (i32.store (i32.const 4)"
                       "(i32.const 2)) (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1)"
                       "(i32.const 8))"),
              fault);
}

TEST(Wasi, TakesTheLastPlaceInMemory) {
    EXPECT_EQ(value_of("(call $clock_res_get (i32.const 0) (i32.const 65528))"), 0);
    EXPECT_EQ(value_of("(call $fd_filestat_get (i32.const 0) (i32.const 65472))"), 0);
    EXPECT_EQ(value_of("(call $random_get (i32.const 65535) (i32.const 1))"), 0);
}

TEST(Wasi, HasNoFilesAndNoSockets) {
    const std::vector<std::pair<const char*, int>> calls{
        {"(call $fd_prestat_get (i32.const 3) (i32.const 0))", badf},
        {"(call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)"
         "(i64.const 0) (i64.const 0) (i32.const 0) (i32.const 0))",
         badf},
        {"(call $path_unlink_file (i32.const 0) (i32.const 0) (i32.const 0))", notcapable},
        {"(call $path_symlink (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0)"
         "(i32.const 0))",
         notcapable},
        {"(call $fd_readdir (i32.const 9) (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 0))",
         badf},
        {"(call $sock_shutdown (i32.const 0) (i32.const 0))", notsup},
        {"(call $sock_accept (i32.const 0) (i32.const 0) (i32.const 0))", notsup},
        {"(call $proc_raise (i32.const 9))", notsup},
        {"(call $fd_write (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))", badf},
        {"(call $fd_read (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0))", badf},
        {"(call $fd_seek (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 0))", spipe},
        {"(call $fd_seek (i32.const 0) (i64.const -1) (i32.const 0) (i32.const 0))", inval},
        {"(call $fd_seek (i32.const 0) (i64.const 0) (i32.const 3) (i32.const 0))", inval},
        {"(call $clock_time_get (i32.const 4) (i64.const 0) (i32.const 0))", inval},
        {"(call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))", inval},
        {"(call $poll_oneoff (i32.const 0) (i32.const 0) (i32.const 1025) (i32.const 0))", inval},
        {"(call $fd_write (i32.const 1) (i32.const 0) (i32.const 1025) (i32.const 0))", inval},
    };
    for (const auto& [call, expected] : calls) {
        EXPECT_EQ(value_of(call), expected) << call;
    }
}

TEST(Wasi, AClosedStreamIsGone) {
    EXPECT_EQ(value_of("(drop (call $fd_close (i32.const 1)))"
                       "(call $fd_write (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0))"),
              badf);
}

TEST(Wasi, KeepsTheGuestsExitStatus) {
    const Outcome outcome = run_wat(guest("(call $proc_exit (i32.const 42)) unreachable"));
    EXPECT_FALSE(outcome.ending.error.has_value()) << outcome.ending.message;
    EXPECT_EQ(outcome.ending.exit_status, 42);
    EXPECT_TRUE(run_wat(guest("(call $proc_exit (i32.const 0)) unreachable")).ending.ok());
}

TEST(Wasi, GivesAPureGuestVirtualTime) {
    // The wall clock, then one hour of sleep that returns at once, then the wall clock again.
    const Outcome outcome = run_wat(
        guest("(drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 0)))"
              "(i32.store (i32.const 116) (i32.const 1)) (i64.store (i32.const 124)"
              "(i64.const 3600000000000)) (drop (call $poll_oneoff (i32.const 100) (i32.const 200)"
              "(i32.const 1) (i32.const 300)))"
              "(drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 8)))"
              "(i64.add (i64.load (i32.const 0)) (i64.mul (i64.const 2)"
              "(i64.sub (i64.load (i32.const 8)) (i64.load (i32.const 0)))))",
              "(result i64)"));
    EXPECT_EQ(outcome.ending.value,
              GuestClock::wall_start.count() + 2 * std::int64_t{3'600'000'000'000});
}

TEST(Wasi, PollTellsTheFirstOfSeveralClocks) {
    // 2 ms and 1 ms: only the second is told, with its own mark.
    EXPECT_EQ(value_of("(i64.store (i32.const 100) (i64.const 7)) (i64.store (i32.const 124)"
                       "(i64.const 2000000)) (i64.store (i32.const 148) (i64.const 8))"
                       "(i64.store (i32.const 172) (i64.const 1000000))"
                       "(drop (call $poll_oneoff (i32.const 100) (i32.const 400) (i32.const 2)"
                       "(i32.const 300))) (i32.add (i32.mul (i32.const 10)"
                       "(i32.load (i32.const 300))) (i32.load (i32.const 400)))"),
              18);
}

std::int64_t random_value(const Task& task) {
    return run_wat(guest("(drop (call $random_get (i32.const 0) (i32.const 8)))"
                         "(i64.load (i32.const 0))",
                         "(result i64)"),
                   task)
        .ending.value.value_or(0);
}

TEST(Wasi, GivesAPureGuestItsSeedsRandomness) {
    Task task = small_task();
    // RFC 8439, appendix A.1, test vector 1: zero key, zero nonce, block 0: 76 b8 e0 ad a0 f1
    // 3d 90.
    EXPECT_EQ(static_cast<std::uint64_t>(random_value(task)), 0x903df1a0ade0b876U);
    EXPECT_EQ(random_value(task), random_value(task));
    Task other = task;
    other.seed[31] = 1;
    EXPECT_NE(random_value(other), random_value(task));
    other.spec.effects = job::Effects::impure;
    EXPECT_NE(random_value(other), random_value(other));
}

TEST(Wasi, GivesCanonicalNans) {
    // 0/0 times -1 keeps its sign and payload on processors; canonical NaNs have neither.
    EXPECT_EQ(value_of("(local $z f32) (i32.reinterpret_f32 (f32.mul (f32.div (local.get $z)"
                       "(local.get $z)) (f32.const -nan:0x200001)))"),
              0x7fc00000);
}

// --- the event ----------------------------------------------------------------------------------

std::string cat_program() {
    return guest("(block $end (loop $again"
                 "(i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4)"
                 "(i32.const 5000)) (drop (call $fd_read (i32.const 0) (i32.const 0)"
                 "(i32.const 1) (i32.const 4))) (br_if $end (i32.eqz (i32.load (i32.const 4))))"
                 "(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))"
                 "(br $again))) (i32.const 0)");
}

TEST(Wasi, ReadsTheEventAsStandardInput) {
    MemoryServices services;
    Bytes content(40'000);
    for (std::size_t i = 0; i < content.size(); ++i) {
        content[i] = static_cast<std::uint8_t>(i * 7 / 3);
    }
    unixfs::FileBuilder builder(unixfs::Profile{.chunker = unixfs::ChunkerSpec::fixed(9000)},
                                services);
    ASSERT_TRUE(builder.write(content).ok());
    const auto root = builder.finish();
    ASSERT_TRUE(root.ok());
    Task task = small_task();
    task.spec.event = root->cid;
    EXPECT_EQ(run_wat(cat_program(), task, services).output, content);
}

TEST(Wasi, FetchesNothingOfAnEventThatNobodyReads) {
    MemoryServices services;
    Task task = small_task();
    task.spec.event = services.put_raw("event");
    EXPECT_TRUE(run_wat(guest("(i32.const 0)"), task, services).ending.ok());
    EXPECT_EQ(services.block_calls, 0U);
}

TEST(Wasi, SeeksInTheEvent) {
    MemoryServices services;
    Task task = small_task();
    task.spec.event = services.put_raw("0123456789");
    const Outcome outcome = run_wat(
        guest("(drop (call $fd_seek (i32.const 0) (i64.const -3) (i32.const 2) (i32.const 0)))"
              "(i32.mul (i32.load (i32.const 0)) (i32.const 1))"),
        task,
        services);
    EXPECT_EQ(outcome.ending.value, 7);
}

TEST(Wasi, AnEventThatCannotBeHadEndsTheRun) {
    Task task = small_task();
    task.spec.event = cid_of(Codec::raw, bytes_of("nobody has this"));
    EXPECT_EQ(run_wat(cat_program(), task).ending.error, Errc::cid_unavailable);
}

// --- programs compiled from C (by the test build, see CMakeLists.txt) ----------------------------

Outcome run_program(const char* program, const Task& task, Services& services) {
    std::ifstream file(std::string(IC_GUEST_DIR) + "/" + program, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_FALSE(text.empty()) << program;
    const ModuleKey key{cid_of(Codec::raw, bytes_of(text))};
    auto artifact = shared_engine().compile(bytes_of(text), task.spec.limits);
    EXPECT_TRUE(artifact.ok());
    auto module = shared_engine().load(key, sealed(*artifact));
    EXPECT_TRUE(module.ok());
    return shared_engine().run(**module, task, services);
}

TEST(Wasi, RunsAProgramWrittenInC) {
    MemoryServices services;
    Task task = small_task("_start");
    task.spec.event = services.put_raw("first line\nsecond line\n");
    task.spec.arguments = {"one", "two words"};
    task.spec.environment = {{"GREETING", "hello"}};
    const Cid input = services.put_raw("x");
    task.spec.inputs = {{"my-data", input}};
    const Outcome outcome = run_program("program.wasm", task, services);
    EXPECT_EQ(outcome.ending.exit_status, 3) << outcome.ending.message;
    const std::string output(text_of(outcome.output));
    EXPECT_THAT(output, HasSubstr("arguments: 3 [one] [two words]\n"));
    EXPECT_THAT(output, HasSubstr("GREETING=hello\n"));
    EXPECT_THAT(output, HasSubstr("INPUT_MY_DATA=" + input.to_string() + "\n"));
    EXPECT_THAT(output, HasSubstr("read: first line\nread: second line\n"));
    EXPECT_THAT(output, HasSubstr("time: 1000000000\n"));
    EXPECT_THAT(output, HasSubstr("open: failed\n"));
    EXPECT_EQ(text_of(outcome.errors), "this is standard error\n");
    // The C library wrote standard output in large pieces, not line by line.
    EXPECT_LT(outcome.usage.host_calls, 40U);
}

TEST(Wasi, InitializesAReactorBeforeItsHandler) {
    MemoryServices services;
    Task task = small_task("answer");
    EXPECT_EQ(run_program("reactor.wasm", task, services).ending.value, 42);
}

} // namespace
} // namespace ic::executor::wasm
