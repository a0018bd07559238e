/** When tokens were used, gathered so that a use costs no write of its own. */

/** A use is written at most this often, in milliseconds. */
const INTERVAL = 60_000;
/** Uses that are gathered at most. */
const MOST = 1_000;

/** Last uses that are not in the database yet. A crash loses a minute of them, which is fine. */
export class TokenUses {
  #times = new Map<number, number>();
  #since = -Infinity;

  /** Notes a use; true when it is time to write down what there is. */
  note(id: number, now: number): boolean {
    if (this.#times.size === 0) this.#since = now;
    this.#times.set(id, now);
    return this.#times.size >= MOST || now - this.#since >= INTERVAL;
  }

  /** Hands out what there is: token and time of its last use, Unix milliseconds. */
  take(): readonly (readonly [id: number, usedAt: number])[] {
    const taken = [...this.#times];
    this.#times = new Map();
    return taken;
  }
}
