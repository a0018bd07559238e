/** A proxy of any kind, which writes down what it was asked and then passes bytes on. */

/** What a {@link TestProxy} is. */
export interface TestProxyOptions {
  readonly kind: "http" | "socks";
  /** Makes it an `https` proxy. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Where it really goes, whatever it was asked for. */
  readonly target: { readonly hostname: string; readonly port: number };
  /** For HTTP: the head of its answer, in place of a good one. */
  readonly answer?: string;
  /** For SOCKS5: the login that it wants. */
  readonly login?: string;
}

/** One request of a client. */
export interface Asked {
  readonly version: "http" | "socks4" | "socks5";
  /** Host and port as the client sent them. */
  readonly target: string;
  /** Whether the name itself was sent, not an address. */
  readonly isName: boolean;
  /** Login as sent: `user:password` or a SOCKS user id; empty without one. */
  readonly login: string;
  /** Lines of the head of an HTTP request. */
  readonly head: readonly string[];
}

/** Takes connections until it is disposed. */
export class TestProxy implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly #options: TestProxyOptions;
  readonly #listener: Deno.Listener<Deno.Conn>;
  readonly #open = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;

  constructor(options: TestProxyOptions) {
    this.#options = options;
    const at = { hostname: "127.0.0.1", port: 0 };
    this.#listener = options.tls === undefined
      ? Deno.listen(at)
      : Deno.listenTls({ ...at, ...options.tls });
    this.#accepting = this.#accept();
  }

  /** Host and port. */
  get address(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  /** Ends it with all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    const all: Promise<void>[] = [];
    for await (const connection of this.#listener) all.push(this.#serve(connection));
    await Promise.all(all);
  }

  async #serve(near: Deno.Conn): Promise<void> {
    this.#open.add(near);
    let far: Deno.Conn | undefined;
    try {
      const isAllowed = this.#options.kind === "http"
        ? await this.#http(near)
        : await this.#socks(near);
      if (!isAllowed) return;
      far = await Deno.connect(this.#options.target);
      this.#open.add(far);
      await Promise.race([pass(near, far), pass(far, near)]);
    } catch {
      // A client that gives up, or a test that is over.
    } finally {
      for (const connection of [near, far]) {
        if (connection === undefined) continue;
        this.#open.delete(connection);
        close(connection);
      }
    }
  }

  async #http(near: Deno.Conn): Promise<boolean> {
    let text = "";
    while (!text.endsWith("\r\n\r\n")) text += decode(await take(near, 1));
    const [first = "", ...head] = text.trimEnd().split("\r\n");
    const [method, target = ""] = first.split(" ");
    const basic = head.find((line) => line.startsWith("Proxy-Authorization: Basic "))?.slice(27);
    if (method === "CONNECT") {
      this.asked.push({
        version: "http",
        target,
        isName: !/^[\d.:[\]]+$/.test(target),
        login: basic === undefined ? "" : atob(basic),
        head,
      });
    }
    const answer = this.#options.answer ??
      "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n";
    await near.write(new TextEncoder().encode(answer));
    return this.#options.answer === undefined;
  }

  async #socks(near: Deno.Conn): Promise<boolean> {
    const [version] = await take(near, 1);
    return version === 4 ? await this.#socks4(near) : await this.#socks5(near);
  }

  async #socks4(near: Deno.Conn): Promise<boolean> {
    const [, high = 0, low = 0, ...ip] = await take(near, 7);
    const login = await takeText(near);
    const isName = ip.slice(0, 3).join(".") === "0.0.0" && ip[3] !== 0;
    const host = isName ? await takeText(near) : ip.join(".");
    this.asked.push({
      ...{ version: "socks4", target: `${host}:${high * 256 + low}`, isName, login, head: [] },
    });
    await near.write(new Uint8Array([0, 0x5a, 0, 0, 0, 0, 0, 0]));
    return true;
  }

  async #socks5(near: Deno.Conn): Promise<boolean> {
    const [count = 0] = await take(near, 1);
    const methods = await take(near, count);
    let login = "";
    if (this.#options.login !== undefined) {
      if (!methods.includes(2)) {
        await near.write(new Uint8Array([5, 0xff]));
        return false;
      }
      await near.write(new Uint8Array([5, 2]));
      await take(near, 1);
      const part = async () => decode(await take(near, (await take(near, 1))[0]!));
      login = `${await part()}:${await part()}`;
      const isRight = login === this.#options.login;
      await near.write(new Uint8Array([1, isRight ? 0 : 1]));
      if (!isRight) return false;
    } else await near.write(new Uint8Array([5, 0]));
    const [, , , type] = await take(near, 4);
    const isName = type === 3;
    const length = type === 1 ? 4 : type === 4 ? 16 : (await take(near, 1))[0]!;
    const bytes = await take(near, length);
    const host = isName ? decode(bytes) : bytes.join(".");
    const [high = 0, low = 0] = await take(near, 2);
    this.asked.push({
      ...{ version: "socks5", target: `${host}:${high * 256 + low}`, isName, login, head: [] },
    });
    await near.write(new Uint8Array([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
    return true;
  }
}

async function pass(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const chunk = new Uint8Array(65536);
  while (true) {
    const count = await from.read(chunk);
    if (count === null) return;
    for (let at = 0; at < count;) at += await to.write(chunk.subarray(at, count));
  }
}

async function take(connection: Deno.Conn, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count;) {
    const read = await connection.read(bytes.subarray(at));
    if (read === null) throw new Error("The client ended the connection");
    at += read;
  }
  return bytes;
}

async function takeText(connection: Deno.Conn): Promise<string> {
  const bytes: number[] = [];
  while (true) {
    const [byte = 0] = await take(connection, 1);
    if (byte === 0) return decode(new Uint8Array(bytes));
    bytes.push(byte);
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
