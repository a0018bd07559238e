/** What must hold on every connection at every message, whatever else goes on. */
import { decode, messageByTag, messageInfo, type MessageName } from "../../proto/mod.ts";
import { type DecodedEnvelope, decodeEnvelope } from "../../rpc/decode_envelope.ts";
import { type PeerKey, peerKey, peerText } from "../../rpc/peer_id.ts";
import { decompress } from "../../rpc/zstd.ts";
import type { LinkWatch } from "./network.ts";
import type { Permissions } from "./permissions.ts";

const MAX_PLAIN = 1 << 26;

/** Declared as requests, sent as messages: nobody waits for an answer. [rooms 6.6] [projects 8.6] */
const SILENT: ReadonlySet<string> = new Set(["DeclineCall", "LspQueryResponse"]);
/** Requests with many answers. [projects 8.4] */
const STREAMS: ReadonlySet<string> = new Set(["SearchCommits", "GetInitialGraphData"]);
/** Messages that need the right to edit when they are sent by a guest. [projects 8.2] */
const EDITING: ReadonlySet<string> = new Set(["SaveBuffer", "CreateProjectEntry", "UpdateBuffer"]);
/** Requests to whose end a project's messages stop, if it was left before them. */
const FENCES: ReadonlySet<string> = new Set(["UpdateParticipantLocation"]);
/** Forwarded, at least to some, with another payload than they were sent with. [projects 8.6] */
const REWRITTEN: ReadonlySet<string> = new Set([
  "LspQuery",
  "LspQueryResponse",
  "UpdateProject",
  "UpdateDiagnosticSummary",
]);

/** Sees the decoded messages of one connection, beside the checks here. */
export interface EnvelopeWatch {
  up(name: MessageName, envelope: DecodedEnvelope): void;
  /** @param written the tick when the server wrote it */
  down(name: MessageName, envelope: DecodedEnvelope, written: number): void;
}

/** What all connections of a simulation share: who sent what how often. */
export class WireRecord {
  /** Ticks when a message came to the server, by its fingerprint. */
  readonly #sent = new Map<string, number[]>();
  /** Messages from the server, and to it. */
  down = 0;
  up = 0;

  constructor(
    readonly fail: (text: string) => void,
    readonly trace: (text: () => string) => void,
    readonly permissions: Permissions,
  ) {}

  readonly #watches: WireWatch[] = [];
  readonly #users = new Map<PeerKey, number>();

  userOf(key: PeerKey): number | undefined {
    return this.#users.get(key);
  }

  /** That connection is the user's. */
  belongs(key: PeerKey, user: number): void {
    this.#users.set(key, user);
  }

  /** Watches one connection. */
  watch(
    key: PeerKey,
    who: string,
    also: EnvelopeWatch,
  ): LinkWatch & { readonly unanswered: readonly string[] } {
    const watch = new WireWatch(this, key, who, also);
    this.#watches.push(watch);
    return watch;
  }

  /** Something was taken back: maybe that somebody has left. */
  doubt(): void {
    for (const watch of this.#watches) watch.doubt();
  }

  /** A message came to the server. */
  sent(fingerprint: string): void {
    const ticks = this.#sent.get(fingerprint);
    const tick = this.permissions.tick();
    if (ticks === undefined) this.#sent.set(fingerprint, [tick]);
    else ticks.push(tick);
  }

  /** When such a message came to the server. */
  arrivals(fingerprint: string): readonly number[] {
    return this.#sent.get(fingerprint) ?? [];
  }
}

class WireWatch implements LinkWatch {
  readonly #record: WireRecord;
  readonly #key: PeerKey;
  readonly #who: string;
  readonly #also: EnvelopeWatch;
  #lastId = -1;
  /** Requests of the client by envelope id, until they are answered. */
  readonly #asked = new Map<number, MessageName>();
  /** Projects whose messages may come. */
  readonly #projects = new Set<bigint>();
  /** Projects that are being left, and from the answer of which request on they are. */
  #leaving = new Set<bigint>();
  readonly #fences = new Map<number, Set<bigint>>();
  /**
   * Its way into a project was taken back by the database: what passed through meanwhile may still
   * come, since it makes no entry that could be taken back with it. [design 1.3]
   */
  #takenBack = false;
  #inRoom = false;
  #joining = 0;
  readonly #received = new Map<string, number>();

  constructor(record: WireRecord, key: PeerKey, who: string, also: EnvelopeWatch) {
    this.#record = record;
    this.#key = key;
    this.#also = also;
    this.#who = `${who} on ${peerText(key)}`;
  }

  get unanswered(): readonly string[] {
    return [...this.#asked.values()].filter((name) => !SILENT.has(name));
  }

  doubt(): void {
    if (this.#leaving.size === 0) return;
    this.#leaving.clear();
    this.#takenBack = true;
  }

  up(message: Uint8Array): void {
    this.#record.up++;
    const envelope = decodeEnvelope(decompress(message, MAX_PLAIN));
    const info = messageByTag(envelope.tag);
    if (info === undefined) throw new TypeError(`Unknown type ${envelope.tag} from a client`);
    const { name, response } = info;
    this.#trace("→", name, envelope);
    this.#also.up(name, envelope);
    if (envelope.respondingTo !== undefined) return;
    if (response !== undefined) this.#asked.set(envelope.id, name);
    if (info.entity !== undefined && !REWRITTEN.has(name)) {
      this.#record.sent(fingerprint(this.#key, envelope));
    }
    if (name === "JoinRoom") this.#joining++;
    if (name === "LeaveProject" || name === "UnshareProject") {
      this.#leaving.add(decode(name, envelope.payload).projectId);
    }
    if (FENCES.has(name) && this.#leaving.size > 0) {
      this.#fences.set(envelope.id, this.#leaving);
      this.#leaving = new Set();
    }
  }

  writing(): number {
    return this.#record.permissions.tick();
  }

  down(message: Uint8Array, written: number): void {
    this.#record.down++;
    const envelope = decodeEnvelope(decompress(message, MAX_PLAIN));
    const info = messageByTag(envelope.tag);
    if (info === undefined) throw new TypeError(`Unknown type ${envelope.tag} from the server`);
    const { name } = info;
    this.#trace("←", name, envelope);
    if (envelope.id <= this.#lastId) {
      this.#fail(`got envelope ${envelope.id} (${name}) behind ${this.#lastId}`);
    }
    this.#lastId = envelope.id;
    if (envelope.respondingTo !== undefined) this.#answer(name, envelope, envelope.respondingTo);
    else this.#message(name, envelope, written);
    this.#also.down(name, envelope, written);
  }

  #answer(name: MessageName, envelope: DecodedEnvelope, id: number): void {
    const request = this.#asked.get(id);
    if (request === undefined) {
      this.#fail(`got ${name} as the answer to ${id}, which asks nothing or has been answered`);
      return;
    }
    // A stream ends with its last answer.
    if (STREAMS.has(request) && name !== "EndStream" && name !== "Error") return;
    this.#asked.delete(id);
    // Where the answer was taken back, so was what stands before it.
    if (name !== "Error") {
      for (const one of this.#fences.get(id) ?? []) {
        this.#projects.delete(one);
      }
    }
    this.#fences.delete(id);
    if (request === "JoinRoom") this.#joining--;
    switch (name) {
      case "ShareProjectResponse":
      case "JoinProjectResponse":
        this.#enter(decode(name, envelope.payload).projectId);
        break;
      case "RejoinRoomResponse": {
        const { resharedProjects, rejoinedProjects } = decode(name, envelope.payload);
        for (const { id } of [...resharedProjects, ...rejoinedProjects]) this.#enter(id);
        this.#inRoom = true;
        break;
      }
      case "CreateRoomResponse":
      case "JoinRoomResponse":
        this.#inRoom = true;
        break;
      case "Error":
        if (request === "JoinProject" || request === "RejoinRoom") {
          const { message } = decode(name, envelope.payload);
          this.#takenBack ||= message.includes("taken back");
        }
        break;
      case "Ack":
        if (request !== "LeaveRoom") break;
        this.#inRoom = false;
        this.#projects.clear();
    }
  }

  #message(name: MessageName, envelope: DecodedEnvelope, written: number): void {
    if (name === "RoomUpdated" && !this.#inRoom && this.#joining === 0) {
      this.#fail("got RoomUpdated of a room that it is not in");
    }
    const { entity } = messageInfo(name);
    if (entity?.message !== "ShareProject") return;
    const { projectId } = decode(name, envelope.payload) as unknown as { projectId: bigint };
    if (!this.#projects.has(projectId) && !this.#takenBack) {
      this.#fail(`got ${name} of project ${projectId}, which it is not in`);
    }
    if (name === "UnshareProject") this.#projects.delete(projectId);
    const sender = envelope.originalSenderId;
    if (sender === undefined || REWRITTEN.has(name)) return;
    const key = peerKey(sender.ownerId, sender.id);
    const print = fingerprint(key, envelope);
    const count = (this.#received.get(print) ?? 0) + 1;
    this.#received.set(print, count);
    const arrivals = this.#record.arrivals(print);
    const sent = arrivals.length;
    if (count > sent) {
      this.#fail(`got ${name} ${count} times from ${peerText(key)}, who sent it ${sent} times`);
    }
    if (!EDITING.has(name)) return;
    const { permissions } = this.#record;
    const user = this.#record.userOf(key);
    if (user === undefined) return;
    if (!arrivals.some((at) => permissions.couldEdit(user, at, written))) {
      this.#fail(`got ${name} from user ${user}, who could not edit`);
    }
  }

  #enter(project: bigint): void {
    this.#projects.add(project);
    this.#leaving.delete(project);
    for (const fence of this.#fences.values()) fence.delete(project);
  }

  #fail(text: string): void {
    this.#record.fail(`${this.#who} ${text}`);
  }

  #trace(arrow: string, name: MessageName, envelope: DecodedEnvelope): void {
    this.#record.trace(() => {
      const { id, respondingTo, originalSenderId: sender } = envelope;
      const from = sender === undefined ? "" : ` from ${sender.ownerId}:${sender.id}`;
      const answers = respondingTo === undefined ? "" : ` re ${respondingTo}`;
      const content = JSON.stringify(
        decode(name, envelope.payload),
        (_, value) => (typeof value === "bigint" ? Number(value) : value),
      );
      return `${this.#who} ${arrow} #${id}${answers}${from} ${name} ${content.slice(0, 400)}`;
    });
  }
}

/** A message and its sender, as a short text. */
function fingerprint(sender: PeerKey, { tag, payload }: DecodedEnvelope): string {
  let hash = 0x811c9dc5;
  for (const byte of payload) hash = Math.imul(hash ^ byte, 0x01000193);
  return `${sender} ${tag} ${payload.length} ${hash >>> 0}`;
}
