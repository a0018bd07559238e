/** A user at a server, over one connection after the other. */
import { ContactRequestResponseEnum, type Init, type MessageName } from "../proto/mod.ts";
import type { MessageTypes } from "../proto/mod.ts";
import type { PeerId } from "../rpc/peer_id.ts";
import { Connection, type ConnectionOptions } from "./connection/connection.ts";
import type { Rejoinable } from "./connection/rejoin.ts";
import type { Status } from "./connection/status.ts";
import { Contacts } from "./contacts.ts";
import type { Credentials } from "./credentials/store.ts";
import {
  Dispatcher,
  type EntityKind,
  type EntitySubscription,
  type MessageHandler,
  type RequestHandler,
} from "./dispatcher.ts";
import { fetchClient } from "./http/fetch_client.ts";
import type { HttpClient } from "./http/http_client.ts";
import type { Peer } from "./peer.ts";
import type { RequestName, ResponseOf } from "./responses_table.ts";
import { type SignInMethod, withToken } from "./sign_in/sign_in_method.ts";
import { UserCache } from "./user_cache.ts";

/** What a {@link CollabClient} is made with. */
export interface ClientOptions
  extends Omit<ConnectionOptions, "dispatcher" | "http" | "method" | "timeout"> {
  /** Who signs in, where the program knows it; else the store is asked, then `signIn`. */
  readonly credentials?: Credentials | undefined;
  /** How to get a login that is not stored. */
  readonly signIn?: SignInMethod | undefined;
  /** Handlers that are there already. */
  readonly dispatcher?: Dispatcher;
  /** Sends plain requests; the platform's `fetch` if not given. */
  readonly http?: HttpClient | undefined;
  /** Limit of an attempt to connect, in milliseconds. */
  readonly timeout?: number | undefined;
}

/**
 * What stays when a connection goes: handlers, contacts, users, and what is open. Everything above
 * (rooms, projects) sends through it and so over the connection of the moment; a connection that is
 * lost is made again by itself, and what was open is taken back.
 */
export class CollabClient implements AsyncDisposable {
  /** Handlers of all connections. */
  readonly dispatcher: Dispatcher;
  /** Statuses, commands, the account. */
  readonly connection: Connection;
  readonly contacts = new Contacts();
  readonly users: UserCache = new UserCache(async (ids) =>
    (await this.request("GetUsers", { userIds: [...ids] })).users
  );

  /** Makes a client that is signed out; nothing is sent before {@link connect} or a sign-in. */
  constructor({ credentials, signIn, ...options }: ClientOptions) {
    this.dispatcher = options.dispatcher ?? new Dispatcher();
    this.connection = new Connection({
      ...options,
      http: options.http ?? fetchClient(),
      dispatcher: this.dispatcher,
      method: credentials === undefined ? signIn : withToken(credentials),
    });
    this.connection.onStatus(({ name }) => {
      // A connection begins with a complete list. [transport 3.6.3]
      if (name === "ConnectionLost" || name === "SignedOut") this.contacts.clear();
    });
    this.onMessage("UpdateContacts", (update) => this.contacts.apply(update));
    // Hints for a user interface, which a program without one need not refuse.
    this.onMessage("ShowContacts", () => {});
    this.onMessage("UpdateUserPlan", () => {});
  }

  /**
   * Makes a client, signs in and connects.
   *
   * @throws {ConnectError} or a subclass that tells what to do.
   */
  static async connect(options: ClientOptions): Promise<CollabClient> {
    const client = new CollabClient(options);
    try {
      await client.connection.connect();
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** The status of the moment. */
  get status(): Status {
    return this.connection.status;
  }

  /** The connection of the moment, which may have ended. */
  get peer(): Peer {
    const { peer } = this.connection;
    if (peer === undefined) throw new Error("Cannot use the connection: there is none yet");
    return peer;
  }

  /** The id that the others know this client by; each connection has another. */
  get peerId(): PeerId {
    return this.peer.peerId as PeerId;
  }

  /** The user, who has to be signed in. */
  get userId(): bigint {
    const { credentials } = this.connection.login;
    if (credentials === undefined) throw new Error("Cannot tell the user: nobody is signed in");
    return BigInt(credentials.userId);
  }

  /** As {@link Connection.onStatus}. */
  onStatus(listener: (status: Status) => void): () => void {
    return this.connection.onStatus(listener);
  }

  /** As {@link Connection.statuses}. */
  statuses(): AsyncIterableIterator<Status> {
    return this.connection.statuses();
  }

  /**
   * Names something that is open: it hears of each loss, and is taken back over each new connection,
   * in the first turn after its `Hello`. [transport 12.11]
   *
   * @returns takes it away: it was closed.
   */
  keepOpen(rejoinable: Rejoinable): () => void {
    return this.connection.rejoining.add(rejoinable);
  }

  /**
   * Makes a new connection in place of this one, or tries at once instead of waiting further.
   * Resolves when everything that was open is open again, or given up.
   *
   * @throws {ConnectError} this attempt failed; others follow by themselves.
   */
  async reconnect(): Promise<Peer> {
    if (this.status.name === "Connected") await this.connection.reconnect();
    else await this.connection.connect();
    await this.connection.rejoining.settled();
    return this.peer;
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

  /**
   * Ends in order: new requests are refused, those under way get their answers, and what was sent
   * goes out.
   */
  async drain(): Promise<void> {
    await this.connection.peer?.drain();
    await this[Symbol.asyncDispose]();
  }

  /** Ends the connection and all attempts to make another. The login stays in its store. */
  close(): void {
    void this.connection.end();
  }

  /** Ends the connection and all attempts to make another. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.end();
  }
}
