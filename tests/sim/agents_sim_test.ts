import { assert, assertEquals } from "@std/assert";
import { simulateAgents } from "./agents_sim.ts";

/** Seeds that every run of the tests tries. */
const SEEDS = 30;

Deno.test("[design 6] [agents R1, R2, R3, R7, 1] hosts and devices in storms: every event once and in order, commands done once, strangers see nothing", async () => {
  const counts = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = await simulateAgents(seed);
    assertEquals(run.failures, [], `seed ${seed}`);
    for (const [what, times] of run.counts) counts.set(what, (counts.get(what) ?? 0) + times);
  }
  for (const what of ["events read", "commands", "groups refused", "spies refused"]) {
    assert((counts.get(what) ?? 0) > 0, `${what}: never; ${JSON.stringify([...counts])}`);
  }
});

Deno.test("[design 6] the same seed gives the same run of hosts and devices", async () => {
  const [one, other] = [await simulateAgents(7), await simulateAgents(7)];
  assertEquals([...one.counts], [...other.counts]);
});
