// deno-lint-ignore-file no-console -- a program that prints a table
/**
 * The table of DESIGN section 5, against a bare Deno server measured in the
 * same run.
 */
import { taskArguments } from "../scripts/task_arguments.ts";
import { type Account, seedAccounts } from "./accounts.ts";
import { type AgentsOptions, benchAgents } from "./agents.ts";
import { benchColdStart } from "./cold_start.ts";
import { benchConnections } from "./connections.ts";
import { benchmarksDocument } from "./document.ts";
import { benchFanOut, type FanOutOptions } from "./fan_out.ts";
import { benchFullRoom, type FullRoomOptions } from "./full_room.ts";
import { benchLargeProject } from "./large_project.ts";
import { ServerProcess } from "./process.ts";
import { appendix, type Row, table } from "./report.ts";
import { benchText } from "./text.ts";
import { benchUpload, type UploadOptions } from "./upload.ts";
import { benchWire } from "./wire.ts";

interface Size {
  readonly accounts: number;
  readonly fanOut: FanOutOptions;
  readonly upload: UploadOptions;
  readonly room: FullRoomOptions;
  /** Entries of a very large project. */
  readonly large: number;
  /** Times that all accounts connect. */
  readonly floods: number;
  readonly coldStarts: number;
  readonly agents: AgentsOptions;
}

const FULL: Size = {
  accounts: 2000,
  fanOut: { rounds: 9, window: 1000, messages: 1000 },
  upload: { entries: 50_000, runs: 3 },
  room: { participants: 100, projects: 20, rounds: 50 },
  large: 500_000,
  floods: 3,
  coldStarts: 7,
  agents: { events: 50_000, paced: 1_000 },
};

const SHORT: Size = {
  accounts: 500,
  fanOut: { rounds: 2, window: 500, messages: 200 },
  upload: { entries: 10_000, runs: 1 },
  room: { participants: 30, projects: 5, rounds: 5 },
  large: 50_000,
  floods: 1,
  coldStarts: 1,
  agents: { events: 10_000, paced: 200 },
};

/** The first of the accounts can call that many others. */
const CONTACTS = 128;

type Bench = (dataDir: string, accounts: readonly Account[], size: Size) => Promise<Row[]>;

/** Runs a benchmark on servers of its own. */
async function onServers(
  dataDir: string,
  body: (parley: ServerProcess, bare: ServerProcess) => Promise<Row[]>,
): Promise<Row[]> {
  await using parley = await ServerProcess.parley(dataDir);
  await using bare = await ServerProcess.bare();
  return await body(parley, bare);
}

const BENCHES: Readonly<Record<string, Bench>> = {
  "fan-out": (dataDir, accounts, { fanOut }) =>
    onServers(dataDir, (parley, bare) => benchFanOut(parley, bare, accounts, fanOut)),
  "upload": (dataDir, accounts, { upload }) =>
    onServers(dataDir, (parley, bare) => benchUpload(parley, bare, accounts, upload)),
  "room": async (dataDir, accounts, { room }) => {
    await using parley = await ServerProcess.parley(dataDir);
    return await benchFullRoom(parley, accounts, room);
  },
  "large": async (dataDir, accounts, { large }) => {
    await using parley = await ServerProcess.parley(dataDir);
    return await benchLargeProject(parley, accounts, large);
  },
  "connections": (dataDir, accounts, { floods }) =>
    onServers(dataDir, (parley, bare) => benchConnections(parley, bare, accounts, floods)),
  "cold-start": (dataDir, [account], { coldStarts }) =>
    benchColdStart(dataDir, account as Account, coldStarts),
  "agents": async (dataDir, [account], { agents }) => {
    const flags = ["--agent-events-per-second", "1000000", "--agent-retained-events", "1000000"];
    await using parley = await ServerProcess.parley(dataDir, flags);
    return await benchAgents(parley, account as Account, agents);
  },
};

const NAMES = [...Object.keys(BENCHES), "wire", "text"];

const USAGE =
  `deno task bench                      all of it, about two minutes; writes docs/benchmarks.md
deno task bench --short              the same table with smaller counts; writes nothing
deno task bench fan-out upload …     only these, and writes nothing:
                                     ${NAMES.join(", ")}`;

async function main(): Promise<void> {
  const args = taskArguments(USAGE, { switches: ["short"], words: NAMES });
  const size = args.has("short") ? SHORT : FULL;
  const names = args.words;
  const isWanted = (name: string) => names.length === 0 || names.includes(name);
  const rows: Row[] = [];
  const [load = 0] = Deno.loadavg();
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (!isWanted(name)) continue;
    // Each on a database of its own, so that none leaves anything to the next.
    const dataDir = await Deno.makeTempDir({ prefix: "parley-bench-" });
    try {
      const count = name === "connections" ? size.accounts : CONTACTS + 1;
      rows.push(...await bench(dataDir, await seedAccounts(dataDir, count, CONTACTS), size));
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  }
  const lines = [
    ...(isWanted("wire") && size === FULL ? await benchWire() : []),
    ...(isWanted("text") && size === FULL ? await benchText() : []),
  ];
  if (rows.length > 0) console.log(table(rows));
  if (size === SHORT) console.log("Small counts, to try the bench itself: not for comparing.");
  if (lines.length > 0) console.log(appendix(lines));
  if (size === FULL && names.length === 0) {
    const file = new URL("../docs/benchmarks.md", import.meta.url);
    await Deno.writeTextFile(file, benchmarksDocument(rows, lines, load));
    console.log("Written to docs/benchmarks.md");
  }
}

if (import.meta.main) await main();
