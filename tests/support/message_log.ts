import type { Dispatcher } from "../../client/dispatcher.ts";
import type { MessageName, MessageTypes } from "../../proto/mod.ts";
import { waitUntil } from "./wait_until.ts";

/** A message as it came, requests of the server included. */
export interface Logged {
  readonly name: MessageName;
  readonly message: unknown;
}

/** Notes all messages of a dispatcher from its begin, and hands them out by their names. */
export class MessageLog {
  /** Everything so far, in the order of arrival. */
  readonly all: Logged[] = [];
  /** Per name, how many were handed out by {@link next}. */
  readonly #taken = new Map<MessageName, number>();

  constructor(dispatcher: Dispatcher) {
    dispatcher.observe((name, message) => void this.all.push({ name, message }));
  }

  /** Names of everything so far, in the order of arrival. */
  get names(): MessageName[] {
    return this.all.map(({ name }) => name);
  }

  /** Messages of that name so far. */
  of<N extends MessageName>(name: N): MessageTypes[N][] {
    return this.all.filter((logged) => logged.name === name)
      .map(({ message }) => message as MessageTypes[N]);
  }

  /** The first message of that name which fits and was not handed out; waits for it. */
  async next<N extends MessageName>(
    name: N,
    fits: (message: MessageTypes[N]) => boolean = () => true,
  ): Promise<MessageTypes[N]> {
    return await waitUntil(() => {
      const found = this.of(name);
      const at = found.findIndex((message, index) =>
        index >= (this.#taken.get(name) ?? 0) && fits(message)
      );
      if (at < 0) return undefined;
      this.#taken.set(name, at + 1);
      return found[at] as MessageTypes[N];
    }, {
      describe: () => `${name}; there were ${this.names.join(", ") || "no messages"}`,
    }) as MessageTypes[N];
  }
}
