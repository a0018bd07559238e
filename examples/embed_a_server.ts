// deno-lint-ignore-file no-console
/**
 * A Parley inside of this program: a user is added, connects and makes a room; what happens is printed.
 *
 *     deno run -A examples/embed_a_server.ts <folder for the data>
 */
import { CollabClient, denoTransport, Room } from "@parley/client/deno";
import { createServer, serverConfig } from "@parley/server";

const [dataDir] = Deno.args;
if (!dataDir) {
  console.error("Name a folder for the server's data");
  Deno.exit(2);
}

const server = createServer(serverConfig({ dataDir, port: 0 }));
const events = server.events({ kinds: ["connection.opened", "connection.closed", "room.created"] });
await server.start();
const printing = (async () => {
  for await (const event of events) console.log(event.kind);
})();

const { id, token } = await server.addUser("ann");
const client = await CollabClient.connect({
  serverUrl: server.url,
  transport: denoTransport,
  credentials: { userId: id, token },
});
await Room.create(client);
await client.drain();

await server.stop();
await printing;
