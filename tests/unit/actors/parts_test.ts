/** The small parts that actors share. */
import { assert, assertEquals } from "@std/assert";
import { Ids } from "../../../actors/ids.ts";
import { PresenceTable } from "../../../actors/presence.ts";
import { Pressure } from "../../../actors/pressure.ts";
import type { ConnectionRef, ProjectRef, RoomRef, UserRef } from "../../../actors/refs/mod.ts";
import { Registry } from "../../../actors/registry.ts";
import { isRole, mayEdit, mayPublish, mayRead, Role } from "../../../actors/roles.ts";
import { Supervisor } from "../../../actors/supervisor.ts";
import { UserDirectory } from "../../../actors/user_directory.ts";
import type { Store, User } from "../../../db/store.ts";
import type { Outbox } from "../../../rpc/outbox.ts";
import { peerKey } from "../../../rpc/peer_id.ts";
import { FakeClock } from "../../support/fake_clock.ts";

Deno.test("[design 1.6] an actor is replaced three times in a minute, then not", () => {
  const clock = new FakeClock();
  const supervisor = new Supervisor(clock);
  const crash = () => supervisor.mayRestart("/rooms/1");
  assertEquals([crash(), crash(), crash()], [true, true, true]);
  assertEquals(crash(), false);
  assertEquals(supervisor.mayRestart("/rooms/2"), true);
});

Deno.test("[design 1.6] crashes of more than a minute ago do not count", () => {
  const clock = new FakeClock();
  const supervisor = new Supervisor(clock);
  for (let crash = 0; crash < 20; crash++) {
    assert(supervisor.mayRestart("/rooms/1"), `crash ${crash}`);
    clock.advance(20_001);
  }
  for (let crash = 0; crash < 4; crash++) supervisor.mayRestart("/rooms/1");
  clock.advance(59_999);
  assertEquals(supervisor.mayRestart("/rooms/1"), false);
  clock.advance(60_000);
  assertEquals(supervisor.mayRestart("/rooms/1"), true);
});

Deno.test("[design 1.6] an actor that ended as it should begins anew", () => {
  const supervisor = new Supervisor(new FakeClock());
  for (let crash = 0; crash < 4; crash++) supervisor.mayRestart("/users/1");
  supervisor.forget("/users/1");
  assertEquals(supervisor.mayRestart("/users/1"), true);
});

Deno.test("[design 1.2] actors are found at their addresses, and only there", () => {
  const registry = new Registry();
  const connection = { id: 5 } as ConnectionRef;
  const user = { id: 4 } as UserRef;
  const room = { id: 3 } as RoomRef;
  const project = { id: 12 } as ProjectRef;
  registry.connections.set(peerKey(1, 5), connection);
  registry.users.set(4, user);
  registry.rooms.set(3, room);
  registry.projects.set(12, project);
  assertEquals(registry.lookup("/connections/1:5"), connection);
  assertEquals(registry.lookup("/users/4"), user);
  assertEquals(registry.lookup("/rooms/3"), room);
  assertEquals(registry.lookup("/projects/12"), project);
  const nowhere = [
    "",
    "/",
    "/rooms",
    "/rooms/",
    "/rooms/4",
    "/users/x",
    "/connections/1",
    "rooms/3",
    "/connections/2:5",
    "/connections/1:6",
    "/connections/x:y",
    "/channels/3",
    "/constructor/3",
  ];
  for (const address of nowhere) {
    assertEquals([address, registry.lookup(address)], [address, undefined]);
  }
  assertEquals(registry.counts(), { connections: 1, users: 1, rooms: 1, projects: 1 });
});

/** An outbox that needs watching for so many looks. */
function slow(
  looks: number,
): { outbox: Outbox; seen: { now: number; stuckAfter: number }[]; pumps: number[] } {
  const seen: { now: number; stuckAfter: number }[] = [];
  const pumps: number[] = [];
  const outbox = {
    watch: (now: number, stuckAfter: number) => {
      seen.push({ now, stuckAfter });
      return seen.length < looks;
    },
    pump: () => pumps.push(1),
  } as unknown as Outbox;
  return { outbox, seen, pumps };
}

Deno.test("[design 1.8] slow peers are looked at a few times a second, by one timer, until they are quick", () => {
  const clock = new FakeClock();
  const pressure = new Pressure(clock, 2_000);
  const [one, two] = [slow(3), slow(5)];
  pressure.watch(one.outbox);
  pressure.watch(one.outbox);
  pressure.watch(two.outbox);
  assertEquals([pressure.slowPeers, clock.timers], [2, 1]);
  const begin = clock.now();
  clock.advance(10_000);
  assertEquals([one.seen.length, two.seen.length], [3, 5]);
  assert(two.seen.every(({ stuckAfter }) => stuckAfter === 2_000));
  assert((two.seen.at(-1)?.now ?? 0) - begin <= 5 * 500, "twice a second at least");
  assertEquals([pressure.slowPeers, clock.timers], [0, 0]);
  pressure.watch(slow(1).outbox);
  clock.advance(1_000);
  assertEquals(clock.timers, 0);
});

Deno.test("[design 1.8] how long the server itself stood still is not counted against slow peers", () => {
  const clock = new FakeClock();
  let stood = 0;
  const pressure = new Pressure({
    now: () => clock.now() + stood,
    setTimeout: (fn, ms) => clock.setTimeout(fn, ms),
    clearTimeout: (id) => clock.clearTimeout(id),
    setImmediate: (fn) => clock.setImmediate(fn),
  }, 2_000);
  const { outbox, seen } = slow(9);
  pressure.watch(outbox);
  clock.advance(250);
  stood = 5_000;
  clock.advance(500);
  // A clock that is set back takes nothing away either.
  stood = 0;
  clock.advance(500);
  const [first, ...later] = seen.map(({ now }) => now);
  assertEquals(later.map((now) => now - first!).slice(0, 2), [250, 500]);
  assert(later.every((now) => now - first! <= 1_000));
});

Deno.test("[design 1.8a] an outbox is pumped again after what is ready, or after a while", () => {
  const clock = new FakeClock();
  const pressure = new Pressure(clock, 2_000);
  const { outbox, pumps } = slow(1);
  pressure.pumpLater(outbox, 0);
  assertEquals(pumps.length, 0);
  clock.runImmediates();
  assertEquals(pumps.length, 1);
  pressure.pumpLater(outbox, 5);
  clock.advance(4);
  assertEquals(pumps.length, 1);
  clock.advance(1);
  assertEquals(pumps.length, 2);
});

Deno.test("[design 1.8a] however many streams wait for a socket, their outbox is pumped once", () => {
  const clock = new FakeClock();
  const pressure = new Pressure(clock, 2_000);
  const { outbox, pumps } = slow(1);
  for (let stream = 0; stream < 100; stream++) pressure.pumpLater(outbox, 2);
  assertEquals(clock.timers, 1);
  clock.advance(2);
  assertEquals(pumps.length, 1);
  pressure.pumpLater(outbox, 2);
  clock.advance(2);
  assertEquals(pumps.length, 2);
});

Deno.test("[rooms 8.1] who is neither online nor busy is not kept", () => {
  const table = new PresenceTable();
  assertEquals(table.get(1), { online: false, busy: false });
  table.set(1, { online: true, busy: false });
  table.set(2, { online: false, busy: true });
  assertEquals([table.get(1).online, table.get(2).busy], [true, true]);
  table.set(1, { online: false, busy: false });
  assertEquals(table.get(1), { online: false, busy: false });
});

Deno.test("[projects 4a] each role has its rights; a missing one counts as Banned, but may speak", () => {
  const roles = [Role.Admin, Role.Member, Role.Guest, Role.Banned, Role.Talker, undefined];
  assertEquals(roles.map(mayRead), [true, true, true, false, true, false]);
  assertEquals(roles.map(mayEdit), [true, true, false, false, false, false]);
  assertEquals(roles.map(mayPublish), [true, true, false, false, true, true]);
  assertEquals([mayRead(5), mayEdit(-1), mayPublish(7)], [false, false, false]);
  assertEquals([-1, 0, 4, 5].map(isRole), [false, true, true, false]);
});

Deno.test("[projects 2a] ids rise from what is stored, each with the write that keeps it", async () => {
  const store = {
    load: () => Promise.resolve([{ name: "room", value: 41 }]),
  } as unknown as Store;
  const ids = await Ids.load(store);
  assertEquals(ids.next("room"), {
    id: 42,
    write: { op: "put", table: "counters", row: { name: "room", value: 42 } },
  });
  assertEquals([ids.next("room").id, ids.next("project").id, ids.next("project").id], [43, 1, 2]);
});

Deno.test("[rooms 18a] accounts are read once and then known at once", async () => {
  const asked: (readonly number[])[] = [];
  const account = (id: number) => ({ id, login: `user${id}` }) as User;
  const store = {
    users: (ids: readonly number[]) => {
      asked.push(ids);
      return Promise.resolve(ids.filter((id) => id < 10).map(account));
    },
  } as unknown as Store;
  const directory = new UserDirectory(store);
  assertEquals(directory.find([]), []);
  assertEquals(await directory.find([1, 2, 1, 99]), [account(1), account(2)]);
  assertEquals(directory.find([2, 1]), [account(2), account(1)]);
  assertEquals(asked, [[1, 2, 99]]);
  const found = await directory.find([2, 3]);
  assertEquals([found.length, asked.length], [2, 2]);
  directory.forget(1);
  await directory.find([1]);
  directory.remember({ ...account(1), login: "renamed" });
  assertEquals((directory.find([1]) as User[])[0]?.login, "renamed");
  assertEquals(asked, [[1, 2, 99], [3], [1]]);
});
