import { assert } from "@std/assert";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import type { PeerId } from "../../rpc/peer_id.ts";
import { befriend, bringIn } from "./call.ts";
import { channelDetails } from "./channel_lines.ts";
import { notesDetails } from "./notes.ts";
import type { TestServer } from "./server.ts";
import type { Received, TestPeer, TestPeerOptions } from "./test_peer.ts";
import { waitUntil } from "./wait_until.ts";

const ROLES = ["Admin", "Member", "Guest", "Banned", "Talker"];
const QUIET_ROUNDS = 2;

/**
 * The connections of a test under names as the specification has them: `A1` is the first connection
 * of user `a`, `A2` the second. What a connection was told can be read as lines of text, in order.
 */
export class Stage {
  readonly server: TestServer;
  readonly #peers = new Map<string, TestPeer>();
  readonly #logins = new Map<bigint, string>();
  /** Connections that came to an end keep their names: snapshots still list them. */
  readonly #names = new Map<string, string>();

  constructor(server: TestServer) {
    this.server = server;
  }

  /** Connects under a name; the letter is the user. */
  async enter(name: string, options: TestPeerOptions = {}): Promise<TestPeer> {
    const login = name.replace(/\d+$/, "").toLowerCase();
    const peer = await this.server.raw(login, options);
    this.#peers.set(name, peer);
    this.#logins.set(peer.userId, login);
    this.#names.set(key(peer.peerId), name);
    return peer;
  }

  /** Connects several at once, each of another user, and makes them contacts of each other. */
  async friends<const N extends readonly string[]>(
    ...names: N
  ): Promise<{ [K in keyof N]: TestPeer }> {
    const peers: TestPeer[] = [];
    for (const name of names) peers.push(await this.enter(name));
    for (const [at, one] of peers.entries()) {
      for (const other of peers.slice(at + 1)) await befriend(one, other);
    }
    await this.silence();
    return peers as { [K in keyof N]: TestPeer };
  }

  /** As {@link friends}, and brings them into a room of the first one, in this order. */
  async meet<const N extends readonly string[]>(
    ...names: N
  ): Promise<{ roomId: bigint; peers: { [K in keyof N]: TestPeer } }> {
    const peers = await this.friends(...names);
    const [host, ...guests] = peers as unknown as TestPeer[];
    const { room } = await (host as TestPeer).call("CreateRoom", {});
    const roomId = room?.id as bigint;
    for (const guest of guests) await bringIn(roomId, host as TestPeer, guest);
    await this.silence();
    return { roomId, peers };
  }

  /** Passes over everything that was told until now. */
  async silence(): Promise<void> {
    await this.quiet();
    for (const peer of this.#peers.values()) peer.skip();
  }

  /** Answers the last ring of a connection as a client does that shows it. */
  displayRing(name: string): void {
    const ring = this.peer(name).received.findLast((one) => one.name === "IncomingCall");
    if (ring === undefined) throw new Error(`Cannot answer at ${name}: it does not ring`);
    this.peer(name).reply(ring, "Ack", {});
  }

  peer(name: string): TestPeer {
    const peer = this.#peers.get(name);
    if (peer === undefined) throw new Error(`Cannot find ${name}: nobody entered under this name`);
    return peer;
  }

  /** Resolves when the server has handled everything sent so far and its consequences have arrived. */
  async quiet(): Promise<void> {
    for (let round = 0; round < QUIET_ROUNDS; round++) {
      const open = [...this.#peers.values()].filter(({ end }) => end === undefined);
      await this.server.rest();
      await Promise.all(open.map((peer) => peer.settle()));
    }
  }

  /** What a connection was told since it was last asked, once everything is quiet. */
  async heard(name: string): Promise<string[]> {
    await this.quiet();
    const peer = this.peer(name);
    const fresh = peer.fresh();
    peer.skip();
    assertInOrder(peer);
    return fresh.map((one) => this.#line(one));
  }

  /** The same of several. */
  async heardBy<const N extends readonly string[]>(
    ...names: N
  ): Promise<{ [K in N[number]]: string[] }> {
    const lines: Record<string, string[]> = {};
    for (const name of names) lines[name] = await this.heard(name);
    return lines as { [K in N[number]]: string[] };
  }

  /** Ends a connection, and waits until the server has noticed. */
  async lose(name: string): Promise<void> {
    const peer = this.peer(name);
    const { registry } = this.server.server.actors;
    const before = registry.connections.size;
    await peer.close();
    this.#peers.delete(name);
    await waitUntil(() => registry.connections.size < before, { describe: `the loss of ${name}` });
  }

  #line(received: Received): string {
    const { name, respondingTo, originalSenderId } = received;
    const parts = [
      ...(respondingTo === undefined ? [] : ["↩"]),
      name,
      ...this.#details(received),
      ...(originalSenderId === undefined ? [] : [`from ${this.#name(originalSenderId)}`]),
    ];
    return parts.join(" ");
  }

  #details({ name, value }: Received): string[] {
    switch (name) {
      case "Hello":
        return [this.#name((value as MessageTypes["Hello"]).peerId)];
      case "RoomUpdated":
      case "CreateRoomResponse":
      case "JoinRoomResponse":
      case "RejoinRoomResponse": {
        const { room } = value as MessageTypes["RoomUpdated"];
        const { channelId } = value as Partial<MessageTypes["JoinRoomResponse"]>;
        return [
          ...(channelId === undefined ? [] : [`of ${channelId}:`]),
          this.room(room as MessageTypes["Room"]),
        ];
      }
      case "UpdateContacts":
        return this.#contacts(value as MessageTypes["UpdateContacts"]);
      case "IncomingCall": {
        const call = value as MessageTypes["IncomingCall"];
        const project = call.initialProject;
        return [
          `${call.roomId} by ${this.#login(call.callingUserId)}`,
          `with ${call.participantUserIds.map((id) => this.#login(id)).join(",")}`,
          ...(project === undefined ? [] : [`for ${shared(project)}`]),
        ];
      }
      case "CallCanceled":
        return [String((value as MessageTypes["CallCanceled"]).roomId)];
      case "Error": {
        const { code, tags } = value as MessageTypes["Error"];
        return [String(code), ...tags];
      }
      case "UpdateNotification":
      case "AddNotification": {
        const one = (value as MessageTypes["AddNotification"])
          .notification as MessageTypes["Notification"];
        return [
          `${one.id} ${one.kind} ${one.entityId} ${one.content}`,
          one.isRead ? "read" : "unread",
          ...(one.response === undefined ? [] : [one.response ? "yes" : "no"]),
        ];
      }
      case "DeleteNotification":
        return [String((value as MessageTypes["DeleteNotification"]).notificationId)];
      case "UnshareProject":
        return [String((value as MessageTypes["UnshareProject"]).projectId)];
      case "RemoveProjectCollaborator": {
        const { projectId, peerId } = value as MessageTypes["RemoveProjectCollaborator"];
        return [`${projectId} ${this.#name(peerId)}`];
      }
      case "UpdateProjectCollaborator": {
        const one = value as MessageTypes["UpdateProjectCollaborator"];
        return [`${one.projectId} ${this.#name(one.oldPeerId)}→${this.#name(one.newPeerId)}`];
      }
      default:
        return channelDetails(name, value, (id) => this.#login(id)) ??
          notesDetails(name, value, (id) => this.#name(id)) ?? [];
    }
  }

  /** A room as one line: `A1 0 Admin, B1 1 Member | c rung by a`. */
  room(room: Init<MessageTypes["Room"]>): string {
    const { participants, pendingParticipants, followers } = room as MessageTypes["Room"];
    const seats = participants.map((one) => {
      const { location } = one;
      const place = location?.sharedProject !== undefined
        ? ` in ${location.sharedProject.id}`
        : location?.unsharedProject !== undefined
        ? " in own"
        : location?.external !== undefined
        ? ""
        : " nowhere";
      const hosts = one.projects.length === 0 ? "" : ` hosts ${one.projects.map(shared).join("+")}`;
      const name = this.#name(one.peerId);
      const user = this.#login(one.userId);
      const who = name.toLowerCase().startsWith(user) ? name : `${name}(${user})`;
      return `${who} ${one.participantIndex} ${ROLES[one.role]}${place}${hosts}`;
    });
    const rung = pendingParticipants.map((one) =>
      ` | ${this.#login(one.userId)} rung by ${this.#login(one.callingUserId)}` +
      (one.initialProjectId === undefined ? "" : ` for ${one.initialProjectId}`)
    );
    const following = followers.map((one) =>
      ` | ${this.#name(one.followerId)} follows ${this.#name(one.leaderId)} in ${one.projectId}`
    );
    return seats.join(", ") + rung.join("") + following.join("");
  }

  #contacts(update: MessageTypes["UpdateContacts"]): string[] {
    const logins = (ids: readonly bigint[]) => ids.map((id) => this.#login(id)).join(",");
    const parts: string[] = update.contacts.map((one) =>
      `${this.#login(one.userId)} ${one.online ? "online" : "offline"} ${
        one.busy ? "busy" : "free"
      }`
    );
    const add = (label: string, ids: readonly bigint[]) =>
      ids.length > 0 && parts.push(`${label} ${logins(ids)}`);
    add("asked by", update.incomingRequests.map((one) => one.requesterId));
    add("asking", update.outgoingRequests);
    add("no contact", update.removeContacts);
    add("not asked by", update.removeIncomingRequests);
    add("not asking", update.removeOutgoingRequests);
    return parts.length === 0 ? [] : [parts.join(", ")];
  }

  #login(id: bigint): string {
    return this.#logins.get(id) ?? `user ${id}`;
  }

  #name(id: PeerId | undefined): string {
    if (id === undefined) return "nobody";
    return this.#names.get(key(id)) ?? key(id);
  }
}

function key(id: PeerId): string {
  return `${id.ownerId}:${id.id}`;
}

function shared(project: Init<MessageTypes["ParticipantProject"]>): string {
  return `${project.id}(${(project.worktreeRootNames ?? []).join(",")})`;
}

/** Ids rise in the order received, and answers name no sender. [rooms 1.3] [transport 2.2.3] */
function assertInOrder(peer: TestPeer): void {
  let last = -1;
  for (const { id, name, respondingTo, originalSenderId } of peer.received) {
    assert(id > last, `${name} has id ${id} behind ${last}`);
    last = id;
    assert(respondingTo === undefined || originalSenderId === undefined, `${name} names a sender`);
  }
}
