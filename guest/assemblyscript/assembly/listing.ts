import { readText } from "./file";
import { ipfsComputeLs } from "./host";
import { hexDigit, JsonObject } from "./json";
import { ErrorNumber, Outcome } from "./outcome";

export enum EntryKind {
  File,
  Directory,
  Symlink,
  Unknown,
}

/** One entry of a directory. */
export class Entry {
  constructor(
    /** Bytes that are not UTF-8 stand as U+FFFD; rawName has them. */
    readonly name: string,
    readonly rawName: Uint8Array,
    readonly cid: string,
    readonly kind: EntryKind,
    /** Of a file, its bytes. */
    readonly size: u64,
  ) {}
}

/** The entries of the directory at `path`, in its order. */
export function ls(path: string): Outcome<Entry[]> {
  const what = "cannot list " + path;
  const place = String.UTF8.encode(path);
  const text = readText(ipfsComputeLs(changetype<usize>(place), place.byteLength), what);
  if (!text.ok) {
    return Outcome.failed<Entry[]>(-text.error, what);
  }
  const all = text.value;
  const entries: Entry[] = [];
  for (let at = 0; at < all.length; ) {
    let end = all.indexOf("\n", at);
    if (end < 0) {
      end = all.length;
    }
    const entry = entryOf(all.substring(at, end));
    if (entry === null) {
      return Outcome.failed<Entry[]>(-ErrorNumber.Malformed, what);
    }
    entries.push(entry);
    at = end + 1;
  }
  return Outcome.of<Entry[]>(entries);
}

function entryOf(line: string): Entry | null {
  const json = JsonObject.parse(line);
  if (json === null) {
    return null;
  }
  const name = json.text("name");
  const cid = json.text("cid");
  const type = json.text("type");
  if (name === null || cid === null || type === null) {
    return null;
  }
  const hex = json.text("nameHex");
  const raw = hex === null ? Uint8Array.wrap(String.UTF8.encode(name)) : unhex(hex);
  if (raw === null) {
    return null;
  }
  let kind = EntryKind.Unknown;
  if (type == "file") {
    kind = EntryKind.File;
  } else if (type == "directory") {
    kind = EntryKind.Directory;
  } else if (type == "symlink") {
    kind = EntryKind.Symlink;
  }
  return new Entry(name, raw, cid, kind, json.number("size"));
}

function unhex(text: string): Uint8Array | null {
  if (text.length % 2 != 0) {
    return null;
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; ++at) {
    const high = hexDigit(text.charCodeAt(at * 2));
    const low = hexDigit(text.charCodeAt(at * 2 + 1));
    if (high < 0 || low < 0) {
      return null;
    }
    bytes[at] = u8(high * 16 + low);
  }
  return bytes;
}
