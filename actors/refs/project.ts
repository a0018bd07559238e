/** A shared project, whose messages its room handles. */
import type { Handling } from "../handling.ts";
import type { ConnectionRef, Inbound } from "./connection.ts";

/** A project's reference: its messages are processed in the turn of its room. */
export interface ProjectRef {
  readonly id: number;
  receive(inbound: Inbound): void;
  /** The hot path: takes the message apart without making an object of it. */
  updateBuffer(
    connection: ConnectionRef,
    requestId: number,
    original: Uint8Array,
    writes: boolean,
    handling: Handling | undefined,
  ): void;
}
