/** Makes a failing plan smaller: drops steps while it still fails. */
import type { Plan } from "./plan.ts";
import type { RunResult } from "./simulation.ts";

/** Runs that one shrinking may take. */
const TRIES = 400;

/**
 * Drops ever smaller runs of steps, as long as it fails in the same way.
 *
 * @param run runs a plan
 * @returns the smallest result that still fails; the plan's own if it does not fail
 */
export async function shrink(
  plan: Plan,
  run: (plan: Plan) => Promise<RunResult>,
): Promise<RunResult> {
  let best = await run(plan);
  let tries = 1;
  for (let size = plan.steps.length >> 1; size >= 1 && best.failures.length > 0;) {
    let shrunk = false;
    for (let at = best.plan.steps.length - size; at >= 0 && tries < TRIES; at -= size) {
      const { steps } = best.plan;
      const tried = { ...best.plan, steps: [...steps.slice(0, at), ...steps.slice(at + size)] };
      const result = await run(tried);
      tries++;
      if (!isLike(result, best)) continue;
      best = result;
      shrunk = true;
    }
    if (!shrunk || size > 1) size = size > 1 ? size >> 1 : 0;
  }
  return best;
}

/** The first failure says the same, but for numbers. */
function isLike({ failures: [one] }: RunResult, { failures: [other] }: RunResult): boolean {
  return one !== undefined && other !== undefined && kindOf(one) === kindOf(other);
}

function kindOf(failure: string): string {
  return failure.replaceAll(/\d+/g, "").slice(0, 40);
}
