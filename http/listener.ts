/**
 * The listening socket. Deno's server ends for good when the system refuses it one connection, as it
 * does when the process has no file descriptor left: who opens enough connections without finishing a
 * request would end the service for everybody. So a server that ends is followed by another one on the
 * same port, while the connections of the earlier one go on. [design 6]
 */
import type { Clock, TimerId } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";

/** Milliseconds between the end of one server and the next. */
const PAUSE = 1_000;
/** Milliseconds that answers under way are waited for at the end. */
const PATIENCE = 4_000;
/** Milliseconds between two tries to take over a port of our own that is about to be free. */
const MOMENT = 10;

/** Answers one request; `peer` is the network address of who asks. */
export type HttpHandler = (request: Request, peer: string) => Promise<Response>;

export interface ListenerOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Certificate chain and key (PEM), to speak HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly clock: Clock;
  readonly log: Log;
  readonly handler: HttpHandler;
}

export class Listener {
  readonly #options: ListenerOptions;
  #tls: ListenerOptions["tls"];
  readonly #port: number;
  /** All that were made: earlier ones hold the connections that they have accepted. */
  readonly #servers: Deno.HttpServer<Deno.NetAddr>[] = [];
  readonly #ending: Promise<void>[] = [];
  #pause: TimerId | undefined;
  #closing = false;

  /** Listens. @throws {Deno.errors.AddrInUse} and what else listening throws */
  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#tls = options.tls;
    this.#port = this.#listen(options.port);
  }

  /** Where it listens. */
  get port(): number {
    return this.#port;
  }

  /**
   * Stops listening and ends all connections, each when its request has been answered.
   *
   * Not waited for without end: Deno never finishes an upgrade whose client went away before it.
   */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#pause !== undefined) this.#options.clock.clearTimeout(this.#pause);
    this.#ending.push(...this.#servers.map((server) => server.shutdown()));
    const finished = Promise.all(this.#ending);
    // In real time: it is the machine that is waited for.
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, PATIENCE);
    await Promise.race([finished, patience.promise]).finally(() => clearTimeout(timer));
  }

  /**
   * Shows another certificate from now on. A server of Deno's keeps the one that it began with, so that
   * another takes its place; its connections end, and clients come back by themselves.
   */
  async renew(tls: NonNullable<ListenerOptions["tls"]>): Promise<void> {
    if (this.#closing) return;
    this.#tls = tls;
    this.#ending.push(...this.#servers.splice(0).map((server) => server.shutdown()));
    const end = performance.now() + PATIENCE;
    while (!this.#closing) {
      try {
        this.#listen(this.#port);
        return;
      } catch (error) {
        if (performance.now() > end) return this.#failed(error);
        await new Promise((resolve) => setTimeout(resolve, MOMENT));
      }
    }
  }

  #listen(port: number): number {
    const { host, handler } = this.#options;
    const tls = this.#tls;
    const server = Deno.serve(
      { hostname: host, port, onListen: () => {}, ...tls },
      (request, { remoteAddr }) => handler(request, remoteAddr.hostname),
    );
    this.#servers.push(server);
    server.finished.catch((error) => this.#failed(error));
    return server.addr.port;
  }

  #failed(error: unknown): void {
    if (this.#closing) return;
    const { clock, log } = this.#options;
    log.error("No connections are accepted for a moment: {error}; allow more open files", {
      error,
    });
    this.#pause = clock.setTimeout(() => this.#again(), PAUSE);
  }

  #again(): void {
    try {
      this.#listen(this.#port);
    } catch (error) {
      this.#failed(error);
    }
  }
}
