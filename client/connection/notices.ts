/** The WebSocket on which a server of 2026 says that the account has changed. [transport 3.7] */
import type { Clock } from "../../lib/clock.ts";
import { chainText } from "../errors.ts";
import type { Credentials } from "../credentials/store.ts";
import { webSocketUrl } from "../discovery.ts";
import { serviceUrl } from "../http/base_urls.ts";
import type { Transport } from "../transport.ts";
import { delayAfter, INITIAL_DELAY, type Random } from "./backoff.ts";
import { authorization } from "./login.ts";

/** CBOR: the text `UserUpdated`, and the map `{"UserUpdated": null}`. [transport 3.7.2] */
const TEXT = new Uint8Array([0x6b, ...new TextEncoder().encode("UserUpdated")]);
const USER_UPDATED = [TEXT, new Uint8Array([0xa1, ...TEXT, 0xf6])];

/** What {@link Notices} need. */
export interface NoticesOptions {
  readonly serverUrl: () => string;
  readonly credentials: () => Credentials | undefined;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly warn: (text: string) => void;
  /** The account is to be loaded anew; a hint, nobody waits for it. [transport 3.7.4] */
  readonly userUpdated: () => void;
}

/** Listens from a sign-in until a sign-out, over one socket after the other. */
export class Notices {
  readonly #options: NoticesOptions;
  #ending: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: NoticesOptions) {
    this.#options = options;
  }

  /** Begins to listen, unless it does already. A refusal changes no login. [transport 3.7.6] */
  start(): void {
    if (this.#ending !== undefined) return;
    this.#ending = new AbortController();
    this.#running = this.#run(this.#ending.signal);
  }

  /** Ends it. @returns when the socket has ended too. */
  stop(): Promise<void> {
    this.#ending?.abort();
    this.#ending = undefined;
    return this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    let delay = INITIAL_DELAY;
    while (!signal.aborted) {
      try {
        await this.#listen(signal);
        delay = INITIAL_DELAY;
      } catch (error) {
        if (signal.aborted) return;
        this.#options.warn(`Cannot listen for notices: ${chainText(error)}`);
      }
      const { wait, next } = delayAfter(delay, "2026", this.#options.random);
      delay = next;
      await this.#pause(wait, signal);
    }
  }

  /** Resolves when a socket that was open has ended. */
  async #listen(signal: AbortSignal): Promise<void> {
    const { serverUrl, credentials, transport, userUpdated, warn } = this.#options;
    const who = credentials();
    if (who === undefined) return;
    const url = webSocketUrl(serviceUrl(serverUrl(), "cloud", "/client/users/connect"));
    const headers = { authorization: authorization(who), "x-zed-protocol-version": "0" };
    const socket = await transport.connect(url, headers, signal);
    const close = () => socket.close();
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", close, { once: true });
      socket.listen({
        message: (bytes) => {
          if (isUserUpdated(bytes)) userUpdated();
          else warn(`A notice of ${bytes.length} bytes is not known and skipped`);
        },
        closed: () => resolve(),
      });
      if (signal.aborted) close();
    });
    signal.removeEventListener("abort", close);
  }

  #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const go = () => {
        clock.clearTimeout(timer);
        signal.removeEventListener("abort", go);
        resolve();
      };
      const timer = clock.setTimeout(go, milliseconds);
      signal.addEventListener("abort", go, { once: true });
      if (signal.aborted) go();
    });
  }
}

function isUserUpdated(bytes: Uint8Array): boolean {
  return USER_UPDATED.some((known) =>
    known.length === bytes.length && known.every((byte, at) => byte === bytes[at])
  );
}
