import { assert, assertEquals } from "@std/assert";
import { encode, messageInfo } from "../../../proto/mod.ts";
import { frameOf, message } from "../../../rpc/frame.ts";
import { outboxMarks, type Outgoing } from "../../../rpc/outbox.ts";
import { bulky, numbered, Request, World } from "./outbox_world.ts";

const MiB = 1 << 20;

/** Messages 100, 101, … */
function* counting(count: number, size = 0): Generator<Outgoing, void> {
  for (let index = 0; index < count; index++) {
    yield {
      kind: "message",
      field: size === 0 ? numbered(100 + index) : bulky(size),
      respondingTo: -1,
    };
  }
}

Deno.test("[design 1.8a] a stream is written in its place, what is pushed later comes behind it", () => {
  const world = new World();
  const { outbox } = world;
  outbox.push(numbered(1), -1, 1);
  outbox.stream(counting(3), 1);
  outbox.push(numbered(2), -1, 0);
  assertEquals(world.take(), []);
  world.commit(1);
  assertEquals(world.take(), [1, 100, 101, 102, 2]);
  assertEquals(outbox.nextId, 5);
});

Deno.test("[design 1.8a] a stream is asked for more only while little waits in the socket", () => {
  const world = new World();
  const { outbox, socket } = world;
  const size = 100_000;
  socket.stuck = true;
  outbox.stream(counting(60, size), 0);
  outbox.push(numbered(1), -1, 0);
  for (let turn = 0; turn < 10; turn++) world.later.splice(0).forEach((one) => one.outbox.pump());
  const written = socket.sent.length;
  assert(socket.bufferedAmount > outboxMarks.stream);
  assert(socket.bufferedAmount < outboxMarks.stream + 2 * size, `${socket.bufferedAmount}`);
  assert(world.later.every(({ ms }) => ms > 0), "it looks again after a while");
  assertEquals(world.evictions, []);
  socket.drain();
  world.runLater();
  assert(written < 15);
  assertEquals(socket.sent.length, 61);
  assertEquals(world.take().at(-1), 1);
});

Deno.test("[design 1.8a] a long stream gives other work its turn", () => {
  const world = new World();
  world.outbox.stream(counting(60, 100_000), 0);
  const first = world.socket.sent.length;
  assert(first > 1 && first < 10, `${first} messages in the first go`);
  assertEquals(world.later.map(({ ms }) => ms), [0]);
  world.runLater();
  assertEquals(world.socket.sent.length, 60);
});

Deno.test("[design 1.8, 1.8a] a turn makes no more of a stream than it can compress in 5 ms", () => {
  const world = new World();
  const chunk: Outgoing = {
    kind: "split",
    tag: messageInfo("UpdateWorktree").tag as number,
    head: encode("UpdateWorktree", { projectId: 8n }),
    tail: frameOf(new Uint8Array(100)).slice(),
    // As a tree's 256 entries are before they are compressed.
    tailPlainLength: 20_000,
  };
  world.outbox.stream(Iterator.from(Array(60).fill(chunk)) as Iterator<Outgoing, void>, 0);
  const first = world.socket.sent.length;
  assert(first > 5 && first < 20, `${first} messages in the first go`);
  world.runLater();
  assertEquals(world.socket.sent.length, 60);
});

Deno.test("[design 1.8a] what a stream gives may be a payload in two parts or another's bytes", () => {
  const world = new World();
  const split: Outgoing = {
    kind: "split",
    tag: messageInfo("ShareProjectResponse").tag as number,
    head: encode("ShareProjectResponse", { projectId: 8n }),
    tail: frameOf(new Uint8Array(0)).slice(),
    tailPlainLength: 0,
  };
  const forward: Outgoing = {
    kind: "forward",
    original: message(1, -1, -1, 0, numbered(9)).slice(),
    respondingTo: -1,
    senderOwner: 1,
    senderId: 2,
    extra: undefined,
  };
  world.outbox.stream([split, forward][Symbol.iterator]() as Iterator<Outgoing, void>, 0);
  assertEquals(
    world.socket.messages.map((
      { id, value, originalSenderId },
    ) => [id, value.projectId, originalSenderId]),
    [[0, 8n, undefined], [1, 9n, { ownerId: 1, id: 2 }]],
  );
});

Deno.test("[design 1.6] a stream that throws ends its connection and nothing else", () => {
  const world = new World();
  const broken: Iterator<Outgoing, void> = {
    next() {
      throw new Error("Broken");
    },
  };
  const request = new Request();
  world.outbox.push(numbered(1), -1, 1);
  world.outbox.stream(broken, 1);
  world.outbox.push(numbered(2), -1, 0, request);
  world.commit(1);
  assertEquals(world.evictions, ["Error: Broken"]);
  assertEquals(world.take(), [1]);
  assertEquals(request.events, ["lost"]);
});

Deno.test("[design 1.8] more than 64 MiB that wait end the connection at once", () => {
  const world = new World();
  const { outbox, socket } = world;
  const size = 4 * MiB;
  socket.stuck = true;
  for (let count = 0; count < 16; count++) outbox.push(bulky(size), -1, 0);
  assertEquals(world.evictions, ["overflow"]);
  assertEquals(socket.sent.length, 16);
  outbox.push(numbered(1), -1, 0);
  assertEquals(socket.sent.length, 16);
  assertEquals(world.evictions, ["overflow"]);
});

Deno.test("[design 1.8] what waits for a commit counts as waiting", () => {
  const world = new World();
  for (let count = 0; count < 17; count++) world.outbox.push(bulky(4 * MiB), -1, 1);
  assertEquals(world.evictions, ["overflow"]);
});

Deno.test("[design 1.8] a peer that takes nothing for two seconds while 4 MiB wait is evicted", () => {
  const world = new World();
  const { outbox, socket } = world;
  socket.stuck = true;
  outbox.push(bulky(5 * MiB), -1, 0);
  assertEquals(world.watched.size, 1);
  assert(outbox.watch(10_000, 2_000));
  assert(outbox.watch(11_999, 2_000));
  assertEquals(world.evictions, []);
  assertEquals(outbox.watch(12_000, 2_000), false);
  assertEquals(world.evictions, ["stuck"]);
});

Deno.test("[design 1.8] a peer that takes something now and then is not evicted, nor one with less", () => {
  const world = new World();
  const { outbox, socket } = world;
  socket.stuck = true;
  outbox.push(bulky(5 * MiB), -1, 0);
  for (let now = 1_000; now < 100_000; now += 1_500) {
    assert(outbox.watch(now, 2_000), `watched at ${now}`);
    socket.bufferedAmount -= 1_000;
  }
  socket.bufferedAmount = 3 * MiB;
  for (let now = 100_000; now < 200_000; now += 1_500) assert(outbox.watch(now, 2_000));
  assertEquals(world.evictions, []);
});

Deno.test("[design 1.3f] a peer that reads is not evicted because the database is slow", () => {
  const world = new World();
  const { outbox } = world;
  outbox.push(bulky(5 * MiB), -1, 1);
  for (let now = 1_000; now < 20_000; now += 1_000) assert(outbox.watch(now, 2_000));
  assertEquals(world.evictions, []);
  world.commit(1);
  assertEquals(outbox.watch(20_000, 2_000), false);
});

Deno.test("[design 1.8b] relief comes when less than the soft mark waits, to each who asked once", () => {
  const world = new World();
  const { outbox, socket } = world;
  const heard: string[] = [];
  outbox.whenRelieved(() => heard.push("at once"));
  assertEquals(heard, ["at once"]);
  socket.stuck = true;
  outbox.push(bulky(2 * MiB), -1, 0);
  assert(outbox.congested);
  outbox.whenRelieved(() => heard.push("a"));
  outbox.whenRelieved(() => heard.push("b"));
  assert(outbox.watch(1_000, 2_000));
  assertEquals(heard, ["at once"]);
  socket.bufferedAmount = outboxMarks.soft;
  assertEquals(outbox.watch(2_000, 2_000), false);
  assertEquals(outbox.congested, false);
  assertEquals(heard, ["at once", "a", "b"]);
  outbox.watch(3_000, 2_000);
  assertEquals(heard, ["at once", "a", "b"]);
});

Deno.test("[design 1.8b] the end of a connection is relief for who waits for it", () => {
  const world = new World();
  const { outbox, socket } = world;
  let heard = 0;
  socket.stuck = true;
  outbox.push(bulky(2 * MiB), -1, 0);
  outbox.whenRelieved(() => heard++);
  outbox.close();
  assertEquals(heard, 1);
  outbox.close();
  outbox.whenRelieved(() => heard++);
  assertEquals(heard, 2);
});
