/** Answers to what an actor refused. */
import { RpcError } from "../rpc/errors.ts";
import { errorField } from "../rpc/outbox.ts";
import { type PeerKey, peerText } from "../rpc/peer_id.ts";
import type { Route } from "../rpc/routes.ts";
import type { Inbound } from "./refs/mod.ts";
import type { ActorSystem } from "./system.ts";

/** Who waits for an answer, by the envelope id of a request. */
export type Asker = Pick<Inbound, "connection" | "requestId">;

/** Answers with the error, which tells of no change and so waits for none. */
export function answerError({ connection, requestId }: Asker, error: RpcError): void {
  connection.outbox.push(errorField(error.code, error.message, error.tags), requestId, 0);
}

/** What a request asks for cannot be read: its sender is told that the database is away, the log why. */
export function answerUnreadable(
  { log }: ActorSystem,
  asker: Asker,
  what: string,
  error: unknown,
): void {
  log.error(`${what} cannot be read: {error}`, { error });
  answerError(asker, RpcError.databaseAway());
}

/** Answers a request that was refused; of one-way messages the log alone is told. [rooms 6.6] */
export function refuse(system: ActorSystem, inbound: Inbound, error: RpcError): void {
  const { connection, route } = inbound;
  if (route.answers.length === 0) {
    notePassedOver(system, connection.key, route, error.message);
    return;
  }
  system.metrics.requestErrors.inc();
  answerError(inbound, error);
}

/** A one-way message changed nothing, and its sender is not told. */
export function notePassedOver(
  { log }: ActorSystem,
  sender: PeerKey,
  { message }: Route,
  error: string,
): void {
  if (!log.tellsDebug) return;
  const address = `/connections/${peerText(sender)}`;
  log.debug("{address} {message} is passed over: {error}", { address, message, error });
}
