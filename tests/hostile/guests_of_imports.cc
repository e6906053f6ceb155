// Jobs of several modules (`--import`) that mean harm: what one module may not, several may not.

#include "executor/wasm/testing/guests.h"
#include "hostile/guests.h"

#include <utility>

namespace ic::hostile {
namespace {

using namespace std::chrono_literals;
using Imports = std::vector<std::pair<std::string, std::string>>; // By name, in text.

constexpr auto wall = 300ms; // As Workbench::task_of.

Cid cid_of_wat(const std::string& wat) { return cid_of(Codec::raw, executor::wasm::wasm_of(wat)); }

Guest linked(std::string name, std::string ends, std::string main, const Imports& imports) {
    Guest made{.name = std::move(name), .module = {}, .ends = std::move(ends)};
    made.module = [main = std::move(main), imports](Host& host) {
        for (const auto& [import, wat] : imports) {
            host.put(text_of(executor::wasm::wasm_of(wat)));
        }
        return executor::wasm::wasm_of(main);
    };
    made.change = [imports, ends_well = made.ends == "ok"](job::JobSpec& spec) {
        if (ends_well) {
            spec.limits.wall_ms_max = 10'000; // Linking 100,000 functions is work, not a circle.
        }
        for (const auto& [import, wat] : imports) {
            spec.imports.emplace_back(import, cid_of_wat(wat));
        }
    };
    return made;
}

Guest with_value(Guest guest, std::int64_t value) {
    guest.value = value;
    return guest;
}

Guest until(Guest guest, std::chrono::milliseconds limit) {
    guest.limit = limit;
    return guest;
}

const std::string calls_a =
    R"((module (import "a" "f" (func $f)) (func (export "run") (call $f))))";

std::string exporting(const std::string& body, const std::string& more = "") {
    return "(module " + more + "(func (export \"f\") " + body + "))";
}

/// Imports "f" of `from`, exports it.
std::string passing(const std::string& from) {
    return "(module (import \"" + from + "\" \"f\" (func $f)) (export \"f\" (func $f)))";
}

std::vector<Guest> that_do_not_fit() {
    const std::string itself = passing("a");
    const std::string from_env = R"((module (import "env" "f" (func $f))
      (func (export "run") (call $f))))";
    Guest not_a_module{.name = "ImportThatIsNoModule", .module = {}, .ends = "module-invalid"};
    not_a_module.module = [](Host& host) {
        host.put("#!/bin/sh");
        return executor::wasm::wasm_of(calls_a);
    };
    not_a_module.change = [](job::JobSpec& spec) {
        spec.imports = {{"a", cid_of(Codec::raw, bytes_of("#!/bin/sh"))}};
    };
    Guest nowhere{.name = "ImportThatNobodyHas", .module = {}, .ends = "cid-unavailable"};
    nowhere.module = [](Host& /*host*/) { return executor::wasm::wasm_of(calls_a); };
    nowhere.change = [](job::JobSpec& spec) {
        spec.imports = {{"a", cid_of(Codec::raw, bytes_of("nowhere"))}};
    };
    return {
        linked("ImportFromItself", "module-invalid", calls_a, {{"a", itself}}),
        linked("ImportsInACircle",
               "module-invalid",
               calls_a,
               {{"a", passing("b")}, {"b", passing("c")}, {"c", passing("a")}}),
        linked("ImportOfNothing", "import-missing", calls_a, {{"a", "(module)"}}),
        linked("ImportOfAMemoryAsAFunction",
               "import-missing",
               calls_a,
               {{"a", R"((module (memory (export "f") 1)))"}}),
        // No document may say so; the executor does not listen if one did.
        linked("ImportNamedAsTheHost", "import-missing", from_env, {{"env", exporting("")}}),
        linked("ImportNamedAsTheHostAndUsedByAnImport",
               "import-missing",
               calls_a,
               {{"a", R"((module (import "env" "f" (func $f)) (import "b" "f" (func))
                           (export "f" (func $f))))"},
                {"b", exporting("")},
                {"env", exporting("")}}),
        std::move(not_a_module),
        std::move(nowhere),
    };
}

std::vector<Guest> that_want_too_much() {
    const std::string forever = "(loop $again (br $again))";
    const std::string grows = R"((loop $again (drop (memory.grow (i32.const 1))) (br $again)))";
    Imports greedy; // Of 16 MiB (256 pages) 40 pages each: together too many.
    std::string needs;
    for (int i = 0; i < 8; ++i) {
        const std::string name = "a" + std::to_string(i);
        greedy.emplace_back(name, exporting("", "(memory 40)"));
        needs += "(import \"" + name + "\" \"f\" (func))";
    }
    std::string many = "(module (func $f)";
    std::string wants = "(module";
    for (int i = 0; i < 100'000; ++i) {
        const std::string name = "\"e" + std::to_string(i) + "\"";
        many += "(export " + name + " (func $f))";
        wants += "(import \"a\" " + name + " (func))";
    }
    return {
        linked("ImportsThatHaveTooMuchMemoryTogether",
               "limit-memory",
               "(module " + needs + R"((func (export "run"))))",
               greedy),
        linked("ImportThatGrowsItsMemory",
               "limit-memory",
               calls_a,
               {{"a", exporting(grows, "(memory 1)")}}),
        until(linked("ImportThatLoops", "limit-wall-time", calls_a, {{"a", exporting(forever)}}),
              wall),
        until(linked("ImportThatLoopsAsItStarts",
                     "limit-wall-time",
                     calls_a,
                     {{"a", exporting("", "(func $s " + forever + ") (start $s)")}}),
              wall),
        linked("ImportThatCallsItselfWithoutEnd",
               "trap-stack",
               calls_a,
               {{"a", "(module (func $f (export \"f\") (call $f)))"}}),
        linked("ImportWithAHundredThousandExports",
               "ok",
               R"((module (import "a" "e99999" (func $f)) (func (export "run") (call $f))))",
               {{"a", many + ")"}}),
        linked("AHundredThousandImports",
               "ok",
               wants + R"((func (export "run"))))",
               {{"a", many + ")"}}),
    };
}

std::vector<Guest> that_reach_for_others() {
    // Both write at address 0 of what they take for the other's memory.
    const std::string writes = R"((module (memory (export "memory") 1)
      (func (export "f") (i32.store (i32.const 0) (i32.const 666)))))";
    const std::string looks = R"((module (import "a" "f" (func $f)) (memory (export "memory") 1)
      (func (export "run") (result i32) (call $f) (i32.load (i32.const 0)))))";
    // A table that the import fills with a function of another type.
    const std::string fills = R"((module (table (export "t") 1 funcref)
      (func $f (param i64) (result i64) (local.get 0)) (elem (i32.const 0) $f)))";
    const std::string calls = R"((module (import "a" "t" (table 1 funcref)) (type $v (func))
      (func (export "run") (call_indirect (type $v) (i32.const 0)))))";
    return {
        with_value(linked("ImportThatWritesWhereItsCallerReads", "ok", looks, {{"a", writes}}), 0),
        linked("TableOfAnImportWithAFunctionOfAnotherType", "trap-call", calls, {{"a", fills}}),
        linked("ImportThatTraps", "trap-unreachable", calls_a, {{"a", exporting("unreachable")}}),
        linked("ImportThatTrapsAsItIsInitialized",
               "trap-unreachable",
               calls_a,
               {{"a", exporting("", R"((func (export "_initialize") unreachable))")}}),
    };
}

} // namespace

std::vector<Guest> guests_of_imports() {
    std::vector<Guest> all;
    for (const auto& some : {that_do_not_fit(), that_want_too_much(), that_reach_for_others()}) {
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

} // namespace ic::hostile
