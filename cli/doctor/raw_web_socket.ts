/** A WebSocket whose pings can be seen, over a connection whose handshake has been looked at. */
import type { Socket, SocketListener } from "../../client/transport.ts";
import { encodeFrame, FrameReader, Opcode } from "../../client/web_socket_frames.ts";
import type { ByteStream } from "./byte_stream.ts";

/** An open WebSocket. */
export class RawWebSocket implements Socket {
  readonly #stream: ByteStream;
  readonly #reader: FrameReader;
  #listener: SocketListener | undefined;
  /** What came before somebody listens. */
  readonly #early: Uint8Array[] = [];
  /** Why it ended. */
  #end: string | undefined;
  readonly #pongs: (() => void)[] = [];
  readonly #ended: Promise<void>;

  /** @param rest what came behind the handshake's answer */
  constructor(stream: ByteStream, rest: Uint8Array) {
    this.#stream = stream;
    this.#reader = new FrameReader({
      message: (bytes, isBinary) => {
        if (!isBinary) return;
        if (this.#listener === undefined) this.#early.push(bytes);
        else this.#listener.message(bytes);
      },
      ping: (payload) => stream.write(encodeFrame(Opcode.Pong, payload)),
      pong: () => this.#pongs.shift()?.(),
      close: (payload) => {
        const code = payload.length < 2 ? "" : new DataView(payload.buffer).getUint16(0);
        const reason = new TextDecoder().decode(payload.subarray(2));
        this.#end ??= ["the server closed the connection:", code, reason].join(" ").trim();
      },
    });
    this.#ended = this.#read(rest);
  }

  get bufferedAmount(): number {
    return this.#stream.waiting;
  }

  send(message: Uint8Array): void {
    this.#stream.write(encodeFrame(Opcode.Binary, message));
  }

  /** Resolves when the other side has answered a ping; never, if the connection ends before. */
  ping(): Promise<void> {
    return new Promise((resolve) => {
      this.#pongs.push(resolve);
      this.#stream.write(encodeFrame(Opcode.Ping, new Uint8Array()));
    });
  }

  close(): void {
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

  async #read(rest: Uint8Array): Promise<void> {
    try {
      let bytes: Uint8Array | undefined = rest;
      while (bytes !== undefined && this.#end === undefined) {
        this.#reader.feed(bytes);
        bytes = await this.#stream.read();
      }
      this.#end ??= "the connection was closed";
    } catch (error) {
      this.#end ??= (error as Error).message;
    }
    await this.#stream.close();
    this.#listener?.closed(this.#end);
  }
}
