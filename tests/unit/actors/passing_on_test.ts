/** What passes through: untouched, unless its receivers could not read it. */
import { assert, assertEquals } from "@std/assert";
import { Actor } from "xstate";
import { decode, encode, type MessageName } from "../../../proto/mod.ts";
import { concatBytes, lengthDelimited } from "../../../rpc/fields.ts";
import { compress } from "../../../rpc/zstd_compress.ts";
import { decompress } from "../../../rpc/zstd.ts";
import { assertCarries } from "../../support/carries.ts";
import { type Client, frame, World } from "./world.ts";

/** Bytes that no message has, in a field that no client knows. */
const UNKNOWN = lengthDelimited(127, new Uint8Array([0xff, 0xc3, 0x28]));

function edit(projectId: bigint, text = "function"): Uint8Array {
  return encode("UpdateBuffer", {
    projectId,
    bufferId: 2n ** 63n + 1n,
    operations: [{
      edit: {
        replicaId: 8,
        lamportTimestamp: 5,
        version: [{ replicaId: 0, timestamp: 7 }],
        ranges: [{ start: 1n, end: 2n }],
        newText: [text],
      },
    }],
  });
}

/** Calls of the actor library while `run` runs: any chart that is told anything is among them. */
async function chartEvents(run: () => Promise<void>): Promise<string[]> {
  const seen: string[] = [];
  const { send } = Actor.prototype;
  Actor.prototype.send = function (event) {
    seen.push(event.type);
    return send.call(this, event);
  };
  try {
    await run();
  } finally {
    Actor.prototype.send = send;
  }
  return seen;
}

Deno.test("[design 1.7, 1.3c] an UpdateBuffer moves no chart, and its bytes reach each guest as they came", async () => {
  await using world = await World.start();
  const { projectId, clients } = await world.share("host", "ann", "bob");
  const [host, ann, bob] = clients as [Client, Client, Client];
  const original = compress(
    decompress(frame("UpdateBuffer", concatBytes([edit(projectId), UNKNOWN]), 77), 1 << 20).slice(),
  );
  const writes = world.actors.metrics.journalRows.value;
  const events = await chartEvents(async () => {
    for (let count = 0; count < 20; count++) host.connection.receive(original);
    await world.settle();
  });
  assertEquals(events, []);
  assertEquals(world.actors.metrics.journalRows.value, writes);
  for (const guest of [ann, bob]) {
    assertEquals(guest.socket.sent.length, 20);
    for (const sent of guest.socket.sent) {
      assertCarries(sent, original);
    }
    const ids = guest.socket.messages.map(({ id, originalSenderId, name }) => {
      assertEquals([name, originalSenderId], ["UpdateBuffer", {
        ownerId: host.connection.ownerId,
        id: host.connection.id,
      }]);
      return id;
    });
    assertEquals(ids, ids.map((_, index) => (ids[0] as number) + index));
  }
  assertEquals(host.take().map(({ name, respondingTo }) => [name, respondingTo]), [
    ...Array(20).fill(["Ack", 77]),
  ]);
});

Deno.test("[design 1.7] the counting of chart events counts", async () => {
  await using world = await World.start();
  const events = await chartEvents(async () => void await world.connect("ann"));
  assert(events.includes("connection.opened"), events.join());
});

Deno.test("[projects 8.1] a forwarded request and its answer pass as they came", async () => {
  await using world = await World.start();
  const { projectId, clients } = await world.share("host", "ann");
  const [host, ann] = clients as [Client, Client];
  const request = concatBytes([encode("SaveBuffer", { projectId, bufferId: 5n }), UNKNOWN]);
  const original = frame("SaveBuffer", request, 41);
  const events = await chartEvents(async () => {
    ann.connection.receive(original);
    await world.settle();
    const [asked] = host.socket.sent;
    assertCarries(asked, original);
    const id = host.take()[0]?.id as number;
    const answer = frame(
      "BufferSaved",
      concatBytes([encode("BufferSaved", { bufferId: 5n }), UNKNOWN]),
      9,
      id,
    );
    host.connection.receive(answer);
    await world.settle();
    const [relayed] = ann.socket.sent;
    assertCarries(relayed, answer);
  });
  assertEquals(events, []);
  const [answer] = ann.take();
  assertEquals([answer?.name, answer?.respondingTo, answer?.originalSenderId], [
    "BufferSaved",
    41,
    undefined,
  ]);
});

/** What ends its sender's connection, though the walk of its routing fields finds nothing. */
const UNREADABLE: readonly (readonly [string, MessageName, (projectId: bigint) => Uint8Array])[] = [
  ["text that is not UTF-8", "UpdateBuffer", (projectId) => {
    const bytes = edit(projectId, "~~");
    const at = bytes.findLastIndex((byte) => byte === 0x7e);
    bytes[at] = 0xff;
    return bytes;
  }],
  ["an operation's field of another type", "UpdateBuffer", (projectId) =>
    concatBytes([
      encode("UpdateBuffer", { projectId }),
      // operations { edit { replica_id: "" } }
      new Uint8Array([0x1a, 4, 0x0a, 2, 0x0a, 0]),
    ])],
  ["an operation that ends beyond its message", "UpdateBuffer", (projectId) =>
    concatBytes([
      encode("UpdateBuffer", { projectId }),
      new Uint8Array([0x1a, 4, 0x0a, 2, 0x1a, 9]),
    ])],
  [
    "a broadcast with a wrong field",
    "BufferSaved",
    (projectId) => concatBytes([encode("BufferSaved", { projectId }), new Uint8Array([0x20, 5])]),
  ],
  ["a message to one peer with a wrong field", "CreateBufferForPeer", (projectId) =>
    concatBytes([
      encode("CreateBufferForPeer", { projectId, peerId: { ownerId: 1, id: 1 } }),
      lengthDelimited(3, new Uint8Array([0x1a, 1, 0xff])),
    ])],
  ["a tree update with an entry that cannot be read", "UpdateWorktree", (projectId) =>
    concatBytes([
      encode("UpdateWorktree", { projectId, worktreeId: 1n }),
      lengthDelimited(4, new Uint8Array([0x1a, 1, 0xff])),
    ])],
  ["a group deep inside", "UpdateFollowers", () =>
    concatBytes([
      encode("UpdateFollowers", { roomId: 1n }),
      lengthDelimited(5, new Uint8Array([0x0b, 0x0c])),
    ])],
];

for (const [what, name, payload] of UNREADABLE) {
  Deno.test(`[design 6c] nobody but its sender notices ${what} in ${name}`, async () => {
    await using world = await World.start();
    const { projectId, clients } = await world.share("host", "ann", "bob");
    const [host, ann, bob] = clients as [Client, Client, Client];
    host.sendPayload(name, payload(projectId));
    await world.settle();
    assertEquals(host.socket.closed, { code: 1008, reason: "bad_envelope" });
    assertEquals(world.actors.metrics.droppedConnections.value("bad_envelope"), 1);
    assertEquals([ann.take(), bob.take(), host.take()], [[], [], []]);
    ann.send("Ping", {});
    assertEquals(ann.take().map(({ name }) => name), ["Ack"]);
    assertEquals(world.log.lines, []);
  });
}

Deno.test("[design 6c] an answer that its requester could not read ends the answerer's connection", async () => {
  await using world = await World.start();
  const { projectId, clients } = await world.share("host", "ann");
  const [host, ann] = clients as [Client, Client];
  ann.send("SaveBuffer", { projectId });
  await world.settle();
  const id = host.take()[0]?.id as number;
  ann.take();
  host.sendPayload("Error", new Uint8Array([0x12, 1, 0xff]), id);
  await world.settle();
  assertEquals(host.socket.closed?.reason, "bad_envelope");
  const [error, ...rest] = ann.take();
  assertEquals([error?.name, error?.value.message, rest], ["Error", "connection was closed", []]);
});

Deno.test("[design 6c] a refused request is looked at by nobody, so its contents do not matter", async () => {
  await using world = await World.start();
  const ann = await world.connect("ann");
  ann.take();
  ann.sendPayload("Push", new Uint8Array([0x1a, 1, 0xff]));
  assertEquals(ann.take().map(({ name }) => name), ["Error"]);
  assertEquals(ann.socket.closed, undefined);
});

Deno.test("[projects 8.7a] a LanguageServerLog in the form of 2025 is dropped, one of 2026 is passed on", async () => {
  await using world = await World.start();
  const { projectId, clients } = await world.share("host", "ann");
  const [host, ann] = clients as [Client, Client];
  const id = encode("LanguageServerLog", { projectId });
  host.sendPayload(
    "LanguageServerLog",
    concatBytes([id, new Uint8Array([0x18, 2, 0x2a, 1, 0x79])]),
  );
  await world.settle();
  assertEquals([ann.take(), host.socket.closed], [[], undefined]);
  assertEquals(world.actors.metrics.ignoredMessages.value("unexpected_message"), 1);
  host.send("LanguageServerLog", { projectId, message: "x", log: { level: 1 } });
  assertEquals(ann.take().map(({ name }) => name), ["LanguageServerLog"]);
});

Deno.test("[transport 1.6.5] fields and payloads of newer clients end no connection", async () => {
  await using world = await World.start();
  const { projectId, clients } = await world.share("host", "ann");
  const [host, ann] = clients as [Client, Client];
  host.sendPayload("BufferSaved", concatBytes([encode("BufferSaved", { projectId }), UNKNOWN]));
  assertEquals(ann.take().map(({ name, payload }) => [name, payload.slice(-3)]), [
    ["BufferSaved", new Uint8Array([0xff, 0xc3, 0x28])],
  ]);
});

Deno.test("[transport 2.2, 2.8.4] [design 1.7c] a forged sender, an ack_id and fields of newer clients are left out of what is passed on", async () => {
  await using world = await World.start();
  const { projectId, clients } = await world.share("host", "ann", "bob");
  const [host, ann, bob] = clients as [Client, Client, Client];
  const forged = encode("Envelope", {
    originalSenderId: { ownerId: ann.connection.ownerId, id: ann.connection.id },
    ackId: 7,
  });
  const plain = decompress(frame("UpdateBuffer", edit(projectId), 77), 1 << 20).slice();
  const newer = lengthDelimited(2047, new Uint8Array([0xff, 0xc3, 0x28]));
  host.connection.receive(compress(concatBytes([newer, forged, plain, newer])));
  assertEquals(host.take().map(({ name, respondingTo }) => [name, respondingTo]), [["Ack", 77]]);
  for (const guest of [ann, bob]) {
    const bytes = guest.socket.sent.at(-1) as Uint8Array;
    const { updateBuffer, originalSenderId, ackId } = decode(
      "Envelope",
      decompress(bytes, 1 << 20),
    );
    assertEquals(updateBuffer, decode("UpdateBuffer", edit(projectId)));
    const { ownerId, id } = host.connection;
    assertEquals([originalSenderId?.ownerId, originalSenderId?.id], [ownerId, id]);
    assertEquals(ackId, undefined);
    assertEquals(bytes.indexOf(0xc3), -1, "a field that nobody here knows is passed on");
    guest.take();
  }
});

Deno.test("[transport 1.6.10] [design 1.7] what is framed anew stays compressed where clients would not take the frame", async () => {
  await using world = await World.start();
  const { projectId, clients: [host, ann] } = await world.share("host", "ann");
  const text = "0123456789abcdef".repeat(1 << 20);
  const whole = compress(
    decompress(frame("UpdateBuffer", edit(projectId, text), 77), 1 << 26).slice(),
  );
  host!.connection.receive(whole);
  await world.settle();
  const [sent] = ann!.socket.sent.splice(-1);
  assert(sent !== undefined && sent.length < 1 << 24, `${sent?.length} bytes`);
  assert(decompress(sent, 1 << 26).length > text.length);
});
