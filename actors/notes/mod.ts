/** Channel notes: one document per channel, there while somebody has it open. [channels 8] */
import type { NotesRef } from "../refs/mod.ts";
import type { ActorSystem } from "../system.ts";
import { Notes } from "./notes.ts";

export { rejoinNotes } from "./rejoining.ts";

/** The notes of a channel, read from the database. */
export function openNotes(system: ActorSystem, channelId: number): NotesRef {
  return new Notes(system, channelId);
}

/** Channels whose notes somebody had open when the server stopped. [channels 8.7] */
export async function staleNotes({ store }: ActorSystem): Promise<readonly number[]> {
  const rows = await store.load("channel_buffer_collaborators");
  return [...new Set(rows.map((row) => row.channel_id))];
}
