/** Threads of agents that crash, whose changes are refused, or whose owner goes. [agents R3] */
import { assert, assertEquals } from "@std/assert";
import { chunk, coverage, created, plan, textOf, uuid } from "../../support/agents.ts";
import { device, heard, listening, publish, resultsOf, THREAD, whole } from "./agents_world.ts";
import { Refusing } from "./refusing.ts";
import { type Client, World } from "./world.ts";

async function refusable(): Promise<
  { world: World; refusing: Refusing; address: string } & {
    host: Client;
    device: Client;
  }
> {
  const refusing = new Refusing();
  const world = await World.start((store) => refusing.wrap(store));
  const clients = await listening(world);
  return { world, refusing, ...clients, address: `/threads/${clients.host.userId}/${THREAD}` };
}

Deno.test("[agents R2, R3] events that the database refuses are told to nobody, and taken when they come again", async () => {
  const { world, refusing, host, device: listener, address } = await refusable();
  await using _ = world;
  refusing.actor = address;
  const events = whole(plan(THREAD, "a"), plan(THREAD, "b"));
  const first = host.send("PublishAgentEvents", { events });
  await world.settle();
  assertEquals(
    resultsOf(host, first)?.map(({ seq, retry }) => [seq, retry]),
    [[0n, true], [0n, true]],
  );
  assertEquals(heard(listener), []);
  assertEquals((await world.store.load("agent_events")).length, 1);
  const again = host.send("PublishAgentEvents", { events });
  await world.settle();
  assertEquals(resultsOf(host, again)?.map(({ seq }) => seq), [2n, 3n]);
  assertEquals(coverage(heard(listener), 2n), 3n);
  // Chunks that wait go on, too.
  await publish(world, host, chunk(THREAD, "c"));
  refusing.actor = address;
  const late = whole(chunk(THREAD, "d"));
  host.send("PublishAgentEvents", { events: late });
  await world.settle();
  host.send("PublishAgentEvents", { events: late });
  await world.clock.advanceAsync(100);
  const told = heard(listener);
  assertEquals([coverage(told, 4n), textOf(told)], [5n, "cd"]);
  assertEquals(world.failures, []);
});

Deno.test("[agents R3] of requests on their way those behind a refused one are answered too, in order", async () => {
  const { world, refusing, host, device: listener, address } = await refusable();
  await using _ = world;
  refusing.actor = address;
  const parts = ["a", "b", "c"].map((text) => whole(plan(THREAD, text)));
  const ids = parts.map((events) => host.send("PublishAgentEvents", { events }));
  await world.settle();
  const results = ids.map((id) => resultsOf(host, id)?.[0]);
  assert(results.every((one) => one !== undefined), "each request has its answer");
  const taken = results.filter((one) => one!.seq > 0n).length;
  assertEquals((await world.store.load("agent_events")).length, 1 + taken);
  assertEquals(coverage(heard(listener), 2n), 1n + BigInt(taken));
  // What has no number comes again.
  for (const [at, events] of parts.entries()) {
    if (results[at]!.seq > 0n) continue;
    host.send("PublishAgentEvents", { events });
  }
  await world.settle();
  assertEquals((await world.store.load("agent_events")).length, 4);
});

Deno.test("[agents R3] a thread that loses change after change is refused for a minute, then goes on", async () => {
  const { world, refusing, host, device: listener, address } = await refusable();
  await using _ = world;
  for (let crash = 0; crash < 4; crash++) {
    refusing.actor = address;
    const [result] = await publish(world, host, plan(THREAD, "lost")) ?? [];
    assertEquals([result?.seq, result?.retry], [0n, true], `crash ${crash}`);
  }
  const [result] = await publish(world, host, plan(THREAD, "lost")) ?? [];
  assertEquals([result?.seq, result?.retry], [0n, true]);
  assert(result!.error.includes("out of order"), result!.error);
  // Other threads know nothing of it.
  assertEquals((await publish(world, host, created(uuid("other"))))?.[0]?.seq, 1n);
  assertEquals(heard(listener).map(({ threadId }) => threadId), [uuid("other")]);
  await world.clock.advanceAsync(60_000);
  assertEquals((await publish(world, host, plan(THREAD, "back")))?.[0]?.seq, 2n);
  assertEquals(heard(listener).map(({ seq }) => seq), [2n]);
});

Deno.test("[agents R3] a thread that crashes in a message is read back, its devices miss nothing", async () => {
  await using world = await World.start();
  const { host, device: listener } = await listening(world);
  await publish(world, host, plan(THREAD, "before"));
  const now = world.clock.now.bind(world.clock);
  let isBroken = true;
  world.clock.now = () => {
    if (isBroken && new Error().stack?.includes("appendEvent")) {
      isBroken = false;
      throw new Error("Injected: the clock threw");
    }
    return now();
  };
  const events = whole(chunk(THREAD, "x"), plan(THREAD, "y"));
  const id = host.send("PublishAgentEvents", { events });
  await world.settle();
  assert(!isBroken);
  assertEquals(resultsOf(host, id)?.map(({ seq, retry }) => [seq, retry]), [
    [0n, true],
    [0n, true],
  ]);
  const again = host.send("PublishAgentEvents", { events });
  await world.settle();
  assertEquals(resultsOf(host, again)?.map(({ seq }) => seq), [3n, 4n]);
  assertEquals(coverage(heard(listener), 2n), 4n);
});

Deno.test("[agents R7] a command whose storing is refused is told so, and can be given again", async () => {
  const { world, refusing, host, device: listener, address } = await refusable();
  await using _ = world;
  host.send("RegisterAgentHost", { hostId: uuid("host"), threadIds: [THREAD] });
  await world.settle();
  host.take();
  refusing.actor = address;
  const command = { threadId: THREAD, commandId: uuid("c"), text: "x" };
  const first = listener.send("SendAgentMessage", command);
  await world.settle();
  const answers = listener.take().filter(({ respondingTo }) => respondingTo === first);
  assertEquals(answers.map(({ name }) => name), ["Error"]);
  assertEquals(host.take().filter(({ name }) => name === "AgentCommand"), []);
  assertEquals(await world.store.load("agent_commands"), []);
  const again = listener.send("SendAgentMessage", command);
  await world.settle();
  const [asked] = host.take().filter(({ name }) => name === "AgentCommand");
  host.send("Ack", {}, asked!.id);
  await world.settle();
  const told = listener.take();
  assertEquals(
    told.filter(({ respondingTo }) => respondingTo === again).map(({ name, value }) => [
      name,
      value.delivery,
    ]),
    [["AgentCommandResponse", 0]],
  );
});

Deno.test("[agents 1] an account that is removed takes its threads, hosts and devices along", async () => {
  await using world = await World.start();
  const { host, device: listener } = await listening(world);
  const bob = await world.connect("bob");
  await publish(world, bob, created(THREAD));
  host.send("RegisterAgentHost", { hostId: uuid("host"), threadIds: [THREAD] });
  await world.settle();
  listener.send("SendAgentMessage", { threadId: THREAD, commandId: uuid("c"), text: "x" });
  await world.settle();
  const { metrics, registry } = world.actors;
  assertEquals(metrics.agentCommandsWaiting.value, 1);
  // An event is on its way while the account goes.
  host.send("PublishAgentEvents", { events: whole(plan(THREAD, "late")) });
  await world.store.removeUser(host.userId);
  world.actors.removeUser(host.userId);
  await world.settle();
  const owners = async (table: "agent_threads" | "agent_commands" | "agent_subscriptions") =>
    (await world.store.load(table)).map(({ user_id }) => user_id);
  assertEquals(await owners("agent_threads"), [bob.userId]);
  assertEquals(await owners("agent_commands"), []);
  assertEquals(await owners("agent_subscriptions"), []);
  assertEquals((await world.store.load("agent_events")).length, 1);
  assertEquals([...registry.threads.values()].map(({ userId }) => userId), [bob.userId]);
  assertEquals([...registry.desks.keys()], [bob.userId]);
  assertEquals(metrics.agentCommandsWaiting.value, 0);
  assert(host.socket.closed !== undefined && listener.socket.closed !== undefined);
  assertEquals((await publish(world, bob, plan(THREAD, "his")))?.[0]?.seq, 2n);
  assertEquals(world.failures, []);
});

Deno.test("[agents R3] a device that subscribes while its thread is read back misses nothing", async () => {
  const { world, refusing, host, address } = await refusable();
  await using _ = world;
  refusing.actor = address;
  const lost = whole(plan(THREAD, "a"));
  host.send("PublishAgentEvents", { events: lost });
  world.clock.runImmediates();
  const other = await device(world, "other", 1);
  host.send("PublishAgentEvents", { events: lost });
  await world.settle();
  assertEquals(coverage(heard(other), 2n), 2n);
});
