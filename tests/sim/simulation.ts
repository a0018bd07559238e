/**
 * A whole server and its clients in one thread, with a clock that stands still between events: the
 * same plan gives the same run. [design 6]
 */
import { openSqlite } from "../../db/sqlite/open.ts";
import type { Store } from "../../db/store.ts";
import { loadProject } from "../../actors/project/mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { RandomSource } from "../support/random.ts";
import { checkRegisters, checkRest, storedEntries } from "./check_rest.ts";
import { acknowledgeAll, checkChannels, checkSaid, releaseEvicted } from "./check_channels.ts";
import { ChannelRecord } from "./channel_watch.ts";
import { ChatLedger } from "./chat_copy.ts";
import { ContactPairs } from "./pairs.ts";
import { Permissions } from "./permissions.ts";
import type { Plan } from "./plan.ts";
import { OperationLedger } from "./sim_buffer.ts";
import { SimClient } from "./sim_client.ts";
import { SimServer } from "./sim_server.ts";
import { doStep } from "./steps.ts";
import { WireRecord } from "./wire_watch.ts";

/** Milliseconds after the last loss until all of its consequences are over. [rooms 15] */
const AFTERMATH = 62_000;
/** Milliseconds within which everything must have come to rest. */
const PATIENCE = 400_000;

/** What a run did. */
export interface RunResult {
  readonly plan: Plan;
  /** Everything that did not hold; none for a good run. */
  readonly failures: readonly string[];
  /** How often what happened. */
  readonly counts: ReadonlyMap<string, number>;
  readonly trace: readonly string[];
}

/** What a run shall do beside its plan. */
export interface RunOptions {
  /** Note every message. */
  readonly trace?: boolean;
  /** Breaks something behind the checks' back once the plan is over: they must see it. */
  readonly spoil?: (sim: Simulation) => void;
}

export class Simulation {
  readonly clock = new FakeClock();
  readonly clients: SimClient[] = [];
  readonly ledger = new OperationLedger();
  readonly pairs = new ContactPairs();
  readonly permissions = new Permissions();
  readonly channelRecord = new ChannelRecord(this.permissions, (text) => this.fail(text));
  readonly chats = new ChatLedger();
  readonly wire: WireRecord;
  readonly server: SimServer;
  readonly random: RandomSource;
  readonly failures: string[] = [];
  readonly counts = new Map<string, number>();
  readonly lines: string[] = [];
  /** Buffers, and copies of buffers, that were compared. */
  buffers = 0;
  copies = 0;
  /** Groups that the database has refused. */
  refusals = 0;
  /** When something was last lost. */
  lossAt: number;
  #longWait = 0;
  readonly #tracing: boolean;
  readonly #spoil: ((sim: Simulation) => void) | undefined;

  constructor(readonly plan: Plan, store: Store, options: RunOptions) {
    this.random = new RandomSource(plan.seed ^ 0x5eed);
    this.#tracing = options.trace ?? false;
    this.#spoil = options.spoil;
    this.lossAt = this.clock.now();
    this.wire = new WireRecord(
      (text) => this.fail(text),
      (text) => this.trace(text),
      this.permissions,
    );
    this.server = new SimServer(store, this.clock);
    this.server.trace = (text) => this.trace(() => text);
    this.server.faults.stored = (groups) => this.permissions.committed(groups);
    this.server.faults.refused = (actor) => {
      this.trace(() => `the store refuses a group of ${actor}`);
      this.refusals++;
      this.pairs.doubt();
      this.wire.doubt();
      for (const client of this.clients) for (const one of client.hosted.values()) one.doubt();
    };
  }

  async run(): Promise<void> {
    await this.server.start();
    const users: { readonly id: number; readonly login: string }[] = [];
    for (let index = 0; index < (this.plan.users ?? this.plan.clients); index++) {
      users.push(await this.server.store.createUser({ login: `user${index}`, admin: false }));
    }
    for (let index = 0; index < this.plan.clients; index++) {
      const { id, login } = users[index % users.length] as typeof users[number];
      const name = index < users.length ? login : `${login} (device ${index})`;
      const version = this.random.chance(0.3) ? "0.191.0" : "1.0.0";
      const random = this.random.fork();
      this.clients.push(new SimClient(this, index, name, BigInt(id), version, random));
    }
    for (const client of this.clients) client.quietly(client.connect());
    for (const step of this.plan.steps) {
      await this.clock.advanceAsync(step.wait);
      this.trace(() => `step ${JSON.stringify(step)}`);
      doStep(this, step);
      if (this.#longWait > 0) {
        await this.clock.advanceAsync(this.#longWait);
        this.#longWait = 0;
      }
      await this.#finishKill();
      if (this.failures.length > 0) return;
    }
    await this.#rest();
    // And once more from nothing but the database.
    if (this.failures.length > 0) return;
    this.kill(500, 0);
    await this.#finishKill();
    await this.#rest();
  }

  fail(text: string): void {
    this.trace(() => `FAILED: ${text}`);
    if (this.failures.length < 20) this.failures.push(text);
  }

  expect(holds: boolean, text: () => string): void {
    if (!holds) this.fail(text());
  }

  equal(what: string, actual: unknown, expected: unknown): void {
    const [left, right] = [text(actual), text(expected)];
    if (left !== right) this.fail(`${what} differs: ${difference(left, right)}`);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  trace(text: () => string): void {
    if (this.#tracing) this.lines.push(`${this.clock.now() % 10_000_000} ${text()}`);
  }

  longWait(ms: number): void {
    this.#longWait = ms;
  }

  #killed: (() => Promise<void>) | undefined;

  /** Ends the server in the middle; what it acknowledged must be in the database. */
  kill(pause: number, hurried: number): void {
    this.lossAt = this.clock.now();
    const wasUp = this.server.actors !== undefined;
    this.server.kill(pause, hurried);
    if (wasUp) this.#killed = () => this.#checkStored();
  }

  async #finishKill(): Promise<void> {
    const check = this.#killed;
    this.#killed = undefined;
    await check?.();
  }

  /** Whatever clients were told is in the database, and nothing that they did not ask for. */
  async #checkStored(): Promise<void> {
    const { store } = this.server;
    await checkSaid(this);
    for (const client of this.clients) {
      for (const hosted of client.hosted.values()) {
        const [row] = await store.load("projects", { id: Number(hosted.id) });
        if (row === undefined) {
          const wasThere = hosted.attached && client.link?.whole === true;
          this.expect(!wasThere, () => `project ${hosted.id} is not stored`);
          continue;
        }
        const project = await loadProject(store, row);
        checkRegisters(this, `project ${hosted.id}`, hosted, project);
        for (const worktree of hosted.worktrees.values()) {
          const stored = project.worktrees.get(worktree.id);
          if (stored === undefined) continue;
          const found = text([...storedEntries(stored)].sort());
          const [before, after] = [undefined, worktree.queue[0]].map((chunk) =>
            text([...worktree.with(chunk)].sort())
          );
          this.expect(
            found === before || found === after,
            () =>
              `worktree ${worktree.id} is stored otherwise than acknowledged: ${
                difference(found, before as string)
              }`,
          );
        }
      }
    }
  }

  /** Lets everything come to rest, with no more faults, and checks. */
  async #rest(): Promise<void> {
    const { faults } = this.server;
    faults.refuse = undefined;
    faults.poisoned = false;
    faults.commitTime = () => 0;
    for (const client of this.clients) client.link?.unstall();
    await this.#settle();
    if (this.failures.length > 0) return;
    await releaseEvicted(this);
    acknowledgeAll(this);
    await this.#settle();
    if (this.failures.length > 0) return;
    this.#spoil?.(this);
    await checkRest(this);
    await checkChannels(this);
  }

  async #settle(): Promise<void> {
    const end = this.clock.now() + PATIENCE;
    while (true) {
      await this.clock.advanceAsync(2_000);
      if (this.failures.length > 0) return;
      const moving = this.#moving();
      if (moving === undefined) break;
      if (this.clock.now() > end) return this.fail(`it does not come to rest: ${moving}`);
      for (const client of this.clients) if (isStalled(client)) this.#reconnect(client);
    }
  }

  #reconnect(client: SimClient): void {
    this.trace(() => `${client.name} starts over: it is stalled`);
    this.lossAt = this.clock.now();
    client.peer.close();
  }

  /** What still moves; undefined at rest. */
  #moving(): string | undefined {
    if (this.server.actors === undefined) return "the server starts";
    if (this.server.actors.journal.busy) return "the journal writes";
    for (const client of this.clients) {
      const { name, link } = client;
      if (!client.isOnline || link === undefined || !link.whole) return `${name} connects`;
      if (client.room !== undefined && !client.room.attached) return `${name} comes back`;
      if (isStalled(client)) return `${name} starts over`;
      if (client.pending > 0) {
        const unanswered = this.server.accepted.find((one) => one.link === link)?.watch.unanswered;
        return `${name} waits for ${client.pending} answers (${unanswered})`;
      }
      for (const project of client.hosted.values()) if (!project.idle) return `${name} tells`;
      for (const project of client.joined.values()) {
        if (!project.idle && client.mayEdit) return `${name} sends operations`;
      }
    }
    for (const { link } of this.server.accepted) if (!link.quiet) return "messages are on the way";
    if (this.clock.now() < this.lossAt + AFTERMATH) return "the last loss is not over";
    return undefined;
  }
}

function isStalled(client: SimClient): boolean {
  return client.stalled || client.isInCall && (
        [...client.hosted.values()].some(({ stalled }) => stalled) ||
        [...client.joined.values()].some((one) =>
          one.stalled || (!one.sending && client.mayEdit && client.pending === 0)
        )
      );
}

/** Runs a plan. */
export async function simulate(plan: Plan, options: RunOptions = {}): Promise<RunResult> {
  const store = await openSqlite({ path: ":memory:" });
  const simulation = new Simulation(plan, store, options);
  try {
    await simulation.run();
  } catch (error) {
    simulation.fail(`the simulation broke: ${(error as Error).stack ?? error}`);
  } finally {
    await store.close();
  }
  const { failures, counts, lines, wire, ledger, buffers, copies } = simulation;
  counts.set("messages to clients", wire.down);
  counts.set("messages to the server", wire.up);
  counts.set("buffers compared", buffers);
  counts.set("copies compared", copies);
  counts.set("buffers set aside", ledger.spoilt);
  return { plan, failures, counts, trace: lines };
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, one) => (typeof one === "bigint" ? String(one) : one)) ?? "";
}

/** Where two texts part. */
function difference(left: string, right: string): string {
  let at = 0;
  while (left[at] === right[at]) at++;
  const from = Math.max(0, at - 60);
  return `…${left.slice(from, at + 160)}… instead of …${right.slice(from, at + 160)}…`;
}
