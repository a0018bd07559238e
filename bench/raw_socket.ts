/**
 * A WebSocket over plain TCP that can do without looking at what it receives: two processors have
 * to do for the server and for all of its clients, so clients must cost next to nothing.
 */
import type { Socket, SocketListener, Transport } from "../client/transport.ts";

/** Bytes read at a time; an idle connection should not take more. */
const SMALL_READ = 4 * 1024;
/** Bytes read at a time by a connection that only counts. */
const LARGE_READ = 64 * 1024;

const BINARY = 0x82;
const PING = 9;
const PONG = 0x8a;
const CLOSE = 8;

/** A message as a client's frame, masked as the protocol wants it. */
export function clientFrame(message: Uint8Array, first = BINARY): Uint8Array<ArrayBuffer> {
  const { length } = message;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = new Uint8Array(2 + lengthBytes + 4 + length);
  const view = new DataView(frame.buffer);
  frame[0] = first;
  frame[1] = 0x80 | (length < 126 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) view.setUint16(2, length);
  if (lengthBytes === 8) view.setBigUint64(2, BigInt(length));
  const mask = [0x5a, 0xc3, 0x17, 0xe9];
  let at = 2 + lengthBytes;
  for (const byte of mask) frame[at++] = byte;
  for (let index = 0; index < length; index++) {
    frame[at + index] = (message[index] as number) ^ (mask[index & 3] as number);
  }
  return frame;
}

/** The bytes of a handshake, to be made before the clock runs. */
export function handshake(url: URL, headers: Readonly<Record<string, string>>): Uint8Array {
  const lines = [
    `GET ${url.pathname} HTTP/1.1`,
    `host: ${url.host}`,
    "connection: upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
}

/** Told how many messages have arrived at once. */
export type Counting = (messages: number) => void;

/** One connection: it counts messages, or hands them to a peer while it has a listener. */
export class RawSocket implements Socket {
  readonly bufferedAmount = 0;
  /** So that nobody sends pings, whose answers would be counted; a server that ends closes it. */
  readonly noticesSilence = true;
  /** Messages that have arrived, all in all. */
  received = 0;
  /** Bytes that have arrived behind the handshake. */
  receivedBytes = 0;
  readonly #tcp: Deno.TcpConn;
  #buffer = new Uint8Array(SMALL_READ);
  /** The beginning of a frame's header, until the rest is there. */
  #partial = new Uint8Array(0);
  /** Bytes of the frame at hand that are still to come. */
  #missing = 0;
  #isMessage = false;
  #parts: Uint8Array[] = [];
  #early: Uint8Array[] = [];
  #listener: SocketListener | undefined;
  #counting: Counting | undefined;
  #sending: Promise<void> = Promise.resolve();
  #isClosed = false;

  private constructor(tcp: Deno.TcpConn) {
    this.#tcp = tcp;
  }

  /**
   * Connects and shakes hands.
   *
   * @param counting counts from the first message on; without it messages wait for a listener
   * @throws {Error} the answer is not 101
   */
  static async open(url: URL, request: Uint8Array, counting?: Counting): Promise<RawSocket> {
    const tcp = await Deno.connect({ hostname: url.hostname, port: Number(url.port) });
    tcp.setNoDelay(true);
    const socket = new RawSocket(tcp);
    socket.#counting = counting;
    await socket.#write(request);
    const rest = await socket.#readAnswer();
    socket.#take(rest);
    void socket.#readAll();
    return socket;
  }

  listen(listener: SocketListener): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    for (const message of early) listener.message(message);
  }

  /** From here on messages are only counted; whoever listened before is told of the end alone. */
  count(counting: Counting): void {
    this.#counting = counting;
    this.#buffer = new Uint8Array(LARGE_READ);
  }

  send(message: Uint8Array): void {
    this.sendFrames(clientFrame(message));
  }

  /** Sends what {@link clientFrame} has made, one or many. */
  sendFrames(frames: Uint8Array): void {
    this.#sending = this.#sending.then(() => this.#write(frames)).catch(() => this.close());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#tcp.close();
    this.#listener?.closed("closed");
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#tcp.write(bytes.subarray(at));
  }

  /** What follows the head of the answer. */
  async #readAnswer(): Promise<Uint8Array> {
    let head = "";
    while (true) {
      const count = await this.#tcp.read(this.#buffer);
      if (count === null) throw new Error(`Cannot shake hands: the server closed after "${head}"`);
      const before = head.length;
      for (let at = 0; at < count; at++) head += String.fromCharCode(this.#buffer[at] as number);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) continue;
      if (!head.startsWith("HTTP/1.1 101")) {
        this.close();
        throw new Error(`Cannot shake hands: the server answered "${head.split("\r\n")[0]}"`);
      }
      return this.#buffer.slice(end + 4 - before, count);
    }
  }

  async #readAll(): Promise<void> {
    try {
      while (true) {
        const buffer = this.#buffer;
        const count = await this.#tcp.read(buffer);
        if (count === null) break;
        this.#take(buffer.subarray(0, count));
      }
    } catch (error) {
      if (!this.#isClosed && !(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    this.close();
  }

  #take(chunk: Uint8Array): void {
    let bytes = chunk;
    if (this.#partial.length > 0) {
      bytes = new Uint8Array(this.#partial.length + chunk.length);
      bytes.set(this.#partial);
      bytes.set(chunk, this.#partial.length);
      this.#partial = new Uint8Array(0);
    }
    let messages = 0;
    let at = 0;
    while (at < bytes.length || (this.#missing === 0 && this.#isMessage)) {
      if (this.#missing > 0 || this.#isMessage) {
        const taken = Math.min(this.#missing, bytes.length - at);
        if (this.#counting === undefined) this.#parts.push(bytes.slice(at, at + taken));
        at += taken;
        this.#missing -= taken;
        if (this.#missing > 0) break;
        if (this.#isMessage) messages++;
        if (this.#isMessage && this.#counting === undefined) this.#deliver();
        this.#isMessage = false;
        continue;
      }
      const headerEnd = this.#readHeader(bytes, at);
      if (headerEnd < 0) {
        this.#partial = bytes.slice(at);
        break;
      }
      at = headerEnd;
    }
    this.receivedBytes += chunk.length;
    this.received += messages;
    if (messages > 0) this.#counting?.(messages);
  }

  /** Offset behind the frame's header, -1 when it is not whole. */
  #readHeader(bytes: Uint8Array, at: number): number {
    const available = bytes.length - at;
    if (available < 2) return -1;
    const short = (bytes[at + 1] as number) & 127;
    const size = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (available < size) return -1;
    this.#missing = short;
    if (size > 2) {
      this.#missing = 0;
      for (let index = at + 2; index < at + size; index++) {
        this.#missing = this.#missing * 256 + (bytes[index] as number);
      }
    }
    const opcode = (bytes[at] as number) & 15;
    this.#isMessage = opcode < CLOSE;
    if (opcode === PING) this.sendFrames(clientFrame(new Uint8Array(0), PONG));
    return at + size;
  }

  #deliver(): void {
    const parts = this.#parts;
    this.#parts = [];
    const message = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      message.set(part, at);
      at += part.length;
    }
    if (this.#listener === undefined) this.#early.push(message);
    else this.#listener.message(message);
  }
}

/** For peers that are to be counted later. */
export class RawTransport implements Transport {
  /** The socket that was opened last. */
  socket: RawSocket | undefined;

  async connect(url: URL, headers: Readonly<Record<string, string>>): Promise<RawSocket> {
    this.socket = await RawSocket.open(url, handshake(url, headers));
    return this.socket;
  }
}
