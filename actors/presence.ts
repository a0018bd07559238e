/**
 * Who is online and who is busy: facts that user actors publish for everybody to read. The row of
 * a user is written by that user's actor alone. [rooms 8.1]
 */
export interface Presence {
  /** At least one connection. */
  readonly online: boolean;
  /** In a room, or being rung. */
  readonly busy: boolean;
}

const AWAY: Presence = { online: false, busy: false };

export class PresenceTable {
  readonly #rows = new Map<number, Presence>();

  get(userId: number): Presence {
    return this.#rows.get(userId) ?? AWAY;
  }

  set(userId: number, presence: Presence): void {
    if (presence.online || presence.busy) this.#rows.set(userId, presence);
    else this.#rows.delete(userId);
  }
}
