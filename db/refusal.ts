/** What is said of a group that the database refused. */
import type { WriteGroup } from "./store.ts";

/** The error of a refused group, for the log. */
export function refusal(group: WriteGroup, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new Error(`Cannot store what ${group.actor} wrote: ${reason}; it was rolled back`, {
    cause,
  });
}
