/** Steps on the notes of channels. [channels 8] */
import { type ActionsOf, choose } from "./action.ts";
import type { NotesCopy } from "./notes_copy.ts";
import type { SimClient } from "./sim_client.ts";

export const notesActions: ActionsOf<"notes"> = {
  openNotes(client, [a]) {
    const channelId = choose([...client.channels.view.channels.keys()], a);
    if (!client.isOnline || channelId === undefined) return;
    client.quietly(client.channels.openNotes(channelId));
  },
  closeNotes(client, [a]) {
    const copy = someNotes(client, a);
    if (client.isOnline && copy !== undefined) client.channels.closeNotes(copy.channelId);
  },
  // The join right behind the leave. [channels 11.5]
  reopenNotes(client, [a]) {
    const copy = someNotes(client, a);
    if (!client.isOnline || copy?.attached !== true) return;
    client.channels.closeNotes(copy.channelId);
    client.quietly(client.channels.openNotes(copy.channelId));
  },
  // Also while the connection is away.
  editNotes(client, [a, b, c, d]) {
    const copy = someNotes(client, a);
    if (copy?.mayWrite === true) copy.edit([b, c, d]);
  },
  undoNotes(client, [a, b]) {
    const copy = someNotes(client, a);
    if (copy?.mayWrite === true) copy.undo(b % 3 === 2);
  },
  selectInNotes(client, [a]) {
    someNotes(client, a)?.select();
  },
  ackNotes(client, [a]) {
    someNotes(client, a)?.acknowledge();
  },
};

function someNotes(client: SimClient, number: number): NotesCopy | undefined {
  return choose([...client.channels.notes.values()], number);
}
