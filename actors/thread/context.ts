/** What the handlers of a thread work with. */
import type { ActorSystem } from "../system.ts";
import type { Turn } from "../turn.ts";
import type { ThreadState } from "./state.ts";
import type { Tail } from "./tail.ts";

export interface ThreadContext {
  readonly system: ActorSystem;
  readonly turn: Turn;
  readonly userId: number;
  readonly threadId: string;
  readonly state: ThreadState;
  readonly tail: Tail;
  /** The thread's row is written at the end of the turn. */
  changed(): void;
  /** There is no such thread any more: its actor ends behind this turn. */
  end(): void;
}
