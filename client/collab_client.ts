/** A signed-in user at a server, over one connection after the other. */
import { ContactRequestResponseEnum, type Init, type MessageName } from "../proto/mod.ts";
import type { MessageTypes } from "../proto/mod.ts";
import type { PeerId } from "../rpc/peer_id.ts";
import { connect, type ConnectOptions } from "./connect.ts";
import { Contacts } from "./contacts.ts";
import {
  Dispatcher,
  type EntityKind,
  type EntitySubscription,
  type MessageHandler,
  type RequestHandler,
} from "./dispatcher.ts";
import type { Peer } from "./peer.ts";
import type { RequestName, ResponseOf } from "./responses_table.ts";
import { UserCache } from "./user_cache.ts";

/**
 * What stays when a connection goes: handlers, contacts, users. Everything above (rooms, projects)
 * sends through it and so over the connection of the moment.
 */
export class CollabClient implements AsyncDisposable {
  /** Handlers of all connections. */
  readonly dispatcher: Dispatcher;
  readonly contacts = new Contacts();
  readonly users: UserCache = new UserCache(async (ids) =>
    (await this.request("GetUsers", { userIds: [...ids] })).users
  );
  readonly #options: ConnectOptions;
  #peer: Peer | undefined;

  private constructor(options: ConnectOptions) {
    this.dispatcher = options.dispatcher ?? new Dispatcher();
    this.#options = { ...options, dispatcher: this.dispatcher };
    this.onMessage("UpdateContacts", (update) => this.contacts.apply(update));
    // Hints for a user interface, which a program without one need not refuse.
    this.onMessage("ShowContacts", () => {});
    this.onMessage("UpdateUserPlan", () => {});
  }

  /**
   * Connects and signs in.
   *
   * @throws {ConnectError} or a subclass that tells what to do.
   */
  static async connect(options: ConnectOptions): Promise<CollabClient> {
    const client = new CollabClient(options);
    await client.reconnect();
    return client;
  }

  /** The connection of the moment, which may have ended. */
  get peer(): Peer {
    if (this.#peer === undefined) throw new Error("Cannot use the connection: there is none yet");
    return this.#peer;
  }

  /** The id that the others know this client by; each connection has another. */
  get peerId(): PeerId {
    return this.peer.peerId as PeerId;
  }

  /** The user. */
  get userId(): bigint {
    return BigInt(this.#options.credentials.userId);
  }

  /** Makes a new connection in place of the one before, which is closed. */
  async reconnect(): Promise<Peer> {
    this.#peer?.close();
    this.contacts.clear();
    this.#peer = await connect(this.#options);
    return this.#peer;
  }

  /** As {@link Peer.request}. */
  request<N extends RequestName>(name: N, value: Init<MessageTypes[N]>): Promise<ResponseOf<N>> {
    return this.peer.request(name, value);
  }

  /** As {@link Peer.stream}. */
  stream<N extends RequestName>(
    name: N,
    value: Init<MessageTypes[N]>,
  ): AsyncIterableIterator<ResponseOf<N>> {
    return this.peer.stream(name, value);
  }

  /** As {@link Peer.send}. */
  send<N extends MessageName>(name: N, value: Init<MessageTypes[N]>): void {
    this.peer.send(name, value);
  }

  /** As {@link Dispatcher.onMessage}. */
  onMessage<N extends MessageName>(name: N, handler: MessageHandler<N>): () => void {
    return this.dispatcher.onMessage(name, handler);
  }

  /** As {@link Dispatcher.onRequest}. */
  onRequest<N extends RequestName>(name: N, handler: RequestHandler<N>): () => void {
    return this.dispatcher.onRequest(name, handler);
  }

  /** As {@link Dispatcher.subscribe}. */
  subscribe(kind: EntityKind, id: bigint): EntitySubscription {
    return this.dispatcher.subscribe(kind, id);
  }

  /** Asks a user to become a contact, which calls need. [channels 3] */
  async requestContact(userId: bigint): Promise<void> {
    await this.request("RequestContact", { responderId: userId });
  }

  /** Becomes the contact of a user who asked. [channels 3] */
  async acceptContact(userId: bigint): Promise<void> {
    const response = ContactRequestResponseEnum.Accept;
    await this.request("RespondToContactRequest", { requesterId: userId, response });
  }

  /** Ends the connection. */
  close(): void {
    this.#peer?.close();
  }

  /** Ends the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#peer?.[Symbol.asyncDispose]();
  }
}
