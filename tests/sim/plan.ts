/** What happens in one run of the simulation: made from a seed, saved and loaded as JSON. */
import { RandomSource } from "../support/random.ts";
import { isStepKind, kindsWithWeights, type StepKind, type Theme } from "./step_kinds.ts";

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
  /** Users; the clients beyond them are further devices of the first ones. All clients' by default. */
  readonly users?: number;
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

/** Themes of which a plan may have few steps, so that more goes on in what it is about. */
const FOCUSES: readonly (readonly Theme[])[] = [
  [],
  ["channels", "notes", "chat"],
  ["rooms", "hosts", "guests", "text"],
  ["hosts", "guests", "text", "chat"],
  ["hosts", "guests", "text", "notes"],
];
const OUT_OF_FOCUS = 0.07;

/** The plan of a seed. */
export function makePlan(seed: number, options: PlanOptions = {}): Plan {
  const random = new RandomSource(seed);
  const most = options.clients ?? (random.chance(0.1) ? 8 : 5);
  const clients = 2 + random.int(most - 1);
  const users = clients > 2 && random.chance(0.4)
    ? clients - 1 - random.int(Math.ceil(clients / 3))
    : clients;
  const count = options.steps ?? 60 + random.int(140);
  const rare = new Set(random.pick(FOCUSES));
  const storm = random.pick([0.1, 0.3, 1]);
  const kinds = kindsWithWeights
    .filter(({ kind }) => !options.without?.includes(kind))
    .map(({ kind, theme, weight }) => ({
      kind,
      weight: weight * (theme === "faults" ? storm : rare.has(theme) ? OUT_OF_FOCUS : 1),
    }));
  const total = kinds.reduce((sum, { weight }) => sum + weight, 0);
  const steps: Step[] = [];
  if (random.chance(0.9) && !rare.has("hosts")) steps.push(...opening(clients));
  if (random.chance(0.9) && !rare.has("channels")) steps.push(...channelOpening(clients, random));
  for (let i = 0; i < count; i++) {
    let at = random.next() * total;
    const { kind } = kinds.find((one) => (at -= one.weight) < 0) as { kind: StepKind };
    steps.push({
      wait: waitOf(random),
      kind,
      who: random.int(clients),
      pick: [random.uint32(), random.uint32(), random.uint32(), random.uint32()],
    });
  }
  return { seed, clients, users, steps };
}

/** Mostly at once or soon, so that much goes on together. */
function waitOf(random: RandomSource): number {
  const kind = random.next();
  if (kind < 0.3) return 0;
  if (kind < 0.8) return random.int(40);
  if (kind < 0.97) return random.int(400);
  return random.int(5_000);
}

function adder(steps: Step[]) {
  return (kind: StepKind, who: number, ...pick: number[]) =>
    steps.push({ wait: 200, kind, who, pick: [...pick, 0, 0, 0, 0].slice(0, 4) });
}

/** Brings everybody into one project, so that most of a plan has something to work on. */
export function opening(clients: number): Step[] {
  const steps: Step[] = [];
  const add = adder(steps);
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

/** Brings everybody into one channel and one below it, with notes and chats open. */
export function channelOpening(clients: number, random: RandomSource): Step[] {
  const steps: Step[] = [];
  const add = adder(steps);
  const any = () => random.uint32();
  add("createChannel", 0, 1, 1);
  add("createChannel", 0, 0, 2);
  add("showChannel", 0, 0, 0);
  for (let who = 1; who < clients; who++) {
    add("inviteMember", 0, 0, who - 1, any());
    add("answerInvitation", who, 0, 0);
  }
  for (let who = 0; who < clients; who++) {
    add("openNotes", who, any());
    add("joinChat", who, any());
  }
  return steps;
}

/** As {@link loadPlan} reads it. */
export async function savePlan(plan: Plan, path: string): Promise<void> {
  const { steps, ...rest } = plan;
  const head = Object.entries(rest).map(([name, value]) => `  "${name}": ${value},\n`).join("");
  const lines = steps.map((step) => `    ${JSON.stringify(step)}`).join(",\n");
  await Deno.writeTextFile(path, `{\n${head}  "steps": [\n${lines}\n  ]\n}\n`);
}

/** @throws {TypeError} when the file holds no plan. */
export async function loadPlan(path: string): Promise<Plan> {
  const plan = JSON.parse(await Deno.readTextFile(path)) as Plan;
  const fits = typeof plan?.seed === "number" && typeof plan.clients === "number" &&
    Array.isArray(plan.steps) && plan.steps.every((step) => isStepKind(step.kind));
  if (!fits) throw new TypeError(`Cannot use ${path}: it holds no plan of this simulation`);
  return plan;
}
