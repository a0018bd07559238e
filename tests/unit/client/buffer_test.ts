import { assertEquals, assertRejects } from "@std/assert";
import fc from "../../support/packages/fast_check.ts";
import { Buffer } from "../../../client/buffer.ts";
import { BufferUpdates } from "../../../client/buffer_updates.ts";
import { fromWireOperation, toWireOperation } from "../../../client/operations.ts";
import { decode, encode, LineEndingEnum, type Operation } from "../../../proto/mod.ts";
import { waitUntil } from "../../support/wait_until.ts";

function makeBuffer(baseText: string, replicaId = 0): Buffer {
  const lineEnding = baseText.includes("\r\n") ? LineEndingEnum.Windows : LineEndingEnum.Unix;
  return new Buffer({ id: 7n, replicaId, baseText, file: undefined, lineEnding });
}

/** What arrives when operations go over the wire. */
function send(operations: readonly Parameters<typeof encode<"Operation">>[1][]): Operation[] {
  return operations.map((operation) => decode("Operation", encode("Operation", operation)));
}

Deno.test("[channels 9.6] operations survive the wire, edits and undos alike", () => {
  const buffer = makeBuffer("ein Tag\n", 8);
  const operations = [] as Parameters<typeof toWireOperation>[0][];
  buffer.edited.add((operation) => void operations.push(operation));
  buffer.edit([{ start: 0, end: 3, text: "kein" }, { start: 4, end: 4, text: "ä" }]);
  buffer.undo();
  buffer.redo();
  assertEquals(operations.map(({ kind }) => kind), ["edit", "undo", "undo"]);
  const arrived = send(operations.map(toWireOperation)).map(fromWireOperation);
  assertEquals(arrived, operations);
});

Deno.test("[projects 9.2] whoever gets state and operations has the text, and goes on alike", () => {
  const host = makeBuffer("one\r\ntwo\r\n");
  host.edit([{ start: 3, end: 3, text: " and a half" }]);
  host.edit([{ start: 0, end: 1, text: "" }]);
  host.undo();
  const state = decode("BufferState", encode("BufferState", host.state()));
  const guest = new Buffer({ ...state, replicaId: 8, file: state.file });
  guest.apply(send(host.missingOperations()));
  assertEquals(guest.text, "one and a half\ntwo\n");
  assertEquals(guest.fileText, "one and a half\r\ntwo\r\n");
  assertEquals([guest.version, guest.isDirty], [host.version, true]);
  guest.edit([{ start: 0, end: 0, text: "🦜" }]);
  host.edit([{ start: 0, end: 0, text: "host " }]);
  host.apply(send(guest.missingOperations(host.version)));
  guest.apply(send(host.missingOperations(guest.version)));
  assertEquals(guest.text, host.text);
  assertEquals(guest.observes(host.version), true);
});

Deno.test("[channels 9.6] what is no change of text changes none", () => {
  const buffer = makeBuffer("abc");
  buffer.apply(send([
    { updateSelections: { replicaId: 8, lamportTimestamp: 4 } },
    { updateLineEnding: { replicaId: 8, lamportTimestamp: 5, lineEnding: LineEndingEnum.Windows } },
    {},
  ]));
  assertEquals([buffer.text, buffer.lineEnding], ["abc", LineEndingEnum.Windows]);
});

Deno.test("[projects 9.4] a version is waited for until it is applied", async () => {
  const host = makeBuffer("");
  const guest = makeBuffer("", 8);
  guest.edit([{ start: 0, end: 0, text: "x" }]);
  const seen = host.until(guest.version).then(() => host.text);
  host.apply(send(guest.missingOperations()));
  assertEquals(await seen, "x");
  guest.edit([{ start: 0, end: 0, text: "y" }]);
  const never = host.until(guest.version);
  host.end(new Error("The project ended"));
  await assertRejects(() => never, Error, "The project ended");
});

Deno.test("[projects 9.4] a text from the disk becomes an edit of what differs", () => {
  const text = fc.array(fc.constantFrom("a", "b", "\n", "\r\n", "🦜", "🦝", "\ud83e\udd9c\u0301"))
    .map((parts) => parts.join(""));
  fc.assert(fc.property(text, text, (before, after) => {
    const host = makeBuffer(before);
    host.replaceText(after);
    assertEquals(host.text, after.replaceAll("\r\n", "\n"));
  }));
  const buffer = makeBuffer("one two three");
  const edits: unknown[] = [];
  buffer.edited.add((operation) => {
    if (operation.kind === "edit") edits.push([operation.ranges, operation.newText]);
  });
  buffer.replaceText("one 2 three");
  assertEquals(edits, [[[{ start: 4, end: 7 }], ["2"]]]);
});

Deno.test("[projects 9.3] one update of a project is on its way; what waits goes out together", async () => {
  const sent: [bigint, number][] = [];
  const answers: PromiseWithResolvers<void>[] = [];
  const updates = new BufferUpdates((bufferId, operations) => {
    sent.push([bufferId, operations.length]);
    const answer = Promise.withResolvers<void>();
    answers.push(answer);
    return answer.promise;
  }, "stop");
  updates.push(1n, {});
  updates.push(1n, {});
  updates.push(2n, {});
  await waitUntil(() => sent.length === 1, { describe: "the first update" });
  for (let index = 0; index < 200; index++) updates.push(1n, {});
  assertEquals(sent, [[1n, 2]]);
  answers[0]?.resolve();
  await waitUntil(() => sent.length === 2, { describe: "the other buffer's update" });
  answers[1]?.resolve();
  await waitUntil(() => sent.length === 3, { describe: "the next batch" });
  answers[2]?.resolve();
  await waitUntil(() => sent.length === 4, { describe: "the last batch" });
  assertEquals(sent, [[1n, 2], [2n, 1], [1n, 128], [1n, 72]]);
  answers[3]?.resolve();
  await updates.idle();
});

Deno.test("[projects 9.3] a guest whose update fails sends no more until it resynchronises", async () => {
  let error: Error | undefined = new Error("Role too low");
  const sent: bigint[] = [];
  const send = (bufferId: bigint) => {
    sent.push(bufferId);
    return error === undefined ? Promise.resolve() : Promise.reject(error);
  };
  const guest = new BufferUpdates(send, "stop");
  guest.push(1n, {});
  guest.push(2n, {});
  await guest.idle();
  assertEquals([sent, guest.error], [[1n], error]);
  guest.push(3n, {});
  await guest.idle();
  assertEquals(sent, [1n]);
  guest.restart();
  error = undefined;
  guest.push(4n, {});
  await guest.idle();
  assertEquals([sent, guest.error], [[1n, 4n], undefined]);
  sent.length = 0;
  error = new Error("No");
  const host = new BufferUpdates(send, "go on");
  host.push(1n, {});
  host.push(2n, {});
  await host.idle();
  assertEquals([sent, host.error], [[1n, 2n], undefined]);
});
