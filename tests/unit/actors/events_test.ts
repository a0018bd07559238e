/** What programs that embed the server are told, when, and what it costs. */
import { assert, assertEquals } from "@std/assert";
import type { EventKind, ServerEvent, StoredEvent } from "../../../actors/events.ts";
import { type Listeners, noListeners, StoredEvents } from "../../../actors/stored_events.ts";
import type { EventStream } from "../../../lib/event_streams.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { HeldStore } from "../../support/held_store.ts";
import { Refusing } from "./refusing.ts";
import { type Client, World } from "./world.ts";

/** What has been told so far. */
async function told(
  listeners: Listeners,
  stream: EventStream<StoredEvent>,
): Promise<ServerEvent[]> {
  // Told behind all that waits: where the queue is empty for the moment.
  const mark = { kind: "room.ended", at: -1, roomId: -1, channelId: undefined } as const;
  listeners.tell(mark);
  const events: ServerEvent[] = [];
  for (let next = await stream.next(); next.value !== mark; next = await stream.next()) {
    events.push(next.value);
  }
  return events;
}

const kindsOf = (events: readonly ServerEvent[]) => events.map(({ kind }) => kind);

Deno.test("[local 7] a call with a shared project is told from its beginning to its end", async () => {
  const listeners = noListeners();
  await using world = await World.start(undefined, { listeners });
  const stream = listeners.open();
  const { projectId, clients } = await world.share("host", "ann");
  const [host, ann] = clients as [Client, Client];
  const events = await told(listeners, stream);
  assertEquals([...new Set(kindsOf(events))], [
    "connection.opened",
    "room.created",
    "room.changed",
    "project.shared",
    "project.joined",
  ]);
  const last = events.findLast(({ kind }) => kind === "room.changed");
  assertEquals(last, {
    kind: "room.changed",
    at: world.clock.now(),
    roomId: 1,
    channelId: undefined,
    participants: [host.userId, ann.userId],
    called: [],
    projects: [Number(projectId)],
  });
  const about = { projectId: Number(projectId), roomId: 1, hostUserId: host.userId };
  const at = world.clock.now();
  assertEquals(events.filter(({ kind }) => kind.startsWith("project.")), [
    { kind: "project.shared", at, ...about, worktrees: ["root"] },
    { kind: "project.joined", at, ...about, userId: ann.userId },
  ]);
  ann.send("LeaveProject", { projectId });
  await world.settle();
  assertEquals(kindsOf(await told(listeners, stream)), ["project.left", "room.changed"]);
  ann.send("LeaveRoom", {});
  host.send("LeaveRoom", {});
  await world.settle();
  assertEquals(kindsOf(await told(listeners, stream)), [
    "room.changed",
    "project.unshared",
    "room.changed",
    "room.ended",
  ]);
  ann.connection.socketClosed();
  host.connection.drop("idle");
  await world.settle();
  assertEquals(
    (await told(listeners, stream)).map((event) =>
      event.kind === "connection.closed" && event.reason
    ),
    ["left", "idle"],
  );
});

Deno.test("[local 7] nothing is told before it is stored, and what happens later waits behind it", async () => {
  const listeners = noListeners();
  let held: HeldStore | undefined;
  await using world = await World.start((store) => (held = new HeldStore(store)).store, {
    listeners,
  });
  const ann = await world.connect("ann");
  const bob = await world.connect("bob");
  const stream = listeners.open();
  {
    using _hold = held!.hold();
    ann.send("CreateRoom", {});
    await world.settle();
    // Needs nothing of the database.
    bob.connection.socketClosed();
    await world.settle();
    assertEquals(held!.waiting, 1);
    assertEquals(await told(listeners, stream), []);
  }
  await world.settle();
  assertEquals(kindsOf(await told(listeners, stream)), ["room.created", "connection.closed"]);
});

Deno.test("[local 7] what the database refuses is never told", async () => {
  const listeners = noListeners();
  const refusing = new Refusing();
  await using world = await World.start((store) => refusing.wrap(store), { listeners });
  const { roomId, clients } = await world.meet("host", "ann");
  const [host, ann] = clients as [Client, Client];
  const stream = listeners.open();
  refusing.actor = `/rooms/${roomId}`;
  ann.send("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  await world.settle();
  assertEquals(await told(listeners, stream), []);
  host.send("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  await world.settle();
  assertEquals(kindsOf(await told(listeners, stream)), ["room.changed"]);
});

Deno.test("[local 7] a kind that nobody listens to is not made; passing messages on asks nobody", async () => {
  const listeners = noListeners();
  await using world = await World.start(undefined, { listeners });
  const { projectId, clients } = await world.share("host", "ann");
  const [host, ann] = clients as [Client, Client];
  const stream = listeners.open();
  let asked = 0;
  listeners.wants = () => {
    asked++;
    return true;
  };
  for (let i = 0; i < 100; i++) {
    host.send("UpdateBuffer", { projectId, bufferId: 1n, operations: [] });
  }
  await world.settle();
  assertEquals(ann.take().filter(({ name }) => name === "UpdateBuffer").length, 100);
  assertEquals(asked, 0);
  assertEquals(await told(listeners, stream), []);
  await stream.return();

  const made: EventKind[] = [];
  listeners.wants = () => false;
  listeners.tell = ({ kind }) => void made.push(kind);
  const roomId = BigInt([...world.actors.registry.rooms.keys()][0]!);
  host.send("UpdateParticipantLocation", { roomId, location: { unsharedProject: {} } });
  await world.settle();
  assert(ann.take().some(({ name }) => name === "RoomUpdated"));
  assertEquals(made, []);
});

Deno.test("[local 7] events are in the order of their happening, whatever their groups", async () => {
  const listeners = noListeners();
  const stream = listeners.open();
  let durable = 0;
  const hearing: { group: number; hear: () => void }[] = [];
  const events = new StoredEvents(listeners, {
    get durable() {
      return durable;
    },
    refused: (group) => group === 2,
    afterCommit: (group, hear) => void hearing.push({ group, hear: () => hear(true) }),
  }, new FakeClock());
  const commit = (upTo: number) => {
    durable = upTo;
    for (const { group, hear } of hearing) if (group <= durable) hear();
  };
  const ended = (roomId: number, gate: number) =>
    events.tell("room.ended", { roomId, channelId: undefined }, gate);
  ended(1, 3);
  ended(2, 2);
  ended(3, 1);
  ended(4, 0);
  commit(2);
  assertEquals(await told(listeners, stream), []);
  ended(5, 4);
  commit(3);
  commit(4);
  ended(6, 4);
  const ids = (await told(listeners, stream)).map((event) =>
    event.kind === "room.ended" ? event.roomId : undefined
  );
  assertEquals(ids, [1, 3, 4, 5, 6]);
});
