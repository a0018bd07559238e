/** The charts: every state and every edge, without what they drive. [design 1.2] */
import { assertEquals } from "@std/assert";
import { startChatLife } from "../../../actors/chat/machine.ts";
import { type ConnectionEvent, startConnectionLife } from "../../../actors/connection/machine.ts";
import { type ProjectPhase, startProjectLife } from "../../../actors/project/machine.ts";
import { startNotesLife } from "../../../actors/notes/machine.ts";
import { startRoomLife } from "../../../actors/room/machine.ts";
import { startUserLife } from "../../../actors/user/machine.ts";
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

function roomLife(fresh: boolean) {
  const clock = new FakeClock();
  const events: string[] = [];
  const loads = new Loads();
  const send = startRoomLife(
    {
      fresh,
      load: (signal) => loads.load(signal),
      entered: (phase) => void events.push(phase),
      settled: () => {},
      dispose: () => void events.push("disposed"),
    },
    clock,
    (error) => void events.push(`lost: ${error}`),
  );
  return { clock, events, loads, send };
}

const ROOM_CRASH = { type: "room.crashed", mayRestart: true } as const;
const ROOM_CRASHES = { type: "room.crashed", mayRestart: false } as const;

Deno.test("[rooms 22i] a room's chart: a new one is live at once, and ends when it is empty", () => {
  const { clock, events, loads, send } = roomLife(true);
  assertEquals([events, loads.waiting.length], [["live"], 0]);
  send({ type: "room.emptied" });
  assertEquals(events, ["live", "closed", "disposed"]);
  assertEquals(clock.timers, 0);
});

Deno.test("[rooms 15.7] a room's chart: a stored one is loaded before it is live", async () => {
  const { events, loads } = roomLife(false);
  assertEquals(events, ["loading"]);
  await loads.answer(true);
  assertEquals(events, ["loading", "live"]);
});

Deno.test("[design 1.6] a room's chart: one that is not stored any more has ended", async () => {
  const { events, loads } = roomLife(false);
  await loads.answer(false);
  assertEquals(events, ["loading", "closed", "disposed"]);
});

Deno.test("[design 1.6] a room's chart: a crash loads it again", async () => {
  const { events, loads, send } = roomLife(true);
  send(ROOM_CRASH);
  assertEquals(events, ["live", "loading"]);
  send(ROOM_CRASH);
  send({ type: "room.emptied" });
  assertEquals(events, ["live", "loading"]);
  await loads.answer(true);
  assertEquals(events, ["live", "loading", "live"]);
  assertEquals(loads.signals.length, 1);
});

Deno.test("[design 1.6] a room's chart: one that crashes too often is out of order for a minute", async () => {
  const { clock, events, loads, send } = roomLife(true);
  send(ROOM_CRASHES);
  assertEquals(events, ["live", "failed"]);
  clock.advance(59_999);
  assertEquals(events.length, 2);
  clock.advance(1);
  assertEquals(events, ["live", "failed", "loading"]);
  await loads.answer(true);
  assertEquals([events.at(-1), clock.timers], ["live", 0]);
});

Deno.test("[design 1.6] a room's chart: one that cannot be loaded is tried again after a minute", async () => {
  const { clock, events, loads } = roomLife(false);
  await loads.fail();
  assertEquals(events, ["loading", "failed"]);
  clock.advance(60_000);
  await loads.answer(true);
  assertEquals(events, ["loading", "failed", "loading", "live"]);
});

function userLife() {
  const clock = new FakeClock();
  const events: string[] = [];
  const loads = new Loads();
  const send = startUserLife({
    load: async (signal) => void await loads.load(signal),
    entered: (phase) => void events.push(phase),
    settled: () => {},
    dispose: () => void events.push("disposed"),
  }, clock);
  return { events, loads, send };
}

Deno.test("[design 1.2] a user's chart: loaded, live, and away when nobody needs it", async () => {
  const { events, loads, send } = userLife();
  assertEquals(events, ["loading"]);
  send({ type: "user.idle" });
  assertEquals(events, ["loading"]);
  await loads.answer(true);
  send({ type: "user.idle" });
  assertEquals(events, ["loading", "live", "closed", "disposed"]);
});

Deno.test("[design 1.6] a user's chart: a crash loads it again, too many end it", async () => {
  const { events, loads, send } = userLife();
  await loads.answer(true);
  send({ type: "user.crashed", mayRestart: true });
  assertEquals(events, ["loading", "live", "loading"]);
  await loads.answer(true);
  send({ type: "user.crashed", mayRestart: false });
  assertEquals(events.slice(3), ["live", "failed", "disposed"]);
});

Deno.test("[design 1.6] a user's chart: one without account fails and makes way", async () => {
  const { events, loads } = userLife();
  await loads.fail();
  assertEquals(events, ["loading", "failed", "disposed"]);
});

function notesLife() {
  const clock = new FakeClock();
  const events: string[] = [];
  const loads = new Loads();
  const send = startNotesLife(
    {
      load: (signal) => loads.load(signal).then(() => {}),
      entered: (phase) => void events.push(phase),
      settled: () => {},
      dispose: () => void events.push("disposed"),
    },
    clock,
    (error) => void events.push(`lost: ${error}`),
  );
  return { clock, events, loads, send };
}

const NOTES_CRASH = { type: "notes.crashed", mayRestart: true } as const;
const NOTES_CRASHES = { type: "notes.crashed", mayRestart: false } as const;

Deno.test("[channels 8] the chart of notes: read, live, over when nobody has them open", async () => {
  const { clock, events, loads, send } = notesLife();
  assertEquals(events, ["loading"]);
  // Too early: somebody waits for them.
  send({ type: "notes.idle" });
  await loads.answer(true);
  assertEquals(events, ["loading", "live"]);
  send({ type: "notes.idle" });
  assertEquals([events.slice(2), clock.timers], [["disposed", "closed"], 0]);
});

Deno.test("[channels 8] the chart of notes: read anew after a crash, out of order after too many", async () => {
  const { clock, events, loads, send } = notesLife();
  await loads.answer(true);
  send(NOTES_CRASH);
  await loads.answer(true);
  assertEquals(events, ["loading", "live", "loading", "live"]);
  send(NOTES_CRASHES);
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
    const { clock, events, loads, send } = notesLife();
    if (phase !== "loading") await loads.answer(true);
    if (phase === "failed") send(NOTES_CRASHES);
    send({ type: "notes.deleted" });
    assertEquals([events.slice(-2), clock.timers], [["disposed", "closed"], 0], phase);
    if (phase === "loading") assertEquals(loads.signals[0]?.aborted, true);
  }
});

function chatLife() {
  const clock = new FakeClock();
  const events: string[] = [];
  const restarts = new Loads();
  const send = startChatLife(
    {
      restart: async () => void await restarts.load(new AbortController().signal),
      entered: (phase) => void events.push(phase),
      settled: () => {},
      dispose: () => void events.push("disposed"),
    },
    clock,
    (error) => void events.push(String(error)),
  );
  return { clock, events, restarts, send };
}

Deno.test("[design 1.2] a chat's chart: live from the first moment, away when nobody needs it or the channel is gone", () => {
  for (const type of ["chat.idle", "chat.ended"] as const) {
    const { events, send } = chatLife();
    assertEquals(events, ["live"]);
    send({ type });
    assertEquals(events, ["live", "closed", "disposed"]);
  }
});

Deno.test("[design 1.6] a chat's chart: a crash waits for what is written, too many are out of order for a minute", async () => {
  const { clock, events, restarts, send } = chatLife();
  send({ type: "chat.crashed", mayRestart: true });
  send({ type: "chat.idle" });
  assertEquals(events, ["live", "loading"]);
  await restarts.answer(true);
  send({ type: "chat.crashed", mayRestart: false });
  assertEquals(events, ["live", "loading", "live", "failed"]);
  clock.advance(60_000);
  await restarts.fail();
  assertEquals(events.slice(4), ["loading", "failed"]);
  send({ type: "chat.ended" });
  assertEquals([events.slice(6), clock.timers], [["closed", "disposed"], 0]);
});
