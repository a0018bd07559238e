/** Tells a chart that was stopped what happens; run with `--conditions=development` XState complains. */
import { startConnectionChart } from "../../client/connection/machine.ts";
import { systemClock } from "../../lib/clock.ts";

const never = () => new Promise<never>(() => {});
const chart = startConnectionChart(
  {
    isKnown: () => false,
    connectsAtOnce: () => false,
    authenticate: never,
    open: never,
    tearDown() {},
    delayAfter: () => ({ wait: 0, next: 0 }),
    now: () => 0,
    entered() {},
    settled() {},
  },
  systemClock,
  (error) => {
    throw error;
  },
);
chart.stop();
chart.send({ type: "ended" });
chart.send({ type: "signOut" });
