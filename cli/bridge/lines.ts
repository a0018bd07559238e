/** Lines of a byte stream, as they are: the last one may have no end. [agents 4a] */

const END = 10;

/** Puts lines together again whose bytes came in parts. */
export class LineSplitter {
  #parts: Uint8Array[] = [];

  /** The lines that are whole now, each with its line end. */
  *push(bytes: Uint8Array): Generator<Uint8Array> {
    let from = 0;
    for (let end = bytes.indexOf(END); end >= 0; end = bytes.indexOf(END, from)) {
      yield this.#join(bytes.subarray(from, end + 1));
      from = end + 1;
    }
    if (from < bytes.length) this.#parts.push(bytes.slice(from));
  }

  /** What came behind the last line end; empty if nothing did. */
  rest(): Uint8Array {
    return this.#join(new Uint8Array());
  }

  #join(last: Uint8Array): Uint8Array {
    if (this.#parts.length === 0) return last;
    const parts = [...this.#parts, last];
    this.#parts = [];
    const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}
