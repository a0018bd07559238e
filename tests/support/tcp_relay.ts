/** Passes TCP connections on, until it is told to cut them as a broken network does. */
export class TcpRelay implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #target: Deno.ConnectOptions;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #accepting: Promise<void>;

  /** Relays what comes to a free port of this machine. */
  constructor(target: { readonly hostname: string; readonly port: number }) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accepting = this.#accept();
  }

  /** Where to connect to. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Ends all connections at once, without a word to either side. */
  cut(): void {
    for (const connection of this.#open) close(connection);
    this.#open.clear();
  }

  /** Cuts everything and takes nothing any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    const relays: Promise<void>[] = [];
    for await (const near of this.#listener) relays.push(this.#relay(near));
    await Promise.all(relays);
  }

  async #relay(near: Deno.TcpConn): Promise<void> {
    this.#open.add(near);
    near.setNoDelay(true);
    try {
      const far = await Deno.connect(this.#target);
      if (this.#open.has(near)) this.#open.add(far);
      else close(far);
      far.setNoDelay(true);
      await Promise.race([
        near.readable.pipeTo(far.writable),
        far.readable.pipeTo(near.writable),
      ]).catch(() => {});
      this.#open.delete(far);
      close(far);
    } catch {
      // Nobody listens there: the same as a connection that ends.
    } finally {
      this.#open.delete(near);
      close(near);
    }
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
