/** Where people's cursors are in a buffer. [projects 9.3] */
import {
  type Anchor as WireAnchor,
  BiasEnum,
  type Init,
  type Operation as WireOperation,
  type Operation_UpdateSelections as UpdateSelections,
} from "../proto/mod.ts";
import type { Anchor, Replica } from "../text/mod.ts";

/** A piece of the text that somebody has selected; a cursor where it is empty. */
export interface Selection {
  /** Index of its first UTF-16 code unit. */
  readonly start: number;
  /** Index behind its last one. */
  readonly end: number;
  /** Whether the cursor is at its start. */
  readonly reversed: boolean;
}

/** The selections of all replicas in one buffer, own ones among them. */
export class Selections {
  readonly #replica: Replica;
  readonly #bufferId: bigint;
  readonly #byReplica = new Map<number, Init<UpdateSelections>>();

  constructor(replica: Replica, bufferId: bigint) {
    this.#replica = replica;
    this.#bufferId = bufferId;
  }

  /** Sets the own ones. @returns what everybody else has to get. */
  set(selections: readonly Selection[]): Init<WireOperation> {
    const { document, replicaId } = this.#replica;
    const anchor = (index: number, bias: Anchor["bias"]) => ({
      anchor: this.#toWire(document.anchor(index, bias)),
    });
    const update = {
      replicaId,
      lamportTimestamp: this.#replica.tick(),
      selections: selections.map(({ start, end, reversed }, index) => ({
        id: BigInt(index + 1),
        start: anchor(start, start === end ? "left" : "right"),
        end: anchor(end, "left"),
        reversed,
      })),
    };
    this.#byReplica.set(replicaId, update);
    return { updateSelections: update };
  }

  /** Takes somebody's; older ones than those that are known change nothing. */
  apply(update: UpdateSelections): void {
    const known = this.#byReplica.get(update.replicaId);
    if ((known?.lamportTimestamp ?? -1) >= update.lamportTimestamp) return;
    this.#byReplica.set(update.replicaId, update);
  }

  /** Those of one replica, where they are now; without those beside text that has not come yet. */
  of(replicaId: number): Selection[] {
    return (this.#byReplica.get(replicaId)?.selections ?? []).flatMap((selection) => {
      const start = this.#indexOf(selection.start?.anchor);
      const end = this.#indexOf(selection.end?.anchor);
      if (start === undefined || end === undefined) return [];
      return [{ start, end, reversed: selection.reversed ?? false }];
    });
  }

  /** All of them, for somebody who has none; or those of one replica. */
  operations(replicaId?: number): Init<WireOperation>[] {
    const all = replicaId === undefined
      ? [...this.#byReplica.values()]
      : [this.#byReplica.get(replicaId)].filter((update) => update !== undefined);
    return all.map((updateSelections) => ({ updateSelections }));
  }

  /** Forgets somebody who has left: the next one may have the number. */
  drop(replicaId: number): void {
    this.#byReplica.delete(replicaId);
  }

  #toWire({ replicaId, timestamp, offset, bias }: Anchor): Init<WireAnchor> {
    return {
      replicaId,
      timestamp,
      offset: BigInt(offset),
      bias: bias === "left" ? BiasEnum.Left : BiasEnum.Right,
      bufferId: this.#bufferId,
    };
  }

  #indexOf(anchor: Init<WireAnchor> | undefined): number | undefined {
    if (anchor === undefined) return undefined;
    return this.#replica.document.indexOfAnchor({
      replicaId: anchor.replicaId ?? 0,
      timestamp: anchor.timestamp ?? 0,
      offset: Number(anchor.offset ?? 0n),
      bias: anchor.bias === BiasEnum.Right ? "right" : "left",
    });
  }
}
