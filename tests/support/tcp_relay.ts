/** Passes TCP connections on, until it is told to behave as a broken network does. */
export class TcpRelay implements AsyncDisposable {
  /** Where new connections go to. */
  target: Deno.ConnectOptions;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Link>();
  readonly #accepting: Promise<void>;
  #refuses = false;
  #isSilent = false;
  #chunks = 0;
  #cutAt = Infinity;

  /** Relays what comes to a free port of this machine. */
  constructor(target: { readonly hostname: string; readonly port: number }) {
    this.target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#accepting = this.#accept();
  }

  /** Where to connect to. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** The same for what is no HTTP. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** How many chunks have come from the near side. */
  get chunks(): number {
    return this.#chunks;
  }

  /** Cuts everything once, when that many more chunks have come from the near side. */
  cutAfter(chunks: number): void {
    this.#cutAt = this.#chunks + chunks;
  }

  /** Ends all connections at once, without a word to either side. */
  cut(): void {
    for (const link of this.#open) link.end();
    this.#open.clear();
  }

  /** Cuts everything, and ends new connections as soon as they come, until {@link heal}. */
  refuse(): void {
    this.#refuses = true;
    this.cut();
  }

  /** Keeps connections, old and new ones, and lets nothing through any more, until {@link heal}. */
  silence(): void {
    this.#isSilent = true;
    for (const link of this.#open) link.swallowed = "all";
  }

  /** Loses what is sent to the target from now on, and goes on to bring what it answers. */
  loseSent(): void {
    for (const link of this.#open) if (link.swallowed === "none") link.swallowed = "sent";
  }

  /** Works again. Of connections that have lost something nothing is left, as after a router's restart. */
  heal(): void {
    this.#refuses = false;
    this.#isSilent = false;
    for (const link of [...this.#open]) {
      if (link.swallowed === "none") continue;
      link.end();
      this.#open.delete(link);
    }
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
    if (this.#refuses) return close(near);
    const link = new Link(near, this.#isSilent ? "all" : "none");
    this.#open.add(link);
    await link.run(this.target, () => this.#count());
    this.#open.delete(link);
  }

  #count(): void {
    if (++this.#chunks === this.#cutAt) this.cut();
  }
}

/** One connection through the relay. */
class Link {
  /** What does not arrive. */
  swallowed: "none" | "sent" | "all";
  readonly #near: Deno.TcpConn;
  #far: Deno.TcpConn | undefined;
  #isEnded = false;

  constructor(near: Deno.TcpConn, swallowed: "none" | "all") {
    this.#near = near;
    this.swallowed = swallowed;
    near.setNoDelay(true);
  }

  /** Resolves when either side has ended; `sent` hears of each chunk that the target has been given. */
  async run(target: Deno.ConnectOptions, sent: () => void): Promise<void> {
    try {
      const far = await Deno.connect(target);
      if (this.#isEnded) return close(far);
      this.#far = far;
      far.setNoDelay(true);
      await Promise.race([
        this.#pump(this.#near, far, () => this.swallowed !== "none", sent),
        this.#pump(far, this.#near, () => this.swallowed === "all"),
      ]);
    } catch {
      // Nobody listens there, or one side has gone: the same as a connection that ends.
    } finally {
      this.end();
    }
  }

  end(): void {
    this.#isEnded = true;
    close(this.#near);
    if (this.#far !== undefined) close(this.#far);
  }

  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    swallows: () => boolean,
    passed = () => {},
  ): Promise<void> {
    const chunk = new Uint8Array(64 * 1024);
    for (;;) {
      let count: number | null;
      try {
        count = await from.read(chunk);
      } catch {
        return;
      }
      if (count === null) return;
      try {
        for (let at = 0; at < count && !swallows();) {
          at += await to.write(chunk.subarray(at, count));
        }
      } catch {
        return;
      }
      passed();
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
