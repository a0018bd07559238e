// deno-lint-ignore-file no-console -- a program that reports
/**
 * Nothing is lost: a host streams events to four subscribers while all of them and the server are
 * killed, cut off and started again at random places of the stream. Every subscriber ends with every
 * event, once, in order.
 */
import { taskArguments } from "../../scripts/task_arguments.ts";
import { freePort } from "../support/free_port.ts";
import { RandomSource } from "../support/random.ts";
import { uuid } from "../support/agents.ts";
import { waitUntil } from "../support/wait_until.ts";
import { type AgentProcessOptions, textOfEvent } from "./agent_process.ts";
import { ServerProcess } from "./server_process.ts";

const USAGE =
  `deno task zero-loss                        one run with a seed by chance, 100,000 events
deno task zero-loss --seeds 50 --from 1    fifty runs
deno task zero-loss --events 20000         shorter ones`;

const SUBSCRIBERS = 4;
const ROOT = new URL("../..", import.meta.url);
/** Bytes at the end of a subscriber's file that hold its last line. */
const TAIL = 64 * 1024;

/** How a run went. */
export interface ZeroLossResult {
  readonly kills: Readonly<Record<"server" | "host" | "subscriber", number>>;
  readonly seconds: number;
}

class AgentProcess {
  #child: Deno.ChildProcess | undefined;

  constructor(readonly role: "host" | "subscriber", readonly options: AgentProcessOptions) {}

  get isDone(): boolean {
    try {
      Deno.statSync(`${this.options.file}.done`);
      return true;
    } catch {
      return false;
    }
  }

  start(): void {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-check",
        "tests/fault/agent_process.ts",
        this.role,
        JSON.stringify(this.options),
      ],
      cwd: ROOT,
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
  }

  async kill(): Promise<void> {
    try {
      this.#child?.kill("SIGKILL");
    } catch {
      // It has just come to its end.
    }
    await this.#child?.status;
  }
}

/** One run. @throws {Error} an event is missing, doubled or in the wrong place */
export async function zeroLoss(seed: number, events: number): Promise<ZeroLossResult> {
  const random = new RandomSource(seed);
  const begun = performance.now();
  await using server = await ServerProcess.prepare(["alice"], {
    flags: ["--port", String(freePort()), "--agent-retained-events", "10000000"],
  });
  await server.start();
  const { id: userId, token } = server.users.get("alice")!;
  const common = { url: server.url, userId, token, threadId: uuid("zero loss", seed), events };
  const processes = [
    new AgentProcess("host", {
      ...common,
      name: "host",
      file: `${server.dataDir}/outbox`,
      seed: random.uint32(),
    }),
    ...Array.from({ length: SUBSCRIBERS }, (_, index) =>
      new AgentProcess("subscriber", {
        ...common,
        name: `device ${index}`,
        file: `${server.dataDir}/device-${index}`,
        seed: random.uint32(),
      })),
  ];
  const kills = { server: 0, host: 0, subscriber: 0 };
  try {
    for (const one of processes) one.start();
    const subscribers = processes.slice(1);
    const furthest = () => Math.max(...subscribers.map(({ options }) => lastSeq(options.file)));
    for (const { at, victim } of blows(random, events)) {
      await waitUntil(() => furthest() >= at, {
        describe: `seed ${seed}, event ${at}`,
      });
      kills[victim]++;
      if (victim === "server") {
        await server.kill();
        await server.start();
        continue;
      }
      const one = victim === "host" ? processes[0]! : random.pick(subscribers);
      await one.kill();
      if (!one.isDone) one.start();
    }
    for (const one of processes) {
      await waitUntil(() => one.isDone, {
        describe: `seed ${seed}, the end of ${one.options.name}`,
      });
    }
    for (const one of processes) if (one.role === "subscriber") check(one.options, seed);
  } finally {
    for (const one of processes) await one.kill();
  }
  return { kills, seconds: (performance.now() - begun) / 1000 };
}

interface Blow {
  /** As soon as a subscriber has this event, the victim is killed. */
  readonly at: number;
  readonly victim: keyof ZeroLossResult["kills"];
}

/** Everybody is struck at least once, nobody when all is over. */
function blows(random: RandomSource, events: number): Blow[] {
  const victims = ["server", "host", "subscriber"] as const;
  const count = 6 + random.int(9);
  const some = Array.from({ length: count }, (_, i) => victims[i] ?? random.pick(victims));
  const moments = some.map(() => 1 + random.int(Math.ceil(events * 0.9))).sort((a, b) => a - b);
  return random.shuffle(some).map((victim, i) => ({ victim, at: moments[i]! }));
}

/** The last event that a subscriber has written down, 0 before the first. */
function lastSeq(file: string): number {
  try {
    using opened = Deno.openSync(file);
    const { size } = opened.statSync();
    const bytes = new Uint8Array(Math.min(size, TAIL));
    opened.seekSync(size - bytes.length, Deno.SeekMode.Start);
    const length = opened.readSync(bytes) ?? 0;
    const line = new TextDecoder().decode(bytes.subarray(0, length)).split("\n").at(-2);
    return Number(line?.split(" ")[1] ?? 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

function check({ file, name, events }: AgentProcessOptions, seed: number): void {
  let next = 1;
  let text = "";
  for (const line of Deno.readTextFileSync(file).trimEnd().split("\n")) {
    const [first, seq, content = ""] = line.split(" ");
    if (Number(first) !== next) {
      throw new Error(`Seed ${seed}: ${name} got ${first}..${seq} instead of ${next}`);
    }
    next = Number(seq) + 1;
    text += content;
  }
  const expected = Array.from({ length: events - 1 }, (_, i) => textOfEvent(i + 1)).join("");
  if (next !== events + 1 || text !== expected) {
    throw new Error(`Seed ${seed}: ${name} ended at ${next - 1} of ${events}, or with other texts`);
  }
}

if (import.meta.main) {
  const args = taskArguments(USAGE, { values: ["seeds", "from", "events"] });
  const count = args.number("seeds") ?? 1;
  const from = args.number("from") ?? crypto.getRandomValues(new Uint32Array(1))[0]! % 1_000_000;
  const events = args.number("events") ?? 100_000;
  for (let seed = from; seed < from + count; seed++) {
    const { kills, seconds } = await zeroLoss(seed, events);
    const blows = Object.entries(kills).map(([who, times]) => `${who} ${times}`).join(", ");
    console.log(
      `seed ${seed}: ${events} events, ${SUBSCRIBERS} subscribers, nothing lost; ` +
        `killed: ${blows}; ${seconds.toFixed(1)} s`,
    );
  }
}
