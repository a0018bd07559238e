// deno-lint-ignore-file no-console
/**
 * The README's test command: every suite that needs nothing but Deno, with sanitizers, and one final
 * line `N passed, N failed, N skipped` over all of them.
 *
 *     deno task test                        everything
 *     deno task test tests/unit/rpc         only there
 *     deno task test --filter "projects 6"  any flag of `deno test`
 */

import { settings } from "../lib/settings_table.ts";

/** How many tests of a run ended in which way. Steps are part of their test. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Suites that run one after the other. Real sockets and real times share no machine with others. */
const GROUPS: readonly { readonly folders: readonly string[]; readonly parallel: boolean }[] = [
  { folders: ["tests/unit", "tests/contract", "tests/wire", "tests/sim"], parallel: true },
  { folders: ["tests/e2e", "tests/fault", "tests/chromium"], parallel: false },
];

/** Deno 2.9 has the sanitizers off unless asked; XState's development build warns of lost events. */
const FLAGS = ["-A", "--conditions=development", "--lock=tests/deno.lock"];

/** What a test began it has to end. */
const LEAK_FLAGS = ["--sanitize-ops", "--sanitize-resources", "--trace-leaks"];

/** Files at once on large machines: each is a thread with a heap of its own, some start databases. */
const MOST_JOBS = 8;

/** What configures a server must not leak from the developer's shell into the tests. */
const FOREIGN_VARIABLES = new Set<string>(
  Object.values(settings).flatMap((one) => "alias" in one ? [one.env, one.alias] : [one.env]),
);

const SUMMARY = /^(?:ok|FAILED) \| (\d+) passed(?: \([^)]*\))? \| (\d+) failed(.*)$/;

/** Reads one line of `deno test`; `undefined` when it is not the line that sums a run up. */
export function parseSummary(line: string): Counts | undefined {
  const match = SUMMARY.exec(line);
  if (!match) return undefined;
  const ignored = /\| (\d+) ignored/.exec(match[3] ?? "");
  return {
    passed: Number(match[1]),
    failed: Number(match[2]),
    skipped: ignored ? Number(ignored[1]) : 0,
  };
}

/** The environment of the tests: the caller's, without what would configure a server. */
export function testEnvironment(caller: Record<string, string>): Record<string, string> {
  const env: Record<string, string> = { ...caller, NO_COLOR: "1" };
  for (const name of Object.keys(env)) {
    // npm's tell the program how it was started, which shows in what it prints.
    if (FOREIGN_VARIABLES.has(name) || name.startsWith("npm_")) delete env[name];
  }
  // Tests talk to servers on this machine; a proxy of the network must not come between.
  const direct = ["127.0.0.0/8", "127.0.0.1", "localhost", "::1"];
  const noProxy = [caller.NO_PROXY ?? caller.no_proxy ?? "", ...direct].filter(Boolean).join(",");
  return { ...env, NO_PROXY: noProxy, no_proxy: noProxy };
}

/** Splits into folders and files to test, and flags for `deno test`. */
export function splitArguments(args: readonly string[]): { paths: string[]; flags: string[] } {
  const paths: string[] = [];
  const flags: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (!arg.startsWith("-")) paths.push(arg);
    else {
      flags.push(arg);
      if (arg === "--filter" && i + 1 < args.length) flags.push(args[++i] as string);
    }
  }
  return { paths, flags };
}

const TEST_FILE = /(?:^|[_.])test\.[mc]?[jt]sx?$/;

async function hasTests(folder: string): Promise<boolean> {
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (
        entry.isDirectory ? await hasTests(`${folder}/${entry.name}`) : TEST_FILE.test(entry.name)
      ) {
        return true;
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return false;
}

/** A pipe may take a part only. */
async function writeAll(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

/** One `deno test`, its output passed on. A run that dies without a summary counts as one failure. */
async function runDeno(args: readonly string[]): Promise<Counts> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["test", ...args],
    cwd: new URL("..", import.meta.url),
    env: {
      DENO_JOBS: `${Math.min(navigator.hardwareConcurrency, MOST_JOBS)}`,
      ...testEnvironment(Deno.env.toObject()),
    },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let counts: Counts | undefined;
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    await writeAll(chunk);
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) counts = parseSummary(line) ?? counts;
  }
  counts = parseSummary(rest) ?? counts;
  const { success } = await child.status;
  if (counts && (success || counts.failed > 0)) return counts;
  return { passed: counts?.passed ?? 0, failed: 1, skipped: counts?.skipped ?? 0 };
}

/**
 * Runs the suites and returns the sum.
 *
 * @param options.leaks whether what a test leaves open is a failure
 */
export async function run(
  args: readonly string[],
  { leaks = true }: { readonly leaks?: boolean } = {},
): Promise<Counts> {
  const { paths, flags } = splitArguments(args);
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const groups = paths.length > 0 ? [{ folders: paths, parallel: true }] : GROUPS;
  for (const group of groups) {
    const folders: string[] = [];
    for (const folder of group.folders) {
      if (paths.length > 0 || await hasTests(folder)) folders.push(folder);
    }
    if (folders.length === 0) continue;
    const counts = await runDeno([
      ...FLAGS,
      ...(leaks ? LEAK_FLAGS : []),
      ...(group.parallel ? ["--parallel"] : []),
      ...flags,
      ...folders,
    ]);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  return total;
}

/** The line that scripts look for. */
export function summaryLine(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

if (import.meta.main) {
  Deno.chdir(new URL("..", import.meta.url));
  const counts = await run(Deno.args);
  if (counts.passed + counts.failed === 0) console.error("No test ran.");
  console.log(summaryLine(counts));
  Deno.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);
}
