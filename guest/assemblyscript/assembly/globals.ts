// What stands in for globals of AssemblyScript that would import functions which no host has. The
// compiler is told by `use` in asconfig.json.

import { exit, random, writeAll } from "./wasi";

/** For `abort`: a failed assertion, `throw`, an index out of bounds. Exit status 1. */
// @ts-ignore: a decorator of AssemblyScript
@global
export function ipfs_compute_abort(
  message: string | null,
  file: string | null,
  line: u32,
  column: u32,
): void {
  let text = message === null ? "aborted" : message;
  if (file !== null) {
    text += " (" + file + ":" + line.toString() + ":" + column.toString() + ")";
  }
  writeAll(2, text + "\n");
  exit(1);
}

/** For `trace`: a line on standard error. */
// @ts-ignore: a decorator of AssemblyScript
@global
export function ipfs_compute_trace(
  message: string,
  count: i32 = 0,
  a0: f64 = 0,
  a1: f64 = 0,
  a2: f64 = 0,
  a3: f64 = 0,
  a4: f64 = 0,
): void {
  const values = [a0, a1, a2, a3, a4].slice(0, count);
  writeAll(2, message + (count > 0 ? " " + values.join(" ") : "") + "\n");
}

/** For `seed`, which Math.random asks once. */
// @ts-ignore: a decorator of AssemblyScript
@global
export function ipfs_compute_seed(): f64 {
  return reinterpret<f64>(random());
}

/** For `console`: log, info and debug go to standard output, warn and error to standard error. */
// @ts-ignore: a decorator of AssemblyScript
@global
export namespace ipfs_compute_console {
  export function log(text: string = ""): void {
    writeAll(1, text + "\n");
  }
  export function info(text: string = ""): void {
    writeAll(1, text + "\n");
  }
  export function debug(text: string = ""): void {
    writeAll(1, text + "\n");
  }
  export function warn(text: string = ""): void {
    writeAll(2, text + "\n");
  }
  export function error(text: string = ""): void {
    writeAll(2, text + "\n");
  }
  export function assert<T>(condition: T, text: string = ""): void {
    if (!condition) {
      writeAll(2, "Assertion failed: " + text + "\n");
    }
  }
}
