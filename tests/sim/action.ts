/** What a kind of step does. */
import type { KindsOf, Theme } from "./step_kinds.ts";
import type { SimClient } from "./sim_client.ts";
import type { Simulation } from "./simulation.ts";

export type Numbers = readonly [number, number, number, number];
export type Action = (client: SimClient, pick: Numbers, sim: Simulation) => void;
/** An action for each kind of a theme. */
export type ActionsOf<T extends Theme> = Readonly<Record<KindsOf<T>, Action>>;

/** One of a list, by any number; undefined when it is empty. */
export function choose<T>(list: readonly T[], number: number): T | undefined {
  return list[number % list.length];
}
