/** The life of a chat's actor: there while somebody is in it, or wants something of it. [style A4] */
import { createActor, fromPromise, setup } from "xstate";
import type { Clock } from "../../lib/clock.ts";
import type { Phase } from "../cell.ts";

export type ChatEvent =
  /** A turn threw, or the database refused what it wrote. */
  | { readonly type: "chat.crashed"; readonly mayRestart: boolean }
  /** Nobody is in it, nothing waits. */
  | { readonly type: "chat.idle" }
  /** The channel is gone. */
  | { readonly type: "chat.ended" };

/** What the chart needs of its chat. */
export interface ChatLife {
  /** Waits until what was written is stored or refused: all else is read when it is asked for. */
  restart(): Promise<void>;
  entered(phase: Phase): void;
  /** Called behind every transition, when its actions are done. */
  settled(): void;
  /** Forgets the chat everywhere. */
  dispose(): void;
}

/** A chat that failed too often is refused for this long, milliseconds. */
const OUT_OF_ORDER = 60_000;

const chatMachine = setup({
  types: {
    context: {} as { chat: ChatLife },
    events: {} as ChatEvent,
    input: {} as ChatLife,
  },
  actors: {
    restart: fromPromise<void, ChatLife>(({ input }) => input.restart()),
  },
  guards: {
    mayRestart: ({ event }) => event.type === "chat.crashed" && event.mayRestart,
  },
  actions: {
    enter: ({ context }, { phase }: { phase: Phase }) => context.chat.entered(phase),
    dispose: ({ context }) => context.chat.dispose(),
  },
  delays: { outOfOrder: OUT_OF_ORDER },
}).createMachine({
  id: "chat",
  context: ({ input }) => ({ chat: input }),
  initial: "live",
  on: { "chat.ended": { target: ".closed" } },
  states: {
    live: {
      entry: { type: "enter", params: { phase: "live" } },
      on: {
        "chat.crashed": [{ guard: "mayRestart", target: "loading" }, { target: "failed" }],
        "chat.idle": { target: "closed" },
      },
    },
    loading: {
      entry: { type: "enter", params: { phase: "loading" } },
      invoke: {
        src: "restart",
        input: ({ context }) => context.chat,
        onDone: { target: "live" },
        onError: { target: "failed" },
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

/** Starts the chart of one chat and returns how to tell it what happened. */
export function startChatLife(
  chat: ChatLife,
  clock: Clock,
  failed: (error: unknown) => void,
): (event: ChatEvent) => void {
  const actor = createActor(chatMachine, { input: chat, clock });
  actor.subscribe({ next: () => chat.settled(), error: failed });
  actor.start();
  return (event) => actor.send(event);
}
