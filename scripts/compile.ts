// deno-lint-ignore-file no-console -- a tool of the command line
/**
 * Makes executables with `deno compile`, which downloads Deno's runtime for each system, or takes
 * the one that `DENORT_BIN` names.
 */
import { taskArguments } from "./task_arguments.ts";

const USAGE = `deno task compile                                    for all of them
deno task compile --target x86_64-unknown-linux-gnu  for one`;

/** The systems that `deno compile` knows. */
export const TARGETS: readonly string[] = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
];

/** The arguments of `deno compile` for one system. The V8 flag is the serve task's: decision 0008. */
export function compileArguments(target: string, output: string): readonly string[] {
  return [
    ...["compile", "--allow-all", "--frozen", "--bundle", "--exclude-unused-npm"],
    ...["--v8-flags=--max-semi-space-size=4", "--target", target, "--output", output, "main.ts"],
  ];
}

async function compile(target: string): Promise<boolean> {
  const output = `dist/parley-${target}`;
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...compileArguments(target, output)],
    stdin: "null",
  }).spawn().status;
  if (!success) console.error(`No executable for ${target}: see above`);
  return success;
}

if (import.meta.main) {
  const target = taskArguments(USAGE, { values: ["target"] }).text("target");
  const targets = TARGETS.filter((each) => target === undefined || each === target);
  if (targets.length === 0) {
    console.error(`Cannot compile for "${target}": there are ${TARGETS.join(", ")}`);
    Deno.exit(1);
  }
  let failed = false;
  for (const each of targets) {
    if (!await compile(each)) failed = true;
  }
  Deno.exit(failed ? 1 : 0);
}
