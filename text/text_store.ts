const INITIAL_CAPACITY = 256;
/** A UTF-16 code unit takes at most this many bytes of UTF-8. */
const MAX_BYTES_PER_UNIT = 3;
/** From here on a text is encoded by itself, so as not to reserve three times its length. */
const LARGE_TEXT = 4096;

/**
 * All texts ever inserted into a document, one behind the other in UTF-8. Fragments are ranges of
 * it, so that neither a keystroke nor a split costs an array of its own. Nothing is ever removed:
 * an undo can bring deleted text back. [channels 9.4]
 */
export class TextStore {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(INITIAL_CAPACITY);
  #length = 0;
  readonly #encoder = new TextEncoder();
  // A byte order mark is text like any other here.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** Bytes stored. */
  get length(): number {
    return this.#length;
  }

  /** Adds `text` at the end; it lies between the lengths before and after. */
  append(text: string): void {
    if (text.length < LARGE_TEXT) {
      this.#reserve(text.length * MAX_BYTES_PER_UNIT);
      const { written } = this.#encoder.encodeInto(text, this.#bytes.subarray(this.#length));
      this.#length += written;
    } else {
      const bytes = this.#encoder.encode(text);
      this.#reserve(bytes.length);
      this.#bytes.set(bytes, this.#length);
      this.#length += bytes.length;
    }
  }

  /** Whether a character starts at the byte `at`. */
  isBoundary(at: number): boolean {
    return at >= this.#length || !isContinuation(this.#bytes[at]!);
  }

  /** UTF-16 code units of the bytes from `start` to `end`, both on character boundaries. */
  countUnits(start: number, end: number): number {
    const bytes = this.#bytes;
    let units = 0;
    for (let i = start; i < end; i++) units += unitsOf(bytes[i]!);
    return units;
  }

  /**
   * The byte that lies `units` UTF-16 code units behind the byte `start`; undefined if that is
   * between the halves of a surrogate pair.
   */
  skipUnits(start: number, units: number): number | undefined {
    const bytes = this.#bytes;
    let at = start;
    let left = units;
    while (left > 0 && at < this.#length) {
      left -= unitsOf(bytes[at]!);
      at++;
      while (at < this.#length && isContinuation(bytes[at]!)) at++;
    }
    return left === 0 ? at : undefined;
  }

  /** Copies the bytes from `start` to `end` into `target` at `at`. */
  copy(start: number, end: number, target: Uint8Array, at: number): void {
    target.set(this.#bytes.subarray(start, end), at);
  }

  /** The bytes from `start` to `end`, both on character boundaries, as text. */
  read(start: number, end: number): string {
    return this.decode(this.#bytes.subarray(start, end));
  }

  /** `bytes` as text. */
  decode(bytes: Uint8Array): string {
    return this.#decoder.decode(bytes);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** UTF-16 code units of the character that `byte` starts, 0 if it starts none. */
function unitsOf(byte: number): number {
  if (isContinuation(byte)) return 0;
  return byte >= 0xf0 ? 2 : 1;
}
