/** Answers to what an actor refused. */
import type { RpcError } from "../rpc/errors.ts";
import { errorField } from "../rpc/outbox.ts";
import type { Inbound } from "./refs.ts";
import type { ActorSystem } from "./system.ts";

/** Answers a request that was refused; one-way messages are answered with nothing. [rooms 6.6] */
export function refuse({ metrics }: ActorSystem, inbound: Inbound, error: RpcError): void {
  const { connection, requestId, route } = inbound;
  if (route.answers.length === 0) return;
  metrics.requestErrors.inc();
  connection.outbox.push(errorField(error.code, error.message, error.tags), requestId, 0);
}
