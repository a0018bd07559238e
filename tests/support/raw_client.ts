import { waitUntil } from "./wait_until.ts";

const CONTINUATION = 0x0;
const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const FIN = 0x80;
const MASKED = 0x80;

/** Names of the WebSocket's frames. */
export const Opcode = { CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG } as const;

/** A frame as the server sent it. */
export interface RawFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/**
 * A TCP connection on which a test writes HTTP and WebSocket bytes by hand. It reads only while
 * somebody waits for something, so that it can be a peer that never reads.
 */
export class RawClient implements Disposable {
  readonly #tcp: Deno.TcpConn;
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #ended = false;
  #disposed = false;

  private constructor(tcp: Deno.TcpConn) {
    this.#tcp = tcp;
  }

  /** Connects, and says nothing. */
  static async connect(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    return new RawClient(await Deno.connect({ hostname, port: Number(port) }));
  }

  /** Writes text or bytes. @throws when the server has ended the connection */
  async write(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    for (let at = 0; at < bytes.length;) at += await this.#tcp.write(bytes.subarray(at));
  }

  /** Writes a request without a body. */
  async request(
    path: string,
    headers: Readonly<Record<string, string>>,
    method = "GET",
  ): Promise<void> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    await this.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  }

  /** Reads the head of an answer. */
  async response(): Promise<{ readonly status: number; readonly headers: Headers }> {
    let end = -1;
    await this.#until(() => (end = find(this.#buffer, "\r\n\r\n")) >= 0);
    const [first = "", ...lines] = new TextDecoder().decode(this.#take(end + 4)).trimEnd()
      .split("\r\n");
    const headers = new Headers();
    for (const line of lines) {
      const colon = line.indexOf(":");
      headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
    }
    return { status: Number(first.split(" ")[1]), headers };
  }

  /** The text behind the head of an answer, as long as its headers say. */
  async text(headers: Headers): Promise<string> {
    const length = Number(headers.get("content-length"));
    await this.#until(() => this.#buffer.length >= length);
    return new TextDecoder().decode(this.#take(length));
  }

  /** The handshake for `/rpc` with the given headers added to those of every WebSocket. */
  async upgrade(
    headers: Readonly<Record<string, string>>,
    path = "/rpc",
  ): Promise<{ readonly status: number; readonly headers: Headers }> {
    await this.request(path, { ...HANDSHAKE, ...headers });
    return await this.response();
  }

  /** Writes one masked frame; `final` false for a message that goes on. */
  async frame(opcode: number, payload: Uint8Array, final = true): Promise<void> {
    await this.write(clientFrame(opcode, payload, final));
  }

  /** Reads one frame; undefined at the end of the connection. */
  async readFrame(): Promise<RawFrame | undefined> {
    const needs = (count: number) => this.#until(() => this.#buffer.length >= count);
    if (!await needs(2)) return undefined;
    const short = (this.#buffer[1] as number) & 0x7f;
    const header = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (!await needs(header)) return undefined;
    const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset);
    const length = short === 127
      ? Number(view.getBigUint64(2))
      : short === 126
      ? view.getUint16(2)
      : short;
    if (!await needs(header + length)) return undefined;
    const opcode = (this.#buffer[0] as number) & 0x0f;
    const payload = this.#take(header + length).subarray(header);
    return { opcode, payload };
  }

  /** Reads until the server closes the WebSocket or the connection; the code of its close frame. */
  async dropped(): Promise<number | undefined> {
    for (let frame = await this.readFrame(); frame !== undefined; frame = await this.readFrame()) {
      if (frame.opcode === Opcode.CLOSE) {
        const { buffer, byteOffset, byteLength } = frame.payload;
        return byteLength < 2 ? undefined : new DataView(buffer, byteOffset).getUint16(0);
      }
    }
    return undefined;
  }

  /** Ends the connection as a process does that dies. */
  close(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#tcp.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #take(count: number): Uint8Array {
    const taken = this.#buffer.slice(0, count);
    this.#buffer = this.#buffer.slice(count);
    return taken;
  }

  /** Reads until the condition holds; false when the connection has ended before. */
  async #until(condition: () => boolean): Promise<boolean> {
    const chunk = new Uint8Array(64 << 10);
    while (!condition()) {
      if (this.#ended) return false;
      const count = await this.#tcp.read(chunk).catch(() => null);
      if (count === null) this.#ended = true;
      else this.#buffer = joined(this.#buffer, chunk.subarray(0, count));
    }
    return true;
  }
}

/** Headers that make a request a WebSocket handshake. */
export const HANDSHAKE = {
  host: "localhost",
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
} as const;

/** The bytes of one masked frame. */
export function clientFrame(
  opcode: number,
  payload: Uint8Array,
  final = true,
): Uint8Array<ArrayBuffer> {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = new Uint8Array(2 + extra + 4 + length);
  const view = new DataView(frame.buffer);
  frame[0] = (final ? FIN : 0) | opcode;
  frame[1] = MASKED | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) view.setUint16(2, length);
  if (extra === 8) view.setBigUint64(2, BigInt(length));
  // A mask of zeros: the payload is its own masked form.
  frame.set(payload, 2 + extra + 4);
  return frame;
}

/** Resolves when `count` reaches `expected`. */
export async function untilEqual(
  expected: number,
  count: () => number,
  describe: string,
): Promise<void> {
  await waitUntil(() => count() === expected, {
    describe: () => `${describe} to be ${expected}; it is ${count()}`,
  });
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}

function find(bytes: Uint8Array, text: string): number {
  return new TextDecoder("latin1").decode(bytes).indexOf(text);
}
