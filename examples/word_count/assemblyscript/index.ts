// Counts the words of every file in a folder of IPFS, with the output of ../rust to the byte. The
// event names the folder: its CID, or JSON {"directory":"<CID>"}.

import {
  AddWriter,
  EntryKind,
  errorName,
  eventText,
  exit,
  File,
  JsonObject,
  log,
  ls,
  print,
  printError,
} from "../../../guest/assemblyscript/assembly";

const FILES_A_LOG_LINE: u64 = 50;
const WORD_BYTES_MAX = 1 << 16;

class Word {
  count: u64 = 0;

  constructor(readonly text: string) {}
}

const words = new Map<string, Word>();
const buffer = new Uint8Array(256 * 1024);
const letters = new Uint8Array(WORD_BYTES_MAX);
let total: u64 = 0;
let files: u64 = 0;
let bytes: u64 = 0;

function fail(why: string): void {
  printError("word_count: " + why);
  exit(1);
}

function addWord(size: i32): void {
  const text = String.UTF8.decodeUnsafe(letters.dataStart, size);
  let word: Word;
  if (words.has(text)) {
    word = words.get(text);
  } else {
    word = new Word(text);
    words.set(text, word);
  }
  ++word.count;
  ++total;
}

function addFile(cid: string): void {
  const file = File.open(cid).value;
  let size = 0; // Of the word, which goes on across two reads.
  let count = file.read(buffer);
  while (count > 0) {
    bytes += count;
    for (let at = 0; at < count; ++at) {
      const letter = unchecked(buffer[at]) | 0x20;
      if (letter >= 97 && letter <= 122) {
        if (size == WORD_BYTES_MAX) {
          fail("a word too long");
        }
        unchecked((letters[size++] = letter));
      } else if (size > 0) {
        addWord(size);
        size = 0;
      }
    }
    count = file.read(buffer);
  }
  if (count < 0) {
    fail("cannot read " + cid + ": " + errorName(-count));
  }
  if (size > 0) {
    addWord(size);
  }
  file.close();
  if (++files % FILES_A_LOG_LINE == 0) {
    log("counted " + files.toString() + " files, " + bytes.toString() + " bytes");
  }
}

function addFolder(path: string): void {
  const entries = ls(path).value;
  for (let at = 0; at < entries.length; ++at) {
    const entry = entries[at];
    if (entry.kind == EntryKind.Directory) {
      addFolder(entry.cid);
    } else if (entry.kind == EntryKind.File) {
      addFile(entry.cid);
    }
  }
}

/** Most frequent first, equals in the order of the alphabet. */
function sorted(): Word[] {
  return words.values().sort((left, right) => {
    if (left.count != right.count) {
      return left.count > right.count ? -1 : 1;
    }
    return left.text < right.text ? -1 : 1;
  });
}

function addCounts(list: Word[]): string {
  const json = new AddWriter();
  json.writeText('{"files":' + files.toString() + ',"bytes":' + bytes.toString());
  json.writeText(',"words":' + total.toString() + ',"counts":{');
  for (let at = 0; at < list.length; ++at) {
    json.writeText((at > 0 ? ',"' : '"') + list[at].text + '":' + list[at].count.toString());
  }
  json.writeText("}}\n");
  return json.finish().value;
}

function folderOf(event: string): string {
  const text = event.trim();
  if (!text.startsWith("{")) {
    return text;
  }
  const json = JsonObject.parse(text);
  if (json === null) {
    return "";
  }
  const folder = json.text("directory");
  return folder === null ? "" : folder;
}

/** What --handler handler calls. */
export function handler(): void {
  const folder = folderOf(eventText());
  if (folder == "") {
    fail("the event names no folder; give --event with its CID");
  }
  addFolder(folder);
  const list = sorted();
  const cid = addCounts(list);
  print(
    total.toString() + " words, " + list.length.toString() + " different, in " +
      files.toString() + " files",
  );
  for (let at = 0; at < min(10, list.length); ++at) {
    print(list[at].count.toString().padStart(9) + "  " + list[at].text);
  }
  print("all counts: " + cid);
}
