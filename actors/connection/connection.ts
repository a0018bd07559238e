/**
 * One signed-in connection: takes messages off the wire, finds their route, and hands them to the
 * actor that handles them. [design 1] [transport 2.8]
 */
import { envelopeMessages, ProtoError } from "../../proto/mod.ts";
import { validatePayload } from "../../proto/validate.ts";
import type { AppVersion } from "../../lib/app_version.ts";
import type { DroppedReason } from "../../lib/metrics.ts";
import {
  EnvelopeError,
  EnvelopeView,
  Routing,
  walkEnvelope,
  walkPayload,
} from "../../rpc/envelope.ts";
import { ErrorCode } from "../../rpc/errors.ts";
import { FieldError } from "../../rpc/fields.ts";
import { frameOf, payloadField } from "../../rpc/frame.ts";
import { exceedsFrame } from "../../rpc/frame_limit.ts";
import { errorField, Outbox } from "../../rpc/outbox.ts";
import { keyId, keyOwner, NO_PEER, type PeerKey, peerKey, peerText } from "../../rpc/peer_id.ts";
import { type Route, routes, RouteTable } from "../../rpc/routes.ts";
import { decodesAlike, decompress, FrameError } from "../../rpc/zstd.ts";
import { compress } from "../../rpc/zstd_compress.ts";
import type { ForwardedRequest } from "../forwarded_request.ts";
import { Handling, timed } from "../handling.ts";
import { refuseForNoChannel } from "../channel/mod.ts";
import type { ConnectionRef, ConnectionWatcher, Inbound } from "../refs/mod.ts";
import { notePassedOver } from "../refuse.ts";
import type { ActorSystem } from "../system.ts";
import { connectionHandlers } from "./handlers.ts";
import { type ConnectionPhase, startConnectionLife } from "./machine.ts";
import { refusedWhileAway } from "../../rpc/while_away.ts";

/** Plain bytes that one message may have. [transport 1.6.10] */
export const MESSAGE_LIMIT = 64 << 20;
/** What may wait for the initial pushes: clients send next to nothing before them. [style P25] */
const EARLY_MESSAGES = 256;
const EARLY_BYTES = 1 << 20;

const table = new RouteTable(routes, envelopeMessages().map(({ name }) => name));

/** The socket as a connection needs it. */
export interface ClientSocket {
  send(bytes: Uint8Array): void;
  readonly bufferedAmount: number;
  close(code: number, reason: string): void;
}

/** Who signed in, and with what. */
export interface Principal {
  readonly userId: number;
  readonly admin: boolean;
  readonly version: AppVersion;
  /** Whether Zed takes the user for staff, whatever the settings say. */
  readonly staff?: boolean | null;
  /** Whether somebody pays for the account. */
  readonly paying?: boolean;
  /** The access token; null for what else the server accepts. */
  readonly tokenId?: number | null;
  /** The administrator who acts as the user. [rooms 3.8] */
  readonly impersonatorId?: number | null;
  /** Network address of the client, or of the proxy before it. */
  readonly clientAddress?: string;
}

// One message is taken apart at a time: these are filled anew by each.
const view = new EnvelopeView();
const routing = new Routing();

export class Connection implements ConnectionRef {
  readonly key: PeerKey;
  readonly ownerId: number;
  readonly id: number;
  readonly userId: number;
  readonly admin: boolean;
  readonly version: AppVersion;
  readonly staff: boolean;
  readonly pro: boolean;
  readonly tokenId: number | null;
  readonly impersonatorId: number | null;
  readonly clientAddress: string | null;
  readonly connectedAt: number;
  readonly address: string;
  readonly outbox: Outbox;
  readonly asking = new Set<ForwardedRequest>();
  readonly watchers = new Set<ConnectionWatcher>();
  readonly closedNotes = new Set<number>();
  reads = 0;
  phase: ConnectionPhase = "handshaking";
  readonly #system: ActorSystem;
  readonly #socket: ClientSocket;
  readonly #life: ReturnType<typeof startConnectionLife>;
  readonly #handshakeOver: () => void;
  #early: Uint8Array[] = [];
  #earlyBytes = 0;

  /** Registers the connection; the initial pushes, `Hello` first, are its user's. [rooms 4.2] */
  constructor(
    system: ActorSystem,
    key: PeerKey,
    socket: ClientSocket,
    principal: Principal,
    handshakeOver: () => void,
  ) {
    this.#system = system;
    this.#handshakeOver = handshakeOver;
    this.#socket = socket;
    this.key = key;
    this.ownerId = keyOwner(key);
    this.id = keyId(key);
    this.userId = principal.userId;
    this.admin = principal.admin;
    this.version = principal.version;
    this.tokenId = principal.tokenId ?? null;
    this.impersonatorId = principal.impersonatorId ?? null;
    this.staff = this.impersonatorId !== null ||
      system.accounts.isStaff({ admin: principal.admin, staff: principal.staff ?? null });
    this.pro = this.staff || principal.paying === true;
    this.clientAddress = principal.clientAddress ?? null;
    this.connectedAt = system.clock.now();
    this.address = `/connections/${peerText(key)}`;
    this.outbox = new Outbox({
      socket,
      durability: system.journal,
      monitor: system.pressure,
      evict: (reason) => {
        system.metrics.evictions.inc();
        system.log.warn("{address} is evicted: its peer does not read ({reason})", {
          address: this.address,
          reason,
        });
        this.drop("evicted");
      },
      failed: (error) => this.#failed(error),
    });
    this.#life = startConnectionLife({
      handshakeTime: system.times.handshake,
      entered: (phase) => {
        this.phase = phase;
      },
      handshakeTimedOut: () => this.drop("handshake_timeout"),
    }, system.clock);
    system.registry.connections.set(key, this);
    system.metrics.actors.inc();
    if (!this.admin) system.metrics.connections.inc();
    system.user(this.userId).tell({ type: "user.connected", connection: this }, 0);
  }

  opened(): void {
    if (this.phase !== "handshaking") return;
    this.#life({ type: "connection.opened" });
    this.#handshakeOver();
    const { events } = this.#system;
    if (events.wants("connection.opened")) {
      events.tell("connection.opened", { ...this.#facts(), version: this.version.text }, 0);
    }
    const early = this.#early;
    this.#early = [];
    for (const message of early) this.receive(message);
  }

  /** A text frame: healthy clients send none, and it changes nothing. [transport 1.6.7] */
  receiveText(): void {
    this.#system.metrics.ignoredMessages.inc("text_frame");
  }

  /** One binary WebSocket message. */
  receive(message: Uint8Array): void {
    if (this.phase !== "open") {
      if (this.phase === "handshaking") this.#keepEarly(message);
      return;
    }
    const { metrics } = this.#system;
    metrics.messagesReceived.inc();
    metrics.bytesReceived.inc(message.length);
    try {
      this.#dispatch(message);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The socket has ended by itself. */
  socketClosed(): void {
    this.#end("left");
  }

  drop(reason: DroppedReason): void {
    if (this.phase === "closed") return;
    this.#system.metrics.droppedConnections.inc(reason);
    this.#system.log.info("{address} is dropped: {reason}", { address: this.address, reason });
    this.#end(reason);
    this.#socket.close(reason === "error" ? 1011 : 1008, reason);
  }

  /** Ends it without a word: the server stops, the state waits for the next epoch. [rooms 16] */
  drain(): void {
    if (this.phase === "closed") return;
    this.#end("server_stopping");
    this.#socket.close(1001, "server is stopping");
  }

  #dispatch(message: Uint8Array): void {
    const plain = decompress(message, MESSAGE_LIMIT);
    walkEnvelope(plain, view);
    const { metrics } = this.#system;
    if (view.respondingTo >= 0) {
      this.#answered(message);
      return;
    }
    if (view.tag === 0) {
      metrics.ignoredMessages.inc("no_payload");
      return;
    }
    const route = table.find(view.tag);
    if (route === undefined) {
      metrics.ignoredMessages.inc("unknown_tag");
      return;
    }
    walkPayload(view, route.routing, routing);
    switch (route.treatment) {
      case "refuse":
        this.#refuse(route);
        return;
      case "drop":
        metrics.ignoredMessages.inc("unexpected_message");
        return;
    }
    if (!validatePayload(view.tag, plain, view.payloadStart, view.payloadEnd)) {
      metrics.ignoredMessages.inc("unexpected_message");
      return;
    }
    const original = passable(message);
    const handling = this.#system.log.tellsDebug
      ? new Handling(this.#system, this.address, route.message)
      : undefined;
    if (route.message === "UpdateBuffer") {
      const project = this.#system.registry.projects.get(routing.id);
      if (project === undefined) this.#noSuchProject(route, view.id, routing.id);
      else project.updateBuffer(this, view.id, original, routing.innerWrites, handling);
      return;
    }
    this.#hand({
      route,
      connection: this,
      requestId: view.id,
      original,
      payload: plain.subarray(view.payloadStart, view.payloadEnd),
      peer: routing.peerId < 0 ? NO_PEER : peerKey(routing.peerOwner, routing.peerId),
      writes: routing.innerWrites,
      handling,
    }, routing.id);
  }

  #hand(inbound: Inbound, id: number): void {
    const { registry } = this.#system;
    const { route, requestId } = inbound;
    if (this.#system.journal.away && refusedWhileAway.has(route.message)) {
      this.#error(route, requestId, "the database is out of reach, try again in a moment");
      return;
    }
    switch (route.to) {
      case "connection":
        timed(inbound, () => connectionHandlers[route.message]?.(this.#system, inbound));
        return;
      case "user":
        this.#system.user(this.userId).receive(inbound);
        return;
      case "room": {
        const room = registry.rooms.get(id);
        if (room === undefined) this.#error(route, requestId, `no such room: ${id}`);
        else room.receive(inbound);
        return;
      }
      case "project": {
        const project = registry.projects.get(id);
        if (project === undefined) this.#noSuchProject(route, requestId, id);
        else project.receive(inbound);
        return;
      }
      case "channel": {
        const channel = registry.channels.get(id);
        if (channel === undefined) refuseForNoChannel(this.#system, inbound);
        else channel.receive(id, inbound);
        return;
      }
      case "agents":
        this.#system.desk(this.userId).receive(inbound);
    }
  }

  /** An answer to something this server asked; answers to nothing are normal traffic. [projects 1.3] */
  #answered(message: Uint8Array): void {
    const { respondingTo, tag } = view;
    const pending = this.outbox.pendingFor(respondingTo);
    if (pending === undefined) {
      this.#system.metrics.ignoredMessages.inc("unexpected_response");
      return;
    }
    validatePayload(tag, view.plain, view.payloadStart, view.payloadEnd);
    const payload = view.plain.subarray(view.payloadStart, view.payloadEnd);
    if (pending.answered(tag, passable(message), payload)) this.outbox.forget(respondingTo);
  }

  #refuse(route: Route): void {
    const text = route.refusal === ErrorCode.Forbidden
      ? "request is not allowed for guests"
      : `message ${route.message} was not handled`;
    this.#system.metrics.requestErrors.inc();
    this.outbox.push(errorField(route.refusal, text), view.id, 0);
  }

  #noSuchProject(route: Route, requestId: number, id: number): void {
    this.#error(route, requestId, `no such project: ${id}`);
  }

  #error(route: Route, requestId: number, text: string): void {
    if (!route.request) {
      notePassedOver(this.#system, this.key, route, text);
      return;
    }
    this.#system.metrics.requestErrors.inc();
    this.outbox.push(errorField(ErrorCode.Internal, text), requestId, 0);
  }

  #keepEarly(message: Uint8Array): void {
    this.#earlyBytes += message.length;
    if (this.#early.length >= EARLY_MESSAGES || this.#earlyBytes > EARLY_BYTES) this.drop("flood");
    else this.#early.push(message);
  }

  #failed(error: unknown): void {
    if (error instanceof FrameError) {
      this.drop(error.reason === "too-large" ? "too_large" : "bad_frame");
    } else if (
      error instanceof EnvelopeError || error instanceof ProtoError || error instanceof FieldError
    ) this.drop("bad_envelope");
    else {
      this.#system.metrics.actorCrashes.inc("connection");
      this.#system.log.error("{address} crashed: {error}", {
        address: this.address,
        error: error instanceof Error ? error.stack ?? error.message : String(error),
      });
      this.drop("error");
    }
  }

  #facts() {
    return { connection: peerText(this.key), userId: this.userId };
  }

  /** Out of everything at once, whatever the socket does. [style A11] */
  #end(reason: DroppedReason | "left" | "server_stopping"): void {
    if (this.phase === "closed") return;
    const wasOpen = this.phase === "open";
    this.#life({ type: "connection.ended" });
    this.#handshakeOver();
    const { registry, metrics, events } = this.#system;
    if (wasOpen && events.wants("connection.closed")) {
      events.tell("connection.closed", { ...this.#facts(), reason }, 0);
    }
    registry.connections.delete(this.key);
    metrics.actors.dec();
    if (!this.admin) metrics.connections.dec();
    this.#early = [];
    for (const request of [...this.asking]) request.cancel();
    registry.desks.get(this.userId)?.connectionLost(this.key);
    for (const watcher of [...this.watchers]) watcher.connectionLost(this.key);
    this.watchers.clear();
    // Whoever is told because a question to it has no answer any more is told that it is away.
    this.#system.user(this.userId).tell({ type: "user.connection_lost", key: this.key }, 0);
    this.outbox.close();
  }
}

/**
 * The message as it may be passed on: the sender's own bytes, or the same payload in an envelope of
 * ours where some receiver could read those bytes otherwise than this server did. [design 1.7]
 */
function passable(message: Uint8Array): Uint8Array {
  if (view.verbatim && decodesAlike(message, view.plain.length)) return message;
  const field = payloadField(view.tag, view.plain.subarray(view.payloadStart, view.payloadEnd));
  return exceedsFrame(field.length) ? compress(field) : frameOf(field).slice();
}
