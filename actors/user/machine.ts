/** The life of a user's actor: there while somebody needs it. [style A4] */
import { createActor, fromPromise, setup } from "xstate";
import type { Clock } from "../../lib/clock.ts";
import type { Phase } from "../cell.ts";

export type UserEvent =
  | { readonly type: "user.crashed"; readonly mayRestart: boolean }
  /** No connection, no seat, no grace. */
  | { readonly type: "user.idle" };

/** What the chart needs of its user. */
export interface UserLife {
  /** Reads contacts and notifications. Rejects when there is no such account. */
  load(signal: AbortSignal): Promise<void>;
  entered(phase: Phase): void;
  /** Called behind every transition, when its actions are done. */
  settled(): void;
  dispose(): void;
}

const userMachine = setup({
  types: {
    context: {} as { user: UserLife },
    events: {} as UserEvent,
    input: {} as UserLife,
  },
  actors: {
    load: fromPromise<void, UserLife>(({ input, signal }) => input.load(signal)),
  },
  guards: {
    mayRestart: ({ event }) => event.type === "user.crashed" && event.mayRestart,
  },
  actions: {
    enter: ({ context }, { phase }: { phase: Phase }) => context.user.entered(phase),
    dispose: ({ context }) => context.user.dispose(),
  },
}).createMachine({
  id: "user",
  context: ({ input }) => ({ user: input }),
  initial: "loading",
  states: {
    loading: {
      entry: { type: "enter", params: { phase: "loading" } },
      invoke: {
        src: "load",
        input: ({ context }) => context.user,
        onDone: { target: "live" },
        onError: { target: "failed" },
      },
    },
    live: {
      entry: { type: "enter", params: { phase: "live" } },
      on: {
        "user.crashed": [{ guard: "mayRestart", target: "loading" }, { target: "failed" }],
        "user.idle": { target: "closed" },
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

/** Starts the chart of one user and returns how to tell it what happened. */
export function startUserLife(user: UserLife, clock: Clock): (event: UserEvent) => void {
  const actor = createActor(userMachine, { input: user, clock });
  actor.subscribe(() => user.settled());
  actor.start();
  return (event) => actor.send(event);
}
