import { assertEquals, assertThrows } from "@std/assert";
import { FakeClock } from "../../support/fake_clock.ts";

Deno.test("[design 1.9] FakeClock runs timers in the order of their due times", () => {
  const clock = new FakeClock(1_000);
  const ran: string[] = [];
  const note = (name: string) => () => void ran.push(`${name}@${clock.now()}`);
  clock.setTimeout(note("late"), 30);
  clock.setTimeout(note("first of two"), 10);
  clock.setTimeout(note("second of two"), 10);
  clock.advance(9);
  assertEquals(ran, []);
  clock.advance(1);
  assertEquals(ran, ["first of two@1010", "second of two@1010"]);
  clock.advance(100);
  assertEquals(ran.at(-1), "late@1030");
  assertEquals(clock.now(), 1_110);
  assertEquals(clock.timers, 0);
});

Deno.test("[design 1.9] FakeClock runs timers that a timer sets within the same advance", () => {
  const clock = new FakeClock(0);
  const ran: number[] = [];
  const again = () => {
    ran.push(clock.now());
    clock.setTimeout(again, 10);
  };
  clock.setTimeout(again, 10);
  clock.advance(35);
  assertEquals(ran, [10, 20, 30]);
  assertEquals(clock.nextDue, 40);
});

Deno.test("[design 1.9] FakeClock runs immediates before time passes", () => {
  const clock = new FakeClock(0);
  const ran: string[] = [];
  clock.setTimeout(() => {
    ran.push("timer");
    clock.setImmediate(() => ran.push(`after@${clock.now()}`));
  }, 5);
  clock.setTimeout(() => ran.push("last"), 5);
  clock.setImmediate(() => {
    ran.push("immediate");
    clock.setImmediate(() => ran.push("nested"));
  });
  assertEquals(clock.immediates, 1);
  assertEquals(clock.runImmediates(), 2);
  clock.advance(5);
  assertEquals(ran, ["immediate", "nested", "timer", "after@5", "last"]);
});

Deno.test("[design 1.9] FakeClock forgets a cleared timer and ignores unknown ids", () => {
  const clock = new FakeClock(0);
  let ran = false;
  const id = clock.setTimeout(() => ran = true, 1);
  clock.clearTimeout(id);
  clock.clearTimeout(id);
  clock.clearTimeout(99);
  clock.advance(10);
  assertEquals(ran, false);
});

Deno.test("[design 1.9] FakeClock passes on the error of a timer and keeps the others", () => {
  const clock = new FakeClock(0);
  let ran = false;
  clock.setTimeout(() => {
    throw new Error("Broken timer");
  }, 1);
  clock.setTimeout(() => ran = true, 2);
  assertThrows(() => clock.advance(5), Error, "Broken timer");
  assertEquals(clock.now(), 1);
  clock.advance(1);
  assertEquals(ran, true);
});

Deno.test("[design 1.9] FakeClock refuses to go back and to run for ever", () => {
  const clock = new FakeClock(0);
  assertThrows(() => clock.advance(-1), RangeError);
  assertThrows(() => clock.advance(NaN), RangeError);
  const again = () => void clock.setTimeout(again, 0);
  again();
  assertThrows(() => clock.advance(1), Error, "without end");
});

Deno.test("[design 1.9] FakeClock.advanceAsync lets promises settle between timers", async () => {
  const clock = new FakeClock(0);
  const ran: string[] = [];
  const sleep = (ms: number) => new Promise<void>((resolve) => clock.setTimeout(resolve, ms));
  const work = (async () => {
    await sleep(10);
    ran.push(`one@${clock.now()}`);
    await new Promise<void>((resolve) => clock.setImmediate(resolve));
    await sleep(10);
    ran.push(`two@${clock.now()}`);
  })();
  await clock.advanceAsync(25);
  await work;
  assertEquals(ran, ["one@10", "two@20"]);
  assertEquals(clock.now(), 25);
});
