import { readHandle, textOf } from "./file";
import { ipfsComputeClose, ipfsComputeCurl, ipfsComputeRead } from "./host";
import { JsonObject, quoted } from "./json";
import { ErrorNumber, Outcome } from "./outcome";

/**
 * An HTTP request. Hosts that neither the job nor the worker allows are refused, and so is every
 * request of a pure job.
 */
export class Request {
  method: string = "GET";
  headers: Map<string, string> = new Map();
  body: string = "";

  constructor(public url: string) {}

  /** Sends it; back when the head of the answer is here. */
  send(): Outcome<Response> {
    const what = "cannot reach " + this.url;
    let headers = "";
    const names = this.headers.keys();
    for (let at = 0; at < names.length; ++at) {
      headers += (at > 0 ? "," : "") + quoted(names[at]) + ":";
      headers += quoted(this.headers.get(names[at]));
    }
    let text = '{"method":' + quoted(this.method) + ',"url":' + quoted(this.url);
    text += ',"headers":{' + headers + '},"body":' + quoted(this.body) + "}";
    const request = String.UTF8.encode(text);
    const handle = ipfsComputeCurl(changetype<usize>(request), request.byteLength);
    if (handle < 0) {
      return Outcome.failed<Response>(handle, what);
    }
    const line = readLine(handle);
    const head: JsonObject | null = JsonObject.parse(line === null ? "" : line);
    if (head === null || head.number("status") == 0) {
      ipfsComputeClose(handle);
      return Outcome.failed<Response>(-ErrorNumber.Malformed, what);
    }
    const url = head.text("url");
    const found = head.objects.has("headers")
      ? head.objects.get("headers").texts
      : new Map<string, string>();
    const last = url === null ? this.url : url;
    return Outcome.of<Response>(new Response(i32(head.number("status")), last, found, handle));
  }
}

/** The line before the body, byte by byte: what follows is the body's. */
function readLine(handle: i64): string | null {
  const bytes: u8[] = [];
  const one = new Uint8Array(1);
  while (ipfsComputeRead(handle, one.dataStart, 1) == 1) {
    if (one[0] == 10) {
      return String.UTF8.decodeUnsafe(bytes.dataStart, bytes.length);
    }
    bytes.push(one[0]);
  }
  return null;
}

/** The answer to a Request. */
export class Response {
  constructor(
    readonly status: i32,
    /** Where the answer came from, after redirects. */
    readonly url: string,
    /** By names in lower case. */
    readonly headers: Map<string, string>,
    private handle: i64,
  ) {}

  /** Bytes of the body as they come; 0 at the end. Negative: a negated ErrorNumber. */
  read(out: Uint8Array): i32 {
    return i32(ipfsComputeRead(this.handle, out.dataStart, out.length));
  }

  /** All that is left of the body, as text; closes it. */
  text(): Outcome<string> {
    const bytes = readHandle(this.handle, "cannot read the answer of " + this.url);
    this.handle = 0;
    return bytes.ok
      ? Outcome.of<string>(textOf(bytes.value))
      : Outcome.failed<string>(-bytes.error, "cannot read the answer of " + this.url);
  }

  /** Closes it; a job has a limit of open handles. */
  close(): void {
    ipfsComputeClose(this.handle);
    this.handle = 0;
  }
}
