import { assert, assertEquals } from "@std/assert";
import { delayAfter } from "../../../client/connection/backoff.ts";
import {
  type ConnectionLife,
  startConnectionChart,
  statusEdges,
} from "../../../client/connection/machine.ts";
import {
  isConnected,
  isSignedOut,
  isSigningIn,
  type Status,
  type StatusName,
  wasConnected,
} from "../../../client/connection/status.ts";
import {
  AuthenticationError,
  ConnectError,
  StoredLoginRefusedError,
  UnauthorizedError,
  UpgradeRequiredError,
} from "../../../client/errors.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { RandomSource } from "../../support/random.ts";

type Outcome = "ok" | "hangs" | Error;

const opened = { peerId: { ownerId: 1, id: 2 }, connectionId: 0 };

/** A chart whose attempts end as the test says; without a word they succeed. */
class Stage {
  readonly clock = new FakeClock();
  readonly statuses: Status[] = [];
  readonly authentications: Outcome[] = [];
  readonly openings: Outcome[] = [];
  readonly triedStore: boolean[] = [];
  readonly aborted: string[] = [];
  isKnown = false;
  is2025 = false;
  tornDown = 0;
  random = () => 0.5;

  readonly life: ConnectionLife = {
    isKnown: () => this.isKnown,
    connectsAtOnce: () => this.is2025,
    authenticate: (tryStore, signal) => {
      this.triedStore.push(tryStore);
      return this.#end(this.authentications.shift() ?? "ok", "authenticate", signal, undefined);
    },
    open: (signal) => this.#end(this.openings.shift() ?? "ok", "open", signal, opened),
    tearDown: () => void this.tornDown++,
    delayAfter: (delay) => delayAfter(delay, this.is2025 ? "2025" : "2026", this.random),
    now: () => this.clock.now(),
    entered: (status) => void this.statuses.push(status),
    settled: () => {},
  };
  readonly chart = startConnectionChart(this.life, this.clock, (error) => {
    throw error;
  });

  get names(): StatusName[] {
    return this.statuses.map(({ name }) => name);
  }

  get last(): Status {
    return this.statuses.at(-1)!;
  }

  /** Does something and returns the statuses that follow. */
  async after(act: () => void): Promise<StatusName[]> {
    const before = this.statuses.length;
    act();
    await this.clock.advanceAsync(0);
    return this.names.slice(before);
  }

  #end<T>(outcome: Outcome, what: string, signal: AbortSignal, value: T): Promise<T> {
    if (outcome === "ok") return Promise.resolve(value);
    if (outcome !== "hangs") return Promise.reject(outcome);
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => {
        this.aborted.push(what);
        reject(signal.reason);
      })
    );
  }
}

const connect = { type: "connect", tryStore: true } as const;
const signIn = { type: "signIn", tryStore: true } as const;
const lost = { type: "lost", reason: "connection closed" } as const;

async function connected(is2025 = false): Promise<Stage> {
  const stage = new Stage();
  stage.is2025 = stage.isKnown = is2025;
  await stage.after(() => stage.chart.send(connect));
  assertEquals(stage.last.name, "Connected");
  stage.statuses.length = 0;
  return stage;
}

Deno.test("[transport 3.1] the statuses and what they count as", () => {
  const error = new ConnectError("no");
  const statuses: Status[] = [
    { name: "SignedOut" },
    { name: "UpgradeRequired", error },
    { name: "Authenticating" },
    { name: "Authenticated" },
    { name: "AuthenticationError", error },
    { name: "Connecting" },
    { name: "ConnectionError", error },
    { name: "Connected", ...opened },
    { name: "ConnectionLost", reason: "" },
    { name: "Reauthenticating" },
    { name: "Reauthenticated" },
    { name: "Reconnecting" },
    { name: "ReconnectionError", error, nextReconnection: 5 },
  ];
  const named = (test: (status: Status) => boolean) =>
    statuses.filter(test).map(({ name }) => name);
  assertEquals(named(isConnected), ["Connected"]);
  assertEquals(named(wasConnected), [
    "ConnectionLost",
    "Reauthenticating",
    "Reauthenticated",
    "Reconnecting",
  ]);
  assertEquals(named(isSigningIn), [
    "Authenticating",
    "Connecting",
    "Reauthenticating",
    "Reconnecting",
  ]);
  assertEquals(named(isSignedOut), ["SignedOut", "UpgradeRequired"]);
  // Each of them is a state of the chart, and nothing else is told.
  const told = new Set(statusEdges().flatMap(([from, to]) => [from, to]));
  for (const { name } of statuses) assert(told.has(name), name);
});

Deno.test("[transport 3.3.1] the first connect goes the fresh way, one after a failure the other", async () => {
  const stage = new Stage();
  stage.openings.push(new ConnectError("down"));
  stage.is2025 = true;
  assertEquals(await stage.after(() => stage.chart.send(connect)), [
    "Authenticating",
    "Connecting",
    "ConnectionError",
  ]);
  assertEquals(await stage.after(() => stage.chart.send(connect)), [
    "Reauthenticating",
    "Reconnecting",
    "Connected",
  ]);
  // Connected already: nothing happens.
  assertEquals(await stage.after(() => stage.chart.send(connect)), []);
});

Deno.test("[transport 3.3.1] a connect while somebody signs in begins again, the other way", async () => {
  const stage = new Stage();
  stage.authentications.push("hangs", "hangs");
  assertEquals(await stage.after(() => stage.chart.send(signIn)), ["Authenticating"]);
  assertEquals(await stage.after(() => stage.chart.send(connect)), ["Reauthenticating"]);
  assertEquals(await stage.after(() => stage.chart.send(connect)), [
    "Reauthenticating",
    "Reconnecting",
    "Connected",
  ]);
  assertEquals(stage.aborted, ["authenticate", "authenticate"]);
});

Deno.test("[transport 3.3.5] a refused stored login signs out, and in again without the store", async () => {
  const stage = new Stage();
  stage.is2025 = true;
  stage.openings.push(new StoredLoginRefusedError("401"));
  assertEquals(await stage.after(() => stage.chart.send(connect)), [
    "Authenticating",
    "Connecting",
    "SignedOut",
    "Authenticating",
    "Connecting",
    "Connected",
  ]);
  assertEquals(stage.triedStore, [true, false]);
});

Deno.test("[transport 3.3.5] nobody is asked to sign in by attempts that repeat themselves", async () => {
  const stage = await connected(true);
  stage.openings.push(new StoredLoginRefusedError("401"));
  assertEquals(await stage.after(() => stage.chart.send(lost)), [
    "ConnectionLost",
    "Reconnecting",
    "SignedOut",
  ]);
  assertEquals(stage.clock.timers, 0);
});

Deno.test("[issue 7 unattended] a person is asked by attempts that he wants, not by those that follow a loss", async () => {
  const stage = await connected();
  const asked: boolean[] = [];
  const { authenticate } = stage.life;
  Object.assign(stage.life, {
    authenticate: (tryStore: boolean, signal: AbortSignal, mayAsk: boolean) => {
      asked.push(mayAsk);
      return authenticate(tryStore, signal, mayAsk);
    },
  });
  stage.openings.push(new ConnectError("gone"), new ConnectError("gone"));
  await stage.after(() => stage.chart.send(lost));
  await stage.after(() => stage.chart.send(connect));
  assertEquals(stage.last.name, "ReconnectionError");
  stage.authentications.push(new StoredLoginRefusedError("401"));
  const names = await stage.after(() => void stage.clock.advance(60_000));
  assertEquals(names, ["Reauthenticating", "SignedOut"]);
  assertEquals(asked, [false, true, false]);
  assertEquals(stage.clock.timers, 0);
});

Deno.test("[transport 3.3.6] a demanded upgrade ends all attempts until a sign-out", async () => {
  const stage = new Stage();
  stage.openings.push(new UpgradeRequiredError("426"));
  await stage.after(() => stage.chart.send(connect));
  assertEquals(stage.last.name, "UpgradeRequired");
  for (const event of [connect, signIn, { type: "reconnect" }] as const) {
    assertEquals(await stage.after(() => stage.chart.send(event)), []);
  }
  assertEquals(await stage.after(() => stage.chart.send({ type: "signOut" })), ["SignedOut"]);
  assertEquals((await stage.after(() => stage.chart.send(connect))).at(-1), "Connected");

  stage.openings.push(new UpgradeRequiredError("426"));
  await stage.after(() => stage.chart.send(lost));
  assertEquals(stage.last.name, "UpgradeRequired");
  assertEquals(stage.clock.timers, 0);
});

Deno.test("[transport 3.4.3] a login rests, and an account of the staff goes on by itself", async () => {
  const stage = new Stage();
  assertEquals(await stage.after(() => stage.chart.send(signIn)), [
    "Authenticating",
    "Authenticated",
  ]);
  assertEquals(await stage.after(() => stage.chart.send({ type: "autoConnect" })), ["Connected"]);
});

Deno.test("[transport 3.4.4] whoever is signed in is checked again, and then connects", async () => {
  const stage = new Stage();
  await stage.after(() => stage.chart.send(signIn));
  assertEquals(await stage.after(() => stage.chart.send(connect)), [
    "Reauthenticating",
    "Connecting",
    "Connected",
  ]);
  assertEquals(stage.triedStore.length, 2);
});

Deno.test("[transport 3.4.1] a failed sign-in is an error of its own, and can be repeated", async () => {
  const stage = new Stage();
  stage.authentications.push(new AuthenticationError("no browser"));
  assertEquals(await stage.after(() => stage.chart.send(signIn)), [
    "Authenticating",
    "AuthenticationError",
  ]);
  assertEquals(await stage.after(() => stage.chart.send(signIn)), [
    "Reauthenticating",
    "Reauthenticated",
  ]);
});

Deno.test("[transport 3.4.5] a refused WebSocket is a connection error and no more", async () => {
  const stage = new Stage();
  stage.openings.push(new UnauthorizedError("401"));
  assertEquals((await stage.after(() => stage.chart.send(connect))).at(-1), "ConnectionError");
});

Deno.test("[transport 3.5.1] attempts follow a loss until one succeeds or something else ends them", async () => {
  const stage = await connected();
  stage.openings.push(new ConnectError("down"), new ConnectError("down"));
  assertEquals(await stage.after(() => stage.chart.send(lost)), [
    "ConnectionLost",
    "Reauthenticating",
    "Reconnecting",
    "ReconnectionError",
  ]);
  // A login that cannot be checked is no end either.
  stage.authentications.push(new AuthenticationError("cannot be checked"));
  await stage.clock.advanceAsync(750);
  assertEquals(stage.last.name, "ReconnectionError");
  await stage.clock.advanceAsync(1500);
  await stage.clock.advanceAsync(3000);
  assertEquals(stage.last.name, "Connected");
  assertEquals(stage.clock.timers, 0);
  stage.openings.push(new ConnectError("down"));
  await stage.after(() => stage.chart.send(lost));
  assertEquals(await stage.after(() => stage.chart.send({ type: "signOut" })), ["SignedOut"]);
  assertEquals(stage.clock.timers, 0);
});

/** The waits of a chart whose attempts all fail. */
async function waits(is2025: boolean, count: number, random: () => number): Promise<number[]> {
  const stage = await connected(is2025);
  stage.random = random;
  for (let index = 0; index < count; index++) stage.openings.push(new ConnectError("down"));
  await stage.after(() => stage.chart.send(lost));
  const found: number[] = [];
  while (stage.last.name === "ReconnectionError" && found.length < count) {
    const wait = stage.last.nextReconnection - stage.clock.now();
    found.push(wait);
    const before = stage.statuses.length;
    await stage.clock.advanceAsync(wait - 1);
    assertEquals(stage.statuses.length, before, "nothing happens before the delay is over");
    await stage.clock.advanceAsync(1);
  }
  stage.chart.stop();
  return found;
}

Deno.test("[transport 3.5.2] 2025: from 0.5 s, times 0.5 to 2.5, between 0.5 and 10 s", async () => {
  const longest = await waits(true, 7, () => 0.999999999);
  assertEquals(longest.map(Math.round), [
    500,
    1250,
    3125,
    7813,
    10_000,
    10_000,
    10_000,
  ]);
  assertEquals(await waits(true, 3, () => 0), [500, 500, 500]);
  // The delay can shrink, and the wait is the delay itself.
  const values = [0.9, 0.9, 0, 0.5];
  assertEquals(await waits(true, 4, () => values.shift() ?? 0), [500, 1150, 2645, 1322.5]);
});

Deno.test("[transport 3.5.3] 2026: from 0.5 s, doubled up to 30 s, and up to as much again", async () => {
  assertEquals(await waits(false, 8, () => 0), [
    500,
    1000,
    2000,
    4000,
    8000,
    16_000,
    30_000,
    30_000,
  ]);
  assertEquals((await waits(false, 7, () => 0.9999999)).at(-1), 59_999);
  const random = new RandomSource(7);
  const found = await waits(false, 20, () => random.uint32() / 2 ** 32);
  for (const [index, wait] of found.entries()) {
    const delay = Math.min(500 * 2 ** index, 30_000);
    assert(wait >= delay && wait < 2 * delay && Number.isInteger(wait), `${index}: ${wait}`);
  }
});

Deno.test("[transport 3.5.4] the first attempt is immediate, and there is no last", async () => {
  const stage = await connected(true);
  for (let index = 0; index < 500; index++) stage.openings.push(new ConnectError("down"));
  const start = stage.clock.now();
  assertEquals((await stage.after(() => stage.chart.send(lost))).slice(0, 2), [
    "ConnectionLost",
    "Reconnecting",
  ]);
  assertEquals(stage.clock.now(), start);
  await stage.clock.advanceAsync(500 * 10_000);
  assertEquals(stage.openings.length, 0);
  assertEquals(stage.last.name, "Connected");
});

Deno.test("[transport 3.5.5] an end on this side signs out, every other is a loss", async () => {
  const stage = await connected();
  assertEquals(await stage.after(() => stage.chart.send({ type: "ended" })), ["SignedOut"]);
  const other = await connected();
  assertEquals((await other.after(() => other.chart.send(lost)))[0], "ConnectionLost");
});

Deno.test("[transport 3.5.6] a first connection that fails is not repeated", async () => {
  const stage = new Stage();
  stage.openings.push(new ConnectError("down"));
  await stage.after(() => stage.chart.send(connect));
  assertEquals(stage.last.name, "ConnectionError");
  assertEquals(stage.clock.timers, 0);
  await stage.clock.advanceAsync(3_600_000);
  assertEquals(stage.last.name, "ConnectionError");
});

Deno.test("[transport 3.8.3] reconnect tears down and comes back, disconnect signs out", async () => {
  const stage = await connected(true);
  assertEquals(await stage.after(() => stage.chart.send({ type: "reconnect" })), [
    "ConnectionLost",
    "Reconnecting",
    "Connected",
  ]);
  assertEquals(stage.tornDown, 1);
  assertEquals(await stage.after(() => stage.chart.send({ type: "signOut" })), ["SignedOut"]);
  assertEquals(stage.tornDown, 2);
  // Nobody is signed in: there is nothing to reconnect.
  assertEquals(await stage.after(() => stage.chart.send({ type: "reconnect" })), []);
});

Deno.test("[transport 3.1] the chart has every way of the owner's diagram, and the two more statuses", () => {
  const edges = new Set(statusEdges().map(([from, to]) => `${from} ${to}`));
  const through = (from: string, to: string): boolean =>
    edges.has(`${from} ${to}`) ||
    // Statuses that take no time are not told: from a loss straight to the next attempt.
    edges.has(`${from} Again`) && edges.has(`Again ${to}`);
  const diagram = [
    ["SignedOut", "Authenticating"],
    ["Authenticating", "Connecting"],
    ["Authenticating", "ConnectionError"],
    ["Connecting", "Connected"],
    ["Connecting", "ConnectionError"],
    ["Connected", "ConnectionLost"],
    ["ConnectionLost", "Reconnecting"],
    ["Reconnecting", "Connected"],
    ["Reconnecting", "ReconnectionError"],
    ["ReconnectionError", "Reconnecting"],
    ["Connecting", "UpgradeRequired"],
    ["Reconnecting", "UpgradeRequired"],
    ["ConnectionLost", "Reauthenticating"],
    ["ReconnectionError", "Reauthenticating"],
    ["Reauthenticating", "Reconnecting"],
  ] as const;
  for (const [from, to] of diagram) assert(through(from, to), `${from} to ${to}`);
});

Deno.test("[transport 3.8.1] from every status a sign-out ends everything", async () => {
  const reach: [StatusName, (stage: Stage) => Promise<unknown>][] = [
    ["Authenticating", (stage) => {
      stage.authentications.push("hangs");
      return stage.after(() => stage.chart.send(connect));
    }],
    ["Connecting", (stage) => {
      stage.openings.push("hangs");
      return stage.after(() => stage.chart.send(connect));
    }],
    ["Connected", (stage) => stage.after(() => stage.chart.send(connect))],
    ["ConnectionError", (stage) => {
      stage.openings.push(new ConnectError("down"));
      return stage.after(() => stage.chart.send(connect));
    }],
    ["ReconnectionError", async (stage) => {
      stage.openings.push("ok", new ConnectError("down"));
      await stage.after(() => stage.chart.send(connect));
      return stage.after(() => stage.chart.send(lost));
    }],
    ["Reconnecting", async (stage) => {
      stage.openings.push("ok", "hangs");
      await stage.after(() => stage.chart.send(connect));
      return stage.after(() => stage.chart.send(lost));
    }],
    ["Authenticated", (stage) => stage.after(() => stage.chart.send(signIn))],
  ];
  for (const [name, go] of reach) {
    const stage = new Stage();
    await go(stage);
    assertEquals(stage.last.name, name);
    assertEquals(await stage.after(() => stage.chart.send({ type: "signOut" })), ["SignedOut"]);
    assertEquals(stage.clock.timers, 0);
    await stage.clock.advanceAsync(100_000);
    assertEquals(stage.last.name, "SignedOut");
  }
});

Deno.test("[transport 3.5.5] a chart that was stopped hears of nothing any more, and XState has nothing to complain of", async () => {
  const program = new URL("../../support/stopped_chart.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--conditions=development", program],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assertEquals([code, text(stdout), text(stderr)], [0, "", ""]);
});
