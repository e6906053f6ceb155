// As much of WASI as a guest needs: standard input and output, the end, random numbers, variables.

@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: i32, vectors: usize, count: i32, size: usize): i32;
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, vectors: usize, count: i32, size: usize): i32;
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(status: i32): void;
@external("wasi_snapshot_preview1", "random_get")
declare function random_get(out: usize, size: i32): i32;

// One vector {address, size}, then how many bytes it was.
const vector = memory.data(12, 8);

/** Reads standard input on to the end. */
export function readAll(): Uint8Array {
  let bytes = new Uint8Array(4096);
  let size = 0;
  while (true) {
    if (size == bytes.length) {
      const larger = new Uint8Array(size * 2);
      larger.set(bytes);
      bytes = larger;
    }
    store<usize>(vector, bytes.dataStart + size);
    store<i32>(vector, bytes.length - size, 4);
    const failed = fd_read(0, vector, 1, vector + 8);
    const count = load<i32>(vector, 8);
    if (failed != 0 || count == 0) {
      return bytes.slice(0, size);
    }
    size += count;
  }
}

/** Writes all of a text to standard output (1) or standard error (2). */
export function writeAll(fd: i32, text: string): void {
  const bytes = String.UTF8.encode(text);
  let at = changetype<usize>(bytes);
  const end = at + bytes.byteLength;
  while (at < end) {
    store<usize>(vector, at);
    store<usize>(vector, end - at, 4);
    if (fd_write(fd, vector, 1, vector + 8) != 0) {
      return;
    }
    at += load<usize>(vector, 8);
  }
}

/** Ends the run with an exit status. */
export function exit(status: i32): void {
  proc_exit(status);
}

/** A random number; in a pure job the same ones come in every run. */
export function random(): u64 {
  random_get(vector, 8);
  return load<u64>(vector);
}
