/**
 * An outbox in a file: records that are only added, until all is numbered and the file begins anew.
 * A record is a kind, a length and its bytes; one that is cut off at the end was never added.
 * [agents R2] [agents 4]
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

export class FileOutbox implements AgentOutbox, Disposable {
  readonly #path: string;
  #file: Deno.FsFile;
  /** Lengths of the events that are kept. */
  #events: Uint8Array[] = [];
  #head = 0;
  #removedBytes = 0;
  #commandIds: string[] = [];
  #syncing: Promise<void> | undefined;
  #isUnsynced = false;
  #isClosed = false;
  /** Of a sync that nobody waited for: the next event is refused with it. */
  #failure: Error | undefined;

  private constructor(path: string) {
    this.#path = path;
    this.#file = openFile(path);
  }

  /** Opens or makes the file; one host at a time may use it. @throws {Deno.errors.WouldBlock} */
  static open(path: string): FileOutbox {
    const outbox = new FileOutbox(path);
    outbox.#read();
    return outbox;
  }

  load(): KeptByHost {
    const events = this.#events.slice(this.#head).map((bytes) => {
      const { seq: _seq, userId: _userId, ...event } = decode("AgentEvent", bytes);
      return event as OutgoingAgentEvent;
    });
    return { events, commandIds: [...this.#commandIds] };
  }

  /** @throws what the disk said, to this event or to those before it */
  add(event: OutgoingAgentEvent): void {
    if (this.#failure !== undefined) {
      const cause = this.#failure;
      this.#failure = undefined;
      throw new Error(`Cannot keep events in ${this.#path}: ${cause.message}`, { cause });
    }
    const bytes = encode("AgentEvent", event);
    this.#write(Kind.Event, bytes);
    this.#events.push(bytes);
    this.#syncSoon();
  }

  remove(count: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, count);
    this.#write(Kind.Removed, bytes);
    this.#drop(count);
    if (this.#removedBytes > COMPACT_ABOVE || this.#head === this.#events.length) this.#compact();
  }

  replace(events: readonly OutgoingAgentEvent[]): void {
    this.#events = events.map((event) => encode("AgentEvent", event));
    this.#head = 0;
    this.#compact();
  }

  noteCommand(commandId: string): void {
    this.#write(Kind.Command, new TextEncoder().encode(commandId));
    // What is done once must not be done again, even if the power fails now.
    this.#file.syncDataSync();
    this.#commandIds.push(commandId);
  }

  /** Resolves when what was added is safe from a power failure too; that begins by itself. */
  async synced(): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#file.close();
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
      .catch((error) => void (this.#failure = error as Error))
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

  #write(kind: number, bytes: Uint8Array): void {
    const record = new Uint8Array(HEADER + bytes.length);
    record[0] = kind;
    new DataView(record.buffer).setUint32(1, bytes.length);
    record.set(bytes, HEADER);
    writeAll(this.#file, record);
  }

  /** Into a file of its own first, so that there is a whole one at every moment. */
  #compact(): void {
    this.#events = this.#events.slice(this.#head);
    this.#head = 0;
    this.#removedBytes = 0;
    this.#commandIds = this.#commandIds.slice(-COMMANDS);
    const before = this.#file;
    const path = `${this.#path}.new`;
    Deno.writeFileSync(path, new Uint8Array(0), { mode: 0o600 });
    this.#file = openFile(path);
    for (const commandId of this.#commandIds) {
      this.#write(Kind.Command, new TextEncoder().encode(commandId));
    }
    for (const bytes of this.#events) this.#write(Kind.Event, bytes);
    // The name must never stand for a file that is not on the disk yet.
    this.#file.syncDataSync();
    Deno.renameSync(path, this.#path);
    before.close();
  }

  #read(): void {
    const all = Deno.readFileSync(this.#path);
    const view = new DataView(all.buffer, all.byteOffset, all.byteLength);
    let at = 0;
    while (at + HEADER <= all.length) {
      const end = at + HEADER + view.getUint32(at + 1);
      if (end > all.length) break;
      const bytes = all.subarray(at + HEADER, end);
      const kind = all[at];
      if (kind === Kind.Event) this.#events.push(bytes);
      else if (kind === Kind.Removed) this.#drop(view.getUint32(at + HEADER));
      else if (kind === Kind.Command) this.#commandIds.push(new TextDecoder().decode(bytes));
      else throw new TypeError(`Cannot read the outbox ${this.#path}: it is damaged at byte ${at}`);
      at = end;
    }
    // What was cut off at the end must not stand before what is added now.
    this.#file.truncateSync(at);
    this.#compact();
  }
}

function openFile(path: string): Deno.FsFile {
  const file = Deno.openSync(path, { create: true, append: true, read: true, mode: 0o600 });
  return file;
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}
