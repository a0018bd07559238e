/** What follows when an account's profile or rights have been changed. [transport 3.7.4] */
import type { HttpDeps } from "./deps.ts";

/** The account is not what it was: everybody who shows it asks again. To be called when it is stored. */
export function tellAccountChanged({ actors, notices }: HttpDeps, userId: number): void {
  actors.directory.forget(userId);
  notices.userChanged(userId);
}
