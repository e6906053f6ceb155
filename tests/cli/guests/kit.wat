;; What the tests of `run`, `submit` and `job` run: an exported handler a behaviour. Addresses: below
;; 64 scratch, from 1024 on texts, from 65536 on what was read.
(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get"
    (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get"
    (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "env" "ipfsComputeLog" (func $log (param i32 i32) (result i64)))
  (import "env" "ipfsComputeGet" (func $get (param i32 i32) (result i64)))
  (import "env" "ipfsComputeCurl" (func $curl (param i32 i32) (result i64)))
  (import "env" "ipfsComputeRead" (func $read (param i64 i32 i32) (result i64)))
  (import "env" "ipfsComputeAddOpen" (func $add_open (result i64)))
  (memory (export "memory") 16)
  (data (i32.const 1024) "hello\n")
  (data (i32.const 1040) "begun\n")
  (data (i32.const 1056) "to the log")
  (data (i32.const 1072) "to errors\n")
  (data (i32.const 1088) "to output\n")

  (func $write (param $stream i32) (param $at i32) (param $size i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $size))
    (drop (call $fd_write (local.get $stream) (i32.const 0) (i32.const 1) (i32.const 8))))

  ;; All of standard input, to 65536 on. Its size.
  (func $event (result i32) (local $size i32)
    (loop $more
      (i32.store (i32.const 0) (i32.add (i32.const 65536) (local.get $size)))
      (i32.store (i32.const 4) (i32.sub (i32.const 900000) (local.get $size)))
      (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (local.set $size (i32.add (local.get $size) (i32.load (i32.const 8))))
      (br_if $more (i32.load (i32.const 8))))
    (local.get $size))

  ;; What the handle reads, to standard output; the handle itself if it is an error number, else 0.
  (func $copy (param $handle i64) (result i64) (local $size i64)
    (if (i64.lt_s (local.get $handle) (i64.const 0)) (then (return (local.get $handle))))
    (loop $more
      (local.set $size (call $read (local.get $handle) (i32.const 65536) (i32.const 900000)))
      (if (i64.lt_s (local.get $size) (i64.const 0)) (then (return (local.get $size))))
      (call $write (i32.const 1) (i32.const 65536) (i32.wrap_i64 (local.get $size)))
      (br_if $more (i64.gt_s (local.get $size) (i64.const 0))))
    (i64.const 0))

  (func $begin
    (call $write (i32.const 1) (i32.const 1040) (i32.const 6))
    (drop (call $log (i32.const 1040) (i32.const 5))))

  (func $sleep (param $nanoseconds i64)
    (i64.store (i32.const 224) (local.get $nanoseconds))
    (drop (call $poll_oneoff (i32.const 200) (i32.const 300) (i32.const 1) (i32.const 400))))

  ;; --- guests that mean well ---

  (func (export "_start") (call $write (i32.const 1) (i32.const 1024) (i32.const 6)))
  (func (export "nothing"))
  (func (export "answer") (result i64) (i64.const -9007199254740993))
  (func (export "sum") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "exit") (param $status i32) (call $proc_exit (local.get $status)))
  (func (export "echo") (call $write (i32.const 1) (i32.const 65536) (call $event)))
  (func (export "echo_and_answer") (result i32)
    (call $write (i32.const 1) (i32.const 65536) (call $event))
    (i32.const 7))

  ;; As WASI gives them: a zero byte after each.
  (func (export "arguments")
    (drop (call $args_sizes_get (i32.const 16) (i32.const 20)))
    (drop (call $args_get (i32.const 2048) (i32.const 65536)))
    (call $write (i32.const 1) (i32.const 65536) (i32.load (i32.const 20))))
  (func (export "environment")
    (drop (call $environ_sizes_get (i32.const 16) (i32.const 20)))
    (drop (call $environ_get (i32.const 2048) (i32.const 65536)))
    (call $write (i32.const 1) (i32.const 65536) (i32.load (i32.const 20))))

  (func (export "say")
    (drop (call $log (i32.const 1056) (i32.const 10)))
    (call $write (i32.const 2) (i32.const 1072) (i32.const 10))
    (call $write (i32.const 1) (i32.const 1088) (i32.const 10)))

  ;; The event is a path, or a request.
  (func (export "get") (result i64) (call $copy (call $get (i32.const 65536) (call $event))))
  (func (export "fetch") (result i64) (call $copy (call $curl (i32.const 65536) (call $event))))
  ;; Says that it has begun, then asks: it goes on when the server answers.
  (func (export "begin_and_fetch") (result i64)
    (call $begin)
    (call $copy (call $curl (i32.const 65536) (call $event))))
  (func (export "begin_and_sleep") (call $begin) (call $sleep (i64.const 3600000000000)))

  ;; --- and those that do not ---

  (func (export "trap") unreachable)
  (func (export "begin_and_loop") (call $begin) (loop $again (br $again)))
  (func (export "loop") (loop $again (br $again)))
  (func (export "grow") (loop $again (drop (memory.grow (i32.const 16))) (br $again)))
  (func $recurse (export "recurse") (call $recurse) (call $recurse))
  (func (export "flood_output")
    (loop $again (call $write (i32.const 1) (i32.const 65536) (i32.const 4096)) (br $again)))
  (func (export "flood_log")
    (loop $again (drop (call $log (i32.const 1024) (i32.const 100))) (br $again)))
  (func (export "leak_handles") (loop $again (drop (call $add_open)) (br $again)))
  (func (export "sleep") (loop $again (call $sleep (i64.const 0x7fffffffffffffff)) (br $again)))
)
