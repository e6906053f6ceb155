import {
  ipfsComputeClose,
  ipfsComputeGet,
  ipfsComputeRead,
  ipfsComputeReadAt,
} from "./host";
import { Outcome } from "./outcome";

/** Reads a handle on to its end and closes it. */
export function readHandle(handle: i64, what: string): Outcome<Uint8Array> {
  if (handle < 0) {
    return Outcome.failed<Uint8Array>(handle, what);
  }
  let bytes = new Uint8Array(4096);
  let size = 0;
  while (true) {
    if (size == bytes.length) {
      const larger = new Uint8Array(size * 2);
      larger.set(bytes);
      bytes = larger;
    }
    const count = ipfsComputeRead(handle, bytes.dataStart + size, bytes.length - size);
    if (count <= 0) {
      ipfsComputeClose(handle);
      return count < 0
        ? Outcome.failed<Uint8Array>(count, what)
        : Outcome.of<Uint8Array>(bytes.slice(0, size));
    }
    size += i32(count);
  }
}

/** The text that bytes of UTF-8 are. */
export function textOf(bytes: Uint8Array): string {
  return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
}

/** As readHandle, for text. */
export function readText(handle: i64, what: string): Outcome<string> {
  const bytes = readHandle(handle, what);
  return bytes.ok
    ? Outcome.of<string>(textOf(bytes.value))
    : Outcome.failed<string>(-bytes.error, what);
}

/** A file of IPFS, open for reading: fetched as it is read, and verified block by block. */
export class File {
  private handle: i64;

  constructor(handle: i64) {
    this.handle = handle;
  }

  /** Opens the file at `path`: a CID, or one with names behind it (`bafy.../folder/file`). */
  static open(path: string): Outcome<File> {
    const text = String.UTF8.encode(path);
    const handle = ipfsComputeGet(changetype<usize>(text), text.byteLength);
    return handle < 0
      ? Outcome.failed<File>(handle, "cannot open " + path)
      : Outcome.of<File>(new File(handle));
  }

  /** The whole file at `path`. */
  static read(path: string): Outcome<Uint8Array> {
    const text = String.UTF8.encode(path);
    const handle = ipfsComputeGet(changetype<usize>(text), text.byteLength);
    return readHandle(handle, "cannot read " + path);
  }

  /** Bytes read: perhaps fewer than asked for; 0 at the end. Negative: a negated ErrorNumber. */
  read(out: Uint8Array): i32 {
    return i32(ipfsComputeRead(this.handle, out.dataStart, out.length));
  }

  /** As read, from `offset` on, wherever read stands. */
  readAt(offset: i64, out: Uint8Array): i32 {
    return i32(ipfsComputeReadAt(this.handle, offset, out.dataStart, out.length));
  }

  /** Closes it; a job has a limit of open handles. */
  close(): void {
    ipfsComputeClose(this.handle);
    this.handle = 0;
  }
}
