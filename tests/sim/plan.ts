/** What happens in one run of the simulation: made from a seed, saved and loaded as JSON. */
import { RandomSource } from "../support/random.ts";

/** How often each kind of step is chosen, relative to the others. */
const WEIGHTS = {
  // People.
  requestContact: 3,
  respondContact: 3,
  removeContact: 1,
  // Rooms.
  createRoom: 3,
  call: 8,
  answerCall: 8,
  declineCall: 1,
  cancelCall: 1,
  leaveRoom: 2,
  setLocation: 2,
  setRole: 1,
  follow: 2,
  unfollow: 1,
  // What a host tells.
  share: 4,
  unshare: 1,
  changeTree: 14,
  bulkTree: 1,
  changeWorktrees: 2,
  setSettings: 5,
  setDiagnostics: 5,
  setLanguageServer: 4,
  setRepository: 5,
  removeRepository: 1,
  // What a guest does.
  joinProject: 10,
  leaveProject: 2,
  openBuffer: 10,
  createEntry: 2,
  askLanguageServer: 3,
  // Text, of hosts and guests.
  edit: 30,
  undo: 4,
  save: 5,
  // Faults.
  drop: 6,
  stall: 2,
  unstall: 3,
  restart: 1,
  kill: 2,
  slowStore: 3,
  refuse: 1,
  poison: 1,
  longWait: 1,
} as const;

/** What one step does; what it does it to is chosen by its numbers when it is run. */
export type StepKind = keyof typeof WEIGHTS;

/** One step: after `wait` milliseconds, `who` does `kind`. One that fits nothing does nothing. */
export interface Step {
  readonly wait: number;
  readonly kind: StepKind;
  readonly who: number;
  readonly pick: readonly number[];
}

/** A whole run. */
export interface Plan {
  readonly seed: number;
  readonly clients: number;
  readonly steps: readonly Step[];
}

/** Limits of {@link makePlan}. */
export interface PlanOptions {
  /** Clients at most; at least two. */
  readonly clients?: number;
  /** Steps behind the opening. */
  readonly steps?: number;
  /** Kinds that are not chosen. */
  readonly without?: readonly StepKind[];
}

/** Kinds that break something: some plans have few of them, so that more goes on in between. */
const FAULTS: ReadonlySet<StepKind> = new Set([
  "drop",
  "stall",
  "restart",
  "kill",
  "slowStore",
  "refuse",
  "poison",
  "longWait",
]);

/** All kinds of steps. */
export const stepKinds = Object.keys(WEIGHTS) as StepKind[];

/** The plan of a seed. */
export function makePlan(seed: number, options: PlanOptions = {}): Plan {
  const random = new RandomSource(seed);
  const clients = 2 + random.int((options.clients ?? 5) - 1);
  const count = options.steps ?? 60 + random.int(140);
  const kinds = stepKinds.filter((kind) => !options.without?.includes(kind));
  const storm = random.pick([0.1, 0.3, 1]);
  const weight = (kind: StepKind) => WEIGHTS[kind] * (FAULTS.has(kind) ? storm : 1);
  const total = kinds.reduce((sum, kind) => sum + weight(kind), 0);
  const steps: Step[] = random.chance(0.9) ? opening(clients) : [];
  for (let i = 0; i < count; i++) {
    let at = random.next() * total;
    const kind = kinds.find((one) => (at -= weight(one)) < 0) as StepKind;
    steps.push({
      wait: waitOf(random),
      kind,
      who: random.int(clients),
      pick: [random.uint32(), random.uint32(), random.uint32(), random.uint32()],
    });
  }
  return { seed, clients, steps };
}

/** Mostly at once or soon, so that much goes on together. */
function waitOf(random: RandomSource): number {
  const kind = random.next();
  if (kind < 0.3) return 0;
  if (kind < 0.8) return random.int(40);
  if (kind < 0.97) return random.int(400);
  return random.int(5_000);
}

/** Brings everybody into one project, so that most of a plan has something to work on. */
function opening(clients: number): Step[] {
  const steps: Step[] = [];
  const add = (kind: StepKind, who: number, ...pick: number[]) =>
    steps.push({ wait: 200, kind, who, pick: [...pick, 0, 0, 0, 0].slice(0, 4) });
  for (let who = 1; who < clients; who++) {
    add("requestContact", 0, who - 1);
    add("respondContact", who, 0);
  }
  add("createRoom", 0);
  for (let who = 1; who < clients; who++) {
    add("call", 0, 0);
    add("answerCall", who);
  }
  add("share", 0, 1, 40);
  for (let who = 1; who < clients; who++) add("joinProject", who);
  for (let who = 0; who < clients; who++) add("openBuffer", who);
  for (let who = 0; who < clients; who++) add("edit", who, 0, 7, 0, who);
  return steps;
}

/** As {@link loadPlan} reads it. */
export async function savePlan(plan: Plan, path: string): Promise<void> {
  const steps = plan.steps.map((step) => `    ${JSON.stringify(step)}`).join(",\n");
  const head = `  "seed": ${plan.seed},\n  "clients": ${plan.clients}`;
  await Deno.writeTextFile(path, `{\n${head},\n  "steps": [\n${steps}\n  ]\n}\n`);
}

/** @throws {TypeError} when the file holds no plan. */
export async function loadPlan(path: string): Promise<Plan> {
  const plan = JSON.parse(await Deno.readTextFile(path)) as Plan;
  const fits = typeof plan?.seed === "number" && typeof plan.clients === "number" &&
    Array.isArray(plan.steps) && plan.steps.every((step) => step.kind in WEIGHTS);
  if (!fits) throw new TypeError(`Cannot use ${path}: it holds no plan of this simulation`);
  return plan;
}
