import { assert, assertEquals } from "@std/assert";
import { Cell, type Phase, type Task } from "../../../actors/cell.ts";
import type { ConnectionRef, RoomRef } from "../../../actors/refs/mod.ts";
import type { Turn } from "../../../actors/turn.ts";
import { decode } from "../../../proto/mod.ts";
import { ErrorCode, RpcError } from "../../../rpc/errors.ts";
import { fieldOf } from "../../../actors/turn.ts";
import { Outbox } from "../../../rpc/outbox.ts";
import { peerKey } from "../../../rpc/peer_id.ts";
import { FakeSocket } from "../rpc/fake_socket.ts";
import { FakeSystem } from "./fake_system.ts";

/** An actor whose chart is the test. */
class TestCell extends Cell {
  readonly kind = "room";
  readonly crashes: unknown[] = [];

  constructor(system: FakeSystem, readonly address: string) {
    super(system.system);
  }

  /** As a chart does: the actions of a transition, then its end. */
  move(phase: Phase): void {
    this.entered(phase);
    this.settled();
  }

  protected override crashed(error: unknown): void {
    this.crashes.push(error);
  }
}

class World extends FakeSystem {
  readonly lines: string[] = [];

  /** An actor that is live unless said otherwise. */
  cell(address = "/rooms/1", phase: Phase = "live"): TestCell {
    const cell = new TestCell(this, address);
    if (phase !== "loading") cell.move(phase);
    return cell;
  }

  /** A connection in the registry, with a socket to look at. */
  connection(id: number): { readonly connection: ConnectionRef; readonly socket: FakeSocket } {
    const socket = new FakeSocket();
    const key = peerKey(1, id);
    const outbox = new Outbox({
      socket,
      durability: this.journal,
      monitor: { watch: () => {}, pumpLater: () => {} },
      evict: () => {},
      failed: () => {},
    });
    const connection = { key, ownerId: 1, id, outbox } as unknown as ConnectionRef;
    this.registry.connections.set(key, connection);
    return { connection, socket };
  }

  /** A task that notes its run, and its refusal. */
  task(name: string, run: (turn: Turn) => void = () => {}): Task {
    return {
      run: (turn) => {
        this.lines.push(name);
        run(turn);
      },
      refused: ({ code, message }) => void this.lines.push(`${name} refused: ${code} ${message}`),
    };
  }
}

const writeRow = (turn: Turn) => turn.put("counters", { name: "room", value: 1 });

Deno.test("[design 1.5] a live actor handles a message at once, on its sender's stack", () => {
  const world = new World();
  world.cell().enqueue(world.task("a"));
  assertEquals(world.lines, ["a"]);
});

Deno.test("[design 1.3] what a turn says is said when its handler has returned, in order", () => {
  const world = new World();
  world.cell().enqueue(world.task("handler", (turn) => {
    turn.then(() => world.lines.push("first"));
    turn.then(() => world.lines.push("second"));
    world.lines.push("handler's end");
  }));
  assertEquals(world.lines, ["handler", "handler's end", "first", "second"]);
});

Deno.test("[design 1.5] a message to an actor in its turn waits for the turn's end", () => {
  const world = new World();
  const cell = world.cell();
  cell.enqueue(world.task("a", (turn) => {
    cell.enqueue(world.task("b"));
    turn.then(() => {
      cell.enqueue(world.task("c"));
      world.lines.push("a says");
    });
    turn.then(() => world.lines.push("a says more"));
    world.lines.push("a ends");
  }));
  assertEquals(world.lines, ["a", "a ends", "a says", "a says more", "b", "c"]);
});

Deno.test("[design 1.5] two actors that tell each other keep the order of both", () => {
  const world = new World();
  const one = world.cell("/rooms/1");
  const other = world.cell("/users/1");
  one.enqueue(world.task("one", (turn) => {
    turn.then(() =>
      other.enqueue(world.task("other", (turn) => {
        turn.then(() => one.enqueue(world.task("one again")));
        turn.then(() => world.lines.push("other says"));
      }))
    );
    turn.then(() => world.lines.push("one says"));
  }));
  assertEquals(world.lines, ["one", "other", "other says", "one says", "one again"]);
});

Deno.test("[design 1.3b] what a turn says carries its change's number; later turns wait for it too", () => {
  const world = new World();
  const cell = world.cell();
  const gates: number[] = [];
  const note = (turn: Turn) => turn.then((gate) => gates.push(gate));
  cell.enqueue({ run: note });
  cell.enqueue({ run: (turn) => (writeRow(turn), note(turn)) });
  cell.enqueue({ run: note });
  assertEquals(gates, [0, 1, 1]);
  world.clock.runImmediates();
  assertEquals(world.db.commits, [["/rooms/1"]]);
});

Deno.test("[design 1.3b, 1.3d] what is said of another's change waits for the actor's own, and falls with it", () => {
  for (const refused of ["/rooms/1", "/users/1", undefined]) {
    const world = new World();
    const { connection, socket } = world.connection(1);
    const cell = world.cell();
    if (refused !== undefined) world.db.refusing.add(refused);
    cell.enqueue({ run: (turn) => writeRow(turn) });
    const heard = world.journal.append("/users/1", [{
      op: "put",
      table: "counters",
      row: { name: "user", value: 1 },
    }]);
    cell.enqueue({ run: (turn) => turn.push(connection.key, fieldOf("Ack", {})) }, heard);
    world.clock.runImmediates();
    assertEquals(socket.sent.length, refused === undefined ? 1 : 0, refused);
    assertEquals(world.db.commits, [["/rooms/1", "/users/1"]]);
    assertEquals(world.journal.busy, false);
  }
});

Deno.test("[design 1.6] of a turn that throws nothing is stored and nothing is said", () => {
  const world = new World();
  const { connection, socket } = world.connection(1);
  const cell = world.cell();
  cell.enqueue(world.task("a", (turn) => {
    writeRow(turn);
    turn.ack(connection, 3);
    turn.then(() => world.lines.push("said"));
    throw new Error("A bug");
  }));
  world.clock.runImmediates();
  assertEquals(world.lines, [
    "a",
    `a refused: ${ErrorCode.Internal} internal error, the server has logged it`,
  ]);
  assertEquals([world.db.commits, socket.sent], [[], []]);
  assertEquals(cell.crashes.length, 1);
  assertEquals(world.metrics.actorCrashes.value("room"), 1);
  assertEquals(world.log.lines, ["error {address} crashed and is replaced: {error}"]);
});

Deno.test("[design 1.6] messages wait while a crashed actor is loaded, and keep their order", () => {
  const world = new World();
  const cell = world.cell();
  cell.enqueue(world.task("a", () => {
    cell.enqueue(world.task("b"));
    throw new Error("A bug");
  }));
  cell.enqueue(world.task("c"));
  assertEquals([cell.phase, cell.ready], ["loading", false]);
  assertEquals(world.lines.length, 2);
  cell.move("live");
  assertEquals(world.lines.slice(2), ["b", "c"]);
});

Deno.test("[design 1.6] a turn that throws while it speaks crashes its actor, behind it nothing is out of order", () => {
  const world = new World();
  const cell = world.cell();
  cell.enqueue(world.task("a", (turn) => {
    turn.then(() => {
      cell.enqueue(world.task("b"));
      throw new Error("A bug");
    });
    turn.then(() => world.lines.push("said"));
  }));
  assertEquals([cell.phase, cell.crashes.length], ["loading", 1]);
  cell.enqueue(world.task("c"));
  cell.move("live");
  assertEquals(world.lines.filter((event) => !event.includes("refused")), ["a", "b", "c"]);
});

Deno.test("[design 1.6] an actor that has ended is not brought back by a turn that throws", () => {
  const world = new World();
  const cell = world.cell();
  cell.enqueue(world.task("a", (turn) => {
    turn.then(() => cell.move("closed"));
    turn.then(() => {
      throw new Error("A bug");
    });
  }));
  assertEquals([cell.phase, cell.crashes], ["closed", []]);
  cell.enqueue(world.task("b"));
  assertEquals(world.lines.at(-1), "b refused: 0 /rooms/1 has ended");
});

Deno.test("[projects 14] a refusal is told and changes nothing, the actor goes on", () => {
  const world = new World();
  const { connection, socket } = world.connection(1);
  const cell = world.cell();
  cell.enqueue(world.task("a", (turn) => {
    turn.ack(connection, 3);
    throw new RpcError(ErrorCode.Forbidden, "Not for you");
  }));
  cell.enqueue(world.task("b"));
  assertEquals(world.lines, ["a", "a refused: 5 Not for you", "b"]);
  assertEquals([socket.sent.length, cell.crashes.length, cell.phase], [0, 0, "live"]);
});

Deno.test("[design 1.6] a refusal behind a change is a bug: memory cannot be trusted any more", () => {
  const world = new World();
  const cell = world.cell();
  cell.enqueue(world.task("a", (turn) => {
    writeRow(turn);
    throw RpcError.internal("too late");
  }));
  world.clock.runImmediates();
  assertEquals([cell.crashes.length, world.db.commits.length], [1, 0]);
});

Deno.test("[design 1.6] nobody waits for an answer: a crash is told to nobody", () => {
  const cell = new World().cell();
  cell.enqueue({
    run: () => {
      throw new Error("A bug");
    },
  });
  assertEquals(cell.crashes.length, 1);
});

Deno.test("[design 1.6] what waits while an actor loads is handled when it is live", () => {
  const world = new World();
  const cell = world.cell("/rooms/1", "loading");
  cell.enqueue(world.task("a"));
  cell.enqueue(world.task("b"));
  assertEquals(world.lines, []);
  cell.move("live");
  assertEquals(world.lines, ["a", "b"]);
});

Deno.test("[design 6b] what waits while an actor loads is bounded", () => {
  const world = new World();
  const cell = world.cell("/rooms/1", "loading");
  let ran = 0;
  for (let count = 0; count < 10_000; count++) cell.enqueue({ run: () => void ran++ });
  cell.enqueue(world.task("one more"));
  assertEquals(world.lines, [
    "one more refused: 0 /rooms/1 has too much to do, try again later",
  ]);
  cell.move("live");
  assertEquals(ran, 10_000);
});

for (const [phase, text] of [["failed", "out of order"], ["closed", "has ended"]] as const) {
  Deno.test(`[design 1.6] an actor that is ${phase} refuses what waits and what comes`, () => {
    const world = new World();
    const cell = world.cell("/rooms/1", "loading");
    cell.enqueue(world.task("a"));
    cell.move(phase);
    cell.enqueue(world.task("b"));
    assertEquals(world.lines.length, 2);
    assert(world.lines.every((event) => event.includes(`refused: 0 /rooms/1`)));
    assert(world.lines.every((event) => event.includes(text)), world.lines.join());
  });
}

Deno.test("[design 1.6] what a crashed actor says after its return does not wait for what was refused", () => {
  const world = new World();
  const cell = world.cell();
  const gates: number[] = [];
  cell.enqueue({ run: writeRow });
  cell.move("loading");
  cell.move("live");
  cell.enqueue({ run: (turn) => turn.then((gate) => gates.push(gate)) });
  assertEquals(gates, [0]);
});

Deno.test("[design 1.3d] what was to be remembered of a change is forgotten when the change is refused", () => {
  const world = new World();
  const cell = world.cell("/users/2", "loading");
  const group = world.journal.append("/users/1", []);
  cell.enqueue({ ...world.task("remembered"), remembers: true }, group);
  cell.enqueue(world.task("other"), group);
  world.db.refusing.add("/users/1");
  world.clock.runImmediates();
  cell.entered("live");
  cell.settled();
  assertEquals(world.lines, ["other"]);
});

Deno.test("[design 1.3b] answers, pushes, forwards and streams of a turn open with its commit, in order", () => {
  const world = new World();
  const one = world.connection(1);
  const two = world.connection(2);
  const gone = peerKey(1, 9);
  const lost: string[] = [];
  world.cell().enqueue({
    run: (turn) => {
      writeRow(turn);
      turn.reply(one.connection, 4, "ShareProjectResponse", { projectId: 5n });
      turn.fail(two.connection, 6, new RpcError(12, "private", ["a=b"]));
      turn.push(gone, new Uint8Array(0), { answered: () => true, lost: () => lost.push("gone") });
      turn.ack(one.connection, 7);
      turn.stream(one.connection, [][Symbol.iterator]() as Iterator<never, void>);
      turn.forward(gone, new Uint8Array(0), one.connection.key);
    },
  });
  assertEquals([one.socket.sent.length, two.socket.sent.length], [0, 0]);
  assertEquals(lost, ["gone"]);
  world.clock.runImmediates();
  assertEquals(one.socket.messages.map(({ name, respondingTo }) => [name, respondingTo]), [
    ["ShareProjectResponse", 4],
    ["Ack", 7],
  ]);
  const [error] = two.socket.messages;
  assertEquals(decode("Error", error?.payload as Uint8Array), {
    code: 12,
    message: "private",
    tags: ["a=b"],
  });
});

Deno.test("[design 1.2] what a turn tells other actors carries its change's number", () => {
  const world = new World();
  const told: [string, number][] = [];
  const user = { tell: ({ type }: { type: string }, gate: number) => told.push([type, gate]) };
  const system = Object.assign(world, { user: () => user });
  world.registry.users.set(2, user as never);
  const cell = new TestCell(system, "/rooms/1");
  cell.move("live");
  cell.enqueue({
    run: (turn) => {
      writeRow(turn);
      turn.tellUser(1, { type: "user.publish" });
      turn.tellLiveUser(2, { type: "user.publish" });
      turn.tellLiveUser(3, { type: "user.publish" });
      turn.tellRoom(user as unknown as RoomRef, { type: "room.clean_up" });
    },
  });
  assertEquals(told, [["user.publish", 1], ["user.publish", 1], ["room.clean_up", 1]]);
});

Deno.test("[design 1.3a] a turn's writes are puts and removals, in order", () => {
  const world = new World();
  const cell = world.cell();
  let writes: readonly unknown[] = [];
  cell.enqueue({
    run: (turn) => {
      writeRow(turn);
      turn.remove("counters", { name: "room" });
      writes = turn.writes;
    },
  });
  assertEquals(writes, [
    { op: "put", table: "counters", row: { name: "room", value: 1 } },
    { op: "remove", table: "counters", key: { name: "room" } },
  ]);
});
