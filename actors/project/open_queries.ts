/** Language-server queries of guests that the host has not answered yet. [projects 8.6] */
import type { PeerKey } from "../../rpc/peer_id.ts";

/** Queries of some kinds are never answered: after this they are forgotten, milliseconds. */
export const QUERY_LIFETIME = 5 * 60_000;
/** Queries of one guest that are kept; with one more its oldest is forgotten. */
export const QUERIES_OF_GUEST = 10_000;

/** Who asked, and under which number. */
export interface OpenQuery {
  readonly guest: PeerKey;
  /** The guest's own `lsp_request_id`. */
  readonly requestId: bigint;
  /** Milliseconds; see {@link QUERY_LIFETIME}. */
  readonly askedAt: number;
}

export class OpenQueries {
  /** In the order in which they were asked. */
  readonly #byId = new Map<bigint, OpenQuery>();
  readonly #ofGuest = new Map<PeerKey, Set<bigint>>();
  // A room that starts over forgets its queries, its host does not: a late answer to one of them
  // must not be taken for the answer to a new one.
  #last = BigInt(crypto.getRandomValues(new Uint32Array(1))[0] as number) << 20n;

  get size(): number {
    return this.#byId.size;
  }

  /**
   * Remembers a query.
   *
   * @param now milliseconds
   * @returns the id under which the host is asked, which no other query of the project has
   */
  add(guest: PeerKey, requestId: bigint, now: number): bigint {
    this.#expire(now);
    let own = this.#ofGuest.get(guest);
    if (own === undefined) this.#ofGuest.set(guest, own = new Set());
    for (const oldest of own) {
      if (own.size < QUERIES_OF_GUEST) break;
      own.delete(oldest);
      this.#byId.delete(oldest);
    }
    const id = ++this.#last;
    own.add(id);
    this.#byId.set(id, { guest, requestId, askedAt: now });
    return id;
  }

  /** The query that the host answers, which is over with that; undefined when it is not known. */
  take(id: bigint): OpenQuery | undefined {
    const query = this.#byId.get(id);
    if (query === undefined) return undefined;
    this.#byId.delete(id);
    const own = this.#ofGuest.get(query.guest);
    if (own?.delete(id) === true && own.size === 0) this.#ofGuest.delete(query.guest);
    return query;
  }

  /** The guest awaits nothing any more. */
  forgetGuest(guest: PeerKey): void {
    for (const id of this.#ofGuest.get(guest) ?? []) this.#byId.delete(id);
    this.#ofGuest.delete(guest);
  }

  /** The host answers nothing any more. */
  clear(): void {
    this.#byId.clear();
    this.#ofGuest.clear();
  }

  #expire(now: number): void {
    for (const [id, { askedAt }] of this.#byId) {
      if (now - askedAt <= QUERY_LIFETIME) break;
      this.take(id);
    }
  }
}
