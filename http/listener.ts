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
const SWITCHING_PROTOCOLS = 101;

/** Answers one request; `peer` is the network address of who asks. */
export type HttpHandler = (request: Request, peer: string) => Promise<Response>;

export interface ListenerOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly handler: HttpHandler;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #port: number;
  /** Those that have failed: they hold the connections that they have accepted. */
  readonly #earlier: Deno.HttpServer<Deno.NetAddr>[] = [];
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  #abort = new AbortController();
  /** Of each request but upgrades: resolves when its answer has gone out, or nobody takes it. */
  readonly #answers = new Set<Promise<void>>();
  #pause: TimerId | undefined;
  #closing = false;

  /** Listens. @throws {Deno.errors.AddrInUse} and what else listening throws */
  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#port = this.#listen(options.port);
  }

  /** Where it listens. */
  get port(): number {
    return this.#port;
  }

  /**
   * Ends all connections when the requests that are there have been answered, and stops listening.
   *
   * Deno's own graceful end waits for ever for an upgrade whose client went away before it.
   */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.#pause !== undefined) this.#options.clock.clearTimeout(this.#pause);
    // In real time: it is the machine that is waited for.
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, PATIENCE);
    await Promise.race([Promise.all(this.#answers), patience.promise]);
    clearTimeout(timer);
    const earlier = this.#earlier.map((server) => server.shutdown());
    if (this.#server !== undefined) this.#abort.abort();
    await Promise.all([this.#server?.finished, ...earlier]);
  }

  #listen(port: number): number {
    this.#abort = new AbortController();
    const server = Deno.serve({
      hostname: this.#options.host,
      port,
      onListen: () => {},
      signal: this.#abort.signal,
    }, (request, info) => this.#answer(request, info));
    this.#server = server;
    server.finished.catch((error) => this.#failed(server, error));
    return server.addr.port;
  }

  async #answer(
    request: Request,
    { remoteAddr, completed }: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ): Promise<Response> {
    const delivered = completed.catch(() => {}).then(() => {
      this.#answers.delete(delivered);
    });
    this.#answers.add(delivered);
    const answer = await this.#options.handler(request, remoteAddr.hostname);
    if (answer.status === SWITCHING_PROTOCOLS) this.#answers.delete(delivered);
    return answer;
  }

  #failed(server: Deno.HttpServer<Deno.NetAddr> | undefined, error: unknown): void {
    if (this.#closing) return;
    if (server !== undefined) this.#earlier.push(server);
    this.#server = undefined;
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
      this.#failed(undefined, error);
    }
  }
}
