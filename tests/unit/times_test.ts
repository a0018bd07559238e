import { assertEquals } from "@std/assert";
import { protocolTimes, scaledTimes } from "../../lib/times.ts";

Deno.test("[rooms 0] [transport 2.10, 1.7] the protocol's times are those of the specification", () => {
  const { reconnectGrace, cleanup, idle, stuck, media } = protocolTimes;
  assertEquals([reconnectGrace, cleanup, idle, stuck, media], [
    30_000,
    15_000,
    10_000,
    2_000,
    5_000,
  ]);
});

Deno.test("[design 1.9] all times are scaled together", () => {
  const scaled = scaledTimes(0.5);
  for (const [name, ms] of Object.entries(protocolTimes)) {
    assertEquals(scaled[name as keyof typeof scaled], ms / 2);
  }
});
