import { assert, assertEquals, assertRejects } from "@std/assert";
import { Journal } from "../../../actors/journal.ts";
import { StoreAwayError, type Write } from "../../../db/store.ts";
import type { Outbox } from "../../../rpc/outbox.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeStore } from "./fake_store.ts";

const ROW: Write = { op: "put", table: "counters", row: { name: "room", value: 1 } };

class World {
  readonly db = new FakeStore();
  readonly clock = new FakeClock();
  readonly refused: string[] = [];
  readonly failures: string[] = [];
  readonly journal = new Journal(
    this.db.store,
    this.clock,
    {
      refused: (actor, error) => void this.refused.push(`${actor}: ${error.message}`),
      failed: (error) => void this.failures.push(error.message),
      away: (error) => void this.outages.push(error.message),
      back: (milliseconds) => void this.outages.push(`back after ${milliseconds} ms`),
      committed: (rows) => void this.committed.push(rows),
    },
    60_000,
    () => 1,
  );
  readonly outages: string[] = [];
  readonly committed: number[] = [];
  pumps = 0;
  /** What waits for a commit: counts how often it was told of one. */
  readonly outbox = { pump: () => void this.pumps++ } as unknown as Outbox;

  write(actor: string, rows = 1): number {
    return this.journal.append(actor, Array<Write>(rows).fill(ROW));
  }

  /** The last group that is stored, with all before it. */
  get durable(): number {
    return this.journal.durable;
  }
}

Deno.test("[design 1.3a] what all actors wrote in one turn is one transaction, in order", () => {
  const world = new World();
  const groups = [world.write("/rooms/1"), world.write("/users/1", 3), world.write("/rooms/1")];
  assertEquals(groups, [1, 2, 3]);
  assertEquals([world.durable, world.db.commits.length, world.journal.busy], [0, 0, true]);
  world.clock.runImmediates();
  assertEquals(world.db.commits, [["/rooms/1", "/users/1", "/rooms/1"]]);
  assertEquals([world.durable, world.journal.busy], [3, false]);
  assertEquals(world.committed, [5]);
  assertEquals(world.clock.immediates, 0);
});

Deno.test("[design 1.3] at most 256 rows are stored before other work gets its turn", () => {
  const world = new World();
  const order: string[] = [];
  for (let group = 0; group < 6; group++) world.write(`/rooms/${group}`, 100);
  const immediate = world.clock.setImmediate.bind(world.clock);
  immediate(() => order.push(`other work after ${world.db.commits.length} transactions`));
  world.clock.runImmediates();
  assertEquals(world.db.rows, [200, 200, 200]);
  assertEquals(order, ["other work after 1 transactions"]);
  assertEquals(world.durable, 6);
});

Deno.test("[design 1.3] a group of more than 256 rows is stored by itself and whole", () => {
  const world = new World();
  world.write("/rooms/1", 10);
  world.write("/rooms/2", 257);
  world.write("/rooms/3", 246);
  world.write("/rooms/4", 10);
  world.write("/rooms/5", 1);
  world.clock.runImmediates();
  assertEquals(world.db.rows, [10, 257, 256, 1]);
});

Deno.test("[design 1.3b] between two transactions the first one's groups are told, the others are not", () => {
  const world = new World();
  world.write("/rooms/1", 200);
  const second = world.write("/rooms/2", 200);
  const seen: number[] = [];
  const outbox = {
    pump: () => {
      seen.push(world.durable);
      if (world.durable < second) world.journal.wait(outbox);
    },
  } as unknown as Outbox;
  world.journal.wait(outbox);
  world.journal.wait(outbox);
  world.clock.runImmediates();
  assertEquals(seen, [1, 2]);
});

Deno.test("[design 1.3] what is written while a transaction is told goes into the next one", () => {
  const world = new World();
  let again = true;
  const outbox = {
    pump: () => {
      if (again) world.write("/rooms/2");
      again = false;
    },
  } as unknown as Outbox;
  world.write("/rooms/1");
  world.journal.wait(outbox);
  world.clock.runImmediates();
  assertEquals(world.db.commits, [["/rooms/1"], ["/rooms/2"]]);
  assertEquals(world.durable, 2);
});

Deno.test("[design 1.3d] a group that the database refuses crashes its actor only, and once", () => {
  const world = new World();
  const [a, b, c] = [world.write("/rooms/1"), world.write("/rooms/2"), world.write("/rooms/1")];
  world.db.refusing.add("/rooms/1");
  world.clock.runImmediates();
  assertEquals(world.refused, ["/rooms/1: Refused /rooms/1"]);
  assertEquals([a, b, c].map((group) => world.journal.refused(group)), [true, false, true]);
  assertEquals(world.durable, 3);
  assertEquals(world.failures, []);
});

Deno.test("[design 1.3d] groups that follow a refused one are forgotten, those of others are stored", () => {
  const world = new World();
  const first = world.write("/rooms/1", 250);
  const others = [
    world.write("/rooms/1", 10),
    world.write("/rooms/2", 10),
    world.write("/rooms/1", 10),
  ];
  world.db.refusing.add("/rooms/1");
  world.clock.runImmediates();
  assertEquals(world.db.commits, [["/rooms/1"], ["/rooms/2"]]);
  assertEquals([first, ...others].map((group) => world.journal.refused(group)), [
    true,
    true,
    false,
    true,
  ]);
  assertEquals([world.durable, world.journal.busy], [4, false]);
});

Deno.test("[design 1.3d] when all that follows is forgotten, nothing is waited for", async () => {
  const world = new World();
  world.write("/rooms/1", 250);
  world.write("/rooms/1", 10);
  const settled = world.journal.settled();
  world.db.refusing.add("/rooms/1");
  world.clock.runImmediates();
  await settled;
  assertEquals([world.durable, world.db.commits.length, world.journal.busy], [2, 1, false]);
});

Deno.test("[design 1.6] an actor writes again after it was refused", () => {
  const world = new World();
  world.write("/rooms/1");
  world.db.refusing.add("/rooms/1");
  world.clock.runImmediates();
  const next = world.write("/rooms/1");
  world.clock.runImmediates();
  assertEquals([world.journal.refused(next), world.durable], [false, 2]);
});

Deno.test("[design 1.3d] who remembers something of a refused group starts over with it, and only who does", () => {
  const world = new World();
  const first = world.write("/users/1", 250);
  world.journal.heard(first, "/users/2");
  const second = world.write("/users/2", 10);
  world.journal.heard(second, "/users/3");
  const third = world.write("/users/3", 10);
  const other = world.write("/users/4", 10);
  world.journal.heard(other, "/users/5");
  world.db.refusing.add("/users/1");
  world.clock.runImmediates();
  assertEquals(world.refused.map((text) => text.slice(0, 8)), ["/users/1", "/users/2", "/users/3"]);
  assertEquals([first, second, third, other].map((group) => world.journal.refused(group)), [
    true,
    true,
    true,
    false,
  ]);
  assertEquals(world.db.commits, [["/users/1"], ["/users/4"]]);
  // It is stored: what is refused later is not about it.
  world.write("/users/4");
  world.db.refusing.add("/users/4");
  world.clock.runImmediates();
  assertEquals(world.refused.length, 4);
});

Deno.test("[design 1.3d] what builds on a group of the same transaction is refused with it", () => {
  const world = new World();
  const one = world.write("/users/1");
  const other = world.write("/users/2");
  world.write("/users/3");
  world.journal.heard(world.journal.both(one, other), "/users/3");
  const third = world.write("/users/3");
  world.journal.heard(third, "/users/4");
  const fourth = world.write("/users/4");
  const fifth = world.write("/users/5");
  world.db.refusing.add("/users/1");
  world.clock.runImmediates();
  assertEquals(world.db.commits.length, 1);
  assertEquals(world.refused.map((text) => text.slice(0, 8)), ["/users/1", "/users/3", "/users/4"]);
  const refused = [one, other, third, fourth, fifth].map((group) => world.journal.refused(group));
  assertEquals(refused, [true, false, true, true, false]);
});

Deno.test("[design 1.3e] when the database takes nothing any more, nothing is spoken", async () => {
  const world = new World();
  world.write("/rooms/1");
  world.journal.wait(world.outbox);
  const settled = assertRejects(() => world.journal.settled(), Error, "Disk full");
  world.db.failure = new Error("Disk full");
  world.clock.runImmediates();
  await settled;
  assertEquals([world.durable, world.pumps, world.failures], [0, 0, ["Disk full"]]);
  assertEquals(world.journal.failure?.message, "Disk full");
  world.db.failure = undefined;
  world.write("/rooms/2");
  world.clock.runImmediates();
  assertEquals([world.db.commits, world.durable, world.journal.busy], [[], 0, true]);
  await assertRejects(() => world.journal.settled(), Error, "Disk full");
});

Deno.test("[rooms 16] settled is when everything written until then is stored", async () => {
  const world = new World();
  await world.journal.settled();
  world.write("/rooms/1", 200);
  const events: string[] = [];
  const one = world.journal.settled().then(() =>
    events.push(`one after ${world.db.commits.length}`)
  );
  world.write("/rooms/2", 200);
  const two = world.journal.settled().then(() => events.push("two"));
  world.clock.runImmediates();
  await Promise.all([one, two]);
  assertEquals(events.length, 2);
  assertEquals(world.db.commits.length, 2);
});

Deno.test("[design 1.3f] a database that answers later is asked for one transaction at a time", async () => {
  const world = new World();
  world.db.remote = true;
  world.write("/rooms/1");
  world.journal.wait(world.outbox);
  world.clock.runImmediates();
  world.write("/rooms/2");
  world.write("/rooms/3");
  world.clock.runImmediates();
  assertEquals([world.db.commits.length, world.durable, world.pumps], [0, 0, 0]);
  await world.db.answer();
  assertEquals([world.db.commits.length, world.durable, world.pumps], [1, 1, 1]);
  world.clock.runImmediates();
  await world.db.answer();
  assertEquals(world.db.commits, [["/rooms/1"], ["/rooms/2", "/rooms/3"]]);
  assertEquals(world.durable, 3);
});

Deno.test("[design 1.3d] a refusal that comes later takes what was queued meanwhile with it", async () => {
  const world = new World();
  world.db.remote = true;
  world.db.refusing.add("/rooms/1");
  world.write("/rooms/1");
  world.clock.runImmediates();
  const meanwhile = [world.write("/rooms/1"), world.write("/rooms/2")];
  await world.db.answer();
  assertEquals(meanwhile.map((group) => world.journal.refused(group)), [true, false]);
  assertEquals(world.durable, 2);
  world.clock.runImmediates();
  await world.db.answer();
  assertEquals([world.durable, world.db.commits.at(-1)], [3, ["/rooms/2"]]);
});

Deno.test("[design 1.3e] a database that fails later is as dead", async () => {
  const world = new World();
  world.db.remote = true;
  world.db.failure = new Error("Connection lost");
  world.write("/rooms/1");
  world.journal.wait(world.outbox);
  world.clock.runImmediates();
  await world.db.answer();
  assertEquals([world.failures, world.durable, world.pumps], [["Connection lost"], 0, 0]);
  assert(world.journal.busy);
});

Deno.test("[design 1.3f] a database that is away gets the same groups again, and nothing is spoken before", async () => {
  const world = new World();
  world.write("/rooms/1");
  world.journal.wait(world.outbox);
  const settled = world.journal.settled();
  world.db.failure = new StoreAwayError("Connection lost");
  world.clock.runImmediates();
  world.write("/rooms/2");
  world.clock.runImmediates();
  assertEquals([world.journal.away, world.durable, world.pumps], [true, 0, 0]);
  assertEquals(world.outages, ["Connection lost"]);
  // 50 ms, then twice as long each time, up to 2 s.
  world.clock.advance(50 + 100 + 200);
  assertEquals([world.journal.away, world.clock.timers], [true, 1]);
  world.db.failure = undefined;
  world.clock.advance(399);
  assertEquals(world.db.commits, []);
  world.clock.advance(1);
  world.clock.runImmediates();
  await settled;
  assertEquals(world.db.commits, [["/rooms/1"], ["/rooms/2"]]);
  assertEquals([world.journal.away, world.durable, world.pumps], [false, 2, 1]);
  assertEquals(world.outages, ["Connection lost", "back after 750 ms"]);
  assertEquals([world.failures, world.clock.timers], [[], 0]);
});

Deno.test("[design 1.3f] a database that stays away is given up, and nothing of it is spoken", async () => {
  const world = new World();
  world.write("/rooms/1");
  world.journal.wait(world.outbox);
  const settled = assertRejects(() => world.journal.settled(), StoreAwayError);
  world.db.failure = new StoreAwayError("Connection lost");
  world.clock.runImmediates();
  world.clock.advance(59_000);
  assertEquals(world.failures, []);
  world.clock.advance(3_000);
  await settled;
  assertEquals([world.failures, world.pumps, world.clock.timers], [["Connection lost"], 0, 0]);
});

Deno.test("[design 1.3f] who stops does not wait for a database that is away", async () => {
  const world = new World();
  world.journal.giveUp();
  assertEquals(world.failures, []);
  world.write("/rooms/1");
  world.db.failure = new StoreAwayError("Connection lost");
  world.clock.runImmediates();
  const settled = assertRejects(() => world.journal.settled(), StoreAwayError);
  world.journal.giveUp();
  await settled;
  world.db.failure = undefined;
  world.clock.advance(10_000);
  assertEquals([world.db.commits, world.durable], [[], 0]);
});

Deno.test("[design 1.3e] a disk that fills while the database comes back stops the journal", () => {
  const world = new World();
  world.write("/rooms/1");
  world.db.failure = new StoreAwayError("Connection lost");
  world.clock.runImmediates();
  world.db.failure = new Error("Disk full");
  world.clock.advance(50);
  assertEquals([world.failures, world.clock.timers], [["Disk full"], 0]);
});

Deno.test("[design 1.3b, 1.3d] what stands for two groups is stored when both are, refused when one is", async () => {
  for (const refused of ["/rooms/1", "/users/1", undefined]) {
    const world = new World();
    world.db.remote = true;
    const one = world.write("/rooms/1");
    world.clock.runImmediates();
    const other = world.write("/users/1");
    const both = world.journal.both(one, other);
    assertEquals(world.journal.both(other, other), other);
    const heard: boolean[] = [];
    world.journal.afterCommit(both, (stored) => void heard.push(stored));
    if (refused !== undefined) world.db.refusing.add(refused);
    await world.db.answer();
    assertEquals([world.durable, heard], [one, []]);
    // With one of them stored, the other is all that is waited for.
    if (refused === undefined) assertEquals(world.journal.both(one, other), other);
    world.clock.runImmediates();
    await world.db.answer();
    assertEquals(heard, [refused === undefined]);
    assertEquals([world.durable, world.journal.busy], [both, false]);
    assertEquals(world.db.commits, [["/rooms/1"], ["/users/1"]]);
  }
});

Deno.test("[design 1.3a] what stands for two groups of one transaction asks for no other one", async () => {
  const world = new World();
  world.db.remote = true;
  const groups = [world.write("/rooms/1"), world.write("/users/1")] as const;
  world.clock.runImmediates();
  const both = world.journal.both(...groups);
  await world.db.answer();
  assertEquals([world.durable, world.journal.busy], [both, false]);
  assertEquals([world.db.commits.length, world.clock.immediates], [1, 0]);
});
