/** Whether a WebSocket handshake for `/rpc` is let in: checks in the specification's order. [transport 1.5.2] */
import type { Store } from "../db/store.ts";
import { isOlder, parseAppVersion } from "../lib/app_version.ts";
import { PROTOCOL_VERSION } from "../proto/mod.ts";
import type { Principal } from "../actors/connection/mod.ts";
import { authenticate, refusedCredentials } from "./credentials.ts";
import { type Guesser, tooManyGuesses } from "./guess_limit.ts";
import { plainText } from "./responses.ts";
import type { Strategy } from "./strategies.ts";

/** Handshakes that may be under way at a time. [rooms 0] */
const HANDSHAKES = 512;

export class Admission {
  readonly #store: Store;
  readonly #maxConnections: number;
  readonly #open: () => number;
  readonly #strategies: readonly Strategy[];
  #handshakes = 0;

  /**
   * @param open connections that are there now
   * @param strategies what is accepted besides tokens of ours
   */
  constructor(
    store: Store,
    maxConnections: number,
    open: () => number,
    strategies: readonly Strategy[] = [],
  ) {
    this.#strategies = strategies;
    this.#store = store;
    this.#maxConnections = maxConnections;
    this.#open = open;
  }

  get handshakes(): number {
    return this.#handshakes;
  }

  /** Takes a place for one handshake; undefined when there is none. The result gives it back. */
  begin(): (() => void) | undefined {
    if (this.#handshakes >= HANDSHAKES) return undefined;
    if (this.#open() + this.#handshakes >= this.#maxConnections) return undefined;
    this.#handshakes++;
    let over = false;
    return () => {
      if (!over) this.#handshakes--;
      over = true;
    };
  }

  /**
   * Who connects, or the answer that refuses it.
   *
   * @throws when the database does not answer
   */
  async check(request: Pick<Request, "headers">, guesser?: Guesser): Promise<Principal | Response> {
    const { headers } = request;
    const verdict = await authenticate(this.#store, headers, this.#strategies, guesser);
    if (verdict.kind === "wait") return tooManyGuesses();
    if (verdict.kind === "invalid") return refusedCredentials(headers);
    const protocol = headers.get("x-zed-protocol-version") ?? "";
    if (!/^\d{1,9}$/.test(protocol)) {
      return plainText(400, "x-zed-protocol-version is missing or no number");
    }
    if (Number(protocol) !== PROTOCOL_VERSION) {
      return plainText(
        426,
        `client must be upgraded: it speaks protocol ${protocol}, this server ${PROTOCOL_VERSION}`,
      );
    }
    const version = parseAppVersion(headers.get("x-zed-app-version") ?? "");
    if (version === undefined) return plainText(426, "no version header found");
    if (isOlder(version, ...MINIMUM)) {
      return plainText(
        426,
        `client must be upgraded: version ${version.text} is older than ${MINIMUM.join(".")}`,
      );
    }
    const { user: { id, admin, staff }, tokenId, impersonatorId } = verdict;
    return { userId: id, admin, staff, version, tokenId, impersonatorId };
  }
}

/** Oldest client that is let in: the minimum of 2025. [transport 1.5.3] */
const MINIMUM = [0, 157, 0] as const;
