/** How long one message took: at debug level the log tells it of each. [rooms 5.8] */
import type { ActorSystem } from "./system.ts";

export class Handling {
  readonly #system: Pick<ActorSystem, "clock" | "log">;
  readonly #address: string;
  readonly #message: string;
  readonly #received: number;

  /** @param address the connection that sent it, which is received now */
  constructor(system: Pick<ActorSystem, "clock" | "log">, address: string, message: string) {
    this.#system = system;
    this.#address = address;
    this.#message = message;
    this.#received = system.clock.now();
  }

  /** Handles it; what it took since it was received is its wait and its work. */
  run(handle: () => void): void {
    const { clock, log } = this.#system;
    const begun = clock.now();
    try {
      handle();
    } finally {
      const now = clock.now();
      log.debug(
        "{address} {message}: {totalMs} ms, {queueMs} of them waiting and {processingMs} in work",
        {
          address: this.#address,
          message: this.#message,
          totalMs: now - this.#received,
          queueMs: begun - this.#received,
          processingMs: now - begun,
        },
      );
    }
  }

  /**
   * Another client has answered, or will not any more.
   *
   * @param running requests of the same connection that still wait for other clients
   */
  answered(running: number): void {
    const { clock, log } = this.#system;
    log.debug("{address} {message}: answered after {hostMs} ms, {running} more wait", {
      address: this.#address,
      message: this.#message,
      hostMs: clock.now() - this.#received,
      running,
    });
  }
}

/** Runs what handles a message, timed where its times are told. */
export function timed(
  { handling }: { readonly handling?: Handling | undefined },
  handle: () => void,
): void {
  if (handling === undefined) handle();
  else handling.run(handle);
}
