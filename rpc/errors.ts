/** Errors that travel to clients. [transport 2.4] */

/** `ErrorCode` of the wire. [transport 2.4.3] */
export const ErrorCode = {
  Internal: 0,
  NoSuchChannel: 1,
  Disconnected: 2,
  SignedOut: 3,
  UpgradeRequired: 4,
  Forbidden: 5,
  NeedsCla: 7,
  NotARootChannel: 8,
  BadPublicNesting: 9,
  CircularNesting: 10,
  WrongMoveTarget: 11,
  UnsharedItem: 12,
  NoSuchProject: 13,
  DevServerProjectPathDoesNotExist: 16,
  RemoteUpgradeRequired: 17,
  RateLimitExceeded: 18,
  CommitFailed: 19,
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** A failure that is answered with an `Error` envelope; it never closes the connection. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  constructor(
    /** Number of an {@link ErrorCode}; numbers that this program does not know pass through. */
    readonly code: number,
    message: string,
    /** `key=value` texts. */
    readonly tags: readonly string[] = [],
  ) {
    super(message);
  }

  /** An error whose message is the code's name, as clients know it. [channels 1.4] */
  static coded(name: keyof typeof ErrorCode, tags: readonly string[] = []): RpcError {
    return new RpcError(ErrorCode[name], name, tags);
  }

  static internal(message: string): RpcError {
    return new RpcError(ErrorCode.Internal, message);
  }
}
