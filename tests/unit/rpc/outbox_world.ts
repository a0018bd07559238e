import { encode, messageInfo } from "../../../proto/mod.ts";
import { payloadField } from "../../../rpc/frame.ts";
import {
  type Durability,
  Outbox,
  type Pending,
  type PressureMonitor,
} from "../../../rpc/outbox.ts";
import { FakeSocket } from "./fake_socket.ts";

/** An answer without contents. */
export const ACK = payloadField(messageInfo("Ack").tag as number, new Uint8Array(0));

/** A payload that a test knows again. */
export function numbered(projectId: number): Uint8Array {
  return payloadField(
    messageInfo("ShareProjectResponse").tag as number,
    encode("ShareProjectResponse", { projectId: BigInt(projectId) }),
  );
}

/** A payload of so many bytes and a few more. */
export function bulky(bytes: number): Uint8Array {
  return payloadField(
    messageInfo("Error").tag as number,
    encode("Error", { message: "x".repeat(bytes) }),
  );
}

/** An outbox whose socket, journal and monitor are the test. */
export class World implements Durability, PressureMonitor {
  readonly socket = new FakeSocket();
  readonly refusedGroups = new Set<number>();
  readonly waiting = new Set<Outbox>();
  readonly watched = new Set<Outbox>();
  readonly later: { ms: number; outbox: Outbox }[] = [];
  readonly evictions: string[] = [];
  durable = 0;
  readonly outbox: Outbox = new Outbox({
    socket: this.socket,
    durability: this,
    monitor: this,
    evict: (reason) => {
      this.evictions.push(reason);
      this.outbox.close();
    },
    failed: (error) => {
      this.evictions.push(String(error));
      this.outbox.close();
    },
  });

  refused(group: number): boolean {
    return this.refusedGroups.has(group);
  }

  wait(outbox: Outbox): void {
    this.waiting.add(outbox);
  }

  watch(outbox: Outbox): void {
    this.watched.add(outbox);
  }

  pumpLater(outbox: Outbox, ms: number): void {
    this.later.push({ ms, outbox });
  }

  /** Everything up to that group is stored. */
  commit(group: number): void {
    this.durable = group;
    const waiting = [...this.waiting];
    this.waiting.clear();
    for (const outbox of waiting) outbox.pump();
  }

  /** Runs what asked to be run later, until nothing does. */
  runLater(): void {
    for (let next = this.later.shift(); next; next = this.later.shift()) next.outbox.pump();
  }

  /** Project ids and errors of what was sent since the last call. */
  take(): (number | string)[] {
    return this.socket.take().map(({ name, value }) =>
      name === "ShareProjectResponse" ? Number(value.projectId) : name
    );
  }
}

/** Notes what becomes of a request. */
export class Request implements Pending {
  readonly events: string[] = [];
  written(_outbox: Outbox, id: number): void {
    this.events.push(`written ${id}`);
  }
  answered(tag: number): boolean {
    this.events.push(`answered ${tag}`);
    return true;
  }
  lost(): void {
    this.events.push("lost");
  }
}
