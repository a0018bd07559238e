import { assert, assertEquals } from "@std/assert";
import { encode, messageInfo } from "../../../proto/mod.ts";
import { message, payloadField } from "../../../rpc/frame.ts";
import {
  type Durability,
  errorField,
  Outbox,
  outboxMarks,
  type Outgoing,
  type Pending,
  type PressureMonitor,
} from "../../../rpc/outbox.ts";
import { FakeSocket } from "./fake_socket.ts";

const MiB = 1 << 20;
const ACK = payloadField(messageInfo("Ack").tag as number, new Uint8Array(0));

/** A payload that a test knows again. */
function numbered(projectId: number): Uint8Array {
  return payloadField(
    messageInfo("ShareProjectResponse").tag as number,
    encode("ShareProjectResponse", { projectId: BigInt(projectId) }),
  );
}

function bulky(bytes: number): Uint8Array {
  return payloadField(
    messageInfo("Error").tag as number,
    encode("Error", { message: "x".repeat(bytes) }),
  );
}

class World implements Durability, PressureMonitor {
  readonly socket = new FakeSocket();
  readonly refusedGroups = new Set<number>();
  readonly waiting = new Set<Outbox>();
  readonly watched = new Set<Outbox>();
  readonly later: { ms: number; outbox: Outbox }[] = [];
  readonly evictions: string[] = [];
  durable = 0;
  readonly outbox: Outbox = new Outbox({
    socket: this.socket,
    durability: this,
    monitor: this,
    evict: (reason) => {
      this.evictions.push(reason);
      this.outbox.close();
    },
    failed: (error) => {
      this.evictions.push(String(error));
      this.outbox.close();
    },
  });

  refused(group: number): boolean {
    return this.refusedGroups.has(group);
  }

  wait(outbox: Outbox): void {
    this.waiting.add(outbox);
  }

  watch(outbox: Outbox): void {
    this.watched.add(outbox);
  }

  pumpLater(outbox: Outbox, ms: number): void {
    this.later.push({ ms, outbox });
  }

  /** Everything up to that group is stored. */
  commit(group: number): void {
    this.durable = group;
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const outbox of waiting) outbox.pump();
  }

  /** Runs what asked to be run later, until nothing does. */
  runLater(): void {
    for (let next = this.later.shift(); next; next = this.later.shift()) next.outbox.pump();
  }

  /** Project ids and errors of what was sent since the last call. */
  take(): (number | string)[] {
    return this.socket.take().map(({ name, value }) =>
      name === "ShareProjectResponse" ? Number(value.projectId) : name
    );
  }
}

/** Notes what becomes of a request. */
class Request implements Pending {
  readonly events: string[] = [];
  written(_outbox: Outbox, id: number): void {
    this.events.push(`written ${id}`);
  }
  answered(tag: number): boolean {
    this.events.push(`answered ${tag}`);
    return true;
  }
  lost(): void {
    this.events.push("lost");
  }
}

Deno.test("[rooms 2.3] what may be spoken is written at once, with ids that rise from 0", () => {
  const { outbox, socket } = new World();
  outbox.push(numbered(1), -1, 0);
  outbox.push(ACK, 7, 0);
  outbox.push(ACK, 0, 0);
  assertEquals(
    socket.messages.map(({ id, respondingTo, name }) => [id, respondingTo, name]),
    [[0, undefined, "ShareProjectResponse"], [1, 7, "Ack"], [2, 0, "Ack"]],
  );
  assertEquals(outbox.nextId, 3);
});

Deno.test("[design 1.3b] what tells of a change waits for its commit, and all behind it waits too", () => {
  const world = new World();
  const { outbox } = world;
  outbox.push(numbered(1), -1, 0);
  outbox.push(numbered(2), -1, 5);
  outbox.push(numbered(3), -1, 0);
  outbox.push(numbered(4), -1, 6);
  outbox.push(numbered(5), -1, 6);
  assertEquals(world.take(), [1]);
  world.commit(4);
  assertEquals(world.take(), []);
  world.commit(5);
  assertEquals(world.take(), [2, 3]);
  world.commit(6);
  assertEquals(world.take(), [4, 5]);
  outbox.push(numbered(6), -1, 6);
  assertEquals(world.take(), [6]);
});

Deno.test("[projects 1.1] ids are given at writing, also to what has waited", () => {
  const world = new World();
  const { outbox, socket } = world;
  const first = new Request();
  const second = new Request();
  outbox.push(numbered(1), -1, 1, first);
  outbox.forward(message(9, -1, -1, 0, numbered(2)), -1, 3, 4, undefined, second);
  assertEquals([first.events, second.events], [[], []]);
  assertEquals(outbox.pendingCount, 0);
  world.commit(1);
  assertEquals([first.events, second.events], [["written 0"], ["written 1"]]);
  assertEquals(socket.messages.map(({ id }) => id), [0, 1]);
  assertEquals([outbox.pendingFor(0), outbox.pendingFor(1)], [first, second]);
});

Deno.test("[design 1.7] a forward is the sender's bytes with new header fields behind them", () => {
  const { outbox, socket } = new World();
  const original = message(77, -1, -1, 0, numbered(1));
  outbox.push(ACK, 1, 0);
  outbox.forward(original, -1, 3, 0);
  outbox.forward(message(78, 9, -1, 0, numbered(2)), 5, -1, 0);
  const [, forwarded, answer] = socket.messages;
  assertEquals(socket.sent[1]?.subarray(0, original.length), original.slice());
  assertEquals([forwarded?.id, forwarded?.originalSenderId, forwarded?.respondingTo], [
    1,
    { ownerId: 3, id: 0 },
    undefined,
  ]);
  assertEquals([answer?.id, answer?.respondingTo, answer?.originalSenderId], [2, 5, undefined]);
});

Deno.test("[design 1.3d] what tells of a refused change is not spoken; a request hears an Error instead", () => {
  const world = new World();
  const { outbox, socket } = world;
  const request = new Request();
  outbox.push(numbered(1), -1, 1);
  outbox.push(numbered(2), 41, 1);
  outbox.push(numbered(3), -1, 1, request);
  outbox.push(numbered(4), -1, 2);
  world.refusedGroups.add(1);
  world.commit(2);
  const [error, next] = socket.messages;
  assertEquals([error?.id, error?.respondingTo, error?.name, error?.value.code], [
    0,
    41,
    "Error",
    0,
  ]);
  assertEquals([next?.id, next?.value.projectId], [1, 4n]);
  assertEquals(socket.sent.length, 2);
  assertEquals(request.events, ["lost"]);
  // The group is long refused: the same for what is queued only now.
  outbox.push(numbered(5), 42, 1);
  outbox.push(numbered(6), -1, 1);
  assertEquals(socket.messages.slice(2).map(({ name, respondingTo }) => [name, respondingTo]), [
    ["Error", 42],
  ]);
});

Deno.test("[design 1.3d] a stream that tells of a refused change is not begun", () => {
  const world = new World();
  let asked = 0;
  const stream = { next: () => (asked++, { done: true as const, value: undefined }) };
  world.outbox.stream(stream, 1);
  world.outbox.push(numbered(1), -1, 0);
  world.refusedGroups.add(1);
  world.commit(1);
  assertEquals(asked, 0);
  assertEquals(world.take(), [1]);
});

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

Deno.test("[design 1.8a] what a stream gives may be a payload in two parts or another's bytes", () => {
  const world = new World();
  const split: Outgoing = {
    kind: "split",
    tag: messageInfo("ShareProjectResponse").tag as number,
    head: encode("ShareProjectResponse", { projectId: 8n }),
    tail: new Uint8Array(0),
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

Deno.test("[rooms 2.7] the end of a connection fails what waits for its answers, once each", () => {
  const world = new World();
  const { outbox, socket } = world;
  const written = new Request();
  const answered = new Request();
  const queued = new Request();
  const late = new Request();
  outbox.push(numbered(1), -1, 0, written);
  outbox.push(numbered(2), -1, 0, answered);
  outbox.push(numbered(3), -1, 9, queued);
  outbox.forget(1);
  outbox.close();
  outbox.close();
  outbox.push(numbered(4), -1, 0, late);
  outbox.forward(message(0, -1, -1, 0, numbered(5)), -1, 1, 1, undefined, late);
  assertEquals(written.events, ["written 0", "lost"]);
  assertEquals(answered.events, ["written 1"]);
  assertEquals(queued.events, ["lost"]);
  assertEquals(late.events, ["lost", "lost"]);
  assertEquals(socket.sent.length, 2);
  assertEquals(outbox.pendingCount, 0);
  world.commit(9);
  assertEquals(socket.sent.length, 2);
});

Deno.test("[rooms 2.6] an answer is looked up by the id of its request, a forgotten one is unknown", () => {
  const { outbox } = new World();
  const request = new Request();
  outbox.push(numbered(1), -1, 0);
  outbox.push(numbered(2), -1, 0, request);
  assertEquals([outbox.pendingFor(0), outbox.pendingFor(1), outbox.pendingFor(2)], [
    undefined,
    request,
    undefined,
  ]);
  outbox.forget(1);
  assertEquals(outbox.pendingFor(1), undefined);
});

Deno.test("[rooms 2.3] what is pushed while a lost request is told keeps its place", () => {
  const world = new World();
  const { outbox } = world;
  const pending: Pending = {
    answered: () => true,
    lost: () => outbox.push(numbered(9), -1, 0),
  };
  outbox.push(numbered(1), -1, 1, pending);
  outbox.push(numbered(2), -1, 1);
  outbox.push(numbered(3), -1, 2);
  world.refusedGroups.add(1);
  world.commit(2);
  assertEquals(world.take(), [3, 9]);
});

Deno.test("[rooms 2.3] thousands of messages that wait keep their order", () => {
  const world = new World();
  const { outbox } = world;
  const count = 5_000;
  for (let index = 0; index < count; index++) {
    outbox.push(numbered(index + 1), -1, 1 + (index >> 1));
  }
  for (let group = 1; group <= count >> 1; group += 100) world.commit(group);
  world.commit(count);
  assertEquals(world.take(), Array.from({ length: count }, (_, index) => index + 1));
  assertEquals(outbox.waitingBytes, 0);
});

Deno.test("[transport 2.4.1] an error's payload has code, message and tags", () => {
  const { outbox, socket } = new World();
  outbox.push(errorField(12, "private", ["a=b", "loose"]), 3, 0);
  assertEquals(socket.messages[0]?.value, { code: 12, message: "private", tags: ["a=b", "loose"] });
});
