/** One open file of one simulated client. */
import {
  fromWireOperation,
  fromWireVersion,
  toWireOperation,
  toWireVersion,
} from "../../client/operations.ts";
import type { Init, Operation as WireOperation, VectorClockEntry } from "../../proto/mod.ts";
import { samePeer } from "../../client/same_peer.ts";
import type { PeerId } from "../../rpc/peer_id.ts";
import { Replica } from "../../text/mod.ts";

export const WORDS = ["ba", "do\n", "ké", "漢字", " ", "lorem ipsum", "x", "\n\n", "fn()"];

/**
 * Remembers all operations that were ever made, by project and buffer. A replica id is used again
 * once its guest has left [projects 6.2]; when the next one has not seen all operations of the one
 * before, both make operations of one name, which no server can mend: such a buffer is set aside.
 */
export class OperationLedger {
  readonly #last = new Map<string, number>();
  readonly #spoilt = new Set<string>();

  noted(buffer: string, replicaId: number, known: number, timestamp: number): void {
    const key = `${buffer} ${replicaId}`;
    if (known < (this.#last.get(key) ?? 0)) this.#spoilt.add(buffer);
    this.#last.set(key, Math.max(timestamp, this.#last.get(key) ?? 0));
  }

  isSpoilt(buffer: string): boolean {
    return this.#spoilt.has(buffer);
  }

  /** Buffers set aside. */
  get spoilt(): number {
    return this.#spoilt.size;
  }
}

interface Waiting {
  readonly who: PeerId;
  readonly version: readonly VectorClockEntry[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class SimBuffer {
  readonly #replica: Replica;
  readonly #ledger: OperationLedger;
  readonly #name: string;
  #waiting: Waiting[] = [];

  constructor(
    readonly projectId: bigint,
    readonly id: bigint,
    readonly path: string,
    readonly baseText: string,
    replicaId: number,
    ledger: OperationLedger,
  ) {
    this.#replica = new Replica({ replicaId, baseText });
    this.#ledger = ledger;
    this.#name = `${projectId}/${id}`;
  }

  get text(): string {
    return this.#replica.text();
  }

  get version(): VectorClockEntry[] {
    return toWireVersion(this.#replica.document.version);
  }

  get waitingCount(): number {
    return this.#replica.document.waitingCount;
  }

  /** Two replicas may have made different operations of one name. */
  get isSpoilt(): boolean {
    return this.#ledger.isSpoilt(this.#name);
  }

  /** A change that the numbers choose; undefined when they change nothing. */
  edit(pick: readonly number[]): Init<WireOperation> | undefined {
    const { text } = this;
    const [at = 0, length = 0, word = 0] = pick;
    const start = at % (text.length + 1);
    const end = Math.min(text.length, start + length % 4);
    return this.#made(() => this.#replica.edit([{ start, end, text: WORDS[word % 9] as string }]));
  }

  /** Takes back the last own change. */
  undo(): Init<WireOperation> | undefined {
    return this.#made(() => this.#replica.undo());
  }

  apply(operations: readonly WireOperation[]): void {
    const edits = operations.map(fromWireOperation).filter((one) => one !== undefined);
    const { rejected: [error] } = this.#replica.apply(edits);
    if (error !== undefined && !this.isSpoilt) throw error;
    this.#settle();
  }

  /** What somebody lacks who has that version. */
  missing(version: readonly VectorClockEntry[]): Init<WireOperation>[] {
    return this.#replica.document.missingOperations(fromWireVersion(version))
      .map(toWireOperation);
  }

  /** Resolves when that version is here, for somebody who may give up before. */
  until(version: readonly VectorClockEntry[], who: PeerId): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ version, who, resolve, reject });
      this.#settle();
    });
  }

  /** Somebody has left, or all have, and what they wait for may never come. */
  abandon(who?: PeerId): void {
    const isGone = (one: Waiting) => who === undefined || samePeer(one.who, who);
    for (const one of this.#waiting.filter(isGone)) one.reject(new Error("The project is gone"));
    this.#waiting = this.#waiting.filter((one) => !isGone(one));
  }

  #made(make: () => Parameters<typeof toWireOperation>[0] | undefined) {
    const { document, replicaId } = this.#replica;
    const known = document.version.get(replicaId);
    const operation = make();
    if (operation === undefined) return undefined;
    this.#ledger.noted(this.#name, replicaId, known, operation.timestamp);
    this.#settle();
    return toWireOperation(operation);
  }

  #settle(): void {
    const { version } = this.#replica.document;
    for (const one of [...this.#waiting]) {
      if (!version.covers(fromWireVersion(one.version))) continue;
      this.#waiting.splice(this.#waiting.indexOf(one), 1);
      one.resolve();
    }
  }
}
