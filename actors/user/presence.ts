/** Connections of a user, and what the user's contacts hear of them. [rooms 4] [rooms 8] [rooms 14] */
import { wantsUserPlan } from "../../lib/app_version.ts";
import { peerIdOf, type PeerKey } from "../../rpc/peer_id.ts";
import type { ConnectionRef, UserMessage } from "../refs/mod.ts";
import { planField } from "./plan.ts";
import { fieldOf } from "../turn.ts";
import { pushAll, type UserContext } from "./context.ts";
import type { UserState } from "./state.ts";
import type { ActorSystem } from "../system.ts";
import { noteConnectedOnce, welcome } from "./welcome.ts";

/** Publishes what others may read of the user. */
export function refreshPresence(system: ActorSystem, user: UserState): void {
  system.presence.set(user.id, {
    online: user.connections.size > 0,
    busy: user.seat !== undefined,
  });
}

/** The initial pushes, in the specification's order. [rooms 4.2] */
export function connected(context: UserContext, connection: ConnectionRef): void {
  const { system, turn, user } = context;
  const { isNew } = user;
  user.isNew = false;
  user.connections.set(connection.key, connection);
  system.pool.add(user.id, connection.key);
  refreshPresence(system, user);
  turn.push(connection.key, fieldOf("Hello", { peerId: peerIdOf(connection.key) }), {
    written: (outbox, id) => outbox.forget(id),
    answered: () => true,
    // What the first messages tell was taken back: the client comes again, and hears what holds.
    lost: () => connection.drop("error"),
  });
  if (isNew) turn.push(connection.key, fieldOf("ShowContacts", {}));
  if (wantsUserPlan(connection.version)) {
    turn.push(connection.key, planField(connection.pro));
  }
  turn.push(connection.key, fieldOf("UpdateContacts", contactLists(context)));
  if (user.seat !== undefined && !user.seat.active) {
    const room = system.registry.rooms.get(user.seat.roomId);
    if (room !== undefined) {
      turn.tellRoom(room, { type: "room.announce_call", userId: user.id, connection });
    }
  }
  publish(context);
  if (isNew) welcome(context);
  turn.then(() => connection.opened());
  if (isNew) turn.then(() => noteConnectedOnce(system, user.id));
}

/**
 * Tells all contacts anew, and takes back those that are none any more: a client may have been told
 * of a change that the database then refused.
 *
 * @param told users whom the clients may know as contacts or requests
 */
export function correct(context: UserContext, told: readonly number[]): void {
  const { user } = context;
  const gone = (still: readonly number[]) => told.filter((id) => !still.includes(id)).map(BigInt);
  pushAll(
    context,
    fieldOf("UpdateContacts", {
      ...contactLists(context),
      removeContacts: gone(user.acceptedContacts()),
      removeIncomingRequests: gone(user.pendingContacts(false)),
      removeOutgoingRequests: gone(user.pendingContacts(true)),
    }),
  );
}

/** Everybody the user knows or may come to know. [rooms 4.4] */
function contactLists({ system, user }: UserContext) {
  return {
    contacts: user.acceptedContacts().map((id) => wireContact(system, id)),
    incomingRequests: user.pendingContacts(false).map((id) => ({ requesterId: BigInt(id) })),
    outgoingRequests: user.pendingContacts(true).map(BigInt),
  };
}

/** Removed from the pool at once; nobody is told before the grace is over. [rooms 14.2] */
export function connectionLost({ system, turn, user }: UserContext, key: PeerKey): void {
  user.connections.delete(key);
  system.pool.remove(user.id, key);
  refreshPresence(system, user);
  const room = user.seat === undefined ? undefined : system.registry.rooms.get(user.seat.roomId);
  if (room !== undefined) turn.tellRoom(room, { type: "room.connection_lost", key });
}

/** An account is gone: its user leaves the room without a grace, nobody keeps it as a contact. */
export function accountRemoved(context: UserContext, userId: number): void {
  const { system, turn, user } = context;
  if (userId === user.id) {
    const room = user.seat === undefined ? undefined : system.registry.rooms.get(user.seat.roomId);
    if (room !== undefined) turn.tellRoom(room, { type: "room.user_removed", userId });
    user.contacts.clear();
    return;
  }
  const contact = user.contacts.get(userId);
  if (contact === undefined) return;
  user.contacts.delete(userId);
  const gone = [BigInt(userId)];
  pushAll(
    context,
    fieldOf(
      "UpdateContacts",
      contact.accepted
        ? { removeContacts: gone }
        : contact.asked
        ? { removeOutgoingRequests: gone }
        : { removeIncomingRequests: gone },
    ),
  );
}

/** The grace of one lost connection is over. [rooms 14.4] */
export function graceOver(context: UserContext, key: PeerKey): void {
  const { system, turn, user } = context;
  const room = user.seat === undefined ? undefined : system.registry.rooms.get(user.seat.roomId);
  if (room !== undefined) {
    turn.tellRoom(room, { type: "room.leave", key });
    if (user.connections.size === 0 && user.seat?.active === false) {
      turn.tellRoom(room, { type: "room.callee_gone", userId: user.id });
    }
  }
  for (const channelId of system.openNotes.of(key)) {
    const notes = system.registry.notes.get(channelId);
    turn.then((gate) => notes?.tell({ type: "notes.leave", key }, gate));
  }
  // In a turn of its own: behind what the room has to say to this user.
  turn.then(() => context.later(publish));
}

/** Tells the user's contacts how the user is doing. [rooms 8.2] */
export function publish({ system, turn, user }: UserContext): void {
  const { online, busy } = system.presence.get(user.id);
  const message: UserMessage = { type: "user.contact_published", userId: user.id, online, busy };
  for (const id of user.acceptedContacts()) turn.tellLiveUser(id, message);
}

export function wireContact(
  system: ActorSystem,
  userId: number,
): { userId: bigint; online: boolean; busy: boolean } {
  return { userId: BigInt(userId), ...system.presence.get(userId) };
}
