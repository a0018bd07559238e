/** Errors that travel to clients. [transport 2.4] */
import { ErrorCodeEnum } from "../proto/mod.ts";

/** `ErrorCode` of the wire. [transport 2.4.3] */
export const ErrorCode = ErrorCodeEnum;

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

  /** What a request needs cannot be read. */
  static databaseAway(): RpcError {
    return RpcError.internal("the database is away, try again in a moment");
  }
}
