/** A user as clients know one. [channels 2.2] */
import type { User } from "../db/store.ts";
import type { Init, MessageTypes } from "../proto/mod.ts";
import type { ActorSystem } from "./system.ts";

export function wireUser(system: ActorSystem, user: User): Init<MessageTypes["User"]> {
  return {
    id: BigInt(user.id),
    githubLogin: user.login,
    username: user.login,
    avatarUrl: user.avatarUrl ?? system.avatarUrl(user.id),
    name: user.name ?? undefined,
  };
}
