// Guests that take too long, too much or too many.

#include "executor/wasm/testing/compile_bomb.h"
#include "executor/wasm/testing/guests.h"
#include "hostile/guests.h"

namespace ic::hostile {
namespace {

using namespace std::chrono_literals;

constexpr auto wall = 300ms; // As Workbench::task_of.
const std::string forever = "(loop $again (br $again))";

Guest of(std::string name,
         std::string ends,
         std::string body,
         std::string more = "",
         std::chrono::milliseconds limit = {}) {
    Guest made{.name = std::move(name),
               .module = [body = std::move(body),
                          more = std::move(more)](Host&) { return guest(body, more); },
               .ends = std::move(ends)};
    made.limit = limit;
    return made;
}

Guest with(Guest guest, std::function<void(job::JobSpec&)> change) {
    guest.change = std::move(change);
    return guest;
}

Guest text(std::string name, std::string ends, std::string wat) {
    return {.name = std::move(name),
            .module = [wat = std::move(wat)](Host&) { return executor::wasm::wasm_of(wat); },
            .ends = std::move(ends)};
}

/// Calls this again and again.
std::string again(std::string_view call) {
    return "(loop $again " + std::string(call) + " (br $again))";
}

std::vector<Guest> time() {
    const auto impure = [](job::JobSpec& spec) { spec.effects = job::Effects::impure; };
    const std::string sleep = again("(drop (call $poll (i32.const 100) (i32.const 200)"
                                    "(i32.const 1) (i32.const 300)))");
    const std::string long_sleep =
        "(i64.store (i32.const 124) (i64.const 0x7fffffffffffffff))" + sleep;
    return {
        of("EndlessLoop", "limit-wall-time", forever, "", wall),
        of("EndlessLoopInStart",
           "limit-wall-time",
           "",
           "(func $spin " + forever + ") (start $spin)",
           wall),
        of("EndlessLoopInInitialize",
           "limit-wall-time",
           "",
           "(func (export \"_initialize\") " + forever + ")",
           wall),
        of("EndlessTailCalls", "limit-wall-time", "(return_call $run)", "", wall),
        of("EndlessSleep", "limit-wall-time", long_sleep, "", wall),
        with(of("EndlessRealSleep", "limit-wall-time", long_sleep, "", wall), impure),
        of("EndlessShortSleeps", "limit-wall-time", sleep, "", wall),
        of("EndlessClockReading",
           "limit-wall-time",
           again("(drop (call $clock (i32.const 1) (i64.const 0) (i32.const 100)))"),
           "",
           wall),
        of("EndlessRandomness",
           "limit-wall-time",
           again("(drop (call $random (i32.const 0) (i32.const 65536)))"),
           "",
           wall),
        with(of("EndlessRealRandomness",
                "limit-wall-time",
                again("(drop (call $random (i32.const 0) (i32.const 65536)))"),
                "",
                wall),
             impure),
        of("EndlessMemoryCopies",
           "limit-wall-time",
           again("(memory.copy (i32.const 0) (i32.const 1) (i32.const 65535))"),
           "",
           wall),
        of("EndlessEmptyWrites",
           "limit-wall-time",
           again("(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 0)"
                 "(i32.const 8)))"),
           "",
           wall),
        with(of("ProcessorTimeBeforeWallTime", "limit-cpu-time", forever, "", 100ms),
             [](job::JobSpec& spec) {
                 spec.limits.wall_ms_max = 60'000;
                 spec.limits.cpu_ms_max = 100;
             }),
        with(of("EndlessLoopOnFuel", "limit-fuel", forever),
             [](job::JobSpec& spec) { spec.limits.fuel_max = 100'000; }),
        with(of("EndlessHostCalls",
                "limit-host-calls",
                again("(drop (call $clock (i32.const 1) (i64.const 0) (i32.const 100)))")),
             [](job::JobSpec& spec) { spec.limits.host_calls_max = 1000; }),
    };
}

std::vector<Guest> space() {
    return {
        of("EndlessRecursion", "trap-stack", "(call $run)"),
        of("MutualRecursion",
           "trap-stack",
           "(call $a)",
           "(func $a (call $b)) (func $b (call $c)) (func $c (call $a))"),
        of("RecursionThroughATable",
           "trap-stack",
           "(call_indirect $self (type $void) (i32.const 0))",
           "(table $self 1 funcref) (elem (table $self) (i32.const 0) func $run)"),
        of("RecursionWithHugeFrames",
           "trap-stack",
           "(drop (call $deep (i64.const 1)))",
           "(func $deep (param $x i64) (result i64)"
           " (i64.add (call $deep (i64.add (local.get $x) (i64.const 1))) (local.get $x)))"),
        of("EndlessGrowthOfMemory", "limit-memory", again("(drop (memory.grow (i32.const 16)))")),
        of("GrowthOfMemoryAtOnce", "limit-memory", "(drop (memory.grow (i32.const 65535)))"),
        of("GrowthOfMemoryBeyondAnyMemory", "limit-memory", "(drop (memory.grow (i32.const -1)))"),
        of("EndlessGrowthOfATable",
           "limit-table",
           again("(drop (table.grow $table (ref.null func) (i32.const 100)))")),
        of("GrowthOfATableAtOnce",
           "limit-table",
           "(drop (table.grow $table (ref.null func) (i32.const -1)))"),
        text("AHugeMemory", "limit-memory", "(module (memory 65536) (func (export \"run\")))"),
        text(
            "AHugeTable", "limit-table", "(module (table 200000 funcref) (func (export \"run\")))"),
        text("ATableBeyondTheEngines",
             "module-invalid",
             "(module (table 2000000 funcref) (func (export \"run\")))"),
        of("DataBeyondTheEnd", "trap-memory", "", "(data (i32.const 65535) \"ab\")"),
        of("ElementsBeyondTheEnd", "trap-table", "", "(elem (i32.const 1) $nothing)"),
    };
}

std::vector<Guest> floods() {
    const auto write = [](int fd) {
        return "(drop (call $fd_write (i32.const " + std::to_string(fd) +
               ") (i32.const 0) (i32.const 1) (i32.const 8)))";
    };
    const std::string close_added = "(drop (call $close (call $add (i32.const 0) (i32.const 10))))";
    const auto impure = [](job::JobSpec& spec) {
        spec.effects = job::Effects::impure;
        spec.allow_hosts = {"open.example"};
    };
    const std::string url = "(data (i32.const 1024) \"http://open.example/\")";
    return {
        of("AFloodOfOutput", "limit-output", again(write(1))),
        of("AFloodOfErrors", "limit-output", again(write(2))),
        of("AFloodOfBoth", "limit-output", again(write(1) + write(2))),
        of("AFloodOfLog", "limit-log", again("(drop (call $log (i32.const 0) (i32.const 100)))")),
        of("AFloodOfEmptyLogLines",
           "limit-log",
           again("(drop (call $log (i32.const 0) (i32.const 0)))")),
        of("OneHugeLogLine", "limit-log", "(drop (call $log (i32.const 0) (i32.const 65536)))"),
        of("FilesToAddWithoutEnd", "limit-handles", again("(drop (call $add_open))")),
        of("AddedFilesNeverClosed",
           "limit-handles",
           again("(drop (call $add (i32.const 0) (i32.const 1)))")),
        with(of("SmallAddsWithoutEnd", "limit-add", again(close_added)),
             [](job::JobSpec& spec) { spec.limits.add_bytes_max = 1000; }),
        of("AHugeAdd",
           "limit-add",
           again("(drop (call $close (call $add (i32.const 0) (i32.const 65536))))")),
        of("WritesToAFileWithoutEnd",
           "limit-add",
           "(local $h i64) (local.set $h (call $add_open))" +
               again("(drop (call $write (local.get $h) (i32.const 0) (i32.const 65536)))")),
        with(of("EmptyAddsWithoutEnd",
                "limit-host-calls",
                again("(drop (call $close (call $add (i32.const 0) (i32.const 0))))")),
             [](job::JobSpec& spec) { spec.limits.host_calls_max = 200; }),
        with(of("ResponsesNeverClosed",
                "limit-curls",
                again("(drop (call $curl (i32.const 1024) (i32.const 20)))"),
                url),
             impure),
    };
}

std::vector<Guest> compilation() {
    Guest bomb{.name = "ACompilationThatExplodes",
               .module = [](Host&) { return executor::wasm::compile_bomb(); },
               .ends = "compile-timeout",
               .change = [](job::JobSpec& spec) { spec.limits.compile_ms_max = 500; }};
    bomb.limit = 500ms;
    return {
        bomb,
        {.name = "ACompilationThatIsGreedy",
         .module = [](Host&) { return executor::wasm::compile_bomb(); },
         .ends = "compile-memory",
         .change = [](job::JobSpec& spec) { spec.limits.compile_memory_bytes_max = 64U << 20U; }},
        {.name = "AModuleThatIsTooLarge",
         .module = [](Host&) { return Bytes((1U << 20U) + 1, 0); },
         .ends = "module-too-large",
         .change = [](job::JobSpec& spec) { spec.limits.module_bytes_max = 1U << 20U; }},
    };
}

} // namespace

std::vector<Guest> guests_of_limits() {
    std::vector<Guest> all;
    for (const auto& some : {time(), space(), floods(), compilation()}) {
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

} // namespace ic::hostile
