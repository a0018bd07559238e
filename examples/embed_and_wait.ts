// deno-lint-ignore-file no-console
/**
 * A Parley inside of this program until its input ends. The first line of its output says where it is
 * and who may come, those behind it what happens.
 *
 *     deno run -A examples/embed_and_wait.ts <folder for the data> <login>
 */
import { createServer, serverConfig } from "@parley/server";

const [dataDir, login] = Deno.args;
if (!dataDir || !login) {
  console.error("Name a folder for the server's data, and a login");
  Deno.exit(2);
}

await using server = createServer(serverConfig({ dataDir, port: 0 }));
await server.start();
const user = await server.addUser(login);
console.log(JSON.stringify({ serverUrl: server.url, userId: user.id, token: user.token }));

const printing = (async () => {
  for await (const event of server.events({ queue: 100 })) {
    console.log(event.kind === "lagged" ? `${event.missed} events are missing here` : event.kind);
  }
})();
for await (const _ of Deno.stdin.readable) { /* until the end */ }
await server.stop();
await printing;
