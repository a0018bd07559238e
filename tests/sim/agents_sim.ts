/**
 * Hosts and devices of agents' threads in a simulation of their own: a real server, the client
 * library, a network that loses and delays, a database that refuses. The same seed gives the same
 * run. [design 6] [agents 3]
 */
import { AgentHost } from "../../client/agent_host.ts";
import type { AgentOutbox, KeptByHost } from "../../client/agent_outbox.ts";
import type { OutgoingAgentEvent } from "../../client/agent_events.ts";
import { AgentSubscription } from "../../client/agent_subscription.ts";
import { ConnectError, ConnectionClosedError, RequestError } from "../../client/errors.ts";
import { Peer } from "../../client/peer.ts";
import { openSqlite } from "../../db/sqlite/open.ts";
import type { Store } from "../../db/store.ts";
import type { MessageTypes } from "../../proto/mod.ts";
import { created, uuid } from "../support/agents.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { RandomSource } from "../support/random.ts";
import { Link } from "./network.ts";
import { SimServer } from "./sim_server.ts";

/** Users with a host and devices each. */
const USERS = 2;
const DEVICES = 3;
const THREADS = 2;
/** Milliseconds within which everything must have come to rest. */
const PATIENCE = 300_000;

/** What a run did, and what did not hold in it; nothing for a good run. */
export interface AgentsRun {
  readonly seed: number;
  readonly failures: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
}

/** What outlives the process of a host. */
class KeptOutbox implements AgentOutbox {
  #events: OutgoingAgentEvent[] = [];
  readonly #commandIds: string[] = [];

  load(): KeptByHost {
    return { events: [...this.#events], commandIds: [...this.#commandIds] };
  }
  add(event: OutgoingAgentEvent): void {
    this.#events.push(event);
  }
  remove(count: number): void {
    this.#events = this.#events.slice(count);
  }
  replace(events: readonly OutgoingAgentEvent[]): void {
    this.#events = [...events];
  }
  noteCommand(commandId: string): void {
    this.#commandIds.push(commandId);
  }
}

/** One program of a user that keeps a connection. */
abstract class Program {
  link: Link | undefined;
  peer: Peer | undefined;
  /** The program is attached: what it does goes through. */
  isAttached = false;
  readonly random: RandomSource;

  constructor(readonly sim: AgentsSimulation, readonly userId: number) {
    this.random = sim.random.fork();
  }

  protected abstract attach(peer: Peer): Promise<void>;
  protected abstract detach(): void;

  async connect(): Promise<void> {
    const link = new Link(this.sim.clock, this.random.fork());
    const watch = { up: () => {}, down: () => {}, unanswered: [] };
    if (this.sim.server.accept(link, this.userId, "1.0.0", () => watch) === undefined) {
      return this.#connectLater();
    }
    const peer = new Peer(link.client, { clock: this.sim.clock });
    this.link = link;
    this.peer = peer;
    peer.closed.then(() => this.#lost(peer));
    try {
      await peer.hello;
      await this.attach(peer);
      if (peer === this.peer) this.isAttached = true;
    } catch (error) {
      if (error instanceof RequestError) peer.close();
      // The end of the connection is seen where it ends.
      else if (!(error instanceof ConnectionClosedError || error instanceof ConnectError)) {
        this.sim.fail(`a program broke: ${(error as Error).stack}`);
      }
    }
  }

  #lost(peer: Peer): void {
    if (peer !== this.peer) return;
    this.isAttached = false;
    this.peer = undefined;
    this.detach();
    this.#connectLater();
  }

  #connectLater(): void {
    this.sim.clock.setTimeout(() => void this.connect(), 50 + this.random.int(1_000));
  }
}

/** A host and what its machine keeps; it may be ended and started again. */
class Host extends Program {
  readonly threads = Array.from({ length: THREADS }, (_, i) => uuid("sim", this.userId, i));
  readonly outbox = new KeptOutbox();
  /** What was published, by thread, in order. */
  readonly published = new Map<string, string[]>(this.threads.map((id) => [id, []]));
  /** How often each command was carried out. */
  readonly done = new Map<string, number>();
  host = this.#make();
  #next = 0;

  #make(): AgentHost {
    return new AgentHost({
      hostId: uuid("host", this.userId),
      name: "sim",
      outbox: this.outbox,
      clock: this.sim.clock,
      onCommand: ({ commandId }) => {
        this.done.set(commandId, (this.done.get(commandId) ?? 0) + 1);
      },
      onRefused: (event, reason) => this.sim.fail(`${event.eventId} was refused: ${reason}`),
    });
  }

  protected async attach(peer: Peer): Promise<void> {
    for (const threadId of this.threads) this.host.run(threadId);
    await this.host.attach(peer);
  }

  protected detach(): void {
    this.host.detach();
  }

  publish(pick: number): void {
    const threadId = this.threads[pick % THREADS] as string;
    const sent = this.published.get(threadId) as string[];
    for (let i = pick % 20; i >= 0; i--) {
      const text = `${++this.#next};`;
      if (sent.length === 0) this.host.publish(created(threadId, text));
      else if (this.random.chance(0.8)) {
        this.host.publish({ threadId, messageChunk: { messageId: `m${pick % 2}`, text } });
      } else this.host.publish({ threadId, planUpdated: { entries: [{ content: text }] } });
      sent.push(text);
    }
  }

  /** Its process ends and starts again, with what is in its outbox. */
  restart(): void {
    this.host.detach();
    this.host = this.#make();
    this.peer?.close();
  }
}

/** A device that reads as it likes, and may start again with what it has read. */
class Device extends Program {
  readonly subscriberId: string;
  /** What it has read, by thread. */
  readonly texts = new Map<string, string[]>();
  readonly #next = new Map<string, bigint>();
  #subscription: AgentSubscription;
  /** Commands that it gives, until each has an end. */
  readonly commands: MessageTypes["SendAgentMessage"][] = [];

  constructor(sim: AgentsSimulation, readonly host: Host, index: number) {
    super(sim, host.userId);
    this.subscriberId = uuid("device", host.userId, index);
    this.#subscription = this.#subscribe();
  }

  #subscribe(): AgentSubscription {
    const cursors = [...this.#next].map(([id, next]) => [id, next - 1n] as const);
    const { subscriberId, sim } = this;
    const limit = 1 + this.random.int(50);
    const onGap = () => sim.fail("a device was told of a gap: nothing was cut");
    const made = new AgentSubscription({ subscriberId, cursors, limit, onGap, clock: sim.clock });
    void this.#read(made);
    return made;
  }

  async #read(subscription: AgentSubscription): Promise<void> {
    for await (const event of subscription) {
      if (subscription !== this.#subscription) return;
      this.#take(event);
    }
  }

  #take(event: MessageTypes["AgentEvent"]): void {
    const { threadId, seq, firstSeq = seq, userId } = event;
    this.sim.count("events read");
    if (userId !== BigInt(this.userId) || !this.host.threads.includes(threadId)) {
      this.sim.fail(`user ${this.userId} sees thread ${threadId} of user ${userId}`);
    }
    const next = this.#next.get(threadId) ?? 1n;
    if (firstSeq !== next) {
      this.sim.fail(`${this.subscriberId} read ${firstSeq}..${seq} instead of ${next}`);
    }
    this.#next.set(threadId, seq + 1n);
    const text = event.threadCreated?.title ?? event.messageChunk?.text ??
      event.planUpdated?.entries[0]?.content ?? "";
    const texts = this.texts.get(threadId) ?? [];
    this.texts.set(threadId, [...texts, text]);
  }

  protected async attach(peer: Peer): Promise<void> {
    await this.#subscription.attach(peer);
    for (const command of this.commands) void this.#give(peer, command);
  }

  protected detach(): void {
    this.#subscription.detach();
  }

  restart(): void {
    this.#subscription.detach();
    this.#subscription = this.#subscribe();
    this.peer?.close();
  }

  command(pick: number): void {
    const command = {
      threadId: this.host.threads[pick % THREADS] as string,
      commandId: uuid("command", this.subscriberId, this.commands.length),
      text: "go on",
    } as MessageTypes["SendAgentMessage"];
    this.commands.push(command);
    if (this.isAttached) void this.#give(this.peer as Peer, command);
  }

  /** The server knows a command again: it may be given as often as one likes. */
  async #give(peer: Peer, command: MessageTypes["SendAgentMessage"]): Promise<void> {
    while (peer === this.peer) {
      try {
        await peer.request("SendAgentMessage", command);
        this.sim.count("commands answered");
        return;
      } catch (error) {
        if (!(error instanceof RequestError)) return;
        // The thread may not have begun, or the database has refused it.
        await new Promise<void>((resolve) => this.sim.clock.setTimeout(resolve, 500));
      }
    }
  }

  /** Asks for what is somebody else's. */
  async spy(threadId: string): Promise<void> {
    try {
      await this.peer?.request("GetAgentThread", { threadId });
      this.sim.fail(`user ${this.userId} was told of thread ${threadId}`);
    } catch (error) {
      if (error instanceof RequestError) this.sim.count("spies refused");
    }
  }
}

/** A run. */
export class AgentsSimulation {
  readonly clock = new FakeClock();
  readonly random: RandomSource;
  readonly server: SimServer;
  readonly failures: string[] = [];
  readonly counts = new Map<string, number>();
  readonly hosts: Host[] = [];
  readonly devices: Device[] = [];

  constructor(readonly seed: number, readonly store: Store) {
    this.random = new RandomSource(seed);
    this.server = new SimServer(store, this.clock);
    this.server.faults.refused = () => this.count("groups refused");
  }

  fail(text: string): void {
    if (this.failures.length < 20) this.failures.push(text);
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  async run(steps: number): Promise<void> {
    await this.server.start();
    for (let user = 0; user < USERS; user++) {
      const { id } = await this.store.createUser({ login: `user${user}`, admin: false });
      const host = new Host(this, id);
      this.hosts.push(host);
      for (let i = 0; i < DEVICES; i++) this.devices.push(new Device(this, host, i));
    }
    for (const one of [...this.hosts, ...this.devices]) void one.connect();
    for (let step = 0; step < steps && this.failures.length === 0; step++) {
      await this.clock.advanceAsync(this.random.chance(0.7) ? this.random.int(60) : 400);
      this.#step();
    }
    await this.#rest();
  }

  #step(): void {
    const { random, server } = this;
    const pick = random.uint32();
    const host = random.pick(this.hosts);
    const device = random.pick(this.devices);
    const anybody = random.pick<Program>([...this.hosts, ...this.devices]);
    const at = random.next();
    if (at < 0.5) host.publish(pick);
    else if (at < 0.6) device.command(pick);
    else if (at < 0.72) anybody.link?.cut();
    else if (at < 0.77) anybody.link?.stall();
    else if (at < 0.82) anybody.link?.unstall();
    else if (at < 0.85) host.restart();
    else if (at < 0.89) device.restart();
    else if (at < 0.91) server.kill(random.int(800), random.int(3));
    else if (at < 0.92) server.restart(random.int(800));
    else if (at < 0.95) server.faults.refuse = random.pick(["/threads/", "/users/"]);
    else if (at < 0.98) server.faults.commitTime = () => random.pick([0, 0, 3, 40]);
    else {
      const stranger = this.hosts.find(({ userId }) => userId !== device.userId) as Host;
      if (device.isAttached) void device.spy(stranger.threads[0] as string);
    }
  }

  /** No more faults: everybody gets everything. */
  async #rest(): Promise<void> {
    const { faults } = this.server;
    faults.refuse = undefined;
    faults.commitTime = () => 0;
    const programs: Program[] = [...this.hosts, ...this.devices];
    for (const { link } of programs) link?.unstall();
    // Commands need their thread.
    for (const host of this.hosts) for (let i = 0; i < THREADS; i++) host.publish(i);
    for (const end = this.clock.now() + PATIENCE; this.failures.length === 0;) {
      await this.clock.advanceAsync(1_000);
      const missing = this.#missing();
      if (missing === undefined) break;
      if (this.clock.now() > end) return this.fail(`it does not come to rest: ${missing}`);
    }
    if (this.failures.length > 0) return;
    this.#check();
    for (const error of this.server.errors) this.fail(`the server said: ${error}`);
    // Nothing of it goes on behind the end.
    this.server.kill(1_000_000, 0);
    await this.clock.advanceAsync(1_000);
  }

  #missing(): string | undefined {
    for (const host of this.hosts) {
      if (host.host.waiting > 0) return `a host has ${host.host.waiting} events left`;
    }
    for (const { host, texts, commands, subscriberId } of this.devices) {
      for (const [threadId, sent] of host.published) {
        const read = (texts.get(threadId) ?? []).join("");
        if (read.length < sent.join("").length) return `${subscriberId} has not read all`;
      }
      for (const { commandId } of commands) {
        if (!host.done.has(commandId)) return `${commandId} is not done`;
      }
    }
    return undefined;
  }

  #check(): void {
    for (const { host, texts, subscriberId, commands } of this.devices) {
      for (const [threadId, sent] of host.published) {
        // What the server writes itself has no text: commands that were taken.
        const read = (texts.get(threadId) ?? []).join("");
        if (read !== sent.join("")) {
          this.fail(`${subscriberId} read other texts of ${threadId} than were published`);
        }
      }
      for (const { commandId } of commands) {
        const times = host.done.get(commandId);
        if (times !== 1) this.fail(`${commandId} was done ${times} times`);
      }
      this.count("commands", commands.length);
    }
  }
}

/** Runs a seed. */
export async function simulateAgents(seed: number, steps = 150): Promise<AgentsRun> {
  const store = await openSqlite({ path: ":memory:" });
  const simulation = new AgentsSimulation(seed, store);
  try {
    await simulation.run(steps);
  } catch (error) {
    simulation.fail(`the simulation broke: ${(error as Error).stack ?? error}`);
  } finally {
    await store.close();
  }
  return { seed, failures: simulation.failures, counts: simulation.counts };
}
