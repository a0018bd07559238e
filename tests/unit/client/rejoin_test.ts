import { assertEquals } from "@std/assert";
import { type Rejoinable, Rejoining } from "../../../client/connection/rejoin.ts";
import { FakeClock } from "../../support/fake_clock.ts";

/** A list with one entry that writes down what it is told. */
function stage(options: Partial<Rejoinable> = {}, outcomes: (Error | Promise<void>)[] = []) {
  const clock = new FakeClock();
  const told: string[] = [];
  const rejoining = new Rejoining(clock, () => {});
  rejoining.connected();
  const entry: Rejoinable = {
    suspend: (reason) => void told.push(`suspend: ${reason}`),
    rejoin: () => {
      told.push("rejoin");
      const outcome = outcomes.shift();
      return outcome instanceof Error ? Promise.reject(outcome) : outcome ?? Promise.resolve();
    },
    abandon: (reason) => void told.push(`abandon: ${reason}`),
    ...options,
  };
  const close = rejoining.add(entry);
  return { clock, told, rejoining, close, settle: () => clock.advanceAsync(0) };
}

Deno.test("[transport 12.11] what is open hears of a loss once, and is taken back over the next connection", async () => {
  const { told, rejoining, close, settle, clock } = stage();
  rejoining.connected();
  assertEquals(told, []);
  rejoining.lost("gone");
  rejoining.lost("gone again");
  assertEquals(told, ["suspend: gone"]);
  rejoining.connected();
  assertEquals(told, ["suspend: gone", "rejoin"]);
  await rejoining.settled();
  assertEquals(clock.timers, 0);
  close();
  rejoining.lost("gone");
  rejoining.connected();
  await settle();
  assertEquals(told.length, 2);
});

Deno.test("[transport 3.10.2] three failures, or 30 s without success, and it is given up", async () => {
  const no = () => new Error("No such room");
  const failing = stage({}, [no(), no(), no()]);
  failing.rejoining.lost("gone");
  failing.rejoining.connected();
  await failing.settle();
  assertEquals(failing.told, [
    "suspend: gone",
    "rejoin",
    "rejoin",
    "rejoin",
    "abandon: No such room",
  ]);
  assertEquals(failing.clock.timers, 0);

  const away = stage();
  away.rejoining.lost("gone");
  await away.clock.advanceAsync(29_999);
  assertEquals(away.told, ["suspend: gone"]);
  await away.clock.advanceAsync(1);
  assertEquals(away.told, ["suspend: gone", "abandon: not back within 30 s: gone"]);
  away.rejoining.connected();
  assertEquals(away.told.length, 2);

  // The 30 s go on through a connection that is lost again before the answer.
  const twice = stage({}, [new Promise(() => {})]);
  twice.rejoining.lost("gone");
  await twice.clock.advanceAsync(20_000);
  twice.rejoining.connected();
  twice.rejoining.lost("gone");
  await twice.clock.advanceAsync(10_000);
  assertEquals(twice.told.at(-1), "abandon: not back within 30 s: gone");
});

Deno.test("[transport 12.11] a sign-out gives everything up; patience without end stays to it", async () => {
  const { told, rejoining, clock } = stage({ patience: Infinity, tries: Infinity }, [
    ...Array.from({ length: 5 }, () => new Error("Not now")),
  ]);
  rejoining.lost("gone");
  assertEquals(clock.timers, 0);
  rejoining.connected();
  await rejoining.settled();
  assertEquals(told.filter((item) => item === "rejoin").length, 6);
  rejoining.end("signed out");
  assertEquals(told.at(-1), "abandon: signed out");
});

Deno.test("[transport 12.11] the answer of a connection that is gone opens nothing", async () => {
  const first = Promise.withResolvers<void>();
  const { told, rejoining, settle } = stage({}, [first.promise]);
  rejoining.lost("gone");
  rejoining.connected();
  rejoining.lost("gone again");
  first.resolve();
  await settle();
  rejoining.connected();
  await rejoining.settled();
  assertEquals(told, ["suspend: gone", "rejoin", "rejoin"]);
});
