/** The client's side of a WebSocket, down to its frames: a library hides pings from its user. */
import { randomBytes } from "node:crypto";
import type { Socket, SocketListener } from "../../client/transport.ts";
import type { ByteStream } from "./byte_stream.ts";

const CONTINUATION = 0;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** Bytes that one message may have. [transport 1.6.10] */
const LIMIT = 64 << 20;

/** A frame of a server that no client accepts; the message says what is wrong with it. */
class FrameError extends Error {
  override readonly name = "FrameError";
}

/** An open WebSocket whose pings can be seen. */
export class RawWebSocket implements Socket {
  readonly #stream: ByteStream;
  #bytes: Uint8Array;
  #message: Uint8Array[] = [];
  #listener: SocketListener | undefined;
  /** What came before somebody listens. */
  readonly #early: Uint8Array[] = [];
  #end: string | undefined;
  readonly #pongs: (() => void)[] = [];
  readonly #ended: Promise<void>;

  /** @param rest what came behind the handshake's answer */
  constructor(stream: ByteStream, rest: Uint8Array) {
    this.#stream = stream;
    this.#bytes = rest;
    this.#ended = this.#read();
  }

  get bufferedAmount(): number {
    return this.#stream.waiting;
  }

  send(message: Uint8Array): void {
    this.#write(BINARY, message);
  }

  /** Resolves when the other side has answered a ping; never, if the connection ends before. */
  ping(): Promise<void> {
    return new Promise((resolve) => {
      this.#pongs.push(resolve);
      this.#write(PING, new Uint8Array(0));
    });
  }

  close(): void {
    this.#write(CLOSE, new Uint8Array([0x03, 0xe8]));
    this.#stream.close();
  }

  /** Resolves once nothing of the connection is left. */
  get closed(): Promise<void> {
    return this.#ended;
  }

  listen(listener: SocketListener): void {
    this.#listener = listener;
    for (const message of this.#early.splice(0)) listener.message(message);
    if (this.#end !== undefined) listener.closed(this.#end);
  }

  async #read(): Promise<void> {
    let end = "the connection was closed";
    try {
      for (;;) {
        while (this.#takeFrame());
        const chunk = await this.#stream.read();
        if (chunk === undefined) break;
        this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
      }
    } catch (error) {
      end = (error as Error).message;
    }
    await this.#stream.close();
    this.#end = end;
    this.#listener?.closed(end);
  }

  /** Handles the first frame of what was read, once it is whole. */
  #takeFrame(): boolean {
    const bytes = this.#bytes;
    if (bytes.length < 2) return false;
    const [first, second] = bytes as unknown as [number, number];
    if ((first & 0x70) !== 0) {
      throw new FrameError("a frame came compressed, which nobody asked for");
    }
    if ((second & 0x80) !== 0) {
      throw new FrameError("a frame came masked, as only clients send them");
    }
    const short = second & 0x7f;
    const begin = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.length < begin) return false;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const length = short === 126
      ? view.getUint16(2)
      : short === 127
      ? Number(view.getBigUint64(2))
      : short;
    if (length > LIMIT) {
      throw new FrameError(`a frame of ${length} bytes came, more than a client takes`);
    }
    if (bytes.length < begin + length) return false;
    this.#bytes = bytes.subarray(begin + length);
    this.#takePayload(first & 0x0f, (first & 0x80) !== 0, bytes.slice(begin, begin + length));
    return true;
  }

  #takePayload(opcode: number, final: boolean, payload: Uint8Array): void {
    if (opcode === PING) this.#write(PONG, payload);
    else if (opcode === PONG) this.#pongs.shift()?.();
    else if (opcode === CLOSE) {
      const reason = new TextDecoder().decode(payload.subarray(2));
      const code = payload.length < 2 ? "" : String((payload[0] as number) << 8 | payload[1]!);
      throw new Error(["the server closed the connection:", code, reason].join(" ").trim());
    } else if (opcode === BINARY || opcode === CONTINUATION) {
      this.#message.push(payload);
      if (!final) return;
      const message = new Uint8Array(Buffer.concat(this.#message));
      this.#message = [];
      if (this.#listener === undefined) this.#early.push(message);
      else this.#listener.message(message);
    }
    // Text is ignored, as by Zed. [transport 1.6.7]
  }

  #write(opcode: number, payload: Uint8Array): void {
    const { length } = payload;
    const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    const frame = new Uint8Array(head + 4 + length);
    const view = new DataView(frame.buffer);
    frame[0] = 0x80 | opcode;
    if (head === 2) frame[1] = 0x80 | length;
    else if (head === 4) {
      frame[1] = 0x80 | 126;
      view.setUint16(2, length);
    } else {
      frame[1] = 0x80 | 127;
      view.setBigUint64(2, BigInt(length));
    }
    const mask = randomBytes(4);
    frame.set(mask, head);
    for (let i = 0; i < length; i++) {
      frame[head + 4 + i] = (payload[i] as number) ^ (mask[i % 4] as number);
    }
    this.#stream.write(frame);
  }
}
