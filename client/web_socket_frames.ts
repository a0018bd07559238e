/** The bytes of a WebSocket, on a client's side. RFC 6455, section 5. */

/** What a frame is. */
export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

/** Bytes that a message may have, in one frame or in many. [transport 1.6.10] */
const MAX_MESSAGE = 64 * 1024 * 1024;

/** Bytes that a control frame may have. */
const MAX_CONTROL = 125;

/** The server broke a rule of the WebSocket protocol. */
export class WebSocketError extends Error {
  override readonly name = "WebSocketError";
}

/** One frame, masked with a key of its own. */
export function encodeFrame(opcode: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 0x10000 ? 2 : 8;
  const start = 6 + lengthBytes;
  // The payload begins at a multiple of four, so that four bytes are masked at once.
  const offset = -start & 3;
  const words = (length + 3) >> 2;
  const buffer = new ArrayBuffer(offset + start + 4 * words);
  const frame = new Uint8Array(buffer, offset, start + length);
  const view = new DataView(buffer, offset);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) view.setUint16(2, length);
  else if (lengthBytes === 8) view.setBigUint64(2, BigInt(length));
  frame.set(crypto.getRandomValues(new Uint8Array(4)), start - 4);
  frame.set(payload, start);
  const mask = new Uint32Array(buffer, offset + start - 4, 1)[0] as number;
  const body = new Uint32Array(buffer, offset + start, words);
  for (let at = 0; at < words; at++) body[at] = (body[at] as number) ^ mask;
  return frame;
}

/** Takes what a {@link FrameReader} reads. */
export interface FrameListener {
  /** A whole message, in bytes that are the listener's. */
  message(bytes: Uint8Array, isBinary: boolean): void;
  /** A ping, which wants a pong with the same bytes. */
  ping(payload: Uint8Array): void;
  /** A pong, which answers a ping. */
  pong?(): void;
  /** The server closes: a code in two bytes, then its reason, or nothing. */
  close(payload: Uint8Array): void;
}

/** Cuts what a server sends into messages. */
export class FrameReader {
  readonly #listener: FrameListener;
  #buffer = new Uint8Array(16 * 1024);
  #start = 0;
  #end = 0;
  /** Frames of a message that is not complete. */
  #parts: Uint8Array[] = [];
  #partsLength = 0;
  #partsOpcode = -1;

  constructor(listener: FrameListener) {
    this.#listener = listener;
  }

  /** Takes bytes as they come. @throws {WebSocketError} */
  feed(bytes: Uint8Array): void {
    this.#append(bytes);
    while (this.#readFrame());
  }

  #append(bytes: Uint8Array): void {
    const kept = this.#end - this.#start;
    const needed = kept + bytes.length;
    if (this.#end + bytes.length > this.#buffer.length) {
      const isRoomy = needed <= this.#buffer.length;
      const target = isRoomy ? this.#buffer : new Uint8Array(2 ** Math.ceil(Math.log2(needed)));
      // Also within one buffer, where the two may overlap.
      target.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = target;
      this.#start = 0;
      this.#end = kept;
    }
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Reads one frame; false when it is not all there. */
  #readFrame(): boolean {
    const available = this.#end - this.#start;
    if (available < 2) return false;
    const first = this.#buffer[this.#start] as number;
    const second = this.#buffer[this.#start + 1] as number;
    if ((first & 0x70) !== 0) throw new WebSocketError("A frame uses an extension");
    if ((second & 0x80) !== 0) throw new WebSocketError("A frame of the server is masked");
    let length = second & 0x7f;
    let head = 2;
    if (length > 125) {
      head = length === 126 ? 4 : 10;
      if (available < head) return false;
      const view = new DataView(this.#buffer.buffer, this.#start + 2);
      length = head === 4 ? view.getUint16(0) : Number(view.getBigUint64(0));
    }
    if (length + this.#partsLength > MAX_MESSAGE) {
      throw new WebSocketError(`A message has more than ${MAX_MESSAGE} bytes`);
    }
    if (available < head + length) return false;
    const payload = this.#buffer.slice(this.#start + head, this.#start + head + length);
    this.#start += head + length;
    if (this.#start === this.#end) this.#start = this.#end = 0;
    this.#take(first & 15, (first & 0x80) !== 0, payload);
    return true;
  }

  #take(opcode: number, isFinal: boolean, payload: Uint8Array): void {
    if (opcode >= Opcode.Close) return this.#takeControl(opcode, isFinal, payload);
    const isContinuation = opcode === Opcode.Continuation;
    if (opcode > Opcode.Binary || isContinuation !== (this.#partsOpcode >= 0)) {
      throw new WebSocketError(`A frame with the opcode ${opcode} is out of place`);
    }
    if (isFinal && !isContinuation) {
      return this.#listener.message(payload, opcode === Opcode.Binary);
    }
    if (!isContinuation) this.#partsOpcode = opcode;
    this.#parts.push(payload);
    this.#partsLength += payload.length;
    if (!isFinal) return;
    const whole = new Uint8Array(this.#partsLength);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    const isBinary = this.#partsOpcode === Opcode.Binary;
    this.#parts = [];
    this.#partsLength = 0;
    this.#partsOpcode = -1;
    this.#listener.message(whole, isBinary);
  }

  #takeControl(opcode: number, isFinal: boolean, payload: Uint8Array): void {
    if (!isFinal || payload.length > MAX_CONTROL || opcode > Opcode.Pong) {
      throw new WebSocketError(`A control frame with the opcode ${opcode} is malformed`);
    }
    if (opcode === Opcode.Close) this.#listener.close(payload);
    else if (opcode === Opcode.Ping) this.#listener.ping(payload);
    else this.#listener.pong?.();
  }
}
