/**
 * Tickets with which web pages open the WebSocket: a browser lets them set no header of a handshake.
 * A page sends its headers with an ordinary request, which is checked as a handshake is, and gets a
 * ticket that stands for them once, within seconds. So no token stands in an address, where logs and
 * histories would keep it, and a page without the token gets nowhere. [transport 11.2]
 */
import type { Clock } from "../lib/clock.ts";

/** How long a ticket is good, in milliseconds. */
export const TICKET_LIFE = 30_000;
/** Tickets that wait at a time; further requests are refused. */
export const MAX_TICKETS = 1024;

/** Headers of a handshake that a ticket stands for. */
const HEADERS: readonly string[] = [
  "authorization",
  "x-zed-protocol-version",
  "x-zed-app-version",
  "x-zed-release-channel",
  "x-zed-system-id",
  "x-zed-metrics-id",
];

/** The tickets of one server. */
export class SocketTickets {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, { readonly headers: Headers; readonly end: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A ticket for these headers; undefined when too many wait. */
  issue(headers: Headers): string | undefined {
    this.#sweep();
    if (this.#waiting.size >= MAX_TICKETS) return undefined;
    const kept = new Headers();
    for (const name of HEADERS) {
      const value = headers.get(name);
      if (value !== null) kept.set(name, value);
    }
    const ticket = crypto.getRandomValues(new Uint8Array(32)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
    this.#waiting.set(ticket, { headers: kept, end: this.#clock.now() + TICKET_LIFE });
    return ticket;
  }

  /** The headers of a ticket, once; undefined for one that is unknown, used or old. */
  redeem(ticket: string): Headers | undefined {
    const found = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    return found !== undefined && this.#clock.now() < found.end ? found.headers : undefined;
  }

  /** All live equally long, so the oldest come first. */
  #sweep(): void {
    const now = this.#clock.now();
    for (const [ticket, { end }] of this.#waiting) {
      if (now < end) return;
      this.#waiting.delete(ticket);
    }
  }
}
