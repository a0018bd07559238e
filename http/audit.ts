/** Writes down what operators do, and what is done in somebody else's name. */
import type { AuditActor } from "../db/admin_store.ts";
import type { User } from "../db/store.ts";
import { clientAddress } from "./client_address.ts";
import type { Exchange } from "./route.ts";

/** Something that was done; who asked and from where is the exchange's. */
export interface Deed {
  /** As `user.update`. */
  readonly action: string;
  /** An address, as `/users/4`. */
  readonly target?: string;
  readonly targetName?: string;
  /** What else matters; no secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export const apiTokenActor: AuditActor = { kind: "api token", id: null, login: null };
export const commandLineActor: AuditActor = { kind: "command line", id: null, login: null };

export function userActor({ id, login }: Pick<User, "id" | "login">): AuditActor {
  return { kind: "user", id, login };
}

/** A deed that is done to an account. */
export function toUser(
  action: string,
  { id, login }: Pick<User, "id" | "login">,
  details: Readonly<Record<string, unknown>> = {},
): Deed {
  return { action, target: `/users/${id}`, targetName: login, details };
}

/** Resolves when it is stored, and is in the log. @throws when the database does not answer */
export async function audit(
  { request, peer, deps }: Pick<Exchange, "request" | "peer" | "deps">,
  actor: AuditActor,
  { action, target, targetName, details = {} }: Deed,
): Promise<void> {
  const address = clientAddress(request.headers, peer, deps.config.trustedProxies);
  await deps.store.admin.addAuditEntry({
    actor,
    action,
    target: target ?? null,
    targetName: targetName ?? null,
    clientAddress: address,
    details,
  });
  deps.log.info("{action} {target} by {actor} from {address}", {
    action,
    target: targetName === undefined ? target ?? "" : `${target} (${targetName})`,
    actor: actor.login ?? actor.kind,
    address,
  });
}
