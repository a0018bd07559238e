/**
 * Fills an outbox in the folder of its argument until the disk refuses, makes room, and goes on. Prints
 * why an event was refused, what is to be kept, and what came last.
 */
import { completeEvent } from "../../client/agent_events.ts";
import { FileOutbox } from "../../client/agent_outbox_file.ts";
import { plan, uuid } from "./agents.ts";

const outbox = FileOutbox.open(`${Deno.args[0]}/outbox`);
const event = () => completeEvent(plan(uuid("thread"), "x".repeat(10_000)), 5);
const added: string[] = [];
let refused = "";
while (refused === "") {
  const one = event();
  try {
    outbox.add(one);
    added.push(one.eventId);
  } catch (error) {
    refused = (error as Error).message;
  }
}
// What is done or numbered is no less so on a full disk.
outbox.noteCommand("while it was full");
outbox.remove(20);
const last = event();
outbox.add(last);
await outbox.synced();
outbox[Symbol.dispose]();
// deno-lint-ignore no-console -- what the test reads
console.log(JSON.stringify({ refused, kept: added.slice(20), last: last.eventId }));
