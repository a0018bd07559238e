/** The user's contacts, as the server tells them. [channels 3] */
import type { Contact, UpdateContacts } from "../proto/mod.ts";

/** Contacts and the requests for them, kept up to date by `UpdateContacts`. */
export class Contacts {
  readonly #contacts = new Map<bigint, Contact>();
  readonly #incoming = new Set<bigint>();
  readonly #outgoing = new Set<bigint>();

  /** Accepted contacts, by the user's id. */
  get all(): ReadonlyMap<bigint, Contact> {
    return this.#contacts;
  }

  /** Users who ask to become contacts. */
  get incoming(): ReadonlySet<bigint> {
    return this.#incoming;
  }

  /** Users who were asked. */
  get outgoing(): ReadonlySet<bigint> {
    return this.#outgoing;
  }

  /** Takes what changed. */
  apply(update: UpdateContacts): void {
    for (const contact of update.contacts) this.#contacts.set(contact.userId, contact);
    for (const userId of update.removeContacts) this.#contacts.delete(userId);
    for (const { requesterId } of update.incomingRequests) this.#incoming.add(requesterId);
    for (const userId of update.removeIncomingRequests) this.#incoming.delete(userId);
    for (const userId of update.outgoingRequests) this.#outgoing.add(userId);
    for (const userId of update.removeOutgoingRequests) this.#outgoing.delete(userId);
  }

  /** Forgets all: a new connection begins with a complete list. */
  clear(): void {
    this.#contacts.clear();
    this.#incoming.clear();
    this.#outgoing.clear();
  }
}
