import { assert, assertEquals } from "@std/assert";
import { AgentDeliveryEnum, type Init, type MessageTypes } from "../../proto/mod.ts";
import { created, plan, uuid } from "../support/agents.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { SteppedClock } from "../support/stepped_clock.ts";
import type { Received, TestPeer } from "../support/test_peer.ts";
import { waitUntil } from "../support/wait_until.ts";

const THREAD = uuid("thread");
const HOST = uuid("host");
const { Delivered, Queued } = AgentDeliveryEnum;

let count = 0;
async function publish(peer: TestPeer, ...events: readonly Init<MessageTypes["AgentEvent"]>[]) {
  const whole = events.map((event) => ({ eventId: uuid("command event", ++count), ...event }));
  return (await peer.call("PublishAgentEvents", { events: whole })).results;
}

async function register(server: TestServer, login = "alice"): Promise<TestPeer> {
  const host = await server.raw(login);
  await host.call("RegisterAgentHost", { hostId: HOST, name: "laptop" });
  return host;
}

function takeAll(host: TestPeer): void {
  host.on("AgentCommand", (command) => void host.reply(command, "Ack", {}));
}

function commandsOf(host: TestPeer): string[] {
  return host.all("AgentCommand").map(({ commandId }) => commandId);
}

function send(peer: TestPeer, commandId: string, text = "go on") {
  return peer.call("SendAgentMessage", { threadId: THREAD, commandId, text });
}

async function eventsOf(peer: TestPeer) {
  const answer = await peer.call("SubscribeToAgentEvents", {
    subscriberId: uuid(),
    threadId: THREAD,
  });
  return answer.events;
}

Deno.test("[agents R7] commands reach the host in their order, and its answers become events", async () => {
  await using server = await startServer();
  const host = await register(server);
  const device = await server.raw("alice");
  await publish(host, created(THREAD));
  host.on("AgentCommand", (command) => {
    if (command.value.commandId !== uuid("bad")) host.reply(command, "Ack", {});
    else host.reply(command, "Error", { message: "not like this" });
  });
  const ids = Array.from({ length: 10 }, (_, i) => uuid("c", i));
  const answers = await Promise.all(ids.map((id) => send(device, id)));
  assertEquals(answers.map(({ delivery }) => delivery), ids.map(() => Delivered));
  assertEquals(commandsOf(host), ids);
  const refused = await device.ask("SendAgentMessage", {
    threadId: THREAD,
    commandId: uuid("bad"),
  }) as Received<"Error">;
  assertEquals([refused.name, refused.value.message], ["Error", "not like this"]);
  const events = await eventsOf(device);
  assertEquals(events.slice(1).map((one) => one.commandTaken?.commandId), [...ids, undefined]);
  assertEquals(events.at(-1)?.commandFailed, { commandId: uuid("bad"), reason: "not like this" });
  // The same command again is answered, not done again.
  assertEquals((await send(device, ids[0]!)).delivery, Delivered);
  assertEquals(commandsOf(host).length, 11);
});

Deno.test("[agents R7] a command for a host that is away waits, also over a restart", async () => {
  await using server = await startServer();
  const first = await register(server);
  await publish(first, created(THREAD));
  await first.close();
  const device = await server.raw("alice");
  for (const name of ["a", "b", "c"]) {
    assertEquals((await send(device, uuid(name))).delivery, Queued);
  }
  await server.rest();
  await server.restart();
  const host = await server.raw("alice");
  takeAll(host);
  const { commands } = await host.call("RegisterAgentHost", { hostId: HOST });
  const ids = ["a", "b", "c"].map((name) => uuid(name));
  assertEquals(commands.map(({ commandId }) => commandId), ids);
  await waitUntil(() => commandsOf(host).length === 3);
  assertEquals(commandsOf(host), ids);
  const later = await server.raw("alice");
  await waitUntil(async () => (await eventsOf(later)).length === 4);
  assertEquals((await host.call("RegisterAgentHost", { hostId: HOST })).commands, []);
});

Deno.test("[agents R7] a host that is lost before it answers gets the command again", async () => {
  await using server = await startServer();
  const first = await register(server);
  await publish(first, created(THREAD));
  const device = await server.raw("alice");
  const answer = send(device, uuid("x"));
  await waitUntil(() => commandsOf(first).length === 1);
  await first.close();
  assertEquals((await answer).delivery, Queued);
  const host = await server.raw("alice");
  takeAll(host);
  await host.call("RegisterAgentHost", { hostId: HOST });
  await waitUntil(() => commandsOf(host).length === 1);
  assertEquals(commandsOf(host), [uuid("x")]);
});

Deno.test("[agents 2, R7] a device hears at once that its command is stored when the host says that it has to wait", async () => {
  // Whose time stands, so that nothing but the host's word can be the reason.
  await using server = await startServer({ parts: { clock: new SteppedClock() } });
  const host = await register(server);
  const device = await server.raw("alice");
  await publish(host, created(THREAD));
  host.on("AgentCommand", ({ value: { commandId } }) => {
    void publish(host, { threadId: THREAD, commandWaiting: { commandId } });
  });
  const commandId = uuid("later");
  assertEquals((await send(device, commandId)).delivery, Queued);
  const [asked] = host.all("AgentCommand");
  assertEquals(asked?.commandId, commandId);
  assertEquals(
    (await eventsOf(device)).slice(1).map((one) => one.commandWaiting),
    [{ commandId }],
  );
});

Deno.test("[agents R7] on a running server a command that nobody takes for a day fails, and devices hear of it", async () => {
  const clock = new SteppedClock();
  await using server = await startServer({ parts: { clock } });
  const first = await register(server);
  await publish(first, created(THREAD));
  await first.close();
  const device = await server.raw("alice");
  const command = { threadId: THREAD, commandId: uuid("old"), text: "x" };
  const answer = device.call("SendAgentMessage", command);
  await waitUntil(() => device.all("AgentCommandResponse").length === 1);
  assertEquals((await answer).delivery, Queued);
  await server.rest();
  const waiting = () => server.server.metrics.agentCommandsWaiting.value;
  assertEquals(waiting(), 1);
  // Minute by minute, as the server looks; its clock stands meanwhile.
  const failed = async () => {
    clock.advance(60_000);
    await server.rest();
    return (await server.server.store.load("agent_commands")).length === 0;
  };
  clock.advance(86_400_000 - 180_000);
  await failed();
  assertEquals(await failed(), false);
  await waitUntil(failed);
  const watcher = await server.raw("alice");
  const events = await eventsOf(watcher);
  const reason = "the host was away for too long";
  assertEquals(events.at(-1)?.commandFailed, { commandId: uuid("old"), reason });
  assertEquals(waiting(), 0);
  // The host that comes back is not asked any more.
  const host = await register(server);
  assertEquals(commandsOf(host), []);
});

Deno.test("[agents R7] commands wait for a host that nobody knows yet, and go along with their thread", async () => {
  await using server = await startServer();
  const peer = await server.raw("alice");
  const device = await server.raw("alice");
  // Published over a connection that is no host's (yet).
  await publish(peer, created(THREAD));
  assertEquals((await send(device, uuid("a"))).delivery, Queued);
  const one = await server.raw("alice");
  const answer = await one.call("RegisterAgentHost", { hostId: HOST, threadIds: [THREAD] });
  assertEquals(answer.commands.map(({ commandId }) => commandId), [uuid("a")]);
  await waitUntil(() => commandsOf(one).length === 1);
  await one.close();
  assertEquals((await send(device, uuid("b"))).delivery, Queued);
  // Another machine runs the thread from now on: it gets what waits for that, in its order.
  const other = await server.raw("alice");
  takeAll(other);
  const hostId = uuid("other host");
  const { commands } = await other.call("RegisterAgentHost", { hostId, threadIds: [THREAD] });
  assertEquals(commands.map(({ commandId }) => commandId), [uuid("a"), uuid("b")]);
  await waitUntil(() => commandsOf(other).length === 2);
  assertEquals(commandsOf(other), [uuid("a"), uuid("b")]);
  assertEquals((await send(device, uuid("c"))).delivery, Delivered);
});

Deno.test("[agents R7] a host that begins to publish to a thread without one gets what waits there", async () => {
  await using server = await startServer();
  const device = await server.raw("alice");
  await publish(await server.raw("alice"), created(THREAD));
  assertEquals((await send(device, uuid("a"))).delivery, Queued);
  const host = await register(server);
  takeAll(host);
  assertEquals(commandsOf(host), []);
  await publish(host, plan(THREAD, "mine"));
  await waitUntil(() => commandsOf(host).length === 1);
  // What the server does by itself needs no host.
  const other = uuid("nobody's");
  await publish(await server.raw("alice"), created(other));
  const archive = { threadId: other, commandId: uuid("archive") };
  assertEquals((await device.call("ArchiveAgentThread", archive)).delivery, Delivered);
});

Deno.test("[agents R7] of two devices that answer one request the first wins", async () => {
  await using server = await startServer();
  const host = await register(server);
  const [one, two] = [await server.raw("alice"), await server.raw("alice")];
  await publish(host, created(THREAD), {
    threadId: THREAD,
    toolUseRequested: { toolUseId: "t1", name: "rm" },
  });
  const ids = { threadId: THREAD, toolUseIds: ["t1"] };
  const first = one.ask("UseAgentTools", { ...ids, commandId: uuid("yes") });
  await waitUntil(() => commandsOf(host).length === 1);
  const second = await two.ask("DenyAgentTools", { ...ids, commandId: uuid("no") });
  assertEquals(second.name, "Error");
  assert((second.value as { message: string }).message.includes("already"));
  host.reply(await host.next("AgentCommand"), "Ack", {});
  assertEquals((await first).name, "AgentCommandResponse");
  await publish(host, {
    threadId: THREAD,
    toolUseResolved: { toolUseId: "t1", allowed: true, subscriberId: uuid("one") },
  });
  const late = await two.ask("DenyAgentTools", { ...ids, commandId: uuid("late") });
  assertEquals(late.name, "Error");
  assertEquals(commandsOf(host), [uuid("yes")]);
});

Deno.test("[agents R10] a deleted thread loses its events at once, and every subscriber hears of it", async () => {
  await using server = await startServer();
  const host = await register(server);
  takeAll(host);
  const device = await server.raw("alice");
  const away = await server.raw("alice");
  await publish(host, created(THREAD), plan(THREAD, "secret"));
  await device.call("SubscribeToAgentEvents", { subscriberId: uuid("device") });
  await away.call("SubscribeToAgentEvents", { subscriberId: uuid("away") });
  await away.close();
  await device.call("DeleteAgentThread", { threadId: THREAD, commandId: uuid("delete") });
  const { value } = await device.next("AgentEventNotification");
  assert(value.events[0]?.threadDeleted !== undefined);
  assertEquals((await device.ask("GetAgentThread", { threadId: THREAD })).name, "Error");
  assertEquals((await device.call("GetAgentThreads", {})).threads, []);
  const rows = await server.server.store.load("agent_events");
  assertEquals(rows.map(({ seq }) => seq), [3]);
  const back = await server.raw("alice");
  const missed = await back.call("SubscribeToAgentEvents", {
    subscriberId: uuid("away"),
    cursors: [{ threadId: THREAD, afterSeq: 1n }],
  });
  assertEquals(missed.gaps, [{ threadId: THREAD, afterSeq: 1n, upToSeq: 2n }]);
  assert(missed.events[0]?.threadDeleted !== undefined);
  // What the host still sends does not bring it back.
  const [again, more] = await publish(host, created(THREAD), plan(THREAD, "x"));
  assertEquals([again!.seq, more!.seq], [0n, 0n]);
});

Deno.test("[agents 2] threads are listed by their activity, and one is told with its messages", async () => {
  await using server = await startServer();
  const host = await register(server);
  const device = await server.raw("alice");
  for (const name of ["a", "b", "c"]) await publish(host, created(uuid(name), name));
  const titles = async (value: Init<MessageTypes["GetAgentThreads"]>) => {
    const { threads, nextCursor } = await device.call("GetAgentThreads", value);
    return { titles: threads.map(({ title }) => title), nextCursor };
  };
  const page = await titles({ limit: 2 });
  assertEquals(page.titles.length, 2);
  const rest = await titles({ limit: 2, before: page.nextCursor });
  assertEquals([...page.titles, ...rest.titles].sort(), ["a", "b", "c"]);
  assertEquals(rest.nextCursor, "");
  const threadId = uuid("a");
  await publish(
    host,
    { threadId, messageAdded: { messageId: "q", role: 0, text: "why?" } },
    { threadId, messageChunk: { messageId: "r", text: "hm", thought: true } },
    { threadId, messageChunk: { messageId: "r", text: "because " } },
    { threadId, messageChunk: { messageId: "r", text: "so" } },
    { threadId, messageCompleted: { messageId: "r" } },
  );
  assertEquals((await titles({ limit: 1 })).titles, ["a"]);
  const { messages, lastSeq, thread } = await device.call("GetAgentThread", { threadId });
  assertEquals(
    messages.map(({ text, thought, completed }) => ({ text, thought, completed })),
    [
      { text: "why?", thought: "", completed: true },
      { text: "because so", thought: "hm", completed: true },
    ],
  );
  assertEquals([lastSeq, thread?.hostPresent], [6n, true]);
  takeAll(host);
  await device.call("ArchiveAgentThread", { threadId, commandId: uuid("archive") });
  assertEquals((await titles({})).titles.includes("a"), false);
  assertEquals((await titles({ includeArchived: true })).titles.includes("a"), true);
});

Deno.test("[agents 2] a device begins a thread on a host, which is told", async () => {
  await using server = await startServer();
  const host = await register(server);
  takeAll(host);
  const device = await server.raw("alice");
  const answer = await device.call("CreateAgentThread", {
    threadId: THREAD,
    commandId: uuid("create"),
    title: "New",
    cwd: "/w",
    text: "hello",
  });
  assertEquals([answer.delivery, answer.thread?.hostId], [Delivered, HOST]);
  assertEquals(host.all("AgentCommand")[0]?.createThread?.text, "hello");
  assertEquals((await publish(host, plan(THREAD, "x")))[0]?.seq, 3n);
  await host.close();
  const later = await device.call("CreateAgentThread", {
    threadId: uuid("later"),
    commandId: uuid("create later"),
    hostId: HOST,
  });
  assertEquals(later.delivery, Queued);
});
