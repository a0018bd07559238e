/** Calls whose caller waits for an answer. [rooms 10.2] */
import type { PeerKey } from "../../rpc/peer_id.ts";
import type { ConnectionRef } from "../refs/mod.ts";

/** A call, from the moment it is asked for to its answer. */
export interface Ring {
  readonly caller: ConnectionRef;
  readonly requestId: number;
  readonly calleeId: number;
  readonly initialProjectId: bigint | undefined;
  /** The pending row that it made, by its ordinal; none while the callee is being asked. */
  callee: number | undefined;
  /** Devices that have connected since, and ring too. */
  readonly later: PeerKey[];
}

/** The calls of one room by ticket. Tickets are never used twice, so that a late answer finds its call. */
export class Rings {
  readonly #byTicket = new Map<number, Ring>();
  #lastTicket = 0;

  /** Calls that are not answered yet. */
  get size(): number {
    return this.#byTicket.size;
  }

  add(ring: Ring): number {
    this.#byTicket.set(++this.#lastTicket, ring);
    return this.#lastTicket;
  }

  get(ticket: number): Ring | undefined {
    return this.#byTicket.get(ticket);
  }

  /** The call that made that pending row. */
  of(callee: number): Ring | undefined {
    return [...this.#byTicket.values()].find((ring) => ring.callee === callee);
  }

  /** The call of that ticket, which is over. */
  take(ticket: number): Ring | undefined {
    const ring = this.#byTicket.get(ticket);
    this.#byTicket.delete(ticket);
    return ring;
  }

  /** Takes all whose callees have not been asked to the end. */
  takeAsked(): Ring[] {
    const asked = [...this.#byTicket].filter(([, ring]) => ring.callee === undefined);
    for (const [ticket] of asked) this.#byTicket.delete(ticket);
    return asked.map(([, ring]) => ring);
  }
}
