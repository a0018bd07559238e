/** The life of a user's desk for agents: what it knows by heart is who is connected. [style A4] */
import { createActor, setup } from "xstate";
import type { Clock } from "../../lib/clock.ts";
import type { Phase } from "../cell.ts";

export type DeskEvent =
  | { readonly type: "desk.crashed"; readonly mayRestart: boolean }
  /** Neither host nor subscriber is connected. */
  | { readonly type: "desk.idle" };

/** What the chart needs of its desk. */
export interface DeskLife {
  entered(phase: Phase): void;
  /** Called behind every transition, when its actions are done. */
  settled(): void;
  dispose(): void;
}

const deskMachine = setup({
  types: {
    context: {} as { desk: DeskLife },
    events: {} as DeskEvent,
    input: {} as DeskLife,
  },
  guards: {
    mayRestart: ({ event }) => event.type === "desk.crashed" && event.mayRestart,
  },
  actions: {
    enter: ({ context }, { phase }: { phase: Phase }) => context.desk.entered(phase),
    dispose: ({ context }) => context.desk.dispose(),
  },
}).createMachine({
  id: "desk",
  context: ({ input }) => ({ desk: input }),
  initial: "live",
  states: {
    live: {
      entry: { type: "enter", params: { phase: "live" } },
      on: {
        "desk.crashed": [
          { guard: "mayRestart", target: "live", reenter: true },
          { target: "failed" },
        ],
        "desk.idle": { target: "closed" },
      },
    },
    // Out of the registry at once, so that the next message starts over with a new actor.
    failed: {
      type: "final",
      entry: [{ type: "enter", params: { phase: "failed" } }, { type: "dispose" }],
    },
    closed: {
      type: "final",
      entry: [{ type: "enter", params: { phase: "closed" } }, { type: "dispose" }],
    },
  },
});

/** Starts the chart of one desk and returns how to tell it what happened. */
export function startDeskLife(desk: DeskLife, clock: Clock): (event: DeskEvent) => void {
  const actor = createActor(deskMachine, { input: desk, clock });
  actor.subscribe(() => desk.settled());
  actor.start();
  return (event) => actor.send(event);
}
