import type { Socket, SocketListener } from "../../client/transport.ts";

/** One end of a pair of sockets within a process. What is sent arrives in a later turn. */
export class MemorySocket implements Socket {
  /** The other end. */
  other!: MemorySocket;
  readonly bufferedAmount = 0;
  /** Whether an end of the pair was closed. */
  isClosed = false;
  #listener: SocketListener | undefined;
  /** Messages and at last the reason of the end, as they come. */
  readonly #incoming: (Uint8Array | string)[] = [];
  #isScheduled = false;

  /** Two ends that are connected. */
  static pair(): [MemorySocket, MemorySocket] {
    const [a, b] = [new MemorySocket(), new MemorySocket()];
    a.other = b;
    b.other = a;
    return [a, b];
  }

  /** Sends to the other end; nowhere once closed. */
  send(message: Uint8Array): void {
    if (!this.isClosed) this.other.#put(message.slice());
  }

  /** Closes both ends; what was sent before still arrives. */
  close(reason = "connection closed"): void {
    if (this.isClosed) return;
    this.isClosed = this.other.isClosed = true;
    this.#put(reason);
    this.other.#put(reason);
  }

  /** Says who takes what arrives. */
  listen(listener: SocketListener): void {
    this.#listener = listener;
    this.#schedule();
  }

  #put(item: Uint8Array | string): void {
    this.#incoming.push(item);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#listener === undefined || this.#incoming.length === 0) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      for (const item of this.#incoming.splice(0)) {
        if (typeof item === "string") this.#listener?.closed(item);
        else this.#listener?.message(item);
      }
    });
  }
}
