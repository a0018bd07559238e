// deno-lint-ignore-file no-console
/**
 * Everything that a change must pass: format, lint, types, import rules, generated files, tests.
 *
 *     deno task ok              all of it
 *     deno task ok --no-test    all but the tests
 *     deno task ok lint types   only these
 */
import { run as importsAreRight, sources } from "./check_imports.ts";
import { countLines, LONG_FILE, mayBeLong } from "./lint_plugin.ts";
import { GENERATORS, runGenerator } from "./gen.ts";
import { run as runTests, summaryLine } from "./test.ts";

const ROOT = new URL("..", import.meta.url);

/** Runs a subcommand of the Deno that runs this, its output passed on. */
async function deno(...args: string[]): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), { args, cwd: ROOT, stdin: "null" }).spawn();
  return (await child.status).success;
}

/** Names files that grow too long while there is still room. */
async function nameLongFiles(): Promise<void> {
  for await (const file of sources(".")) {
    if (mayBeLong(file)) continue;
    const lines = countLines(await Deno.readTextFile(file));
    if (lines > LONG_FILE) console.warn(`${file} has ${lines} lines: think of splitting it`);
  }
}

async function lint(): Promise<boolean> {
  const clean = await deno("lint", "--quiet");
  await nameLongFiles();
  return clean;
}

async function generatedFilesAreFresh(): Promise<boolean> {
  let fresh = true;
  for (const generator of GENERATORS) {
    if (await runGenerator(generator, true)) continue;
    console.error(`Stale: ${generator.what}. Run \`deno task gen\`.`);
    fresh = false;
  }
  return fresh;
}

async function tests(): Promise<boolean> {
  const counts = await runTests([]);
  console.log(summaryLine(counts));
  return counts.failed === 0 && counts.passed > 0;
}

/** The steps by name, in the order in which they run: the quick ones first. */
const STEPS: Readonly<Record<string, () => Promise<boolean>>> = {
  format: () => deno("fmt", "--check"),
  lint,
  types: () => deno("check", "--quiet", "--lock=tests/deno.lock", "."),
  imports: importsAreRight,
  generated: generatedFilesAreFresh,
  test: tests,
};

/** Runs the named steps, all without names; goes on after a failure, and tells what failed. */
export async function run(names: readonly string[]): Promise<boolean> {
  const failed: string[] = [];
  for (const [name, step] of Object.entries(STEPS)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const start = performance.now();
    const passed = await step();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${passed ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
    if (!passed) failed.push(name);
  }
  if (failed.length > 0) console.error(`Failed: ${failed.join(", ")}`);
  return failed.length === 0;
}

if (import.meta.main) {
  Deno.chdir(ROOT);
  const names = Deno.args.includes("--no-test")
    ? Object.keys(STEPS).filter((name) => name !== "test")
    : Deno.args;
  const unknown = names.find((name) => !(name in STEPS));
  if (unknown) {
    console.error(`No step "${unknown}": there are ${Object.keys(STEPS).join(", ")}`);
    Deno.exit(2);
  }
  Deno.exit(await run(names) ? 0 : 1);
}
