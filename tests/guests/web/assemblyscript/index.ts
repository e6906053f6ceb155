// Fetches the URL that the event is; prints status, type and body, or the error's name.

import { errorName, eventText, print, Request } from "../../../../guest/assemblyscript/assembly";

export function handler(): void {
  const outcome = new Request(eventText().trim()).send();
  if (!outcome.ok) {
    print(errorName(outcome.error));
    return;
  }
  const answer = outcome.value;
  const type = answer.headers.get("content-type");
  print(answer.status.toString() + " " + type + " " + answer.text().value.trim());
}
