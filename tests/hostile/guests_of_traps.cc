// Guests that the engine traps, and those whose handler is not what the job says.

#include "executor/wasm/testing/guests.h"
#include "hostile/guests.h"

namespace ic::hostile {
namespace {

Guest of(std::string name, std::string ends, std::string body, std::string more = "") {
    return {.name = std::move(name),
            .module = [body = std::move(body),
                       more = std::move(more)](Host&) { return guest(body, more); },
            .ends = std::move(ends)};
}

Guest text(std::string name, std::string ends, std::string wat) {
    return {.name = std::move(name),
            .module = [wat = std::move(wat)](Host&) { return executor::wasm::wasm_of(wat); },
            .ends = std::move(ends)};
}

Guest exits(std::string name, std::uint32_t status) {
    return {.name = std::move(name),
            .module =
                [status](Host&) {
                    return guest("(call $proc_exit (i32.const " + std::to_string(status) + "))");
                },
            .exit_status = static_cast<std::int32_t>(status)};
}

} // namespace

std::vector<Guest> guests_of_traps() {
    return {
        of("Unreachable", "trap-unreachable", "unreachable"),
        of("DivisionByZero", "trap-arithmetic", "(drop (i32.div_s (i32.const 1) (i32.const 0)))"),
        of("RemainderOfZero", "trap-arithmetic", "(drop (i64.rem_u (i64.const 1) (i64.const 0)))"),
        of("DivisionThatOverflows",
           "trap-arithmetic",
           "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))"),
        of("ConversionOfNan", "trap-arithmetic", "(drop (i32.trunc_f32_s (f32.const nan)))"),
        of("ConversionOfInfinity", "trap-arithmetic", "(drop (i64.trunc_f64_u (f64.const inf)))"),
        of("LoadBeyondTheEnd", "trap-memory", "(drop (i32.load (i32.const 65533)))"),
        of("LoadWithAWrappingOffset",
           "trap-memory",
           "(drop (i32.load offset=0xffffffff (i32.const -1)))"),
        of("StoreBeyondTheEnd", "trap-memory", "(i64.store (i32.const -8) (i64.const 1))"),
        of("CopyBeyondTheEnd",
           "trap-memory",
           "(memory.copy (i32.const 0) (i32.const 1) (i32.const 65536))"),
        of("FillBeyondTheEnd",
           "trap-memory",
           "(memory.fill (i32.const 65536) (i32.const 1) (i32.const 1))"),
        of("InitFromADroppedSegment",
           "trap-memory",
           "(data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))",
           "(data $d \"x\")"),
        of("TableBeyondTheEnd", "trap-table", "(call_indirect (type $void) (i32.const 9))"),
        of("TableGetBeyondTheEnd", "trap-table", "(drop (table.get $table (i32.const -1)))"),
        of("TableInitBeyondTheEnd",
           "trap-table",
           "(table.init $table $e (i32.const 1) (i32.const 0) (i32.const 1))",
           "(elem $e func $nothing)"),
        of("CallOfAnotherType", "trap-call", "(drop (call_indirect (type $one) (i32.const 0)))"),
        of("CallOfNull",
           "trap-call",
           "(table.set $table (i32.const 0) (ref.null func))"
           "(call_indirect (type $void) (i32.const 0))"),
        of("TrapInStart", "trap-unreachable", "", "(func $bad unreachable) (start $bad)"),
        exits("ExitWithAStatusOfOurs", 123),
        exits("ExitWithTheLargestStatus", UINT32_MAX),
        text("NoHandler", "handler-missing", "(module (func (export \"other\")))"),
        text("AHandlerThatIsAMemory", "handler-missing", "(module (memory (export \"run\") 1))"),
        text("AHandlerThatWantsArguments",
             "handler-signature",
             "(module (func (export \"run\") (param i32)))"),
        text("AHandlerThatGivesTwoResults",
             "handler-signature",
             "(module (func (export \"run\") (result i32 i32) (i32.const 1) (i32.const 2)))"),
        text("AHandlerThatGivesAReference",
             "handler-signature",
             "(module (func (export \"run\") (result funcref) (ref.null func)))"),
        text("AnImportThatIsNotThere",
             "import-missing",
             "(module (import \"env\" \"system\" (func)) (func (export \"run\")))"),
        text("AnImportOfAnotherType",
             "import-missing",
             "(module (import \"env\" \"ipfsComputeLog\" (func)) (func (export \"run\")))"),
        text("AnImportedMemory",
             "import-missing",
             "(module (import \"env\" \"memory\" (memory 1)) (func (export \"run\")))"),
        text("HostCallsWithoutAMemory",
             "ok",
             R"((module
               (import "env" "ipfsComputeLog" (func $log (param i32 i32) (result i64)))
               (func (export "run") (drop (call $log (i32.const 0) (i32.const 1))))))"),
    };
}

} // namespace ic::hostile
