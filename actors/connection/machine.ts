/** The life of one connection. A connection that crashes is dropped, its client comes back. [style A2] */
import { createActor, setup } from "xstate";
import type { Clock } from "../../lib/clock.ts";

/** Written by the chart's entry actions only; the hot path compares it. [style A5] */
export type ConnectionPhase = "handshaking" | "open" | "closed";

export type ConnectionEvent =
  /** The initial pushes are queued. */
  | { readonly type: "connection.opened" }
  /** The decision to end it, or the socket's end. [style A11] */
  | { readonly type: "connection.ended" };

export interface ConnectionLife {
  readonly handshakeTime: number;
  entered(phase: ConnectionPhase): void;
  /** The initial pushes were not queued in time. */
  handshakeTimedOut(): void;
}

const connectionMachine = setup({
  types: {
    context: {} as { connection: ConnectionLife },
    events: {} as ConnectionEvent,
    input: {} as ConnectionLife,
  },
  actions: {
    enter: ({ context }, { phase }: { phase: ConnectionPhase }) =>
      context.connection.entered(phase),
    timeOut: ({ context }) => context.connection.handshakeTimedOut(),
  },
  delays: { handshake: ({ context }) => context.connection.handshakeTime },
}).createMachine({
  id: "connection",
  context: ({ input }) => ({ connection: input }),
  initial: "handshaking",
  states: {
    handshaking: {
      on: {
        "connection.opened": { target: "open" },
        "connection.ended": { target: "closed" },
      },
      after: { handshake: { actions: "timeOut" } },
    },
    open: {
      entry: { type: "enter", params: { phase: "open" } },
      on: { "connection.ended": { target: "closed" } },
    },
    closed: { type: "final", entry: { type: "enter", params: { phase: "closed" } } },
  },
});

/** Starts the chart of one connection and returns how to tell it what happened. */
export function startConnectionLife(
  connection: ConnectionLife,
  clock: Clock,
): (event: ConnectionEvent) => void {
  const actor = createActor(connectionMachine, { input: connection, clock });
  actor.start();
  return (event) => actor.send(event);
}
