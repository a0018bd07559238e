/** A network in memory, whose every delay and loss comes from a seed. */
import type { ClientSocket } from "../../actors/connection/mod.ts";
import type { Socket, SocketListener } from "../../client/transport.ts";
import type { Clock } from "../../lib/clock.ts";
import type { RandomSource } from "../support/random.ts";

/** The server's end, once the connection is accepted. */
export interface ServerEnd {
  receive(message: Uint8Array): void;
  socketClosed(): void;
}

/** Sees what arrives on a link, before it is handled. */
export interface LinkWatch {
  up(message: Uint8Array): void;
  /** The server writes a message: what is returned comes along with it. */
  writing?(): number;
  down(message: Uint8Array, written: number): void;
}

/**
 * One byte stands for this many in `bufferedAmount`, so that a run of small messages reaches the
 * marks that real connections reach with large ones.
 */
const WEIGHT = 200;
/** Bytes that a link which has been held takes per {@link RELEASE_EVERY}. */
const RELEASE_BYTES = 16 << 10;
const RELEASE_EVERY = 20;
/** Until the operating system, or an idle timeout, tells of a peer that has gone without a word. */
const SILENT_LOSS = 10_000;

interface Written {
  readonly bytes: Uint8Array;
  /** Of {@link LinkWatch.writing}. */
  readonly written: number;
}

interface Parcel extends Written {
  readonly due: number;
}

type Direction = "up" | "down";

/** One connection between a client and the server. */
export class Link {
  readonly #clock: Clock;
  readonly #random: RandomSource;
  readonly #queues: Record<Direction, Parcel[]> = { up: [], down: [] };
  readonly #ticking: Record<Direction, boolean> = { up: false, down: false };
  readonly #lost: Record<Direction, number> = { up: Infinity, down: Infinity };
  readonly #ended = { client: false, server: false };
  #listener: SocketListener | undefined;
  #server: ServerEnd | undefined;
  #watch: LinkWatch | undefined;
  #held: Written[] = [];
  #heldBytes = 0;
  #stalled = false;
  #cut = false;
  /** The client's end. */
  readonly client: Socket;
  /** What the server writes to. */
  readonly server: ClientSocket;

  constructor(clock: Clock, random: RandomSource) {
    this.#clock = clock;
    this.#random = random;
    this.client = {
      bufferedAmount: 0,
      send: (bytes) => this.#send("up", bytes),
      close: () => this.#closeByClient(),
      listen: (listener) => {
        this.#listener = listener;
      },
    };
    const bufferedAmount = () => this.#heldBytes * WEIGHT;
    this.server = {
      get bufferedAmount() {
        return bufferedAmount();
      },
      send: (bytes) => this.#send("down", bytes),
      close: (_code, reason) => this.#closeByServer(reason),
    };
  }

  /** Nothing is on its way, and the two ends agree on whether the connection is there. */
  get quiet(): boolean {
    return this.#queues.up.length === 0 && this.#queues.down.length === 0 &&
      this.#held.length === 0 && this.#ended.client === this.#ended.server;
  }

  /** Both ends are open and nothing was lost. */
  get whole(): boolean {
    return !this.#cut && !this.#ended.client && !this.#ended.server;
  }

  attach(server: ServerEnd, watch: LinkWatch): void {
    this.#server = server;
    this.#watch = watch;
  }

  /** Breaks it: a part of what is on its way arrives, each end hears of it in its own time. */
  cut(): void {
    if (this.#cut) return;
    this.#cut = true;
    this.#stalled = true;
    const now = this.#clock.now();
    this.#lost.up = now + this.#random.int(60);
    this.#lost.down = now + this.#random.int(60);
    const silent = this.#random.next();
    const late = this.#random.int(SILENT_LOSS);
    this.#clock.setTimeout(() => this.#endClient("reset"), silent < 0.25 ? late : 60);
    this.#clock.setTimeout(() => this.#endServer(), silent > 0.75 ? late : 60);
  }

  /** The client stops reading. */
  stall(): void {
    this.#stalled = true;
  }

  /** The client reads again, what has waited trickles in. */
  unstall(): void {
    if (this.#cut || !this.#stalled) return;
    this.#stalled = false;
    this.#release();
  }

  /** Hands up to `count` of the messages on their way to the server over at once. */
  hurry(count: number): void {
    for (let i = 0; i < count; i++) {
      const parcel = this.#queues.up.shift();
      if (parcel === undefined || this.#ended.server) return;
      this.#arrive("up", parcel);
    }
  }

  /** The server's process is gone: nothing of what is on its way to it arrives. */
  serverDied(): void {
    this.#ended.server = true;
    this.#queues.up = [];
    this.#stalled = true;
    this.#held = [];
    this.#heldBytes = 0;
    this.#clock.setTimeout(() => this.#endClient("reset"), this.#random.int(200));
  }

  #send(direction: Direction, bytes: Uint8Array): void {
    const message = { bytes: bytes.slice(), written: 0 };
    if (direction === "down") {
      if (this.#ended.server) return;
      message.written = this.#watch?.writing?.() ?? 0;
      if (this.#stalled || this.#held.length > 0) {
        this.#held.push(message);
        this.#heldBytes += bytes.length;
        return;
      }
    } else if (this.#ended.client) return;
    this.#post(direction, message);
  }

  #post(direction: Direction, message: Written): void {
    const queue = this.#queues[direction];
    const latency = this.#random.chance(0.05) ? this.#random.int(300) : 1 + this.#random.int(20);
    const due = Math.max(queue.at(-1)?.due ?? 0, this.#clock.now() + latency);
    queue.push({ due, ...message });
    this.#tick(direction);
  }

  #tick(direction: Direction): void {
    const next = this.#queues[direction][0];
    if (next === undefined || this.#ticking[direction]) return;
    this.#ticking[direction] = true;
    this.#clock.setTimeout(() => {
      this.#ticking[direction] = false;
      const queue = this.#queues[direction];
      while (queue[0] !== undefined && queue[0].due <= this.#clock.now()) {
        const parcel = queue.shift() as Parcel;
        if (parcel.due <= this.#lost[direction]) this.#arrive(direction, parcel);
      }
      this.#tick(direction);
    }, next.due - this.#clock.now());
  }

  #arrive(direction: Direction, { bytes, written }: Written): void {
    if (direction === "up") {
      if (this.#ended.server) return;
      this.#watch?.up(bytes);
      this.#server?.receive(bytes);
    } else {
      if (this.#ended.client) return;
      this.#watch?.down(bytes, written);
      this.#listener?.message(bytes);
    }
  }

  #release(): void {
    if (this.#stalled) return;
    let budget = RELEASE_BYTES;
    while (budget > 0 && this.#held.length > 0) {
      const message = this.#held.shift() as Written;
      this.#heldBytes -= message.bytes.length;
      budget -= message.bytes.length;
      this.#post("down", message);
    }
    if (this.#held.length > 0) this.#clock.setTimeout(() => this.#release(), RELEASE_EVERY);
  }

  #closeByClient(): void {
    if (this.#ended.client) return;
    this.#endClient("closed by this client");
    if (this.#cut) return;
    const last = this.#queues.up.at(-1)?.due ?? this.#clock.now();
    this.#clock.setTimeout(() => this.#endServer(), last - this.#clock.now() + 1);
  }

  #closeByServer(reason: string): void {
    if (this.#ended.server) return;
    this.#ended.server = true;
    // What the client would have read still arrives; a client that reads nothing gets nothing.
    if (!this.#stalled) { for (const message of this.#held) this.#post("down", message); }
    this.#held = [];
    this.#heldBytes = 0;
    if (this.#cut) return;
    const last = this.#queues.down.at(-1)?.due ?? this.#clock.now();
    this.#clock.setTimeout(() => this.#endClient(reason), last - this.#clock.now() + 1);
  }

  #endClient(reason: string): void {
    if (this.#ended.client) return;
    this.#ended.client = true;
    this.#queues.down = [];
    this.#listener?.closed(reason);
  }

  #endServer(): void {
    if (this.#ended.server) return;
    this.#ended.server = true;
    this.#queues.up = [];
    this.#held = [];
    this.#heldBytes = 0;
    this.#server?.socketClosed();
  }
}
