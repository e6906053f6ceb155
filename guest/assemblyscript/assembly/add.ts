import { readText } from "./file";
import {
  ipfsComputeAdd,
  ipfsComputeAddFinish,
  ipfsComputeAddOpen,
  ipfsComputeClose,
  ipfsComputeWrite,
} from "./host";
import { ErrorNumber, Outcome } from "./outcome";

/** Adds `bytes` as a file; its CID. */
export function add(bytes: Uint8Array): Outcome<string> {
  return readText(ipfsComputeAdd(bytes.dataStart, bytes.length), "cannot add");
}

/** Adds `text` as a file of UTF-8; its CID. */
export function addText(text: string): Outcome<string> {
  return add(Uint8Array.wrap(String.UTF8.encode(text)));
}

// A call of the host costs: what is small is collected in this many bytes.
const PIECE_BYTES = 64 * 1024;

/**
 * Adds a file piece by piece. The first error stays: later writes do nothing, and finish gives it.
 * Without finish nothing is added.
 */
export class AddWriter {
  private handle: i64;
  private error: i64;
  private waiting: Uint8Array = new Uint8Array(PIECE_BYTES);
  private size: i32 = 0;

  constructor() {
    this.handle = ipfsComputeAddOpen();
    this.error = this.handle < 0 ? this.handle : 0;
  }

  /** Appends bytes. */
  write(bytes: Uint8Array): void {
    if (bytes.length > PIECE_BYTES - this.size) {
      this.send();
    }
    if (bytes.length > PIECE_BYTES) {
      this.sendAll(bytes.dataStart, bytes.length);
    } else {
      memory.copy(this.waiting.dataStart + this.size, bytes.dataStart, bytes.length);
      this.size += bytes.length;
    }
  }

  /** Appends a text as UTF-8. */
  writeText(text: string): void {
    this.write(Uint8Array.wrap(String.UTF8.encode(text)));
  }

  /** Ends the file; its CID. */
  finish(): Outcome<string> {
    this.send();
    if (this.error < 0) {
      return Outcome.failed<string>(this.error, "cannot add");
    }
    const handle = ipfsComputeAddFinish(this.handle);
    this.error = -ErrorNumber.BadHandle; // For whoever writes on.
    return readText(handle, "cannot add");
  }

  private send(): void {
    this.sendAll(this.waiting.dataStart, this.size);
    this.size = 0;
  }

  private sendAll(data: usize, size: i32): void {
    while (size > 0 && this.error == 0) {
      const count = ipfsComputeWrite(this.handle, data, size);
      if (count < 0) {
        this.error = count;
        ipfsComputeClose(this.handle);
        return;
      }
      data += usize(count);
      size -= i32(count);
    }
  }
}
