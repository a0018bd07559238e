/** Looks into the accounts before a message is handled, without changing the order of messages. */
import { RpcError } from "../rpc/errors.ts";
import { copied } from "./inbound.ts";
import { checkReads, countedRead } from "./reading.ts";
import type { Inbound } from "./refs/mod.ts";
import { refuse } from "./refuse.ts";
import type { ActorSystem } from "./system.ts";

type Handle = (inbound: Inbound, exists: (userId: number) => boolean) => void;

export class Lookups {
  readonly #system: ActorSystem;
  /** The last of the messages that wait, in their order. */
  #last: Promise<void> | undefined;

  constructor(system: ActorSystem) {
    this.#system = system;
  }

  /**
   * Handles a message when it is known which of the users exist: at once where they are in memory and
   * nothing waits. Whatever comes behind a message that waits, waits behind it; of a connection that
   * waits for too much, requests are refused, and what nobody answers ends it, as it would be lost.
   */
  inOrder(inbound: Inbound, userIds: readonly number[], handle: Handle): void {
    if (this.#last === undefined && userIds.length === 0) {
      handle(inbound, () => false);
      return;
    }
    try {
      checkReads(inbound.connection);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      if (inbound.route.answers.length > 0) refuse(this.#system, inbound, error);
      else inbound.connection.drop("error");
      return;
    }
    const found = userIds.length === 0 ? [] : this.#system.directory.find(userIds);
    if (this.#last === undefined && !(found instanceof Promise)) {
      handle(inbound, (id) => found.some((user) => user.id === id));
      return;
    }
    const kept = copied(inbound);
    const before = this.#last ?? Promise.resolve();
    const step: Promise<void> = countedRead(inbound.connection, before.then(() => found)).then(
      (users) => handle(kept, (id) => users.some((user) => user.id === id)),
      (error) => {
        this.#system.log.error("Accounts cannot be read: {error}", { error });
        refuse(this.#system, kept, RpcError.databaseAway());
      },
    ).then(() => {
      if (this.#last === step) this.#last = undefined;
    });
    this.#last = step;
  }
}
