/** An answer of the proxy's own. */
export interface Told {
  readonly answer: string;
  /** Sent behind it; the connection then stays open until the client ends it. */
  readonly frames?: readonly Uint8Array[];
}

/** What a {@link HeaderProxy} does to what passes. */
export interface HeaderProxyOptions {
  /** Where the real server is. */
  readonly target: string;
  /** Changes the head of a request, or answers it. */
  request?(head: string): string | Told;
  /** Changes the head of an answer. */
  response?(head: string): string;
  /** Speaks TLS to its clients with this certificate and key (PEM). */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A reverse proxy for one request a connection, which treats headers as bad ones do. */
export class HeaderProxy implements AsyncDisposable {
  readonly #options: HeaderProxyOptions;
  readonly #listener: Deno.Listener<Deno.TcpConn | Deno.TlsConn>;
  readonly #open = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;

  constructor(options: HeaderProxyOptions) {
    const place = { hostname: "127.0.0.1", port: 0 };
    this.#options = options;
    this.#listener = options.tls === undefined
      ? Deno.listen(place)
      : Deno.listenTls({ ...place, ...options.tls });
    this.#accepting = this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Where clients connect to. */
  get url(): string {
    return `${this.#options.tls === undefined ? "http" : "https"}://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    const passing: Promise<void>[] = [];
    try {
      for await (const near of this.#listener) passing.push(this.#pass(near));
    } catch (error) {
      // A handshake that fails is told here; so is the listener's end.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
    await Promise.all(passing);
  }

  async #pass(near: Deno.Conn): Promise<void> {
    this.#open.add(near);
    let far: Deno.Conn | undefined;
    try {
      const head = await readHead(near);
      if (head === undefined) return;
      const changed = this.#options.request?.(head.text) ?? head.text;
      if (typeof changed !== "string") return await tell(near, changed);
      const { hostname, port } = new URL(this.#options.target);
      far = await Deno.connect({ hostname, port: Number(port) });
      this.#open.add(far);
      await write(far, changed);
      const answer = await readHead(far);
      if (answer === undefined) return;
      await write(near, this.#options.response?.(answer.text) ?? answer.text);
      await writeAll(near, answer.rest);
      await Promise.race([copy(near, far), copy(far, near)]);
    } catch {
      // One of both has gone: the same as an end.
    } finally {
      for (const connection of [near, far]) {
        if (connection === undefined) continue;
        this.#open.delete(connection);
        close(connection);
      }
    }
  }
}

async function tell(connection: Deno.Conn, { answer, frames }: Told): Promise<void> {
  await write(connection, answer);
  if (frames === undefined) return;
  for (const frame of frames) await writeAll(connection, frame);
  const buffer = new Uint8Array(16_384);
  while (await connection.read(buffer) !== null);
}

/** The head without a header. */
export function without(head: string, name: string): string {
  return head.replaceAll(new RegExp(`^${name}:.*\r\n`, "gim"), "");
}

/** The head with one more header. */
export function withHeader(head: string, header: string): string {
  return head.replace("\r\n", `\r\n${header}\r\n`);
}

/** A whole answer as text. */
export function answer(status: number, body = "", headers: Record<string, string> = {}): string {
  const lines = Object.entries({ "content-length": String(body.length), ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Told\r\n${lines.join("")}\r\n${body}`;
}

async function readHead(
  connection: Deno.Conn,
): Promise<{ text: string; rest: Uint8Array } | undefined> {
  let bytes = new Uint8Array(0);
  const buffer = new Uint8Array(16_384);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return undefined;
    const longer = new Uint8Array(bytes.length + count);
    longer.set(bytes);
    longer.set(buffer.subarray(0, count), bytes.length);
    bytes = longer;
    const end = new TextDecoder("latin1").decode(bytes).indexOf("\r\n\r\n");
    if (end < 0) continue;
    const text = new TextDecoder("latin1").decode(bytes.subarray(0, end + 4));
    return { text, rest: bytes.slice(end + 4) };
  }
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return;
    await writeAll(to, buffer.subarray(0, count));
  }
}

function write(connection: Deno.Conn, text: string): Promise<void> {
  return writeAll(connection, new TextEncoder().encode(text));
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
