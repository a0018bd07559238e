// deno-lint-ignore-file no-console parley/no-sleep -- a program that reports, and kills at random moments
/**
 * Nothing is lost: a host streams events to four subscribers while all of them and the server are
 * killed, cut off and started again. Every subscriber ends with every event, once, in order.
 *
 *     deno task zero-loss                          one run with a seed by chance, 100,000 events
 *     deno task zero-loss --seeds 50 --from 1      fifty runs
 *     deno task zero-loss --events 20000
 */
import { parseArgs } from "@std/cli/parse-args";
import { delay } from "@std/async/delay";
import { RandomSource } from "../support/random.ts";
import { uuid } from "../support/agents.ts";
import { type AgentProcessOptions, textOfEvent } from "./agent_process.ts";
import { ServerProcess } from "./server_process.ts";

const SUBSCRIBERS = 4;
const ROOT = new URL("../..", import.meta.url);
/** Milliseconds that a run may take. */
const PATIENCE = 180_000;

/** How a run went. */
export interface ZeroLossResult {
  readonly kills: Readonly<Record<string, number>>;
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
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  await using server = await ServerProcess.prepare(["alice"], {
    flags: ["--port", String(port), "--agent-retained-events", "10000000"],
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
    while (processes.some(({ isDone }) => !isDone)) {
      if (performance.now() - begun > PATIENCE) {
        throw new Error(`Seed ${seed} does not come to an end: ${JSON.stringify(kills)}`);
      }
      // Between two blows everybody gets a little time: a process needs half a second to begin.
      await delay(300 + random.int(1_500));
      if (kills.server + kills.host + kills.subscriber >= 20) continue;
      if (random.chance(0.3)) {
        kills.server++;
        await server.kill();
        await delay(random.int(200));
        await server.start();
        continue;
      }
      const one = processes[random.int(processes.length)]!;
      if (one.isDone) continue;
      kills[one.role]++;
      await one.kill();
      if (!one.isDone) one.start();
    }
    for (const one of processes) if (one.role === "subscriber") check(one.options, seed);
  } finally {
    for (const one of processes) await one.kill();
  }
  return { kills, seconds: (performance.now() - begun) / 1000 };
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
  const args = parseArgs(Deno.args, { string: ["seeds", "from", "events"] });
  const count = Number(args.seeds ?? 1);
  const from = Number(args.from ?? crypto.getRandomValues(new Uint32Array(1))[0]! % 1_000_000);
  const events = Number(args.events ?? 100_000);
  for (let seed = from; seed < from + count; seed++) {
    const { kills, seconds } = await zeroLoss(seed, events);
    const blows = Object.entries(kills).map(([who, times]) => `${who} ${times}`).join(", ");
    console.log(
      `seed ${seed}: ${events} events, ${SUBSCRIBERS} subscribers, nothing lost; ` +
        `killed: ${blows}; ${seconds.toFixed(1)} s`,
    );
  }
}
