/** The life of an agent's thread in memory: read when somebody needs it, let go when nobody does. [style A4] */
import { createActor, fromPromise, setup } from "xstate";
import { agentLimits } from "../../lib/agent_policy.ts";
import type { Clock } from "../../lib/clock.ts";
import type { Phase } from "../cell.ts";

export type ThreadLifeEvent =
  /** A turn threw: the state in memory is not to be trusted. */
  | { readonly type: "thread.crashed"; readonly mayRestart: boolean }
  /** There is no such thread, or no owner any more. */
  | { readonly type: "thread.gone" };

/** What the chart needs of its thread. */
export interface ThreadLife {
  load(signal: AbortSignal): Promise<void>;
  /** Nobody has touched it for a while, and nothing waits in it. */
  isIdle(): boolean;
  entered(phase: Phase): void;
  /** Called behind every transition, when its actions are done. */
  settled(): void;
  dispose(): void;
}

/** A thread that failed too often is refused for this long, milliseconds. */
const OUT_OF_ORDER = 60_000;

const threadMachine = setup({
  types: {
    context: {} as { thread: ThreadLife },
    events: {} as ThreadLifeEvent,
    input: {} as ThreadLife,
  },
  actors: {
    load: fromPromise<void, ThreadLife>(({ input, signal }) => input.load(signal)),
  },
  guards: {
    mayRestart: ({ event }) => event.type === "thread.crashed" && event.mayRestart,
    isIdle: ({ context }) => context.thread.isIdle(),
  },
  actions: {
    enter: ({ context }, { phase }: { phase: Phase }) => context.thread.entered(phase),
    dispose: ({ context }) => context.thread.dispose(),
  },
  delays: { outOfOrder: OUT_OF_ORDER, idle: agentLimits.threadIdle },
}).createMachine({
  id: "thread",
  context: ({ input }) => ({ thread: input }),
  initial: "loading",
  states: {
    loading: {
      entry: { type: "enter", params: { phase: "loading" } },
      invoke: {
        src: "load",
        input: ({ context }) => context.thread,
        onDone: { target: "live" },
        onError: { target: "failed" },
      },
      on: { "thread.gone": { target: "closed" } },
    },
    live: {
      entry: { type: "enter", params: { phase: "live" } },
      after: {
        idle: [{ guard: "isIdle", target: "closed" }, { target: "live", reenter: true }],
      },
      on: {
        "thread.crashed": [{ guard: "mayRestart", target: "loading" }, { target: "failed" }],
        "thread.gone": { target: "closed" },
      },
    },
    failed: {
      entry: { type: "enter", params: { phase: "failed" } },
      after: { outOfOrder: { target: "loading" } },
      on: { "thread.gone": { target: "closed" } },
    },
    closed: {
      type: "final",
      entry: [{ type: "enter", params: { phase: "closed" } }, { type: "dispose" }],
    },
  },
});

/** Starts the chart of one thread and returns how to tell it what happened. */
export function startThreadLife(
  thread: ThreadLife,
  clock: Clock,
  failed: (error: unknown) => void,
): (event: ThreadLifeEvent) => void {
  const actor = createActor(threadMachine, { input: thread, clock });
  actor.subscribe({ next: () => thread.settled(), error: failed });
  actor.start();
  return (event) => actor.send(event);
}
