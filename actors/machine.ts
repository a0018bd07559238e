/**
 * The life of an entity: there while somebody needs it, read back when it has crashed, over when what
 * it stands for is gone. One chart for all kinds; a {@link LifePlan} says what differs.
 * [style A4] [design 1.6]
 */
import { createActor, fromPromise, setup } from "xstate";
import type { Clock } from "../lib/clock.ts";
import type { Phase } from "./cell.ts";

export type LifeEvent =
  /** A turn threw, or the database refused what it wrote: memory is not to be trusted. */
  | { readonly type: "crashed"; readonly mayRestart: boolean }
  /** Nobody needs it. */
  | { readonly type: "idle" }
  /** What it stands for is gone. */
  | { readonly type: "gone" };

/** What differs between the lives of two kinds. */
export interface LifePlan {
  /** Its first phase: `live` when all that it needs is in memory. */
  readonly first: "loading" | "live";
  /**
   * Reads it back as it is stored; false when it is not there: it has ended, or never began. A kind
   * without `load` has read nothing from the database, and goes on after a crash as it was.
   */
  readonly load?: (signal: AbortSignal) => Promise<boolean>;
  /**
   * After too many crashes, or when it cannot be loaded: out of order for a minute, then loaded; or
   * forgotten, so that the next message starts over with a new actor.
   */
  readonly failed: "out of order" | "forgotten";
  /** Forgets it everywhere. */
  readonly dispose: () => void;
}

/** What the chart needs of its entity. */
export interface Life extends LifePlan {
  entered(phase: Phase): void;
  /** Called behind every transition, when its actions are done. */
  settled(): void;
}

/** One that is out of order is refused for this long, milliseconds. */
const OUT_OF_ORDER = 60_000;

const lifeMachine = setup({
  types: {
    context: {} as { life: Life },
    events: {} as LifeEvent,
    input: {} as Life,
  },
  actors: {
    load: fromPromise<boolean, Life>(({ input, signal }) =>
      input.load?.(signal) ?? Promise.resolve(true)
    ),
  },
  guards: {
    isLiveAtFirst: ({ context }) => context.life.first === "live",
    isForgotten: ({ context }) => context.life.failed === "forgotten",
    hasNothingToLoad: ({ context }) => context.life.load === undefined,
    crashesTooOften: ({ event }) => event.type === "crashed" && !event.mayRestart,
  },
  actions: {
    enter: ({ context }, { phase }: { phase: Phase }) => context.life.entered(phase),
    dispose: ({ context }) => context.life.dispose(),
  },
  delays: { outOfOrder: OUT_OF_ORDER },
}).createMachine({
  id: "life",
  context: ({ input }) => ({ life: input }),
  initial: "starting",
  on: { gone: { target: ".closed" } },
  states: {
    starting: { always: [{ guard: "isLiveAtFirst", target: "live" }, { target: "loading" }] },
    loading: {
      entry: { type: "enter", params: { phase: "loading" } },
      invoke: {
        src: "load",
        input: ({ context }) => context.life,
        onDone: [{ guard: ({ event }) => event.output, target: "live" }, { target: "closed" }],
        onError: { target: "failed" },
      },
    },
    live: {
      entry: { type: "enter", params: { phase: "live" } },
      on: {
        crashed: [
          { guard: "crashesTooOften", target: "failed" },
          { guard: "hasNothingToLoad", target: "live", reenter: true },
          { target: "loading" },
        ],
        idle: { target: "closed" },
      },
    },
    failed: {
      entry: { type: "enter", params: { phase: "failed" } },
      always: { guard: "isForgotten", target: "forgotten" },
      after: { outOfOrder: { target: "loading" } },
    },
    forgotten: { type: "final", entry: "dispose" },
    closed: {
      type: "final",
      // Out of the registry before whoever waits is refused: who comes next finds a new one.
      entry: ["dispose", { type: "enter", params: { phase: "closed" } }],
    },
  },
});

/**
 * Starts the chart of one entity and returns how to tell it what happened.
 *
 * @param lost hears of an error of the chart itself, behind which it does nothing any more
 */
export function startLife(
  life: Life,
  clock: Clock,
  lost: (error: unknown) => void,
): (event: LifeEvent) => void {
  const actor = createActor(lifeMachine, { input: life, clock });
  actor.subscribe({ next: () => life.settled(), error: lost });
  actor.start();
  return (event) => actor.send(event);
}

/** The chart's ways from state to state, each once, for its picture in docs/ARCHITECTURE.md. */
export function lifeEdges(): ReadonlySet<string> {
  const edges = new Set<string>();
  const { root } = lifeMachine;
  const draw = (from: string, target: readonly { readonly key: string }[] | undefined) => {
    for (const { key } of target ?? []) edges.add(`${from} --> ${key}`);
  };
  for (const state of Object.values(root.states)) {
    for (const { target } of state.always ?? []) draw(state.key, target);
    for (const transitions of state.transitions.values()) {
      for (const { target } of transitions) draw(state.key, target);
    }
    const isLasting = state.type !== "final" && state.key !== "starting";
    for (const { target } of isLasting ? [...root.transitions.values()].flat() : []) {
      draw(state.key, target);
    }
  }
  return edges;
}
