/** One user: connections, contacts, notifications, and the seat in at most one room. */
import { decode, ProtoError } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { errorField } from "../../rpc/outbox.ts";
import { keyOwner, type PeerKey } from "../../rpc/peer_id.ts";
import type { TimerId } from "../../lib/clock.ts";
import type { Phase } from "../cell.ts";
import { decoding } from "../decoding.ts";
import { Entity } from "../entity.ts";
import { Lookups } from "../lookups.ts";
import { isNewer } from "../notes_version.ts";
import type { ChannelJoin, Contact, Inbound, RoomRef, UserMessage, UserRef } from "../refs/mod.ts";
import { refuse } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import type { Turn } from "../turn.ts";
import {
  handleRemoveContact,
  handleRequestContact,
  handleRespondToContactRequest,
} from "./contacts.ts";
import { pushAll, type UserContext, type UserRequestContext } from "./context.ts";
import {
  abandonJoin,
  endJoin,
  joinAgain,
  joinAllowed,
  joinPrepared,
  prepareJoin,
  startJoin,
} from "./joining.ts";
import {
  answered,
  handleGetNotifications,
  handleMarkNotificationRead,
  notificationDeleted,
  notified,
  unnotify,
} from "./notifications.ts";
import {
  accountRemoved,
  connected,
  connectionLost,
  correct,
  graceOver,
  publish,
  refreshPresence,
} from "./presence.ts";
import { handleAckChannelMessage, messageObserved } from "./observing.ts";
import { planChanged, refreshModelTokens } from "./plan.ts";
import { ring, RING_FAILED } from "./ringing.ts";
import { noteRead, type NotificationRow, unreadKey, UserState } from "./state.ts";
import { handleSubscribeToChannels } from "./subscribing.ts";
import { fieldOf } from "../turn.ts";

const ACK = fieldOf("Ack", {});

/** What tells of rows that another user's actor writes. */
const REMEMBERED: ReadonlySet<UserMessage["type"]> = new Set([
  "user.contact_changed",
  "user.notified",
  "user.unnotify",
  "user.notification_deleted",
  "user.message_observed",
  "user.notes_observed",
]);

export class User extends Entity implements UserRef {
  readonly kind = "user";
  readonly id: number;
  readonly address: string;
  readonly #state: UserState;
  readonly #graces = new Map<PeerKey, TimerId>();
  readonly #lookups: Lookups;
  #firstTime = false;
  /** The user's connections are his whatever becomes of a change, and his contacts are corrected. */
  protected override readonly showsOwn = false;

  constructor(system: ActorSystem, id: number) {
    super(system);
    this.id = id;
    this.address = `/users/${id}`;
    this.#state = new UserState(id);
    this.#lookups = new Lookups(system);
    system.registry.users.set(id, this);
    this.begin({
      first: "loading",
      load: (signal) => this.#load(signal),
      failed: "forgotten",
      dispose: () => this.#dispose(),
    });
  }

  tell(message: UserMessage, gate: number): void {
    this.enqueue({
      remembers: REMEMBERED.has(message.type),
      run: (turn) => {
        this.#handle(this.#context(turn), message);
        turn.then(() => this.#restIfIdle());
      },
      refused: () => {
        if (message.type === "user.connected") message.connection.drop("user_removed");
        if (message.type === "user.left") {
          message.connection.outbox.push(ACK, message.requestId, 0);
        }
        if (message.type === "user.call_asked") {
          this.system.registry.rooms.get(message.roomId)?.tell({
            type: "room.call_refused",
            ticket: message.ticket,
            reason: `there is no user ${this.id}`,
          }, 0);
        }
      },
    }, gate);
  }

  receive(inbound: Inbound): void {
    const other = inbound.route.message === "RequestContact" ? askedUser(inbound) : undefined;
    this.#lookups.inOrder(
      inbound,
      other === undefined ? [] : [other],
      (kept, exists) => this.#enqueueRequest(kept, exists),
    );
  }

  #enqueueRequest(inbound: Inbound, exists: (id: number) => boolean): void {
    const kept = this.ready ? inbound : { ...inbound, payload: inbound.payload.slice() };
    this.enqueue({
      run: (turn) =>
        decoding(
          kept,
          () => this.#handleRequest({ ...this.#context(turn), inbound: kept }, exists),
        ),
      refused: (error) => refuse(this.system, inbound, error),
    });
  }

  #handleRequest(
    context: UserRequestContext,
    exists: (id: number) => boolean,
  ): void {
    switch (context.inbound.route.message) {
      case "RequestContact":
        return handleRequestContact(context, exists);
      case "RespondToContactRequest":
        return handleRespondToContactRequest(context);
      case "RemoveContact":
        return handleRemoveContact(context);
      case "GetNotifications":
        return handleGetNotifications(context);
      case "MarkNotificationRead":
        return handleMarkNotificationRead(context);
      case "SubscribeToChannels":
        return handleSubscribeToChannels(context);
      case "AckChannelMessage":
        return handleAckChannelMessage(context);
      case "CreateRoom":
        return this.#withSeat(context, () => this.#createRoom(context));
      case "LeaveRoom":
        return this.#withSeat(context, () => this.#leaveRoom(context));
      case "JoinChannel":
        return this.#withSeat(context, () => startJoin(context, channelJoin(context.inbound)));
    }
  }

  #handle(context: UserContext, message: UserMessage): void {
    const { user, turn } = context;
    switch (message.type) {
      case "user.connected": {
        const firstTime = this.#firstTime;
        this.#firstTime = false;
        connected(context, message.connection, { firstTime });
        if (firstTime) this.#welcome(turn);
        turn.then(() => message.connection.opened());
        if (firstTime) turn.then(() => this.#noteConnectedOnce());
        return;
      }
      case "user.connection_lost":
        connectionLost(context, message.key);
        this.#startGrace(message.key);
        return;
      case "user.publish":
        return publish(context);
      case "user.contact_published":
        if (!(user.contacts.get(message.userId)?.accepted ?? false)) return;
        return pushAll(
          context,
          fieldOf("UpdateContacts", {
            contacts: [{
              userId: BigInt(message.userId),
              online: message.online,
              busy: message.busy,
            }],
          }),
        );
      case "user.plan_changed":
        return planChanged(context, message.pro);
      case "user.refresh_model_tokens":
        return refreshModelTokens(context);
      case "user.push":
        return pushAll(context, message.field);
      case "user.left":
        return turn.ack(message.connection, message.requestId);
      case "user.account_removed":
        return accountRemoved(context, message.userId);
      case "user.seated":
        user.seat = { roomId: message.roomId, active: message.active };
        if (message.key !== undefined) this.#watchSeat(message.key);
        return refreshPresence(this.system, user);
      case "user.unseated":
        if (user.seat?.roomId !== message.roomId) return;
        user.seat = undefined;
        return refreshPresence(this.system, user);
      case "user.call_asked":
        return this.#callAsked(context, message);
      case "user.ring":
        return ring(
          context,
          message.field,
          (displayed) => this.#ringEnded(message, displayed),
        );
      case "user.contact_changed":
        if (message.contact === undefined) user.contacts.delete(message.otherId);
        else user.contacts.set(message.otherId, message.contact);
        return pushAll(context, message.field);
      case "user.notified":
        return notified(context, message.row);
      case "user.unnotify":
        return unnotify(context, message.kind, message.entityId);
      case "user.notification_deleted":
        return notificationDeleted(context, message.row);
      case "user.message_observed":
        messageObserved(user, message.channelId, message.messageId);
        return;
      case "user.notification_answered": {
        const read = answered(context, message.kind, message.entityId, message.response);
        if (read !== undefined) pushAll(context, read);
        return;
      }
      case "user.notes_observed":
        if (isNewer(message.version, user.observedNotes.get(message.channelId))) {
          user.observedNotes.set(message.channelId, message.version);
        }
        return;
      case "user.notes_open":
        return this.#watchSeat(message.key);
      case "user.join_channel":
        if (user.joining === undefined) return startJoin(context, message.join);
        user.waiting.push(() => this.tell(message, 0));
        return;
      case "user.join_allowed":
        return joinAllowed(context, message);
      case "user.evicted":
        return prepareJoin(context, message.join);
      case "user.join_prepared":
        return joinPrepared(context, message);
      case "user.join_again":
        return joinAgain(context, message.join);
      case "user.join_ended":
        return endJoin(context, message.join, message.error);
    }
  }

  #callAsked(
    { turn, user }: UserContext,
    { roomId, callerId, ticket }: Extract<UserMessage, { type: "user.call_asked" }>,
  ): void {
    const room = this.system.registry.rooms.get(roomId);
    if (room === undefined) return;
    const reason = !(user.contacts.get(callerId)?.accepted ?? false)
      ? "cannot call a user who isn't a contact"
      : user.seat !== undefined || user.joining !== undefined
      ? "cannot call: this user is in a room or being called already"
      : undefined;
    if (reason !== undefined) {
      turn.tellRoom(room, { type: "room.call_refused", ticket, reason });
      return;
    }
    user.seat = { roomId, active: false };
    refreshPresence(this.system, user);
    turn.tellRoom(room, { type: "room.call_allowed", ticket, userId: user.id });
  }

  /** A caller whose room has ended meanwhile is answered from here. [rooms 10.2.7] */
  #ringEnded(
    { roomId, ticket, caller, requestId }: Extract<UserMessage, { type: "user.ring" }>,
    displayed: boolean,
  ): void {
    const room = this.system.registry.rooms.get(roomId);
    if (room !== undefined) room.tell({ type: "room.ring_ended", ticket, displayed }, 0);
    else {
      const { code, message } = RING_FAILED;
      caller.outbox.push(displayed ? ACK : errorField(code, message), requestId, 0);
    }
  }

  /** While the user is on the way to a channel's call, whatever needs the seat waits. [rooms 19.4] */
  #withSeat({ user, inbound }: UserRequestContext, handle: () => void): void {
    if (user.joining === undefined) return handle();
    const kept = { ...inbound, payload: inbound.payload.slice() };
    user.waiting.push(() => this.#enqueueRequest(kept, () => false));
  }

  /** [rooms 10.1] */
  #createRoom({ turn, user, inbound }: UserRequestContext): void {
    if (user.seat !== undefined) {
      throw RpcError.internal("cannot create a room: you are in one or being called into one");
    }
    const { id, write: counter } = this.system.ids.next("room");
    user.seat = { roomId: id, active: true };
    refreshPresence(this.system, user);
    const { connection, requestId } = inbound;
    turn.then((gate) =>
      this.system.createRoom(id).tell({ type: "room.create", connection, requestId, counter }, gate)
    );
  }

  /** [rooms 10.7] Not being in a room is success. */
  #leaveRoom({ turn, user, inbound }: UserRequestContext): void {
    const { connection, requestId } = inbound;
    const room = this.#room();
    if (room === undefined || user.seat?.active !== true) turn.ack(connection, requestId);
    else {
      turn.tellRoom(room, {
        type: "room.leave",
        key: connection.key,
        request: { connection, requestId },
      });
    }
  }

  #room(): RoomRef | undefined {
    const { seat } = this.#state;
    return seat === undefined ? undefined : this.system.registry.rooms.get(seat.roomId);
  }

  /**
   * A room or notes that start over still have the user in on that connection: should it be gone,
   * somebody must leave them in time.
   */
  #watchSeat(key: PeerKey): void {
    if (!this.system.registry.connections.has(key) && !this.#graces.has(key)) this.#startGrace(key);
  }

  #startGrace(key: PeerKey): void {
    // State stays as it is for the next epoch when the server itself is going down. [rooms 14.3]
    if (this.system.draining || keyOwner(key) !== this.system.epoch) return;
    const timer = this.system.clock.setTimeout(() => {
      this.#graces.delete(key);
      if (this.system.draining) return;
      this.enqueue({
        run: (turn) => {
          graceOver(this.#context(turn), key);
          turn.then(() => this.#restIfIdle());
        },
      });
    }, this.system.times.reconnectGrace);
    this.#graces.set(key, timer);
  }

  #context(turn: Turn): UserContext {
    return {
      system: this.system,
      turn,
      user: this.#state,
      later: (task) =>
        this.enqueue({
          run: (turn) => {
            task(this.#context(turn));
            turn.then(() => this.#restIfIdle());
          },
        }),
    };
  }

  #restIfIdle(): void {
    const { connections, seat } = this.#state;
    if (connections.size > 0 || seat !== undefined || this.#graces.size > 0) return;
    this.system.clock.setImmediate(() => {
      const idle = connections.size === 0 && this.#state.seat === undefined &&
        this.#graces.size === 0;
      if (idle && this.ready) this.rest();
    });
  }

  /** [channels 2.7] */
  #welcome(turn: Turn): void {
    const { accounts, registry, log } = this.system;
    const id = accounts.welcomeChannel;
    if (id === undefined) return;
    const channel = registry.channels.get(id);
    if (channel?.rootId === id) {
      turn.tellChannel(channel, { type: "channel.welcome", userId: this.id });
    } else {
      log.warn("{address} cannot be welcomed: there is no channel {id} without a parent", {
        address: this.address,
        id,
      });
    }
  }

  #noteConnectedOnce(): void {
    const { store, directory, log } = this.system;
    directory.forget(this.id);
    store.setConnectedOnce(this.id).then(
      () => directory.forget(this.id),
      (error) => log.error("A first connection cannot be noted: {error}", { error }),
    );
  }

  /** Rejects when there is no such account. */
  async #load(signal: AbortSignal): Promise<boolean> {
    const { store, journal } = this.system;
    if (journal.busy) await journal.settled();
    const [[account], contacts, notifications, read, observed, observedNotes] = await Promise.all([
      this.system.directory.find([this.id]),
      store.contactsOf(this.id),
      store.loadWhere("notifications", { recipient_id: this.id, is_read: false }),
      store.loadWhere("notifications", { recipient_id: this.id, is_read: true, response: null }),
      store.loadWhere("observed_channel_messages", { user_id: this.id }),
      store.loadWhere("observed_buffer_edits", { user_id: this.id }),
    ]);
    if (signal.aborted) return false;
    if (account === undefined) throw new Error(`Cannot load ${this.address}: no such account`);
    this.#firstTime = !account.connectedOnce;
    abandonJoin(this.#state);
    const before = new Map(this.#state.contacts);
    this.#state.contacts.clear();
    for (const row of contacts) {
      const isA = row.user_id_a === this.id;
      this.#state.contacts.set(isA ? row.user_id_b : row.user_id_a, {
        accepted: row.accepted,
        asked: row.a_to_b === isA,
        shouldNotify: row.should_notify,
      });
    }
    this.#state.observedMessages.clear();
    for (const row of observed) {
      this.#state.observedMessages.set(row.channel_id, row.channel_message_id);
    }
    this.#state.observedNotes.clear();
    for (const { channel_id, epoch, lamport_timestamp, replica_id } of observedNotes) {
      const version = { epoch, timestamp: lamport_timestamp, replicaId: replica_id };
      this.#state.observedNotes.set(channel_id, version);
    }
    this.#state.unread.clear();
    this.#state.unanswered.clear();
    for (const row of read) noteRead(this.#state, row);
    const left: NotificationRow[] = [];
    for (const row of notifications.sort((a, b) => a.id - b.id)) {
      if (this.#isLeft(row)) left.push(row);
      else this.#state.unread.set(unreadKey(row.kind, row.entity_id), row);
    }
    if (this.generation > 1) {
      const told = lostContacts(before, this.#state.contacts);
      if (told.length > 0) this.enqueue({ run: (turn) => correct(this.#context(turn), told) });
    }
    if (left.length > 0) {
      this.enqueue({
        run: (turn) => {
          for (const { id } of left) turn.remove("notifications", { id });
        },
      });
    }
    return true;
  }

  /** The request was taken back, and the server died before this actor heard of it. */
  #isLeft({ kind, entity_id }: NotificationRow): boolean {
    if (kind !== "ContactRequest") return false;
    const contact = this.#state.contacts.get(entity_id as number);
    return contact === undefined || contact.accepted || contact.asked;
  }

  override entered(phase: Phase): void {
    super.entered(phase);
    if (phase === "live") refreshPresence(this.system, this.#state);
  }

  #dispose(): void {
    for (const [key, timer] of this.#graces) {
      this.system.clock.clearTimeout(timer);
      // Nobody else would tell them.
      for (const channelId of [...this.system.openNotes.of(key)]) {
        this.system.registry.notes.get(channelId)?.tell({ type: "notes.leave", key }, 0);
      }
    }
    if (this.system.registry.users.get(this.id) === this) {
      this.system.registry.users.delete(this.id);
      this.system.presence.set(this.id, { online: false, busy: false });
    }
    for (const connection of this.#state.connections.values()) connection.drop("error");
  }
}

function channelJoin({ connection, requestId, payload }: Inbound): ChannelJoin {
  return { channelId: Number(decode("JoinChannel", payload).channelId), connection, requestId };
}

function askedUser(inbound: Inbound): number | undefined {
  try {
    return Number(decode("RequestContact", inbound.payload).responderId);
  } catch (error) {
    if (error instanceof ProtoError) return undefined;
    throw error;
  }
}

/** Users who stood otherwise to this one in memory than they do in the database. */
function lostContacts(
  before: ReadonlyMap<number, Contact>,
  now: ReadonlyMap<number, Contact>,
): number[] {
  return [...before].filter(([id, contact]) => {
    const stored = now.get(id);
    return stored?.accepted !== contact.accepted || stored.asked !== contact.asked;
  }).map(([id]) => id);
}
