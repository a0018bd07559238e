import { assertEquals } from "@std/assert";
import { message } from "../../../rpc/frame.ts";
import { assertCarries } from "../../support/carries.ts";
import { errorField, type Pending } from "../../../rpc/outbox.ts";
import { ACK, bulky, numbered, Request, World } from "./outbox_world.ts";

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
  const original = message(77, -1, -1, 0, numbered(1)).slice();
  outbox.push(ACK, 1, 0);
  outbox.forward(original, -1, 3, 0);
  outbox.forward(message(78, 9, -1, 0, numbered(2)), 5, -1, 0);
  const [, forwarded, answer] = socket.messages;
  assertCarries(socket.sent[1], original);
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

Deno.test("[transport 1.6.10] nothing is written in a frame of more than 16 MiB, as clients take none", () => {
  const { outbox, socket } = new World();
  const field = bulky(1 << 24);
  outbox.push(field, 3, 0);
  outbox.forward(message(9, -1, -1, 0, field), -1, 4, 5);
  const sizes = socket.sent.map(({ length }) => length < 1 << 24);
  assertEquals(sizes, [true, true]);
  assertEquals(
    socket.messages.map((
      { id, respondingTo, originalSenderId, name },
    ) => [id, respondingTo, originalSenderId?.id, name]),
    [[0, 3, undefined, "Error"], [1, undefined, 5, "Error"]],
  );
  outbox.push(bulky(100), -1, 0);
  assertEquals(socket.sent[2]!.length > 100, true);
});
