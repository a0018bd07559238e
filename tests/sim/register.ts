/**
 * What the database may hold of something that its host tells in messages without an answer: the
 * last value that is known to have arrived, or one of those told since.
 */
interface Candidate {
  readonly text: string;
  /** Place in the order of what the host sent; `Infinity` when it may be lost for good. */
  order: number;
}

export class Register {
  #candidates: Candidate[] = [{ text: ABSENT, order: -1 }];

  /** The host has told a value. */
  tell(text: string, order: number): void {
    this.#candidates.push({ text, order });
  }

  /** Everything sent up to `order` has arrived. */
  confirm(order: number): void {
    const last = this.#candidates.findLastIndex((one) => one.order <= order);
    if (last > 0) this.#candidates.splice(0, last);
  }

  /** What has not been confirmed may never be. */
  doubt(): void {
    for (const one of this.#candidates.slice(1)) one.order = Infinity;
  }

  /** May the database hold this? */
  allows(text: string): boolean {
    return this.#candidates.some((one) => one.text === text);
  }

  /** For messages of failures. */
  toString(): string {
    return this.#candidates.map(({ text }) => text).join(" or ");
  }
}

/** The value of what is not there. */
export const ABSENT = "absent";
