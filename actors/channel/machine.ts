/** The life of a tree of channels: it lives from its first moment, and is read back after a crash. [style A4] */
import { createActor, fromPromise, setup } from "xstate";
import type { Clock } from "../../lib/clock.ts";
import type { Phase } from "../cell.ts";

export type TreeEvent =
  /** A turn threw: the state in memory is not to be trusted. */
  | { readonly type: "channel.crashed"; readonly mayRestart: boolean }
  /** The root is gone. */
  | { readonly type: "channel.deleted" };

/** What the chart needs of its tree. */
export interface TreeLife {
  /** Reads the tree back as it is stored; false when it is not there: it has ended, or never began. */
  load(signal: AbortSignal): Promise<boolean>;
  entered(phase: Phase): void;
  /** Called behind every transition, when its actions are done. */
  settled(): void;
  /** Forgets the tree everywhere. */
  dispose(): void;
}

/** A tree that failed too often is refused for this long, milliseconds. */
const OUT_OF_ORDER = 60_000;

const treeMachine = setup({
  types: {
    context: {} as { tree: TreeLife },
    events: {} as TreeEvent,
    input: {} as TreeLife,
  },
  actors: {
    load: fromPromise<boolean, TreeLife>(({ input, signal }) => input.load(signal)),
  },
  guards: {
    mayRestart: ({ event }) => event.type === "channel.crashed" && event.mayRestart,
  },
  actions: {
    enter: ({ context }, { phase }: { phase: Phase }) => context.tree.entered(phase),
    dispose: ({ context }) => context.tree.dispose(),
  },
  delays: { outOfOrder: OUT_OF_ORDER },
}).createMachine({
  id: "channel",
  context: ({ input }) => ({ tree: input }),
  initial: "live",
  states: {
    loading: {
      entry: { type: "enter", params: { phase: "loading" } },
      invoke: {
        src: "load",
        input: ({ context }) => context.tree,
        onDone: [
          { guard: ({ event }) => event.output, target: "live" },
          { target: "closed" },
        ],
        onError: { target: "failed" },
      },
    },
    live: {
      entry: { type: "enter", params: { phase: "live" } },
      on: {
        "channel.crashed": [{ guard: "mayRestart", target: "loading" }, { target: "failed" }],
        "channel.deleted": { target: "closed" },
      },
    },
    failed: {
      entry: { type: "enter", params: { phase: "failed" } },
      after: { outOfOrder: { target: "loading" } },
    },
    closed: {
      type: "final",
      entry: [{ type: "enter", params: { phase: "closed" } }, { type: "dispose" }],
    },
  },
});

/** Starts the chart of one tree and returns how to tell it what happened. */
export function startTreeLife(
  tree: TreeLife,
  clock: Clock,
  failed: (error: unknown) => void,
): (event: TreeEvent) => void {
  const actor = createActor(treeMachine, { input: tree, clock });
  actor.subscribe({ next: () => tree.settled(), error: failed });
  actor.start();
  return (event) => actor.send(event);
}
