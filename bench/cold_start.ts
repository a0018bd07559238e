/** From the command to the first connection that a server has let in. */
import type { Account } from "./accounts.ts";
import { signInRequest } from "./call.ts";
import { serveCommand } from "./process.ts";
import { RawSocket } from "./raw_socket.ts";
import { median, type Row } from "./report.ts";
import { delay } from "@std/async/delay";
import { freePort } from "../tests/support/free_port.ts";

const ROOT = new URL("..", import.meta.url).pathname;

/** Starts servers, one after the other, on an existing and on new data folders. */
export async function benchColdStart(
  dataDir: string,
  account: Account,
  runs: number,
): Promise<Row[]> {
  const existing: number[] = [];
  const fresh: number[] = [];
  const bare: number[] = [];
  for (let run = 0; run < runs; run++) {
    bare.push(await coldStart(bareArgs, answered));
    existing.push(await coldStart(serveArgs(dataDir), (url) => signedIn(url, account)));
    const newDir = await Deno.makeTempDir({ prefix: "parley-bench-" });
    fresh.push(await coldStart(serveArgs(newDir), answered));
    await Deno.remove(newDir, { recursive: true });
  }
  return [
    row("Cold start to the first connection, existing database", existing, bare),
    row("Cold start to the first answer, new database", fresh, bare),
  ];
}

function row(what: string, ours: readonly number[], theirs: readonly number[]): Row {
  const [our, their] = [median(ours), median(theirs)];
  return {
    what,
    target: "≤ 0.5 s",
    parley: `${(our / 1000).toFixed(2)} s`,
    bare: `${(their / 1000).toFixed(2)} s`,
    ratio: (our / their).toFixed(1),
    reached: our <= 500,
  };
}

function serveArgs(dataDir: string): (port: number) => string[] {
  return (
    port,
  ) => [...serveCommand(), "--port", `${port}`, "--data-dir", dataDir, "--log-level", "warning"];
}

function bareArgs(port: number): string[] {
  return [
    "run",
    "-A",
    `data:application/javascript,Deno.serve({port:${port},onListen(){}},()=>new Response(""))`,
  ];
}

/** Milliseconds until `check` is content with what listens on the port. */
async function coldStart(
  args: (port: number) => string[],
  check: (url: URL) => Promise<boolean>,
): Promise<number> {
  const port = freePort();
  const url = new URL(`http://127.0.0.1:${port}`);
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: args(port),
    cwd: ROOT,
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  while (!await check(url)) {
    if (performance.now() - start > 120_000) throw new Error(`Cannot reach ${url}: not started`);
    await delay(2);
  }
  const time = performance.now() - start;
  child.kill("SIGTERM");
  await child.status;
  return time;
}

/** Whether anything answers HTTP. */
async function answered(url: URL): Promise<boolean> {
  try {
    await (await fetch(url)).body?.cancel();
    return true;
  } catch {
    return false;
  }
}

/** Whether an account was let in: it has got its `Hello`. */
async function signedIn(url: URL, account: Account): Promise<boolean> {
  const hello = Promise.withResolvers<void>();
  try {
    const socket = await RawSocket.open(url, signInRequest(url, account), () => hello.resolve());
    await hello.promise;
    socket.close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}
