/** The charts: every state and every edge, without what they drive. [design 1.2] */
import { assertEquals } from "@std/assert";
import { type ConnectionEvent, startConnectionLife } from "../../../actors/connection/machine.ts";
import { lifeEdges, type LifePlan, startLife } from "../../../actors/machine.ts";
import { type ProjectPhase, startProjectLife } from "../../../actors/project/machine.ts";
import { FakeClock } from "../../support/fake_clock.ts";

/** What a connection's chart did. */
function connectionLife(): {
  clock: FakeClock;
  events: string[];
  send: (type: ConnectionEvent["type"]) => void;
} {
  const clock = new FakeClock();
  const events: string[] = [];
  const send = startConnectionLife({
    handshakeTime: 10_000,
    entered: (phase) => void events.push(phase),
    handshakeTimedOut: () => void events.push("timed out"),
  }, clock);
  return { clock, events, send: (type) => send({ type }) };
}

Deno.test("[rooms 19.3] a connection's chart: shaking hands, open, closed", () => {
  const { clock, events, send } = connectionLife();
  assertEquals([events, clock.timers], [[], 1]);
  send("connection.opened");
  assertEquals([events, clock.timers], [["open"], 0]);
  clock.advance(60_000);
  send("connection.ended");
  assertEquals(events, ["open", "closed"]);
});

Deno.test("[rooms 4.6] a connection's chart: what ends before it is open is closed, no timer is left", () => {
  const { clock, events, send } = connectionLife();
  send("connection.ended");
  assertEquals([events, clock.timers], [["closed"], 0]);
});

Deno.test("[rooms 4.6] a connection's chart: handshakes have a time limit", () => {
  const { clock, events, send } = connectionLife();
  clock.advance(9_999);
  assertEquals(events, []);
  clock.advance(1);
  assertEquals(events, ["timed out"]);
  send("connection.ended");
  assertEquals([events, clock.timers], [["timed out", "closed"], 0]);
});

Deno.test("[projects 12.1] a project's chart: the host goes and comes back, then it ends", () => {
  const phases: ProjectPhase[] = [];
  const send = startProjectLife("shared", (phase) => void phases.push(phase));
  send({ type: "project.host_returned" });
  send({ type: "project.host_lost" });
  send({ type: "project.host_lost" });
  send({ type: "project.host_returned" });
  send({ type: "project.ended" });
  assertEquals(phases.filter((phase, at) => phase !== phases[at - 1]), [
    "shared",
    "host away",
    "shared",
    "ended",
  ]);
});

Deno.test("[projects 12.6] a project's chart: one that was restored waits for its host, or ends", () => {
  const phases: ProjectPhase[] = [];
  const send = startProjectLife("host away", (phase) => void phases.push(phase));
  assertEquals(phases.at(-1), "host away");
  send({ type: "project.ended" });
  assertEquals(phases.at(-1), "ended");
});

/** A load that a test answers. */
class Loads {
  readonly waiting: PromiseWithResolvers<boolean>[] = [];
  readonly signals: AbortSignal[] = [];

  load(signal: AbortSignal): Promise<boolean> {
    const load = Promise.withResolvers<boolean>();
    this.waiting.push(load);
    this.signals.push(signal);
    return load.promise;
  }

  async answer(there: boolean): Promise<void> {
    this.waiting.shift()?.resolve(there);
    await settle();
  }

  async fail(): Promise<void> {
    this.waiting.shift()?.reject(new Error("Away"));
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

/** The life of an entity whose `load` a test answers. */
function life(plan: Pick<LifePlan, "first" | "failed"> & { readonly loads?: false }) {
  const clock = new FakeClock();
  const events: string[] = [];
  const loads = new Loads();
  const send = startLife(
    {
      ...plan,
      ...(plan.loads === false ? {} : { load: (signal: AbortSignal) => loads.load(signal) }),
      entered: (phase) => void events.push(phase),
      settled: () => {},
      dispose: () => void events.push("disposed"),
    },
    clock,
    (error) => void events.push(`lost: ${error}`),
  );
  return { clock, events, loads, send };
}

const CRASH = { type: "crashed", mayRestart: true } as const;
const CRASHES = { type: "crashed", mayRestart: false } as const;

const newRoom = () => life({ first: "live", failed: "out of order" });
const storedRoom = () => life({ first: "loading", failed: "out of order" });
const user = () => life({ first: "loading", failed: "forgotten" });
const notes = storedRoom;
const chat = newRoom;
const desk = () => life({ first: "live", failed: "forgotten", loads: false });

Deno.test("[rooms 22i] a room's chart: a new one is live at once, and ends when it is empty", () => {
  const { clock, events, loads, send } = newRoom();
  assertEquals([events, loads.waiting.length], [["live"], 0]);
  send({ type: "idle" });
  assertEquals(events, ["live", "disposed", "closed"]);
  assertEquals(clock.timers, 0);
});

Deno.test("[rooms 15.7] a room's chart: a stored one is loaded before it is live", async () => {
  const { events, loads } = storedRoom();
  assertEquals(events, ["loading"]);
  await loads.answer(true);
  assertEquals(events, ["loading", "live"]);
});

Deno.test("[design 1.6] a room's chart: one that is not stored any more has ended", async () => {
  const { events, loads } = storedRoom();
  await loads.answer(false);
  assertEquals(events, ["loading", "disposed", "closed"]);
});

Deno.test("[design 1.6] a room's chart: a crash loads it again", async () => {
  const { events, loads, send } = newRoom();
  send(CRASH);
  assertEquals(events, ["live", "loading"]);
  send(CRASH);
  send({ type: "idle" });
  assertEquals(events, ["live", "loading"]);
  await loads.answer(true);
  assertEquals(events, ["live", "loading", "live"]);
  assertEquals(loads.signals.length, 1);
});

Deno.test("[design 1.6] a room's chart: one that crashes too often is out of order for a minute", async () => {
  const { clock, events, loads, send } = newRoom();
  send(CRASHES);
  assertEquals(events, ["live", "failed"]);
  clock.advance(59_999);
  assertEquals(events.length, 2);
  clock.advance(1);
  assertEquals(events, ["live", "failed", "loading"]);
  await loads.answer(true);
  assertEquals([events.at(-1), clock.timers], ["live", 0]);
});

Deno.test("[design 1.6] a room's chart: one that cannot be loaded is tried again after a minute", async () => {
  const { clock, events, loads } = storedRoom();
  await loads.fail();
  assertEquals(events, ["loading", "failed"]);
  clock.advance(60_000);
  await loads.answer(true);
  assertEquals(events, ["loading", "failed", "loading", "live"]);
});

Deno.test("[design 1.2] a user's chart: loaded, live, and away when nobody needs it", async () => {
  const { events, loads, send } = user();
  assertEquals(events, ["loading"]);
  send({ type: "idle" });
  assertEquals(events, ["loading"]);
  await loads.answer(true);
  send({ type: "idle" });
  assertEquals(events, ["loading", "live", "disposed", "closed"]);
});

Deno.test("[design 1.6] a user's chart: a crash loads it again, too many end it", async () => {
  const { clock, events, loads, send } = user();
  await loads.answer(true);
  send(CRASH);
  assertEquals(events, ["loading", "live", "loading"]);
  await loads.answer(true);
  send(CRASHES);
  assertEquals([events.slice(3), clock.timers], [["live", "failed", "disposed"], 0]);
});

Deno.test("[design 1.6] a user's chart: one without account fails and makes way", async () => {
  const { events, loads } = user();
  await loads.fail();
  assertEquals(events, ["loading", "failed", "disposed"]);
});

Deno.test("[design 1.6] a desk's chart: it has nothing to load, so a crash leaves it live, too many end it", () => {
  const { clock, events, send } = desk();
  send(CRASH);
  assertEquals(events, ["live", "live"]);
  send(CRASHES);
  assertEquals([events.slice(2), clock.timers], [["failed", "disposed"], 0]);
});

Deno.test("[channels 8] the chart of notes: read, live, over when nobody has them open", async () => {
  const { clock, events, loads, send } = notes();
  assertEquals(events, ["loading"]);
  // Too early: somebody waits for them.
  send({ type: "idle" });
  await loads.answer(true);
  assertEquals(events, ["loading", "live"]);
  send({ type: "idle" });
  assertEquals([events.slice(2), clock.timers], [["disposed", "closed"], 0]);
});

Deno.test("[channels 8] the chart of notes: read anew after a crash, out of order after too many", async () => {
  const { clock, events, loads, send } = notes();
  await loads.answer(true);
  send(CRASH);
  await loads.answer(true);
  assertEquals(events, ["loading", "live", "loading", "live"]);
  send(CRASHES);
  assertEquals(events.at(-1), "failed");
  clock.advance(60_000);
  assertEquals(events.at(-1), "loading");
  await loads.fail();
  assertEquals(events.at(-1), "failed");
  clock.advance(60_000);
  await loads.answer(true);
  assertEquals([events.at(-1), clock.timers], ["live", 0]);
});

Deno.test("[channels 7.2] the chart of notes: over with their channel, whatever they are at", async () => {
  for (const phase of ["loading", "live", "failed"]) {
    const { clock, events, loads, send } = notes();
    if (phase !== "loading") await loads.answer(true);
    if (phase === "failed") send(CRASHES);
    send({ type: "gone" });
    assertEquals([events.slice(-2), clock.timers], [["disposed", "closed"], 0], phase);
    if (phase === "loading") assertEquals(loads.signals[0]?.aborted, true);
  }
});

Deno.test("[design 1.2] a chat's chart: live from the first moment, away when nobody needs it or the channel is gone", () => {
  for (const type of ["idle", "gone"] as const) {
    const { events, send } = chat();
    assertEquals(events, ["live"]);
    send({ type });
    assertEquals(events, ["live", "disposed", "closed"]);
  }
});

Deno.test("[design 1.6] a chat's chart: a crash waits for what is written, too many are out of order for a minute", async () => {
  const { clock, events, loads, send } = chat();
  send(CRASH);
  send({ type: "idle" });
  assertEquals(events, ["live", "loading"]);
  await loads.answer(true);
  send(CRASHES);
  assertEquals(events, ["live", "loading", "live", "failed"]);
  clock.advance(60_000);
  await loads.fail();
  assertEquals(events.slice(4), ["loading", "failed"]);
  send({ type: "gone" });
  assertEquals([events.slice(6), clock.timers], [["disposed", "closed"], 0]);
});

Deno.test("[design 1.2] the picture in docs/ARCHITECTURE.md is the chart of the entities", async () => {
  const text = await Deno.readTextFile(
    new URL("../../../docs/ARCHITECTURE.md", import.meta.url),
  );
  const picture = /<!-- actors\/machine\.ts -->\n```mermaid\nstateDiagram-v2\n([^]*?)```/.exec(text)
    ?.[1] ?? "";
  const drawn = [...picture.matchAll(/^ {2}(\S+ --> \S+)(?::.*)?$/gm)].map(([, edge]) => edge);
  const ends = ["closed --> [*]", "forgotten --> [*]"];
  const edges = [...lifeEdges()].map((edge) => edge.replace("starting", "[*]"));
  assertEquals(drawn.sort(), [...edges, ...ends].sort());
});
