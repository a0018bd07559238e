/** The notes of a channel as one client has them open. [channels 8.11] */
import {
  fromWireOperation,
  fromWireVersion,
  toWireOperation,
  toWireVersion,
} from "../../text/mod.ts";
import type { Init, MessageTypes } from "../../proto/mod.ts";
import { type Document, Replica } from "../../text/mod.ts";
import { WORDS } from "./sim_buffer.ts";
import type { SimClient } from "./sim_client.ts";

type WireOperation = MessageTypes["Operation"];

/** Operations in one message of those that go up after a rejoin. [channels 8.4] */
const CHUNK = 100;

export class NotesCopy {
  readonly bufferId: bigint;
  readonly epoch: bigint;
  readonly replicaId: number;
  /** When they were opened, as a tick of the permissions. */
  readonly openedAt: number;
  collaborators: readonly MessageTypes["Collaborator"][];
  /** The server knows this connection as a collaborator's. */
  attached = true;
  /** The role at opening lets it write; clients look at it only then. [channels 8.11] */
  readonly mayWrite: boolean;
  readonly #replica: Replica;

  constructor(
    readonly client: SimClient,
    readonly channelId: bigint,
    joined: MessageTypes["JoinChannelBufferResponse"],
    mayWrite: boolean,
  ) {
    this.bufferId = joined.bufferId;
    this.epoch = joined.epoch;
    this.replicaId = joined.replicaId;
    this.collaborators = joined.collaborators;
    this.mayWrite = mayWrite;
    this.openedAt = client.sim.permissions.tick();
    this.#replica = new Replica({ replicaId: joined.replicaId, baseText: joined.baseText });
    this.apply(joined.operations);
  }

  get text(): string {
    return this.#replica.text();
  }

  get version(): MessageTypes["VectorClockEntry"][] {
    return toWireVersion(this.#replica.document.version);
  }

  /** How much waits of these authors. */
  waitingOf(replicaIds: ReadonlySet<number>): number {
    return waitingOf(this.#replica.document, replicaIds);
  }

  /** What this client made last. */
  get ownTimestamp(): number {
    return this.#replica.document.version.get(this.replicaId);
  }

  edit([at = 0, length = 0, word = 0]: readonly number[]): void {
    const { text } = this;
    const start = boundary(text, at % (text.length + 1));
    const end = boundary(text, Math.min(text.length, start + length % 4));
    if (end < start) return;
    const made = this.#replica.edit([{ start, end, text: WORDS[word % WORDS.length] as string }]);
    if (made !== undefined) this.#send([toWireOperation(made)]);
  }

  undo(isRedo: boolean): void {
    const made = isRedo ? this.#replica.redo() : this.#replica.undo();
    if (made !== undefined) this.#send([toWireOperation(made)]);
  }

  /** A cursor moves: nothing is changed, but the clock goes on. [channels 9.2] */
  select(): void {
    const updateSelections = {
      replicaId: this.replicaId,
      lamportTimestamp: this.#replica.tick(),
      selections: [],
      lineMode: false,
      cursorShape: 0,
    };
    this.#send([{ updateSelections }]);
  }

  /** All that is here has been seen. [channels 8.9] */
  acknowledge(): void {
    if (!this.attached || !this.client.isOnline) return;
    const { bufferId, epoch, version } = this;
    this.client.send("AckBufferOperation", { bufferId, epoch, version });
  }

  apply(operations: readonly WireOperation[]): void {
    const changes = operations.map(fromWireOperation).filter((one) => one !== undefined);
    const { rejected: [bad] } = this.#replica.apply(changes);
    if (bad !== undefined) throw bad;
  }

  /** The server has the place for this connection again. [channels 8.6] */
  rejoined({ version, operations, collaborators }: MessageTypes["RejoinedChannelBuffer"]): void {
    this.collaborators = collaborators;
    this.attached = true;
    this.apply(operations);
    const missing = this.#replica.document.missingOperations(fromWireVersion(version))
      .map(toWireOperation);
    for (let at = 0; at < missing.length; at += CHUNK) this.#send(missing.slice(at, at + CHUNK));
    this.select();
  }

  #send(operations: readonly Init<WireOperation>[]): void {
    // Clients of 2025 do not wait for the answer to their rejoin. [channels 11.4]
    if (!this.client.isOnline || !(this.attached || this.client.is2025)) return;
    this.client.send("UpdateChannelBuffer", { channelId: this.channelId, operations });
  }
}

/** How much waits in a document of these authors. */
export function waitingOf(document: Document, replicaIds: ReadonlySet<number>): number {
  return [...document.waiting()].filter(({ replicaId }) => replicaIds.has(replicaId)).length;
}

/** No offset is within a character of two halves. */
function boundary(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code < 0xe000 ? at - 1 : at;
}
