import { assert, assertEquals } from "@std/assert";
import { encode } from "../../proto/mod.ts";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { chunk, coverage, created, plan, textOf, uuid, type WireEvent } from "../support/agents.ts";
import { startServer, type TestServer } from "../support/server.ts";
import type { Received, TestPeer } from "../support/test_peer.ts";
import { waitUntil } from "../support/wait_until.ts";

const THREAD = uuid("thread");
type Event = Init<MessageTypes["AgentEvent"]>;

let count = 0;
function whole(event: Event): Event {
  return { eventId: uuid("event", ++count), timestamp: 1_000n + BigInt(count), ...event };
}

async function publish(peer: TestPeer, ...events: readonly Event[]) {
  return (await peer.call("PublishAgentEvents", { events: events.map(whole) })).results;
}

async function subscribe(
  peer: TestPeer,
  value: Init<MessageTypes["SubscribeToAgentEvents"]> = {},
) {
  return await peer.call("SubscribeToAgentEvents", { subscriberId: uuid(peer.login), ...value });
}

function notified(peer: TestPeer): WireEvent[] {
  return peer.all("AgentEventNotification").flatMap(({ events }) => events);
}

async function heard(peer: TestPeer, upTo: number): Promise<WireEvent[]> {
  return await waitUntil(() => {
    const events = notified(peer);
    return (events.at(-1)?.seq ?? 0n) >= BigInt(upTo) ? events : undefined;
  }, { describe: () => `event ${upTo} at ${peer.login}` });
}

async function twoDevices(server: TestServer): Promise<[TestPeer, TestPeer]> {
  return [await server.raw("alice"), await server.raw("alice")];
}

Deno.test("[agents R1] events are numbered from 1 without holes, in the order sent", async () => {
  await using server = await startServer();
  const [host, device] = await twoDevices(server);
  const sent = [created(THREAD), ...Array.from({ length: 99 }, (_, i) => plan(THREAD, `p${i}`))];
  const results = (await Promise.all([
    publish(host, ...sent.slice(0, 40)),
    publish(host, ...sent.slice(40, 41)),
    publish(host, ...sent.slice(41)),
  ])).flat();
  assertEquals(results.map(({ seq }) => Number(seq)), sent.map((_, i) => i + 1));
  const { events, hasMore } = await subscribe(device, { threadId: THREAD });
  assert(!hasMore);
  assertEquals(coverage(events), 100n);
  assertEquals(
    events.slice(1).map((event) => event.planUpdated?.entries[0]?.content),
    Array.from({ length: 99 }, (_, i) => `p${i}`),
  );
  for (const { userId, threadId } of events) {
    assertEquals([userId, threadId], [host.userId, THREAD]);
  }
  // Another thread has numbers of its own.
  const other = await publish(host, created(uuid("other")), created(THREAD));
  assertEquals(other.map(({ seq }) => Number(seq)), [1, 101]);
});

Deno.test("[agents R2] an event that comes again gets the seq that it has, also after a restart", async () => {
  await using server = await startServer();
  const host = await server.raw("alice");
  const events = [created(THREAD), plan(THREAD, "a"), plan(THREAD, "b")].map(whole);
  const first = (await host.call("PublishAgentEvents", { events })).results;
  const again = (await host.call("PublishAgentEvents", { events: [...events].reverse() })).results;
  assertEquals(again.map(({ seq }) => seq), first.map(({ seq }) => seq).reverse());
  await server.restart();
  const later = await server.raw("alice");
  const more = [...events, whole(plan(THREAD, "c"))];
  const { results } = await later.call("PublishAgentEvents", { events: more });
  assertEquals(results.map(({ seq }) => Number(seq)), [1, 2, 3, 4]);
  // Twice in one request, too.
  const twice = whole(plan(THREAD, "d"));
  const same = await later.call("PublishAgentEvents", { events: [twice, twice] });
  assertEquals(same.results.map(({ seq }) => Number(seq)), [5, 5]);
});

Deno.test("[agents R2] an event of thousands ago is known again", async () => {
  await using server = await startServer();
  const host = await server.raw("alice");
  const events = Array.from({ length: 6_000 }, (_, i) => whole(plan(THREAD, `${i}`)));
  await publish(host, created(THREAD));
  for (let at = 0; at < events.length; at += 1_000) {
    await host.call("PublishAgentEvents", { events: events.slice(at, at + 1_000) });
  }
  const old = [events[0]!, whole(plan(THREAD, "new")), events[3_000]!];
  const { results } = await host.call("PublishAgentEvents", { events: old });
  assertEquals(results.map(({ seq }) => Number(seq)), [2, 6_002, 3_002]);
});

Deno.test("[agents R3] who comes back gets what he missed and then what happens, nothing twice", async () => {
  await using server = await startServer();
  const [host, device] = await twoDevices(server);
  await publish(host, created(THREAD), plan(THREAD, "1"));
  const first = await subscribe(device);
  assertEquals(coverage(first.events), 2n);
  await publish(host, plan(THREAD, "2"));
  assertEquals(coverage(await heard(device, 3), 3n), 3n);
  await device.close();
  await publish(host, plan(THREAD, "3"), plan(THREAD, "4"));
  const back = await server.raw("alice");
  // While the answer is on its way, more happens.
  const answer = subscribe(back, { cursors: [{ threadId: THREAD, afterSeq: 3n }] });
  const more = publish(host, ...Array.from({ length: 50 }, (_, i) => plan(THREAD, `m${i}`)));
  const { events } = await answer;
  await more;
  await waitUntil(() => [...events, ...notified(back)].at(-1)!.seq === 55n);
  assertEquals(coverage([...events, ...notified(back)], 4n), 55n);
});

Deno.test("[agents R3] pages: notifications begin when nothing is left", async () => {
  await using server = await startServer();
  const [host, device] = await twoDevices(server);
  await publish(
    host,
    created(THREAD),
    ...Array.from({ length: 9 }, (_, i) => plan(THREAD, `${i}`)),
  );
  const all: WireEvent[] = [];
  let after = 0n;
  for (let pages = 1;; pages++) {
    const { events, hasMore } = await subscribe(device, {
      limit: 4,
      cursors: after === 0n ? [] : [{ threadId: THREAD, afterSeq: after }],
    });
    all.push(...events);
    after = events.at(-1)!.seq;
    if (!hasMore) {
      assertEquals(pages, 3);
      break;
    }
    await publish(host, plan(THREAD, "meanwhile"));
  }
  await publish(host, plan(THREAD, "live"));
  assertEquals(coverage([...all, ...await heard(device, 13)]), 13n);
});

Deno.test("[agents R4] a subscription outlives connections and restarts, with its acknowledged cursors", async () => {
  await using server = await startServer();
  const [host, device] = await twoDevices(server);
  await publish(host, created(THREAD), plan(THREAD, "1"), plan(THREAD, "2"));
  await subscribe(device);
  device.send("AckAgentEvents", {
    subscriberId: uuid("alice"),
    cursors: [{ threadId: THREAD, afterSeq: 2n }],
  });
  await device.settle();
  await device.close();
  await server.rest();
  await server.restart();
  const back = await server.raw("alice");
  const { events } = await subscribe(back);
  assertEquals(events.map(({ seq }) => Number(seq)), [3]);
  // What is acknowledged goes forwards only.
  back.send("AckAgentEvents", {
    subscriberId: uuid("alice"),
    cursors: [{ threadId: THREAD, afterSeq: 3n }],
  });
  back.send("AckAgentEvents", {
    subscriberId: uuid("alice"),
    cursors: [{ threadId: THREAD, afterSeq: 1n }],
  });
  await back.settle();
  await server.rest();
  assertEquals((await subscribe(back)).events, []);
  // It ends when the device says so.
  await back.call("UnsubscribeFromAgentEvents", { subscriberId: uuid("alice") });
  const later = await server.raw("alice");
  await publish(later, plan(THREAD, "3"));
  await back.settle();
  assertEquals(notified(back), []);
  assertEquals((await subscribe(back)).events.length, 4);
});

Deno.test("[agents R4] a new connection of a device takes over, the old one gets no more", async () => {
  await using server = await startServer();
  const [host, device] = await twoDevices(server);
  await publish(host, created(THREAD));
  await subscribe(device);
  const other = await server.raw("alice");
  await subscribe(other, { cursors: [{ threadId: THREAD, afterSeq: 1n }] });
  await publish(host, plan(THREAD, "1"));
  await heard(other, 2);
  await device.settle();
  assertEquals(notified(device), []);
});

Deno.test("[agents R3] one thread only, by its id; later threads only for those who want all", async () => {
  await using server = await startServer();
  const [host, device] = await twoDevices(server);
  const all = await server.raw("alice");
  await publish(host, created(THREAD));
  await subscribe(device, { threadId: THREAD, subscriberId: uuid("one") });
  await subscribe(all, { subscriberId: uuid("all") });
  await publish(host, created(uuid("later")), plan(THREAD, "x"));
  const found = await waitUntil(() => notified(all).length === 2 ? notified(all) : undefined);
  assertEquals(new Set(found.map(({ threadId }) => threadId)), new Set([THREAD, uuid("later")]));
  await heard(device, 2);
  assertEquals(notified(device).map(({ threadId }) => threadId), [THREAD]);
});

Deno.test("[agents R6] an unknown thread begins with its creation, anything else is refused alone", async () => {
  await using server = await startServer();
  const host = await server.raw("alice");
  const results = await publish(
    host,
    plan(uuid("nowhere"), "x"),
    created(THREAD),
    plan(THREAD, "y"),
    plan(uuid("nowhere"), "z"),
  );
  assertEquals(results.map(({ seq }) => Number(seq)), [0, 1, 2, 0]);
  assert(results[0]!.error.includes("thread_created"), results[0]!.error);
  assert(!results[0]!.retry);
  assertEquals(results[0]!.error, results[3]!.error);
});

Deno.test("[agents 1] somebody else's thread is an unknown one, whatever is asked of it", async () => {
  await using server = await startServer();
  const host = await server.raw("alice");
  const mallory = await server.raw("mallory");
  const victim = await server.raw("alice");
  await publish(host, created(THREAD, "secret"), plan(THREAD, "x"));
  await subscribe(victim);
  await host.call("RegisterAgentHost", { hostId: uuid("h"), threadIds: [THREAD] });
  const nowhere = uuid("nowhere");
  const answers = async (threadId: string) => {
    const ids = { threadId, commandId: uuid("c", threadId) };
    const told: Received[] = [
      await mallory.ask("GetAgentThread", { threadId }),
      await mallory.ask("SubscribeToAgentEvents", { subscriberId: uuid("alice"), threadId }),
      await mallory.ask("SendAgentMessage", { ...ids, text: "x" }),
      await mallory.ask("UseAgentTools", { ...ids, toolUseIds: ["t"] }),
      await mallory.ask("DenyAgentTools", { ...ids, toolUseIds: ["t"] }),
      await mallory.ask("CancelAgentCompletion", ids),
      await mallory.ask("RestoreThreadCheckpoint", { ...ids, checkpointId: "c" }),
      await mallory.ask("ArchiveAgentThread", ids),
      await mallory.ask("DeleteAgentThread", ids),
      await mallory.ask("PublishAgentEvents", {
        events: [{ ...whole(plan(threadId, "x")), eventId: uuid("e") }],
      }),
      await mallory.ask("RegisterAgentHost", { hostId: uuid("h"), threadIds: [threadId] }),
    ];
    return JSON.stringify(
      told.map(({ name, value }) => ({ name, value })),
      (_, one) => typeof one === "bigint" ? `${one}` : one,
    ).replaceAll(threadId, "ID");
  };
  assertEquals(await answers(THREAD), await answers(nowhere));
  assertEquals((await mallory.call("GetAgentThreads", {})).threads, []);
  // He may have a thread of that id himself, which is another one.
  const own = await publish(mallory, created(THREAD, "his"));
  assertEquals(own.map(({ seq }) => Number(seq)), [1]);
  assertEquals((await host.call("GetAgentThread", { threadId: THREAD })).thread?.title, "secret");
  await publish(host, plan(THREAD, "y"));
  await heard(victim, 3);
  assertEquals(coverage(notified(victim), 3n), 3n);
  assertEquals(mallory.all("AgentEventNotification"), []);
  assertEquals(mallory.all("AgentCommand"), []);
});

Deno.test("[agents 1] the user of an event is the session's, whatever its sender wrote", async () => {
  await using server = await startServer();
  const [host, device] = await twoDevices(server);
  await publish(host, { ...created(THREAD), userId: 999n, seq: 77n, firstSeq: 3n });
  const { events } = await subscribe(device);
  assertEquals(events.map(({ userId, seq, firstSeq }) => [userId, seq, firstSeq]), [
    [host.userId, 1n, undefined],
  ]);
});

Deno.test("[agents 1] who did not subscribe or register never sees one of these messages", async () => {
  await using server = await startServer();
  const [host, zed] = await twoDevices(server);
  await host.call("RegisterAgentHost", { hostId: uuid("h") });
  await publish(host, created(THREAD), chunk(THREAD, "x"));
  host.on("AgentCommand", (command) => void host.reply(command, "Ack", {}));
  await host.call("DeleteAgentThread", { threadId: THREAD, commandId: uuid("c") });
  await zed.settle();
  assertEquals(zed.received.filter(({ name }) => name.includes("Agent")), []);
});

Deno.test("[agents R9] what is too large or wrong is refused alone, with the reason", async () => {
  await using server = await startServer();
  const [host, device] = await twoDevices(server);
  const good = whole(created(THREAD));
  const { results } = await host.call("PublishAgentEvents", {
    events: [
      good,
      { ...whole(plan(THREAD, "x")), eventId: "no uuid" },
      { ...whole(plan(THREAD, "x")), threadId: "../etc" },
      whole(chunk(THREAD, "x".repeat(257 << 10))),
      { eventId: uuid("nothing"), threadId: THREAD },
      whole({ threadId: THREAD, commandFailed: { commandId: "x" } }),
      whole(chunk(THREAD, "y".repeat(255 << 10))),
    ],
  });
  assertEquals(results.map(({ seq }) => Number(seq)), [1, 0, 0, 0, 0, 0, 2]);
  assert(results.every(({ seq, error }) => (seq === 0n) === (error !== "")));
  assert(results[3]!.error.includes("262144"), results[3]!.error);
  const many = Array.from({ length: 1_001 }, () => whole(plan(THREAD, "x")));
  assertEquals((await host.ask("PublishAgentEvents", { events: many })).name, "Error");
  assertEquals((await subscribe(device)).events.length, 2);
});

Deno.test("[agents R9] a user's events have a rate, beyond which nothing is taken or lost", async () => {
  await using server = await startServer({ flags: ["--agent-events-per-second", "100"] });
  const host = await server.raw("alice");
  const other = await server.raw("bob");
  await publish(host, created(THREAD));
  const events = Array.from({ length: 999 }, (_, i) => whole(plan(THREAD, `${i}`)));
  await host.call("PublishAgentEvents", { events });
  const late = events.slice(0, 500).map((event, i) => ({ ...event, eventId: uuid("late", i) }));
  const refused = await host.ask("PublishAgentEvents", { events: late }) as Received<"Error">;
  assertEquals([refused.name, refused.value.code], ["Error", 18]);
  assertEquals((await publish(other, created(THREAD))).length, 1);
  const { lastSeq } = await host.call("GetAgentThread", { threadId: THREAD });
  assertEquals(lastSeq, 1_000n);
});

Deno.test("[agents R12] sealed payloads are numbered and served like others, not read and not joined", async () => {
  await using server = await startServer();
  const [host, device] = await twoDevices(server);
  const sealed = (kind: number, byte: number) =>
    whole({
      threadId: THREAD,
      sealed: {
        class: kind,
        keyId: "k1",
        nonce: new Uint8Array([byte]),
        ciphertext: new Uint8Array(100).fill(byte),
      },
    });
  await host.call("PublishAgentEvents", { events: [sealed(1, 0)] });
  await subscribe(device);
  const events = Array.from({ length: 20 }, (_, i) => sealed(2, i + 1));
  await host.call("PublishAgentEvents", { events });
  const found = await heard(device, 21);
  assertEquals(coverage(found, 2n), 21n);
  assertEquals(found.length, 20);
  assertEquals(
    found.map(({ sealed }) => [...sealed!.ciphertext]),
    events.map((event) => [...event.sealed!.ciphertext!]),
  );
  // A thread cannot begin with anything else that is sealed.
  const { results } = await host.call("PublishAgentEvents", {
    events: [{ ...sealed(2, 1), threadId: uuid("sealed") }],
  });
  assertEquals(results[0]!.seq, 0n);
  assertEquals(textOf(found), "");
  assert(encode("AgentEvent", found[0]!).length > 100);
});
