/** Asks actors on behalf of somebody outside of them. */
import type { Answer } from "../../actors/refs/mod.ts";
import { ErrorCode, RpcError } from "../../rpc/errors.ts";
import type { HttpDeps } from "../deps.ts";
import { ApiError } from "./endpoint.ts";

/**
 * Sends an order to an actor and waits until what came of it is stored.
 *
 * @param send tells the actor, which answers once
 * @throws {ApiError} with what the actor refuses
 */
export async function ask<T>(
  { actors: { journal } }: Pick<HttpDeps, "actors">,
  send: (answer: Answer<T>) => void,
): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<{ result: T | RpcError; gate: number }>();
  try {
    send((result, gate) => resolve({ result, gate }));
  } catch (error) {
    // Refused before there is an actor to ask.
    if (!(error instanceof RpcError)) throw error;
    resolve({ result: error, gate: 0 });
  }
  const { result, gate } = await promise;
  if (result instanceof RpcError) throw new ApiError(statusOf(result), result.message);
  if (gate > journal.durable) await journal.settled();
  if (journal.refused(gate)) throw new ApiError(503, "the database refused it, see the log");
  return result;
}

function statusOf({ code, message }: RpcError): 404 | 409 | 503 {
  if (code === ErrorCode.NoSuchChannel || /^no such |is no member/.test(message)) return 404;
  return /out of order|too much to do|internal error/.test(message) ? 503 : 409;
}
