// Laws that tie src/wasm_binary to the engine: it says of a module what the engine will say.

#include "executor/wasm/testing/guests.h"
#include "wasm_binary/host_abi.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace ic::executor::wasm {
namespace {

using testing::HasSubstr;
using wasm_binary::Feature;
using wasm_binary::HostFunction;

std::string wat_type(const HostFunction& function) {
    std::string text;
    for (const char letter : function.parameters) {
        text += letter == 'i' ? " (param i32)" : " (param i64)";
    }
    for (const char letter : function.result) {
        text += letter == 'i' ? " (result i32)" : " (result i64)";
    }
    return text;
}

std::string import_of(std::string_view module, const HostFunction& function) {
    return "(import \"" + std::string(module) + "\" \"" + std::string(function.name) + "\" (func" +
           wat_type(function) + "))";
}

TEST(ModuleCheck, EveryFunctionOfTheTablesIsThereWithItsType) {
    std::string wat = "(module ";
    for (const HostFunction& function : wasm_binary::wasi_functions()) {
        wat += import_of(wasm_binary::wasi_module, function);
    }
    for (const HostFunction& function : wasm_binary::compute_functions()) {
        wat += import_of("env", function) + import_of("ipfs_compute", function);
    }
    const Outcome outcome = run_wat(wat + R"((func (export "run"))))");
    EXPECT_TRUE(outcome.ending.ok()) << outcome.ending.message;
}

struct Use {
    Feature feature;
    std::string_view wat;
};

// One module for each feature that uses nothing else.
constexpr Use uses[] = {
    {Feature::mutable_globals, R"((module (global (export "g") (mut i32) (i32.const 0))))"},
    {Feature::sign_extension,
     "(module (func (param i32) (result i32) (i32.extend8_s (local.get 0))))"},
    {Feature::saturating_conversions,
     "(module (func (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0))))"},
    {Feature::multi_value, "(module (func (result i32 i32) (i32.const 1) (i32.const 2)))"},
    {Feature::bulk_memory,
     "(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 1))))"},
    {Feature::reference_types, "(module (table 1 funcref) (table 1 funcref))"},
    {Feature::simd, "(module (func (result v128) (i32x4.splat (i32.const 1))))"},
    {Feature::tail_call, "(module (func $f (return_call $f)))"},
    {Feature::extended_const, "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))"},
    {Feature::host_references, "(module (table 1 externref))"},
    {Feature::threads, "(module (memory 1 1 shared))"},
    {Feature::relaxed_simd,
     "(module (func (param v128 v128) (result v128)"
     " (i8x16.relaxed_swizzle (local.get 0) (local.get 1))))"},
    {Feature::memory64, "(module (memory i64 1))"},
    {Feature::multi_memory, "(module (memory 1) (memory 1))"},
    {Feature::exceptions, "(module (tag))"},
    {Feature::function_references,
     "(module (type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0))))"},
    {Feature::gc, "(module (type (struct (field i32))))"},
    {Feature::custom_page_sizes, "(module (memory 1 (pagesize 1)))"},
    {Feature::wide_arithmetic,
     "(module (func (param i64 i64) (result i64 i64)"
     " (i64.mul_wide_u (local.get 0) (local.get 1))))"},
    {Feature::stack_switching, "(module (type $f (func)) (type $c (cont $f)))"},
    {Feature::custom_descriptors,
     R"((module (type $f (func)) (import "wasi_snapshot_preview1" "sched_yield"
          (func (exact (type $f))))))"},
};

TEST(ModuleCheck, AFeatureIsOnIfTheEngineTakesIt) {
    for (const Use& use : uses) {
        const Bytes wasm = wasm_of(use.wat);
        const Result<wasm_binary::Module> module = wasm_binary::parse(wasm);
        ASSERT_TRUE(module) << use.wat << module.error().message;
        EXPECT_TRUE(module->features.has(use.feature)) << use.wat;
        const bool on = wasm_binary::feature_rows()[static_cast<std::size_t>(use.feature)].on;
        EXPECT_EQ(shared_engine().compile(wasm, {}).ok(), on) << use.wat;
    }
}

TEST(ModuleCheck, WorkerAndSubmitterSayTheSame) {
    const Bytes wasm =
        wasm_of(R"((module (import "env" "ipfsComputeLogg" (func (param i32 i32) (result i64)))))");
    const Result<wasm_binary::Module> module = wasm_binary::parse(wasm);
    ASSERT_TRUE(module);
    const Result<void> here = wasm_binary::check_host(*module);
    const Result<Bytes> there = shared_engine().compile(wasm, {});
    ASSERT_FALSE(here);
    ASSERT_FALSE(there);
    EXPECT_EQ(here.error().code, there.error().code);
    EXPECT_EQ(here.error().message, there.error().message);

    Task task = small_task("three");
    const Outcome outcome =
        run_wat(R"((module (func (export "one")) (func (export "two"))))", task);
    const Bytes other = wasm_of(R"((module (func (export "one")) (func (export "two"))))");
    EXPECT_EQ(outcome.ending.message,
              wasm_binary::check_job(*wasm_binary::parse(other), "three", {}).error().message);
}

} // namespace
} // namespace ic::executor::wasm
