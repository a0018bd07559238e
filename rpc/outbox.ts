/**
 * What waits to be written to one connection: a FIFO whose messages open with the commit of the
 * change that they tell. Envelope ids are given at writing, so that they rise in the order written.
 * [design 1.3] [design 1.8] [projects 1.1]
 */
import { forward, message, messageWithTail, payloadField } from "./frame.ts";
import { withinFrame } from "./frame_limit.ts";
import { encode, messageInfo } from "../proto/mod.ts";
import { ErrorCode } from "./errors.ts";

/** The socket as the outbox needs it. */
export interface OutboxSocket {
  send(bytes: Uint8Array): void;
  /** Bytes handed to the socket that the system has not taken yet. */
  readonly bufferedAmount: number;
}

/** Waits for one answer (or many) to something written. */
export interface Pending {
  /** Filled in at writing: where to take it back from. */
  written?(outbox: Outbox, id: number): void;
  /** True when no further answer can come for it. `original` is the answer as it arrived. */
  answered(tag: number, original: Uint8Array, payload: Uint8Array): boolean;
  /** The connection ended first. Called once, instead of a last answer. */
  lost(): void;
}

/** One message that is not written yet. */
export type Outgoing =
  /** Encoded here: the payload's field. */
  | { readonly kind: "message"; readonly field: Uint8Array; readonly respondingTo: number }
  /** A sender's own compressed bytes, passed on. */
  | {
    readonly kind: "forward";
    readonly original: Uint8Array;
    readonly respondingTo: number;
    readonly senderOwner: number;
    readonly senderId: number;
    readonly extra: Uint8Array | undefined;
  }
  /** A payload whose second part is a cached frame. */
  | {
    readonly kind: "split";
    readonly tag: number;
    readonly head: Uint8Array;
    readonly tail: Uint8Array;
    readonly tailPlainLength: number;
  };

/** Many messages, made one by one as the socket drains. [design 1.8] */
export type OutgoingStream = Iterator<Outgoing, void>;

interface Slot {
  /** Number of the journal's group that must be stored before this may be spoken; 0 for none. */
  readonly gate: number;
  readonly size: number;
  readonly item: Outgoing | undefined;
  readonly stream: OutgoingStream | undefined;
  readonly pending: Pending | undefined;
}

/** What the outbox needs to know of the journal. */
export interface Durability {
  /** Number of the last group that is stored, with all before it. */
  readonly durable: number;
  /** True for a group that the database refused: what tells of it must not be spoken. */
  refused(group: number): boolean;
  /** Asks for {@link Outbox.pump} when `durable` has moved. */
  wait(outbox: Outbox): void;
}

/** Watches outboxes whose peers read slowly. */
export interface PressureMonitor {
  watch(outbox: Outbox): void;
  /** Runs `pump` again, soon (`ms` 0: after what is ready now). */
  pumpLater(outbox: Outbox, ms: number): void;
}

export interface OutboxMarks {
  /** Above this an acknowledgement of the sender waits, bytes. */
  readonly soft: number;
  /** Above this a peer that drains nothing is evicted. */
  readonly stuck: number;
  /** Above this a peer is evicted at once. */
  readonly hard: number;
  /** A stream goes on while less than this waits in the socket. */
  readonly stream: number;
}

export const outboxMarks: OutboxMarks = {
  soft: 1 << 20,
  stuck: 4 << 20,
  hard: 64 << 20,
  stream: 1 << 20,
};

/** Bytes written between two looks at the socket's buffer. */
const CHECK_EVERY = 64 << 10;
/**
 * Plain bytes of a stream that are made in one go, before other work gets its turn: encoding and
 * compressing them takes about 3 ms, and no turn may take more than 5. [design 1.8]
 */
const STREAM_SLICE = 256 << 10;
/** Milliseconds between two looks at a socket that a stream waits for. */
const DRAIN_POLL = 2;

const ERROR_TAG = messageInfo("Error").tag as number;

/** The `Error` payload's field. */
export function errorField(code: number, text: string, tags: readonly string[] = []): Uint8Array {
  return payloadField(ERROR_TAG, encode("Error", { code, message: text, tags: [...tags] }));
}

/** What a tree's chunk is before it is compressed, which costs more than to write what comes out. */
function plainTail(item: Outgoing): number {
  return item.kind === "split" ? item.tailPlainLength : 0;
}

const NOT_STORED = errorField(
  ErrorCode.Internal,
  "the change could not be stored and was taken back",
);

export class Outbox {
  readonly #socket: OutboxSocket;
  readonly #durability: Durability;
  readonly #monitor: PressureMonitor;
  readonly #marks: OutboxMarks;
  readonly #evict: (reason: string) => void;
  readonly #failed: (error: unknown) => void;
  readonly #pending = new Map<number, Pending>();
  #slots: Slot[] = [];
  #head = 0;
  #queuedBytes = 0;
  #nextId = 0;
  #closed = false;
  #writtenBytes = 0;
  #sinceCheck = 0;
  #congested = false;
  #drainedAtLastLook = 0;
  #lastProgress = 0;
  #onRelief: (() => void)[] = [];

  constructor(options: {
    socket: OutboxSocket;
    durability: Durability;
    monitor: PressureMonitor;
    /** The peer does not read: the connection must end. */
    evict: (reason: string) => void;
    /** A stream threw, which is a bug: the connection must end, and nothing else. */
    failed: (error: unknown) => void;
    marks?: OutboxMarks;
  }) {
    this.#socket = options.socket;
    this.#durability = options.durability;
    this.#monitor = options.monitor;
    this.#evict = options.evict;
    this.#failed = options.failed;
    this.#marks = options.marks ?? outboxMarks;
  }

  /** Messages written so far; the next envelope gets this id. */
  get nextId(): number {
    return this.#nextId;
  }

  /** Requests written to this peer that have no last answer yet. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  get congested(): boolean {
    return this.#congested;
  }

  /** Bytes that wait here and in the socket. */
  get waitingBytes(): number {
    return this.#queuedBytes + (this.#closed ? 0 : this.#socket.bufferedAmount);
  }

  /** Queues one message with a payload made here. */
  push(field: Uint8Array, respondingTo: number, gate: number, pending?: Pending): void {
    if (this.#mayWrite(gate)) {
      this.#register(pending);
      this.#write(message(this.#nextId++, respondingTo, -1, 0, field));
    } else {
      this.#queue({ kind: "message", field, respondingTo }, field.length, gate, pending);
    }
  }

  /** Queues a sender's own bytes. `senderOwner` -1 for an answer. */
  forward(
    original: Uint8Array,
    respondingTo: number,
    senderOwner: number,
    senderId: number,
    extra?: Uint8Array,
    pending?: Pending,
    gate = 0,
  ): void {
    if (this.#mayWrite(gate)) {
      if (pending !== undefined) this.#register(pending);
      this.#write(forward(original, this.#nextId++, respondingTo, senderOwner, senderId, extra));
    } else {
      this.#queue(
        { kind: "forward", original, respondingTo, senderOwner, senderId, extra },
        original.length,
        gate,
        pending,
      );
    }
  }

  /** Queues a stream: what is pushed later waits until it has ended. */
  stream(stream: OutgoingStream, gate: number): void {
    if (this.#closed) return;
    this.#slots.push({ gate, size: 0, item: undefined, stream, pending: undefined });
    this.pump();
  }

  /** The request that an answer belongs to, if it is known. */
  pendingFor(id: number): Pending | undefined {
    return this.#pending.get(id);
  }

  /** Forgets a request: its answers, if any come, are answers to nothing. */
  forget(id: number): void {
    this.#pending.delete(id);
  }

  /** Writes what may be written now. */
  pump(): void {
    let budget = STREAM_SLICE;
    while (this.#head < this.#slots.length && !this.#closed) {
      const slot = this.#slots[this.#head] as Slot;
      if (slot.gate > this.#durability.durable) {
        this.#durability.wait(this);
        return;
      }
      if (slot.gate > 0 && this.#durability.refused(slot.gate)) {
        this.#shift(slot);
        slot.pending?.lost();
        if (slot.item?.kind === "message" && slot.item.respondingTo >= 0) {
          this.#write(message(this.#nextId++, slot.item.respondingTo, -1, 0, NOT_STORED));
        }
        continue;
      }
      if (slot.stream === undefined) {
        this.#shift(slot);
        this.#register(slot.pending);
        this.#writeItem(slot.item as Outgoing);
        continue;
      }
      if (this.#socket.bufferedAmount > this.#marks.stream) {
        this.#look();
        this.#monitor.pumpLater(this, DRAIN_POLL);
        return;
      }
      if (budget <= 0) {
        this.#monitor.pumpLater(this, 0);
        return;
      }
      const next = this.#next(slot.stream);
      if (next === undefined) return;
      if (next.done) this.#shift(slot);
      else budget -= this.#writeItem(next.value) + plainTail(next.value);
    }
  }

  /** Calls `relief` once when less than the soft mark waits, or the connection has ended. */
  whenRelieved(relief: () => void): void {
    if (!this.#congested || this.#closed) relief();
    else this.#onRelief.push(relief);
  }

  /**
   * A look at a slow peer: evicts it when it is stuck, and tells whether it needs watching still.
   *
   * @param now milliseconds
   * @param stuckAfter milliseconds without progress
   */
  watch(now: number, stuckAfter: number): boolean {
    if (this.#closed) return false;
    const buffered = this.#socket.bufferedAmount;
    const drained = this.#writtenBytes - buffered;
    // A peer that has taken everything is not slow: what waits here waits for the database.
    if (buffered === 0 || drained > this.#drainedAtLastLook || this.#lastProgress === 0) {
      this.#drainedAtLastLook = drained;
      this.#lastProgress = now;
    }
    const waiting = buffered + this.#queuedBytes;
    if (waiting > this.#marks.stuck && now - this.#lastProgress >= stuckAfter) {
      this.#evict("stuck");
      return false;
    }
    if (waiting > this.#marks.soft) return true;
    this.#congested = false;
    this.#lastProgress = 0;
    this.#relieve();
    return false;
  }

  /** Ends it: what waits is dropped, what waits for an answer fails. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const slots = this.#slots.slice(this.#head);
    const pending = [...this.#pending.values()];
    this.#slots = [];
    this.#head = 0;
    this.#queuedBytes = 0;
    this.#pending.clear();
    for (const one of pending) one.lost();
    for (const slot of slots) slot.pending?.lost();
    this.#relieve();
  }

  /** Undefined when the stream threw, and the connection has ended over it. */
  #next(stream: OutgoingStream): IteratorResult<Outgoing, void> | undefined {
    try {
      return stream.next();
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #mayWrite(gate: number): boolean {
    return this.#head === this.#slots.length && gate <= this.#durability.durable &&
      !this.#closed && (gate === 0 || !this.#durability.refused(gate));
  }

  #register(pending: Pending | undefined): void {
    if (pending === undefined) return;
    this.#pending.set(this.#nextId, pending);
    pending.written?.(this, this.#nextId);
  }

  #queue(item: Outgoing, size: number, gate: number, pending: Pending | undefined): void {
    if (this.#closed) {
      pending?.lost();
      return;
    }
    this.#slots.push({ gate, size, item, stream: undefined, pending });
    this.#queuedBytes += size;
    this.#sinceCheck += size;
    if (this.#sinceCheck > CHECK_EVERY) this.#look();
    if (this.#slots.length - this.#head === 1) this.pump();
  }

  #shift(slot: Slot): void {
    this.#head++;
    this.#queuedBytes -= slot.size;
    if (this.#head === this.#slots.length) {
      this.#slots = [];
      this.#head = 0;
    } else if (this.#head > 1024) {
      this.#slots.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #writeItem(item: Outgoing): number {
    const id = this.#nextId++;
    const bytes = item.kind === "message"
      ? message(id, item.respondingTo, -1, 0, item.field)
      : item.kind === "forward"
      ? forward(
        item.original,
        id,
        item.respondingTo,
        item.senderOwner,
        item.senderId,
        item.extra,
      )
      : messageWithTail(id, -1, item.tag, item.head, item.tail, item.tailPlainLength);
    this.#write(bytes);
    return bytes.length;
  }

  #write(made: Uint8Array): void {
    const bytes = withinFrame(made);
    this.#socket.send(bytes);
    this.#writtenBytes += bytes.length;
    this.#sinceCheck += bytes.length;
    if (this.#sinceCheck > CHECK_EVERY) this.#look();
  }

  #look(): void {
    this.#sinceCheck = 0;
    if (this.#closed) return;
    const waiting = this.#socket.bufferedAmount + this.#queuedBytes;
    if (waiting > this.#marks.hard) this.#evict("overflow");
    else if (waiting > this.#marks.soft && !this.#congested) {
      this.#congested = true;
      this.#monitor.watch(this);
    }
  }

  #relieve(): void {
    const waiting = this.#onRelief;
    this.#onRelief = [];
    for (const relief of waiting) relief();
  }
}
