// deno-lint-ignore-file no-console
/**
 * A Node program that signs in to a Parley, makes a room and leaves it.
 *
 *     deno bundle --platform=deno client/node.ts -o parley_client.mjs
 *     node examples/call_from_node.mjs parley_client.mjs http://127.0.0.1:8080 <user id> <token>
 *
 * A program with the bundle at a fixed place imports it as `from "./parley_client.mjs"`.
 */
import process from "node:process";
import { pathToFileURL } from "node:url";

const [bundle, serverUrl, id, token] = process.argv.slice(2);
if (!bundle || !serverUrl || !id || !token) {
  console.error("Name the bundle, the server, the user's id and a token");
  process.exit(2);
}

const { CollabClient, nodeHttpClient, nodeTransport, Room } = await import(
  pathToFileURL(bundle).href
);
const client = await CollabClient.connect({
  serverUrl,
  transport: nodeTransport(),
  http: nodeHttpClient(),
  credentials: { userId: BigInt(id), token },
});
const room = await Room.create(client);
const { users } = await client.request("GetUsers", { userIds: [client.userId] });
console.log(`${users[0].githubLogin} is in room ${room.id}`);
await room.leave();
await client.drain();
