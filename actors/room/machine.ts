/** The life of a room. [style A4] */
import { createActor, fromPromise, setup } from "xstate";
import type { Clock } from "../../lib/clock.ts";
import type { Phase } from "../cell.ts";

export type RoomEvent =
  /** A turn threw: the state in memory is not to be trusted. */
  | { readonly type: "room.crashed"; readonly mayRestart: boolean }
  /** Nobody is active in it any more. */
  | { readonly type: "room.emptied" };

/** What the chart needs of its room. */
export interface RoomLife {
  /** A room that was made just now has nothing to load. */
  readonly fresh: boolean;
  /** Reads the room back as it is stored; false when it is not there: it has ended, or never began. */
  load(signal: AbortSignal): Promise<boolean>;
  entered(phase: Phase): void;
  /** Called behind every transition, when its actions are done. */
  settled(): void;
  /** Forgets the room everywhere. */
  dispose(): void;
}

/** A room that failed too often is refused for this long, milliseconds. */
const OUT_OF_ORDER = 60_000;

const roomMachine = setup({
  types: {
    context: {} as { room: RoomLife },
    events: {} as RoomEvent,
    input: {} as RoomLife,
  },
  actors: {
    load: fromPromise<boolean, RoomLife>(({ input, signal }) => input.load(signal)),
  },
  guards: {
    fresh: ({ context }) => context.room.fresh,
    mayRestart: ({ event }) => event.type === "room.crashed" && event.mayRestart,
  },
  actions: {
    enter: ({ context }, { phase }: { phase: Phase }) => context.room.entered(phase),
    dispose: ({ context }) => context.room.dispose(),
  },
  delays: { outOfOrder: OUT_OF_ORDER },
}).createMachine({
  id: "room",
  context: ({ input }) => ({ room: input }),
  initial: "starting",
  states: {
    starting: { always: [{ guard: "fresh", target: "live" }, { target: "loading" }] },
    loading: {
      entry: { type: "enter", params: { phase: "loading" } },
      invoke: {
        src: "load",
        input: ({ context }) => context.room,
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
        "room.crashed": [{ guard: "mayRestart", target: "loading" }, { target: "failed" }],
        "room.emptied": { target: "closed" },
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

/** Starts the chart of one room and returns how to tell it what happened. */
export function startRoomLife(
  room: RoomLife,
  clock: Clock,
  failed: (error: unknown) => void,
): (event: RoomEvent) => void {
  const actor = createActor(roomMachine, { input: room, clock });
  actor.subscribe({ next: () => room.settled(), error: failed });
  actor.start();
  return (event) => actor.send(event);
}
