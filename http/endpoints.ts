/** Addresses that a server listens on besides its first, which may come and go while it runs. */
import type { Listener } from "./listener.ts";

/** One more address to listen on. */
export interface Endpoint {
  readonly host: string;
  /** Certificate chain and key (PEM), to speak HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** The open ones. */
export class Endpoints {
  readonly #listen: (endpoint: Endpoint) => Listener;
  readonly #open = new Map<string, { readonly endpoint: Endpoint; readonly listener: Listener }>();

  constructor(listen: (endpoint: Endpoint) => Listener) {
    this.#listen = listen;
  }

  /**
   * Listens on these and no others. One that stays as it was keeps its connections; one with another
   * certificate loses them.
   *
   * @returns what could not be listened on, by host
   */
  async set(wanted: readonly Endpoint[]): Promise<ReadonlyMap<string, unknown>> {
    const kept = new Map(wanted.map((endpoint) => [endpoint.host, endpoint]));
    const gone = [...this.#open].filter(([host, { endpoint }]) =>
      !isSame(kept.get(host), endpoint)
    );
    for (const [host] of gone) this.#open.delete(host);
    await Promise.all(gone.map(([, { listener }]) => listener.close()));
    const failed = new Map<string, unknown>();
    for (const endpoint of wanted) {
      if (this.#open.has(endpoint.host)) continue;
      try {
        this.#open.set(endpoint.host, { endpoint, listener: this.#listen(endpoint) });
      } catch (error) {
        failed.set(endpoint.host, error);
      }
    }
    return failed;
  }

  /** Ends them all. */
  async close(): Promise<void> {
    await this.set([]);
  }
}

function isSame(a: Endpoint | undefined, b: Endpoint): boolean {
  return a !== undefined && a.tls?.cert === b.tls?.cert && a.tls?.key === b.tls?.key;
}
