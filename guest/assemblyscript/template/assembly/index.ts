// A guest of ipfs-compute.

import { addText, eventText, log, print } from "ipfs-compute/assembly";

/** What --handler handler calls. */
export function handler(): void {
  const event = eventText();
  log("the event has " + event.length.toString() + " characters");

  const cid = addText(event).value; // Ends the run with a message where it cannot.
  print("hello; your event is now " + cid);
}
