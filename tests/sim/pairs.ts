/** What is certain about two users' contact, from the answers that both got. */
interface Pair {
  /** Requests that have no end yet. */
  open: number;
  /** Counts the requests. */
  version: number;
  /** `undefined` while it is not certain. */
  state: "contacts" | "strangers" | undefined;
}

export class ContactPairs {
  readonly #pairs = new Map<string, Pair>();

  /**
   * Follows a request of one of two users to its end.
   *
   * @param result what they are to each other once it has succeeded, if that says it
   */
  async follow(
    one: bigint,
    other: bigint,
    result: "contacts" | "strangers" | undefined,
    request: Promise<unknown>,
  ): Promise<void> {
    const pair = this.#pair(one, other);
    const before = pair.open === 0 ? pair.state : undefined;
    const version = ++pair.version;
    pair.open++;
    pair.state = undefined;
    try {
      await request;
      if (version === pair.version && pair.open === 1) pair.state = result;
    } catch (error) {
      // Refused: nothing has changed. Lost: who knows.
      if (version === pair.version && pair.open === 1 && "code" in (error as object)) {
        pair.state = before;
      }
      throw error;
    } finally {
      pair.open--;
    }
  }

  /** Pairs of users by ids, the smaller first, of whom it is certain. */
  *certain(): Generator<[a: number, b: number, areContacts: boolean]> {
    for (const [key, { state }] of this.#pairs) {
      const [a = 0, b = 0] = key.split(" ").map(Number);
      if (state !== undefined) yield [a, b, state === "contacts"];
    }
  }

  /** An actor was thrown back: what its last answers said may not hold. */
  doubt(): void {
    for (const pair of this.#pairs.values()) pair.state = undefined;
  }

  #pair(one: bigint, other: bigint): Pair {
    const key = one < other ? `${one} ${other}` : `${other} ${one}`;
    let pair = this.#pairs.get(key);
    if (pair === undefined) this.#pairs.set(key, pair = { open: 0, version: 0, state: undefined });
    return pair;
  }
}
