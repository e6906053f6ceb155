// What a guest of ipfs-compute written in AssemblyScript can call: read files and folders of IPFS,
// add files, log, and send HTTP requests where the job allows it.

import { textOf } from "./file";
import { ipfsComputeAbiVersion, ipfsComputeLog } from "./host";
import { readAll, writeAll } from "./wasi";

import "./globals";

export { add, addText, AddWriter } from "./add";
export { File, textOf } from "./file";
export { JsonObject, quoted } from "./json";
export { Entry, EntryKind, ls } from "./listing";
export { ErrorNumber, errorName, Outcome } from "./outcome";
export { Request, Response } from "./request";
export { exit } from "./wasi";

/** What the host offers; this package needs 1. */
export function abiVersion(): i64 {
  return ipfsComputeAbiVersion();
}

/** A line of the job's log, or several: one for each line of the text. */
export function log(text: string): void {
  const bytes = String.UTF8.encode(text);
  ipfsComputeLog(changetype<usize>(bytes), bytes.byteLength);
}

/** Writes a line to standard output: the job's output. */
export function print(line: string): void {
  writeAll(1, line + "\n");
}

/** Writes a line to standard error. */
export function printError(line: string): void {
  writeAll(2, line + "\n");
}

/** The event: what the submitter sent along, all of standard input. */
export function event(): Uint8Array {
  return readAll();
}

/** The event as text. */
export function eventText(): string {
  return textOf(readAll());
}
