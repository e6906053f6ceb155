// The package against a host made up here, an instance of guest.ts a test. Run: npm test.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const module = new WebAssembly.Module(readFileSync(process.env.IC_GUEST));

const listings = {
  bafy:
    '{"name":"a \\"b\\".txt","cid":"bafy-a","type":"file","size":5}\n' +
    '{"name":"\\ud83d\\ude00","cid":"bafy-d","type":"directory","size":0}\n' +
    '{"name":"\ufffd","nameHex":"ff","cid":"bafy-x","type":"file","size":18446744073709551615}\n',
  empty: "",
  odd: "[1,2\n",
  cut: '{"name":"a',
  nameless: '{"cid":"a","type":"file","size":1}\n',
  oddhex: '{"name":"a","nameHex":"f","cid":"a","type":"file","size":1}\n',
  deep: '{"a":'.repeat(1000) + "1" + "}".repeat(1000) + "\n",
};

const files = { "bafy/a": "hello", "bafy/large": "x".repeat(10000) };

const answer =
  '{"headers":{"via":"one, two"},"status":201,"url":"https://example.org/end"}\nbody\nof two lines';

const errors = { invalid: -1n, bad_handle: -3n, not_found: -4n, not_a_file: -5n };

class Exit extends Error {}

class Host {
  open = new Map();
  given = 0n;
  log = [];
  output = { 1: "", 2: "" };
  input = Buffer.from("i".repeat(10000));

  bytes(address, size) {
    return Buffer.from(this.memory.buffer, address >>> 0, size);
  }

  text(address, size) {
    return this.bytes(address, size).toString("utf8");
  }

  opened(data) {
    this.open.set(++this.given, { data: Buffer.from(data), at: 0 });
    return this.given;
  }

  // What takes a text and gives a handle, or an error's number.
  answering(give) {
    return (address, size) => {
      const given = give(this.text(address, size));
      return typeof given === "bigint" ? given : this.opened(given);
    };
  }

  functions() {
    return {
      ipfsComputeAbiVersion: () => 1n,
      ipfsComputeLog: (text, size) => BigInt(this.log.push(this.text(text, size)) * 0),
      ipfsComputeGet: this.answering((path) => {
        const known = { ...files, future: -77n, bafy: errors.not_a_file };
        return known[path] ?? errors.not_found;
      }),
      ipfsComputeLs: this.answering((path) => listings[path] ?? -6n),
      ipfsComputeAdd: (_, size) => this.opened(`bafk-${size}`),
      ipfsComputeCurl: this.answering((text) => {
        this.request = text;
        const { url } = JSON.parse(text);
        return { closed: -9n, half: '{"status"', headless: "{}\nbody" }[url] ?? answer;
      }),
      // Three bytes at most, so that callers must go on.
      ipfsComputeRead: (handle, out, capacity) => {
        const open = this.open.get(handle);
        if (!open) return errors.bad_handle;
        const piece = open.data.subarray(open.at, open.at + Math.min(3, capacity));
        this.bytes(out, capacity).set(piece);
        open.at += piece.length;
        return BigInt(piece.length);
      },
      ipfsComputeReadAt: (handle, offset, out, capacity) => {
        if (offset < 0n) return errors.invalid;
        const from = Number(offset);
        const piece = this.open.get(handle).data.subarray(from, from + capacity);
        this.bytes(out, capacity).set(piece);
        return BigInt(piece.length);
      },
      ipfsComputeClose: (handle) => (this.open.delete(handle) ? 0n : errors.bad_handle),
      ipfsComputeAddOpen: () => this.opened(""),
      // At most 50,000 bytes, though the ABI has it take all; none of those that begin with "!".
      ipfsComputeWrite: (handle, data, size) => {
        const piece = this.bytes(data, Math.min(size, 50000));
        if (piece[0] === 33) return -9n;
        const open = this.open.get(handle);
        if (!open) return errors.bad_handle;
        open.data = Buffer.concat([open.data, piece]);
        return BigInt(piece.length);
      },
      ipfsComputeAddFinish: (handle) => {
        const { data } = this.open.get(handle);
        this.open.delete(handle);
        return this.opened(`cid of ${data.length} ending in ${data.toString("utf8").at(-1)}`);
      },
    };
  }

  wasi() {
    const vector = (at) => new DataView(this.memory.buffer, at, 8);
    const answered = (size, count) => {
      new DataView(this.memory.buffer).setUint32(size, count, true);
      return 0;
    };
    return {
      fd_read: (fd, vectors, count, size) => {
        assert.equal(count, 1);
        const view = vector(vectors);
        const piece = this.input.subarray(0, Math.min(777, view.getUint32(4, true)));
        this.bytes(view.getUint32(0, true), piece.length).set(piece);
        this.input = this.input.subarray(piece.length);
        return answered(size, piece.length);
      },
      // Four bytes at most.
      fd_write: (fd, vectors, count, size) => {
        assert.equal(count, 1);
        const view = vector(vectors);
        const piece = Math.min(4, view.getUint32(4, true));
        this.output[fd] += this.text(view.getUint32(0, true), piece);
        return answered(size, piece);
      },
      proc_exit: (status) => {
        throw new Exit(`exit status ${status}`);
      },
      random_get: (out, size) => {
        this.bytes(out, size).fill(7);
        return 0;
      },
    };
  }
}

/** Runs one export of guest.ts; the host as it was at the end. */
function run(name) {
  const host = new Host();
  const instance = new WebAssembly.Instance(module, {
    ipfs_compute: host.functions(),
    wasi_snapshot_preview1: host.wasi(),
  });
  host.memory = instance.exports.memory;
  instance.exports._initialize();
  try {
    instance.exports[name]();
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    host.ended = error.message;
  }
  return host;
}

const tests = WebAssembly.Module.exports(module)
  .filter(({ name, kind }) => kind === "function" && name !== "_initialize")
  .map(({ name }) => name);
assert.ok(tests.length > 10);
for (const name of tests.filter((each) => !each.startsWith("fails"))) {
  test(name, () => {
    const host = run(name);
    assert.equal(host.ended, undefined, host.output[2]);
    assert.equal(host.open.size, 0, "handles left open");
  });
}

test("an outcome's value that is not there ends the run and says why", () => {
  const host = run("failsWithWhatAndTheNameOfTheError");
  assert.equal(host.ended, "exit status 1");
  assert.match(host.output[2], /^cannot open none: not_found \(/);
});

test("a failed assertion ends the run and says where", () => {
  const host = run("failsWhereAnAssertionDoes");
  assert.equal(host.ended, "exit status 1");
  assert.match(host.output[2], /^not 2 \(.*guest\.ts:\d+:\d+\)\n$/);
});

test("a request is JSON", () => {
  assert.equal(
    run("requestIsJsonAndTheAnswerHasStatusHeadersAndBody").request,
    '{"method":"POST","url":"https://example.org/\\"x\\"",' +
      '"headers":{"A":"1\\u000a"},"body":"\\\\"}',
  );
});

test("logs, output and errors go where they belong", () => {
  const host = run("logAndPrintAndConsole");
  assert.deepEqual(host.log, ["one\u20ac"]);
  assert.equal(host.output[1], "two\nfour\n");
  assert.match(host.output[2], /^three\nfive\nsix 1\.5 2(\.0)?\n$/);
});
