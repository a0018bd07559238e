// deno-lint-ignore-file no-console
/**
 * Shares a folder in a new room, and rings a contact.
 *
 *     deno run -A examples/share_a_folder.ts http://127.0.0.1:8080 <user id> <token> <folder> [contact's id]
 */
import { CollabClient, denoTransport, DiskFiles, Room } from "@parley/client/deno";

const [serverUrl, id, token, folder, contact] = Deno.args;
if (!serverUrl || !id || !token || !folder) {
  console.error("Name the server, the user's id, a token and a folder");
  Deno.exit(2);
}

await using client = await CollabClient.connect({
  serverUrl,
  transport: denoTransport,
  credentials: { userId: BigInt(id), token },
});
client.onStatus(({ name }) => console.log(name));

const room = await Room.create(client);
const project = await room.share({ folders: [new DiskFiles(folder)] });
await project.flushed();
console.log(`Shared project ${project.id} with ${project.worktree(1n).size} entries`);
if (contact) await room.call(BigInt(contact), project.id);

// A real program stays until its user leaves; a lost connection comes back by itself meanwhile.
await room.leave();
