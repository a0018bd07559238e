import { assert, assertEquals, assertThrows } from "@std/assert";
import { type EventStream, EventStreams } from "../../lib/event_streams.ts";

interface Numbered {
  readonly kind: "odd" | "even";
  readonly n: number;
}

function streams(): EventStreams<Numbered> {
  return new EventStreams<Numbered>(["odd", "even"]);
}

function tell(all: EventStreams<Numbered>, ...numbers: readonly number[]): void {
  for (const n of numbers) all.tell({ kind: n % 2 === 0 ? "even" : "odd", n });
}

/** What is left in a stream that has ended. */
async function rest(stream: EventStream<Numbered>): Promise<(number | string)[]> {
  const found: (number | string)[] = [];
  for await (const event of stream) {
    found.push(event.kind === "lagged" ? `${event.missed} missed` : event.n);
  }
  return found;
}

Deno.test("[local 7] each listener hears in order what he wants, and the rest behind the end", async () => {
  const all = streams();
  tell(all, 1);
  const every = all.open();
  const even = all.open({ kinds: ["even"] });
  tell(all, 2, 3, 4);
  all.end();
  tell(all, 6);
  assertEquals(await rest(every), [2, 3, 4]);
  assertEquals(await rest(even), [2, 4]);
  assertEquals(await rest(all.open()), []);
});

Deno.test("[local 7] a listener who waits gets the next event, or the end", async () => {
  const all = streams();
  const stream = all.open();
  const first = stream.next();
  const second = stream.next();
  const third = stream.next();
  tell(all, 1, 2);
  assertEquals((await first).value, { kind: "odd", n: 1 });
  assertEquals((await second).value, { kind: "even", n: 2 });
  all.end();
  assertEquals(await third, { value: undefined, done: true });
});

Deno.test("[local 7] for who is slow the oldest is dropped and counted; others lose nothing", async () => {
  const all = streams();
  const slow = all.open({ queue: 2 });
  const other = all.open();
  tell(all, 1, 2, 3, 4, 5);
  assertEquals(await slow.next(), { value: { kind: "lagged", missed: 3 }, done: false });
  tell(all, 6);
  assertEquals((await slow.next()).value, { kind: "lagged", missed: 1 });
  assertEquals((await slow.next()).value, { kind: "odd", n: 5 });
  all.end();
  assertEquals(await rest(slow), [6]);
  assertEquals(await rest(other), [1, 2, 3, 4, 5, 6]);
});

Deno.test("[local 7] a loop that is left listens no more", async () => {
  const all = streams();
  assert(!all.wants("odd"));
  const stream = all.open({ kinds: ["odd"] });
  assertEquals([all.wants("odd"), all.wants("even")], [true, false]);
  tell(all, 1, 3);
  for await (const event of stream) {
    assertEquals(event, { kind: "odd", n: 1 });
    break;
  }
  assert(!all.wants("odd"));
  assertEquals(await rest(stream), []);
  {
    await using disposed = all.open();
    assert(all.wants("even"));
    void disposed;
  }
  assert(!all.wants("even"));
});

Deno.test("[local 7] what nobody could hear of is refused", () => {
  const all = streams();
  const kinds = ["prime"] as unknown as readonly ["odd"];
  assertThrows(() => all.open({ kinds }), RangeError, 'Cannot listen to "prime": no such kind');
  for (const queue of [0, -1, 1.5, NaN, 1_000_001]) {
    assertThrows(() => all.open({ queue }), RangeError, `Cannot let ${queue} events wait`);
  }
  assert(!all.wants("odd"));
});
