/** What requests of one connection read from the database at a time is bounded. [transport 2.8.1] */
import { ErrorCode, RpcError } from "../rpc/errors.ts";
import type { ConnectionRef } from "./refs/mod.ts";

/** Reads that requests of one connection may wait for. */
export const MOST_READS = 256;

/** @throws {RpcError} when too many requests of the connection wait for the database already */
export function checkReads({ reads }: ConnectionRef): void {
  if (reads < MOST_READS) return;
  throw new RpcError(
    ErrorCode.RateLimitExceeded,
    `${MOST_READS} requests of this connection wait for the database already`,
  );
}

/** Counts a read of the connection until it is over. */
export function countedRead<T>(connection: ConnectionRef, read: Promise<T>): Promise<T> {
  connection.reads++;
  return read.finally(() => {
    connection.reads--;
  });
}
