/** An administrator who acts as a user: nobody does so without its being written down. [rooms 3.8] */
import type { Principal } from "../actors/connection/mod.ts";
import { audit, toUser, userActor } from "./audit.ts";
import type { Exchange } from "./route.ts";

/** Writes down that an administrator connects as somebody else; before the connection is there. */
export async function auditImpersonation(
  exchange: Pick<Exchange, "request" | "peer" | "deps">,
  { userId, impersonatorId, version }: Principal,
): Promise<void> {
  if (impersonatorId === undefined || impersonatorId === null) return;
  const { store } = exchange.deps;
  const found = await store.users([userId, impersonatorId]);
  const named = (id: number) => found.find((user) => user.id === id) ?? { id, login: `#${id}` };
  await audit(
    exchange,
    userActor(named(impersonatorId)),
    toUser("impersonation.connect", named(userId), { version: version.text }),
  );
}
