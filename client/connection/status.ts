/** What a client tells its user about its connection. [transport 3.1] */
import type { PeerId } from "../../rpc/peer_id.ts";

/** A status, with what belongs to it. */
export type Status =
  /** Nobody is signed in: at the beginning, and after a sign-out. */
  | { readonly name: "SignedOut" }
  /** The server speaks to newer clients only; until a sign-out nothing is tried again. */
  | { readonly name: "UpgradeRequired"; readonly error: Error }
  /** Credentials are looked for, or checked. */
  | { readonly name: "Authenticating" }
  /** Signed in, without a connection for collaboration. */
  | { readonly name: "Authenticated" }
  /** The credentials could neither be found nor checked. */
  | { readonly name: "AuthenticationError"; readonly error: Error }
  | { readonly name: "Connecting" }
  /** An attempt failed that nobody repeats. */
  | { readonly name: "ConnectionError"; readonly error: Error }
  | {
    readonly name: "Connected";
    /** What the others know this connection by. */
    readonly peerId: PeerId;
    /** Counts the connections of this client, from 0. [transport 2.1.3] */
    readonly connectionId: number;
  }
  /** The connection ended by itself; attempts to make another begin. */
  | { readonly name: "ConnectionLost"; readonly reason: string }
  /** As Authenticating, of a client that was signed in before. */
  | { readonly name: "Reauthenticating" }
  | { readonly name: "Reauthenticated" }
  | { readonly name: "Reconnecting" }
  | {
    readonly name: "ReconnectionError";
    readonly error: Error;
    /** When the next attempt begins, in milliseconds since the Unix epoch. */
    readonly nextReconnection: number;
  };

/** The name of a {@link Status}. */
export type StatusName = Status["name"];

/** Whether requests can be sent. */
export function isConnected({ name }: Status): boolean {
  return name === "Connected";
}

/** Whether a connection was there and another is on its way. */
export function wasConnected({ name }: Status): boolean {
  return name === "ConnectionLost" || name === "Reauthenticating" || name === "Reauthenticated" ||
    name === "Reconnecting";
}

/** Whether something is going on that a user waits for. */
export function isSigningIn({ name }: Status): boolean {
  return name === "Authenticating" || name === "Reauthenticating" || name === "Connecting" ||
    name === "Reconnecting";
}

/** Whether nobody is signed in. */
export function isSignedOut({ name }: Status): boolean {
  return name === "SignedOut" || name === "UpgradeRequired";
}
