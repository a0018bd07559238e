import { assertEquals } from "@std/assert";
import { OwnedClock } from "../../lib/owned_clock.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test("[design 1.9] owned clock: its timers run, can be cleared, and end with it", () => {
  const clock = new FakeClock();
  const owned = new OwnedClock(clock);
  const ran: string[] = [];
  owned.setTimeout(() => ran.push("first"), 10);
  const cleared = owned.setTimeout(() => ran.push("cleared"), 10);
  owned.setTimeout(() => ran.push("late"), 30);
  owned.clearTimeout(cleared);
  clock.advance(20);
  assertEquals(ran, ["first"]);
  owned.end();
  owned.setTimeout(() => ran.push("after the end"), 5);
  clock.advance(50);
  assertEquals(ran, ["first"]);
});
