// deno-lint-ignore-file no-console
/**
 * Prints the contacts of a user, through whatever proxy the environment names. Runs in Node as well.
 *
 *     deno run -A examples/watch_contacts.ts http://127.0.0.1:8080 <user id> <token>
 */
import { CollabClient, nodeHttpClient, nodeTransport, RequestError } from "@parley/client/node";
import process from "node:process";

const [serverUrl, id, token] = process.argv.slice(2);
if (!serverUrl || !id || !token) {
  console.error("Name the server, the user's id and a token");
  process.exit(2);
}

await using client = await CollabClient.connect({
  serverUrl,
  transport: nodeTransport(),
  http: nodeHttpClient(),
  credentials: { userId: BigInt(id), token },
});
try {
  const ids = [...client.contacts.all.keys(), client.userId];
  const { users } = await client.request("GetUsers", { userIds: ids });
  console.log(users.map(({ githubLogin }) => githubLogin).join(", "));
} catch (error) {
  if (!(error instanceof RequestError)) throw error;
  console.error(`${error.request} failed with ${error.codeName}: ${error.reason}`);
}
