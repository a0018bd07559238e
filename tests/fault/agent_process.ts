// deno-lint-ignore-file no-sync-fn-in-async-fn parley/no-sleep -- a process that may die at every line
/**
 * A host or a subscriber of an agent's thread as a process of its own, which is killed and started
 * again: what it has to remember is in files. Used by `zero_loss.ts`.
 *
 *     deno run -A tests/fault/agent_process.ts host|subscriber <JSON>
 */
import { AgentHost } from "../../client/agent_host.ts";
import { FileOutbox } from "../../client/agent_outbox_file.ts";
import { AgentSubscription } from "../../client/agent_subscription.ts";
import { connect } from "../../client/connect.ts";
import type { Peer } from "../../client/peer.ts";
import { denoTransport } from "../../client/transport_deno.ts";
import { RandomSource } from "../support/random.ts";
import { created, uuid } from "../support/agents.ts";
import { delay } from "@std/async/delay";

/** What such a process is told. */
export interface AgentProcessOptions {
  readonly url: string;
  readonly userId: number;
  readonly token: string;
  readonly threadId: string;
  readonly events: number;
  /** Names the device, and its file. */
  readonly name: string;
  readonly file: string;
  readonly seed: number;
}

/** Every event's text has this form, so that their order shows in what was joined. */
export function textOfEvent(index: number): string {
  return `${String(index).padStart(6, "0")};`;
}

/** Keeps a connection, and cuts it off whenever some number of events has passed. */
class Connection {
  readonly #options: AgentProcessOptions;
  readonly #random: RandomSource;
  #peer: Peer | undefined;
  /** Events until the next cut. */
  #left: number;

  constructor(options: AgentProcessOptions) {
    this.#options = options;
    this.#random = new RandomSource(options.seed);
    this.#left = this.#someEvents();
  }

  /** One more event was sent or received. */
  passed(): void {
    if (--this.#left > 0) return;
    this.#left = this.#someEvents();
    this.#peer?.close();
  }

  async stay(use: (peer: Peer) => Promise<void>, isDone: () => boolean): Promise<void> {
    const { url, userId, token } = this.#options;
    while (!isDone()) {
      try {
        await using peer = await connect({
          serverUrl: url,
          transport: denoTransport,
          credentials: { userId, token },
          timeout: 5_000,
        });
        this.#peer = peer;
        await use(peer);
        await peer.closed;
      } catch {
        // The server is being started again: that is what this is about.
      }
      await delay(20 + this.#random.int(100));
    }
  }

  #someEvents(): number {
    return 1 + this.#random.int(Math.ceil(this.#options.events / 3));
  }
}

async function host(options: AgentProcessOptions): Promise<void> {
  const { threadId, events, file } = options;
  using outbox = FileOutbox.open(file);
  const agent = new AgentHost({
    hostId: uuid("host"),
    name: options.name,
    outbox,
    onRefused: (_, reason) => {
      throw new Error(`An event was refused: ${reason}`);
    },
  });
  const progress = `${file}.progress`;
  let next = Number(await Deno.readTextFile(progress).catch(() => "0"));
  let isDone = false;
  const connection = new Connection(options);
  const produce = async () => {
    while (next < events) {
      await agent.room(3_000);
      // What comes again behind a kill has the id that it had.
      for (let i = 0; i < 200 && next < events; i++, next++) {
        const eventId = uuid(threadId, next);
        if (next === 0) agent.publish({ ...created(threadId), eventId });
        else {
          agent.publish({
            eventId,
            threadId,
            messageChunk: { messageId: `m${Math.floor(next / 500)}`, text: textOfEvent(next) },
          });
        }
        connection.passed();
      }
      Deno.writeTextFileSync(`${progress}.new`, String(next));
      Deno.renameSync(`${progress}.new`, progress);
      await delay(0);
    }
    await agent.settled();
    isDone = true;
    Deno.writeTextFileSync(`${file}.done`, "");
    Deno.exit(0);
  };
  await Promise.all([
    produce(),
    connection.stay((peer) => agent.attach(peer), () => isDone),
  ]);
}

async function subscriber(options: AgentProcessOptions): Promise<void> {
  const { threadId, events, file, name } = options;
  // A line for each event: first seq, seq, text. One that is cut off was not read.
  const kept = await Deno.readTextFile(file).catch(() => "");
  const whole = kept.slice(0, kept.lastIndexOf("\n") + 1);
  const out = Deno.openSync(file, { write: true, create: true });
  out.truncateSync(new TextEncoder().encode(whole).length);
  out.seekSync(0, Deno.SeekMode.End);
  const last = whole.split("\n").at(-2)?.split(" ")[1];
  const subscription = new AgentSubscription({
    subscriberId: uuid(name),
    cursors: last === undefined ? [] : [[threadId, BigInt(last)]],
  });
  let isDone = false;
  const connection = new Connection(options);
  const read = async () => {
    for await (const { firstSeq, seq, messageChunk } of subscription) {
      const line = `${firstSeq ?? seq} ${seq} ${messageChunk?.text ?? ""}\n`;
      out.writeSync(new TextEncoder().encode(line));
      if (seq >= BigInt(events)) break;
      connection.passed();
    }
    isDone = true;
    Deno.writeTextFileSync(`${file}.done`, "");
    Deno.exit(0);
  };
  await Promise.all([
    read(),
    connection.stay((peer) => subscription.attach(peer), () => isDone),
  ]);
}

if (import.meta.main) {
  const [role, json = "{}"] = Deno.args;
  const options = JSON.parse(json) as AgentProcessOptions;
  await (role === "host" ? host(options) : subscriber(options));
}
