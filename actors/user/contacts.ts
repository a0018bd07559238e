/** Contacts: asking, answering, removing. The asker's or answerer's actor writes the pair's row. [channels 3] */
import { decode } from "../../proto/mod.ts";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { RpcError } from "../../rpc/errors.ts";
import { notifyUser } from "../notification.ts";
import type { Contact } from "../refs/mod.ts";
import { fieldOf } from "../turn.ts";
import { pushAll, type UserRequestContext } from "./context.ts";
import { answered } from "./notifications.ts";
import { wireContact } from "./presence.ts";

/** `ContactRequestResponse` of the wire. [channels 1.2] */
const Answer = { Accept: 0, Decline: 1, Block: 2, Dismiss: 3 } as const;

/** [channels 3.6] */
export function handleRequestContact(context: UserRequestContext): void {
  const { turn, user, inbound } = context;
  const other = Number(decode("RequestContact", inbound.payload).responderId);
  if (other === user.id) throw RpcError.internal("cannot be your own contact");
  if (!context.exists(other)) throw RpcError.internal(`there is no user ${other}`);
  const contact = user.contacts.get(other);
  if (contact === undefined) {
    setContact(context, other, { accepted: false, asked: true, shouldNotify: true }, {
      mine: { outgoingRequests: [BigInt(other)] },
      theirs: { incomingRequests: [{ requesterId: BigInt(user.id) }] },
    });
    notifyUser(context.system, turn, other, "ContactRequest", user.id);
  } else if (!contact.accepted && !contact.asked) {
    // Both asked: they are contacts now, and hear it as an acceptance. [channels 15 QUIRK 2]
    accept(context, other, false);
    const read = answered(context, "ContactRequest", other, true);
    if (read !== undefined) pushAll(context, read);
  } else throw RpcError.internal("this user is your contact or has been asked already");
  turn.ack(inbound.connection, inbound.requestId);
}

/** [channels 3.7] */
export function handleRespondToContactRequest(context: UserRequestContext): void {
  const { turn, user, inbound } = context;
  const { requesterId, response } = decode("RespondToContactRequest", inbound.payload);
  const other = Number(requesterId);
  const contact = user.contacts.get(other);
  if (response === Answer.Dismiss) {
    if (contact === undefined || contact.accepted !== contact.asked) {
      throw RpcError.internal("there is nothing to dismiss");
    }
    const dismissed = { ...contact, shouldNotify: false };
    user.contacts.set(other, dismissed);
    turn.put("contacts", contactRow(user.id, other, dismissed));
    turn.ack(inbound.connection, inbound.requestId);
    return;
  }
  const accepting = response === Answer.Accept;
  if (contact === undefined || contact.asked || (!accepting && contact.accepted)) {
    throw RpcError.internal("this user has not asked to be your contact");
  }
  if (accepting) accept(context, other, true);
  else {
    setContact(context, other, undefined, {
      mine: { removeIncomingRequests: [BigInt(other)] },
      theirs: { removeOutgoingRequests: [BigInt(user.id)] },
    });
  }
  const read = answered(context, "ContactRequest", other, accepting);
  if (read !== undefined) pushAll(context, read);
  if (accepting) {
    notifyUser(context.system, turn, other, "ContactRequestAccepted", user.id);
  }
  turn.ack(inbound.connection, inbound.requestId);
}

/** [channels 3.8] The lists follow the stored direction. [channels 15 QUIRK 3] */
export function handleRemoveContact(context: UserRequestContext): void {
  const { turn, user, inbound } = context;
  const other = Number(decode("RemoveContact", inbound.payload).userId);
  const contact = user.contacts.get(other);
  if (contact === undefined) throw RpcError.internal("this user is not your contact");
  const [mine, theirs] = [[BigInt(user.id)], [BigInt(other)]] as const;
  setContact(
    context,
    other,
    undefined,
    contact.accepted
      ? { mine: { removeContacts: theirs }, theirs: { removeContacts: mine } }
      : contact.asked
      ? { mine: { removeOutgoingRequests: theirs }, theirs: { removeIncomingRequests: mine } }
      : { mine: { removeIncomingRequests: theirs }, theirs: { removeOutgoingRequests: mine } },
  );
  if (!contact.accepted && contact.asked) {
    turn.tellUser(other, { type: "user.unnotify", kind: "ContactRequest", entityId: user.id });
  } else if (!contact.accepted) {
    const read = answered(context, "ContactRequest", other, false);
    if (read !== undefined) pushAll(context, read);
  }
  turn.ack(inbound.connection, inbound.requestId);
}

function accept(context: UserRequestContext, other: number, shouldNotify: boolean): void {
  const { system, user } = context;
  setContact(context, other, { accepted: true, asked: false, shouldNotify }, {
    mine: {
      contacts: [wireContact(system, other)],
      removeIncomingRequests: [BigInt(other)],
    },
    theirs: {
      contacts: [wireContact(system, user.id)],
      removeOutgoingRequests: [BigInt(user.id)],
    },
  });
}

/** Changes the pair, on both sides and in the database, and tells both. */
function setContact(
  context: UserRequestContext,
  other: number,
  contact: Contact | undefined,
  tell: {
    mine: Init<MessageTypes["UpdateContacts"]>;
    theirs: Init<MessageTypes["UpdateContacts"]>;
  },
): void {
  const { turn, user } = context;
  if (contact === undefined) {
    user.contacts.delete(other);
    turn.remove("contacts", pair(user.id, other));
  } else {
    user.contacts.set(other, contact);
    turn.put("contacts", contactRow(user.id, other, contact));
  }
  pushAll(context, fieldOf("UpdateContacts", tell.mine));
  turn.tellUser(other, {
    type: "user.contact_changed",
    otherId: user.id,
    contact: contact === undefined ? undefined : { ...contact, asked: !contact.asked },
    field: fieldOf("UpdateContacts", tell.theirs),
  });
}

function pair(one: number, other: number): { user_id_a: number; user_id_b: number } {
  return { user_id_a: Math.min(one, other), user_id_b: Math.max(one, other) };
}

function contactRow(userId: number, other: number, contact: Contact) {
  return {
    ...pair(userId, other),
    a_to_b: (userId < other) === contact.asked,
    should_notify: contact.shouldNotify,
    accepted: contact.accepted,
  };
}
