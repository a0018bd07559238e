/**
 * One turn of one actor: what it writes and what it says is collected while its handler runs, and
 * takes effect when the handler has returned; nothing of it does when the handler throws.
 * [design 1.3] [projects 3]
 */
import {
  encode,
  type Init,
  messageInfo,
  type MessageName,
  type MessageTypes,
} from "../proto/mod.ts";
import { payloadField } from "../rpc/frame.ts";
import { errorField, type OutgoingStream, type Pending } from "../rpc/outbox.ts";
import { keyId, keyOwner, type PeerKey } from "../rpc/peer_id.ts";
import type { Cut, Put, Remove, Write } from "../db/store.ts";
import type { RowOf, TableName } from "../db/tables.ts";
import type { RpcError } from "../rpc/errors.ts";
import type { EventFacts, EventKind } from "./events.ts";
import type { ActorSystem } from "./system.ts";
import type {
  ChannelMessage,
  ChannelRef,
  ChatMessage,
  ChatRef,
  ConnectionRef,
  RoomMessage,
  RoomRef,
  UserMessage,
} from "./refs/mod.ts";

/** A message as the field of the envelope that it becomes. */
export function fieldOf<N extends MessageName>(name: N, value: Init<MessageTypes[N]>): Uint8Array {
  return payloadField(messageInfo(name).tag as number, encode(name, value));
}

/** The answer that says nothing but that it was done. */
export const ACK = fieldOf("Ack", {});

export class Turn {
  readonly #system: ActorSystem;
  readonly writes: Write[] = [];
  readonly #speech: ((gate: number) => void)[] = [];

  constructor(system: ActorSystem) {
    this.#system = system;
  }

  put<T extends TableName>(table: T, row: RowOf<T>): void {
    this.writes.push({ op: "put", table, row } as Put);
  }

  /** Removes the rows whose key starts with `key`. */
  remove<T extends TableName>(table: T, key: Partial<RowOf<T>>): void {
    this.writes.push({ op: "remove", table, key } as Remove);
  }

  /** Removes the rows whose key goes on, behind `key`, with a number from `from` to below `to`. */
  cut<T extends TableName>(table: T, key: Partial<RowOf<T>>, from: number, to: number): void {
    this.writes.push({ op: "cut", table, key, from, to } as Cut);
  }

  /** Answers a request; a requester that is gone is passed over. */
  reply<N extends MessageName>(
    connection: ConnectionRef,
    requestId: number,
    name: N,
    value: Init<MessageTypes[N]>,
  ): void {
    const field = fieldOf(name, value);
    this.#speech.push((gate) => connection.outbox.push(field, requestId, gate));
  }

  replyField(connection: ConnectionRef, requestId: number, field: Uint8Array): void {
    this.#speech.push((gate) => connection.outbox.push(field, requestId, gate));
  }

  ack(connection: ConnectionRef, requestId: number): void {
    this.#speech.push((gate) => connection.outbox.push(ACK, requestId, gate));
  }

  fail(connection: ConnectionRef, requestId: number, error: RpcError): void {
    const field = errorField(error.code, error.message, error.tags);
    this.#speech.push((gate) => connection.outbox.push(field, requestId, gate));
  }

  /** Sends to a connection, if it is live. */
  push(key: PeerKey, field: Uint8Array, pending?: Pending): void {
    this.#speech.push((gate) => {
      const connection = this.#system.registry.connections.get(key);
      if (connection === undefined) pending?.lost();
      else connection.outbox.push(field, -1, gate, pending);
    });
  }

  /** Passes a message on to a connection, if it is live. [design 1.7] */
  forward(key: PeerKey, original: Uint8Array, sender: PeerKey, extra?: Uint8Array): void {
    this.#speech.push((gate) => {
      this.#system.registry.connections.get(key)?.outbox.forward(
        original,
        -1,
        keyOwner(sender),
        keyId(sender),
        extra,
        undefined,
        gate,
      );
    });
  }

  stream(connection: ConnectionRef, stream: OutgoingStream): void {
    this.#speech.push((gate) => connection.outbox.stream(stream, gate));
  }

  tellUser(id: number, message: UserMessage): void {
    this.#speech.push((gate) => this.#system.user(id).tell(message, gate));
  }

  /** Tells a user's actor only if there is one: a fact that nobody connected needs. */
  tellLiveUser(id: number, message: UserMessage): void {
    this.#speech.push((gate) => this.#system.registry.users.get(id)?.tell(message, gate));
  }

  tellRoom(room: RoomRef, message: RoomMessage): void {
    this.#speech.push((gate) => room.tell(message, gate));
  }

  tellChannel(channel: ChannelRef, message: ChannelMessage): void {
    this.#speech.push((gate) => channel.tell(message, gate));
  }

  tellChat(chat: ChatRef, message: ChatMessage): void {
    this.#speech.push((gate) => chat.tell(message, gate));
  }

  /** Sends to every connection of a user, but for some. */
  pushToUser(userId: number, field: Uint8Array, allBut?: ReadonlySet<PeerKey>): void {
    for (const key of this.#system.pool.connectionsOf(userId)) {
      if (allBut?.has(key) !== true) this.push(key, field);
    }
  }

  /**
   * Tells programs that embed the server, once this turn is stored.
   *
   * @param facts asked at the end of the turn, and only if somebody listens
   */
  happened<Kind extends EventKind>(kind: Kind, facts: () => EventFacts[Kind]): void {
    const { events } = this.#system;
    if (events.wants(kind)) this.#speech.push((gate) => events.tell(kind, facts(), gate));
  }

  /** Runs in its place among what is said. */
  then(effect: (gate: number) => void): void {
    this.#speech.push(effect);
  }

  /** Says everything, in order. `gate` is the journal's group that it tells of. */
  speak(gate: number): void {
    for (const say of this.#speech) say(gate);
  }
}
