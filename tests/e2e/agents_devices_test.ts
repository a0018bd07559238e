/** Programs on the client library: hosts that slow down, devices that read slowly. [agents 2] */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { AgentHost } from "../../client/agent_host.ts";
import { AgentSubscription } from "../../client/agent_subscription.ts";
import type { AgentLink } from "../../client/agent_link.ts";
import { decode, encode, type Init, type MessageTypes } from "../../proto/mod.ts";
import { coverage, created, plan, uuid, type WireEvent } from "../support/agents.ts";
import { startServer } from "../support/server.ts";
import { waitUntil } from "../support/wait_until.ts";

const THREAD = uuid("thread");

Deno.test("[agents R9] a host that is too fast slows down and loses nothing", async () => {
  await using server = await startServer({ flags: ["--agent-events-per-second", "100"] });
  const client = await server.client("alice");
  const other = await server.client("alice");
  const refusals: string[] = [];
  const link: AgentLink = {
    send: client.send.bind(client),
    onMessage: client.onMessage.bind(client),
    onRequest: client.onRequest.bind(client),
    request: async (name, value) => {
      try {
        return await client.request(name, value);
      } catch (error) {
        refusals.push(String(error));
        throw error;
      }
    },
  };
  const host = new AgentHost({ hostId: uuid("host"), name: "host" });
  host.publish(created(THREAD));
  for (let i = 0; i < 1_500; i++) host.publish(plan(THREAD, `${i}`));
  const device = new AgentSubscription({ subscriberId: uuid("device") });
  await device.attach(other);
  await host.attach(link);
  const seen: WireEvent[] = [];
  for await (const event of device) {
    seen.push(event);
    if (event.seq === 1_501n) break;
  }
  await host.settled();
  assertEquals(coverage(seen), 1_501n);
  assertEquals(
    seen.slice(1).map(({ planUpdated }) => planUpdated?.entries[0]?.content),
    Array.from({ length: 1_500 }, (_, i) => `${i}`),
  );
  assert(refusals.length > 0, "nothing was refused");
  assert(refusals.every((text) => text.includes("Too many events")), refusals[0]);
  device.detach();
  host.detach();
});

Deno.test("[agents R3] a device whose program reads slowly holds little, and is told the rest as it reads", async () => {
  await using server = await startServer({ flags: ["--agent-events-per-second", "100000"] });
  const client = await server.client("alice");
  const other = await server.client("alice");
  const host = new AgentHost({ hostId: uuid("host"), name: "host" });
  await host.attach(client);
  host.publish(created(THREAD));
  await host.settled();
  const device = new AgentSubscription({ subscriberId: uuid("device") });
  let received = 0;
  const onMessage: AgentLink["onMessage"] = (name, handle) =>
    other.onMessage(name, (message, context) => {
      if ("events" in message) received += message.events.length;
      return handle(message, context);
    });
  await device.attach({
    request: other.request.bind(other),
    send: other.send.bind(other),
    onRequest: other.onRequest.bind(other),
    onMessage,
  });
  // Nobody reads.
  const count = 20_000;
  for (let sent = 0; sent < count; sent += 1_000) {
    for (let i = 0; i < 1_000; i++) host.publish(plan(THREAD, `${sent + i}`));
    await host.settled();
  }
  await waitUntil(() => device.waiting >= 4_096, { describe: () => `${device.waiting} events` });
  assert(device.waiting < 8_192, `${device.waiting} events wait`);
  assert(received < count / 2, `${received} events were sent to somebody who does not read`);
  const seen: WireEvent[] = [];
  for await (const event of device) {
    seen.push(event);
    assert(device.waiting < 8_192, `${device.waiting} events wait`);
    if (event.seq === BigInt(count) + 1n) break;
  }
  assertEquals(coverage(seen), BigInt(count) + 1n);
  // Then it hears of what happens, by itself.
  const before = received;
  host.publish(plan(THREAD, "live"));
  assertEquals((await device.next()).value?.seq, BigInt(count) + 2n);
  assertEquals(received, before + 1);
  device.detach();
  host.detach();
});

type Payload = Omit<Init<MessageTypes["AgentEvent"]>, "eventId" | "threadId" | "timestamp">;

/** Each payload with everything that it can say. */
const PAYLOADS: readonly Payload[] = [
  {
    threadCreated: {
      title: "t",
      cwd: "/w",
      agent: "a",
      agentVersion: "1",
      sessionId: "s",
      mode: "ask",
      hostId: uuid("host"),
    },
  },
  {
    threadUpdated: {
      title: "new",
      status: 1,
      profile: "p",
      mode: "code",
      sessionId: "s2",
      tokenUsage: { input: 1n, output: 2n, contextUsed: 3n, contextSize: 4n },
      agent: "b",
      agentVersion: "2",
      cwd: "/x",
    },
  },
  { messageAdded: { messageId: "q", role: 0, text: "why?", commandId: uuid("c") } },
  { messageChunk: { messageId: "r", text: "hm", thought: true } },
  { messageChunk: { messageId: "r", text: "because", thought: false } },
  { messageCompleted: { messageId: "r", text: "because", thought: "hm" } },
  {
    toolUseRequested: {
      toolUseId: "u",
      name: "edit",
      input: "{}",
      options: [{ optionId: "o", name: "Allow", kind: "allow_once" }],
    },
  },
  {
    toolUseResolved: {
      toolUseId: "u",
      allowed: true,
      optionId: "o",
      subscriberId: uuid("device"),
      commandId: uuid("c"),
    },
  },
  { toolUseStarted: { toolUseId: "u", name: "edit", input: "{}" } },
  { toolUseUpdated: { toolUseId: "u", content: "half", detail: "{}" } },
  { toolUseCompleted: { toolUseId: "u", result: "r", error: "e", diff: "d", fullLength: 9n } },
  { planUpdated: { entries: [{ content: "c", status: "pending", priority: "high" }] } },
  { checkpointCreated: { checkpointId: "k", name: "before" } },
  { checkpointRestored: { checkpointId: "k", commandId: uuid("c") } },
  { completionStopped: { reason: "end_turn" } },
  { sealed: { class: 2, keyId: "k", nonce: new Uint8Array([1]), ciphertext: new Uint8Array(9) } },
  { threadArchived: {} },
  { threadDeleted: {} },
];

Deno.test("[agents 2] every payload of an event reaches the devices as the host sent it, live and later", async () => {
  await using server = await startServer();
  const client = await server.client("alice");
  const other = await server.client("alice");
  const live = new AgentSubscription({ subscriberId: uuid("live") });
  await live.attach(other);
  const host = new AgentHost({ hostId: uuid("host"), name: "host" });
  await host.attach(client);
  const expected: WireEvent[] = [];
  for (const payload of PAYLOADS) {
    // Everything once more, from the database, before the last one deletes it.
    if (expected.length === PAYLOADS.length - 1) {
      const { events } = await client.request("SubscribeToAgentEvents", {
        subscriberId: uuid("later"),
        threadId: THREAD,
      });
      assertEquals(events, expected);
    }
    const eventId = host.publish({ threadId: THREAD, timestamp: 5n, ...payload });
    await host.settled();
    const event = encode("AgentEvent", {
      eventId,
      threadId: THREAD,
      timestamp: 5n,
      seq: BigInt(expected.length + 1),
      userId: client.userId,
      ...payload,
    });
    expected.push(decode("AgentEvent", event));
    assertEquals((await live.next()).value, expected.at(-1));
  }
  live.detach();
  host.detach();
});

const STATUS = { idle: 0, running: 1, waiting: 2, failed: 3, archived: 4 };

Deno.test("[agents 2] a thread's status follows its events", async () => {
  await using server = await startServer();
  const client = await server.client("alice");
  const host = new AgentHost({ hostId: uuid("host"), name: "host" });
  await host.attach(client);
  const statusAfter = async (payload: Payload) => {
    host.publish({ threadId: THREAD, ...payload });
    await host.settled();
    const { thread } = await client.request("GetAgentThread", { threadId: THREAD });
    return [thread?.status, thread?.waitingToolUseIds.length];
  };
  const ask = (toolUseId: string) => ({ toolUseRequested: { toolUseId, name: "edit" } });
  assertEquals(await statusAfter({ threadCreated: {} }), [STATUS.idle, 0]);
  assertEquals(await statusAfter({ threadUpdated: { status: 1 } }), [STATUS.running, 0]);
  assertEquals(await statusAfter(ask("a")), [STATUS.waiting, 1]);
  assertEquals(await statusAfter(ask("b")), [STATUS.waiting, 2]);
  assertEquals(
    await statusAfter({ toolUseResolved: { toolUseId: "a", allowed: true } }),
    [STATUS.waiting, 1],
  );
  assertEquals(await statusAfter({ toolUseCompleted: { toolUseId: "b" } }), [STATUS.running, 0]);
  assertEquals(await statusAfter(ask("c")), [STATUS.waiting, 1]);
  assertEquals(await statusAfter({ completionStopped: { reason: "cancelled" } }), [STATUS.idle, 0]);
  assertEquals(await statusAfter(ask("d")), [STATUS.waiting, 1]);
  assertEquals(await statusAfter({ threadUpdated: { status: 1 } }), [STATUS.running, 1]);
  // The host was killed, and another one goes on with the thread.
  assertEquals(await statusAfter({ threadUpdated: { status: 0 } }), [STATUS.idle, 0]);
  assertEquals(await statusAfter({ threadUpdated: { status: 3 } }), [STATUS.failed, 0]);
  assertEquals(await statusAfter({ threadArchived: {} }), [STATUS.archived, 0]);
  host.detach();
});

Deno.test("[agents 2] every command reaches the host with what the device said", async () => {
  await using server = await startServer();
  const client = await server.client("alice");
  const device = await server.client("alice");
  const taken: MessageTypes["AgentCommand"][] = [];
  const host = new AgentHost({
    hostId: uuid("host"),
    name: "host",
    onCommand: (command) => void taken.push(command),
  });
  host.run(THREAD);
  await host.attach(client);
  host.publish(created(THREAD));
  for (const toolUseId of ["a", "b"]) {
    host.publish({ threadId: THREAD, toolUseRequested: { toolUseId, name: "edit" } });
  }
  await host.settled();
  const ids = (name: string) => ({ threadId: THREAD, commandId: uuid(name) });
  const own = uuid("device");
  const peer = device;
  await peer.request("SendAgentMessage", { ...ids("1"), text: "go", subscriberId: own });
  await peer.request("UseAgentTools", { ...ids("2"), toolUseIds: ["a"], optionId: "o" });
  await peer.request("DenyAgentTools", { ...ids("3"), toolUseIds: ["b"] });
  await peer.request("CancelAgentCompletion", ids("4"));
  await peer.request("RestoreThreadCheckpoint", { ...ids("5"), checkpointId: "k" });
  await peer.request("ArchiveAgentThread", ids("6"));
  await peer.request("DeleteAgentThread", ids("7"));
  await peer.request("CreateAgentThread", {
    threadId: uuid("new"),
    commandId: uuid("8"),
    hostId: uuid("host"),
    title: "t",
    cwd: "/w",
    text: "begin",
  });
  await waitUntil(() => taken.length === 8);
  assertEquals(
    taken.map(({ commandId }) => commandId),
    [1, 2, 3, 4, 5, 6, 7, 8].map((n) => uuid(n)),
  );
  const [send, use, deny, cancel, restore, archive, remove, create] = taken;
  assertEquals([send!.sendMessage?.text, send!.sendMessage?.subscriberId], ["go", own]);
  assertEquals([use!.useTools?.toolUseIds, use!.useTools?.optionId], [["a"], "o"]);
  assertEquals(deny!.denyTools?.toolUseIds, ["b"]);
  assert(cancel!.cancelCompletion !== undefined);
  assertEquals(restore!.restoreCheckpoint?.checkpointId, "k");
  assert(archive!.archiveThread !== undefined && remove!.deleteThread !== undefined);
  const { title, cwd, text } = create!.createThread!;
  assertEquals([title, cwd, text], ["t", "/w", "begin"]);
  assert(taken.every(({ createdAt }) => createdAt > 0n));
  host.detach();
});

Deno.test("[agents R4] over one connection several subscriptions hear of their threads, also over a loss", async () => {
  await using server = await startServer();
  const client = await server.client("alice");
  const other = await server.client("alice");
  const host = new AgentHost({ hostId: uuid("host"), name: "host" });
  await host.attach(client);
  const threads = [uuid("a"), uuid("b"), uuid("c")] as const;
  for (const id of threads) host.publish(created(id));
  await host.settled();
  const [a, b] = threads;
  const subscriberId = uuid("device");
  const subscriptions = [
    new AgentSubscription({ subscriberId, threadId: a }),
    new AgentSubscription({ subscriberId, threadId: b }),
    new AgentSubscription({ subscriberId: uuid("all") }),
  ];
  const seen = subscriptions.map((): WireEvent[] => []);
  subscriptions.forEach(async (subscription, at) => {
    for await (const event of subscription) seen[at]!.push(event);
  });
  // At once: none of them waits for the others.
  const attach = () => Promise.all(subscriptions.map((one) => one.attach(other)));
  const ofThread = (at: number, id: string) => seen[at]!.filter(({ threadId }) => threadId === id);
  const hearAll = async (count: bigint) => {
    const expected: readonly (readonly [number, string])[] = [
      [0, a],
      [1, b],
      ...threads.map((id) => [2, id] as const),
    ];
    await waitUntil(() => expected.every(([at, id]) => ofThread(at, id).at(-1)?.seq === count));
    for (const [at, id] of expected) assertEquals(coverage(ofThread(at, id)), count);
    assertEquals([seen[0]!.length, seen[1]!.length], [Number(count), Number(count)]);
  };
  await attach();
  await hearAll(1n);
  for (const id of threads) host.publish(plan(id, "live"));
  await hearAll(2n);
  await other.reconnect();
  for (const id of threads) host.publish(plan(id, "away"));
  await attach();
  for (const id of threads) host.publish(plan(id, "back"));
  await hearAll(4n);
  // One ends; the others go on.
  await subscriptions[0]!.end();
  for (const id of threads) host.publish(plan(id, "without the first"));
  await waitUntil(() => ofThread(1, b).length === 5 && ofThread(2, a).length === 5);
  assertEquals(seen[0]!.length, 4);
  // A device hears of a thread once: a second subscription to it would take the first one's events.
  for (const threadId of [b, undefined]) {
    const second = new AgentSubscription({ subscriberId, ...(threadId && { threadId }) });
    await assertRejects(() => second.attach(other), Error, "hears of the thread");
  }
  // Whoever asks for several events at once gets each.
  const next = new AgentSubscription({ subscriberId: uuid("next"), threadId: a });
  const asked = [next.next(), next.next(), next.next()];
  // A client's connection of the moment is as good as the client.
  await next.attach(other.peer);
  assertEquals((await Promise.all(asked)).map(({ value }) => Number(value.seq)), [1, 2, 3]);
  assertEquals(next.cursors.get(a), 2n);
  const last = [next.next(), next.next(), next.next(), next.next()];
  await next.end();
  assertEquals((await Promise.all(last)).map(({ done }) => done), [false, false, true, true]);
  host.publish(plan(b, "still there"));
  await waitUntil(() => ofThread(1, b).length === 6);
  for (const subscription of subscriptions) subscription.detach();
  host.detach();
});
