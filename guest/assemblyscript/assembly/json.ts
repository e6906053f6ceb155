// As much of JSON as the host writes, and a small event has: objects of texts, numbers and objects.
// No arrays. Reading is safe whatever it is given, and does not find everything that is wrong.

/** `text` as a JSON string with its quotes. */
export function quoted(text: string): string {
  let out = '"';
  let from = 0;
  for (let at = 0; at < text.length; ++at) {
    const unit = text.charCodeAt(at);
    if (unit >= 32 && unit != 34 && unit != 92) {
      continue;
    }
    out += text.substring(from, at) + "\\";
    out += unit < 32 ? "u" + unit.toString(16).padStart(4, "0") : String.fromCharCode(unit);
    from = at + 1;
  }
  return out + text.substring(from) + '"';
}

/** One JSON object, whose members are texts, numbers, or objects of these. */
export class JsonObject {
  readonly texts: Map<string, string> = new Map();
  /** Numbers and the like, as they are written. */
  readonly words: Map<string, string> = new Map();
  readonly objects: Map<string, JsonObject> = new Map();

  /** null if it is none. */
  static parse(text: string): JsonObject | null {
    return new Reader(text).object(0);
  }

  text(name: string): string | null {
    return this.texts.has(name) ? this.texts.get(name) : null;
  }

  number(name: string): u64 {
    return this.words.has(name) ? U64.parseInt(this.words.get(name)) : 0;
  }
}

/** Ours: the host has two. */
const DEPTH_MAX = 4;

class Reader {
  private at: i32 = 0;

  constructor(private from: string) {}

  /** The unit that comes next but for blanks; 0 at the end. */
  private next(): i32 {
    while (this.at < this.from.length && this.from.charCodeAt(this.at) <= 32) {
      ++this.at;
    }
    return this.at < this.from.length ? this.from.charCodeAt(this.at) : 0;
  }

  /** Whether `unit` comes next, which is then taken. */
  private takes(unit: i32): bool {
    if (this.next() != unit) {
      return false;
    }
    ++this.at;
    return true;
  }

  object(depth: i32): JsonObject | null {
    const out = new JsonObject();
    if (depth > DEPTH_MAX || !this.takes(123)) {
      return null;
    }
    if (this.takes(125)) {
      return out;
    }
    do {
      const name = this.string();
      if (name === null || !this.takes(58) || !this.member(out, name, depth)) {
        return null;
      }
    } while (this.takes(44));
    return this.takes(125) ? out : null;
  }

  private member(out: JsonObject, name: string, depth: i32): bool {
    const unit = this.next();
    if (unit == 34) {
      const text = this.string();
      if (text !== null) {
        out.texts.set(name, text);
      }
      return text !== null;
    }
    if (unit == 123) {
      const object = this.object(depth + 1);
      if (object !== null) {
        out.objects.set(name, object);
      }
      return object !== null;
    }
    const begin = this.at;
    while (this.at < this.from.length) {
      const next = this.from.charCodeAt(this.at);
      if (next == 44 || next == 125 || next <= 32) {
        break;
      }
      ++this.at;
    }
    out.words.set(name, this.from.substring(begin, this.at));
    return this.at > begin;
  }

  private string(): string | null {
    if (!this.takes(34)) {
      return null;
    }
    let out = "";
    let from = this.at;
    while (this.at < this.from.length) {
      const unit = this.from.charCodeAt(this.at++);
      if (unit == 34) {
        return out + this.from.substring(from, this.at - 1);
      }
      if (unit == 92) {
        out += this.from.substring(from, this.at - 1);
        const escaped = this.escape();
        if (escaped < 0) {
          return null;
        }
        out += String.fromCharCode(escaped);
        from = this.at;
      }
    }
    return null;
  }

  /** The unit of UTF-16 that the escape at hand stands for; -1 if it is none. */
  private escape(): i32 {
    const unit = this.at < this.from.length ? this.from.charCodeAt(this.at++) : 0;
    switch (unit) {
      case 34: // "
      case 47: // /
      case 92: // \
        return unit;
      case 98: // b
        return 8;
      case 102: // f
        return 12;
      case 110: // n
        return 10;
      case 114: // r
        return 13;
      case 116: // t
        return 9;
      case 117: // u
        return this.four();
      default:
        return -1;
    }
  }

  private four(): i32 {
    let value = 0;
    for (let count = 0; count < 4; ++count) {
      const digit = this.at < this.from.length ? hexDigit(this.from.charCodeAt(this.at++)) : -1;
      if (digit < 0) {
        return -1;
      }
      value = value * 16 + digit;
    }
    return value;
  }
}

/** The value of a hexadecimal digit; -1 if it is none. */
export function hexDigit(unit: i32): i32 {
  if (unit >= 48 && unit <= 57) {
    return unit - 48;
  }
  const small = unit | 32;
  return small >= 97 && small <= 102 ? small - 87 : -1;
}
