// deno-lint-ignore-file no-console
/** The simulation as a command. */
import { taskArguments } from "../../scripts/task_arguments.ts";
import { loadPlan, makePlan, type Plan, savePlan } from "./plan.ts";
import { shrink } from "./shrink.ts";
import { type RunResult, simulate } from "./simulation.ts";

const USAGE = `deno task sim                              seeds without end, until one fails
deno task sim --seeds 200 [--from 1000]    that many
deno task sim --seed 7 [--trace]           one
deno task sim --seed 7 --save plan.json    writes its plan, the shrunk one if it fails
deno task sim --load plan.json             runs a plan
… --clients 8 --steps 400                  larger plans
… --counts                                 what happened how often
… --go-on                                  also behind a seed that fails`;

const args = taskArguments(USAGE, {
  values: ["seed", "seeds", "from", "save", "load", "clients", "steps"],
  switches: ["trace", "counts", "go-on"],
});
const [saveTo, loadFrom] = [args.text("save"), args.text("load")];
const counts = new Map<string, number>();

function planOf(seed: number): Plan {
  const [clients, steps] = [args.number("clients"), args.number("steps")];
  return makePlan(seed, {
    ...(clients !== undefined && { clients }),
    ...(steps !== undefined && { steps }),
  });
}

async function run(plan: Plan): Promise<RunResult> {
  const result = await simulate(plan, { trace: args.has("trace") });
  for (const [what, count] of result.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  for (const line of result.trace) console.log(line);
  return result;
}

async function report(result: RunResult): Promise<void> {
  const { plan, failures } = result;
  console.log(`seed ${plan.seed}, ${plan.steps.length} steps: FAILED`);
  for (const failure of failures) console.log(`  ${failure}`);
  if (saveTo === undefined) return;
  const small = await shrink(plan, (tried) => simulate(tried));
  await savePlan(small.plan, saveTo);
  console.log(`shrunk to ${small.plan.steps.length} steps in ${saveTo}`);
  for (const failure of small.failures) console.log(`  ${failure}`);
}

async function main(): Promise<number> {
  const seed = args.number("seed");
  if (loadFrom !== undefined || seed !== undefined) {
    const plan = loadFrom === undefined ? planOf(seed as number) : await loadPlan(loadFrom);
    const result = await run(plan);
    if (result.failures.length > 0) {
      await report(result);
      return 1;
    }
    if (saveTo !== undefined) await savePlan(plan, saveTo);
    console.log(`seed ${plan.seed}, ${plan.steps.length} steps: ok`);
    return 0;
  }
  const first = args.number("from") ?? 1;
  const count = args.number("seeds") ?? Infinity;
  const begun = performance.now();
  let failed = 0;
  for (let seed = first; seed < first + count; seed++) {
    const result = await run(planOf(seed));
    if (result.failures.length > 0) {
      await report(result);
      failed++;
      if (!args.has("go-on")) return 1;
    }
    if (seed % 50 === 0) console.log(`${seed - first + 1 - failed} seeds are good`);
  }
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const outcome = failed === 0 ? "ok" : `${failed} FAILED`;
  console.log(`${count} seeds from ${first} on: ${outcome} (${seconds} s)`);
  return failed === 0 ? 0 : 1;
}

const code = await main();
if (args.has("counts")) {
  for (const [what, count] of [...counts].sort()) {
    console.log(`${String(count).padStart(9)} ${what}`);
  }
}
Deno.exit(code);
