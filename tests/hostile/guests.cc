#include "hostile/guests.h"

#include "executor/wasm/testing/guests.h"

namespace ic::hostile {
namespace {

// An import of WebAssembly text a line.
constexpr std::string_view imports = R"((module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread"
    (func $fd_pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek"
    (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get"
    (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get"
    (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send"
    (func $sock_send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_raise" (func $proc_raise (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
  (import "env" "ipfsComputeLog" (func $log (param i32 i32) (result i64)))
  (import "env" "ipfsComputeGet" (func $get (param i32 i32) (result i64)))
  (import "env" "ipfsComputeLs" (func $ls (param i32 i32) (result i64)))
  (import "env" "ipfsComputeAdd" (func $add (param i32 i32) (result i64)))
  (import "env" "ipfsComputeAddOpen" (func $add_open (result i64)))
  (import "env" "ipfsComputeWrite" (func $write (param i64 i32 i32) (result i64)))
  (import "env" "ipfsComputeAddFinish" (func $add_finish (param i64) (result i64)))
  (import "env" "ipfsComputeRead" (func $read (param i64 i32 i32) (result i64)))
  (import "env" "ipfsComputeReadAt" (func $read_at (param i64 i64 i32 i32) (result i64)))
  (import "env" "ipfsComputeClose" (func $close (param i64) (result i64)))
  (import "env" "ipfsComputeCurl" (func $curl (param i32 i32) (result i64)))
  (memory (export "memory") 1)
  (table $table 1 funcref)
  (type $void (func))
  (type $one (func (result i32)))
  (func $nothing)
  (elem (i32.const 0) $nothing)
  (data (i32.const 0) "\10\00\00\00\00\10\00\00")
  )";

} // namespace

Bytes guest(std::string_view body, std::string_view more) {
    std::string text(imports);
    text.append(more).append("(func $run (export \"run\") ").append(body).append("))");
    return executor::wasm::wasm_of(text);
}

std::vector<Guest> all_guests() {
    std::vector<Guest> all;
    for (const auto& some : {guests_of_limits(),
                             guests_of_traps(),
                             guests_of_pointers(),
                             guests_of_content(),
                             guests_of_bytes(),
                             guests_of_imports()}) {
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

} // namespace ic::hostile
