/**
 * An outbox in a file: records that are only added, until all is numbered and the file begins anew.
 * A record is a kind, a length and its bytes; one that is cut off at the end was never added.
 *
 * What was added has been given to the system when `add` returns, so that it outlives the process,
 * killed or not. To the disk it goes in the background, milliseconds later: only a power failure, or a
 * system that stops, may take those last ones along. Ids of commands are on the disk before they
 * are answered. [agents R2] [agents 4]
 */
import { decode, encode } from "../proto/mod.ts";
import type { AgentOutbox, KeptByHost } from "./agent_outbox.ts";
import type { OutgoingAgentEvent } from "./agent_events.ts";

const HEADER = 5;
const Kind = { Event: 1, Removed: 2, Command: 3 } as const;

/** Ids of commands that are kept. */
const COMMANDS = 1_000;
/** Bytes of removed events above which the file is written anew. */
const COMPACT_ABOVE = 4 << 20;
/** Bytes that are written anew where a disk was full, or failed. */
const SMALL = 1 << 20;

export class FileOutbox implements AgentOutbox, Disposable {
  readonly #path: string;
  #file: Deno.FsFile;
  /** Bytes of whole records in the file. */
  #size = 0;
  /** The events that are kept, encoded. */
  #events: Uint8Array[] = [];
  #head = 0;
  #removedBytes = 0;
  #commandIds: string[] = [];
  #syncing: Promise<void> | undefined;
  #isUnsynced = false;
  #isClosed = false;
  /** What the disk said to a note or a sync: the file holds more than it should, or not surely all. */
  #trouble: Error | undefined;
  #damage: string | undefined;

  private constructor(path: string) {
    this.#path = path;
    this.#file = openFile(path);
  }

  /** Opens or makes the file; one host at a time may use it. */
  static open(path: string): FileOutbox {
    const outbox = new FileOutbox(path);
    outbox.#read();
    return outbox;
  }

  /** Of a file that was damaged: where it is now, and from where on it could not be read. */
  get damage(): string | undefined {
    return this.#damage;
  }

  load(): KeptByHost {
    const events = this.#events.slice(this.#head).map((bytes) => {
      const { seq: _seq, userId: _userId, ...event } = decode("AgentEvent", bytes);
      return event as OutgoingAgentEvent;
    });
    return { events, commandIds: [...this.#commandIds] };
  }

  /** @throws what the disk said: this event is not kept */
  add(event: OutgoingAgentEvent): void {
    const bytes = encode("AgentEvent", event);
    try {
      this.#writeEvent(bytes);
    } catch (error) {
      const cause = error as Error;
      throw new Error(`Cannot keep events in ${this.#path}: ${cause.message}`, { cause });
    }
    this.#events.push(bytes);
    this.#syncSoon();
  }

  /** Never throws: what cannot be noted now is sent again after a restart, and known again there. */
  remove(count: number): void {
    this.#drop(count);
    const isEmpty = this.#head === this.#events.length;
    const isDue = isEmpty || this.#removedBytes > COMPACT_ABOVE;
    this.#note(isDue, () => {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, count);
      this.#write(Kind.Removed, bytes);
    });
  }

  /** Never throws, as above. */
  replace(events: readonly OutgoingAgentEvent[]): void {
    this.#events = events.map((event) => encode("AgentEvent", event));
    this.#head = 0;
    this.#note(true);
  }

  /** Never throws: what was done has been done. */
  noteCommand(commandId: string): void {
    this.#commandIds.push(commandId);
    this.#note(false, () => {
      this.#write(Kind.Command, new TextEncoder().encode(commandId));
      // What is done once must not be done again, even if the power fails now.
      this.#file.syncDataSync();
    });
  }

  /** Resolves when what was added is safe from a power failure too; that begins by itself. */
  async synced(): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#file.close();
  }

  #writeEvent(bytes: Uint8Array): void {
    try {
      this.#write(Kind.Event, bytes);
    } catch (error) {
      // Without what was numbered the file is smaller: to write a little anew is worth a try.
      if (this.#removedBytes === 0 || !this.#isSmall) throw error;
      this.#compact();
      this.#write(Kind.Event, bytes);
    }
  }

  /** Writes a note about what is kept; where one was missed, all that is kept. */
  #note(all: boolean, write: () => void = () => {}): void {
    try {
      if (all || this.#trouble !== undefined && this.#isSmall) this.#compact();
      else write();
    } catch (error) {
      this.#trouble = error as Error;
    }
  }

  get #isSmall(): boolean {
    return this.#size - this.#removedBytes <= SMALL;
  }

  #drop(count: number): void {
    for (let left = count; left > 0 && this.#head < this.#events.length; left--) {
      this.#removedBytes += this.#events[this.#head++]!.length;
    }
  }

  /** One at a time, for all that is added meanwhile: nobody has to wait for the disk. */
  #syncSoon(): void {
    this.#isUnsynced = true;
    this.#syncing ??= this.#sync()
      .catch((error) => void (this.#trouble = error as Error))
      .finally(() => this.#syncing = undefined);
  }

  async #sync(): Promise<void> {
    while (this.#isUnsynced && !this.#isClosed) {
      this.#isUnsynced = false;
      const file = this.#file;
      try {
        await file.syncData();
      } catch (error) {
        // The file that came in its place is safe already.
        if (file === this.#file && !this.#isClosed) throw error;
      }
    }
  }

  /** All of it or nothing: half a record would swallow those behind it. */
  #write(kind: number, bytes: Uint8Array): void {
    const record = recordOf(kind, bytes);
    try {
      writeAll(this.#file, record);
      this.#size += record.length;
    } catch (error) {
      this.#file.truncateSync(this.#size);
      throw error;
    }
  }

  /** Into a file of its own first, so that there is a whole one at every moment. */
  #compact(): void {
    const events = this.#events.slice(this.#head);
    const commandIds = this.#commandIds.slice(-COMMANDS);
    const records = [
      ...commandIds.map((id) => recordOf(Kind.Command, new TextEncoder().encode(id))),
      ...events.map((bytes) => recordOf(Kind.Event, bytes)),
    ];
    const path = `${this.#path}.new`;
    Deno.writeFileSync(path, new Uint8Array(0), { mode: 0o600 });
    const file = openFile(path);
    try {
      for (const record of records) writeAll(file, record);
      // The name must never stand for a file that is not on the disk yet.
      file.syncDataSync();
      Deno.renameSync(path, this.#path);
    } catch (error) {
      file.close();
      Deno.removeSync(path);
      throw error;
    }
    this.#file.close();
    this.#file = file;
    this.#size = records.reduce((sum, { length }) => sum + length, 0);
    this.#events = events;
    this.#head = 0;
    this.#removedBytes = 0;
    this.#commandIds = commandIds;
    this.#trouble = undefined;
  }

  #read(): void {
    const all = Deno.readFileSync(this.#path);
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
    let at = 0;
    while (at + HEADER <= all.length) {
      const end = at + HEADER + view.getUint32(at + 1);
      // What was cut off at the end was never added.
      if (end > all.length) break;
      if (!this.#take(all[at]!, all.subarray(at + HEADER, end))) {
        this.#setAside(at);
        break;
      }
      at = end;
    }
    this.#compact();
  }

  /** False for what is no record. */
  #take(kind: number, bytes: Uint8Array): boolean {
    try {
      if (kind === Kind.Event) {
        decode("AgentEvent", bytes);
        this.#events.push(bytes);
      } else if (kind === Kind.Removed) {
        this.#drop(new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0));
      } else if (kind === Kind.Command) this.#commandIds.push(new TextDecoder().decode(bytes));
      else return false;
      return true;
    } catch {
      return false;
    }
  }

  /** A power failure may leave anything behind what was synced: somebody may want to look at it. */
  #setAside(at: number): void {
    const path = `${this.#path}.damaged`;
    Deno.copyFileSync(this.#path, path);
    this.#damage = `${path} could not be read from byte ${at} on; what is before it is kept`;
  }
}

function recordOf(kind: number, bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER + bytes.length);
  record[0] = kind;
  new DataView(record.buffer).setUint32(1, bytes.length);
  record.set(bytes, HEADER);
  return record;
}

function openFile(path: string): Deno.FsFile {
  return Deno.openSync(path, { create: true, append: true, read: true, mode: 0o600 });
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}
