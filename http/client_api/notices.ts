/** Who is told that his account has changed. [transport 3.7] */

/** The socket of a client that waits for notices. */
export interface NoticeSocket {
  /** The access token that opened it; null for what else the server accepts. */
  readonly tokenId?: number | null;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** The CBOR text `UserUpdated`. [transport 3.7.2] */
const USER_UPDATED = new Uint8Array([0x6b, ...new TextEncoder().encode("UserUpdated")]);

/** Sockets of one user; a client has one, and one more for a moment when it reconnects. */
const SOCKETS_PER_USER = 32;

/** The open sockets for notices, by user. */
export class Notices {
  readonly #sockets = new Map<number, Set<NoticeSocket>>();
  readonly #most: number;
  #open = 0;

  /** @param most sockets of all users together */
  constructor(most: number) {
    this.#most = most;
  }

  /** Sockets that are open. */
  get size(): number {
    return this.#open;
  }

  /** Whether another socket of that user has a place. */
  hasRoom(userId: number): boolean {
    return this.#open < this.#most && (this.#sockets.get(userId)?.size ?? 0) < SOCKETS_PER_USER;
  }

  add(userId: number, socket: NoticeSocket): void {
    let sockets = this.#sockets.get(userId);
    if (sockets === undefined) this.#sockets.set(userId, sockets = new Set());
    if (!sockets.has(socket)) this.#open++;
    sockets.add(socket);
  }

  remove(userId: number, socket: NoticeSocket): void {
    const sockets = this.#sockets.get(userId);
    if (!sockets?.delete(socket)) return;
    this.#open--;
    if (sockets.size === 0) this.#sockets.delete(userId);
  }

  /** Profile, flags or plan of a user are not what they were: his clients ask again. [transport 3.7.4] */
  userChanged(userId: number): void {
    for (const socket of this.#sockets.get(userId) ?? []) socket.send(USER_UPDATED);
  }

  /** Ends the sockets of a user who is gone or signed out. */
  endUser(userId: number): void {
    for (const socket of [...this.#sockets.get(userId) ?? []]) this.#end(userId, socket);
  }

  /** Ends the sockets that one of a user's tokens has opened. */
  endToken(userId: number, tokenId: number): void {
    for (const socket of [...this.#sockets.get(userId) ?? []]) {
      if (socket.tokenId === tokenId) this.#end(userId, socket);
    }
  }

  /** Ends all of them. */
  endAll(): void {
    for (const userId of [...this.#sockets.keys()]) this.endUser(userId);
  }

  /** Counted out at once: the peer may never let its socket close. */
  #end(userId: number, socket: NoticeSocket): void {
    this.remove(userId, socket);
    socket.close();
  }
}
