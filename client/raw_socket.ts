/**
 * A WebSocket over a stream of bytes, for runtimes that have such streams: it sees pings, sends its
 * own, sets every header of the handshake, and notices a server that is silent. [transport 1.7]
 */
import { chainText, ConnectError } from "./errors.ts";
import type { Socket, SocketListener } from "./transport.ts";
import { encodeFrame, FrameReader, Opcode } from "./web_socket_frames.ts";
import { HandshakeReader, makeHandshake } from "./web_socket_handshake.ts";

/** A connection as a runtime has it; a `Deno.Conn` is one. */
export interface ByteStream {
  /** Waits for bytes. @returns how many; null at the end. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** @returns how many were taken. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number>;
  /** Ends it, without waiting; may throw when it has ended. */
  close(): void;
}

/** When a connection counts as lost, in milliseconds. [transport 1.7] */
export interface LivenessTimes {
  /** Silence after which a ping is sent. */
  readonly keepalive: number;
  /** Silence of the server after which it counts as lost. */
  readonly receive: number;
  /** What the network does not take for so long is stuck. */
  readonly write: number;
}

/** The values of the specification. */
export const livenessTimes: LivenessTimes = { keepalive: 1_000, receive: 10_000, write: 2_000 };

/** Frames are joined up to about so many bytes a write. */
const WRITE_BATCH = 64 * 1024;

/**
 * Asks over a stream for a WebSocket. The stream is closed when that fails, or is aborted.
 *
 * @throws {ConnectError}
 */
export async function openRawSocket(
  connect: () => Promise<ByteStream>,
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
  times: LivenessTimes = livenessTimes,
): Promise<Socket> {
  const handshake = await makeHandshake(url, headers);
  signal.throwIfAborted();
  const connection = await connect();
  const abort = () => closeQuietly(connection);
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    await writeAll(connection, handshake.request);
    const reader = new HandshakeReader(url, handshake);
    const chunk = new Uint8Array(WRITE_BATCH);
    while (true) {
      const count = await connection.read(chunk);
      if (count === null) {
        throw new ConnectError(`Cannot connect to ${url.host}: it ended the connection`);
      }
      const rest = reader.feed(chunk.subarray(0, count));
      if (rest !== undefined) return new RawSocket(connection, rest, times);
    }
  } catch (error) {
    closeQuietly(connection);
    signal.throwIfAborted();
    if (error instanceof ConnectError) throw error;
    throw new ConnectError(`Cannot connect to ${url.host}: ${chainText(error)}`, { cause: error });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

class RawSocket implements Socket {
  readonly noticesSilence = true;
  readonly #connection: ByteStream;
  readonly #times: LivenessTimes;
  readonly #reader: FrameReader;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #outgoing: Uint8Array<ArrayBuffer>[] = [];
  #bufferedAmount = 0;
  #isWriting = false;
  /** Ends a last write that takes too long. */
  #lastWrite: ReturnType<typeof setTimeout> | undefined;
  /** When this program looked last, when something came, and when something was written, last. */
  #watched = performance.now();
  #received = performance.now();
  #written = performance.now();
  /** What arrived before somebody listens. */
  #early: Uint8Array[] = [];
  /** Why it ended: nothing more is received or sent. */
  #closed: string | undefined;
  #isDisconnected = false;
  #listener: SocketListener | undefined;

  /** @param rest what came behind the handshake */
  constructor(connection: ByteStream, rest: Uint8Array, times: LivenessTimes) {
    this.#connection = connection;
    this.#times = times;
    this.#reader = new FrameReader({
      message: (bytes, isBinary) => {
        if (!isBinary) return;
        if (this.#listener === undefined) this.#early.push(bytes);
        else if (this.#closed === undefined) this.#listener.message(bytes);
      },
      ping: (payload) => this.#write(encodeFrame(Opcode.Pong, payload)),
      close: () => this.#end("connection closed"),
    });
    this.#timer = setInterval(() => this.#watch(), times.keepalive / 2);
    this.#read(rest);
  }

  get bufferedAmount(): number {
    return this.#bufferedAmount;
  }

  send(message: Uint8Array): void {
    this.#write(encodeFrame(Opcode.Binary, message));
  }

  /** What was sent before still goes out. */
  close(): void {
    if (!this.#isWriting) return this.#end("closed by this client");
    if (this.#closed !== undefined) return;
    this.#stop("closed by this client");
    this.#lastWrite = setTimeout(() => this.#disconnect(), this.#times.write);
  }

  listen(listener: SocketListener): void {
    this.#listener = listener;
    for (const bytes of this.#early.splice(0)) listener.message(bytes);
    if (this.#isDisconnected) listener.closed(this.#closed as string);
  }

  async #read(rest: Uint8Array): Promise<void> {
    try {
      this.#reader.feed(rest);
      const chunk = new Uint8Array(WRITE_BATCH);
      while (this.#closed === undefined) {
        const count = await this.#connection.read(chunk);
        if (count === null) break;
        this.#received = performance.now();
        this.#reader.feed(chunk.subarray(0, count));
      }
      this.#end("connection closed");
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  #write(frame: Uint8Array<ArrayBuffer>): void {
    if (this.#closed !== undefined) return;
    this.#outgoing.push(frame);
    this.#bufferedAmount += frame.length;
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#written = performance.now();
    // Whatever is sent in one turn goes out together.
    queueMicrotask(() => this.#flush());
  }

  async #flush(): Promise<void> {
    try {
      while (this.#outgoing.length > 0) {
        const bytes = this.#nextBatch();
        await writeAll(this.#connection, bytes);
        this.#bufferedAmount = Math.max(0, this.#bufferedAmount - bytes.length);
        this.#written = performance.now();
      }
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
    this.#isWriting = false;
    if (this.#closed !== undefined) this.#disconnect();
  }

  #nextBatch(): Uint8Array<ArrayBuffer> {
    let count = 0;
    let length = 0;
    for (const { length: more } of this.#outgoing) {
      if (count > 0 && length + more > WRITE_BATCH) break;
      count++;
      length += more;
    }
    const frames = this.#outgoing.splice(0, count);
    if (count === 1) return frames[0] as Uint8Array<ArrayBuffer>;
    const batch = new Uint8Array(length);
    let at = 0;
    for (const frame of frames) {
      batch.set(frame, at);
      at += frame.length;
    }
    return batch;
  }

  #watch(): void {
    const now = performance.now();
    const { keepalive, receive, write } = this.#times;
    // This program itself stood still: what came meanwhile has not been looked at yet.
    if (now - this.#watched > write) this.#received = this.#written = now;
    this.#watched = now;
    if (now - this.#received > receive) this.#end("delay between messages too long");
    else if (this.#isWriting && now - this.#written > write) {
      this.#end("the network does not take what is sent");
    } else if (!this.#isWriting && now - this.#written >= keepalive / 2) {
      this.#write(encodeFrame(Opcode.Ping, new Uint8Array()));
    }
  }

  /** Ends it; what is not yet written is lost. */
  #end(reason: string): void {
    this.#stop(reason);
    this.#outgoing.length = 0;
    this.#disconnect();
  }

  #stop(reason: string): void {
    this.#closed ??= reason;
    clearInterval(this.#timer);
  }

  #disconnect(): void {
    if (this.#isDisconnected) return;
    this.#isDisconnected = true;
    clearTimeout(this.#lastWrite);
    this.#bufferedAmount = 0;
    // Neither side of this protocol says good-bye. [transport 1.6.9]
    closeQuietly(this.#connection);
    this.#listener?.closed(this.#closed as string);
  }
}

async function writeAll(connection: ByteStream, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function closeQuietly(connection: ByteStream): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
