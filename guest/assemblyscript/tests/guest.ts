// Each exported function is a test: host_test.mjs runs it in an instance of its own, against a host
// that is made up there. One that is to end the run has a name that begins with `fails`.

import {
  abiVersion,
  add,
  addText,
  AddWriter,
  Entry,
  EntryKind,
  ErrorNumber,
  errorName,
  event,
  eventText,
  File,
  JsonObject,
  log,
  ls,
  print,
  printError,
  quoted,
  Request,
  textOf,
} from "../assembly";

export function fileReadsToItsEnd(): void {
  assert(textOf(File.read("bafy/a").value) == "hello");
  const file = File.open("bafy/a").value;
  const out = new Uint8Array(8);
  assert(file.readAt(3, out) == 2 && out[0] == 108 && out[1] == 111, "readAt");
  assert(file.readAt(-1, out) == -ErrorNumber.Invalid, "a negative offset");
  assert(file.read(out) == 3 && file.read(out) == 2 && file.read(out) == 0, "read");
  file.close();
  assert(file.read(out) == -ErrorNumber.BadHandle, "after close");
}

export function fileLargerThanTheBufferIsWhole(): void {
  const bytes = File.read("bafy/large").value;
  assert(bytes.length == 10000 && bytes[9999] == 120);
}

export function errorsHaveTheNamesOfTheHostsNumbers(): void {
  assert(File.open("bafy").error == ErrorNumber.NotAFile);
  assert(File.open("none").error == ErrorNumber.NotFound);
  assert(File.read("none").error == ErrorNumber.NotFound);
  assert(File.open("future").error == 77 && errorName(77) == "error 77");
  assert(ls("bafy/a").error == ErrorNumber.NotADirectory);
  assert(errorName(ErrorNumber.Malformed) == "malformed" && errorName(-1) == "error -1");
}

export function failsWithWhatAndTheNameOfTheError(): void {
  File.open("none").value.close();
}

export function failsWhereAnAssertionDoes(): void {
  assert(abiVersion() == 2, "not 2");
}

export function listingGivesNamesOfEveryKind(): void {
  const entries = ls("bafy").value;
  assert(entries.length == 3);
  assert(entries[0].name == 'a "b".txt' && entries[0].cid == "bafy-a" && entries[0].size == 5);
  assert(entries[0].kind == EntryKind.File);
  assert(entries[1].name == "\ud83d\ude00" && entries[1].kind == EntryKind.Directory);
  assert(entries[1].rawName.length == 4, "as UTF-8");
  const last: Entry = entries[2];
  assert(last.rawName.length == 1 && last.rawName[0] == 255 && last.size == u64.MAX_VALUE);
  assert(ls("empty").value.length == 0);
}

export function listingThatMakesNoSenseIsMalformed(): void {
  const paths = ["odd", "cut", "nameless", "oddhex", "deep"];
  for (let at = 0; at < paths.length; ++at) {
    assert(ls(paths[at]).error == ErrorNumber.Malformed, paths[at]);
  }
}

export function addGivesTheCid(): void {
  assert(add(new Uint8Array(4)).value == "bafk-4");
  assert(addText("\u20ac").value == "bafk-3", "as UTF-8");
}

export function writerSendsAll(): void {
  const writer = new AddWriter();
  writer.writeText("99 bottles");
  writer.write(new Uint8Array(100000).fill(121));
  writer.writeText("z");
  assert(writer.finish().value == "cid of 100011 ending in z");
  writer.writeText("late");
  assert(writer.finish().error == ErrorNumber.BadHandle, "a second finish");
}

export function writerKeepsItsFirstError(): void {
  const writer = new AddWriter();
  writer.write(new Uint8Array(1 << 17).fill(33)); // The host takes none of it.
  writer.writeText("more");
  assert(writer.finish().error == ErrorNumber.Refused);
}

export function requestIsJsonAndTheAnswerHasStatusHeadersAndBody(): void {
  const request = new Request('https://example.org/"x"');
  request.method = "POST";
  request.headers.set("A", "1\n");
  request.body = "\\";
  const answer = request.send().value;
  assert(answer.status == 201 && answer.url == "https://example.org/end");
  assert(answer.headers.get("via") == "one, two" && !answer.headers.has("age"));
  assert(answer.text().value == "body\nof two lines");
}

export function requestRefusedOrAnsweredWithNonsenseIsAnError(): void {
  assert(new Request("closed").send().error == ErrorNumber.Refused);
  assert(new Request("half").send().error == ErrorNumber.Malformed);
  assert(new Request("headless").send().error == ErrorNumber.Malformed);
}

export function jsonReadsEscapesAndRefusesWhatIsNone(): void {
  const json = JsonObject.parse(
    ' { "a" :"\\u20ac\\n\\/\\\\", "b":{"c": ""},\n"d": 18446744073709551615 }',
  )!;
  assert(json.text("a")! == "\u20ac\n/\\");
  assert(json.objects.get("b").text("c")! == "" && json.number("d") == u64.MAX_VALUE);
  const wrong = [
    "",
    "{",
    '{"a"',
    '{"a":',
    '{"a":"',
    '{"a":"\\u12"}',
    '{"a":"\\q"}',
    "[]",
    '{"a":1',
    '{"a": }',
  ];
  for (let at = 0; at < wrong.length; ++at) {
    assert(JsonObject.parse(wrong[at]) === null, wrong[at]);
  }
  assert(quoted('a"\\\u0001\u20ac') == '"a\\"\\\\\\u0001\u20ac"');
}

export function eventIsAllOfStandardInput(): void {
  assert(event().length == 10000 && eventText() == "");
}

export function logAndPrintAndConsole(): void {
  log("one\u20ac");
  print("two");
  printError("three");
  console.log("four");
  console.error("five");
  trace("six", 2, 1.5, 2);
  assert(Math.random() < 1);
}
