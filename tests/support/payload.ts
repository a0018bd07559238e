import { encode, messageInfo, type MessageName, type MessageTypes } from "../../proto/mod.ts";
import type { Received } from "./test_peer.ts";

/** A field that no schema has: whoever passes a payload on must keep it. */
export const UNKNOWN: readonly number[] = [0xfa, 0x7f, 3, 7, 8, 9];

/** The field of a message in the envelope. */
export function tagOf(name: MessageName): number {
  return messageInfo(name).tag as number;
}

/** A message about a project, with something in it that the server does not know. */
export function payloadFor(projectId: bigint): Uint8Array {
  // Every message of a project names it in its first field.
  return new Uint8Array([...encode("GetHover", { projectId }), ...UNKNOWN]);
}

/** What an `Error` says. @throws {TypeError} for any other answer */
export function errorOf({ name, value }: Received): MessageTypes["Error"] {
  if (name !== "Error") throw new TypeError(`Expected an Error, got ${name}`);
  return value as MessageTypes["Error"];
}
