/** What can go wrong for a client, one class for each thing that a caller may treat differently. */
import { ErrorCode, RpcError } from "../rpc/errors.ts";

/** No connection was made; another attempt may succeed. [transport 1.5.1] */
export class ConnectError extends Error {
  override readonly name: string = "ConnectError";
}

/** The server knows no such user and token: sign in anew. [transport 1.5.1] */
export class UnauthorizedError extends ConnectError {
  override readonly name = "UnauthorizedError";
}

/** No credentials were found, or they could not be checked. [transport 3.4.1] */
export class AuthenticationError extends ConnectError {
  override readonly name: string = "AuthenticationError";
}

/** The login is refused, and deleted where it was stored: a person has to sign in. [transport 3.3.5] */
export class StoredLoginRefusedError extends ConnectError {
  override readonly name = "StoredLoginRefusedError";
}

/** What went on was ended by this client itself, as by a sign-out. [transport 3.3.2] */
export class CanceledError extends ConnectError {
  override readonly name = "CanceledError";
}

/** The server speaks to newer clients only: another attempt is of no use. [transport 1.5.1] */
export class UpgradeRequiredError extends ConnectError {
  override readonly name = "UpgradeRequiredError";
}

/** The server has as many connections as it takes: try later. [transport 1.5.1] */
export class OverloadedError extends ConnectError {
  override readonly name = "OverloadedError";
}

/** The connection ended before an answer came, or had ended before. [transport 2.6.2] */
export class ConnectionClosedError extends Error {
  override readonly name = "ConnectionClosedError";
  constructor(message = "Connection was closed", options?: ErrorOptions) {
    super(message, options);
  }
}

/** An answer came, but of another type than the request asks for. [transport 2.3.7] */
export class WrongResponseError extends Error {
  override readonly name = "WrongResponseError";
}

/** A request that was answered with `Error`. [transport 2.3.8] */
export class RequestError extends RpcError {
  /** Name of `code`; undefined for one that this program does not know. */
  readonly codeName: keyof typeof ErrorCode | undefined;

  constructor(
    /** Name of the request's message. */
    readonly request: string,
    code: number,
    /** What the server, or the peer behind it, said; `message` says also to what. */
    readonly reason: string,
    tags: readonly string[] = [],
  ) {
    super(code, [`RPC request ${request} failed: ${reason}`, ...tags].join(" "), tags);
    this.codeName = codeNames.get(code);
  }

  /** Value of a `key=value` tag. */
  tag(key: string): string | undefined {
    return this.tags.find((tag) => tag.startsWith(`${key}=`))?.slice(key.length + 1);
  }

  /** Whether the error has the tag `key=value`. */
  hasTag(key: string, value: string): boolean {
    return this.tags.includes(`${key}=${value}`);
  }
}

const codeNames: ReadonlyMap<number, keyof typeof ErrorCode> = new Map(
  (Object.keys(ErrorCode) as (keyof typeof ErrorCode)[]).map((name) => [ErrorCode[name], name]),
);

/** What an `Error` answer says of anything that a handler threw. [transport 2.4.2] */
export function errorPayload(
  error: unknown,
): { code: number; message: string; tags: readonly string[] } {
  if (error instanceof RequestError) {
    return { code: error.code, message: error.reason, tags: error.tags };
  }
  if (error instanceof RpcError) {
    const { code, tags } = error;
    return { code, message: error.message || (codeNames.get(code) ?? ""), tags };
  }
  return { code: ErrorCode.Internal, message: chainText(error), tags: [] };
}

/** The messages of an error and of its causes, in one line. */
export function chainText(error: unknown): string {
  const texts: string[] = [];
  for (let at = error; at !== undefined && texts.length < 10;) {
    texts.push(at instanceof Error ? at.message : String(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return texts.join(": ").replaceAll(/\s*\n\s*/g, " ");
}
