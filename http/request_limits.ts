/** How many requests an address and a user may send, whatever they ask. */
import type { Clock } from "../lib/clock.ts";
import type { Config } from "../lib/config.ts";
import type { Metrics } from "../lib/metrics.ts";
import { clientAddress, isLoopback } from "./client_address.ts";
import { plainText } from "./responses.ts";
import { RateLimit } from "./signin/rate_limit.ts";

const MINUTE = 60_000;

/** Whose requests are counted. */
export type Counted = "address" | "user";

/** Requests for each address and each user: a minute's worth at once, then as they come back. */
export class RequestLimits {
  readonly #limits: Readonly<Record<Counted, RateLimit | undefined>>;
  readonly #trusted: Config["trustedProxies"];
  readonly #metrics: Metrics;

  constructor(
    clock: Clock,
    { requestLimits, trustedProxies }: Pick<Config, "requestLimits" | "trustedProxies">,
    metrics: Metrics,
  ) {
    const perMinute = (most: number) =>
      most === 0 ? undefined : new RateLimit(clock, { most, interval: MINUTE / most });
    this.#limits = {
      address: perMinute(requestLimits.address),
      user: perMinute(requestLimits.user),
    };
    this.#trusted = trustedProxies;
    this.#metrics = metrics;
  }

  /**
   * Takes one request of an address, or the answer that refuses it. The machine itself is not
   * counted: a proxy that does not tell its clients' addresses would make them one.
   *
   * @param peer network address of who asks, or of the proxy before him
   */
  refuseAddress(headers: Headers, peer: string): Response | undefined {
    const address = clientAddress(headers, peer, this.#trusted);
    return isLoopback(address) ? undefined : this.#refuse("address", address);
  }

  /** Takes one request that a user has signed, or the answer that refuses it. */
  refuseUser(userId: number, headers: Headers, peer: string): Response | undefined {
    const address = clientAddress(headers, peer, this.#trusted);
    return isLoopback(address) ? undefined : this.#refuse("user", `${userId}`);
  }

  #refuse(counted: Counted, key: string): Response | undefined {
    if (this.#limits[counted]?.take(key) !== false) return undefined;
    this.#metrics.limitedRequests.inc(counted);
    const whose = counted === "address" ? "from this address" : "of this user";
    return plainText(429, `too many requests ${whose}, wait a minute`, { "retry-after": "60" });
  }
}
