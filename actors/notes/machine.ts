/** The life of one channel's notes: there while somebody has them open. [style A4] [channels 8] */
import { createActor, fromPromise, setup } from "xstate";
import type { Clock } from "../../lib/clock.ts";
import type { Phase } from "../cell.ts";

export type NotesEvent =
  /** A turn threw: the state in memory is not to be trusted. */
  | { readonly type: "notes.crashed"; readonly mayRestart: boolean }
  /** Nobody has them open, and nothing is to be done. */
  | { readonly type: "notes.idle" }
  /** The channel is gone. */
  | { readonly type: "notes.deleted" };

/** What the chart needs of its notes. */
export interface NotesLife {
  /** Reads the notes as they are stored; there may be none yet. */
  load(signal: AbortSignal): Promise<void>;
  entered(phase: Phase): void;
  /** Called behind every transition, when its actions are done. */
  settled(): void;
  /** Forgets the notes everywhere. */
  dispose(): void;
}

/** Notes that failed too often are refused for this long, milliseconds. */
const OUT_OF_ORDER = 60_000;

const notesMachine = setup({
  types: {
    context: {} as { notes: NotesLife },
    events: {} as NotesEvent,
    input: {} as NotesLife,
  },
  actors: {
    load: fromPromise<void, NotesLife>(({ input, signal }) => input.load(signal)),
  },
  guards: {
    mayRestart: ({ event }) => event.type === "notes.crashed" && event.mayRestart,
  },
  actions: {
    enter: ({ context }, { phase }: { phase: Phase }) => context.notes.entered(phase),
    dispose: ({ context }) => context.notes.dispose(),
  },
  delays: { outOfOrder: OUT_OF_ORDER },
}).createMachine({
  id: "notes",
  context: ({ input }) => ({ notes: input }),
  initial: "loading",
  on: { "notes.deleted": { target: ".closed" } },
  states: {
    loading: {
      entry: { type: "enter", params: { phase: "loading" } },
      invoke: {
        src: "load",
        input: ({ context }) => context.notes,
        onDone: { target: "live" },
        onError: { target: "failed" },
      },
    },
    live: {
      entry: { type: "enter", params: { phase: "live" } },
      on: {
        "notes.crashed": [{ guard: "mayRestart", target: "loading" }, { target: "failed" }],
        "notes.idle": { target: "closed" },
      },
    },
    failed: {
      entry: { type: "enter", params: { phase: "failed" } },
      after: { outOfOrder: { target: "loading" } },
    },
    closed: {
      type: "final",
      // Out of the registry before whoever waits is refused: who comes next finds new notes.
      entry: [{ type: "dispose" }, { type: "enter", params: { phase: "closed" } }],
    },
  },
});

/** Starts the chart of one channel's notes and returns how to tell it what happened. */
export function startNotesLife(
  notes: NotesLife,
  clock: Clock,
  failed: (error: unknown) => void,
): (event: NotesEvent) => void {
  const actor = createActor(notesMachine, { input: notes, clock });
  actor.subscribe({ next: () => notes.settled(), error: failed });
  actor.start();
  return (event) => actor.send(event);
}
