/** Notes with whole clients: concurrent edits, lost connections, a server that starts anew. [channels 8] [channels 17] */
import { assert, assertEquals } from "@std/assert";
import { ChannelNotes } from "../../client/channel_notes.ts";
import type { CollabClient } from "../../client/collab_client.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { decode } from "../../proto/mod.ts";
import { Document, fromWireOperation, type Operation } from "../../text/mod.ts";
import { FlakyNetwork } from "../support/flaky_network.ts";
import { printedRandom, type RandomSource } from "../support/random.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { waitUntil } from "../support/wait_until.ts";

const MEMBER = 1;
const CHANNEL = 1n;

/** Makes channel 1 of the first one, with the others as members. */
async function belong(owner: CollabClient, ...others: readonly CollabClient[]): Promise<void> {
  await owner.request("CreateChannel", { name: "zed" });
  for (const other of others) {
    const userId = other.userId;
    await owner.request("InviteChannelMember", { channelId: CHANNEL, userId, role: MEMBER });
    await other.request("RespondToChannelInvite", { channelId: CHANNEL, accept: true });
  }
}

/** Waits until all have the same text and nothing waits for anything. */
async function agree(...all: readonly ChannelNotes[]): Promise<void> {
  const [first] = all as readonly [ChannelNotes];
  const version = (one: ChannelNotes) => JSON.stringify(one.buffer.version);
  await waitUntil(
    () => all.every((one) => version(one) === version(first) && one.buffer.waitingCount === 0),
    { describe: () => `all to have the same: ${all.map(version).join(" ")}` },
  );
  for (const one of all) assertEquals(one.text, first.text);
}

/** The document as the database has it: base and operations. */
async function replayed(server: TestServer): Promise<{ text: string; people: string[] }> {
  const { store } = server.server;
  const [buffer] = await store.load("buffers");
  const [snapshot] = await store.load("buffer_snapshots");
  assertEquals(snapshot?.epoch ?? 0, buffer?.epoch);
  const rows = await store.load("buffer_operations");
  const operations = rows.map(({ operation }) => fromWireOperation(decode("Operation", operation)))
    .filter((one) => one !== undefined);
  const base = snapshot === undefined ? "" : new TextDecoder().decode(snapshot.base_text);
  const document = new Document(base);
  // In the order of the rows' key each is ready when its turn comes. [channels 9.7]
  for (const one of operations) assertEquals(document.apply([one as Operation]).applied, [one]);
  const people = (await store.load("channel_buffer_collaborators"))
    .map((row) => `${row.replica_id} ${row.user_id} ${row.connection_owner}:${row.connection_id}`);
  return { text: document.text(), people };
}

function peopleOf({ collaborators }: ChannelNotes): string[] {
  return collaborators.map(({ replicaId, userId, peerId }) =>
    `${replicaId} ${userId} ${peerId?.ownerId}:${peerId?.id}`
  );
}

function change(random: RandomSource, { buffer }: ChannelNotes): void {
  const { length } = buffer.text;
  const what = random.int(10);
  if (what === 0) buffer.undo();
  else if (what === 1) buffer.redo();
  else {
    const start = random.int(length + 1);
    const end = random.chance(0.6) ? start : Math.min(length, start + random.int(5));
    buffer.edit([{ start, end, text: random.chance(0.2) ? "" : `${random.int(1000)}\n` }]);
  }
}

Deno.test("[channels 8.6] [transport 3.10.4] what is edited without a connection goes out when there is one", async () => {
  await using server = await startServer();
  const network = new FlakyNetwork(denoTransport);
  await using a = await server.client("a", { transport: network });
  await using b = await server.client("b");
  await belong(a, b);
  const one = await ChannelNotes.open(a, CHANNEL);
  const two = await ChannelNotes.open(b, CHANNEL);
  one.buffer.edit([{ start: 0, end: 0, text: "middle" }]);
  await agree(one, two);
  network.cut();
  await waitUntil(() => !one.isOnline);
  one.buffer.edit([{ start: 6, end: 6, text: " right" }]);
  two.buffer.edit([{ start: 0, end: 0, text: "left " }]);
  network.isUp = true;
  await a.reconnect();
  await agree(one, two);
  assertEquals([one.text, one.replicaId], ["left middle right", 8]);
  await two.until((all) => all.length === 2);
  assertEquals(peopleOf(one), peopleOf(two));
});

Deno.test("[channels 11.4, 17.5, 17.6, 17.7, 17.8, 17.11] random edits, losses and returns: all end with one text, the database's too", async () => {
  await using server = await startServer();
  const random = printedRandom("notes");
  const clients: CollabClient[] = [];
  await using stack = new AsyncDisposableStack();
  const networks = new Map<CollabClient, FlakyNetwork>();
  for (const login of ["a", "b", "c", "d"]) {
    const transport = new FlakyNetwork(denoTransport);
    const client = stack.use(await server.client(login, { transport }));
    clients.push(client);
    networks.set(client, transport);
  }
  const [owner, ...others] = clients as [CollabClient, ...CollabClient[]];
  await belong(owner, ...others);
  const open = new Map<CollabClient, ChannelNotes>();
  for (const client of clients) open.set(client, await ChannelNotes.open(client, CHANNEL));
  const epoch = () => [...open.values()][0]?.epoch;
  for (let round = 0; round < 12; round++) {
    for (let step = 0; step < 40; step++) {
      const client = clients[random.int(clients.length)] as CollabClient;
      const notes = open.get(client);
      if (notes === undefined) {
        open.set(client, await ChannelNotes.open(client, CHANNEL));
      } else if (random.chance(0.02) && open.size > 1) {
        open.delete(client);
        await notes.leave();
      } else if (random.chance(0.03)) {
        const network = networks.get(client) as FlakyNetwork;
        network.cut();
        await waitUntil(() => !notes.isOnline);
        for (let edit = 0; edit < 3; edit++) change(random, notes);
        network.isUp = true;
        await client.reconnect();
      } else change(random, notes);
    }
    if (round === 6) {
      await server.restart();
      await Promise.all(clients.map((client) => client.reconnect()));
    }
    const all = [...open.values()];
    for (const one of all) assertEquals(one.endReason, undefined);
    await agree(...all);
    await Promise.all(all.map((one) => one.until((people) => people.length === all.length)));
    // Behind everything that was sent.
    await Promise.all(clients.map((client) => client.request("Ping", {})));
    await server.rest();
    const { text, people } = await replayed(server);
    assertEquals(text, all[0]?.text);
    for (const one of all) assertEquals(peopleOf(one), people);
    assertEquals(new Set(people.map((line) => line.split(" ")[0])).size, people.length);
    assertEquals(epoch(), 0n, "somebody was always there");
  }
  const [last] = open.values();
  const text = last?.text as string;
  for (const one of open.values()) {
    one.acknowledge();
    await one.leave();
  }
  const again = await ChannelNotes.open(owner, CHANNEL);
  assertEquals([again.epoch, again.text], [1n, text]);
  await again.leave();
  const unchanged = await ChannelNotes.open(owner, CHANNEL);
  assertEquals(unchanged.epoch, 1n);
  assert(unchanged.text.length > 0);
});

Deno.test("[channels 6.2, 7.2] notes are closed with their channel, or when the place is gone", async () => {
  await using server = await startServer();
  await using a = await server.client("a");
  await using b = await server.client("b");
  await belong(a, b);
  a.send("SubscribeToChannels", {});
  b.send("SubscribeToChannels", {});
  const one = await ChannelNotes.open(a, CHANNEL);
  const two = await ChannelNotes.open(b, CHANNEL, { isReadOnly: true });
  await one.until((all) => all.length === 2);
  let error = "";
  try {
    two.buffer.edit([{ start: 0, end: 0, text: "x" }]);
  } catch (thrown) {
    error = (thrown as Error).message;
  }
  assertEquals(error, "Cannot change this buffer: you may only read it");
  await a.request("DeleteChannel", { channelId: CHANNEL });
  const gone = "the channel is gone, or not for this user any more";
  assertEquals([await one.closed, await two.closed], [gone, gone]);
  await one.leave();
});
