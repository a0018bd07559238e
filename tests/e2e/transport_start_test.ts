/** The first messages of a connection, its ids, and how long it lives. [transport 1.8] [transport 2] [rooms 4] */
import { assertEquals } from "@std/assert";
import { encode } from "../../proto/mod.ts";
import { decodeEnvelope } from "../../rpc/decode_envelope.ts";
import { decompress } from "../../rpc/zstd.ts";
import { signIn } from "../support/bystanders.ts";
import { Opcode, type RawClient } from "../support/raw_client.ts";
import { startServer } from "../support/server.ts";
import { Stage } from "../support/stage.ts";
import { SteppedClock } from "../support/stepped_clock.ts";
import { waitUntil } from "../support/wait_until.ts";

function names(peer: { readonly received: readonly { readonly name: string }[] }): string[] {
  return peer.received.map(({ name }) => name);
}

Deno.test("[transport 1.8.1, 2.9, 2.9.1, 2.9.2, 10.4] [rooms 4.2a, 4.2c, 4.2e, 4.5, 19.2, Q-1] the first messages, for each year", async () => {
  await using server = await startServer();
  const old = await server.raw("a", { version: "0.191.0" });
  await old.settle();
  assertEquals(names(old), ["Hello", "ShowContacts", "UpdateUserPlan", "UpdateContacts"]);
  const [plan] = old.all("UpdateUserPlan");
  assertEquals([plan?.plan, plan?.accountTooYoung], [0, false]);
  // A client of 2026 has minor number 10, which is below 139.
  for (const version of ["1.10.0+stable.1.abc", "0.204.1"]) {
    const young = await server.raw("a", { version });
    await young.settle();
    assertEquals(names(young), ["Hello", "UpdateContacts"]);
  }
});

Deno.test("[transport 2.1.1, 2.1.2, 3.10.5] [rooms 1.1, 1.2] peer ids count from 0 behind the number of the start", async () => {
  await using server = await startServer();
  const first = await server.raw("a");
  const second = await server.raw("b");
  await first.close();
  const third = await server.raw("a");
  const owner = first.peerId.ownerId;
  assertEquals(owner >= 1, true);
  assertEquals([first.peerId, second.peerId, third.peerId], [
    { ownerId: owner, id: 0 },
    { ownerId: owner, id: 1 },
    { ownerId: owner, id: 2 },
  ]);
  await server.restart();
  assertEquals((await server.raw("a")).peerId, { ownerId: owner + 1, id: 0 });
});

Deno.test("[transport 2.2, 2.2.1, 2.2.2, 2.2.3, T2] [rooms 1.3, 6.1] ids count from 0; the answer to request 0 is marked by presence", async () => {
  await using server = await startServer();
  using client = await signIn(server.url, await server.addUser("a"));
  const plain = await binaries(client, 3);
  assertEquals(plain.map((bytes) => decodeEnvelope(bytes).id), [0, 1, 2]);
  await client.frame(Opcode.BINARY, rawFrame(encode("Envelope", { id: 0, ping: {} })));
  const [answer] = await binaries(client, 1) as [Uint8Array];
  const { id, respondingTo, originalSenderId } = decodeEnvelope(answer);
  assertEquals([id, respondingTo, originalSenderId], [3, 0, undefined]);
  // `responding_to` is there, although it is 0.
  assertEquals(contains(answer, [0x10, 0x00]), true);
  // A client may leave the id out: it is 0 then, and may come again.
  await client.frame(Opcode.BINARY, rawFrame(encode("Envelope", { ping: {} })));
  const [again] = await binaries(client, 1) as [Uint8Array];
  assertEquals(decodeEnvelope(again).respondingTo, 0);
});

Deno.test("[transport 1.6.1, 1.6.2, 1.6.3, 1.6.4, T3] what Zed sends is read: no size, several frames, any level", async () => {
  await using server = await startServer();
  using client = await signIn(server.url, await server.addUser("a"));
  await binaries(client, 3);
  const { zstdCompressSync, constants } = await import("node:zlib");
  const ping = (id: number) => encode("Envelope", { id, ping: {} });
  for (const [index, level] of [-7, 1, 4, 19].entries()) {
    const params = { [constants.ZSTD_c_compressionLevel]: level };
    await client.frame(Opcode.BINARY, zstdCompressSync(ping(index), { params }));
  }
  // One envelope in three frames.
  const whole = ping(4);
  const parts = [whole.subarray(0, 1), whole.subarray(1, 2), whole.subarray(2)]
    .map((part) => zstdCompressSync(part));
  await client.frame(Opcode.BINARY, new Uint8Array(parts.flatMap((part) => [...part])));
  const answers = await binaries(client, 5);
  assertEquals(answers.map((bytes) => decodeEnvelope(bytes).respondingTo), [0, 1, 2, 3, 4]);
});

Deno.test("[transport 2.3.5, 2.3.6, 2.8.2] [rooms 5.3, 19.1, 19.4] 300 requests sent at once are answered in their order", async () => {
  await using server = await startServer();
  const a = await server.raw("a");
  const sent = Array.from({ length: 300 }, (_, index) => {
    switch (index % 3) {
      case 0:
        return a.send("Ping", {});
      case 1:
        return a.send("LeaveRoom", {});
      default:
        return a.send("RemoveContact", { userId: 99n });
    }
  });
  await a.answer(sent.at(-1) as number);
  const answered = a.received.map(({ respondingTo }) => respondingTo)
    .filter((id) => id !== undefined);
  assertEquals(answered, sent);
});

Deno.test("[rooms 4.3, 19.2] presence that changes while somebody connects is never told before the list", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const [a, b] = await stage.friends("A1", "B1");
  const coming = Array.from({ length: 8 }, () => server.raw("a"));
  for (let round = 0; round < 8; round++) {
    await b.call("CreateRoom", {});
    await b.call("LeaveRoom", {});
  }
  for (const peer of await Promise.all(coming)) {
    await peer.settle();
    assertEquals(names(peer).slice(0, 2), ["Hello", "UpdateContacts"]);
    const told = peer.all("UpdateContacts").map(({ contacts }) => contacts[0]?.busy);
    assertEquals(told.at(-1), false);
  }
  assertEquals((await a.ask("Ping", {})).name, "Ack");
});

Deno.test("[rooms 4.6, Q-2] initial pushes that fail are a lost connection, and the user can come again", async () => {
  const clock = new SteppedClock();
  await using server = await startServer({ parts: { clock } });
  const stage = new Stage(server);
  await stage.friends("A1", "B1");
  await stage.lose("A1");
  clock.advance(server.server.actors.times.reconnectGrace);
  const { registry, directory } = server.server.actors;
  await waitUntil(() => registry.users.size === 1, { describe: "the user's rest" });
  await stage.silence();
  const find = directory.find.bind(directory);
  directory.find = () => Promise.reject(new Error("The database is away, by a test's wish"));
  using failed = await signIn(server.url, await server.addUser("a"));
  await failed.dropped();
  failed.close();
  directory.find = find;
  await waitUntil(() => registry.connections.size === 1);
  await stage.enter("A2");
  assertEquals(await stage.heardBy("A2", "B1"), {
    A2: ["UpdateContacts b online free"],
    B1: ["UpdateContacts a online free"],
  });
});

Deno.test("[rooms 4.1, 16] once a stop has begun, nobody is let in any more", async () => {
  await using server = await startServer();
  const { actors } = server.server;
  const peer = await server.raw("a");
  const user = await server.addUser("a");
  actors.draining = true;
  using late = await signIn(server.url, user);
  assertEquals(await late.dropped(), undefined);
  actors.draining = false;
  assertEquals((await peer.ask("Ping", {})).name, "Ack");
});

Deno.test("[rooms 10.14] [transport 2.4.5] Ping is acknowledged", async () => {
  await using server = await startServer();
  const a = await server.raw("a");
  assertEquals((await a.ask("Ping", {})).name, "Ack");
});

Deno.test("[transport 2.6.2, 2.8.4] [rooms 2.7, 6.3] what waits for somebody who goes fails at once", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b, c] } = await stage.meet("A1", "B1", "C1");
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  await b.call("JoinProject", { projectId });
  const waiting = [1n, 2n].map((id) => b.send("OpenBufferById", { projectId, id }));
  const following = c.send("Follow", { roomId, leaderId: a.peerId });
  await stage.silence();
  await stage.lose("A1");
  for (const id of waiting) assertEquals((await b.answer(id)).name, "Error");
  assertEquals((await c.answer(following)).name, "Error");
});

Deno.test("[transport 2.8.4] [rooms 5.6] what somebody asked who goes is answered to nobody", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  await b.call("JoinProject", { projectId });
  b.send("OpenBufferById", { projectId, id: 1n });
  const asked = await a.next("OpenBufferById");
  assertEquals(asked.originalSenderId, b.peerId);
  await stage.lose("B1");
  a.reply(asked, "OpenBufferResponse", { bufferId: 1n });
  await stage.silence();
  assertEquals(
    server.server.metrics.ignoredMessages.value("unexpected_response") >= 1,
    true,
  );
});

Deno.test("[transport 2.3.1, 2.3.4] an answer belongs to its request once, those of a stream until its end", async () => {
  await using server = await startServer();
  const stage = new Stage(server);
  const { roomId, peers: [a, b] } = await stage.meet("A1", "B1");
  const { projectId } = await a.call("ShareProject", { roomId, worktrees: [] });
  await b.call("JoinProject", { projectId });
  const single = b.send("OpenBufferById", { projectId, id: 1n });
  const asked = await a.next("OpenBufferById");
  a.reply(asked, "OpenBufferResponse", { bufferId: 1n });
  a.reply(asked, "OpenBufferResponse", { bufferId: 2n });
  const many = b.send("GetInitialGraphData", { projectId });
  const streaming = await a.next("GetInitialGraphData");
  for (let item = 0; item < 3; item++) a.reply(streaming, "GetInitialGraphDataResponse", {});
  a.reply(streaming, "EndStream", {});
  a.reply(streaming, "GetInitialGraphDataResponse", {});
  await stage.quiet();
  assertEquals(b.answers(single).map(({ value }) => value), [{ bufferId: 1n }]);
  assertEquals(b.answers(many).map(({ name }) => name), [
    "GetInitialGraphDataResponse",
    "GetInitialGraphDataResponse",
    "GetInitialGraphDataResponse",
    "EndStream",
  ]);
  assertEquals(server.server.metrics.ignoredMessages.value("unexpected_response") >= 2, true);
});

/** The next so many binary messages, decompressed. */
async function binaries(client: RawClient, count: number): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  while (found.length < count) {
    const frame = await client.readFrame();
    if (frame === undefined) throw new Error("The connection has ended");
    if (frame.opcode === Opcode.BINARY) {
      found.push(decompress(frame.payload, 1 << 20).slice());
    }
  }
  return found;
}

/** A zstd frame of one raw block. */
function rawFrame(plain: Uint8Array): Uint8Array {
  const header = (plain.length << 3) | 1;
  return new Uint8Array([
    ...[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58],
    ...[header & 0xff, (header >> 8) & 0xff, (header >> 16) & 0xff],
    ...plain,
  ]);
}

function contains(bytes: Uint8Array, part: readonly number[]): boolean {
  return bytes.some((_, at) => part.every((byte, index) => bytes[at + index] === byte));
}
