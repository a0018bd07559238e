// deno-lint-ignore-file no-console -- what the test reads
/** Ada's editor on the server's machine: shares a folder, rings Bob, runs an agent. */
import {
  AgentHost,
  CollabClient,
  DiskFiles,
  nodeHttpClient,
  nodeTransport,
  pairDevice,
  Room,
} from "../../client/deno.ts";
import { chunk, created } from "../support/agents.ts";
import { waitUntil } from "../support/wait_until.ts";

const [serverUrl, folder, bob] = Deno.args as [string, string, string];
await Deno.mkdir(folder);
await Deno.writeTextFile(`${folder}/a.txt`, "begun\n");

const http = nodeHttpClient({ environment: () => undefined });
const signal = AbortSignal.timeout(60_000);
const { credentials } = await pairDevice({ serverUrl, http, signal }, {
  name: "Ada",
  device: "ship",
});
const transport = nodeTransport({ environment: () => undefined });
const client = await CollabClient.connect({ serverUrl, transport, http, credentials });
client.onStatus(({ name }) => {
  if (name === "ConnectionLost") console.log("lost");
});
console.log(`user ${client.userId}`);

const agent = new AgentHost({ hostId: crypto.randomUUID(), name: "ship" });
await agent.attach(client);
const thread = crypto.randomUUID();
agent.publish(created(thread, "A thread of the ship"));
agent.publish(chunk(thread, "hello from the ship"));

const room = await Room.create(client);
const project = await room.share({ folders: [new DiskFiles(folder)] });
await project.flushed();
await client.requestContact(BigInt(bob));
await waitUntil(() => room.call(BigInt(bob), project.id).then(() => true));
const buffer = await project.openBuffer("a.txt");
await waitUntil(() => buffer.text.includes("from desk"));
const end = buffer.text.length;
buffer.edit([{ start: end, end, text: "from ship\n" }]);
