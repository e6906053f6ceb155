#include "executor/wasm/testing/pure_jobs.h"

#include <array>
#include <string_view>

namespace ic::executor::wasm {
namespace {

/// What is computed of two integers $x and $y, which take all kinds of values, also as numbers of
/// 64 and 32 bits and as vectors $v and $w: NaNs with payloads, infinities, subnormal numbers.
struct Computation {
    std::string_view name;
    std::string_view i64; ///< Its result as an integer; or
    std::string_view v128;
};

#define IC_F64 "(f64.reinterpret_i64 (local.get $x)) (f64.reinterpret_i64 (local.get $y))"
#define IC_F32                                                                                     \
    "(f32.reinterpret_i32 (i32.wrap_i64 (local.get $x)))"                                          \
    "(f32.reinterpret_i32 (i32.wrap_i64 (local.get $y)))"
#define IC_X "(f64.reinterpret_i64 (local.get $x))"

constexpr std::array computations{
    Computation{"f64.add", "(i64.reinterpret_f64 (f64.add " IC_F64 "))", ""},
    Computation{"f64.mul", "(i64.reinterpret_f64 (f64.mul " IC_F64 "))", ""},
    Computation{"f64.div", "(i64.reinterpret_f64 (f64.div " IC_F64 "))", ""},
    Computation{"f64.min", "(i64.reinterpret_f64 (f64.min " IC_F64 "))", ""},
    Computation{"f64.max", "(i64.reinterpret_f64 (f64.max " IC_F64 "))", ""},
    Computation{"f64.sqrt", "(i64.reinterpret_f64 (f64.sqrt " IC_X "))", ""},
    Computation{"f64.nearest", "(i64.reinterpret_f64 (f64.nearest " IC_X "))", ""},
    Computation{"f64.floor", "(i64.reinterpret_f64 (f64.floor " IC_X "))", ""},
    Computation{"f64.ceil", "(i64.reinterpret_f64 (f64.ceil " IC_X "))", ""},
    Computation{"f64.trunc", "(i64.reinterpret_f64 (f64.trunc " IC_X "))", ""},
    Computation{
        "f64.multiply-add", "(i64.reinterpret_f64 (f64.add (f64.mul " IC_F64 ") " IC_X "))", ""},
    Computation{
        "f64.demote", "(i64.extend_i32_u (i32.reinterpret_f32 (f32.demote_f64 " IC_X ")))", ""},
    Computation{"f32.div", "(i64.extend_i32_u (i32.reinterpret_f32 (f32.div " IC_F32 ")))", ""},
    Computation{"f32.max", "(i64.extend_i32_u (i32.reinterpret_f32 (f32.max " IC_F32 ")))", ""},
    Computation{"i64.trunc_sat", "(i64.trunc_sat_f64_u " IC_X ")", ""},
    Computation{"f64.convert", "(i64.reinterpret_f64 (f64.convert_i64_u (local.get $x)))", ""},
    Computation{"i64.popcnt", "(i64.popcnt (local.get $x))", ""},
    Computation{"i64.clz", "(i64.sub (i64.clz (local.get $x)) (i64.ctz (local.get $y)))", ""},
    Computation{"i64.shifts",
                "(i64.xor (i64.rotl (local.get $x) (local.get $y))"
                "(i64.shr_s (local.get $y) (local.get $x)))",
                ""},
    Computation{"f32x4.mul", "", "(f32x4.mul (local.get $v) (local.get $w))"},
    Computation{"f32x4.pmin", "", "(f32x4.pmin (local.get $v) (local.get $w))"},
    Computation{"f64x2.nearest", "", "(f64x2.nearest (local.get $v))"},
    Computation{"f64x2.div", "", "(f64x2.div (local.get $v) (local.get $w))"},
    Computation{"i8x16.swizzle", "", "(i8x16.swizzle (local.get $v) (local.get $w))"},
    Computation{"i8x16.popcnt", "", "(i8x16.popcnt (local.get $v))"},
    Computation{"i16x8.q15mulr", "", "(i16x8.q15mulr_sat_s (local.get $v) (local.get $w))"},
    Computation{"i32x4.trunc_sat", "", "(i32x4.trunc_sat_f32x4_u (local.get $v))"},
    Computation{"i64x2.mul", "", "(i64x2.mul (local.get $v) (local.get $w))"},
};

/// 512 results of 16 bytes, written to standard output.
std::string wat_of(const Computation& computation) {
    const std::string result = computation.v128.empty()
                                   ? "(i64x2.splat " + std::string(computation.i64) + ")"
                                   : std::string(computation.v128);
    return R"((module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\10\00\00\00\20\00\00") ;; 8,192 bytes at 4,096.
  (func (export "run") (local $i i32) (local $x i64) (local $y i64) (local $v v128) (local $w v128)
    (loop $next
      (local.set $x (i64.mul (i64.add (i64.extend_i32_u (local.get $i)) (i64.const 1))
                             (i64.const 0x9e3779b97f4a7c15)))
      ;; Every eighth $x has the exponent of NaNs and infinities.
      (if (i32.eqz (i32.and (local.get $i) (i32.const 7)))
        (then (local.set $x (i64.or (local.get $x) (i64.const 0x7ff000007f800000)))))
      (local.set $y (i64.rotl (local.get $x) (i64.extend_i32_u (local.get $i))))
      (local.set $v (i64x2.replace_lane 1 (i64x2.splat (local.get $x)) (local.get $y)))
      (local.set $w (i64x2.replace_lane 0 (i64x2.splat (local.get $x)) (local.get $y)))
      (v128.store offset=4096 (i32.shl (local.get $i) (i32.const 4)) )" +
           result + R"()
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 512))))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))))";
}

/// What comes from outside: random numbers, and clocks around a sleep.
constexpr std::string_view random_wat = R"((module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\10\00\00\00\20\00\00")
  (func (export "run")
    (drop (call $random (i32.const 4096) (i32.const 8192)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))))";

constexpr std::string_view clock_wat = R"((module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\00\10\00\00\00\20\00\00")
  (func (export "run") (local $i i32)
    (loop $next
      (drop (call $clock (i32.and (local.get $i) (i32.const 1)) (i64.const 1)
        (i32.add (i32.const 4096) (i32.shl (local.get $i) (i32.const 3)))))
      (drop (call $yield))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (i32.const 1024))))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))))";

} // namespace

std::vector<PureJob> pure_jobs() {
    std::vector<PureJob> all{{"random_get", std::string(random_wat)},
                             {"clock_time_get", std::string(clock_wat)}};
    for (const Computation& computation : computations) {
        all.push_back({std::string(computation.name), wat_of(computation)});
    }
    return all;
}

} // namespace ic::executor::wasm
