/** The environment variable that repeats a failed run: `PARLEY_SEED=123 deno task test …`. */
export const SEED_VARIABLE = "PARLEY_SEED";

/**
 * Random numbers that a seed repeats exactly, on every machine (xoshiro128**, its state spread from
 * the seed by splitmix32). Not for secrets.
 */
export class RandomSource {
  /** What was given to the constructor, as an unsigned 32-bit number. */
  readonly seed: number;
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    let state = this.seed;
    const spread = () => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return z ^ (z >>> 16);
    };
    this.#a = spread();
    this.#b = spread();
    this.#c = spread();
    this.#d = spread();
  }

  /** The next 32 bits, as an unsigned number. */
  uint32(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result >>> 0;
  }

  /** A number from 0 up to, not including, 1. */
  next(): number {
    return ((this.uint32() >>> 5) * 0x4000000 + (this.uint32() >>> 6)) / 0x20000000000000;
  }

  /** A whole number from 0 up to, not including, `n`. */
  int(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) throw new RangeError(`Cannot choose among ${n} numbers`);
    return Math.floor(this.next() * n);
  }

  /** True with probability `p`. */
  chance(p: number): boolean {
    return this.next() < p;
  }

  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError("Cannot pick from an empty list");
    return list[this.int(list.length)] as T;
  }

  /** A new list with the same elements in another order. */
  shuffle<T>(list: readonly T[]): T[] {
    const result = [...list];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [result[i], result[j]] = [result[j] as T, result[i] as T];
    }
    return result;
  }

  /** `n` random bytes. */
  bytes(n: number): Uint8Array<ArrayBuffer> {
    const result = new Uint8Array(n);
    for (let i = 0; i < n; i++) result[i] = this.uint32();
    return result;
  }

  /** All 64 bits, for ids. */
  uint64(): bigint {
    return (BigInt(this.uint32()) << 32n) | BigInt(this.uint32());
  }

  /**
   * A source of its own for one part of a test: how much that part draws does not change what the
   * others get.
   */
  fork(): RandomSource {
    return new RandomSource(this.uint32());
  }

  /** `seed 123`, for messages of failing tests. */
  toString(): string {
    return `seed ${this.seed}`;
  }
}

/**
 * A source whose seed is printed with `what`, so that a failure can be repeated. The seed is the one
 * of the environment (`PARLEY_SEED`) or, without one, new in each run.
 */
export function printedRandom(what: string): RandomSource {
  const given = Deno.env.get(SEED_VARIABLE);
  if (given !== undefined && !/^\d+$/.test(given)) {
    throw new TypeError(`${SEED_VARIABLE} must be a whole number: "${given}"`);
  }
  const seed = given === undefined ? crypto.getRandomValues(new Uint32Array(1))[0] : Number(given);
  const random = new RandomSource(seed as number);
  // deno-lint-ignore no-console
  console.log(`${what}: repeat with ${SEED_VARIABLE}=${random.seed}`);
  return random;
}
