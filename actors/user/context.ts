/** What a user's handlers work with in one turn. */
import type { Inbound, UserRef } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import type { Turn } from "../turn.ts";
import type { Graces } from "./graces.ts";
import type { UserState } from "./state.ts";

export interface UserContext {
  readonly system: ActorSystem;
  readonly turn: Turn;
  readonly user: UserState;
  readonly ref: UserRef;
  readonly graces: Graces;
  /** Runs a task of this user's later, in a turn of its own. */
  later(task: (context: UserContext) => void): void;
  /** Handles a client's message that had to wait, in a turn of its own. */
  handleAgain(inbound: Inbound): void;
}

/** A context with the client's message that the turn is about. */
export interface UserRequestContext extends UserContext {
  readonly inbound: Inbound;
  /** Whether a user whom the message names has an account. */
  exists(userId: number): boolean;
}

/** Sends to every connection of the user. */
export function pushAll({ turn, user }: UserContext, field: Uint8Array): void {
  for (const key of user.connections.keys()) turn.push(key, field);
}
